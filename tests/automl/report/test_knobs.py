"""Which knobs matter: shares of planted effects, with intervals that hold them."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from automl.report._knobs import FEWEST, Importances, knob_importances
from automl.report._knobs_figure import knob_sentences, knob_table, knobs_figure
from automl.report._view import look_at
from evaluators import Objective, Trial
from tests.automl.report.studies import laid_out

SPEED, PRICE = Objective("examples_per_second"), Objective("dollars_per_billion_examples")


def trials(count: int, seed: int = 1) -> list[Trial]:
    """Logarithms of speed: half of the variance is of `hosts`, a fifth of `dtype`, none of three others."""
    rng = np.random.default_rng(seed)
    hosts, dtype, idle = rng.integers(4, size=count), rng.integers(2, size=count), rng.integers(3, size=(count, 3))
    effects = 0.5**0.5 * (hosts - 1.5) / 1.25**0.5 + 0.2**0.5 * (2 * dtype - 1.0) + 0.3**0.5 * rng.normal(size=count)
    return [
        laid_out(
            at,
            float(np.exp(effects[at])),
            hosts=int(2 ** hosts[at]),
            dtype=("fp32", "bf16")[dtype[at]],
            fixed=1,
            **{f"idle_{place}": int(one) for place, one in enumerate(idle[at])},
        )
        for at in range(count)
    ]


def found(count: int, seed: int = 1) -> Importances:
    importances = knob_importances(trials(count, seed), SPEED, np.random.default_rng(0))
    assert importances is not None
    return importances


@pytest.mark.parametrize("seed", range(4))
def test_shares_are_those_that_were_planted(seed: int) -> None:
    knobs = found(150, seed).knobs
    assert list(knobs)[:2] == ["hosts", "dtype"]
    assert knobs["hosts"].low <= 0.5 <= knobs["hosts"].high
    assert knobs["dtype"].low <= 0.2 <= knobs["dtype"].high
    assert knobs["hosts"].mean == pytest.approx(0.5, abs=0.15)


def test_a_knob_that_does_nothing_has_an_interval_about_zero() -> None:
    idle = [knobs[f"idle_{place}"] for seed in range(5) for place in range(3) for knobs in [found(60, seed).knobs]]
    assert np.mean([one.low <= 0.0 <= one.high for one in idle]) > 0.8
    assert np.mean([one.mean for one in idle]) == pytest.approx(0.0, abs=0.02)


def test_all_knobs_together_explain_what_is_no_noise() -> None:
    together = found(300).together
    assert together.mean == pytest.approx(0.7, abs=0.1)
    assert together.low < together.mean < together.high


def test_more_trials_make_intervals_narrower() -> None:
    few, many = found(40).knobs["hosts"], found(400).knobs["hosts"]
    assert many.high - many.low < 0.5 * (few.high - few.low)


def test_a_knob_that_was_not_varied_has_no_share() -> None:
    assert set(found(40).knobs) == {"hosts", "dtype", "idle_0", "idle_1", "idle_2"}


def test_the_same_generator_gives_the_same_shares() -> None:
    assert found(40) == found(40)


def test_numbers_of_which_there_are_many_are_grouped() -> None:
    rng = np.random.default_rng(2)
    rates = rng.uniform(0.0, 1.0, size=80)
    made = [laid_out(at, float(np.exp(rate)), rate=float(rate)) for at, rate in enumerate(rates)]
    importances = knob_importances(made, SPEED, np.random.default_rng(0))
    assert importances is not None
    assert importances.knobs["rate"].mean > 0.8


def test_one_run_that_hung_is_not_what_a_knob_does() -> None:
    made = trials(100)
    hung = laid_out(100, 1e-30, hosts=1, dtype="fp32", fixed=1, idle_0=0, idle_1=0, idle_2=0)
    importances = knob_importances([*made, hung], SPEED, np.random.default_rng(0))
    assert importances is not None
    assert list(importances.knobs)[:2] == ["hosts", "dtype"]


@pytest.mark.parametrize(
    "few",
    [[], trials(FEWEST - 1), [laid_out(at, 1.0 + at, hosts=1) for at in range(40)], trials(40)[:1] * 40],
    ids=["none", "few", "fixed", "equal"],
)
def test_what_cannot_be_told_is_not_told(few: list[Trial]) -> None:
    assert knob_importances(few, SPEED, np.random.default_rng(0)) is None


def test_the_table_has_a_column_an_objective_and_all_knobs_at_the_end() -> None:
    shares = [knob_importances(trials(60), one, np.random.default_rng(0)) for one in (SPEED, PRICE)]
    table = knob_table([one for one in shares if one])
    assert table.headings == ("Knob", "training examples/s", "dollars a billion examples")
    assert [row[0] for row in table.rows][:2] == ["hosts", "dtype"]
    assert table.rows[-1][0] == "All knobs, each by itself"
    assert " % (" in table.rows[0][1]


def test_the_figure_has_the_most_important_knob_on_top() -> None:
    figure = knobs_figure([found(60)])
    assert figure is not None
    [dots] = figure.content["data"]
    assert dots["y"][-1] == "hosts"
    assert all(one >= 0 for one in (*dots["error_x"]["array"], *dots["error_x"]["arrayminus"]))
    go.Figure(figure.content)
    assert knobs_figure([]) is None


def test_too_few_trials_are_told() -> None:
    view = look_at(trials(5), [SPEED])
    assert knob_sentences([], view) == ["Too few trials to tell: 5 are complete, and 20 are needed."]
    assert (
        "No knob has been varied"
        in knob_sentences([], look_at([laid_out(at, 1.0 + at) for at in range(30)], [SPEED]))[0]
    )
