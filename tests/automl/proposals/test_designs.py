"""Starts that are spread over a space: far from each other, from what is known, and over all costs."""

from __future__ import annotations

import numpy as np
import pytest

from automl.proposals import Spread, closed_form_costs, design_mistakes, spread_design
from automl.proposals._designs import CLASSES, DRAWN, _nearest
from automl.searchers.autoctr import AutoCTR
from automl.searchers.predictor_rl import PredictorRL
from automl.searchers.regularized_evolution import RegularizedEvolution
from automl.searchers.wl_ehvi import WLEHVI
from evaluators import Evaluation, Metric, Objective, Suggestion
from searchspaces import Architecture, Candidate, Node, Options, SearchSpace, zoo
from searchspaces.spaces.autoctr import AutoCTR as Space
from tests.automl._bitstrings import Bitstrings, finished, generator, search
from tests.automl.searchers._oracle import Oracle
from tests.searchspaces.graphs import schema

SCHEMA = schema()
SPACE = Space(SCHEMA, blocks=3)
OBJECTIVES = [Objective("ne"), Objective("flops")]


def bits(text: str) -> Candidate:
    return Bitstrings(len(text)).to_candidate({f"bit{at:02d}": int(bit) for at, bit in enumerate(text)})


def mlp(*widths: int) -> Candidate:
    """A chain of layers."""
    layers = (Node("mlp", (at,), Options(width=width)) for at, width in enumerate(widths))
    return Candidate(Architecture((Node("numeric"), *layers, Node("logit", (len(widths),)))))


def starts(space: SearchSpace, count: int, *, spread: bool, seed: int = 0) -> list[Candidate]:
    found: list[Candidate] = []
    for place in range(count):
        rng = generator(seed, place)
        start = Spread(space).next(found, place, taken=set(), rng=rng) if spread else Suggestion(space.sample(rng))
        assert start is not None
        found.append(start.candidate)
    return found


def gap(space: SearchSpace, candidates: list[Candidate]) -> float:
    """The smallest distance between any two."""
    return min(
        float(_nearest(space, [one], candidates[:at] + candidates[at + 1 :])[0]) for at, one in enumerate(candidates)
    )


def test_distances_of_settings_are_those_of_the_code_by_ranges() -> None:
    pool, known = [bits("000"), bits("110")], [bits("111"), bits("001")]
    np.testing.assert_allclose(_nearest(Bitstrings(3), pool, known), [1.0, 1.0])
    np.testing.assert_allclose(_nearest(Bitstrings(3), pool, known[:1]), [np.sqrt(3), 1.0])


def test_the_distance_of_architectures_is_that_of_counted_sub_graphs_by_hand() -> None:
    labels = 3 * 3 + 3  # three blocks in three rounds, and once more with their options
    shared = labels - 1  # the one with the width
    (found,) = _nearest(SPACE, [mlp(8)], [mlp(16)])
    assert found == pytest.approx(np.sqrt(2 - 2 * shared / labels))


def test_equal_architectures_are_no_distance_apart_and_all_others_are_some() -> None:
    found = _nearest(SPACE, [mlp(8), mlp(8, 8)], [mlp(8)])
    assert found[0] == pytest.approx(0.0, abs=1e-7)
    assert found[1] > 0.1


def test_what_has_no_place_in_the_code_is_no_neighbour() -> None:
    assert _nearest(Bitstrings(3), [bits("000")], [Candidate(training=Options(depth=3))]).tolist() == [np.inf]


@pytest.mark.parametrize("space", [Bitstrings(12), SPACE], ids=["settings", "graphs"])
def test_starts_are_farther_apart_than_by_chance(space: SearchSpace) -> None:
    wins = sum(
        gap(space, starts(space, 8, spread=True, seed=seed)) > gap(space, starts(space, 8, spread=False, seed=seed))
        for seed in range(5)
    )
    assert wins == 5  # by chance once in 32 times


def test_a_start_is_the_farthest_of_those_drawn() -> None:
    space, rng = Bitstrings(), generator(0, 0)
    start = Spread(space).next([bits("0" * 24)], 0, taken=set(), rng=generator(0, 0))
    assert start is not None
    assert space.encode(start.candidate).sum() == max(space.encode(space.sample(rng)).sum() for _ in range(DRAWN))
    assert start.origin == "spread"


def test_starts_take_turns_among_quarters_of_flops() -> None:
    spread = Spread(SPACE, SCHEMA)
    flops = [
        closed_form_costs(start.candidate, SCHEMA, ["flops"])[0]
        for place in range(CLASSES)
        if (start := spread.next([], place, taken=set(), rng=generator(0, 0)))
    ]
    assert len(flops) == CLASSES
    assert flops == sorted(flops)
    assert len(set(flops)) == CLASSES


def test_what_is_taken_or_not_allowed_is_no_start() -> None:
    taken = {Suggestion(bits(text)).identity for text in ("000", "001", "010", "011")}
    spread = Spread(Bitstrings(3))
    start = spread.next([], 0, taken=taken, rng=generator(0, 0), allows=lambda one: one.training["bit01"] == 1)
    assert start is not None
    assert (start.candidate.training["bit00"], start.candidate.training["bit01"]) == (1, 1)
    assert spread.next([], 0, taken=taken, rng=generator(0, 0), allows=lambda _: False) is None


def test_equal_generators_give_equal_starts_and_a_human_made_neighbour_another_one() -> None:
    human = zoo("dcnv2", SCHEMA)
    spread = Spread(SPACE, SCHEMA)
    alone, again = (spread.next([], 0, taken=set(), rng=generator(0, 0)) for _ in range(2))
    beside = spread.next([human], 0, taken=set(), rng=generator(0, 0))
    assert alone == again != beside


@pytest.mark.parametrize(
    "searcher",
    [
        AutoCTR(Bitstrings(), OBJECTIVES, population=6, guide=Oracle(), design="spread"),
        RegularizedEvolution(Bitstrings(), OBJECTIVES, population=6, tournament=3, design="spread"),
        PredictorRL(Bitstrings(), OBJECTIVES, guide=Oracle(), initial=6, round_size=4, steps=5, design="spread"),
    ],
    ids=["autoctr", "regularized_evolution", "predictor_rl"],
)
def test_searchers_begin_with_the_design_that_is_asked_for(
    searcher: AutoCTR | RegularizedEvolution | PredictorRL,
) -> None:
    origins = [trial.suggestion.origin for trial in search(searcher, 8)]
    assert origins[:6] == ["spread"] * 6
    assert "spread" not in origins[6:]


@pytest.mark.parametrize("searcher", [AutoCTR, RegularizedEvolution, WLEHVI])
@pytest.mark.parametrize("is_pending", [False, True])
def test_searchers_keep_away_from_human_made_baselines_outside_their_space(
    searcher: type[AutoCTR | RegularizedEvolution | WLEHVI], is_pending: bool
) -> None:
    human = Suggestion(zoo("dcnv2", SCHEMA), origin="zoo:dcnv2")
    beside, alone = (searcher(SPACE, OBJECTIVES, schema=SCHEMA, design="spread") for _ in range(2))
    if not is_pending:
        beside.tell([finished(0, human, Evaluation({"ne": Metric(0.9)}), stage="baseline")])
    first = beside.ask(1, generator(0, 0), [human] if is_pending else [])
    assert first != alone.ask(1, generator(0, 0))
    assert Spread(SPACE, SCHEMA).next([human.candidate], 0, taken=set(), rng=generator(0, 0)) == first[0]


def test_the_published_form_begins_at_random() -> None:
    searcher = AutoCTR(Bitstrings(), OBJECTIVES, population=3, faithful=True, design="spread")
    assert {trial.suggestion.origin for trial in search(searcher, 3)} == {"random"}


def test_a_design_has_a_name() -> None:
    assert spread_design("random", SPACE, SCHEMA) is None
    assert isinstance(spread_design("spread", SPACE, SCHEMA), Spread)
    assert design_mistakes("spread") == []
    assert design_mistakes("latin") == ["design must be one of random, spread, but is 'latin'"]
