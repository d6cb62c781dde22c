"""What searchers that say so promise of bounds: nothing is proposed that formulas tell to break one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from automl.proposals import closed_form_costs
from evaluators import Evaluation, Metric, Objective
from searchspaces import Candidate, load_plugin
from searchspaces.spaces.autoctr import AutoCTR
from tests.automl._bitstrings import Outcome, search
from tests.searchspaces.graphs import schema

SCHEMA = schema()
SPACE = AutoCTR(SCHEMA, blocks=3)
FEW: dict[str, dict[str, Any]] = {
    "autoctr": {"population": 6},
    "local_search": {"starts": 4},
    "predictor_rl": {"initial": 6, "round_size": 4, "steps": 10, "alphas": (0.0,), "exploration": 0.5},
    "regularized_evolution": {"population": 6, "tournament": 3},
}


def flops(candidate: Candidate) -> float:
    return float(closed_form_costs(candidate, SCHEMA, ["flops"])[0])


def dearer_is_better(candidate: Candidate) -> Outcome:
    return Evaluation({"ne": Metric(1.0 / flops(candidate)), "flops": Metric(flops(candidate))})


@pytest.mark.parametrize("name", FEW)
def test_nothing_is_proposed_that_is_known_to_break_a_bound(name: str) -> None:
    rng = np.random.default_rng(0)
    bound = float(np.quantile([flops(SPACE.sample(rng)) for _ in range(60)], 0.3))
    objectives = [Objective("ne"), Objective("flops", bound=bound)]
    searcher = load_plugin("automl.searchers", name)(SPACE, objectives, schema=SCHEMA, **FEW[name])
    record = search(searcher, 18, evaluate=dearer_is_better)
    assert max(flops(trial.candidate) for trial in record) <= bound
