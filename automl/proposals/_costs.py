"""What candidates cost, in closed form: known before anything is trained, and never guessed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from evaluators import Goal, Objective
from searchspaces import Candidate, Cost, FeatureSchema
from searchspaces.cost import node_costs

CLOSED_FORM: MappingProxyType[str, Callable[[Cost], int]] = MappingProxyType(
    {
        "flops": lambda price: price.flops,
        "macs": lambda price: price.macs,
        "params": lambda price: price.parameters,
        "embedding_bytes": lambda price: price.embedding_bytes,
    }
)
"""The metrics that follow from an architecture and the schema alone."""


def cost_objectives(objectives: Sequence[Objective]) -> list[Objective]:
    """The objectives that are known in closed form and should be small, in their order."""
    return [one for one in objectives if one.metric in CLOSED_FORM and one.goal is Goal.MINIMIZE]


def closed_form_costs(
    candidate: Candidate, schema: FeatureSchema | None, metrics: Sequence[str]
) -> NDArray[np.float64]:
    """The metrics of a candidate of a space, `[len(metrics)]`; all NaN without a schema or an architecture.

    Raises:
        ArchitectureError: the schema cannot feed the architecture.
    """
    if schema is None or candidate.architecture is None or not metrics:
        return np.full(len(metrics), np.nan)
    # The candidates of a space are canonical: `cost` would only find that out again, in a third of its time.
    price = sum(node_costs(candidate.architecture, schema), Cost())
    return np.array([CLOSED_FORM[metric](price) for metric in metrics], dtype=np.float64)
