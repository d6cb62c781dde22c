"""Remembers trials (stores) and shows them (trackers)."""

from storage._errors import (
    AskTakenError,
    FinishedTrialError,
    StorageError,
    StoreUnavailable,
    StoreUnreadable,
    StudyExists,
    StudyNotFound,
    TrackerError,
)
from storage._masking import masked
from storage._mirror import Mirror
from storage._open import open_store, upgrade_store
from storage._rules import MAX_LOSSES
from storage._store import LEASE_SECONDS, StudyRecord, TrialStore
from storage._tracker import Course, StudyReading, Summary, Synced, Tags, Tracker, Winner

__all__ = [
    "AskTakenError",
    "Course",
    "FinishedTrialError",
    "LEASE_SECONDS",
    "MAX_LOSSES",
    "Mirror",
    "StorageError",
    "StoreUnavailable",
    "StoreUnreadable",
    "StudyExists",
    "StudyNotFound",
    "StudyReading",
    "StudyRecord",
    "Summary",
    "Synced",
    "Tags",
    "Tracker",
    "TrackerError",
    "TrialStore",
    "Winner",
    "masked",
    "open_store",
    "upgrade_store",
]
