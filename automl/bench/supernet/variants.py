"""The ways a supernet is trained and scored that are compared: all parts on, each off alone, and all off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

WARM, COLD = "warm", "cold"
"""How a supernet was trained: with the full path first, or without."""


class Start(NamedTuple):
    """What variants have in common that begin with one and the same sub-network."""

    adapt: bool
    fresh: bool


class Fit(NamedTuple):
    """The same of those that fit it alike."""

    start: Start
    refit: bool
    recalibrate: bool


@dataclass(frozen=True)
class Variant:
    """Which parts are on.

    warm_up       the full path first
    adapt         all layers are trained on for a few steps on calibration rows
    fresh         layers are drawn anew, on the tables of the supernet: what is left is what shared layers are worth
    refit         the last layer is fitted to calibration rows (after `adapt` no gain, so that it is no part of all)
    recalibrate   statistics of norms too
    paired        all candidates are scored on the same rows; else each on one of the windows of the validation part
    whole         on all of its rows, as the evaluator does it by default
    """

    name: str
    warm_up: bool = True
    adapt: bool = True
    fresh: bool = False
    refit: bool = False
    recalibrate: bool = True
    paired: bool = True
    whole: bool = False

    @property
    def training(self) -> str:
        """Variants with the same one share a supernet."""
        return WARM if self.warm_up else COLD

    @property
    def start(self) -> Start:
        """Variants with the same one share sub-networks, too."""
        return Start(self.adapt, self.fresh)

    @property
    def fit(self) -> Fit:
        """Variants with the same one differ in rows alone."""
        return Fit(self.start, self.refit, self.recalibrate)


ALL_ON = "all on"

VARIANTS = (
    Variant(ALL_ON),
    Variant("all on, all validation rows", whole=True),
    Variant("no warm-up", warm_up=False),
    Variant("no recalibration", recalibrate=False),
    Variant("each on rows of its own", paired=False),
    Variant("last layer refitted, others as they are", adapt=False, refit=True),
    Variant("all layers adapted, last one refitted", refit=True),
    Variant("neither adapted nor refitted", adapt=False),
    Variant("all off", warm_up=False, adapt=False, recalibrate=False, paired=False),
    Variant("fresh layers, adapted", fresh=True),
)
