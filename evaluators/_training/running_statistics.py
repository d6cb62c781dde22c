"""Running statistics of a member's batch norms: no parameters, but averaged as the weights are that they belong to."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from searchspaces.layers import BatchNorm


class RunningStatistics:
    """The running means and variances of a model, their moving average, and the last ones while that is in use.

    The average is over what all batches since the last average had: with the running statistics themselves, which look
    back over ten batches more, it would lag behind the weights.
    """

    def __init__(self, model: nn.Module) -> None:
        self._norms = [one for one in model.modules() if isinstance(one, BatchNorm)]
        self._running = [own for one in self._norms for own in (one.running_mean, one.running_var)]
        self._average: Sequence[Tensor] = ()
        self._last: Sequence[Tensor] = ()

    def add_to_average(self, share: float) -> None:
        """Moves the mean of the statistics by `share` of the way to those since the last time; 1 begins it."""
        recent = [own for one in self._norms for own in one.take_recent()]
        if not self._average or share >= 1.0:
            self._average = recent
            return
        for mean, one in zip(self._average, recent, strict=True):
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
