"""What a study gives away: its winner, its report, its summary in the tracker."""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from automl import plugins
from automl._errors import StudyError
from automl._rows import trial_row, trial_rows
from automl._wiring import facts_of
from automl._yaml import to_yaml
from automl.control import control_of, gain
from automl.export import launch_script, torchrec_constraints, winner_document, write_winner
from automl.report import draw_trial, write_report
from automl.study import DRAIN_SECONDS, Study
from evaluators import Trial
from evaluators._joint.quality import training_of
from evaluators._training.settings import NAMES, TrainingSettings
from searchspaces import Candidate, FeatureSchema
from searchspaces.spaces.codesign import Codesign
from searchspaces.spaces.joint import JointSpace
from storage import Summary, Winner

LOG = logging.getLogger("automl")
REMEDY = "the next resume completes it, and so does `automl track sync`"


def chosen_trial(
    study: Study, *, number: int | None = None, max_flops: float | None = None, is_measured: bool = False
) -> Trial:
    """A finished trial by number, else the best by the first objective, of at most `max_flops` where given.

    The best is what the searcher declares, where it has a model of all measurements; else, or where `is_measured`
    says so, the best measurement.

    Raises:
        StudyError: there is no such trial, or it has no result.
    """
    if number is not None:
        return _numbered(study, number)
    best = [*([] if is_measured else study.declared()), *study.best_trials]
    trials = [one for one in best if max_flops is None or (one.value("flops") or 0.0) <= max_flops]
    if not trials:
        least = min((one.value("flops") or 0.0 for one in study.best_trials), default=None)
        bound = "" if max_flops is None else f" of at most {max_flops:g} FLOPs"
        cheapest = "" if least is None else f"; the cheapest on the front has {least:g}"
        raise StudyError(f"study {study.name!r} has no feasible trial{bound}{cheapest}")
    return trials[0]


def winner(study: Study, trial: Trial) -> dict[str, Any]:
    """The content of a trial's winner file."""
    data = facts_of(study.record, "data")
    options = plugins.options("evaluator", study.config.training_section())
    full = trial.suggestion.fidelity.settings if trial.suggestion.fidelity.is_full else {}
    given = {name: value for name, value in {**options, **_passed_on(study, trial), **full}.items() if name in NAMES}
    return winner_document(
        study.record,
        trial,
        dataset={"name": data.get("name"), "digest": data.get("digest")},
        schema=FeatureSchema.from_dict(data["schema"]),
        training=asdict(TrainingSettings(**given)),
        created=datetime.now(UTC),
    )


def _passed_on(study: Study, trial: Trial) -> dict[str, Any]:
    """Settings of training that the evaluator `joint` took from those of the system."""
    evaluator = study.config.evaluator
    return training_of(trial.candidate, neglected=evaluator.get("neglected", ())) if "quality" in evaluator else {}


def training_plan(study: Study, trial: Trial, *, is_launch: bool) -> str:
    """The sharding of a trial's plan as TorchRec's constraints, or the script that launches it.

    Raises:
        StudyError: the study searches for something else than plans.
    """
    space = study.wiring.space
    layouts = space.systems if isinstance(space, JointSpace) else space
    if not isinstance(layouts, Codesign):
        raise StudyError(
            f"a training plan comes from the space 'codesign', by itself or as the system of 'joint', but study "
            f"{study.name!r} has {study.config.space['name']!r}; export its winner with --to config"
        )
    plan = layouts.plan(Candidate(None, system=trial.candidate.system))
    return launch_script(plan) if is_launch else json.dumps(torchrec_constraints(layouts.model, plan), indent=2) + "\n"


def write_study_report(study: Study, path: Path) -> Path:
    """Writes the study's HTML report."""
    return write_report(
        path,
        record=study.record,
        trials=study.trials,
        objectives=study.objectives,
        schema=_schema(study),
        hash_cap=_hash_cap(study),
    )


def drawing(study: Study, number: int) -> str:
    """The architecture of a trial in any state, as SVG.

    Raises:
        StudyError: there is no such trial, or it has no architecture.
    """
    drawn = draw_trial(_known(study, number), _schema(study), hash_cap=_hash_cap(study))
    if not drawn:
        raise StudyError(
            f"only an architecture can be drawn, but trial {number} has settings alone; leave out --graph to see them"
        )
    return drawn


def publish(study: Study, *, status: str = "FINISHED") -> None:
    """Ends the study's entry in its tracker with report, front, leaderboard, settings and winner.

    `status` is FINISHED, FAILED or KILLED. Nothing happens where the study has no tracker.
    """
    mirror = study.mirror
    if mirror is None:
        return
    if not mirror.drain(timeout_seconds=DRAIN_SECONDS):
        LOG.warning("the tracker does not keep up or does not answer; %s", REMEDY)
        return
    with tempfile.TemporaryDirectory() as folder:
        if not mirror.summarize(summary_of(study, Path(folder), status=status), timeout_seconds=DRAIN_SECONDS):
            LOG.warning("the tracker does not keep up or does not answer; %s", REMEDY)


def summary_of(study: Study, folder: Path, *, status: str) -> Summary:
    """What a tracker is told at the end; its files are written into the folder."""
    trials = study.trials
    ended_at = max((trial.finished_at or 0.0 for trial in trials), default=0.0) or study.record.created_at
    best = study.best_trials
    chosen = chosen_trial(study) if best and best[0].candidate.architecture else None
    files = _files(study, folder, best=best)
    if chosen is None:
        return Summary(status, ended_at, tuple(files))
    file = write_winner(folder / "winner.yaml", winner(study, chosen))
    architecture = chosen.candidate.architecture
    graph = _text(folder / "architecture.json", architecture.to_json() if architecture else "")
    shown = Winner(chosen, study.objectives[0], (file, graph), _winner_facts(study, chosen))
    return Summary(status, ended_at, (*files, file), shown)


def _winner_facts(study: Study, trial: Trial) -> dict[str, str]:
    """What people look for in a registry: fingerprint, objectives, gain over the control in percent."""
    control = control_of(study.trials, study.objectives)
    facts = {"arch.fingerprint": trial.candidate.fingerprint}
    facts |= {f"control.{key}": value for key, value in _control_facts(control).items()}
    for objective in study.objectives:
        percent = gain(trial, control, objective)
        facts[objective.metric] = repr(trial.value(objective.metric))
        facts |= {} if percent is None else {f"gain.{objective.metric}": repr(percent)}
    return facts


def _control_facts(control: Trial | None) -> dict[str, str]:
    return {} if control is None else {"trial": str(control.number), "origin": control.suggestion.origin}


def _files(study: Study, folder: Path, *, best: Sequence[Trial]) -> list[Path]:
    files = [write_study_report(study, folder / "report.html")]
    files.append(_text(folder / "config.yaml", to_yaml(study.record.config)))
    files.append(_text(folder / "pareto.json", json.dumps(trial_rows(best), indent=2)))
    files.append(_leaderboard(study, folder / "leaderboard.parquet"))
    return files


def _leaderboard(study: Study, path: Path) -> Path:
    import pyarrow as pa
    from pyarrow import parquet

    rows = [_flat(trial_row(trial)) for trial in study.trials]
    names = dict.fromkeys(name for row in rows for name in row)  # a failed trial has fewer of them
    parquet.write_table(pa.table({name: [row.get(name) for row in rows] for name in names}), path)
    return path


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: " ".join(map(str, value)) if isinstance(value, list) else value for name, value in row.items()}


def _text(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def _schema(study: Study) -> FeatureSchema | None:
    schema = facts_of(study.record, "data").get("schema")
    return FeatureSchema.from_dict(schema) if schema else None


def _hash_cap(study: Study) -> int | None:
    cap = study.config.training_section().get("hash_cap")
    return int(cap) if isinstance(cap, int | float) else None  # YAML may say 1e5


def _known(study: Study, number: int) -> Trial:
    trials = study.trials
    if not 0 <= number < len(trials):
        raise StudyError(f"study {study.name!r} has trials 0 to {len(trials) - 1}, but {number} was asked for")
    return trials[number]


def _numbered(study: Study, number: int) -> Trial:
    trial = _known(study, number)
    if trial.evaluation is None:
        raise StudyError(f"only a trial with a result can be chosen, but trial {number} is {trial.state.value}")
    if not trial.suggestion.fidelity.is_full:
        raise StudyError(
            f"a winner is a full training, but trial {number} is of rung {trial.suggestion.fidelity.rung}; "
            "choose the full training of its candidate, or let the search promote it"
        )
    return trial
