"""The NASRec space: its size, its rules, its raw inputs, and what lies outside it."""

from math import comb, prod

import numpy as np
import pytest
import torch

from searchspaces import Architecture, Candidate, CandidateError, Node, Options, SpaceError, canonical
from searchspaces.build import RankingModel
from searchspaces.cost import cost
from searchspaces.spaces.nasrec import NASRec
from tests.searchspaces.graphs import schema

BOTH = schema(numeric=3, categorical=4)
SPACE = NASRec(BOTH)
PLAIN = NASRec(BOTH, blocks=1, layer_norm=False)
SWITCHED = NASRec(
    BOTH,
    embeddings=("full", "hashed", "quotient_remainder", "mixed_dimension", "multi_embedding"),
    numbers=("none", "numeric_linear", "quantile_bins", "piecewise_linear", "autodis"),
    frequency=(False, True),
    embedding_dims=(4, 8, 16),
)
FULL, NUMERIC = Node("full", (), Options(dim=16)), Node("numeric")
IDLE = {
    "dense_operator": "mlp",
    "dense": "0",
    "left": "0",
    "right": "0",
    "width": 16,
    "sparse_operator": "efc",
    "fields": "0",
    "tokens": 16,
    "to_sparse": False,
    "to_dense": False,
}


def decoded(space: NASRec = PLAIN, blocks: int = 1, **changes: object) -> Architecture:
    """Architecture of idle blocks, changed in slots like `block1_dense`."""
    idle = {f"block{number}.{what}": value for number in range(1, blocks + 1) for what, value in IDLE.items()}
    named = {slot.replace("_", ".", 1): value for slot, value in changes.items()}
    architecture = space.to_candidate({**idle, **named}).architecture  # type: ignore[dict-item]
    assert architecture is not None
    return architecture


def graph(*nodes: Node) -> Architecture:
    return canonical(Architecture((FULL, NUMERIC, *nodes)))


EFC = Node("efc", (0,), Options(tokens=16))


def test_the_spaces_have_as_many_points_as_the_published_ones() -> None:
    # Sets of one to four of n sources, both sides of a binary operator; 10^36.4 and 10^32.3.
    sets = [sum(comb(sources, size) for size in range(1, 5)) for sources in range(1, 8)]
    sizes = 8 * 4 * 2 * 2
    full = prod(2 * sizes * one * (2 * one + 2 * sources**2) for sources, one in enumerate(sets, start=1))
    assert SPACE.decoded_count() == full
    assert NASRec(BOTH, variant="small").decoded_count() == prod(2 * sizes * one**2 for one in sets)
    assert len(str(full)) == 37


def test_sources_belong_to_operators_that_read_them() -> None:
    decisions = {decision.slot: decision for decision in SPACE.decisions()}
    assert decisions["block3.dense"].choices == ("0", "1", "2", "0 1", "0 2", "1 2", "0 1 2")
    assert not decisions["block3.dense"].counts({"block3.dense_operator": "sum"})
    assert not decisions["block3.left"].counts({"block3.dense_operator": "dot_product"})
    assert max(len(str(choice).split()) for choice in decisions["block7.fields"].choices) == 4


def test_a_fully_connected_block_reads_both_raw_inputs() -> None:
    expected = graph(EFC, Node("mlp", (1,), Options(width=16)), Node("logit", (2, 3)))
    assert decoded() == expected


def test_a_dot_product_pairs_one_dense_token_with_fewer_field_tokens() -> None:
    # round(sqrt(2 * 64)) = 11 tokens, and 12 * 11 / 2 = 66 pairs for 64 units
    reduction = Node("efc", (0,), Options(tokens=11, activation="none"))
    projection = Node("mlp", (4,), Options(width=64, activation="none"))
    expected = graph(EFC, reduction, Node("dot_product", (1, 3)), projection, Node("logit", (2, 5)))
    assert decoded(block1_dense_operator="dot_product", block1_width=64) == expected


def test_a_sum_fills_up_and_is_projected() -> None:
    added, projection = Node("sum", (1, 1), Options(pad=True)), Node("mlp", (3,), Options(width=16, activation="none"))
    assert decoded(block1_dense_operator="sum") == graph(EFC, added, projection, Node("logit", (2, 4)))


def test_a_gate_tells_left_from_right() -> None:
    sides = {"block2_dense_operator": "sigmoid_gate", "block2_left": "0", "block2_right": "1"}
    space = NASRec(BOTH, blocks=2, layer_norm=False)
    one, other = decoded(space, 2, **sides), decoded(space, 2, **sides | {"block2_left": "1", "block2_right": "0"})
    gate = next(node for node in one.nodes if node.block == "sigmoid_gate")
    assert [one.nodes[at].block for at in gate.inputs] == ["numeric", "mlp"]
    assert [gate.port_of(at) for at in (0, 1)] == ["gate", "value"]
    assert one != other


def test_mergers_read_what_the_halves_give_alone() -> None:
    found = decoded(block1_to_sparse=True, block1_to_dense=True)
    merger = Node("dense_to_tokens", (3,), Options(tokens=8, dim=16))
    pairs = (Node("bi_interaction", (2,)), Node("mlp", (5,), Options(width=16, activation="none")))
    dense = Node("mlp", (1,), Options(width=16))
    assert found == graph(EFC, dense, merger, *pairs, Node("sum", (3, 6)), Node("logit", (2, 4, 7)))


def test_norms_follow_every_layer() -> None:
    changes = {
        "block1_sparse_operator": "transformer",
        "block1_dense_operator": "sigmoid_gate",
        "block1_to_sparse": True,
    }
    blocks = decoded(NASRec(BOTH, blocks=1), 1, **changes)
    options = {node.block: node.options for node in blocks.nodes}
    assert options["transformer"] == Options(tokens=16, heads=8, gain=0.17, token_norm=True)
    assert options["dense_to_tokens"]["layer_norm"] is True
    assert "layer_norm" in options


def test_what_the_last_block_does_not_reach_is_dead() -> None:
    space = NASRec(BOTH, blocks=3, layer_norm=False)
    assert decoded(space, 3, block2_width=512, block1_fields="0") == decoded()


def test_an_assignment_puts_live_blocks_last() -> None:
    candidate = NASRec(BOTH, blocks=1).sample(np.random.default_rng(3))
    assignment = SPACE.to_assignment(candidate)
    assert SPACE.to_candidate(assignment).fingerprint == candidate.fingerprint
    assert assignment["block7.fields"] == "0"


def test_the_code_of_one_block_can_be_read_off() -> None:
    space = NASRec(BOTH, blocks=2, variant="small", layer_norm=False)
    code = space.encode(Candidate(decoded(space, 2, block2_dense_operator="dot_product", block2_width=64)))
    raw, first, second = code[:4], code[4:19], code[19:]
    assert raw.tolist() == [1, 1, 1, 1]
    assert not first.any()
    assert second.tolist() == [0, 1, 1, *(1, 0), *(0, 0), *(0, 0), *(1, 0), 3, 1, 0, 0]


def test_200_candidates_of_all_raw_inputs_are_built_and_read_back() -> None:
    rng = np.random.default_rng(4)
    for _ in range(200):
        candidate = SWITCHED.sample(rng)
        again = Candidate.from_dict(candidate.to_dict())
        assert again.architecture is not None
        assert SWITCHED.to_candidate(SWITCHED.to_assignment(again)).fingerprint == candidate.fingerprint
        with torch.device("meta"):
            model = RankingModel(canonical(again.architecture), BOTH)
        assert sum(one.numel() for one in model.parameters()) == cost(again.architecture, BOTH).parameters


def test_children_of_other_raw_inputs_stay_in_the_space() -> None:
    rng = np.random.default_rng(5)
    one, other = SWITCHED.sample(rng), SWITCHED.sample(rng)
    for _ in range(50):
        one = SWITCHED.mutate(SWITCHED.crossover(one, other, rng), rng)
        SWITCHED.validate(one)


def test_every_decision_of_the_raw_inputs_is_reached_by_mutation() -> None:
    rng, seen = np.random.default_rng(6), set()
    parent = SWITCHED.sample(rng)
    before = SWITCHED.to_assignment(parent)
    for _ in range(150):
        after = SWITCHED.to_assignment(SWITCHED.mutate(parent, rng))
        seen |= {slot for slot, value in after.items() if slot.startswith("raw.") and before[slot] != value}
    assert seen == {"raw.embedding", "raw.dim", "raw.numbers", "raw.frequency"}


@pytest.mark.parametrize(
    ("numeric", "categorical", "sources"),
    [(3, 0, {"numeric_linear", "numeric"}), (0, 4, {"full", "concat"}), (3, 4, {"full", "numeric"})],
)
def test_a_group_that_the_schema_lacks_is_replaced(numeric: int, categorical: int, sources: set[str]) -> None:
    space = NASRec(schema(numeric=numeric, categorical=categorical))
    architecture = space.sample(np.random.default_rng(0)).architecture
    assert architecture is not None
    raw = {node.block for node in architecture.nodes if not node.inputs or node.block == "concat"}
    assert raw == sources


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"variant": "fulll"}, r"no variant 'fulll' of this space; did you mean 'full'\?"),
        ({"blocks": 13}, "'blocks' must be an integer from 1 to 12, but is 13"),
        ({"blocks": True}, "'blocks' must be an integer from 1 to 12, but is True"),
        ({"layer_norm": 1}, "'layer_norm' must be true or false, but is 1"),
        ({"embeddings": []}, r"'embeddings' must be a list with at least one of \['full', .*\], but is \[\]"),
        ({"embeddings": ["hash"]}, r"'embeddings' of this space have no 'hash'; did you mean 'hashed'\?"),
        ({"numbers": ["none", "none"]}, r"each choice is named once, but 'numbers' is \['none', 'none'\]"),
        ({"frequency": [1]}, r"'frequency' must be a list of true, false or both, but is \[1\]"),
        ({"embedding_dims": [1]}, r"'embedding_dims' must be a list of integers of at least 2, but is \[1\]"),
        ({"embedding_dims": [16, 8]}, r"'embedding_dims' must ascend and differ, but is \[16, 8\]"),
    ],
)
def test_a_wrong_option_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        NASRec(BOTH, **options)  # type: ignore[arg-type]


def test_a_missing_decision_and_a_wrong_choice_are_named() -> None:
    assignment = SPACE.to_assignment(SPACE.sample(np.random.default_rng(0)))
    with pytest.raises(CandidateError, match=r"decides every slot that counts, but 'block7\.tokens' is missing"):
        SPACE.to_candidate({slot: value for slot, value in assignment.items() if slot != "block7.tokens"})
    with pytest.raises(CandidateError, match=r"'block7.tokens' must be one of \[16, 32, 48, 64\], but is 24"):
        SPACE.to_candidate({**assignment, "block7.tokens": 24})


DENSE = Node("mlp", (1,), Options(width=16))
OUTSIDE = {
    "the candidate has the sources .*'dim': 8.*, which no choice of this space gives": (
        Node("full", (), Options(dim=8)),
        NUMERIC,
        EFC,
        DENSE,
        Node("logit", (2, 3)),
    ),
    "'cross' is no operator of this space": (
        FULL,
        NUMERIC,
        EFC,
        DENSE,
        Node("cross", (3,), Options(layers=2)),
        Node("logit", (2, 3, 4)),
    ),
    r"'block1.width' must be one of \[16, .*\], but is 48": (
        FULL,
        NUMERIC,
        EFC,
        Node("mlp", (1,), Options(width=48)),
        Node("logit", (2, 3)),
    ),
    "'width' of 'mlp' must be an integer, but is 16.0": (
        FULL,
        NUMERIC,
        EFC,
        Node("mlp", (1,), Options(width=16.0)),
        Node("logit", (2, 3)),
    ),
    "the nodes are not wired as blocks of this space are, or have other options": (
        FULL,
        NUMERIC,
        EFC,
        Node("mlp", (1,), Options(width=16, dropout=0.1)),
        Node("logit", (2, 3)),
    ),
    "the candidate needs more than the 1 blocks that there are": (
        FULL,
        NUMERIC,
        EFC,
        DENSE,
        Node("mlp", (3,), Options(width=16)),
        Node("logit", (2, 4)),
    ),
    r"the nodes are not wired as blocks of this space are \(": (FULL, NUMERIC, DENSE, Node("logit", (0, 2))),
}


@pytest.mark.parametrize("message", OUTSIDE)
def test_what_is_outside_is_told_why(message: str) -> None:
    with pytest.raises(CandidateError, match=message):
        PLAIN.validate(Candidate(Architecture(OUTSIDE[message])))


def test_settings_and_norms_of_others_are_outside() -> None:
    with pytest.raises(CandidateError, match="'layer_norm' of this space is True, but not that of the candidate"):
        SPACE.validate(Candidate(decoded()))
    with pytest.raises(CandidateError, match=r"no training settings, but the candidate sets \['rate'\]"):
        PLAIN.validate(Candidate(decoded(), training=Options(rate=0.1)))
    with pytest.raises(CandidateError, match="has an architecture, but this one has none"):
        PLAIN.validate(Candidate())
