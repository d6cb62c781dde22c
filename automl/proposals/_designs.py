"""Initial designs: by chance, or spread over the space, each start far from all that is known before it.

Sources: Johnson, Moore and Ylvisaker 1990, Minimax and Maximin Distance Designs; one after another as in Mitchell 1991,
Spectrally Optimal Sampling for Distribution Ray Tracing, so that what is pending and human-made is kept away from too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automl.proposals._costs import closed_form_costs
from automl.proposals._starts import why_outside
from automl.proposals._unseen import Identity
from evaluators import Suggestion
from searchspaces import Architecture, Candidate, FeatureSchema, SearchSpace
from searchspaces.graph_features import refined_labels

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

DESIGNS = ("random", "spread")
DRAWN = 100
"""Random candidates for each start, of which it is one: two thousand for twenty starts."""
CLASSES = 4
"""Of FLOPs, which starts take in turn."""
ROUNDS = 2
"""Of refinement: sub-graphs of up to this height are counted."""


@dataclass(frozen=True, eq=False)
class Spread:
    """Starts by the largest distance from the nearest candidate that is known.

    Architectures are as far from each other as their counted sub-graphs are, in the Weisfeiler-Lehman kernel scaled to
    one for equal ones, whether they are points of the space or not. Candidates without an architecture are so by the
    space's encoding, each column in units of its range. Where a schema tells FLOPs, the starts take turns among the
    quarters of what was drawn, from the cheapest to the dearest.
    """

    space: SearchSpace
    schema: FeatureSchema | None = None

    def next(
        self,
        known: Iterable[Candidate],
        place: int,
        *,
        taken: Set[Identity],
        rng: np.random.Generator,
        allows: Callable[[Candidate], bool] = lambda _: True,
    ) -> Suggestion | None:
        """The start of that place, which is not taken and allowed; None where nothing of the kind is drawn."""
        pool = self._of_one_class(self._drawn(taken, allows, rng), place)
        if not pool:
            return None
        at = int(np.argmax(_nearest(self.space, pool, list(known))))
        return Suggestion(pool[at], origin="spread")

    def _drawn(
        self, taken: Set[Identity], allows: Callable[[Candidate], bool], rng: np.random.Generator
    ) -> list[Candidate]:
        found: dict[Identity, Candidate] = {}
        for _ in range(DRAWN):
            candidate = self.space.sample(rng)
            identity = Suggestion(candidate).identity
            if identity not in taken and allows(candidate):
                found.setdefault(identity, candidate)
        return list(found.values())

    def _of_one_class(self, drawn: Sequence[Candidate], place: int) -> list[Candidate]:
        flops = np.array([closed_form_costs(one, self.schema, ["flops"])[0] for one in drawn])
        if len(drawn) < CLASSES or not np.isfinite(flops).all():
            return list(drawn)
        members = np.array_split(np.argsort(flops, kind="stable"), CLASSES)[place % CLASSES]
        return [drawn[at] for at in sorted(members)]


def spread_design(name: str, space: SearchSpace, schema: FeatureSchema | None) -> Spread | None:
    """What a searcher's option `design` means; None where starts are left to chance."""
    return Spread(space, schema) if name == "spread" else None


def design_mistakes(name: str) -> list[str]:
    """A sentence where no design is called so."""
    return [] if name in DESIGNS else [f"design must be one of {', '.join(DESIGNS)}, but is {name!r}"]


def _nearest(space: SearchSpace, pool: Sequence[Candidate], known: Sequence[Candidate]) -> Vector:
    """Of each of the pool the distance from the nearest that is known, `[len(pool)]`; infinite where nothing is."""
    graphs = [one.architecture for one in pool if one.architecture is not None]
    if len(graphs) == len(pool):
        rows = _counted(graphs + [one.architecture for one in known if one.architecture is not None])
    else:
        inside = [one for one in known if not why_outside(space, one)]
        rows = _scaled(np.stack([np.asarray(space.encode(one), np.float64) for one in (*pool, *inside)]))
    nearest = np.full(len(pool), np.inf)
    for other in rows[len(pool) :]:
        nearest = np.minimum(nearest, np.sqrt(((rows[: len(pool)] - other) ** 2).sum(axis=1)))
    return nearest


def _counted(graphs: Sequence[Architecture]) -> Matrix:
    """How often each has each label, `[len(graphs), labels]`, rows of length one."""
    counts = [_labels(one) for one in graphs]
    place = {label: at for at, label in enumerate(dict.fromkeys(label for one in counts for label in one))}
    rows = np.zeros((len(counts), len(place)))
    for row, one in zip(rows, counts, strict=True):
        for label, count in one.items():
            row[place[label]] = count
    scaled: Matrix = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return scaled


def _labels(graph: Architecture) -> Counter[str]:
    """Sub-graphs of blocks alone, and blocks with their options: with options few larger ones are shared."""
    rounds = refined_labels(graph, ROUNDS, with_options=False)
    (blocks,) = refined_labels(graph, 0, with_options=True)
    return Counter(label for labels in (*rounds, blocks) for label in labels)


def _scaled(codes: Matrix) -> Matrix:
    spread = np.ptp(codes, axis=0)
    scaled: Matrix = codes / np.where(spread > 0, spread, 1.0)
    return scaled
