"""Draws of all decisions from a policy, and the loss that tells its logits which draw would have been better.

Letters: C choices of all decisions together, K choices of one of them; l logits `[C]`, g Gumbel noise `[C]`, t the
temperature, p = softmax((l + g) / t) of one decision; z click logits, y labels, n rows; T the target of multiply-adds.

A draw takes the largest l + g of each decision, which is one of its choices with probability softmax(l). A *fork* is
one of its decisions with the sub-network of each choice, everything else as drawn. Its click logits are mixed:

    loss = log loss of sum_k p_k z_k  +  weight sum_k p_k |macs_k / T - 1|

which is the Gumbel-softmax relaxation of one decision at a time. It needs outputs of sub-networks and nothing of how a
space is made. Multiply-adds are known exactly for each choice, so that their distance is what is expected, as in the
absolute reward of TuNAS; the distance of the expected ones would call a target met by half of twice as much.

A mixture can be better than all that it is made of, and only one of them stays. At the end of a search each choice
therefore counts by the loss that it has when it is taken:

    loss = sum_k p_k (log loss of z_k  +  weight |macs_k / T - 1|)

That is what straight-through estimates (Bengio, Leonard and Courville 2013) are after, which guess the other losses by
the slope at the one drawn; here all of them have been computed.

Sources: Jang, Gu and Poole (2017), Categorical reparameterization with Gumbel-softmax; Bender et al. (2020), Can weight
sharing outperform random architecture search? An investigation with TuNAS.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automl.proposals import Policy
from searchspaces import Choice, Decision

Vector = NDArray[np.float64]

SUREST = 8.0
"""Click logits beyond are taken for this: a sub-network whose weights nobody has trained together may say anything."""


@dataclass(frozen=True, eq=False)
class Draw:
    """One draw of every decision, counting or not: l + g as `heights` `[C]`, and the place of each largest choice."""

    decisions: tuple[Decision, ...]
    heights: Vector
    places: tuple[int, ...]

    @classmethod
    def of(cls, policy: Policy, rng: np.random.Generator) -> Draw:
        """Draws each decision by itself."""
        heights = policy.logits + rng.gumbel(size=len(policy.logits))
        places = [int(heights[own].argmax()) for own in slices(policy.decisions)]
        return cls(policy.decisions, heights, tuple(places))

    @property
    def assignment(self) -> dict[str, Choice]:
        """The choice of every decision."""
        return {one.slot: one.choices[at] for one, at in zip(self.decisions, self.places, strict=True)}

    def relaxed(self, at: int, *, temperature: float) -> Relaxed:
        """Decision number `at` with a share of each of its choices."""
        own = slices(self.decisions)[at]
        raised = np.exp((self.heights[own] - self.heights[own].max()) / temperature)
        return Relaxed(own, raised / raised.sum(), temperature)


@dataclass(frozen=True, eq=False)
class Relaxed:
    """A decision whose choices have the `shares` p `[K]`; `own` says where they stand among the C."""

    own: slice
    shares: Vector
    temperature: float

    def logit_gradient(self, gradient: Vector) -> Vector:
        """From the gradient by the shares of the choices to that by their logits, both `[K]`."""
        found: Vector = self.shares * (gradient - self.shares @ gradient) / self.temperature
        return found


@dataclass(frozen=True)
class Target:
    """Multiply-adds to have, and what the loss adds for twice as many, or for none."""

    macs: float
    weight: float

    def missed(self, macs: Vector) -> Vector:
        """Distance from the target, as a share of it."""
        found: Vector = np.abs(macs / self.macs - 1.0)
        return found

    def at(self, part: float) -> Target:
        """The same target at part of the price."""
        return Target(self.macs, part * self.weight)


def mixed_loss(relaxed: Relaxed, outputs: Vector, labels: Vector, macs: Vector, target: Target) -> tuple[float, Vector]:
    """The loss of a fork whose choices are mixed, and its gradient by the logits of the decision `[K]`.

    `outputs` are the click logits of each choice `[K, n]`, `labels` 0 or 1 `[n]`, `macs` those of each choice `[K]`.
    """
    outputs, prices = np.clip(outputs, -SUREST, SUREST), target.weight * target.missed(macs)
    clicks = relaxed.shares @ outputs
    residuals = (1.0 / (1.0 + np.exp(-clicks)) - labels) / len(labels)
    loss = float(log_losses(clicks, labels) + relaxed.shares @ prices)
    return loss, relaxed.logit_gradient(outputs @ residuals + prices)


def expected_loss(
    relaxed: Relaxed, outputs: Vector, labels: Vector, macs: Vector, target: Target
) -> tuple[float, Vector]:
    """As `mixed_loss`, but each choice counts by its own loss."""
    losses = log_losses(np.clip(outputs, -SUREST, SUREST), labels) + target.weight * target.missed(macs)
    return float(relaxed.shares @ losses), relaxed.logit_gradient(losses)


def log_losses(clicks: Vector, labels: Vector) -> Vector:
    """Mean log loss of click logits `[..., n]`, over the rows."""
    found: Vector = np.mean(np.logaddexp(0.0, clicks) - labels * clicks, axis=-1)
    return found


def slices(decisions: Sequence[Decision]) -> list[slice]:
    """Where the choices of each decision stand among the C."""
    ends = np.cumsum([len(one.choices) for one in decisions]).tolist()
    return [slice(end - len(one.choices), end) for one, end in zip(decisions, ends, strict=True)]
