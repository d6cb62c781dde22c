"""What a trainer may write, and what becomes of everything else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators import Evaluation, Failure, FailureKind, Metric, Objective, Point, ProtocolError
from evaluators._external.metrics_document import completed, parse_metrics

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)
KEYED = st.dictionaries(st.sampled_from(["metrics", "curve", "failure", "seconds", "ne", "kind", "reason"]), JSON)


def parse(content: object) -> Evaluation | Failure:
    """What the content says, written as JSON."""
    return parse_metrics(json.dumps(content).encode())


def test_the_whole_form_is_read() -> None:
    content = {"metrics": {"ne": [0.8, 0.01], "x/y": 1}, "curve": [[10, {"ne": 0.9}], [20, {}]], "seconds": 3}
    curve = (Point(10, {"ne": 0.9}), Point(20, {}))
    assert parse(content) == Evaluation({"ne": Metric(0.8, 0.01), "x/y": Metric(1.0)}, curve, seconds=3.0)


def test_metrics_alone_are_read() -> None:
    assert parse_metrics(b'\xef\xbb\xbf {"ne": 0.8, "auc": [0.7, null]}') == Evaluation(
        {"ne": Metric(0.8), "auc": Metric(0.7)}
    )


def test_a_failure_is_read_in_one_line() -> None:
    assert parse({"failure": {"kind": "timeout", "reason": "a\nb\ud800"}}) == Failure(FailureKind.TIMEOUT, "a b")


@pytest.mark.parametrize(
    "text",
    ['{"ne": NaN}', '{"ne": 1e999}', '{"ne": [0.1, Infinity]}', '{"metrics": {"ne": 1}, "curve": [[1, {"l": NaN}]]}'],
)
def test_what_is_not_finite_has_diverged(text: str) -> None:
    outcome = parse_metrics(text.encode())
    assert isinstance(outcome, Failure)
    assert (outcome.kind, "which is no finite number" in outcome.reason) == (FailureKind.DIVERGED, True)


def test_an_integer_beyond_all_floats_has_diverged() -> None:
    outcome = parse_metrics(b'{"ne": 1' + b"0" * 400 + b"}")
    assert isinstance(outcome, Failure)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, r'metrics look like {"ne": 0.81, "auc": \[0.74, 0.002\]}, but are {}'),
        ({"metrics": [1]}, r"but are \[1\]"),
        ({"metrics": {"ne": 1}, "curv": []}, "unknown key 'curv'; did you mean 'curve'"),
        ({"ne": 0.8, "seconds": 3}, "beside 'seconds' the metrics stand under a key of their own"),
        ({"ne": "0.8"}, r"metric 'ne' must be a number, or .*, but is '0.8'"),
        ({"ne": True}, r"metric 'ne' must be a number, or .*, but is True"),
        ({"ne": [1, 2, 3]}, r"metric 'ne' must be a number"),
        ({"ne": [1, -2]}, "a standard error is zero or more, but that of 'ne' is -2"),
        ({"n e": 1}, r"a metric's name has up to 100 letters, digits .*, but one is 'n e'"),
        ({"metrics": {"ne": 1}, "curve": 3}, r"a curve is a list of \[rows, {metric: value}\], but is 3"),
        ({"metrics": {"ne": 1}, "curve": [[1.5, {}]]}, r"a point of a curve is .*, but one is \[1.5, {}\]"),
        ({"metrics": {"ne": 1}, "curve": [[5, {}], [5, {}]]}, "grow from point to point, but 5 follows 5"),
        ({"metrics": {"ne": 1}, "seconds": -1}, "'seconds' is a number of zero or more, but is -1"),
        ({"failure": "lost"}, r"a failure looks like .*, but is 'lost'"),
        ({"failure": {"kind": "lost", "reason": ""}}, "no kind of failure 'lost'"),
        (
            {"failure": {"kind": "crashed", "reason": ""}, "metrics": {}},
            "has metrics or a failure, but this one has both",
        ),
        ([1], r"must be a JSON object, but are \[1\]"),
    ],
)
def test_a_broken_rule_is_told_with_the_value(content: Any, message: str) -> None:
    with pytest.raises(ProtocolError, match=message):
        parse(content)


@pytest.mark.parametrize(
    "text", [b"", b" \n", b'{"ne": 0.', b"\xff\xfe", b"[" * 100_000, b'{"ne": ' + b"1" * 5000 + b"}"]
)
def test_what_is_no_json_is_told(text: bytes) -> None:
    with pytest.raises(ProtocolError, match="metrics must be"):
        parse_metrics(text)


def test_too_much_is_told() -> None:
    with pytest.raises(ProtocolError, match="metrics take at most 1000000 bytes, but there are more"):
        parse_metrics(b" " * 1_000_001)


def said_of(text: bytes) -> str:
    """What is kept of a document: its evaluation, its failure, or the rule that it breaks."""
    try:
        outcome = parse_metrics(text)
    except ProtocolError as error:
        return str(error)
    if isinstance(outcome, Failure):
        return outcome.reason
    return json.dumps(outcome.to_dict(), allow_nan=False)


@given(JSON | KEYED)
def test_any_json_gives_an_outcome_or_a_short_rule(content: object) -> None:
    assert len(said_of(json.dumps(content).encode()).encode()) < 2000


@given(st.binary(max_size=200))
def test_any_bytes_give_an_outcome_or_a_short_rule(text: bytes) -> None:
    assert len(said_of(text).encode()) < 2000


def test_costs_are_filled_in_and_do_not_replace() -> None:
    told = Evaluation({"ne": Metric(0.8), "flops": Metric(1.0)})
    filled = completed(told, [Objective("params")], {"flops": Metric(7.0), "params": Metric(2.0)})
    assert filled.metrics == {"ne": Metric(0.8), "flops": Metric(1.0), "params": Metric(2.0)}


def test_missing_objectives_are_all_named() -> None:
    with pytest.raises(ProtocolError, match="but auc, qps is missing; there are ne"):
        completed(Evaluation({"ne": Metric(0.8)}), [Objective("ne"), Objective("auc"), Objective("qps")], {})
