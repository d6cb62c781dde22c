"""Rows that this package cannot have written: somebody or something else has changed the database."""

from __future__ import annotations


class RowDamaged(Exception):
    """A row cannot be read; the text says which and why. It never leaves the package."""
