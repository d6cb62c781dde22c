"""What finals found, as JSON types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from automl.finals._choice import Choice, Trained, mean_logits, metrics_of, ne_of
from automl.finals._comparisons import crossed
from automl.finals._held_out import HeldOut
from automl.finals._periods import Periods, means_by_period, periods, whole
from automl.finals._standings import COMPARED, Standings, compare_baselines, standings_sentence
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
    seeds = len(choice.entrants[0].lessons)
    verdict: Verdict | Standings
    if choice.finalists:
        verdict = judge(list(scores.values()), cut.weights, margin_percent=margin_percent)
        told = _verdict(verdict, sentence(verdict, seeds=seeds, days=len(cut.weights)))
    else:
        verdict = compare_baselines(list(scores.values()), cut.weights, margin_percent=margin_percent)
        told = _standings(verdict, standings_sentence(verdict, seeds=seeds, days=len(cut.weights)))
    return {
        "seeds": seeds,
        "test_cut": cut.words,
        "verdict": told,
        "entrants": [_entrant(one, choice, test, scores, verdict, cut) for one in choice.entrants],
        "among_finalists": [
            {"one": one, "other": other, **_judged(judged)}
            for (one, other), judged in compare_finalists(list(scores.values()), cut.weights).items()
        ],
        "averages": _averages(choice, test),
        "pair": None if choice.finalists or choice.pair is None else _pair(choice.pair, choice, test),
        "failed": [{"name": one.name, "reason": one.failure} for one in choice.failed],
    }


def _scores(one: Trained, choice: Choice, test: HeldOut, cut: Periods) -> Scores:
    unit = entropy(float(test.labels.mean()))
    by_seed = [means_by_period(row_losses(lesson.logits("test"), test.labels), cut) / unit for lesson in one.lessons]
    valid = np.array([choice.valid[lesson]["ne"] for lesson in one.lessons])
    return Scores(one.name, one.is_baseline, valid, np.array(by_seed))


def _entrant(
    one: Trained,
    choice: Choice,
    test: HeldOut,
    scores: Mapping[str, Scores],
    verdict: Verdict | Standings,
    cut: Periods,
) -> Json:
    entrant, recipe = one.lessons[0].entrant, one.lessons[0].recipe
    by_seed = [_seed_row(number, one, choice, test) for number in range(len(one.lessons))]
    summary = spread([{name: value for name, value in row.items() if name != "seed"} for row in by_seed])
    difference = _against(scores[one.name], scores[verdict.reference], verdict, cut)
    return {
        "name": one.name,
        "kind": "baseline" if one.is_baseline else "finalist",
        "trial": entrant.trial.number,
        "fingerprint": entrant.trial.candidate.fingerprint,
        "params": one.lessons[0].facts["params"],
        "macs": recipe.macs,
        **({} if entrant.home is None else {"study": {"name": entrant.home.name, "uid": entrant.home.uid}}),
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


def _against(one: Scores, reference: Scores, verdict: Verdict | Standings, cut: Periods) -> Json | None:
    """The difference to the reference; beside finalists only their p values are corrected, as only they are claims."""
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


def _standings(found: Standings, told: str) -> Json:
    """In the form of a verdict; nobody is chosen, and each baseline has its relation to the reference."""
    return {
        "kind": COMPARED,
        "sentence": told,
        "chosen": None,
        "reference": found.reference,
        "margin_percent": found.margin_percent,
        "family": found.family,
        "against": {
            name: {"relation": found.relations[name].value, **_judged(one)} for name, one in found.against.items()
        },
    }


def _pair(pair: tuple[Trained, Trained], choice: Choice, test: HeldOut) -> Json:
    """One training of each averaged, seed by seed: what a user gets who keeps two models."""
    labels = {"valid": choice.labels, "test": test.labels}
    by_seed = [
        {f"{part}_ne": ne_of(mean_logits(members, part), labels[part]) for part in labels}
        for members in zip(*(one.lessons for one in pair), strict=True)
    ]
    return {"names": [one.name for one in pair], **spread(by_seed)}


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
