"""Composition root: builds what a study needs from its configuration, once and in one place."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from automl import plugins
from automl._errors import StudyError
from automl._method import Method
from automl._read_out import ReadOut
from automl._searcher import Searcher
from automl._tables import check_tables, table_digests
from automl._versions import versions
from automl.baseline import own_baseline
from automl.config import StudyConfig, parse_config
from automl.control import BASELINE_ORIGIN, quality_objective
from automl.fidelity import AuditPlan, Ladder, Promoting, Promotion, Rule
from automl.proposals import why_outside
from evaluators import Evaluator, Suggestion
from evaluators._datasets import Dataset, open_dataset
from searchspaces import Candidate, FeatureSchema, SearchSpace, SearchSpaceError, zoo
from storage import StudyRecord, Tracker, masked

HIDDEN = "***"
LOG = logging.getLogger("automl")


@dataclass(frozen=True)
class Wiring:
    """The parts of a running study; the user's own model is the first of the baselines."""

    dataset: Dataset
    space: SearchSpace
    searcher: Searcher
    evaluator: Evaluator
    tracker: Tracker | None
    baselines: tuple[Suggestion, ...]
    method: Method | None = None


def wire(record: StudyRecord, config: StudyConfig | None = None) -> Wiring:
    """Builds the parts of a recorded study; `config` is the live one where there is one, passwords and all.

    The user's own model is the recorded one: its file may have changed since, or be gone.

    Raises:
        StudyError: the data or a table is not what the study began with.
    """
    config = config or parse_config(record.config, source=f"study {record.name!r}")
    config = config.model_copy(update={"baseline": record.facts.get("baseline", {}).get("candidate")})
    dataset = open_dataset(config.data)
    known = record.facts.get("data", {}).get("digest")
    if known and known != dataset.digest:
        raise StudyError(
            f"a study goes on with the data it began with (digest {known}), but {config.data} has {dataset.digest}; "
            "restore the data, or start a new study"
        )
    check_tables(facts_of(record, "tables"), config)
    return wired(config, dataset)


def wired(config: StudyConfig, dataset: Dataset) -> Wiring:
    """Builds every part once, so that a wrong option shows before a study begins.

    Raises:
        ConfigError, SpaceError, EvaluatorError: an option is wrong, or the user's own model is.
    """
    context: dict[str, object] = {
        "schema": dataset.schema,
        "objectives": config.objective_list(),
        "dataset": dataset.folder,
        "study_seed": config.study.seed,
        "budget_trials": config.budget.trials,
        "budget_seconds": config.budget.seconds,
        "budget_rows": config.budget.rows,
    }
    baselines = _baselines(config, dataset)
    own = [one.candidate for one in baselines if one.origin == BASELINE_ORIGIN]
    context["controls"] = tuple(own or [one.candidate for one in baselines])
    space: SearchSpace = plugins.construct("space", config.space, context)
    context["space"] = space
    return Wiring(
        dataset,
        space,
        _searcher_of(config, context),
        plugins.construct("evaluator", config.evaluator, context),
        tracker_of(config.tracker),
        baselines,
        None if config.method is None else plugins.construct("method", config.method, context),
    )


def _searcher_of(config: StudyConfig, context: Mapping[str, object]) -> Searcher:
    """A study with a method asks what that has read out."""
    if config.method is not None:
        return ReadOut()
    return _on_ladder(plugins.construct("searcher", config.searcher, context), config)


def audit_plan(config: StudyConfig) -> AuditPlan | None:
    """How the rungs of a study are audited; None where it has no ladder."""
    section = config.fidelity
    if section is None:
        return None
    rule = Rule(section.audit.steps, section.audit.share, section.audit.confidence)
    return AuditPlan(Ladder.of(section.rungs), quality_objective(config.objective_list()), rule, config.study.seed)


def tracker_of(spec: Mapping[str, Any] | None) -> Tracker | None:
    """The tracker; where its password was not kept, the address comes from the environment.

    Raises:
        StudyError: neither has the password.
    """
    if spec is None:
        return None
    if HIDDEN in str(spec.get("uri", "")):
        uri = os.environ.get("MLFLOW_TRACKING_URI")
        if not uri:
            raise StudyError(
                f"passwords are not stored, so the tracker {spec['uri']} cannot be opened again; "
                "put its whole address into MLFLOW_TRACKING_URI"
            )
        spec = {**spec, "uri": uri}
    tracker: Tracker = plugins.construct("tracker", spec, {})
    return tracker


def new_record(config: StudyConfig, *, is_checked: bool) -> StudyRecord:
    """The record of a study that is about to begin; opens the data and builds every part, so that mistakes show now."""
    dataset = open_dataset(config.data)
    wiring = check(config, dataset, is_started=is_checked)
    metrics = "+".join(objective.metric for objective in config.objective_list())
    return StudyRecord(
        uid=uuid.uuid4().hex,
        name=config.study.name,
        seed=config.study.seed,
        problem=f"{dataset.name}:{metrics}",
        config=recorded(config),
        created_at=time.time(),
        facts={
            "data": _data_facts(dataset),
            "space": {"digest": _digest(config.space)},
            "versions": versions(),
            **_table_facts(config),
            **_baseline_facts(config, wiring),
        },
    )


def check(config: StudyConfig, dataset: Dataset, *, is_started: bool) -> Wiring:
    """Builds every part, with `is_started` the evaluator's process too, and lets go of it again.

    Says where the user's own model can be no start point.

    Raises:
        ConfigError, SpaceError, EvaluatorError: an option is wrong, or the evaluator cannot work.
    """
    wiring = wired(config, dataset)
    try:
        if is_started:
            wiring.evaluator.open()
    finally:
        wiring.evaluator.close()
    own = _own(wiring)
    outside = why_outside(wiring.space, own.candidate) if own else ""
    if outside:
        LOG.warning("the baseline is the control, but no start point, as it is no point of the space: %s", outside)
    _warn_of_budget(config)
    return wiring


def recorded(config: StudyConfig) -> dict[str, Any]:
    """The configuration as JSON types, passwords in URLs masked."""
    content = config.model_dump(mode="json")
    content["storage"] = masked(content["storage"])
    del content["searcher" if config.method is not None else "method"]
    if content["tracker"]:
        content["tracker"] = {key: _masked(value) for key, value in content["tracker"].items()}
    return content


def _on_ladder(searcher: Searcher, config: StudyConfig) -> Searcher:
    plan, section = audit_plan(config), config.fidelity
    if plan is None or section is None:
        return searcher
    climbing = section.promotion
    promotion = Promotion(climbing.name, climbing.reduction) if climbing else None
    return Promoting(searcher, plan, config.objective_list(), promotion)


def _warn_of_budget(config: StudyConfig) -> None:
    section, trials = config.fidelity, config.budget.trials
    if section is None or section.promotion is None or trials is None:
        return
    first = Promotion(reduction=section.promotion.reduction).first_full(len(section.rungs))
    if trials < first:
        LOG.warning("the budget ends after %d trials, but the first full training may be trial %d", trials, first)


def _data_facts(dataset: Dataset) -> dict[str, Any]:
    return {
        "name": dataset.name,
        "digest": dataset.digest,
        "rows": dict(dataset.rows),
        "base_rate": {part: rate for part, rate in dataset.base_rate.items() if part != "test"},
        "schema": dataset.schema.to_dict(),
    }


def _digest(spec: Mapping[str, Any]) -> str:
    """16 hexadecimal digits that name a space and its options."""
    return hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()[:16]


def _masked(value: object) -> object:
    return masked(value) if isinstance(value, str) else value


def _baselines(config: StudyConfig, dataset: Dataset) -> tuple[Suggestion, ...]:
    """The user's own model and the human-made ones that are another, as full trainings.

    Raises:
        ConfigError: the user's own model does not fit the data.
    """
    own = own_baseline(config, dataset.schema)
    suggestions = [] if own is None else [Suggestion(own, origin=BASELINE_ORIGIN)]
    if config.baselines is not None or _has_models(config):
        suggestions += human_made(config.baseline_names(), dataset.schema, but=own)
    plan = audit_plan(config)
    return tuple(suggestions if plan is None else [replace(one, fidelity=plan.ladder.full) for one in suggestions])


def _has_models(config: StudyConfig) -> bool:
    """Whether the space has models, which others can be compared with; a space of systems has ways to train one."""
    return bool(getattr(plugins.load("space", config.space["name"]), "has_models", True))


def human_made(names: Sequence[str], schema: FeatureSchema, *, but: Candidate | None) -> list[Suggestion]:
    """The human-made architectures of these names, without what the schema cannot feed.

    One that has nothing left stays out, and so does one that is `but` over again.
    """
    found = []
    for name in names:
        try:
            candidate = zoo(name, schema)
        except SearchSpaceError:
            continue
        if but is None or candidate.fingerprint != but.fingerprint:
            found.append(Suggestion(candidate, origin=f"zoo:{name}"))
    return found


def _own(wiring: Wiring) -> Suggestion | None:
    return next((one for one in wiring.baselines if one.origin == BASELINE_ORIGIN), None)


def _baseline_facts(config: StudyConfig, wiring: Wiring) -> dict[str, Any]:
    """The user's own model as it is now: a study goes on without its file."""
    own = _own(wiring)
    if own is None:
        return {}
    facts = {
        "source": config.baseline if isinstance(config.baseline, str) else "given with the settings",
        "fingerprint": own.candidate.fingerprint,
        "start_point": not why_outside(wiring.space, own.candidate),
        "candidate": own.candidate.to_dict(),
    }
    return {"baseline": facts}


def _table_facts(config: StudyConfig) -> dict[str, Any]:
    digests = table_digests(config)
    return {"tables": digests} if digests else {}


def facts_of(record: StudyRecord, key: str) -> Mapping[str, Any]:
    """One group of a study's facts ('data', 'versions'); empty where the study has none."""
    found: Mapping[str, Any] = record.facts.get(key, {})
    return found
