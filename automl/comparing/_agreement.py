"""How well the order of a method's supernet agrees with that of training from scratch, in one seed of a comparison.

Compared are candidates that the studies of the seed trained from scratch anyway: the method's own read-out, and those
that were drawn at random. Scores come from the weights that the run has left.

The ceiling is what noise alone allows (see `fidelity.Labels`). Noise of a training from scratch is taken from finals,
where each model is trained under several seeds. The supernet is one and its scores repeat exactly: the order meant is
its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from automl._checkpoint import Checkpoint
from automl._files import write_text
from automl._method import ScoresCandidates
from automl._method_stage import checkpoint_folder
from automl.comparing._ran import Ran
from automl.fidelity import Labels, agreement, resamples
from evaluators import Trial

FEWEST = 6
RESAMPLES = 1000
LEVEL = 0.9
RANDOM = "random"
"""Origin of candidates that a searcher drew without a model."""

MOST_RANDOM = 100
"""Of them that are scored: beyond that the interval of tau hardly narrows, and each score costs a pass over rows."""


def opinions_of(ran: Ran, of_seed: Sequence[Ran], folder: Path) -> dict[str, float | None]:
    """Scores by fingerprint of everything that the studies of a seed trained from scratch; empty for a searcher.

    They are kept in the folder, and the weights go: a supernet takes gigabytes, and a comparison has one for each
    method and seed; what the run has used and ended at stays. None are told where the weights are gone already.
    """
    path = folder / "scores" / f"{ran.study.name}.json"
    known: dict[str, float | None] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    method = ran.study.wiring.method
    if not isinstance(method, ScoresCandidates):
        return known
    checkpoint = Checkpoint(checkpoint_folder(ran.study.record.uid))
    if checkpoint.kept() is None:
        return known
    trained = {one.candidate.fingerprint: one.candidate for one in compared(ran, of_seed)}
    missing = [one for name, one in trained.items() if name not in known]
    if missing:
        scores = method.scores(checkpoint, missing)
        known |= {one.fingerprint: score for one, score in zip(missing, scores, strict=True)}
        write_text(path, json.dumps(known, indent=2) + "\n")
    checkpoint.release()
    return known


def why_silent(ran: Ran) -> str | None:
    """Why a method has no opinions; None where it has some, or is a searcher."""
    if ran.entry.kind != "method" or ran.opinions:
        return None
    if not isinstance(ran.study.wiring.method, ScoresCandidates):
        return "the method does not say what it thinks of candidates (`scores`)"
    return "the weights of its run were gone before it was asked: it ended elsewhere, or outside the comparison"


def compared(ran: Ran, of_seed: Sequence[Ran]) -> list[Trial]:
    """One trial of each candidate: what the method has read out, then the first that others drew at random."""
    found = {one.candidate.fingerprint: one for one in reversed(ran.full_trainings)}
    drawn = (one for other in of_seed for one in other.full_trainings if one.suggestion.origin == RANDOM)
    most = len(found) + MOST_RANDOM
    for trial in drawn:
        if len(found) < most:
            found.setdefault(trial.candidate.fingerprint, trial)
    return list(found.values())


def agreement_of(
    trials: Sequence[Trial], opinions: Mapping[str, float | None], *, metric: str, noise: float, seed: int
) -> dict[str, Any]:
    """Kendall's tau with its interval and ceiling, JSON types; without enough candidates only why there is none."""
    pairs = [
        (score, value)
        for one in trials
        if (score := opinions.get(one.candidate.fingerprint)) is not None and (value := one.value(metric)) is not None
    ]
    if len(pairs) < FEWEST:
        reason = f"an order needs at least {FEWEST} candidates that both know, and there are {len(pairs)}"
        return {"candidates": len(pairs), "reason": reason}
    scores, values = (np.array(one, np.float64)[:, None] for one in zip(*pairs, strict=True))
    supernet = Labels(scores, np.zeros_like(scores))
    scratch = Labels(values, np.zeros_like(values), between=noise**2)
    drawn = resamples(supernet, scratch, count=RESAMPLES, rng=np.random.default_rng(seed))
    found = agreement(supernet, scratch, drawn, confidence=LEVEL)
    return {**asdict(found), "share": found.share, "noise": noise, "level": LEVEL}
