"""When a differentiable search trains weights and when logits, and at which temperature."""

from __future__ import annotations

from dataclasses import dataclass

from automl._errors import AutomlError


@dataclass(frozen=True)
class Turns:
    """`steps` in all; shares are parts of them.

    weights_first      share of the first steps, in which weights alone are trained
    weight_slice       steps of a slice on weights; after the first ones such slices and others take turns
    logit_slice        steps of a slice on logits, which comes first: such a step asks many models, the other trains one
    temperature        of the first step on logits; it falls exponentially to `last_temperature`
    straight_share     share of the last steps, in which each choice counts by its own loss instead of a mixture's
    guarded_share      share of the first steps that are guarded, and pay no price for missing a target: operators are
                       chosen while widths are free, else the first costly one that is met fills the target

    Wu et al. (2019), FBNet: hardware-aware efficient ConvNet design via differentiable neural architecture search,
    begin with a tenth of the run on weights alone and a temperature of 5, and let it fall by 0.956 an epoch.

    Raises:
        AutomlError: a count is below one, a share is not from 0 to 1, or a temperature is not above zero.
    """

    steps: int
    weights_first: float = 0.1
    weight_slice: int = 4
    logit_slice: int = 1
    temperature: float = 5.0
    last_temperature: float = 0.5
    straight_share: float = 0.2
    guarded_share: float = 0.4

    def __post_init__(self) -> None:
        for name in ("steps", "weight_slice", "logit_slice"):
            if getattr(self, name) < 1:
                raise AutomlError(f"{name!r} must be at least 1, but is {getattr(self, name)!r}")
        for name in ("weights_first", "straight_share", "guarded_share"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise AutomlError(f"{name!r} is a share from 0 to 1, but is {getattr(self, name)!r}")
        for name in ("temperature", "last_temperature"):
            if not getattr(self, name) > 0.0:
                raise AutomlError(f"{name!r} must be above zero, but is {getattr(self, name)!r}")

    @classmethod
    def for_weights(cls, weight_steps: int, **settings: float) -> Turns:
        """As many steps as it takes to have so many on weights.

        >>> Turns.for_weights(100).weight_steps
        100
        """
        steps = weight_steps
        while (found := cls(steps, **settings)).weight_steps < weight_steps:  # type: ignore[arg-type]
            steps += weight_steps - found.weight_steps
        return found

    @property
    def first(self) -> int:
        """The first step on logits, where there is one."""
        return round(self.weights_first * self.steps)

    @property
    def weight_steps(self) -> int:
        """How many steps are on weights."""
        return self.steps - self.logit_steps_before(self.steps)

    def is_on_logits(self, step: int) -> bool:
        """Whether a step trains logits; else it trains weights.

        >>> [Turns(10, weights_first=0.1, weight_slice=2, logit_slice=1).is_on_logits(step) for step in range(8)]
        [False, True, False, False, True, False, False, True]
        """
        return step >= self.first and (step - self.first) % self._period < self.logit_slice

    def logit_steps_before(self, step: int) -> int:
        """How many of the steps before this one are on logits.

        >>> [Turns(10, weights_first=0.1, weight_slice=2, logit_slice=1).logit_steps_before(step) for step in range(8)]
        [0, 0, 1, 1, 1, 2, 2, 2]
        """
        whole, rest = divmod(max(0, step - self.first), self._period)
        return whole * self.logit_slice + min(rest, self.logit_slice)

    @property
    def _period(self) -> int:
        return self.weight_slice + self.logit_slice

    def temperature_at(self, step: int) -> float:
        """Of the draws of a step on logits.

        >>> [Turns(11, weights_first=0, temperature=4, last_temperature=1).temperature_at(at) for at in (0, 5, 10)]
        [4.0, 2.0, 1.0]
        """
        done = max(0.0, (step - self.first) / max(1, self.steps - 1 - self.first))
        return self.temperature * float((self.last_temperature / self.temperature) ** done)

    def price_at(self, step: int) -> float:
        """The part of the price that a step pays: from none where the guard ends to all where choices stand alone.

        >>> [Turns(10, guarded_share=0.4, straight_share=0.2).price_at(step) for step in (3, 4, 6, 8, 9)]
        [0.0, 0.0, 0.5, 1.0, 1.0]
        """
        first, last = round(self.guarded_share * self.steps), self._first_straight
        return float(min(1.0, max(0.0, (step - first) / max(1, last - first))))

    @property
    def _first_straight(self) -> int:
        return self.steps - round(self.straight_share * self.steps)

    def is_straight(self, step: int) -> bool:
        """Whether each choice counts by its own loss."""
        return step >= self._first_straight

    def is_guarded(self, step: int) -> bool:
        """Whether choices with weights are kept from being given up."""
        return step < round(self.guarded_share * self.steps)
