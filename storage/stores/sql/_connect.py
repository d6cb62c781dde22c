"""Opens the database that a URL names."""

from __future__ import annotations

from sqlalchemy import Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from storage._errors import StoreUnreadable
from storage._masking import masked
from storage.stores.sql._postgresql import open_server
from storage.stores.sql._sqlite import open_file


def connect(url: str) -> Engine:
    """The database's engine; connects to nothing yet.

    Raises:
        StoreUnreadable: the URL is malformed, names no file, or its driver is not installed.
    """
    try:
        parsed = make_url(url)
        return open_file(parsed) if parsed.get_backend_name() == "sqlite" else open_server(parsed)
    except (ArgumentError, NoSuchModuleError) as error:
        raise StoreUnreadable(
            f"a storage URL looks like sqlite:///automl.db or postgresql://user@host/name, but is {masked(url)!r}"
        ) from error
    except ImportError as error:
        raise StoreUnreadable(
            f"{masked(url)} needs the driver {error.name!r}; install it with pip install 'ctr-automl[postgresql]'"
        ) from error
