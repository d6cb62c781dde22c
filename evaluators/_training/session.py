"""What a training process does with a cohort: whatever goes wrong becomes a failure of the member that is guilty."""

from __future__ import annotations

import gc
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch

from evaluators._errors import DivergedError, EvaluatorError
from evaluators._evaluation import Evaluation, Failure, FailureKind
from evaluators._training.controls import Controls, race
from evaluators._training.evaluate import Job, Outcome, alike, evaluate_cohort
from evaluators._training.racing import RacingRule
from evaluators._training.search_data import SearchData
from evaluators._training.settings import TrainingSettings
from evaluators._training.stream import Plan
from evaluators._training.warm_tables import WarmTables
from evaluators._training.way import Way
from evaluators._trial import Suggestion
from searchspaces import SearchSpaceError

ALLOCATION_FAILURES = (
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "out of memory",
    "bad_alloc",
    "can't start new thread",
)
"""What torch and the C library say in errors that are no MemoryError."""


UNRACED = ("audit", "baseline", "zoo:")
"""Origins of what must be trained to its end: what others are compared with, and what tells whether a rung ranks."""


@dataclass(frozen=True)
class Asked:
    """One member of a cohort: what is suggested, and the seed of its training."""

    suggestion: Suggestion
    seed: int


@dataclass(frozen=True, eq=False)
class Session:
    """How this process trains. Without `controls` nothing is compared, without `racing` nobody is stopped.

    `way` has been tried on the study's own rows (see `precision.check_way`).
    """

    settings: TrainingSettings
    data: SearchData
    dtype: torch.dtype = torch.float32
    controls: Controls | None = None
    racing: RacingRule | None = None
    way: Way = Way.MEMBERWISE

    def outcomes(self, cohort: Sequence[Asked]) -> Iterator[tuple[int, Evaluation | Failure]]:
        """Each member's outcome by its position. Members that can share a pass do.

        Where a pass breaks down and has several members, none of them has an outcome: alone each will show whether it
        is to blame.
        """
        jobs: dict[int, Job] = {}
        for position, one in enumerate(cohort):
            try:
                jobs[position] = self._job(one.suggestion)
            except EvaluatorError as error:
                yield position, failure_of(error)
        for seed in sorted({cohort[at].seed for at in jobs}):
            positions = [at for at in jobs if cohort[at].seed == seed]
            for group in alike([jobs[at] for at in positions], self.data):
                members = [positions[at] for at in group]
                yield from self._pass([jobs[at] for at in members], members, cohort[members[0]])

    def _pass(
        self, jobs: Sequence[Job], members: Sequence[int], first: Asked
    ) -> Iterator[tuple[int, Evaluation | Failure]]:
        try:
            for number, outcome in self._trained(jobs, first):
                yield members[number], outcome if isinstance(outcome, Evaluation) else failure_of(outcome)
        except Exception as error:  # noqa: BLE001  # the boundary of the process: a trial fails, not the search
            if len(members) == 1:
                yield members[0], failure_of(error)
        finally:
            gc.collect()

    def _trained(self, jobs: Sequence[Job], first: Asked) -> Iterator[tuple[int, Outcome]]:
        reference = None
        if self.controls is not None:
            fidelity = first.suggestion.fidelity.settings
            reference = self.controls.beside(jobs[0].settings, seed=first.seed, fidelity=fidelity)
        racing = None
        is_raced = not first.suggestion.origin.startswith(UNRACED)
        if self.racing is not None and reference is not None and is_raced:
            racing = partial(race, rule=self.racing, reference=reference)
        yield from evaluate_cohort(
            jobs,
            self.data,
            seed=first.seed,
            dtype=self.dtype,
            reference=reference,
            racing=racing,
            warm=self._warm(jobs[0].settings, first.seed),
            way=self.way,
            full_rows=self.settings.passes * Plan.of(self.settings, len(self.data.train), seed=0).rows,
        )

    def _warm(self, settings: TrainingSettings, seed: int) -> WarmTables | None:
        """Tables to begin with, where the members ask for them.

        Raises:
            EvaluatorError: there is no control that could be trained for them.
        """
        if not settings.warm_tables:
            return None
        found = None if self.controls is None else self.controls.tables(seed=seed, hash_cap=settings.hash_cap)
        if found is None:
            raise EvaluatorError(
                "'warm_tables' begins with the tables of the control, but there is none that can be trained; "
                "give the study a 'baseline', or leave 'warm_tables' out"
            )
        return found

    def _job(self, suggestion: Suggestion) -> Job:
        own = self.settings.overridden(suggestion.candidate.training, suggestion.fidelity.settings)
        return Job(suggestion.candidate, own)


def failure_of(error: Exception) -> Failure:
    """The kind and the last line of what went wrong."""
    if isinstance(error, DivergedError):
        return Failure(FailureKind.DIVERGED, str(error))
    if isinstance(error, EvaluatorError | SearchSpaceError):
        return Failure(FailureKind.INVALID, str(error))
    text = " ".join(traceback.format_exception_only(error)[-1].split())
    is_allocation = isinstance(error, MemoryError | torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError | OSError) and any(one in text.lower() for one in ALLOCATION_FAILURES)
    )
    return Failure(FailureKind.OUT_OF_MEMORY if is_allocation else FailureKind.CRASHED, text)
