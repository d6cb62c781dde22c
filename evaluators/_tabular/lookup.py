"""Looks outcomes up by candidate, replicate and rung."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from evaluators._errors import EvaluatorError
from evaluators._evaluation import Evaluation, Failure, FailureKind
from evaluators._tabular.entries import CONTROL, SEARCH, Entry
from evaluators._tabular.rungs import read_at
from evaluators._trial import Suggestion

Outcome = Evaluation | Failure


@dataclass(frozen=True, eq=False)
class Lookup:
    """The outcomes that a study may see: of each candidate by its fingerprint, in the order of replicates."""

    outcomes: Mapping[str, Sequence[Outcome]]

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Lookup:
        """Leaves out what is kept as truth, and human-made architectures under the seeds of the truth."""
        every = list(entries)
        replicates = {entry.replicate for entry in every if entry.role == SEARCH}
        found: dict[str, dict[int, Outcome]] = {}
        for entry in every:
            if entry.role == SEARCH or (entry.role == CONTROL and entry.replicate in replicates):
                found.setdefault(entry.candidate.fingerprint, {}).setdefault(entry.replicate, entry.outcome)
        return cls({name: [outcomes[at] for at in sorted(outcomes)] for name, outcomes in found.items()})

    def outcome(self, suggestion: Suggestion, *, study_seed: int) -> Outcome:
        """What the table knows of a suggestion.

        Raises:
            EvaluatorError: its fidelity sets more than `rows`.
        """
        rows = _rows(suggestion)
        stored = self.outcomes.get(suggestion.candidate.fingerprint)
        if stored is None:
            return Failure(
                FailureKind.INVALID,
                f"a table answers for its {len(self.outcomes)} candidates, and {suggestion.candidate.fingerprint} is "
                "none of them; search in the space 'tabled' with the same table",
            )
        outcome = stored[(suggestion.replicate + study_seed) % len(stored)]
        if rows is None or isinstance(outcome, Failure):
            return outcome
        return read_at(outcome, rows) or Failure(
            FailureKind.INVALID,
            f"the curve in the table begins at {outcome.curve[0].rows} rows, but the rung has {rows}; use more rows",
        )


def _rows(suggestion: Suggestion) -> int | None:
    settings = suggestion.fidelity.settings
    rows = settings.get("rows")
    if set(settings) - {"rows"} or not (rows is None or (isinstance(rows, int) and rows is not True and rows >= 1)):
        raise EvaluatorError(
            f"a fidelity of a table sets 'rows', a whole number of at least 1, and nothing else, but sets {settings}"
        )
    return rows
