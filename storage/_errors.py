"""Errors of remembering.

StorageError
├── StudyNotFound       no study of that name in the store
├── StudyExists         the name is taken
├── StoreUnreadable     the URL, file or permission is wrong, or the schema is of another version
│   └── StoreUnavailable    locked, full or out of reach for the moment: trying later may help
├── AskTakenError       another process answered the ask first
├── FinishedTrialError  somebody tried to change a finished trial
└── TrackerError        the tracker cannot show the study
"""


class StorageError(ValueError):
    """Base of every error that `storage` raises."""


class StudyNotFound(StorageError):
    """No study of that name."""


class StudyExists(StorageError):
    """A study of that name exists already."""


class StoreUnreadable(StorageError):
    """The store cannot be opened, read or written."""


class StoreUnavailable(StoreUnreadable):
    """The store is locked, full or out of reach for the moment; trying again later may help."""


class AskTakenError(StorageError):
    """Another process answered the ask first, or asks were left out; read `asks` again and propose anew."""


class FinishedTrialError(StorageError):
    """A finished trial never changes."""


class TrackerError(StorageError):
    """A tracker cannot show the study; the search goes on without it."""
