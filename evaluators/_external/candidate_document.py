"""What a trainer is given: one JSON document from which the candidate can be built and trained.

    format         "ctr-automl candidate", and `format_version`: raised when a reader would have to change
    fingerprint    identity of the candidate; equal for isomorphic ones
    seed           to train with: equal for all candidates of a study, another for another replicate
    study_seed     the study's own; `replicate` counts repetitions from 0
    fidelity       {"rung", "settings"}: how closely to measure, the settings are the study's (rows, passes, ...)
    architecture   {"version", "nodes"}: the live graph, inputs point to earlier nodes, the last node gives the
                   logit; null where the space has settings alone
    training       settings of this candidate (learning_rate, ...), `system` the same for the system
    schema         {"fields"}: name, kind, vocabulary_size (ids from 0), mean and std of each column, in order
    cost           {"params", "macs", "flops", "embedding_bytes"} by our closed forms; null where they know no answer
    objectives     what is wanted: {"metric", "goal", "bound"} each

No name, address or password of a store or tracker is in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evaluators._evaluation import Metric
from evaluators._evaluator import training_seed
from evaluators._objective import Objective
from evaluators._trial import Suggestion
from searchspaces import FeatureSchema, SearchSpaceError, canonical
from searchspaces.cost import cost

FORMAT = "ctr-automl candidate"
FORMAT_VERSION = 1


def candidate_document(
    suggestion: Suggestion, *, schema: FeatureSchema, objectives: Sequence[Objective], study_seed: int
) -> dict[str, Any]:
    """The document, JSON types only."""
    candidate = suggestion.candidate
    prices = cost_metrics(suggestion, schema)
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "fingerprint": candidate.fingerprint,
        "seed": training_seed(study_seed, suggestion.replicate),
        "study_seed": study_seed,
        "replicate": suggestion.replicate,
        "fidelity": {"rung": suggestion.fidelity.rung, "settings": suggestion.fidelity.settings.to_dict()},
        "architecture": canonical(candidate.architecture).to_dict() if candidate.architecture else None,
        "training": candidate.training.to_dict(),
        "system": candidate.system.to_dict(),
        "schema": schema.to_dict(),
        "cost": {name: int(one.value) for name, one in prices.items()} or None,
        "objectives": [{"metric": one.metric, "goal": one.goal.value, "bound": one.bound} for one in objectives],
    }


def cost_metrics(suggestion: Suggestion, schema: FeatureSchema) -> dict[str, Metric]:
    """Closed-form cost as metrics; empty without an architecture, or where a block of it has no closed form.

    A `hash_cap` among the settings of the fidelity, else of the candidate, caps the vocabularies.
    """
    architecture = suggestion.candidate.architecture
    if architecture is None:
        return {}
    settings = {**suggestion.candidate.training, **suggestion.fidelity.settings}
    cap = settings.get("hash_cap")
    try:
        price = cost(architecture, schema.capped(cap if isinstance(cap, int) else None))
    except SearchSpaceError:
        return {}
    return {
        "params": Metric(price.parameters),
        "macs": Metric(price.macs),
        "flops": Metric(price.flops),
        "embedding_bytes": Metric(price.embedding_bytes),
    }
