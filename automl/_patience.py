"""Waits for a store that is locked, full or out of reach, so that its trouble of some minutes ends no search."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from storage import StoreUnavailable

LOG = logging.getLogger("automl")
PATIENCE_SECONDS = 600.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 15.0
Answer = TypeVar("Answer")


def patiently(
    call: Callable[[], Answer],
    *,
    is_over: Callable[[float], bool],
    clock: Callable[[], float] = time.monotonic,
) -> Answer:
    """The answer of a call that may be repeated, which is done for ten minutes while the store is unavailable.

    `is_over` sleeps for so many seconds and says whether to give up before the time.

    Raises:
        StoreUnavailable: the store did not come back in time, or it was given up.
    """
    ends_at, pause = clock() + PATIENCE_SECONDS, FIRST_PAUSE_SECONDS
    while True:
        try:
            return call()
        except StoreUnavailable as error:
            if clock() >= ends_at:
                raise
            if pause == FIRST_PAUSE_SECONDS:
                LOG.warning("waiting for the store, for up to %d minutes: %s", PATIENCE_SECONDS / 60, error)
            if is_over(pause):
                raise
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
