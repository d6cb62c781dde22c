"""Remembers trials (stores) and shows them (trackers)."""

from storage._errors import FinishedTrialError, StorageError, StoreUnreadable, StudyExists, StudyNotFound
from storage._store import StudyRecord, TrialStore
from storage._tracker import Tracker

__all__ = [
    "FinishedTrialError",
    "StorageError",
    "StoreUnreadable",
    "StudyExists",
    "StudyNotFound",
    "StudyRecord",
    "Tracker",
    "TrialStore",
]
