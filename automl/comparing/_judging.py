"""What the methods of a seed think of candidates that were trained from scratch, before their weights go."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from automl._checkpoint import Checkpoint
from automl._files import write_text
from automl._method import ScoresCandidates
from automl._method_stage import checkpoint_folder
from automl.comparing._agreement import Judged, spread
from automl.comparing._ran import Ran
from automl.comparing._scratch import Scratch, random_sample
from automl.control import quality_objective
from evaluators import Goal
from searchspaces import Candidate

RANDOM = "random"
"""Origin of candidates that a searcher drew without a model."""

MOST_RANDOM = 100
"""Of them that are scored: beyond that the interval of tau hardly narrows, and each score costs a pass over rows."""

FIRST, SECOND = 0, 1
"""Replicates: that of trainings in a search, and another one."""


@dataclass(frozen=True)
class Diagnosis:
    """What is trained beside the studies: `random` candidates are drawn where studies have not drawn so many.

    `twice` of the candidates that a method is judged by are trained in a second replicate.
    """

    random: int = 16
    twice: int = 8


@dataclass(frozen=True)
class Trained:
    """A candidate and its loss from scratch."""

    candidate: Candidate
    loss: float


def judged(of_seed: Sequence[Ran], folder: Path, asked: Diagnosis) -> list[Ran]:
    """The same with opinions, and with what beside was trained for them: nothing where no method has any."""
    if not any(_can_tell(one, folder) for one in of_seed):
        return list(of_seed)
    first = of_seed[0]
    metric = quality_objective(first.study.objectives).metric
    scratch = Scratch(first.study.wiring.evaluator, metric, folder / "scratch" / f"seed-{first.seed}.json")
    drawn = _drawn(of_seed, scratch, asked)
    found = [_judged(one, drawn, folder, scratch, asked) for one in of_seed]
    used = {"trainings": scratch.trainings, "rows": scratch.rows, "seconds": round(scratch.seconds, 2)}
    return [replace(found[0], diagnosis=used), *found[1:]]


def why_silent(ran: Ran) -> str | None:
    """Why a method has no opinions; None where it has some, or is a searcher."""
    if ran.entry.kind != "method" or any(one.opinion is not None for one in ran.judged):
        return None
    if not isinstance(ran.study.wiring.method, ScoresCandidates):
        return "the method does not say what it thinks of candidates (`scores`)"
    return "the weights of its run were gone before it was asked: it ended elsewhere, or outside the comparison"


def _drawn(of_seed: Sequence[Ran], scratch: Scratch, asked: Diagnosis) -> dict[str, Trained]:
    """What was drawn at random, by fingerprint: by the studies of the seed, and where that is too few, here."""
    found: dict[str, Trained] = {}
    for ran in of_seed:
        found |= {name: one for name, one in _trained(ran, origin=RANDOM).items() if name not in found}
    read_out = {name for ran in of_seed if ran.entry.kind == "method" for name in _trained(ran)}
    missing = asked.random - len(found.keys() - read_out)
    if missing > 0:
        first = of_seed[0]
        known = found.keys() | read_out
        sample = random_sample(first.study.wiring.space, asked.random + len(known), seed=first.seed)
        new = [one for one in sample if one.fingerprint not in known][:missing]
        losses = _losses(first, scratch.values(new, replicate=FIRST))
        found |= {one.fingerprint: Trained(one, losses[one.fingerprint]) for one in new if one.fingerprint in losses}
    return found


def _judged(ran: Ran, drawn: Mapping[str, Trained], folder: Path, scratch: Scratch, asked: Diagnosis) -> Ran:
    own = _trained(ran)
    others = {name: one for name, one in drawn.items() if name not in own}
    compared = {**own, **dict(islice(others.items(), MOST_RANDOM))}
    opinions = opinions_of(ran, [one.candidate for one in compared.values()], folder)
    if not opinions:
        return ran
    found = [Judged(name, name in own, one.loss, opinions.get(name)) for name, one in compared.items()]
    chosen = [compared[one.fingerprint].candidate for one in spread(found, asked.twice)]
    again = _losses(ran, scratch.values(chosen, replicate=SECOND))
    return replace(ran, judged=tuple(replace(one, again=again.get(one.fingerprint)) for one in found))


def opinions_of(ran: Ran, candidates: Sequence[Candidate], folder: Path) -> dict[str, float | None]:
    """Scores by fingerprint; empty for a searcher.

    They are kept in the folder, and the weights go: a supernet takes gigabytes, and a comparison has one for each
    method and seed; what the run has used and ended at stays. None are told where the weights are gone already.
    """
    path = _scores_file(ran, folder)
    known: dict[str, float | None] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    method = ran.study.wiring.method
    if not isinstance(method, ScoresCandidates):
        return known
    checkpoint = _checkpoint(ran)
    if checkpoint.kept() is None:
        return known
    missing = [one for one in candidates if one.fingerprint not in known]
    if missing:
        scores = method.scores(checkpoint, missing)
        known |= {one.fingerprint: score for one, score in zip(missing, scores, strict=True)}
        write_text(path, json.dumps(known, indent=2) + "\n")
    checkpoint.release()
    return known


def _can_tell(ran: Ran, folder: Path) -> bool:
    """Whether its method has weights to score with, or has scored before."""
    if not isinstance(ran.study.wiring.method, ScoresCandidates):
        return False
    return _scores_file(ran, folder).exists() or _checkpoint(ran).kept() is not None


def _checkpoint(ran: Ran) -> Checkpoint:
    return Checkpoint(checkpoint_folder(ran.study.record.uid))


def _scores_file(ran: Ran, folder: Path) -> Path:
    return folder / "scores" / f"{ran.study.name}.json"


def _trained(ran: Ran, *, origin: str | None = None) -> dict[str, Trained]:
    """The first full training of each candidate of a study, or of those of an origin."""
    metric = quality_objective(ran.study.objectives).metric
    trials = [one for one in ran.full_trainings if origin in (None, one.suggestion.origin)]
    trials = [one for one in trials if one.suggestion.replicate == FIRST]
    values = {one.candidate.fingerprint: one.value(metric) for one in reversed(trials)}
    losses = _losses(ran, {name: value for name, value in values.items() if value is not None})
    candidates = {one.candidate.fingerprint: one.candidate for one in trials}
    return {name: Trained(one, losses[name]) for name, one in candidates.items() if name in losses}


def _losses(ran: Ran, values: Mapping[str, float]) -> dict[str, float]:
    """Qualities with a sign by which less is better."""
    sign = 1.0 if quality_objective(ran.study.objectives).goal is Goal.MINIMIZE else -1.0
    return {name: sign * value for name, value in values.items()}
