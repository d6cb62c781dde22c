"""The AutoCTR space: its decisions, its rules, and what lies outside it."""

import numpy as np
import pytest

from searchspaces import (
    Architecture,
    Candidate,
    CandidateError,
    Node,
    Options,
    SpaceError,
    canonical,
    count_assignments,
)
from searchspaces.spaces.autoctr import AutoCTR
from tests.searchspaces.graphs import schema

BOTH = schema(numeric=3, categorical=4)
SPACE = AutoCTR(BOTH)
NUMERIC, FULL = Node("numeric"), Node("full", (), Options(dim=16))
TOKENS = Options(dim=16)
IDLE = {decision.slot: decision.choices[0] for decision in SPACE.decisions()}


def decoded(space: AutoCTR = SPACE, **changes: object) -> Architecture:
    """Architecture of an assignment without inputs, changed in slots like `block1_dense`."""
    idle = {decision.slot: decision.choices[0] for decision in space.decisions()}
    named = {slot.replace("_", ".", 1): value for slot, value in changes.items()}
    architecture = space.to_candidate({**idle, **named}).architecture  # type: ignore[dict-item]
    assert architecture is not None
    return architecture


def mlp(*inputs: int, width: int = 32) -> Node:
    return Node("mlp", inputs, Options(width=width))


def test_the_default_space_has_two_to_the_power_of_56_assignments() -> None:
    assert SPACE.decoded_count() == 2**56


def test_the_default_code_has_91_numbers() -> None:
    assert SPACE.encode(SPACE.sample(np.random.default_rng(0))).shape == (91,)


def test_a_small_space_counts_what_it_enumerates() -> None:
    # Block 1: (fm or mlp of two widths) x 2 groups; block 2 also takes block 1 or not.
    space = AutoCTR(BOTH, blocks=2, operators=["mlp", "fm"], widths=[8, 16])
    assert space.decoded_count() == (3 * 4) * (3 * 8) == count_assignments(space.decisions())


def test_decisions_are_named_by_block_and_widths_belong_to_an_mlp() -> None:
    decisions = {decision.slot: decision for decision in SPACE.decisions()}
    assert [slot for slot in decisions if slot.startswith("block3.")] == [
        "block3.operator",
        "block3.dense",
        "block3.sparse",
        "block3.block1",
        "block3.block2",
        "block3.width",
    ]
    assert not decisions["block3.width"].counts({"block3.operator": "fm"})
    assert decisions["block3.width"].choices == (32, 64, 128, 256, 512, 1024)


@pytest.mark.parametrize(("numeric", "categorical", "missing"), [(0, 4, "dense"), (3, 0, "sparse")])
def test_a_group_that_the_schema_lacks_has_no_decision(numeric: int, categorical: int, missing: str) -> None:
    space = AutoCTR(schema(numeric=numeric, categorical=categorical))
    assert not [decision.slot for decision in space.decisions() if decision.slot.endswith(missing)]
    assert len(space.encode(space.sample(np.random.default_rng(0)))) == 91


def test_without_live_blocks_the_logit_reads_the_raw_groups() -> None:
    assert decoded() == canonical(Architecture((NUMERIC, FULL, Node("logit", (0, 1)))))


def test_a_block_takes_what_its_bits_say_and_the_logit_the_rest() -> None:
    found = decoded(block1_dense=True, block2_operator="fm", block2_sparse=True, block3_block1=True, block3_width=64)
    nodes = (NUMERIC, FULL, mlp(0), Node("fm", (1,), TOKENS), mlp(2, width=64), Node("logit", (3, 4)))
    assert found == canonical(Architecture(nodes))


def test_a_block_fed_only_by_a_dead_block_is_dead() -> None:
    assert decoded(block2_block1=True) == decoded()


def test_a_dot_product_of_one_token_is_passed_over() -> None:
    found = decoded(block1_operator="dot_product", block1_dense=True, block2_block1=True)
    assert found == decoded()


def test_a_dot_product_of_dense_inputs_has_one_token_however_many_they_are() -> None:
    dense_alone = decoded(block1_dense=True, block2_operator="dot_product", block2_dense=True, block2_block1=True)
    assert dense_alone == decoded(block1_dense=True)
    paired = decoded(block1_dense=True, block2_operator="dot_product", block2_block1=True, block2_sparse=True)
    assert "dot_product" in [node.block for node in paired.nodes]


def test_one_categorical_field_pairs_only_with_a_dense_token() -> None:
    space = AutoCTR(schema(numeric=1, categorical=1))
    alone = decoded(space, block1_operator="dot_product", block1_sparse=True)
    paired = decoded(space, block1_operator="dot_product", block1_sparse=True, block1_dense=True)
    assert [len(alone.nodes), len(paired.nodes)] == [3, 4]


def test_a_width_without_mlp_need_not_be_decided() -> None:
    assignment = {slot: value for slot, value in IDLE.items() if not slot.endswith("width")}
    assignment |= {f"block{number}.operator": "fm" for number in range(1, 8)}
    assert SPACE.to_candidate(assignment).architecture == decoded()


def test_an_assignment_puts_live_blocks_first() -> None:
    candidate = Candidate(decoded(block5_operator="fm", block5_dense=True))
    assignment = SPACE.to_assignment(candidate)
    assert assignment["block1.operator"] == "fm"
    assert assignment["block1.dense"] is True
    assert not [slot for slot, value in assignment.items() if value is True and not slot.startswith("block1.")]
    assert "block1.width" not in assignment


def test_the_code_of_one_block_can_be_read_off() -> None:
    code = SPACE.encode(Candidate(decoded(block4_sparse=True, block4_width=128))).reshape(7, 13)
    assert code[0].tolist() == [1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2]
    assert not code[1:].any()


def test_a_mutation_reaches_a_block_that_needs_two_inputs() -> None:
    # Neither bit alone makes a dot product of one field and one dense token.
    space = AutoCTR(schema(numeric=1, categorical=1), blocks=1, operators=["dot_product"])
    parent = Candidate(decoded(space))
    child = space.mutate(parent, np.random.default_rng(0))
    assert child.fingerprint != parent.fingerprint


def test_mutation_brings_in_every_operator_alike() -> None:
    # From the empty graph the first change that counts is a bit; its block must not always be the first operator.
    rng = np.random.default_rng(0)
    parent = Candidate(decoded())
    children = [SPACE.mutate(parent, rng).architecture for _ in range(120)]
    blocks = [node.block for child in children if child for node in child.nodes if "full" != node.block != "numeric"]
    assert {"mlp", "fm", "dot_product"} <= set(blocks)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"blocks": 0}, "'blocks' must be an integer of at least 1, but is 0"),
        ({"blocks": 2.0}, "'blocks' must be an integer of at least 1, but is 2.0"),
        ({"blocks": 101}, "'blocks' must be an integer of at most 100, but is 101"),
        ({"embedding_dim": 2**31}, "'embedding_dim' must be an integer of at most 2147483647, but is 2147483648"),
        ({"embedding_dim": -1}, "'embedding_dim' must be an integer of at least 1, but is -1"),
        ({"operators": []}, r"'operators' must be a list with at least one of \['mlp', 'fm', 'dot_product'\]"),
        ({"operators": "mlp"}, "'operators' must be a list with at least one of .*, but is 'mlp'"),
        ({"operators": ["dot_prodcut"]}, r"no operator 'dot_prodcut' in this space; did you mean 'dot_product'\?"),
        ({"operators": ["fm", "fm"]}, r"each operator is named once, but 'operators' is \['fm', 'fm'\]"),
        ({"widths": []}, "an 'mlp' needs a choice of widths, but 'widths' is empty"),
        ({"widths": [64, 32]}, r"'widths' must ascend and differ, but is \[64, 32\]"),
        ({"widths": [0, 32]}, "'widths' must be an integer of at least 1, but is 0"),
    ],
)
def test_a_wrong_option_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        AutoCTR(BOTH, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("fields", [schema(numeric=9, categorical=0), schema(numeric=0, categorical=1)])
def test_operators_that_no_schema_field_can_feed_are_refused(fields: object) -> None:
    with pytest.raises(SpaceError, match=r"a dot product needs two tokens, but this schema gives one .* add 'mlp'"):
        AutoCTR(fields, operators=["dot_product"])  # type: ignore[arg-type]


def test_widths_are_not_needed_without_an_mlp() -> None:
    assert AutoCTR(BOTH, operators=["fm"], widths=[]).decoded_count() > 0


def test_a_missing_decision_is_named() -> None:
    incomplete = {slot: value for slot, value in IDLE.items() if slot != "block3.block1"}
    with pytest.raises(CandidateError, match=r"decides every slot that counts, but 'block3.block1' is missing"):
        SPACE.to_candidate(incomplete)


def test_a_value_that_is_no_choice_is_named() -> None:
    with pytest.raises(CandidateError, match=r"'block1.width' must be one of \[32, .*\], but is 48"):
        SPACE.to_candidate({**IDLE, "block1.width": 48})


OUTSIDE = {
    "the sources of this space are numeric\\(\\) and full\\(dim=16\\), but the candidate has full\\(dim=8\\)": (
        NUMERIC,
        Node("full", (), Options(dim=8)),
        Node("logit", (0, 1)),
    ),
    "each raw group is one source, but 'full' appears twice": (NUMERIC, FULL, FULL, Node("logit", (0, 1, 2))),
    r"'cross' is no operator of this space; \(known: mlp, fm, dot_product\)": (
        NUMERIC,
        FULL,
        Node("cross", (0,), Options(layers=2)),
        Node("logit", (1, 2)),
    ),
    r"an mlp of this space has one of the widths \[32, .*\], but one has 48": (
        NUMERIC,
        FULL,
        mlp(0, width=48),
        Node("logit", (1, 2)),
    ),
    r"one of the widths \[32, .*\], but one has 32.0": (
        NUMERIC,
        FULL,
        Node("mlp", (0,), Options(width=32.0)),
        Node("logit", (1, 2)),
    ),
    r"in this space it is fm\(dim=16\), but the candidate has fm\(dim=16, first_order=False\)": (
        NUMERIC,
        FULL,
        Node("fm", (1,), Options(dim=16, first_order=False)),
        Node("logit", (0, 2)),
    ),
    r"takes an input once or not at all, but mlp\(width=32\) takes \['dense', 'dense'\]": (
        NUMERIC,
        FULL,
        mlp(0, 0),
        Node("logit", (1, 2)),
    ),
    r"a dot product needs two tokens, but one takes only \['dense'\]": (
        NUMERIC,
        FULL,
        Node("dot_product", (0,), TOKENS),
        Node("logit", (1, 2)),
    ),
    r"the output of this space is a plain 'logit', but is sum_logit\(\)": (NUMERIC, FULL, Node("sum_logit", (0, 1))),
    r"what no block takes goes to the logit, but \['sparse'\] go nowhere": (NUMERIC, mlp(0), Node("logit", (1,))),
    r"takes exactly what no block takes, \['sparse', 'block1'\], but takes \['sparse', 'dense', 'block1'\]": (
        NUMERIC,
        FULL,
        mlp(0),
        Node("logit", (0, 1, 2)),
    ),
    "this space has 7 blocks, but the candidate has 8": (
        NUMERIC,
        FULL,
        *(mlp(0) for _ in range(8)),
        Node("logit", tuple(range(1, 10))),
    ),
}


@pytest.mark.parametrize("message", OUTSIDE)
def test_a_candidate_outside_the_space_is_refused(message: str) -> None:
    with pytest.raises(CandidateError, match=message):
        SPACE.validate(Candidate(Architecture(OUTSIDE[message])))


def test_settings_and_bare_settings_lie_outside_the_space() -> None:
    with pytest.raises(CandidateError, match=r"no training settings, but the candidate sets \['rate'\]"):
        SPACE.validate(Candidate(decoded(), training=Options(rate=0.1)))
    with pytest.raises(CandidateError, match="has an architecture, but this one has none"):
        SPACE.validate(Candidate())


def test_dead_blocks_do_not_put_a_candidate_outside() -> None:
    dead = Architecture((NUMERIC, FULL, mlp(0, width=48), Node("logit", (0, 1))))
    assert SPACE.to_candidate(SPACE.to_assignment(Candidate(dead))).fingerprint == Candidate(dead).fingerprint
