"""Finals from beginning to end: train, choose on the validation part, open the test part once, judge.

The order is the point: nothing is chosen after the test part has opened, and what was chosen before is on disk by then.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from automl._errors import StudyError
from automl._files import write_text
from automl._locks import StudyLock
from automl._wiring import facts_of
from automl.export import write_blend
from automl.finals._account import account
from automl.finals._choice import Choice, Trained, choose
from automl.finals._entrants import Entrant, entrants_of
from automl.finals._held_out import held_out
from automl.finals._lessons import TRAININGS, Lesson, fresh_seed, stem_of
from automl.finals._recipes import Conditions, recipe_of
from automl.finals._verdicts import MARGIN
from evaluators._datasets import Dataset, openings

if TYPE_CHECKING:
    from automl.study import Study

BLEND_FILE = "blend.yaml"
LOG = logging.getLogger("automl")


@dataclass(frozen=True)
class Plan:
    """What finals do: `top` finalists and the baselines over `seeds` fresh seeds, everything kept in `folder`.

    Trainings that finals in the folder `reuse` have done and measured are copied from there.
    """

    folder: Path
    top: int = 3
    seeds: int = 5
    is_daily: bool = False
    is_blended: bool = False
    margin_percent: float = MARGIN
    device: str = "auto"
    reuse: Path | None = None


def finals(study: Study, plan: Plan, *, tuned_in: Study | None = None) -> dict[str, Any]:
    """Runs finals, or goes on with those in the folder; returns and keeps in `finals.json` what they found.

    With `tuned_in`, a study of the same data, its tuned winners are baselines too.

    Raises:
        StudyError: there is nothing to compare, the data has no test part, that of `tuned_in` is other data, or
            another process is at it.
        ExportError: the folder cannot be written.
    """
    lock = StudyLock(study.record.uid, "finals")
    if not lock.acquire(study.worker):
        raise StudyError(f"the finals of study {study.name!r} are run by process {lock.holder()}; wait for it")
    try:
        return _finals(study, plan, tuned_in)
    finally:
        lock.release()


def _finals(study: Study, plan: Plan, tuned_in: Study | None) -> dict[str, Any]:
    dataset = study.wiring.dataset
    _check(dataset, plan)
    if tuned_in is not None:
        _check_same_data(dataset, tuned_in)
    taking_part = entrants_of(study, top=plan.top, tuned_in=tuned_in)
    if plan.is_blended and all(one.is_baseline for one in taking_part):
        raise StudyError(f"a blend is of finalists, but study {study.name!r} has baselines alone; leave out --blend")
    entrants = [Trained(tuple(_lessons(study, tuned_in, one, dataset, plan))) for one in taking_part]
    by_seed = [one.lessons[number] for number in range(plan.seeds) for one in entrants]
    _take_over(by_seed, plan.reuse)
    _train([one for one in by_seed if not one.is_done], dataset, plan)
    choice = choose(entrants, np.asarray(dataset.part("valid").label, np.float64))
    if plan.is_blended:
        _train([one for one in choice.blend_members if not one.weights.exists()], dataset, plan)
    write_text(plan.folder / "choices.json", json.dumps(choice.to_dict(), indent=2) + "\n")
    lessons = [lesson for one in choice.entrants for lesson in one.lessons]
    test = held_out(lessons, dataset, plan.folder, device=plan.device, purpose=f"finals of study {study.name}")
    found = {
        "study": {"name": study.name, "uid": study.record.uid, "seed": study.record.seed},
        "data": {"name": dataset.name, "digest": dataset.digest, "test_openings": openings(dataset.digest)},
        **account(choice, test, is_daily=plan.is_daily, margin_percent=plan.margin_percent),
    }
    write_text(plan.folder / "finals.json", json.dumps(found, indent=2) + "\n")
    _leave(choice, plan, study)
    return found


def _check(dataset: Dataset, plan: Plan) -> None:
    if plan.seeds < 2:
        raise StudyError(f"finals need at least 2 seeds to know their noise, but {plan.seeds} was asked for")
    if not dataset.rows.get("test"):
        raise StudyError(f"finals report on the test part, but {dataset.folder} has none; prepare the data with one")
    if plan.reuse is not None and not (plan.reuse / TRAININGS).is_dir():
        raise StudyError(f"trainings are taken over from the folder of other finals, but {plan.reuse} holds none")


def _check_same_data(dataset: Dataset, other: Study) -> None:
    found = facts_of(other.record, "data").get("digest")
    if found != dataset.digest:
        raise StudyError(
            f"baselines come from a study of the same data, but the data of study {other.name!r} has the digest "
            f"{found} and that of the finals, {dataset.name}, has {dataset.digest}; tune them on this data"
        )


def _lessons(study: Study, tuned_in: Study | None, entrant: Entrant, dataset: Dataset, plan: Plan) -> Iterator[Lesson]:
    home = study if entrant.home is None or tuned_in is None else tuned_in
    recipe = recipe_of(home, entrant, plan.folder)
    for number in range(1, plan.seeds + 1):
        seed = fresh_seed(study.record.seed, number)
        yield Lesson(entrant, recipe, number, seed, stem_of(entrant, recipe, number, seed, dataset.digest, plan.folder))


def _take_over(lessons: Sequence[Lesson], reuse: Path | None) -> None:
    if reuse is not None:
        count = sum(one.take_over(reuse) for one in lessons)
        LOG.info(f"{count} trainings of {len(lessons)} taken over from {reuse}")


def _train(waiting: Sequence[Lesson], dataset: Dataset, plan: Plan) -> None:
    """Trains one after the other and says how long the rest will take, by what each candidate took in the search."""
    conditions = Conditions(dataset, plan.device, dataset.vocabularies() if waiting else ())
    expected = [_seconds_in_search(one.entrant) for one in waiting]
    started = time.monotonic()
    for count, one in enumerate(waiting, start=1):
        one.train(conditions)
        left = (time.monotonic() - started) * sum(expected[count:]) / sum(expected[:count])
        ended = "failed" if one.failure else "done"
        LOG.info(f"{one.entrant.name}, seed {one.number}: {ended}, {count} of {len(waiting)}, about {left:.0f} s left")


def _seconds_in_search(entrant: Entrant) -> float:
    return max(entrant.trial.evaluation.seconds if entrant.trial.evaluation else 0.0, 1e-3)


def _leave(choice: Choice, plan: Plan, study: Study) -> None:
    """Writes the blend that is asked for, and removes weights that nothing needs any more."""
    path = plan.folder / BLEND_FILE
    members = choice.blend_members
    if plan.is_blended:
        files = [(plan.folder / f"{one.entrant.slug}.yaml", one.weights) for one in members]
        write_blend(path, files, provenance={"study": study.name, "uid": study.record.uid})
    elif path.exists():
        return
    for one in choice.entrants:
        for lesson in one.lessons:
            if not plan.is_blended or lesson not in members:
                lesson.weights.unlink(missing_ok=True)
