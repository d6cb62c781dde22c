"""Draws of all decisions from a policy, and the loss that tells its logits which draw would have been better.

Letters: C choices of all decisions together, K choices of one of them; l logits `[C]`, g Gumbel noise `[C]`, t the
temperature, p = softmax((l + g) / t) of one decision; z click logits, y labels, n rows; T the target of multiply-adds.

A draw takes the largest l + g of each decision, which is one of its choices with probability softmax(l). A *fork* is
one of its decisions with the sub-network of each choice, everything else as drawn. Its click logits are mixed, and so
are its multiply-adds:

    loss = log loss of sum_k p_k z_k  +  weight |sum_k p_k macs_k / T - 1|

which is the Gumbel-softmax relaxation of one decision at a time. It needs outputs of sub-networks and nothing of how a
space is made. Sources: Jang, Gu and Poole (2017), Categorical reparameterization with Gumbel-softmax; the absolute
distance to a target is that of Bender et al. (2020), Can weight sharing outperform random architecture search? (TuNAS).
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

    def relaxed(self, at: int, *, temperature: float, is_straight: bool) -> Relaxed:
        """Decision number `at` with all its choices; all of it on what was drawn where `is_straight`."""
        own = slices(self.decisions)[at]
        raised = np.exp((self.heights[own] - self.heights[own].max()) / temperature)
        soft = raised / raised.sum()
        mixed = np.eye(len(soft))[self.places[at]] if is_straight else soft
        return Relaxed(own, mixed, soft, temperature)


@dataclass(frozen=True, eq=False)
class Relaxed:
    """A decision whose choices are mixed by `mixed` `[K]`, and whose gradient is that of `soft` `[K]`.

    The two are the same, but for straight-through estimates (Bengio, Leonard and Courville 2013, Estimating or
    propagating gradients through stochastic neurons). `own` says where its choices stand among the C.
    """

    own: slice
    mixed: Vector
    soft: Vector
    temperature: float

    def logit_gradient(self, gradient: Vector) -> Vector:
        """From the gradient by the shares of the choices to that by their logits, both `[K]`."""
        found: Vector = self.soft * (gradient - self.soft @ gradient) / self.temperature
        return found


@dataclass(frozen=True)
class Target:
    """Multiply-adds to have, and what the loss adds for twice as many, or for none."""

    macs: float
    weight: float

    def missed(self, macs: float) -> float:
        """Distance from the target, as a share of it."""
        return abs(macs / self.macs - 1.0)

    def at(self, part: float) -> Target:
        """The same target at part of the price."""
        return Target(self.macs, part * self.weight)

    def slope(self, macs: float) -> float:
        """Of what the loss adds, by the multiply-adds."""
        return self.weight * float(np.sign(macs - self.macs)) / self.macs


def relaxed_loss(
    relaxed: Relaxed, outputs: Vector, labels: Vector, macs: Vector, target: Target
) -> tuple[float, Vector]:
    """The loss of a fork, and its gradient by the logits of the decision `[K]`.

    `outputs` are the click logits of each choice `[K, n]`, `labels` 0 or 1 `[n]`, `macs` those of each choice `[K]`.
    """
    outputs = np.clip(outputs, -SUREST, SUREST)
    clicks, price = relaxed.mixed @ outputs, float(relaxed.mixed @ macs)
    loss = float(np.mean(np.logaddexp(0.0, clicks) - labels * clicks)) + target.weight * target.missed(price)
    residuals = (1.0 / (1.0 + np.exp(-clicks)) - labels) / len(labels)
    return loss, relaxed.logit_gradient(outputs @ residuals + target.slope(price) * macs)


def slices(decisions: Sequence[Decision]) -> list[slice]:
    """Where the choices of each decision stand among the C."""
    ends = np.cumsum([len(one.choices) for one in decisions]).tolist()
    return [slice(end - len(one.choices), end) for one, end in zip(decisions, ends, strict=True)]
