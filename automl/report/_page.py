"""Puts a study's report together as one HTML file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from automl._files import write_text
from automl._yaml import to_yaml
from automl.report import _tables, _words
from automl.report._candidate_tables import baseline_table, front_table, same_settings, system_table
from automl.report._drawing import draw_trial
from automl.report._edits_figure import edits_figure
from automl.report._front_figure import front_figure
from automl.report._guide_figure import guide_figure
from automl.report._knobs import Importances, knob_importances
from automl.report._knobs_figure import knob_sentences, knob_table, knobs_figure
from automl.report._ledger_figure import ledger_figure
from automl.report._plotting import Figure
from automl.report._predictions import agreement, agreement_sentences
from automl.report._predictions_figure import predictions_figure
from automl.report._progress_figure import progress_figure
from automl.report._rendering import render
from automl.report._step_table import step_sentences, step_table
from automl.report._view import View, look_at
from evaluators import Objective, Trial
from searchspaces import FeatureSchema
from storage import StudyRecord

_PAGE = Path(__file__).parent / "page.html"
_SECRET_NAME = re.compile(r"password|passwd|secret|token|api_?key|credential", re.IGNORECASE)
_SECRET_IN_URL = re.compile(r"(?<=://)([^/@\s]*):[^/@\s]*@")


def write_report(
    path: Path,
    *,
    record: StudyRecord,
    trials: Sequence[Trial],
    objectives: Sequence[Objective],
    schema: FeatureSchema | None,
    hash_cap: int | None = None,
) -> Path:
    """Writes the report whole or not at all; it opens in any browser without a network.

    The same record gives the same bytes. Where `schema` is None the winner's graph is drawn without widths
    that depend on the data; `hash_cap` is that of the study's evaluator.

    Raises:
        ExportError: the file cannot be written.
    """
    view = look_at(trials, objectives)
    drawing = draw_trial(view.winner, schema, hash_cap=hash_cap) if view.winner else ""
    content = {**_content(record, view, schema), **_of_systems(record, view), "drawing": _markup(drawing)}
    drawn = [(key, figure) for key, _, figure in content["plots"]]
    drawn += [(key, content[f"{key}_figure"]) for key in ("edits", "guide", "predictions", "knobs", "ledger")]
    write_text(path, render(_PAGE, content, drawn))
    return path


def masked(settings: object) -> Any:
    """Settings with passwords, tokens and the like replaced by ***; a second guard, the record is masked already."""
    if isinstance(settings, Mapping):
        return {
            name: "***" if _SECRET_NAME.search(str(name)) and isinstance(value, str) else masked(value)
            for name, value in settings.items()
        }
    if isinstance(settings, list | tuple):
        return [masked(value) for value in settings]
    return _SECRET_IN_URL.sub(r"\1:***@", settings) if isinstance(settings, str) else settings


def _content(record: StudyRecord, view: View, schema: FeatureSchema | None) -> dict[str, Any]:
    found = agreement(view, record.config)
    return {
        "name": record.name,
        "problem": record.problem,
        "objectives": [_describe(objective) for objective in view.objectives],
        "verdict": _words.verdict(view),
        "reminder": _words.reminder(view),
        "cards": _words.cards(view),
        "plots": _plots(view),
        "front": front_table(view),
        "baselines": baseline_table(view),
        "control": _words.control_sentence(view),
        "failures": _tables.failure_table(view),
        "tree": _tables.tree_table(view),
        "edits": _tables.edit_table(view),
        "edits_figure": edits_figure(view),
        "lineage_sentences": _words.lineage_sentences(view),
        "guide_figure": guide_figure(view),
        "predictions": agreement_sentences(found) if found else [],
        "predictions_figure": predictions_figure(found, view),
        "ledger": _tables.ledger_table(view),
        "ledger_sentences": _words.ledger_sentences(view),
        "ledger_figure": ledger_figure(view),
        "cost": _tables.cost_table(view),
        "provenance": _tables.provenance_table(record, schema),
        "settings": to_yaml(masked(record.config)),
        "winner": view.winner,
    }


def _plots(view: View) -> list[tuple[str, str, Figure | None]]:
    """Key, heading and figure; a front where there are two things to set against each other, or nothing yet."""
    front = ("front", _words.front_title(view), front_figure(view))
    progress = ("progress", "Progress of the search", progress_figure(view))
    return [progress] if view.cost is None and view.complete else [front, progress]


def _of_systems(record: StudyRecord, view: View) -> dict[str, Any]:
    """What is told of training systems alone: nothing where candidates are architectures."""
    knobs: list[Importances] = []
    if view.has_systems:
        rng = np.random.default_rng(record.seed)
        shares = [knob_importances(view.complete, objective, rng) for objective in view.objectives]
        knobs = [one for one in shares if one is not None]
    return {
        "kind": _words.kind(view),
        "systems": system_table(view),
        "same_settings": same_settings(view),
        "knobs": knob_table(knobs),
        "knobs_figure": knobs_figure(knobs),
        "knob_sentences": knob_sentences(knobs, view) if view.has_systems else [],
        "step": step_table(view),
        "step_sentences": step_sentences(),
    }


def _describe(objective: Objective) -> str:
    bound = "" if objective.bound is None else f", bound {objective.bound:g}"
    return f"{objective.goal.value} {objective.metric}{bound}"


def _markup(drawing: str) -> Any:
    from markupsafe import Markup

    return Markup(drawing)  # our own SVG, its texts escaped
