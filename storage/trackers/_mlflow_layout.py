"""What a study and its trials look like in MLflow: plain names and values, written down without MLflow.

Params are the few scalars that people filter runs by; the whole architecture is an artifact.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from evaluators import Evaluation, Trial, TrialState
from searchspaces import Architecture, live_nodes
from storage._store import StudyRecord

EXPERIMENT_TAGS = MappingProxyType(
    {
        "mlflow.experimentKind": "custom_model_development",
        "mlflow.note.content": (
            "Studies of one problem: the same data and objectives, so their trials may be compared.\n\n"
            "Each study is a run, and each of its finished trials a run below it, named by its number. "
            "`val/` is quality on the validation part (ne: log loss over the entropy of the base rate, smaller is "
            "better), `cost/` what the model takes (flops: forward, per example), `serve/` its speed, `train/` its "
            "training. The tag `trial.state` says how a trial ended, `failure.kind` why one failed, `pareto.rank` how "
            "good it is among its study's: `tags.pareto.rank = '1'` finds the front. The architecture "
            "is the artifact `architecture.json`; runs with one `arch.fingerprint` have the same live graph.\n\n"
            "A study's own metrics run over the count of its ended trials: `best/`, `front/`, `winner/`, `gain/` "
            "(percent better than the control), `cost/` (so far) and `predictor/rank_correlation` (1: the searcher's "
            "guide puts mutants in the right order, 0: it guesses; `predictor/cross_validated` is the same for "
            "candidates out of fold). Its winner is a model version. A trial's `predictor/predicted` and "
            "`predictor/spread` are the loss that the guide expected of it and how sure it was, in the guide's own "
            "unit; `predictor/predicted_qps` is what was expected of another objective that is learned.\n\n"
            "This is a copy: the truth is the study's own store, and `automl track sync` makes it whole again."
        ),
    }
)
STATUS = MappingProxyType({TrialState.COMPLETE: "FINISHED", TrialState.PRUNED: "KILLED", TrialState.FAIL: "FAILED"})
METRIC_NAMES = MappingProxyType(
    {
        "flops": "cost/flops",
        "macs": "cost/macs",
        "params": "cost/params",
        "embedding_bytes": "cost/embedding_bytes",
        "qps": "serve/qps",
        "latency_ms_p50": "serve/latency_ms_p50",
        "latency_ms_p99": "serve/latency_ms_p99",
        "train_seconds": "train/seconds",
        "examples_per_second": "train/examples_per_s",
        "peak_memory_bytes": "train/peak_memory_bytes",
        "energy_joules": "cost/energy_joules",
    }
)
CURVE_NAMES = MappingProxyType({"train_logloss": "train/loss", "loss": "train/loss"})
CURVE_POINTS = 100  # of each curve: all in one request, and a chart shows no more
LONGEST_PARAM, LONGEST_TAG = 500, 5000  # characters; MLflow's own limits are 6,000 and 8,000
LONGEST_ALIAS = 255
LONGEST_DIGEST = 36  # of a dataset, MLflow's own limit
PREDICTED = ("predicted", "spread")
"""Entries of a suggestion's memo, alone or with the name of a metric behind: `predicted_qps`."""
OLD_SPREAD = MappingProxyType({"std": "spread"})
"""As some searchers of earlier versions called it."""
CHANGING_TAGS = frozenset({"pareto.rank", "failure.kind", "failure.reason", "trial.mutation"})
"""Tags that not every trial has: one that should not be there is taken away."""
DISCARDED = "mirror.discarded"
"""Tag of a run that was deleted here, with the reason: it is never restored."""


@dataclass(frozen=True)
class Reading:
    """A number at a step; for a metric of a whole trial the step is 0."""

    name: str
    value: float
    step: int = 0


def trial_uid(record: StudyRecord, trial: Trial) -> str:
    """What names a trial over all studies and stores."""
    return f"{record.uid}/{trial.number}"


def study_tags(record: StudyRecord) -> dict[str, str]:
    """Tags of a study's run."""
    return {"study.uid": record.uid, "study.name": record.name, "mlflow.source.name": "ctr-automl"}


def study_params(record: StudyRecord) -> dict[str, str]:
    """Settings and facts of a study as dotted names; lists of objects, and what is None, left out."""
    found = {**dict(_scalars(record.facts)), **dict(_scalars(record.config)), "seed": str(record.seed)}
    return {key(name): value[:LONGEST_PARAM] for name, value in found.items()}


def study_dataset(record: StudyRecord) -> tuple[str, str, str] | None:
    """Name, digest and place of the study's data, the digest as long as MLflow takes it; None where it is not known."""
    data = record.facts.get("data", {})
    if not data.get("digest"):
        return None
    digest = str(data["digest"]).rpartition(":")[2][:LONGEST_DIGEST]
    return str(data.get("name", "")), digest, str(record.config.get("data", ""))


def trial_tags(record: StudyRecord, trial: Trial, *, parent: str) -> dict[str, str]:
    """Tags of a trial's run; the study's name too, as filters on a parent do not reach its children."""
    tags = {
        "mlflow.parentRunId": parent,
        "study.name": record.name,
        "trial.uid": trial_uid(record, trial),
        "trial.number": str(trial.number),
        "trial.state": trial.state.value,
        "trial.stage": trial.stage,
        "trial.parents": ",".join(map(str, trial.suggestion.parents)),
        "trial.rung": str(trial.suggestion.fidelity.rung),
        "trial.origin": trial.suggestion.origin,
        "arch.fingerprint": trial.candidate.fingerprint,
    }
    if trial.suggestion.parents:
        tags["trial.mutation"] = trial.suggestion.origin
    if trial.failure:
        tags |= {"failure.kind": trial.failure.kind.value, "failure.reason": trial.failure.reason[:LONGEST_TAG]}
    return tags


def trial_params(trial: Trial) -> dict[str, str]:
    """What people filter trials by: size of the live graph, blocks, widths, training and fidelity settings."""
    suggestion = trial.suggestion
    groups = {
        "training": suggestion.candidate.training,
        "system": suggestion.candidate.system,
        "fidelity": suggestion.fidelity.settings,
    }
    params = dict(_scalars(groups)) | {"replicate": str(suggestion.replicate)}
    if suggestion.candidate.architecture:
        params |= {name: str(value) for name, value in _graph_params(suggestion.candidate.architecture).items()}
    return {key(name): value[:LONGEST_PARAM] for name, value in params.items()}


def trial_readings(trial: Trial) -> list[Reading]:
    """What was predicted, then metrics with their standard errors, then learning curves over training rows."""
    readings = list(_predictions(trial))
    if trial.evaluation is None:
        return readings
    readings.append(Reading("trial/seconds", trial.evaluation.seconds))
    for name, metric in trial.evaluation.metrics.items():
        readings.append(Reading(metric_name(name), metric.value))
        if metric.stderr is not None:
            readings.append(Reading(f"{metric_name(name)}_stderr", metric.stderr))
    return readings + list(_curves(trial.evaluation))


def last_values(trial: Trial) -> dict[str, float]:
    """What MLflow shows of each metric of a trial: its value at the last step."""
    return {one.name: one.value for one in sorted(trial_readings(trial), key=lambda one: one.step)}


def model_name(problem: str) -> str:
    """The registered model of a problem.

    >>> model_name("movielens-100k:ne+flops")
    'ctr-movielens-100k-ne+flops'
    """
    return f"ctr-{re.sub(r'[^A-Za-z0-9_.+-]+', '-', problem).strip('-.')}"


def winner_alias(study: str) -> str:
    """The alias of a study's winner among the versions of its problem's model.

    >>> winner_alias("first try")
    'winner-first-try'
    """
    return f"winner-{re.sub(r'[^A-Za-z0-9_-]+', '-', study)}"[:LONGEST_ALIAS]


def metric_name(metric: str) -> str:
    """Under which name MLflow shows a metric: quality unless it is a known cost or speed.

    >>> metric_name("ne"), metric_name("flops")
    ('val/ne', 'cost/flops')
    """
    return METRIC_NAMES.get(metric) or key(f"val/{metric}")


def _predictions(trial: Trial) -> Iterator[Reading]:
    """Mean and spread of what the searcher's guide expected, and of other objectives that it learns."""
    for name, value in trial.suggestion.memo.items():
        told = OLD_SPREAD.get(name, name)
        if told.partition("_")[0] in PREDICTED and isinstance(value, float) and math.isfinite(value):
            yield Reading(key(f"predictor/{told}"), value)


def _curves(evaluation: Evaluation) -> Iterator[Reading]:
    every = math.ceil(len(evaluation.curve) / CURVE_POINTS) or 1
    kept = evaluation.curve[::-1][::every][::-1]  # thinned from the end, so that the last point stays
    for point in kept:
        for name, value in point.metrics.items():
            if math.isfinite(value):
                yield Reading(CURVE_NAMES.get(name) or key(f"train/{name}"), value, point.rows)


def _graph_params(architecture: Architecture) -> dict[str, int]:
    nodes = [architecture.nodes[index] for index in live_nodes(architecture)]
    params = {"arch.nodes": len(nodes)}
    params |= {f"arch.blocks.{block}": count for block, count in sorted(Counter(one.block for one in nodes).items())}
    widths = [width for one in nodes for name in ("width", "widths") for width in _numbers(one.options.get(name))]
    if widths:
        params |= {"arch.width_max": max(widths), "arch.width_total": sum(widths)}
    dims = [dim for one in nodes if not one.inputs for dim in _numbers(one.options.get("dim"))]
    return params | ({"arch.embedding_dim": max(dims)} if dims else {})


def _numbers(value: object) -> list[int]:
    listed = value if isinstance(value, tuple) else (value,)
    return [one for one in listed if type(one) is int]


def _scalars(content: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in content.items():
        if isinstance(value, Mapping):
            yield from _scalars(value, f"{prefix}{name}.")
        elif isinstance(value, str):
            yield prefix + name, value
        elif value is not None and not (
            isinstance(value, list | tuple) and any(isinstance(one, Mapping | list | tuple) for one in value)
        ):
            yield prefix + name, json.dumps(value)


def key(name: str) -> str:
    """The name with every character that MLflow refuses replaced."""
    return re.sub(r"[^\w./ :-]|\.\.|//|^[./]", "_", name, flags=re.ASCII)[:250]
