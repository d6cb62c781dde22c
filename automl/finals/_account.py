"""What finals found, as JSON types and as rows for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from automl.finals._choice import Choice, Trained, mean_logits, metrics_of, ne_of
from automl.finals._comparisons import crossed
from automl.finals._held_out import HeldOut
from automl.finals._periods import Periods, means_by_period, periods, whole
from automl.finals._verdicts import Judged, Scores, Verdict, compare_finalists, judge, sentence
from automl.training import spread
from evaluators._training.metrics import entropy, row_losses

Json = dict[str, Any]


def account(choice: Choice, test: HeldOut, *, is_daily: bool, margin_percent: float) -> Json:
    """Everything that was measured and the verdict on it, JSON types only.

    Raises:
        StudyError: there is nothing to compare.
    """
    rows = len(test.labels)
    cut = periods(rows, test.time) if is_daily else whole(rows)
    scores = {one.name: _scores(one, choice, test, cut) for one in choice.entrants}
    verdict = judge(list(scores.values()), cut.weights, margin_percent=margin_percent)
    seeds = len(choice.entrants[0].lessons)
    return {
        "seeds": seeds,
        "test_cut": cut.words,
        "verdict": _verdict(verdict, sentence(verdict, seeds=seeds, days=len(cut.weights))),
        "entrants": [_entrant(one, choice, test, scores, verdict, cut) for one in choice.entrants],
        "among_finalists": [
            {"one": one, "other": other, **_judged(judged)}
            for (one, other), judged in compare_finalists(list(scores.values()), cut.weights).items()
        ],
        "averages": _averages(choice, test),
        "failed": [{"name": one.name, "reason": one.failure} for one in choice.failed],
    }


def table_rows(found: Mapping[str, Any]) -> list[Json]:
    """A row for each entrant, best mean valid NE first, as text."""
    return [
        {
            "model": one["name"],
            "kind": one["kind"],
            "valid NE": _with_spread(one["valid_ne"]),
            "test NE": _with_spread(one["test_ne"]),
            "test AUC": _with_spread(one["test_auc"]),
            "against the reference, 95 %": _difference(one["against_reference"]),
            "p, corrected": _p(one["against_reference"]),
            "test NE, seeds averaged": f"{one['average']['test_ne']:.4f}",
        }
        for one in found["entrants"]
    ]


def lines(found: Mapping[str, Any]) -> list[str]:
    """What a table cannot say: the verdict, what averaging gains, who failed, how the test part was cut."""
    chosen = next(one for one in found["entrants"] if one["name"] == found["verdict"]["chosen"])
    blend = next(one for one in found["averages"] if one["is_blend"])
    told = [
        found["verdict"]["sentence"],
        f"reference: {found['verdict']['reference']}, chosen on valid like the finalist; errors are over "
        f"{found['seeds']} seeds and {found['test_cut']}",
        f"averaging {found['seeds']} seeds of {chosen['name']} gains {_gain(chosen['average'], chosen):.2f} % of NE",
        f"averaging {' and '.join(blend['names'])} with all seeds ({blend['members']} models, chosen on valid) gains "
        f"{_gain(blend, chosen):.2f} % and has a test NE of {blend['test_ne']:.4f}; the noise of an average is not "
        "measured",
    ]
    return told + [f"{one['name']} left the finals: {one['reason']}" for one in found["failed"]]


def _scores(one: Trained, choice: Choice, test: HeldOut, cut: Periods) -> Scores:
    unit = entropy(float(test.labels.mean()))
    by_seed = [means_by_period(row_losses(lesson.logits("test"), test.labels), cut) / unit for lesson in one.lessons]
    valid = np.array([choice.valid[lesson]["ne"] for lesson in one.lessons])
    return Scores(one.name, one.is_baseline, valid, np.array(by_seed))


def _entrant(
    one: Trained, choice: Choice, test: HeldOut, scores: Mapping[str, Scores], verdict: Verdict, cut: Periods
) -> Json:
    entrant, winner = one.lessons[0].entrant, one.lessons[0].winner
    by_seed = [_seed_row(number, one, choice, test) for number in range(len(one.lessons))]
    summary = spread([{name: value for name, value in row.items() if name != "seed"} for row in by_seed])
    difference = _against(scores[one.name], scores[verdict.reference], verdict, cut)
    return {
        "name": one.name,
        "kind": "baseline" if one.is_baseline else "finalist",
        "trial": entrant.trial.number,
        "fingerprint": entrant.trial.candidate.fingerprint,
        "params": one.lessons[0].facts["params"],
        "macs": winner.macs,
        **summary,
        "against_reference": difference,
        "average": {
            part: ne_of(mean_logits(one.lessons, name), labels)
            for part, name, labels in (("valid_ne", "valid", choice.labels), ("test_ne", "test", test.labels))
        },
        "by_seed": by_seed,
    }


def _seed_row(number: int, one: Trained, choice: Choice, test: HeldOut) -> Json:
    lesson = one.lessons[number]
    tested = metrics_of(lesson, "test", test.labels)
    return {
        "seed": lesson.seed,
        **{f"valid_{name}": value for name, value in choice.valid[lesson].items()},
        **{f"test_{name}": value for name, value in tested.items()},
        "seconds": round(lesson.facts["seconds"], 2),
    }


def _against(one: Scores, reference: Scores, verdict: Verdict, cut: Periods) -> Json | None:
    """The difference to the reference; only the finalists' p values are corrected, as only they are claims."""
    if one.name == reference.name:
        return None
    if one.name in verdict.against:
        return _judged(verdict.against[one.name])
    ne = float((reference.test @ cut.weights).mean())
    judged = Judged(crossed(one.test - reference.test, cut.weights), 1.0, ne)
    return {**_judged(judged), "adjusted_p": None}


def _judged(judged: Judged) -> Json:
    comparison = judged.comparison
    return {
        "difference": comparison.effect,
        "interval": list(comparison.interval()),
        "percent": judged.percent,
        "percent_interval": list(judged.percent_interval),
        "stderr": comparison.stderr,
        "freedom": comparison.freedom,
        "p": comparison.p_value,
        "adjusted_p": judged.adjusted_p,
    }


def _verdict(verdict: Verdict, told: str) -> Json:
    return {
        "kind": verdict.kind.value,
        "sentence": told,
        "chosen": verdict.chosen,
        "reference": verdict.reference,
        "margin_percent": verdict.margin_percent,
        "family": verdict.family,
        **_judged(verdict.judged),
    }


def _averages(choice: Choice, test: HeldOut) -> list[Json]:
    return [
        {
            "names": list(one.names),
            "members": len(one.members),
            "valid_ne": one.valid_ne,
            "test_ne": ne_of(mean_logits(one.members, "test"), test.labels),
            "is_blend": one is choice.blend,
        }
        for one in choice.averages
    ]


def _gain(average: Mapping[str, Any], single: Mapping[str, Any]) -> float:
    mean = float(single["test_ne"]["mean"])
    return 100.0 * (mean - float(average["test_ne"])) / mean


def _with_spread(summary: Mapping[str, float]) -> str:
    return f"{summary['mean']:.4f} ± {summary['sd']:.4f}"


def _difference(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "(reference)"
    low, high = found["percent_interval"]
    return f"{found['percent']:+.2f} % ({low:+.2f} to {high:+.2f})"


def _p(found: Mapping[str, Any] | None) -> str:
    return "-" if found is None or found["adjusted_p"] is None else f"{found['adjusted_p']:.2g}"
