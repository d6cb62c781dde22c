"""A comparison as tables and sentences, for the terminal and the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from automl.report._tables import Table

LEVEL = 0.05

Json = Mapping[str, Any]


def standing_table(found: Json) -> Table:
    """A row for each entry, best mean test NE first."""
    headings = ("entry", "seeds", "test NE", "gain over the reference", "FLOPs", "rows", "of training", "of scoring")
    rows = [
        (
            one["entry"],
            str(one["seeds"]),
            _spread(one["test_ne"], ".5f"),
            "" if one["percent"] is None else f"{-one['percent']['mean']:+.2f} %",
            _spread(one["flops"], ".3g"),
            _count(one["rows"]),
            _count(one["training_rows"]),
            _count(one["scoring_rows"]),
            _count(one["trials"]),
            _count(one["seconds"]),
        )
        for one in sorted(found["entries"], key=lambda one: one["test_ne"]["mean"])
    ]
    return Table((*headings, "trials", "seconds"), tuple(rows), 1)


def duel_table(found: Json) -> Table:
    """A row for each pair of entries in each score."""
    headings = ("first", "second", "score", "seeds", "mean", "its mean", "ratio", "95 %", "p", "p (Holm)", "A12")
    rows = [
        (
            one["searcher"],
            one["against"],
            one["score"],
            str(one["seeds"]),
            f"{one['mean']:.5g}",
            f"{one['other_mean']:.5g}",
            "" if one["ratio"] is None else f"{one['ratio']:.4f}",
            "" if one["ratio"] is None else f"{one['low']:.4f} to {one['high']:.4f}",
            f"{one['p_value']:.2g}",
            f"{one['p_holm']:.2g}",
            f"{one['a12']:.2f}",
        )
        for one in found["duels"]
    ]
    return Table(headings, tuple(rows), 3)


def agreement_table(found: Json) -> Table:
    """A row for each method that scores and each seed."""
    headings = ("method", "seed", "read out", "random", "tau", "90 %", "ceiling", "share")
    rows = [
        (
            one["entry"],
            str(one["seed"]),
            str(one["read_out"]),
            str(one["random"]),
            *_tau(one),
        )
        for one in found["agreement"]
    ]
    return Table(headings, tuple(rows), 1)


def lines(found: Json) -> list[str]:
    """What is significant, and what is not; what the numbers mean."""
    sure = [one for one in found["duels"] if one["p_holm"] <= LEVEL]
    told = [_significant(one) for one in sure]
    pairs = len(found["duels"])
    if len(sure) < pairs:
        seeds = len(found["seeds"])
        told.append(
            f"{pairs - len(sure)} of {pairs} differences are not significant at {LEVEL:g} after Holm's correction, "
            f"over {seeds} seed{'s' * (seeds != 1)}"
        )
    told += [f"{one['entry']}, seed {one['seed']}: {word}" for one in found["runs"] for word in one["ended_at"]]
    return [*told, *(_agreement(one) for one in found["agreement"]), *_diagnosis(found["diagnosis"])]


def _significant(one: Json) -> str:
    ours, theirs = one["searcher"], one["against"]
    better, worse = (ours, theirs) if one["mean"] < one["other_mean"] else (theirs, ours)
    means = sorted((one["mean"], one["other_mean"]))
    return (
        f"{better} has less {one['score']} than {worse}, {means[0]:.5g} against {means[1]:.5g} "
        f"(p {one['p_holm']:.2g} after Holm's correction)"
    )


def _agreement(one: Json) -> str:
    place = f"{one['entry']}, seed {one['seed']}"
    if "tau" not in one:
        return f"{place}: no agreement of orders can be told: {one['reason']}"
    return (
        f"{place}: Kendall's tau between supernet and from scratch is {one['tau']:.2f} ({one['low']:.2f} to "
        f"{one['high']:.2f}), {_ceiling(one)}, over {one['candidates']} candidates"
    )


def _ceiling(one: Json) -> str:
    if one["ceiling"] is None:
        return f"its ceiling unknown, as {one['twice']} candidates were trained twice"
    return f"its ceiling {one['ceiling']:.2f} (by {one['twice']} candidates that were trained twice)"


def _diagnosis(used: Json) -> list[str]:
    if not used["trainings"]:
        return []
    return [
        f"beside the studies, {used['trainings']:,} trainings over {used['rows']:,} rows tell how far these orders can "
        "be trusted; they are charged to no method"
    ]


def _tau(one: Json) -> tuple[str, str, str, str]:
    if "tau" not in one:
        return "", "", "", ""
    ceiling, share = ("" if one[name] is None else f"{one[name]:.2f}" for name in ("ceiling", "share"))
    return f"{one['tau']:.2f}", f"{one['low']:.2f} to {one['high']:.2f}", ceiling, share


def _spread(one: Json | None, form: str) -> str:
    if one is None:
        return ""
    return f"{one['mean']:{form}}" + ("" if one["sd"] is None else f" ± {one['sd']:.2g}")


def _count(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"
