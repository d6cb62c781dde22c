"""The space of stacked factorization machines: what it says, and what lies outside."""

import pytest

from searchspaces import Candidate, CandidateError, Options, SpaceError, count_assignments, zoo
from searchspaces.spaces.wukong import Wukong
from tests.searchspaces.graphs import schema
from tests.searchspaces.spaces.stacks import HEAD, stack

BOTH = schema(numeric=3, categorical=4)
SPACE = Wukong(BOTH)
ZOO = Options(fm_tokens=16, linear_tokens=16, rank=8, widths=[128])
ATTENTIVE = Options(fm_tokens=8, linear_tokens=4, rank=24, widths=[512, 256], attention=32)


@pytest.mark.parametrize(
    "candidate",
    [stack("wukong", ZOO, ZOO, head=HEAD), stack("wukong", ZOO, ATTENTIVE, ZOO), stack("wukong", ATTENTIVE)],
)
def test_stacks_made_by_hand_are_points_of_the_space(candidate: Candidate) -> None:
    assert SPACE.to_candidate(SPACE.to_assignment(candidate)).fingerprint == candidate.fingerprint


def test_the_decisions_of_a_layer_can_be_read_off() -> None:
    found = SPACE.to_assignment(stack("wukong", ATTENTIVE))
    assert {slot: value for slot, value in found.items() if slot.startswith("layer1.")} == {
        "layer1.fm_tokens": 8,
        "layer1.linear_tokens": 4,
        "layer1.rank": 24,
        "layer1.attention": 32,
        "layer1.mlp.layers": 2,
        "layer1.mlp.width1": 512,
        "layer1.mlp.width2": 256,
    }


def test_a_small_space_counts_what_it_enumerates() -> None:
    space = Wukong(
        BOTH,
        layers=2,
        tokens=[4, 8],
        ranks=[8],
        mlp_layers=2,
        mlp_widths=[32, 64],
        embedding_dims=[8],
        numerics=["numeric"],
        head_layers=0,
        learning_rates=[],
        embedding_learning_rates=[],
    )
    layer = 2 * 2 * 3 * (2 + 4)  # tokens of both parts, attention, one or two layers of two widths
    assert count_assignments(space.decisions()) == layer + layer**2


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (Options(fm_tokens=16, linear_tokens=16, rank=8), r"'layer1.mlp.layers' must be one of \[1, 2\], but is 0"),
        (Options(fm_tokens=16, linear_tokens=16, rank=7, widths=[128]), "'layer1.rank' must be one of .*, but is 7"),
        (Options(fm_tokens=16, linear_tokens=16, rank=8, widths=[100]), "'layer1.mlp.width1' must be one of"),
        (
            Options(fm_tokens=16, linear_tokens=16, rank=8, widths=[128], dim=16),
            "would be wukong.*, but is wukong.*dim",
        ),
    ],
)
def test_a_layer_outside_the_space_is_refused(layer: Options, message: str) -> None:
    with pytest.raises(CandidateError, match=message):
        SPACE.validate(stack("wukong", layer))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ranks": [1]}, "'ranks' must be ascending integers of at least 2"),
        ({"mlp_layers": 0}, "'mlp_layers' must be an integer from 1 to 16, but is 0"),
        ({"tokens": "8"}, "'tokens' must be ascending integers of at least 1, but is '8'"),
    ],
)
def test_a_wrong_option_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        Wukong(BOTH, **options)  # type: ignore[arg-type]


def test_the_human_made_model_is_a_point_of_the_space() -> None:
    space, candidate = Wukong(BOTH), zoo("wukong", BOTH)
    assert space.to_candidate(space.to_assignment(candidate)).fingerprint == candidate.fingerprint
