"""The store for real studies: one database of our own, SQLite or a server."""

from storage.stores.sql._store import SqlStore

__all__ = ["SqlStore"]
