"""Sets a study's numbers in tables: where the winner comes from, failures, the ledger, cost and provenance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from automl.lineage import LEVEL
from automl.report import _format
from automl.report._view import View, seconds_of
from evaluators import Trial
from searchspaces import FeatureSchema
from storage import StudyRecord

_LEDGER = ("Stage", "Complete", "Pruned", "Failed", "Unfinished", "Time", "Rows", "Energy (J)", "Lost to failures")


@dataclass(frozen=True)
class Table:
    """Rows of texts under headings; `numeric` is the first column that is set flush right."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: int = 99


def tree_table(view: View) -> Table:
    """The winner's ancestors, itself last, with the edits that led from each to the next."""
    rows = [
        (
            str(member.trial.number),
            parents(member.trial),
            member.trial.suggestion.origin or _format.ABSENT,
            "; ".join(edit.text for edit in member.descent.edits) if member.descent else _format.ABSENT,
            _format.value(view.quality.metric, member.trial.value(view.quality.metric)),
            _difference(member.descent.gain if member.descent else None),
            _format.value("flops", member.trial.value("flops")),
        )
        for member in view.lineage.tree
    ]
    quality = _format.label(view.quality.metric)
    headings = ("Trial", "Parents", "Origin", "Edits", quality, "Gain over its parent", "FLOPs")
    return Table(headings, tuple(rows), numeric=4)


def edit_table(view: View) -> Table:
    """What each kind of edit has brought on the mean, with its interval, what was done most often first."""
    rows = [
        (
            one.kind,
            str(one.count),
            str(one.better),
            _difference(one.gain),
            _format.ABSENT if one.low is None else f"{_difference(one.low)} to {_difference(one.high)}",
            _format.ABSENT if one.flops_ratio is None else f"{one.flops_ratio:.2f}",
        )
        for one in view.lineage.edits
    ]
    gain_ = f"Mean gain in {_format.label(view.quality.metric)}"
    headings = ("Edit", "Children", "Better than the parent", gain_, f"{100 * LEVEL:.0f} % interval", "FLOPs, times")
    return Table(headings, tuple(rows), numeric=1)


def ledger_table(view: View) -> Table:
    """What each stage has cost, with the share that failed trials took."""
    rows = [
        (
            stage.stage.capitalize(),
            *map(str, (stage.complete, stage.pruned, stage.failed, stage.unfinished)),
            _format.duration(stage.cost.seconds),
            _format.quantity(stage.cost.rows),
            _format.quantity(stage.cost.joules),
            _format.ABSENT if stage.failed_share is None else f"{100 * stage.failed_share:.1f} %",
        )
        for stage in view.ledger.stages
    ]
    return Table(_LEDGER, tuple(rows), numeric=1)


def failure_table(view: View) -> Table:
    """Failures by kind, the most frequent first, each with its trials and one reason."""
    kinds: dict[str, list[Trial]] = {}
    for trial in view.failed:
        if trial.failure is not None:
            kinds.setdefault(trial.failure.kind.value, []).append(trial)
    rows = [
        (kind.replace("_", " "), str(len(trials)), _numbers(trials), trials[0].failure.reason)
        for kind, trials in sorted(kinds.items(), key=lambda item: -len(item[1]))
        if trials[0].failure is not None
    ]
    return Table(("Kind", "Count", "Trials", "Reason of the first"), tuple(rows))


def cost_table(view: View) -> Table:
    """What the study has spent so far."""
    trials = [trial for trial in (*view.search, *view.baselines) if trial.state.is_finished]
    seconds = sum(map(seconds_of, trials))
    rows = [("Evaluation time, all trials", _format.duration(seconds))]
    if trials:
        rows.append(("Mean per trial", _format.duration(seconds / len(trials))))
    started = [trial.started_at for trial in trials if trial.started_at is not None]
    finished = [trial.finished_at for trial in trials if trial.finished_at is not None]
    if started and finished:
        rows.append(("First start to last finish", _format.duration(max(finished) - min(started))))
    trained = sum(trial.evaluation.curve[-1].rows for trial in trials if trial.evaluation and trial.evaluation.curve)
    if trained:
        rows.append(("Rows trained on", _format.quantity(trained)))
    return Table(("", ""), tuple(rows))


def provenance_table(record: StudyRecord, schema: FeatureSchema | None) -> Table:
    """Where the numbers come from."""
    rows = [
        ("Study", record.name),
        ("Identifier", record.uid),
        ("Problem", record.problem),
        ("Seed", str(record.seed)),
        ("Created", _format.moment(record.created_at)),
        *_flat(record.facts),
    ]
    if schema is not None:
        fields = f"{len(schema.numeric)} numeric, {len(schema.categorical)} categorical fields"
        rows.append(("Schema", f"{fields}, digest {schema.digest}"))
    return Table(("", ""), tuple(rows))


def parents(trial: Trial) -> str:
    """Numbers of the trials that a trial was made from."""
    return ", ".join(map(str, trial.suggestion.parents)) or _format.ABSENT


def _difference(value: float | None) -> str:
    return _format.ABSENT if value is None else _format.signed(value, 5)


def _numbers(trials: Sequence[Trial], limit: int = 12) -> str:
    shown = ", ".join(str(trial.number) for trial in trials[:limit])
    return f"{shown}, and {len(trials) - limit} more" if len(trials) > limit else shown


def _flat(facts: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, fact in facts.items():
        if name in ("schema", "candidate"):  # pages long, and told by digest and fingerprint
            continue
        title = f"{prefix} {name}".strip().replace("_", " ")
        if isinstance(fact, Mapping):
            rows += _flat(fact, title)
        else:
            rows.append((title[:1].upper() + title[1:], ", ".join(map(str, fact)) if _is_list(fact) else str(fact)))
    return rows


def _is_list(fact: object) -> bool:
    return isinstance(fact, list | tuple)
