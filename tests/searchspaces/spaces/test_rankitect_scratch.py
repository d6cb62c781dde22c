"""The space from scratch: its rules, and what lies outside."""

import pytest

from searchspaces import Architecture, Candidate, CandidateError, Node, Options, SpaceError, canonical
from searchspaces.spaces.rankitect_scratch import RankitectScratch
from tests.searchspaces.graphs import schema

BOTH = schema(numeric=3, categorical=4)
SPACE = RankitectScratch(BOTH)
SOURCES = (Node("numeric"), Node("full", (), Options(dim=16)))
IDLE = {decision.slot: decision.choices[0] for decision in SPACE.decisions()}


def decoded(**changes: object) -> Architecture:
    """Architecture of an assignment without inputs, changed in slots like `block1_numeric`."""
    named = {slot.replace("_", ".", 1): value for slot, value in changes.items()}
    architecture = SPACE.to_candidate({**IDLE, **named}).architecture  # type: ignore[dict-item]
    assert architecture is not None
    return architecture


def made(*nodes: Node, logit: tuple[int, ...]) -> Architecture:
    return canonical(Architecture((*SOURCES, *nodes, Node("logit", logit))))


def test_without_live_blocks_the_logit_reads_the_raw_groups() -> None:
    assert decoded() == made(logit=(0, 1))


def test_a_block_takes_what_its_bits_say_and_the_logit_the_rest() -> None:
    found = decoded(block1_numeric=True, block1_width=64, block2_operator="efc", block2_embedding=True)
    blocks = (Node("mlp", (0,), Options(width=64)), Node("efc", (1,), Options(tokens=8, dim=16)))
    assert found == made(*blocks, logit=(2, 3))


@pytest.mark.parametrize(
    ("operator", "options"),
    [
        ("dot_product", {"dim": 16}),
        ("fm", {"dim": 16}),
        ("transformer", {"dim": 16, "tokens": 8}),
        ("token_linear", {"dim": 16, "tokens": 8}),
        ("cross", {"kind": "low_rank", "layers": 1, "rank": 8}),
    ],
)
def test_every_operator_has_its_options(operator: str, options: dict[str, object]) -> None:
    found = decoded(block1_operator=operator, block1_embedding=True)
    assert found == made(Node(operator, (1,), Options(options)), logit=(0, 2))


@pytest.mark.parametrize(
    ("operator", "norm"),
    [("mlp", {"norm": "layer"}), ("efc", {"layer_norm": True}), ("transformer", {"token_norm": True})],
)
def test_a_norm_has_the_name_that_its_block_gives_it(operator: str, norm: dict[str, object]) -> None:
    found = decoded(block1_operator=operator, block1_embedding=True, block1_norm=True)
    assert norm.items() <= dict(next(node for node in found.nodes if node.block == operator).options).items()
    assert SPACE.to_assignment(Candidate(found))["block1.norm"] is True


def test_a_gate_has_an_input_of_its_own() -> None:
    found = decoded(block1_operator="sigmoid_gate", block1_embedding=True, block1_gate="numeric")
    gated = Node("sigmoid_gate", (1, 0), Options(ports=["value", "gate"], width=16))
    assert found == made(gated, logit=(2,))
    assert SPACE.to_assignment(Candidate(found))["block1.gate"] == "numeric"


def test_a_gate_on_nothing_that_lives_is_dead() -> None:
    assert decoded(block2_operator="sigmoid_gate", block2_embedding=True, block2_gate="block1") == decoded()


def test_a_dot_product_of_one_token_leaves_no_trace() -> None:
    assert decoded(block1_operator="dot_product", block1_numeric=True) == decoded()


def test_a_sum_projects_what_has_another_width() -> None:
    found = decoded(block1_operator="sum", block1_numeric=True, block1_embedding=True, block1_width=16)
    blocks = (Node("linear", (0,), Options(width=16)), Node("sum", (1, 2)))
    assert found == made(*blocks, logit=(3,))
    assert SPACE.to_assignment(Candidate(found))["block1.width"] == 16


def test_a_sum_of_one_vector_is_that_vector() -> None:
    summed = {"block2_operator": "sum", "block2_block1": True, "block2_width": 16}
    plain = decoded(block1_embedding=True)
    assert decoded(block1_embedding=True, **summed) == plain
    assert decoded(block1_embedding=True, **summed, block3_block2=True) == decoded(
        block1_embedding=True, block2_block1=True
    )


def test_an_identity_stands_for_its_last_input() -> None:
    passed = decoded(block1_operator="identity", block1_numeric=True, block1_embedding=True, block2_block1=True)
    assert passed == decoded(block1_embedding=True)


def test_blocks_beyond_the_number_are_not_there() -> None:
    assert decoded(blocks=4, block5_numeric=True) == decoded()
    assert decoded(blocks=5, block5_numeric=True) == decoded(block1_numeric=True)


def test_an_assignment_has_live_blocks_first_and_as_few_as_it_may() -> None:
    found = SPACE.to_assignment(Candidate(decoded(blocks=9, block7_numeric=True)))
    assert found["blocks"] == 4
    assert [slot for slot, value in found.items() if value is True] == ["block1.numeric"]


def test_a_group_of_two_sources_is_taken_as_one() -> None:
    space = RankitectScratch(BOTH, numerics=["numeric+quantile_bins"])
    decided = {decision.slot: decision.choices[0] for decision in space.decisions()} | {"block1.numeric": True}
    candidate = space.to_candidate(decided)
    assert candidate.architecture is not None
    assert [len(node.inputs) for node in candidate.architecture.nodes if node.block == "mlp"] == [2]
    assert space.to_assignment(candidate)["block1.numeric"] is True


def test_every_number_of_blocks_can_be_chosen() -> None:
    numbers = next(decision for decision in SPACE.decisions() if decision.slot == "blocks")
    assert numbers.choices == tuple(range(4, 13))


OUTSIDE = {
    "'layer_norm' is no operator of this space": ((Node("layer_norm", (0,)),), (1, 2)),
    "must fit the fields of the data, but this one does not": ((Node("dot_product", (0,), Options(dim=16)),), (1, 2)),
    "'block1.width' must be one of .*, but is 48": ((Node("mlp", (0,), Options(width=48)),), (1, 2)),
    r"'blocks' must be one of \[4, .* 12\], but is 13": (
        tuple(Node("mlp", (0,), Options(width=16)) for _ in range(13)),
        tuple(range(1, 15)),
    ),
    r"would be logit\(\{\}\) of \[0, 2\], but is logit\(\{\}\) of \[0, 1, 2\]": (
        (Node("mlp", (0,), Options(width=16)),),
        (0, 1, 2),
    ),
    "would be transformer": ((Node("transformer", (1,), Options(dim=16, tokens=8, hidden=3)),), (0, 2)),
}


@pytest.mark.parametrize("message", OUTSIDE)
def test_a_candidate_outside_the_space_is_refused(message: str) -> None:
    nodes, logit = OUTSIDE[message]
    with pytest.raises(CandidateError, match=message):
        SPACE.validate(Candidate(Architecture((*SOURCES, *nodes, Node("logit", logit)))))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"least_blocks": 5, "most_blocks": 4}, "'least_blocks' must be an integer from 1 to 4, but is 5"),
        ({"most_blocks": 33}, "'most_blocks' must be an integer from 1 to 32, but is 33"),
        ({"operators": ["identity", "dot_product"]}, "must have one that works on any input, such as 'mlp'"),
        ({"operators": ["gdcn"]}, "no 'gdcn' among the operators of this space"),
        ({"widths": [1]}, "'widths' must be ascending integers of at least 2"),
    ],
)
def test_a_wrong_option_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        RankitectScratch(BOTH, **options)  # type: ignore[arg-type]
