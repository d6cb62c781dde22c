"""The terms of a step: what each knob moves, and what is hidden behind what."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from evaluators import EvaluatorError
from evaluators._codesign.coefficients import Coefficients, read_coefficients, shipped_coefficients
from evaluators._codesign.collectives import Ring
from evaluators._codesign.dense_strategies import gather_seconds, gradient_seconds
from evaluators._codesign.step import NETWORK_SHARE, ORIGINS, Origin, step
from evaluators._codesign.work import Work, work
from searchspaces.deployment import Plan, memory_of
from tests.searchspaces.deployment.models import MODEL, plan

EXACT = Coefficients(dense=1.0, lookups=1.0, all_reduce=1.0, overhead_seconds=1e-9, overlap=0.5)


def seconds(changed: Plan, coefficients: Coefficients = EXACT) -> float:
    return step(work(MODEL, changed), changed, coefficients).seconds


def terms(changed: Plan) -> dict[str, float]:
    return dict(step(work(MODEL, changed), changed, EXACT).terms)


def test_every_term_says_whether_it_is_fitted() -> None:
    assert list(terms(plan())) == list(ORIGINS)
    assert {name for name, origin in ORIGINS.items() if origin is Origin.FITTED} == {
        "dense",
        "lookups",
        "exchange",
        "all_reduce",
        "overhead",
    }


def test_dense_seconds_are_six_operations_a_multiply_add_or_the_weights_bytes() -> None:
    large, tiny = plan(global_batch=8_000_000), plan(global_batch=8)
    assert work(MODEL, large).dense == pytest.approx(6 * 1e6 * 1e6 / 989e12)
    assert work(MODEL, tiny).dense == pytest.approx(3 * 500_000 * 2 / 3.35e12)


def test_gradients_go_through_both_levels_of_the_network() -> None:
    found = work(MODEL, plan(hosts=2)).all_reduce
    assert found == pytest.approx(2e6 * (2 * 7 / 8 / 450e9 + 2 * 1 / 2 / 8 / 50e9) + 2 * (0.5e-6 * 3 + 2e-6))


def test_an_exchange_hides_behind_its_share_of_compute_and_no_more() -> None:
    full = Work(1.0, 0.0, 0.3, 0.0, 0.1, 0.0, 0.0, 0.0, 0.0, 1.0)
    short = replace(full, exchange=0.03)
    shown, alone = (step(full, replace(plan(), prefetch=ahead), EXACT).terms["exchange"] for ahead in (1, 0))
    assert alone == pytest.approx(0.3 / NETWORK_SHARE)
    assert shown < 0.1 * alone
    assert step(short, plan(), EXACT).terms["exchange"] < 1e-3
    assert step(replace(full, exchange=30.0), plan(), EXACT).terms["exchange"] > 39.5


def test_what_is_sent_shares_one_window_of_compute() -> None:
    """0.4 s of vectors and 0.4 s of parameters, and half a second to hide behind: 0.3 s stay, as much of each."""
    both = Work(1.0, 0.0, 0.4 * NETWORK_SHARE, 0.0, 0.0, 0.4, 0.0, 0.0, 0.0, 1.0)
    found = step(both, plan(), EXACT).terms
    assert found["exchange"] == pytest.approx(found["gathers"])
    assert found["exchange"] + found["gathers"] == pytest.approx(0.3, rel=0.05)
    alone = step(replace(both, exchange=0.0), plan(), EXACT).terms
    assert alone["gathers"] < 0.02
    assert alone["exchange"] == 0.0


def test_a_short_window_never_makes_an_exchange_longer() -> None:
    work_ = Work(1e-6, 0.0, 0.3, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
    assert step(work_, plan(), EXACT).terms["exchange"] <= 0.3 / NETWORK_SHARE


def test_a_pipeline_hides_ids_and_reading() -> None:
    slow = replace(plan(global_batch=819_200), loader_workers=1)
    assert terms(slow)["indices"] == 0.0
    assert terms(replace(slow, prefetch=0))["indices"] > 0.0
    assert terms(slow)["reading"] < terms(replace(slow, prefetch=0))["reading"]


@pytest.mark.parametrize(
    "change",
    [
        {"compute_dtype": "fp32"},
        {"table_dtype": "fp32"},
        {"forward_dtype": "fp32", "backward_dtype": "fp32"},
        {"all_reduce_dtype": "fp32"},
        {"tier": "cached"},
        {"compiled": False},
        {"prefetch": 0},
        {"accumulation": 4},
        {"loader_workers": 1},
    ],
    ids=str,
)
def test_a_worse_choice_of_a_knob_takes_longer(change: dict[str, object]) -> None:
    best = Plan(
        plan(hosts=4).cluster, ("row", "row"), 65_536, table_dtype="fp16", all_reduce_dtype="bf16", forward_dtype="fp8"
    )
    assert seconds(replace(best, **change)) > seconds(best)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("knob", "value"),
    [
        ("global_batch", 131_072),
        ("groups", 2),
        ("towers", 4),
        ("compression", 4),
        ("sync_interval", 4),
        ("dense", "fsdp"),
        ("dense", "hsdp"),
        ("dense", "grad_op"),
        ("compute_dtype", "fp8"),
        ("table_dtype", "fp16"),
        ("forward_dtype", "fp8"),
        ("backward_dtype", "fp32"),
        ("all_reduce_dtype", "bf16"),
        ("accumulation", 2),
        ("tier", "cached"),
        ("cache_ratio", 0.5),
        ("prefetch", 2),
        ("compiled", False),
        ("loader_workers", 1),
        ("sharding", ("table", "table")),
        ("sharding", ("grid", "data")),
    ],
    ids=str,
)
def test_every_knob_moves_a_term_or_what_a_device_holds(knob: str, value: object) -> None:
    base = Plan(plan(hosts=4).cluster, ("row", "column_2"), 65_536, groups=2 if knob == "sync_interval" else 1)
    base = replace(
        base,
        tier="cached" if knob == "cache_ratio" else "hbm",
        towers=4 if knob == "compression" else 1,
        prefetch=0 if knob in ("compression", "towers", "loader_workers") else 1,
    )
    changed = replace(base, **{knob: value})  # type: ignore[arg-type]
    assert (terms(base), memory_of(MODEL, base)) != (terms(changed), memory_of(MODEL, changed))


@pytest.mark.parametrize(
    ("strategy", "gradients", "gathers"),
    [
        ("ddp", 2 * 4 * (7 / 8 / 450e9 + 3 / 4 / 8 / 50e9), 0.0),
        ("grad_op", 4 * (7 / 8 / 450e9 + 3 / 4 / 8 / 50e9), 2 * (7 / 8 / 450e9 + 3 / 4 / 8 / 50e9)),
        ("fsdp", 4 * (7 / 8 / 450e9 + 3 / 4 / 8 / 50e9), 4 * (7 / 8 / 450e9 + 3 / 4 / 8 / 50e9)),
        ("hsdp", 4 * (7 / 8 / 450e9 + 2 * 3 / 4 / 8 / 50e9), 4 * 7 / 8 / 450e9),
    ],
)
def test_dense_strategies_move_their_published_bytes(strategy: str, gradients: float, gathers: float) -> None:
    many = 10**12
    layout = replace(plan(hosts=4), dense=strategy)
    everybody = Ring.of(layout.cluster.device, 8, 4)
    assert gradient_seconds(many, 0, layout, everybody) == pytest.approx(many * gradients, rel=1e-3)
    assert gather_seconds(many, layout, everybody) == pytest.approx(many * gathers, rel=1e-3)


def test_more_steps_between_synchronisations_cost_less() -> None:
    grouped = replace(plan(hosts=4), groups=4)
    often, seldom = (terms(replace(grouped, sync_interval=steps))["synchronisation"] for steps in (1, 16))
    assert often == pytest.approx(16 * seldom)
    assert terms(plan(hosts=4))["synchronisation"] == 0.0


def test_copies_whose_gradients_are_summed_up_are_not_synchronised_again() -> None:
    grouped = replace(plan("row", "row", hosts=4), groups=4)
    copied = replace(grouped, sharding=("data", "data"))
    assert terms(grouped)["synchronisation"] > 0.0
    assert terms(copied)["synchronisation"] == 0.0
    assert terms(copied)["all_reduce"] > terms(grouped)["all_reduce"]


def test_the_shipped_coefficients_are_plausible_shares_of_peaks() -> None:
    shipped = shipped_coefficients()
    assert all(1.0 < each < 5.0 for each in (shipped.dense, shipped.lookups, shipped.all_reduce))
    assert 0.0 < shipped.overlap < 1.0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{}", "coefficients are a JSON object with dense, lookups"),
        ('{"coefficients": {"dense": 1}}', "make it with 'automl bench simulator"),
        (
            '{"coefficients": {"dense": -1, "lookups": 1, "all_reduce": 1, "overhead_seconds": 1, "overlap": 1}}',
            "a coefficient must be a positive number, but 'dense' is -1",
        ),
    ],
)
def test_a_file_that_holds_no_coefficients_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "own.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(EvaluatorError, match=reason):
        read_coefficients(file)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(EvaluatorError, match="the coefficients cannot be read from"):
        read_coefficients(tmp_path / "none.json")
