"""What finals found, as rows and lines for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]


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
    told = _searched_lines(found) if found["verdict"]["chosen"] else _unsearched_lines(found)
    return told + [f"{one['name']} left the finals: {one['reason']}" for one in found["failed"]]


def _searched_lines(found: Mapping[str, Any]) -> list[str]:
    chosen = _named(found, found["verdict"]["chosen"])
    blend = next(one for one in found["averages"] if one["is_blend"])
    return [
        found["verdict"]["sentence"],
        f"reference: {found['verdict']['reference']}, chosen on valid like the finalist; errors are over "
        f"{found['seeds']} seeds and {found['test_cut']}",
        f"averaging {found['seeds']} seeds of {chosen['name']} gains {_gain(chosen['average'], chosen):.2f} % of NE",
        f"averaging {' and '.join(blend['names'])} with all seeds ({blend['members']} models, chosen on valid) gains "
        f"{_gain(blend, chosen):.2f} % and has a test NE of {blend['test_ne']:.4f}; the noise of an average is not "
        "measured",
    ]


def _unsearched_lines(found: Mapping[str, Any]) -> list[str]:
    """The same of baselines alone; the last lines tell what their averages are worth, none of which is chosen."""
    verdict, pair = found["verdict"], found["pair"]
    best = _named(found, verdict["reference"])
    told = [
        verdict["sentence"],
        f"p is two-sided and corrected for {verdict['family']} comparison{'s' * (verdict['family'] > 1)}; errors are "
        f"over {found['seeds']} seeds and {found['test_cut']}",
    ]
    if pair is not None:
        told.append(
            f"one {pair['names'][0]} averaged with one {pair['names'][1]} has a test NE of "
            f"{_with_spread(pair['test_ne'])} over the seeds, {_change(pair['test_ne']['mean'], best)} "
            f"one {best['name']}"
        )
    return told + [
        f"{' and '.join(one['names'])} with all seeds averaged ({one['members']} models) has a test NE of "
        f"{one['test_ne']:.4f}, {_change(one['test_ne'], best)} one {best['name']}; the noise of this is not measured"
        for one in found["averages"]
    ]


def _named(found: Mapping[str, Any], name: str) -> Json:
    entrant: Json = next(one for one in found["entrants"] if one["name"] == name)
    return entrant


def _gain(average: Mapping[str, Any], single: Mapping[str, Any]) -> float:
    mean = float(single["test_ne"]["mean"])
    return 100.0 * (mean - float(average["test_ne"])) / mean


def _change(ne: float, single: Mapping[str, Any]) -> str:
    gain = 100.0 * (1.0 - ne / float(single["test_ne"]["mean"]))
    return f"{abs(gain):.2f} % {'better' if gain >= 0 else 'worse'} than"


def _with_spread(summary: Mapping[str, float]) -> str:
    return f"{summary['mean']:.4f} ± {summary['sd']:.4f}"


def _difference(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "(reference)"
    low, high = found["percent_interval"]
    return f"{found['percent']:+.2f} % ({low:+.2f} to {high:+.2f})"


def _p(found: Mapping[str, Any] | None) -> str:
    return "-" if found is None or found["adjusted_p"] is None else f"{found['adjusted_p']:.2g}"
