from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from predictors._wl_kernels import LAPLACE_SCALES, Kernels
from predictors._wl_views import View, Views, settings_features
from searchspaces import Candidate, FeatureSchema, Field, Kind, Options, zoo
from searchspaces.spaces.autoctr import AutoCTR

SCHEMA = FeatureSchema((Field("price", Kind.NUMERIC), *(Field(f"id{at}", Kind.CATEGORICAL, 9) for at in range(3))))
SPACE = AutoCTR(SCHEMA, blocks=3)


def coded(*numbers: float) -> View:
    return View(np.array(numbers), {}, {}, {}, {})


def labelled(**counts: int) -> View:
    return View(None, {"fine 0": Counter(counts)}, {}, {}, {})


def likeness(name: str, views: list[View]) -> np.ndarray:
    kernels = Kernels(views)
    return np.asarray(kernels.each(kernels.training)[kernels.names.index(name)])


def test_labels_are_alike_by_the_cosine_of_their_counts() -> None:
    found = likeness("fine 0", [labelled(a=1, b=1), labelled(a=2), labelled(c=3)])
    half = 1 / np.sqrt(2)
    np.testing.assert_allclose(found, [[1, half, 0], [half, 1, 0], [0, 0, 1]], atol=1e-12)


def test_codes_are_alike_by_the_mean_difference_of_their_columns() -> None:
    found = likeness(f"code laplace {LAPLACE_SCALES[0]:g}", [coded(0, 5, 3), coded(1, 5, 3), coded(1, 9, 3)])
    one, both = np.exp(-0.5 / LAPLACE_SCALES[0]), np.exp(-1.0 / LAPLACE_SCALES[0])
    np.testing.assert_allclose(found, [[1, one, both], [one, 1, one], [both, one, 1]])


def test_steps_between_values_are_equal_whatever_the_decades() -> None:
    rates = [coded(rate, 0) for rate in (1e-5, 1e-3, 1e-1)]
    found = likeness(f"code laplace {LAPLACE_SCALES[0]:g}", rates)
    assert found[0, 1] == pytest.approx(found[1, 2])


def test_linear_likeness_is_one_on_average() -> None:
    views = [coded(*row) for row in np.random.default_rng(0).random((20, 4))]
    found = likeness("code linear", views)
    assert np.diag(found).mean() == pytest.approx(1.0)
    np.testing.assert_allclose(found.sum(axis=0), 0.0, atol=1e-9)  # centred


def test_what_has_no_code_is_like_nothing_but_itself() -> None:
    found = likeness("code laplace 0.2", [coded(0), coded(1), View(None, {}, {}, {}, {})])
    np.testing.assert_allclose(found[2], [0, 0, 1])


def test_every_gram_matrix_of_graphs_is_positive() -> None:
    rng = np.random.default_rng(1)
    candidates = [*(SPACE.sample(rng) for _ in range(20)), zoo("dcnv2", SCHEMA)]
    kernels = Kernels(Views(SPACE, SCHEMA).of(candidates, keep=False))
    grams = kernels.each(kernels.training)
    assert len(grams) > 10
    for gram in grams:
        np.testing.assert_allclose(gram, gram.T, atol=1e-12)
        assert np.linalg.eigvalsh(gram).min() > -1e-8


def test_weighted_sums_are_those_of_the_matrices() -> None:
    rng = np.random.default_rng(1)
    views = Views(SPACE, SCHEMA).of([SPACE.sample(rng) for _ in range(6)], keep=True)
    kernels = Kernels(views)
    weights = rng.random(len(kernels.names))
    expected = np.tensordot(weights, kernels.each(kernels.training), 1)
    np.testing.assert_allclose(kernels.within(weights, kernels.training), expected)
    asked = kernels.prepare(views[:2])
    np.testing.assert_allclose(kernels.summed(weights, kernels.training, asked), expected[:, :2], atol=1e-12)
    np.testing.assert_allclose(kernels.own(weights, asked), np.diag(expected)[:2])


def test_labels_that_are_new_make_less_alike() -> None:
    kernels = Kernels([labelled(a=1), labelled(b=1)])
    asked = kernels.prepare([labelled(a=1, c=1)])
    weights = np.array([1.0])
    np.testing.assert_allclose(kernels.summed(weights, kernels.training, asked)[:, 0], [1 / np.sqrt(2), 0])
    np.testing.assert_allclose(kernels.own(weights, asked), 1.0)


def test_settings_become_numbers() -> None:
    candidate = Candidate(training=Options(rate=0.5, layers=[8, 4], optimizer="adam"), system=Options(compiled=True))
    assert settings_features(candidate) == {
        "training rate": 0.5,
        "training layers length": 2.0,
        "training layers sum": 12.0,
        "training optimizer 'adam'": 1.0,
        "system compiled": 1.0,
    }
