"""Scores of one candidate in one supernet, under all variants that share it."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from automl.bench.supernet.plan import Ground
from automl.bench.supernet.variants import VARIANTS, Fit, Start, Variant
from evaluators._datasets import Part, read_rows
from evaluators._errors import DivergedError
from evaluators._training.examples import Examples
from evaluators._training.supernet.network import Supernet
from evaluators._training.supernet.scoring import Scorer
from evaluators._training.supernet.settings import ScoringSettings
from searchspaces import Architecture
from searchspaces.build import RankingModel

METRIC = "supernet_ne"

WORST = 10.0
"""What a sub-network scores whose logits are no finite numbers."""


@dataclass(frozen=True, eq=False)
class Scoring:
    """By start who draws and adapts a sub-network; by variant who fits and measures it, on one window or on several."""

    starts: Mapping[Start, Scorer]
    scorers: Mapping[Variant, Sequence[Scorer]]

    @classmethod
    def of(cls, ground: Ground, training: str, net: Supernet) -> Scoring:
        """Of the variants that share a supernet."""
        plan, valid = ground.plan, ground.dataset.part("valid")
        calibration = Examples(ground.rows()[1], net.device)
        whole = Examples(valid, net.device)
        windows = [Examples(one, net.device) for one in _windows(valid, plan.window)]
        starts, scorers = {}, {}
        for one in VARIANTS:
            if one.training != training:
                continue
            passes = plan.adapt if one.adapt else 0
            settings = ScoringSettings(one.recalibrate, one.refit, calibration_rows=plan.calibration_rows, adapt=passes)
            own = replace(net, shared={}) if one.fresh else net
            starts[one.start] = Scorer(own, calibration, windows[0], settings)
            evaluated = [whole] if one.whole else windows[:1] if one.paired else windows
            scorers[one] = [Scorer(own, calibration, rows, settings) for rows in evaluated]
        return cls(starts, scorers)

    def row(self, at: int, architecture: Architecture) -> dict[str, float]:
        """By name of variant the loss of the candidate that is number `at` of the table."""
        begun = {start: scorer.adapted(architecture) for start, scorer in self.starts.items()}
        fitted: dict[Fit, RankingModel] = {}
        found = {}
        for one, scorers in self.scorers.items():
            if one.fit not in fitted:
                fitted[one.fit] = _twin(begun[one.start])
                scorers[0].fit(fitted[one.fit])
            found[one.name] = _loss(scorers[at % len(scorers)], fitted[one.fit])
        return found


def _loss(scorer: Scorer, model: RankingModel) -> float:
    try:
        return float(scorer.measured(model)[METRIC].value)
    except DivergedError:
        return WORST


def _twin(model: RankingModel) -> RankingModel:
    """A copy to fit, with the tables of the first one."""
    tables = [table.module.weight for layer in model.sources().values() for table in layer.tables().values()]
    return copy.deepcopy(model, {id(one): one for one in tables})


def _windows(valid: Part, window: int) -> list[Part]:
    """Validation rows of the first candidate, of the second, and so on, in turn."""
    return [read_rows(valid, at * window, (at + 1) * window) for at in range(len(valid) // window)]
