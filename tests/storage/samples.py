"""Studies, suggestions and outcomes that the tests of storage share."""

from __future__ import annotations

from collections.abc import Sequence

from evaluators import Evaluation, Failure, FailureKind, Fidelity, Metric, Objective, Point, Suggestion, Trial
from searchspaces import Architecture, Candidate, Node, Options
from storage import StudyReading, StudyRecord, TrialStore

STUDY = "movielens"
OBJECTIVES = (Objective("ne"), Objective("flops"))
CRASH = Failure(FailureKind.OUT_OF_MEMORY, "the process took 9 GB of 8", seconds=2.5)


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def record(name: str = STUDY, *, uid: str | None = None, seed: int = 1) -> StudyRecord:
    """A study with settings and facts."""
    config = {"searcher": {"name": "autoctr"}, "budget": {"trials": 100}, "objectives": [{"metric": "ne"}]}
    facts = {"data": {"digest": "sha256:abc", "rows": {"train": 80}}, "versions": {"ctr-automl": "0.1.0"}}
    return StudyRecord(uid or f"uid-{name}", name, seed, "movielens: ne, flops", config, 900.0, facts)


def architecture(width: int = 64) -> Architecture:
    """Numeric and categorical sources, an mlp, an fm, an output, and a block that nobody takes."""
    return Architecture(
        (
            Node("numeric"),
            Node("full", (), Options(dim=16)),
            Node("mlp", (0, 1), Options(width=width, dropout=0.5, act="relu")),
            Node("mlp", (0,), Options(widths=[8, 4])),
            Node("gate", (1, 2), Options(ports=["value", "gate"], scale=1.0, bias=True, top=1)),
            Node("logit", (2, 4)),
        )
    )


def suggestion(number: int = 0, *, parents: tuple[int, ...] = ()) -> Suggestion:
    """A suggestion of its own fingerprint for each number."""
    candidate = Candidate(architecture(16 + number), Options(lr=0.01), Options(shards=2))
    return Suggestion(
        candidate, Fidelity(1, Options(rows=500)), 3, parents, "mutation", Options(birth=number, tags=["a"])
    )


def evaluation(ne: float = 0.9, *, stopped_at: int | None = None) -> Evaluation:
    """A measurement with an error and a curve."""
    curve = (Point(512, {"train_logloss": 0.7}), Point(1024, {"train_logloss": 0.6, "ne": 0.95}))
    return Evaluation({"ne": Metric(ne, 0.01), "flops": Metric(2e6)}, curve, stopped_at, 1.5)


def begin(store: TrialStore, trials: int, *, study: str = STUDY) -> list[Trial]:
    """Begins that many trials, one an ask."""
    return [
        trial
        for number in range(trials)
        for trial in store.begin(study, [suggestion(number)], ask_number=number, stage="search")
    ]


def finish_next(store: TrialStore, trials: int = 1, *, study: str = STUDY) -> list[Trial]:
    """Claims and ends that many trials."""
    claimed = store.claim(study, worker="w", limit=trials, lease_seconds=60)
    return store.finish(study, [(trial.number, evaluation(0.9 - trial.number / 100)) for trial in claimed])


class Succession:
    """A course in which the last trial is always the first one, and every other one lies one rank further back."""

    def __init__(self) -> None:
        self._numbers: list[int] = []
        self._given: dict[int, str] = {}

    def tell(self, trials: Sequence[Trial]) -> list[StudyReading]:
        """How many trials have ended."""
        readings = []
        for trial in trials:
            self._numbers.insert(0, trial.number)
            step, time = trial.finish_order or 0, trial.finished_at or 0.0
            readings.append(StudyReading("trials/ended", float(len(self._numbers)), step, time))
        return readings

    def changed_tags(self, *, is_complete: bool) -> dict[int, dict[str, str]]:
        """New ranks; unless complete, only of the first one, and of new trials."""
        ranks = {number: str(place) for place, number in enumerate(self._numbers, 1)}
        changed = {
            number: rank
            for number, rank in ranks.items()
            if self._given.get(number) != rank and (is_complete or rank == "1" or number not in self._given)
        }
        self._given |= changed
        return {number: {"pareto.rank": rank} for number, rank in changed.items()}
