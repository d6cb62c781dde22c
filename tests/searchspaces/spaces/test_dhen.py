"""The space of deep hierarchical ensembles: what it says, and what lies outside."""

from collections.abc import Sequence

import numpy as np
import pytest

from searchspaces import Candidate, CandidateError, Decision, Node, Options, SpaceError, count_assignments, zoo
from searchspaces.cost import cost
from searchspaces.spaces.dhen import DHEN
from tests.searchspaces.graphs import schema
from tests.searchspaces.spaces.stacks import HEAD, stack

BOTH = schema(numeric=3, categorical=4)
SPACE = DHEN(BOTH)
ZOO = Options(modules=["dot_product", ["cross", [["layers", 1]]]], tokens=8)
RICH = Options(
    modules=[
        ["transformer", [["heads", 2], ["hidden", 32]]],
        ["token_linear", [["tokens", 4]]],
        ["cross", [["kind", "low_rank"], ["layers", 2], ["rank", 8]]],
        ["convolution", [["channels", 2], ["tokens", 4]]],
    ],
    tokens=4,
    ensemble="sum",
    layer_norm=False,
)


def idle(decisions: Sequence[Decision]) -> dict[str, bool | int | float | str]:
    return {decision.slot: decision.choices[0] for decision in decisions}


@pytest.mark.parametrize(
    "candidate",
    [
        stack("dhen", ZOO, ZOO, head=HEAD),
        stack("dhen", ZOO, ZOO, ZOO),
        stack("dhen", RICH, ZOO, head=Options(widths=[64], norm="batch", dropout=0.1)),
        stack("dhen", ZOO, numeric=Node("numeric")),
    ],
)
def test_stacks_made_by_hand_are_points_of_the_space(candidate: Candidate) -> None:
    found = SPACE.to_candidate(SPACE.to_assignment(candidate))
    assert found.fingerprint == candidate.fingerprint
    assert candidate.architecture is not None
    assert cost(candidate.architecture, BOTH).parameters > 0


def test_the_decisions_of_a_stack_can_be_read_off() -> None:
    found = SPACE.to_assignment(stack("dhen", RICH, ZOO, head=HEAD))
    assert found["layers"] == 2
    assert found["numeric"] == "numeric_linear"
    assert [found[f"layer1.{name}"] for name in ("dot_product", "transformer", "token_linear", "cross")] == [
        False, True, True, True,
    ]  # fmt: skip
    assert [found[f"layer1.cross.{name}"] for name in ("layers", "kind", "rank")] == [2, "low_rank", 8]
    assert "layer2.cross.rank" not in found
    assert "layer3.tokens" not in found
    assert [found["head.layers"], found["head.width1"], found["head.width2"]] == [2, 256, 128]
    assert found["training.learning_rate"] == "usual"


def test_a_layer_without_modules_has_the_linear_one() -> None:
    found = SPACE.to_candidate(idle(SPACE.decisions())).architecture
    assert found is not None
    modules = [node.options["modules"] for node in found.nodes if node.block == "dhen"]
    assert modules == [(("token_linear", (("tokens", 4),)),)]


def test_one_token_alone_has_no_modules_that_pair() -> None:
    space = DHEN(schema(numeric=3, categorical=0), numerics=["numeric"])
    decided = idle(space.decisions()) | {"layers": 2}
    decided |= {f"layer{number}.{name}": True for number in (1, 2) for name in ("dot_product", "cross")}
    found = space.to_candidate(decided).architecture
    assert found is not None
    layers = [node.options for node in found.nodes if node.block == "dhen"]
    assert [len(layer["modules"]) for layer in layers] == [1, 2]  # type: ignore[arg-type]
    assert [layer.get("dim") for layer in layers] == [8, None]


def test_settings_of_training_belong_to_the_candidate_where_they_are_not_usual() -> None:
    space = DHEN(BOTH, learning_rates=[0.002], weight_decays=[1e-5])
    decided = idle(space.decisions())
    assert space.to_candidate(decided).training == Options()
    assert space.to_candidate(decided | {"training.weight_decay": 1e-5}).training == Options(weight_decay=1e-5)


def test_a_small_space_counts_what_it_enumerates() -> None:
    space = DHEN(
        BOTH,
        layers=2,
        modules=["dot_product", "cross"],
        tokens=[4],
        embedding_dims=[8],
        numerics=["numeric"],
        head_layers=1,
        head_widths=[32, 64],
        learning_rates=[],
        embedding_learning_rates=[],
    )
    # A cross: 3 depths x (full or 3 ranks); ensemble 3, norm 2. Head: none, or 2 widths x 3 norms x 3 dropouts.
    layer = 2 * (1 + 3 * 4) * 3 * 2
    assert count_assignments(space.decisions()) == (layer + layer**2) * (1 + 2 * 3 * 3)


@pytest.mark.parametrize(
    ("candidate", "message"),
    [
        (stack("wukong", ZOO), "blocks of this space are dhen, mlp and logit, but the candidate has 'wukong'"),
        (stack("dhen", *[ZOO] * 5), r"'layers' must be one of \[1, 2, 3, 4\], but is 5"),
        (stack("dhen", Options(modules=["dot_product"], tokens=5)), r"'layer1.tokens' must be one of .*, but is 5"),
        (stack("dhen", Options(modules=["mlp"], tokens=4)), "would be dhen.*token_linear.*, but is dhen.*mlp"),
        (stack("dhen", Options(modules=list(reversed(["dot_product", "fm"])), tokens=4)), "would be dhen"),
        (stack("dhen", Options(tokens=4)), "would be dhen"),
        (stack("dhen", ZOO, head=Options(widths=[100])), r"'head.width1' must be one of .*, but is 100"),
        (stack("dhen", ZOO, head=Options(width=64)), "but is mlp"),
        (stack("dhen", ZOO, numeric=Node("frequency")), "the numeric sources of this space are one of"),
        (Candidate(), "has an architecture, but this one has none"),
    ],
)
def test_a_candidate_outside_the_space_is_refused(candidate: Candidate, message: str) -> None:
    with pytest.raises(CandidateError, match=message):
        SPACE.validate(candidate)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": 0}, "'layers' must be an integer from 1 to 16, but is 0"),
        ({"layers": True}, "'layers' must be an integer from 1 to 16, but is True"),
        ({"modules": []}, "'modules' must be a list with at least one of"),
        ({"modules": ["crss"]}, r"no 'crss' among the modules of this space; did you mean 'cross'\?"),
        ({"modules": ["fm", "fm"]}, "each is named once, but 'modules' is"),
        ({"tokens": [8, 4]}, r"'tokens' must be ascending integers of at least 2, but is \[8, 4\]"),
        ({"head_layers": 17}, "'head_layers' must be an integer from 0 to 16, but is 17"),
        ({"head_widths": []}, r"'head_widths' must be ascending integers of at least 1, but is \[\]"),
        ({"embedding_dims": [1]}, "'embedding_dims' must be ascending integers of at least 2"),
        ({"learning_rates": [0.0]}, "choices of 'learning_rate' must be numbers above 0, but one is 0.0"),
        ({"learning_rates": [0.1, 0.1]}, "choices of 'learning_rate' must differ"),
    ],
)
def test_a_wrong_option_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        DHEN(BOTH, **options)  # type: ignore[arg-type]


def test_heads_divide_every_dimension() -> None:
    decisions = {decision.slot: decision for decision in DHEN(BOTH, embedding_dims=[6, 10]).decisions()}
    assert decisions["layer1.transformer.heads"].choices == (1, 2)


def test_the_head_can_be_left_out() -> None:
    space = DHEN(BOTH, head_layers=0)
    assert not [one.slot for one in space.decisions() if one.slot.startswith("head.width")]
    space.validate(space.sample(np.random.default_rng(0)))


def test_the_human_made_model_is_a_point_of_the_space() -> None:
    space, candidate = DHEN(BOTH), zoo("dhen", BOTH)
    assert space.to_candidate(space.to_assignment(candidate)).fingerprint == candidate.fingerprint
