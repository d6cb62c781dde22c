"""What a driver's error means to the store."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Trouble:
    """A reason with its way out.

    `passes`: it may be over in a while, without anybody's change of the URL. `is_lost`: the connection is gone and
    what was done in its transaction with it, so the call may be repeated on a new one. `restarts`: the server was
    there a moment ago, so its address is right.
    """

    reason: str
    passes: bool = False
    is_lost: bool = False
    restarts: bool = False
