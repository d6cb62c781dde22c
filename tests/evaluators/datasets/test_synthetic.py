"""Recipe synthetic: planted effects, and the NE of the truth."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import log_loss

from evaluators import DataError
from evaluators._datasets import prepare
from evaluators._datasets.synthetic import TRUE_PROBABILITY, normalised_entropy, read_synthetic


def drawn(rows: int, *, seed: int = 0) -> pl.DataFrame:
    source = read_synthetic(minimum_count=2, seed=seed, copy=None, options={"rows": rows})
    return pl.concat([chunk.frame for chunk in source.chunks()])


def test_the_recipe_takes_rows_fields_and_seed() -> None:
    options = {"rows": 2000, "fields": 4, "numeric": 2}
    data, other = prepare("synthetic", options=options), prepare("synthetic", options=options, seed=1)
    assert data.rows == {"train": 1600, "valid": 200, "test": 200}
    assert (len(data.schema.numeric), len(data.schema.categorical)) == (2, 4)
    assert data.digest != other.digest


def test_the_same_seed_gives_the_same_data() -> None:
    one, other = (drawn(500, seed=5) for _ in range(2))
    assert one.equals(other)


def test_bayes_ne_is_the_log_loss_of_the_truth_over_the_entropy_of_the_base_rate() -> None:
    source = read_synthetic(minimum_count=2, seed=0, copy=None, options={"rows": 5000})
    valid = drawn(5000)[4000:4500]
    base = float(valid["click"].cast(pl.Float64).mean() or 0)  # type: ignore[arg-type]
    entropy = log_loss([1, 0], [base, base], sample_weight=[base, 1 - base])
    assert source.facts.bayes_ne is not None
    assert source.facts.bayes_ne["valid"] == pytest.approx(log_loss(valid["click"], valid[TRUE_PROBABILITY]) / entropy)


def test_knowing_nothing_but_the_base_rate_has_ne_one() -> None:
    assert normalised_entropy(pl.Series([0, 0, 0, 1]), pl.Series([0.25] * 4)) == pytest.approx(1.0)


def test_clicks_follow_the_true_probabilities() -> None:
    train = drawn(20_000)
    probability, click = train[TRUE_PROBABILITY].to_numpy(), train["click"].to_numpy()
    deviation = np.sqrt(np.sum(probability * (1 - probability)))
    assert abs(click.sum() - probability.sum()) < 4 * deviation


def test_ids_are_zipf() -> None:
    train = drawn(50_000)
    counts = train["C12"].value_counts(sort=True)["count"].to_numpy()
    assert counts[0] / counts[1] == pytest.approx(2**1.1, rel=0.1)


def test_the_base_rate_drifts() -> None:
    train = drawn(20_000)[:16_000]
    early, late = train[:4000][TRUE_PROBABILITY].to_numpy(), train[-4000:][TRUE_PROBABILITY].to_numpy()
    assert abs(early.mean() - late.mean()) > 0.05


def test_an_option_that_is_too_small_is_refused() -> None:
    with pytest.raises(DataError, match=r"option 'rows' of synthetic data must be a whole number >= 100, but is 5"):
        prepare("synthetic", options={"rows": 5})
    with pytest.raises(DataError, match="must be a whole number >= 100, but is 'many'"):
        prepare("synthetic", options={"rows": "many"})


def test_synthetic_data_takes_no_copy() -> None:
    from pathlib import Path

    with pytest.raises(DataError, match=r"synthetic data is made, not read, but a copy was named: x; leave --from out"):
        read_synthetic(minimum_count=2, seed=0, copy=Path("x"), options={})
