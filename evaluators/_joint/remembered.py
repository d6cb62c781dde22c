"""An evaluator that is asked once: what it has measured is given again as long as the study's process lives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from evaluators._evaluation import Evaluation, Failure
from evaluators._evaluator import Evaluator
from evaluators._trial import Suggestion

Identity = tuple[str, int, int]
Outcome = Evaluation | Failure


@dataclass(eq=False)
class Remembered:
    """Evaluations by what was asked; failures are tried again, since another trial may have been to blame."""

    evaluator: Evaluator
    _known: dict[Identity, Evaluation] = field(default_factory=dict, init=False, repr=False)

    def outcomes(self, asked: Sequence[Suggestion]) -> list[Outcome]:
        """One outcome for each, in order; `seconds` are those spent now, so that what was known costs none.

        Those that are asked for twice are measured once, at the first one's expense.
        """
        fresh = self._measured([one for one in _different(asked) if one.identity not in self._known])
        self._known |= {identity: one for identity, one in fresh.items() if isinstance(one, Evaluation)}
        found: list[Outcome] = []
        for one in asked:
            paid = fresh.pop(one.identity, None)
            found.append(paid or replace(self._again(one, found, asked), seconds=0.0))
        return found

    def _again(self, one: Suggestion, found: Sequence[Outcome], asked: Sequence[Suggestion]) -> Outcome:
        known = self._known.get(one.identity)
        return known or found[[other.identity for other in asked].index(one.identity)]

    def _measured(self, asked: Sequence[Suggestion]) -> dict[Identity, Outcome]:
        found: dict[Identity, Outcome] = {}
        size = self.evaluator.cohort_size
        for cohort in (asked[start : start + size] for start in range(0, len(asked), size)):
            for position, outcome in self.evaluator.evaluate(cohort):
                found[cohort[position].identity] = outcome
        return found


def _different(asked: Sequence[Suggestion]) -> list[Suggestion]:
    return list({one.identity: one for one in asked}.values())
