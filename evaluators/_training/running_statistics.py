"""Running statistics of a member's batch norms: no parameters, but averaged as the weights are that they belong to."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from searchspaces.layers import BatchNorm


class RunningStatistics:
    """The running means and variances of a model, their moving average, and the last ones while that is in use.

    The mean of an affine unit is linear in its weights: on the same rows averaged weights have the averaged mean, while
    the last statistics are those of the last weights.
    """

    def __init__(self, model: nn.Module) -> None:
        norms = [one for one in model.modules() if isinstance(one, BatchNorm)]
        self._running = [own for one in norms for own in (one.running_mean, one.running_var)]
        self._average: Sequence[Tensor] = ()
        self._last: Sequence[Tensor] = ()

    def add_to_average(self, share: float) -> None:
        """Moves the mean of the statistics by `share` of the way to what they are now; 1 begins it."""
        if not self._average or share >= 1.0:
            self._average = [one.clone() for one in self._running]
            return
        for mean, one in zip(self._average, self._running, strict=True):
            mean.lerp_(one, share)

    def use(self, *, averaged: bool) -> None:
        """Lets the model normalise with averaged statistics, or with the last ones."""
        if averaged and self._average:
            self._last = self._last or [one.clone() for one in self._running]
            self._put(self._average)
        elif self._last:
            self._put(self._last)
            self._last = ()

    def _put(self, found: Sequence[Tensor]) -> None:
        for own, one in zip(self._running, found, strict=True):
            own.copy_(one)
