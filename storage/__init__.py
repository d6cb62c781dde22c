"""Remembers trials (stores) and shows them (trackers)."""

from storage._errors import (
    AskTakenError,
    FinishedTrialError,
    StorageError,
    StoreUnreadable,
    StudyExists,
    StudyNotFound,
    TrackerError,
)
from storage._masking import masked
from storage._mirror import Mirror
from storage._open import open_store, upgrade_store
from storage._store import StudyRecord, TrialStore
from storage._tracker import Tracker

__all__ = [
    "AskTakenError",
    "FinishedTrialError",
    "Mirror",
    "StorageError",
    "StoreUnreadable",
    "StudyExists",
    "StudyNotFound",
    "StudyRecord",
    "Tracker",
    "TrackerError",
    "TrialStore",
    "masked",
    "open_store",
    "upgrade_store",
]
