"""Which failures of a table of runs were foreseeable, by a judge that no searcher has.

The judge adds up thresholds of single columns of the space's encoding (Freund and Schapire 1997, A decision-theoretic
generalization of on-line learning and an application to boosting), and foretells a failure where these are for it. What
a run needs of memory is mostly a product of choices, so that its logarithm, of which a limit is a threshold, is such a
sum. What searchers have is a forest with a threshold of its own (`proposals.SureFailures`): counted by that one, their
failures would be few by definition.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from automl.bench.race.ground import Course

FOLDS = 10
ROUNDS = 30
SUREST = 1.0 - 1e-6
"""Edge of a vote that is always right."""

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
    """Whether what is asked for fails, by some votes of thresholds that are learned from what is known."""
    places = [(column, cut) for column in range(codes.shape[1]) for cut in _cuts(codes[:, column])]
    votes, wanted = (_votes(one, places) for one in (codes, asked))
    truth = np.where(failed, 1.0, -1.0)
    weights, score = np.full(len(codes), 1.0 / len(codes)), np.zeros(len(asked))
    for _ in range(ROUNDS):
        edges = (weights * truth) @ votes
        best = int(np.argmax(np.abs(edges)))
        edge = float(np.clip(edges[best], -SUREST, SUREST))
        share = 0.5 * float(np.log((1.0 + edge) / (1.0 - edge)))
        score += share * wanted[:, best]
        weights *= np.exp(-share * truth * votes[:, best])
        weights /= weights.sum()
        if abs(edge) == SUREST:
            break
    found: Flags = score >= 0.0
    return found


def _cuts(column: Codes) -> Codes:
    values = np.unique(column)
    found: Codes = (values[1:] + values[:-1]) / 2.0
    return found


def _votes(codes: Codes, places: Sequence[tuple[int, float]]) -> Codes:
    """1 above a threshold and -1 below it, [rows, thresholds]; the last always votes 1."""
    found = [np.where(codes[:, column] > cut, 1.0, -1.0) for column, cut in places]
    return np.column_stack([*found, np.ones(len(codes))])
