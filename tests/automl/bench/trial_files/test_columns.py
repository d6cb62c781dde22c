"""What is a choice in files of several origins, column by column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from automl.bench.trial_files.cells import flat, said
from automl.bench.trial_files.columns import Asked, Verdict, judged

RNG = np.random.default_rng(0)
ROWS = 60
METRIC = RNG.normal(size=ROWS)


def verdict(columns: Mapping[str, Any], *, exclude: tuple[str, ...] = (), choices: tuple[str, ...] = ()) -> Verdict:
    cells = {name: list(values) for name, values in columns.items()}
    return judged(cells, METRIC, Asked("auc", exclude, choices))


def some(*options: Any) -> list[Any]:
    return [options[at] for at in RNG.integers(len(options), size=ROWS)]


@pytest.mark.parametrize(
    "values",
    [some("DCN", "FM", "DLRM"), some(0.1, 0.01), some(True, False), some(16, 32, 64), some([64, 64], [32], None)],
    ids=["text", "rates", "flags", "widths", "lists"],
)
def test_options_are_choices(values: list[Any]) -> None:
    assert verdict({"option": values}).choices == ("option",)


def test_a_setting_drawn_anew_for_each_row_is_a_choice() -> None:
    assert verdict({"learning_rate": RNG.random(ROWS)}).choices == ("learning_rate",)


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("auc", METRIC, "is the metric"),
        ("auc_1", METRIC, "is the metric"),
        ("seed", [2021] * ROWS, "is the same in all rows"),
        ("run_name", [f"run {at}" for at in range(ROWS)], "names the row: 60 different texts in 60 rows"),
        ("number", list(range(ROWS)), "counts the rows"),
        ("group_id", some(1, 2), "names the row"),
        ("test_auc", RNG.random(ROWS), "is a number whose name speaks of a measurement"),
        ("trainSeconds", RNG.random(ROWS), "is a number whose name speaks of a measurement"),
        ("num_params", RNG.integers(1000, size=ROWS).tolist(), "is a number whose name speaks of a measurement"),
        ("epoch7", METRIC + 0.01 * RNG.normal(size=ROWS), "goes with the metric too closely to be a choice"),
        ("metrics.depth", some(1, 2), "is nested among measurements"),
    ],
)
def test_what_is_no_choice_is_told(name: str, values: Any, reason: str) -> None:
    found = verdict({name: values})
    assert found.choices == ()
    assert found.dropped[name].startswith(reason)


@pytest.mark.parametrize("name", ["batch_size", "loss", "num_heads", "model_name", "params_flops", "settings.recall"])
def test_names_alone_do_not_speak_against_options(name: str) -> None:
    values = some("bce", "focal") if name == "loss" else some(1, 2, 4)
    assert verdict({name: values}).choices == (name,)


def test_a_column_that_says_the_same_is_left_out() -> None:
    kind = some("a", "b", "c")
    found = verdict(
        {"kind": kind, "group": [f"the {one}" for one in kind], "rate": [{"a": 3, "b": 2, "c": 1}[one] for one in kind]}
    )
    assert found.choices == ("kind", "rate")
    assert found.dropped == {"group": "says the same as kind"}


def test_numbers_in_another_order_do_not_say_the_same() -> None:
    depth = some(1, 2, 3)
    assert verdict({"depth": depth, "width": [{1: 3, 2: 1, 3: 2}[one] for one in depth]}).choices == ("depth", "width")


def test_the_user_has_the_last_word() -> None:
    accuracy, kind = RNG.random(ROWS), some("a", "b")
    assert verdict({"accuracy": accuracy, "kind": kind}, choices=("accuracy",), exclude=("kind",)).choices == (
        "accuracy",
    )
    assert verdict({"settings.kind": kind}, exclude=("settings",)).dropped == {"settings.kind": "was excluded"}


def test_cells_of_a_csv_file_are_what_they_say() -> None:
    assert flat({"a": "1e-3", "b": "[64, 64]", "c": "nan", "d": "True", "e": "relu", "f": '{"g": 1}', "h": "NaN"}) == {
        "a": 0.001,
        "b": [64, 64],
        "c": None,
        "d": True,
        "e": "relu",
        "f.g": 1,
        "h": None,
    }


def test_numbers_are_said_alike_whatever_their_type() -> None:
    assert [said(cell) for cell in (1, 1.0, "1", 0.5, True, None, [1, 2])] == [
        "1",
        "1",
        "1",
        "0.5",
        "true",
        "null",
        "[1, 2]",
    ]
