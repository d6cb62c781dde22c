"""What a trainer gives back: one small JSON document with metrics, or with the reason why there are none.

    {"metrics": {"ne": 0.81, "auc": [0.74, 0.002]},      a number, or [number, standard error]
     "curve": [[10000, {"ne": 0.9}], ...],               optional: training rows seen, and metrics there
     "seconds": 12.5}                                    optional: instead of the time between start and end
    {"failure": {"kind": "diverged", "reason": "..."}}   instead of metrics
    {"ne": 0.81, "auc": 0.74}                            metrics alone

A number that is not finite makes the trial a failure (diverged).
"""

from __future__ import annotations

import json
import math
import os
import re
import reprlib
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from evaluators._errors import DivergedError, ProtocolError
from evaluators._evaluation import Evaluation, Failure, FailureKind, Metric, Point
from evaluators._external.text import one_line
from evaluators._objective import Objective
from searchspaces import did_you_mean

MAX_BYTES = 1_000_000
KEYS = ("metrics", "curve", "failure", "seconds")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_./:-]{0,99}")


def read_metrics(path: Path) -> Evaluation | Failure:
    """Reads a document that a trainer has written to a file of its own.

    Raises:
        ProtocolError: there is no such file, or it breaks a rule of the format.
    """
    try:
        # not blocking: a named pipe in the file's place must not hold the driver
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        raise ProtocolError("it wrote no metrics: a trainer writes the file that {metrics} names") from None
    except OSError as error:
        raise ProtocolError(f"its metrics cannot be read ({error.strerror})") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ProtocolError("its metrics must be a plain file, but are something else")
    with os.fdopen(descriptor, "rb") as stream:
        return parse_metrics(stream.read(MAX_BYTES + 1))


def parse_metrics(text: bytes) -> Evaluation | Failure:
    """What a document says.

    Raises:
        ProtocolError: it is too large, no JSON, or breaks a rule of the format.
    """
    content = _object(text)
    if "metrics" not in content and "failure" not in content:
        content = _without_envelope(content)
    unknown = [key for key in content if key not in KEYS]
    if unknown:
        raise ProtocolError(f"unknown key {reprlib.repr(unknown[0])}; {did_you_mean(unknown[0][:50], KEYS)}")
    if "failure" in content:
        return _failure(content)
    try:
        return _evaluation(content)
    except DivergedError as error:
        return Failure(FailureKind.DIVERGED, str(error))


def completed(evaluation: Evaluation, objectives: Sequence[Objective], costs: Mapping[str, Metric]) -> Evaluation:
    """The same evaluation, with the costs that the trainer did not tell itself.

    Raises:
        ProtocolError: an objective's metric is missing.
    """
    metrics = {**costs, **evaluation.metrics}
    missing = [one.metric for one in objectives if one.metric not in metrics]
    if missing:
        raise ProtocolError(
            f"every objective needs its metric, but {', '.join(missing)} is missing; "
            f"there are {', '.join(sorted(metrics)) or 'none'}"
        )
    return replace(evaluation, metrics=metrics)


def _object(text: bytes) -> dict[str, Any]:
    if len(text) > MAX_BYTES:
        raise ProtocolError(
            f"metrics take at most {MAX_BYTES} bytes, but there are more; leave out points of the curve"
        )
    if not text.strip():
        raise ProtocolError("metrics must be a JSON object, but the file is empty")
    try:
        content = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"metrics must be JSON, but these are not ({one_line(str(error), 100)})") from error
    if not isinstance(content, dict):
        raise ProtocolError(f"metrics must be a JSON object, but are {reprlib.repr(content)}")
    return content


def _without_envelope(content: dict[str, Any]) -> dict[str, Any]:
    mixed = [key for key in KEYS if key in content]
    if mixed:
        raise ProtocolError(f'beside {mixed[0]!r} the metrics stand under a key of their own, {{"metrics": {{...}}}}')
    return {"metrics": content}


def _failure(content: Mapping[str, Any]) -> Failure:
    told = content["failure"]
    if "metrics" in content:
        raise ProtocolError("a trial has metrics or a failure, but this one has both")
    kinds = tuple(kind.value for kind in FailureKind)
    if not isinstance(told, dict) or not isinstance(told.get("reason"), str) or set(told) != {"kind", "reason"}:
        raise ProtocolError(
            f'a failure looks like {{"kind": "crashed", "reason": "..."}}, but is {reprlib.repr(told)} '
            f"(kinds: {', '.join(kinds)})"
        )
    if told["kind"] not in kinds:
        raise ProtocolError(
            f"no kind of failure {reprlib.repr(told['kind'])}; {did_you_mean(str(told['kind'])[:50], kinds)}"
        )
    return Failure(FailureKind(told["kind"]), one_line(told["reason"]) or "it gave no reason", _seconds(content))


def _evaluation(content: Mapping[str, Any]) -> Evaluation:
    told = content["metrics"]
    if not isinstance(told, dict) or not told:
        raise ProtocolError(f'metrics look like {{"ne": 0.81, "auc": [0.74, 0.002]}}, but are {reprlib.repr(told)}')
    metrics = {_name(name): _metric(name, value) for name, value in told.items()}
    return Evaluation(metrics, tuple(_curve(content.get("curve"))), seconds=_seconds(content))


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ProtocolError(
            "a metric's name has up to 100 letters, digits and _ . / : -, a letter first, "
            f"but one is {reprlib.repr(name)}"
        )
    return name


def _metric(name: str, told: object) -> Metric:
    value, stderr = told if isinstance(told, list) and len(told) == 2 else (told, None)
    number = _number(value, f"metric {name!r}")
    if stderr is None:
        return Metric(number)
    error = _number(stderr, f"the standard error of {name!r}")
    if error < 0:
        raise ProtocolError(f"a standard error is zero or more, but that of {name!r} is {error:g}")
    return Metric(number, error)


def _number(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ProtocolError(f"{what} must be a number, or [number, standard error], but is {reprlib.repr(value)}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise DivergedError(f"{what} is {number}, which is no finite number")
    return number


def _curve(told: object) -> Iterator[Point]:
    if told is None:
        return
    if not isinstance(told, list):
        raise ProtocolError(f"a curve is a list of [rows, {{metric: value}}], but is {reprlib.repr(told)}")
    before = 0
    for point in told:
        if (
            not isinstance(point, list)
            or len(point) != 2
            or type(point[0]) is not int
            or not isinstance(point[1], dict)
        ):
            raise ProtocolError(f"a point of a curve is [rows, {{metric: value}}], but one is {reprlib.repr(point)}")
        rows, metrics = point
        if not before < rows < 2**53:
            raise ProtocolError(
                f"the rows of a curve grow from point to point, but {reprlib.repr(rows)} follows {before}"
            )
        before = rows
        yield Point(rows, {_name(name): _number(value, f"{name} at row {rows}") for name, value in metrics.items()})


def _seconds(content: Mapping[str, Any]) -> float:
    told = content.get("seconds", 0.0)
    try:
        seconds = _number(told, "'seconds'")
    except DivergedError:
        seconds = -1.0
    if seconds < 0:
        raise ProtocolError(f"'seconds' is a number of zero or more, but is {reprlib.repr(told)}")
    return seconds
