"""Hides passwords and tokens in URLs before anybody sees them."""

from __future__ import annotations

import re

_PASSWORD = re.compile(r"([\w+.-]+://[^\s:/@?]*):\S*@")
# A name alone before the host is a token, except in databases; a path never matches, as it holds a slash before its @.
_TOKEN = re.compile(r"(?<![\w+.-])((?!postgresql)[\w+.-]+://)[^\s:/@?#]+@")
_SECRET_OPTION = re.compile(r"([?&][^=&\s]*(?:password|passwd|pwd|token|secret|key)[^=&\s]*=)[^&\s]*", re.IGNORECASE)


def masked(url: str) -> str:
    """The URL, or text with URLs in it, with passwords, tokens and secret options as `***`; hides rather too much.

    >>> masked("postgresql://ann:p@ss@host/db?sslpassword=x&timeout=5")
    'postgresql://ann:***@host/db?sslpassword=***&timeout=5'
    >>> masked("https://tok3n@host/a@b")
    'https://***@host/a@b'
    >>> masked("sqlite:///a.db")
    'sqlite:///a.db'
    """
    return _SECRET_OPTION.sub(r"\1***", _TOKEN.sub(r"\1***@", _PASSWORD.sub(r"\1:***@", url)))
