"""Figures of a race as rows of text, for the report and the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from automl.report._tables import Table


def standing_rows(found: Mapping[str, Any]) -> Table:
    """A row for each searcher."""
    first = found["standings"][0] if found["standings"] else {}
    has_volume, has_judge = "volume" in first, any("judged" in one for one in found["standings"])
    headings = ["searcher", "seeds", "regret", "95 %", "median", "gap", "to target", "reached"]
    headings += ["front lacks", "95 %", "of tried", "to target", "reached"] if has_volume else []
    headings += ["regret by judge", *(["front by judge"] if has_volume else [])] if has_judge else []
    headings += ["ask s a run", "repeats"]
    rows = [_standing(one, has_volume=has_volume, has_judge=has_judge) for one in found["standings"]]
    return Table(tuple(headings), tuple(rows), 1)


def duel_rows(found: Mapping[str, Any]) -> Table:
    """A row for each searcher that the challenger is compared with, in each score."""
    headings = ("against", "score", "seeds", "mean", "its mean", "ratio", "95 %", "p", "p (Holm)", "A12")
    return Table(headings, tuple(_duel(one) for one in found["duels"]), 2)


def as_text(table: Table) -> str:
    """Aligned columns, a line each row."""
    lines: Sequence[Sequence[str]] = [table.headings, *table.rows]
    widths = [max(len(line[at]) for line in lines) for at in range(len(table.headings))]
    padded = [
        "  ".join(
            cell.ljust(width) if at < table.numeric else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    ]
    return "\n".join(line.rstrip() for line in padded)


def _standing(one: Mapping[str, Any], *, has_volume: bool, has_judge: bool) -> tuple[str, ...]:
    regret = one["regret"]
    cells = [one["searcher"], str(one["seeds"]), *_mean(regret), _figure(regret["median"]), _figure(one["gap"]["mean"])]
    cells += _target(regret["to_target"])
    if has_volume:
        cells += [*_mean(one["volume"]), _figure(one["volume"]["tried"]), *_target(one["volume"]["to_target"])]
    if has_judge:
        judged = [_figure(value) for value in one.get("judged", [])]
        cells += judged or [""] * (1 + has_volume)
    return (*cells, f"{one['ask_seconds']:.2f}", f"{one['repeats']:.1f}")


def _duel(one: Mapping[str, Any]) -> tuple[str, ...]:
    ratio = "" if one["ratio"] is None else f"{one['ratio']:.3f}"
    interval = "" if one["ratio"] is None else f"{one['low']:.3f} to {one['high']:.3f}"
    figures = (_figure(one["mean"]), _figure(one["other_mean"]), ratio, interval)
    chances = (f"{one['p_value']:.2g}", f"{one['p_holm']:.2g}", f"{one['a12']:.3f}")
    return (one["against"], one["score"], str(one["seeds"]), *figures, *chances)


def _mean(one: Mapping[str, Any]) -> list[str]:
    return [_figure(one["mean"]), f"{_figure(one['low'])} to {_figure(one['high'])}"]


def _target(one: Mapping[str, float]) -> list[str]:
    return [f"{one['trials']:.1f}", f"{100 * one['reached']:.0f} %"]


def _figure(value: float) -> str:
    return f"{value:.3g}"
