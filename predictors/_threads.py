"""Small matrices on one thread: a second one brings nothing, and waits for a core where trainings have all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController


@contextmanager
def one_thread() -> Iterator[None]:
    """Linear algebra inside takes one thread, whatever the process may take."""
    with _controller().limit(limits=1, user_api="blas"):
        yield


@cache
def _controller() -> ThreadpoolController:
    """Looking for the libraries takes milliseconds, so they are found once."""
    return ThreadpoolController()
