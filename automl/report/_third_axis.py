"""Encodes a third objective in the colour of a plot's dots, with its name on the scale."""

from __future__ import annotations

import math
from collections.abc import Sequence

from automl.report import _format
from automl.report._plotting import INK, Json, axis_title
from evaluators import Objective, Trial

SCALE = "Viridis"
"""Even to the eye and to colour-blind readers (van der Walt and Smith 2015, matplotlib's default colormaps)."""

WIDE = 10.0
"""Times that the largest value is of the smallest, from which on colours go by the logarithm."""

TICKS = 5


class ThirdAxis:
    """Colours for the values of one objective that trials have: all on one scale."""

    def __init__(self, objective: Objective, trials: Sequence[Trial]) -> None:
        values = [value for trial in trials if (value := trial.value(objective.metric)) is not None]
        self.objective = objective
        self._low, self._high = (min(values), max(values)) if values else (0.0, 1.0)
        self._is_log = self._low > 0 and self._high > WIDE * self._low

    def colour(self, trace: Json, trials: Sequence[Trial], *, has_scale: bool) -> Json:
        """The trace of these trials with coloured markers; one trace of a plot has the scale."""
        numbers = [self._placed(trial.value(self.objective.metric)) for trial in trials]
        trace["marker"] |= {
            "color": numbers,
            "cmin": self._placed(self._low),
            "cmax": self._placed(self._high),
            "colorscale": SCALE,
            "showscale": has_scale,
        }
        if has_scale:
            trace["marker"]["colorbar"] = self._bar()
        return trace

    def _bar(self) -> Json:
        low, high = self._placed(self._low) or 0.0, self._placed(self._high) or 0.0
        places = [low + (high - low) * step / (TICKS - 1) for step in range(TICKS)] if high > low else [low]
        values = [10**place if self._is_log else place for place in places]
        title = f"{axis_title(self.objective)}{', log scale' if self._is_log else ''}"
        return {
            "title": {"text": title, "side": "right", "font": {"size": 12, "color": INK}},
            "tickvals": places,
            "ticktext": [_format.value(self.objective.metric, value) for value in values],
            "thickness": 14,
            "outlinewidth": 0,
        }

    def _placed(self, value: float | None) -> float | None:
        return value if value is None or not self._is_log else math.log10(value)
