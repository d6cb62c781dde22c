"""Which failures of a table of runs were foreseeable, by a judge that no searcher has.

The judge is a classifier of gradient-boosted trees (Friedman 2001, Greedy function approximation) on the encoding of
the table's space, and foretells a failure where it is likelier than not. What searchers have is a forest with a
threshold of its own (`proposals.SureFailures`): counted by that one, their failures would be few by definition.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from automl.bench.race.ground import Course

FOLDS = 10
LIKELY = 0.5

Codes = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Foresight:
    """What of a table's failures could be known, in hindsight and at the time.

    Both are functions of the table and of the order of launches alone: no seed and no search has a part in them.
    """

    def __init__(self, course: Course) -> None:
        rows = {course.numbers[one.fingerprint]: one for one in course.space.candidates()}
        self._codes: Codes = np.stack([course.space.encode(rows[at]) for at in range(len(rows))])
        self.failed: Flags = np.isnan(course.ground.truth[:, 0])
        self.in_hindsight: Flags = self.failed & _held_out(self._codes, self.failed)

    def of_record(self, rows: Sequence[int], failed: Sequence[bool]) -> list[bool]:
        """Of each launch whether it failed as the launches before it had foretold."""
        known = np.array(failed, dtype=bool)
        return [bool(known[at]) and self._foretold(rows[:at], known[:at], row) for at, row in enumerate(rows)]

    def _foretold(self, seen: Sequence[int], failed: Flags, row: int) -> bool:
        if len(set(failed.tolist())) < 2:
            return False
        return bool(_likely(self._codes[list(seen)], failed, self._codes[[row]])[0])


def _held_out(codes: Codes, failed: Flags) -> Flags:
    """Of each row what the rows outside of its fold foretell; nothing where fewer than two failed or did not."""
    found = np.zeros(len(failed), dtype=bool)
    folds = min(FOLDS, int(failed.sum()), int((~failed).sum()))
    if folds < 2:
        return found
    # dealt out in order, so that each fold has its share of failures
    fold = np.empty(len(failed), dtype=np.int64)
    for kind in (failed, ~failed):
        fold[kind] = np.arange(int(kind.sum())) % folds
    for one in range(folds):
        held = fold == one
        found[held] = _likely(codes[~held], failed[~held], codes[held])
    return found


def _likely(codes: Codes, failed: Flags, asked: Codes) -> Flags:
    from sklearn.ensemble import GradientBoostingClassifier

    judge = GradientBoostingClassifier(random_state=0).fit(codes, failed)
    found: Flags = judge.predict_proba(asked)[:, 1] >= LIKELY
    return found
