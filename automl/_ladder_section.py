"""What may be wrong with the `fidelity` section of a configuration, beyond the shape of its keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from automl.fidelity import PROMOTIONS, Promotion
from evaluators import EvaluatorError
from evaluators._training.settings import NAMES, TrainingSettings
from searchspaces import CandidateError, Options, did_you_mean

TRAINING = "train"
"""The evaluator whose settings are known here; another one says itself what it cannot use."""


def ladder_mistakes(content: Mapping[str, Any]) -> list[str]:
    """One line each, with the key that it belongs to; what the schema tells of is left to it."""
    section = content.get("fidelity")
    if not isinstance(section, Mapping):
        return []
    rungs = _rungs(section)
    evaluator = content.get("evaluator")
    name = evaluator.get("name", TRAINING) if isinstance(evaluator, Mapping) else TRAINING
    wrong = [
        text for at, rung in rungs for text in _rung_mistakes(f"fidelity.rungs.{at}", rung, is_trained=name == TRAINING)
    ]
    return [*wrong, *_repeated(rungs), *_promotion_mistakes(section), *_step_mistakes(section)]


def _rungs(section: Mapping[str, Any]) -> list[tuple[int, Mapping[str, Any]]]:
    rungs = section.get("rungs")
    listed = rungs if isinstance(rungs, list | tuple) else ()
    return [(at, rung) for at, rung in enumerate(listed) if isinstance(rung, Mapping)]


def _rung_mistakes(where: str, rung: Mapping[str, Any], *, is_trained: bool) -> Iterator[str]:
    for key, value in rung.items():
        if is_trained and key not in NAMES:
            yield f"{where}.{key}: no training setting; {did_you_mean(str(key), NAMES)}"
            continue
        try:
            Options({str(key): value})
            if is_trained:
                TrainingSettings(**{key: value})
        except (CandidateError, EvaluatorError) as error:
            yield f"{where}.{key}: {error}"


def _repeated(rungs: list[tuple[int, Mapping[str, Any]]]) -> Iterator[str]:
    for (_, lower), (at, upper) in pairwise(rungs):
        if lower == upper:
            yield f"fidelity.rungs.{at}: each rung differs from the one before, but this one repeats it; leave out one"


def _promotion_mistakes(section: Mapping[str, Any]) -> Iterator[str]:
    promotion = section.get("promotion")
    if not isinstance(promotion, Mapping):
        return
    name = promotion.get("name", Promotion.name)
    if isinstance(name, str) and name not in PROMOTIONS:
        yield f"fidelity.promotion.name: no promotion {name!r}; {did_you_mean(name, tuple(PROMOTIONS))}"


def _step_mistakes(section: Mapping[str, Any]) -> Iterator[str]:
    audit = section.get("audit")
    steps = audit.get("steps") if isinstance(audit, Mapping) else None
    if not isinstance(steps, list | tuple) or not all(type(one) is int for one in steps):
        return
    if any(later <= earlier for earlier, later in pairwise(steps)):
        yield f"fidelity.audit.steps: each look needs more candidates than the one before, but they are {list(steps)}"
