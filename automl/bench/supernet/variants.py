"""The ways a supernet is trained and scored that are compared: all parts on, each off alone, and all off."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Variant:
    """Which parts are on.

    warm_up       the full path first
    refit         the last layer is fitted to calibration rows
    recalibrate   statistics of norms too
    paired        all candidates are scored on the same rows; else each on one of the windows of the validation part
    whole         on all of its rows, as the evaluator does it by default
    """

    name: str
    warm_up: bool = True
    refit: bool = True
    recalibrate: bool = True
    paired: bool = True
    whole: bool = False

    @property
    def training(self) -> str:
        """Variants with the same one share a supernet."""
        return "warm" if self.warm_up else "cold"


ALL_ON = "all on"

VARIANTS = (
    Variant(ALL_ON),
    Variant("all on, all validation rows", whole=True),
    Variant("no warm-up", warm_up=False),
    Variant("no refit of the last layer", refit=False),
    Variant("no recalibration", recalibrate=False),
    Variant("each on rows of its own", paired=False),
    Variant("all off", warm_up=False, refit=False, recalibrate=False, paired=False),
)
