"""Opens the database that a URL names."""

from __future__ import annotations

from sqlalchemy import Engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from storage._errors import StoreUnreadable
from storage._masking import masked
from storage.stores.sql._postgresql import open_server
from storage.stores.sql._sqlite import open_file

BACKENDS = ("sqlite", "postgresql")
FILE_OPTIONS = ("timeout", "uri", "isolation_level", "detect_types", "check_same_thread", "cached_statements")
"""What Python's SQLite takes beside the file; with `uri` the rest is SQLite's own."""


def connect(url: str) -> Engine:
    """The database's engine; connects to nothing yet.

    Raises:
        StoreUnreadable: the URL is malformed, names no file, or its driver is not installed.
    """
    try:
        parsed = make_url(url)
        _check(parsed)
        return open_file(parsed) if parsed.get_backend_name() == "sqlite" else open_server(parsed)
    except StoreUnreadable:
        raise
    except (ArgumentError, NoSuchModuleError, ValueError) as error:  # ValueError: no number where one belongs
        raise StoreUnreadable(
            f"a storage URL looks like sqlite:///automl.db or postgresql://user@host/name, but is {masked(url)!r}"
        ) from error
    except ImportError as error:
        raise StoreUnreadable(
            f"{masked(url)} needs the driver {error.name!r}; install it with pip install 'ctr-automl[postgresql]'"
        ) from error


def _check(url: URL) -> None:
    backend = url.get_backend_name()
    if backend not in BACKENDS:
        raise StoreUnreadable(f"a database is one of {', '.join(BACKENDS)}, but {masked(str(url))} names {backend!r}")
    unknown = sorted(set(url.query) - set(FILE_OPTIONS)) if backend == "sqlite" and "uri" not in url.query else []
    if unknown:
        raise StoreUnreadable(
            f"a SQLite URL has no option {unknown[0]!r}, but {masked(str(url))} names it; "
            f"leave it out (known: {', '.join(FILE_OPTIONS)})"
        )
