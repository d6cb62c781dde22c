"""A factorised policy over the decisions of a space: draws assignments, and says how to make good ones likelier.

Letters: B assignments, D decisions, C choices of all decisions together; l logits and p probabilities `[C]`, p a
softmax of l within each decision. A drawn assignment is a row of D places among the choices, -1 where the decision
does not count. Its probability is the product over the decisions that count: the others have no part in a gradient.

Source of the gradient: Williams 1992, Simple Statistical Gradient-Following Algorithms for Connectionist Reinforcement
Learning (REINFORCE). Source of the factorised policy in this trade: Yin et al. 2023, AutoML for Large Capacity Modeling
of Meta's Ranking Systems.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from searchspaces import Assignment, Choice, Decision

Rows = NDArray[np.int64]  # [B, D]
Vector = NDArray[np.float64]

DOES_NOT_COUNT = -1


@dataclass(frozen=True, eq=False)
class Policy:
    """Logits `[C]` over the choices of `decisions`, in their order; conditions point backwards.

    >>> from searchspaces import Condition, OperatorChoice, WidthChoice
    >>> operator = OperatorChoice("operator", ("mlp", "fm"))
    >>> policy = Policy.uniform([operator, WidthChoice("width", (32, 64), Condition("operator", ("mlp",)))])
    >>> policy.assignment(np.array([1, -1]))
    {'operator': 'fm'}
    >>> np.exp(policy.log_likelihood(np.array([[0, 1], [1, -1]]))).round(2).tolist()
    [0.25, 0.5]
    """

    decisions: tuple[Decision, ...]
    logits: Vector = field(repr=False)

    @classmethod
    def uniform(cls, decisions: Sequence[Decision]) -> Policy:
        """Every choice of a decision as likely as the others."""
        return cls(tuple(decisions), np.zeros(sum(len(one.choices) for one in decisions)))

    def moved(self, step: Vector) -> Policy:
        """The policy with `step` `[C]` added to its logits."""
        return replace(self, logits=self.logits + step)

    @cached_property
    def probabilities(self) -> Vector:
        """Of each choice where its decision counts, `[C]`."""
        raised = np.exp(self.logits - np.maximum.reduceat(self.logits, self._starts)[self._owners])
        shares: Vector = raised / np.add.reduceat(raised, self._starts)[self._owners]
        return shares

    def sample(self, count: int, rng: np.random.Generator) -> Rows:
        """`count` assignments as rows of places."""
        heights = rng.random((len(self.decisions), count))
        rows = np.full((count, len(self.decisions)), DOES_NOT_COUNT, dtype=np.int64)
        for at, decision in enumerate(self.decisions):
            sums = np.cumsum(self._own(self.probabilities, at))[:-1]
            drawn = np.searchsorted(sums, heights[at], side="right")
            rows[:, at] = np.where(self._counts(decision, rows), drawn, DOES_NOT_COUNT)
        return rows

    def assignment(self, row: NDArray[np.int64]) -> dict[str, Choice]:
        """The choices that a row stands for; slots that do not count are left out."""
        pairs = zip(self.decisions, row.tolist(), strict=True)
        return {one.slot: one.choices[place] for one, place in pairs if place != DOES_NOT_COUNT}

    def likeliest(self) -> dict[str, Choice]:
        """The likeliest choice of each decision that counts once the earlier ones are made so."""
        found: dict[str, Choice] = {}
        for at, decision in enumerate(self.decisions):
            if decision.counts(found):
                found[decision.slot] = decision.choices[int(self._own(self.probabilities, at).argmax())]
        return found

    def row(self, assignment: Assignment) -> NDArray[np.int64]:
        """The row that stands for an assignment, `[D]`; the inverse of `assignment`."""
        places = [
            [repr(one) for one in decision.choices].index(repr(assignment[decision.slot]))
            if decision.slot in assignment
            else DOES_NOT_COUNT
            for decision in self.decisions
        ]
        return np.array(places, dtype=np.int64)

    def log_likelihood(self, rows: Rows) -> Vector:
        """Logarithm of the probability of each row, `[B]`."""
        total: Vector = np.where(rows >= 0, self._logarithms[self._places(rows)], 0.0).sum(axis=1)
        return total

    def likelihood_gradient(self, rows: Rows, weights: Vector) -> Vector:
        """Of the sum over rows of weight times log probability, by the logits: `[C]`.

        That is, for a decision, the weight of each choice where it was made, less p times the weight of all rows in
        which the decision counts.
        """
        counting = rows >= 0
        each = np.broadcast_to(weights[:, None], rows.shape)
        made = np.bincount(self._places(rows)[counting], weights=each[counting], minlength=len(self.logits))
        gradient: Vector = made - self.probabilities * (weights @ counting)[self._owners]
        return gradient

    def entropies(self) -> Vector:
        """Of each decision where it counts, in nats, `[D]`."""
        found: Vector = -np.add.reduceat(self.probabilities * self._logarithms, self._starts)
        return found

    def entropy_gradient(self, rows: Rows) -> Vector:
        """Of the mean over rows of the entropies of the decisions that count in them, by the logits: `[C]`.

        Which decisions count is taken as given: how the choice of an operator changes that is left out.
        """
        shares = (rows >= 0).mean(axis=0)
        slope = -self.probabilities * (self._logarithms + self.entropies()[self._owners])
        gradient: Vector = slope * shares[self._owners]
        return gradient

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        sizes = [len(one.choices) for one in self.decisions]
        return np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)

    @cached_property
    def _owners(self) -> NDArray[np.int64]:
        """The decision that each choice belongs to, `[C]`."""
        return np.repeat(np.arange(len(self.decisions)), [len(one.choices) for one in self.decisions])

    @cached_property
    def _slots(self) -> dict[str, int]:
        return {one.slot: at for at, one in enumerate(self.decisions)}

    @property
    def _logarithms(self) -> Vector:
        """Of p; of the smallest number where p is zero, so that p log p is zero."""
        logarithms: Vector = np.log(np.maximum(self.probabilities, np.finfo(float).tiny))
        return logarithms

    def _own(self, values: Vector, at: int) -> Vector:
        start = int(self._starts[at])
        return values[start : start + len(self.decisions[at].choices)]

    def _places(self, rows: Rows) -> NDArray[np.int64]:
        """Where each choice stands among the C; somewhere where the decision does not count."""
        places: NDArray[np.int64] = self._starts + np.maximum(rows, 0)
        return places

    def _counts(self, decision: Decision, rows: Rows) -> NDArray[np.bool_]:
        """Whether the decision counts in each row, of which the earlier decisions are made, `[B]`."""
        condition = decision.condition
        if condition is None:
            return np.ones(len(rows), dtype=np.bool_)
        at = self._slots[condition.slot]
        holds = [condition.holds({condition.slot: choice}) for choice in self.decisions[at].choices]
        counts: NDArray[np.bool_] = (rows[:, at] >= 0) & np.array(holds)[rows[:, at]]
        return counts
