"""What of a candidate its quality hangs on: the architecture, its training, and the knobs that are not neutral."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from evaluators._distributed.knobs import NEUTRAL as NEUTRAL_OF_RUNS
from evaluators._errors import EvaluatorError
from searchspaces import Candidate, Decision, Options
from searchspaces.spaces._codesign_knobs import is_neutral as is_neutral_of_plans

PASSED_ON: Mapping[str, str] = MappingProxyType({"batch_size": "batch_size", "global_batch": "batch_size"})
"""Knobs that are settings of a training too, by the name of that setting."""

AS_TRAINED: Mapping[str, Any] = MappingProxyType(
    {
        "table_optimizer": "rowwise_adagrad",
        "groups": 1,
        "sync_interval": 1,
        "towers": 1,
        "compression": 1,
        **dict.fromkeys(
            ("dtype", "wire", "compute_dtype", "table_dtype", "forward_dtype", "backward_dtype", "all_reduce_dtype"),
            "fp32",
        ),
    }
)
"""Knobs that change what is learned and that no training can be told, with what every training has."""


def is_neutral(knob: str) -> bool:
    """Whether a knob is known to leave what is learned alone, by its slot among the system settings."""
    return knob in NEUTRAL_OF_RUNS or is_neutral_of_plans(knob)


def as_trained(candidate: Candidate, *, neglected: Collection[str] = ()) -> Candidate:
    """The candidate as its quality is measured: without system settings, those that a training takes among its own.

    Candidates that differ in neutral knobs alone are the same one here.

    Raises:
        EvaluatorError: a knob changes what is learned and has another value than every training, or a setting is
            decided twice.
    """
    wrong = [_untold(knob, value) for knob, value in candidate.system.items() if not _is_told(knob, value, neglected)]
    if wrong:
        raise EvaluatorError(
            f"quality is measured as a candidate would learn, but no training can be told {'; '.join(wrong)}; fix the "
            "knob, or name it under 'neglected'"
        )
    passed = training_of(candidate, neglected=neglected)
    twice = [name for name in passed if name in candidate.training]
    if twice:
        raise EvaluatorError(
            f"each setting is decided once, but {twice[0]!r} is among the training and the system settings; leave it "
            "out of one of them"
        )
    return Candidate(candidate.architecture, Options({**candidate.training, **passed}))


def training_of(candidate: Candidate, *, neglected: Collection[str] = ()) -> dict[str, Any]:
    """Settings of training that the system settings decide."""
    return {PASSED_ON[knob]: value for knob, value in candidate.system.items() if knob in {*PASSED_ON} - {*neglected}}


def check_choices(decisions: Iterable[Decision], *, neglected: Collection[str] = ()) -> None:
    """Looks through the knobs of a space before anything is measured.

    Raises:
        EvaluatorError: some have choices whose quality cannot be measured; the message says what to fix them at.
    """
    wrong: dict[str, list[Any]] = {}
    for one in decisions:
        is_possible = one.condition is None or one.condition.values
        if is_possible and not all(_is_told(one.slot, choice, neglected) for choice in one.choices):
            wrong[one.slot] = [AS_TRAINED[one.slot]] if one.slot in AS_TRAINED else []
    if wrong:
        fixed = {slot: values for slot, values in wrong.items() if values}
        raise EvaluatorError(
            f"quality is measured as a candidate would learn, but no training can be told {', '.join(wrong)}; fix them "
            f"in the system space, knobs: {fixed}, or name them under 'neglected' to measure without them"
        )


def _is_told(knob: str, value: object, neglected: Collection[str]) -> bool:
    if knob in neglected or knob in PASSED_ON or is_neutral(knob):
        return True
    return knob in AS_TRAINED and AS_TRAINED[knob] == value


def _untold(knob: str, value: object) -> str:
    known = f" (every training has {AS_TRAINED[knob]!r})" if knob in AS_TRAINED else ""
    return f"{knob} {value!r}{known}"
