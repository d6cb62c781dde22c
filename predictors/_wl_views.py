"""What a graph-kernel model sees of a candidate: labels of its graph, counts, costs and the space's encoding."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from searchspaces import Candidate, FeatureSchema, SearchSpace, SearchSpaceError
from searchspaces.cost import cost
from searchspaces.graph_features import graph_features, refined_labels

Vector = NDArray[np.float64]
REMEMBERED = 2_000
"""Views that were not to be kept: a pool holds many of the candidates of the one before."""
COARSE_ROUNDS, FINE_ROUNDS = 3, 2
"""Of refinement without and with options of blocks; with them few labels are shared beyond two edges."""


@dataclass(frozen=True, eq=False)
class View:
    """One candidate, described; `code` is None outside the space, the graph's parts are empty without architecture.

    labels   counts of labels by kernel: 'coarse 0', 'fine 2', ..., and 'last', the output's own of one round
    counts   graph features by name
    settings numbers of training and system by name, other values as 1 under a name of their own
    costs    log10 of 1 and the costs by name, where a schema tells them
    """

    code: Vector | None
    labels: Mapping[str, Counter[str]]
    counts: Mapping[str, float]
    settings: Mapping[str, float]
    costs: Mapping[str, float]


class Views:
    """Describes candidates, each fingerprint once; a study asks for the same ones again after every trial.

    What is not to be kept is remembered for a while.
    """

    def __init__(
        self, space: SearchSpace, schema: FeatureSchema | None, *, graph: bool = True, live: bool = True
    ) -> None:
        self._space = space
        self._schema = schema
        self._has_graph = graph
        self._is_live = live
        self._known: dict[str, View] = {}
        self._passing: dict[str, View] = {}

    def of(self, candidates: Sequence[Candidate], *, keep: bool) -> list[View]:
        """The views, in order."""
        memory = self._known if keep else self._passing
        if len(self._passing) > REMEMBERED:
            self._passing.clear()
        found = []
        for candidate in candidates:
            name = candidate.fingerprint
            view = self._known.get(name) or self._passing.get(name) or self._view(candidate)
            memory[name] = view
            found.append(view)
        return found

    def _view(self, candidate: Candidate) -> View:
        code, settings = self._code(candidate), settings_features(candidate)
        architecture = candidate.architecture
        if architecture is None or not self._has_graph:
            return View(code, {}, {}, settings, self._costs(candidate))
        live = self._is_live
        coarse = refined_labels(architecture, COARSE_ROUNDS, with_options=False, live=live)
        fine = refined_labels(architecture, FINE_ROUNDS, with_options=True, live=live)
        labels = {f"coarse {at}": Counter(one) for at, one in enumerate(coarse)}
        labels |= {f"fine {at}": Counter(one) for at, one in enumerate(fine)}
        labels["last"] = Counter(coarse[1][-1:])
        return View(code, labels, graph_features(architecture, live=live), settings, self._costs(candidate))

    def _code(self, candidate: Candidate) -> Vector | None:
        try:
            return np.asarray(self._space.encode(candidate), dtype=np.float64)
        except SearchSpaceError:
            return None

    def _costs(self, candidate: Candidate) -> dict[str, float]:
        if self._schema is None or candidate.architecture is None:
            return {}
        try:
            price = cost(candidate.architecture, self._schema)
        except SearchSpaceError:
            return {}
        named = {"flops": price.flops, "params": price.parameters, "bytes": price.embedding_bytes}
        return {name: math.log10(1 + value) for name, value in named.items()}


def settings_features(candidate: Candidate) -> dict[str, float]:
    """Settings as numbers; a list of numbers counts by its length and by its sum, anything else by its value.

    >>> from searchspaces import Options
    >>> settings_features(Candidate(training=Options(layers=[8, 4], optimizer="adam", rate=0.5)))
    {'training layers length': 2.0, 'training layers sum': 12.0, "training optimizer 'adam'": 1.0, 'training rate': 0.5}
    """
    found: dict[str, float] = {}
    for group, options in (("training", candidate.training), ("system", candidate.system)):
        for name, value in options.items():
            found |= _numbers(f"{group} {name}", value)
    return found


def _numbers(name: str, value: object) -> dict[str, float]:
    if isinstance(value, int | float):
        return {name: float(value)}
    if isinstance(value, tuple) and all(isinstance(one, int | float) for one in value):
        return {f"{name} length": float(len(value)), f"{name} sum": float(sum(value))}
    return {f"{name} {value!r}": 1.0}
