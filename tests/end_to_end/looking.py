"""Looks at a search from outside, while it runs."""

from __future__ import annotations

from evaluators import Trial
from storage import StoreUnreadable, StudyNotFound, open_store


def trials_of(storage: str, study: str = "s") -> list[Trial]:
    """Those of all stages, from the store: a process that lists them would slow down the search that it looks at."""
    try:
        store = open_store(storage, create=False)
    except StoreUnreadable:
        return []
    try:
        return store.trials(study)
    except StudyNotFound:
        return []
    finally:
        store.close()
