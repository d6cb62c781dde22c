"""Towers: the identity is the flat model, and each works on its own fields."""

import pytest
import torch

from searchspaces import Architecture, ArchitectureError, Cost, Dense, Fields, Node, Options
from searchspaces.blocks.tower import Tower
from searchspaces.build import build
from tests.searchspaces.graphs import schema

SCHEMA = schema(numeric=0, categorical=4)
SOURCE, MLP, LOGIT = Node("full", (), Options(dim=4)), Options(width=8), Options()
PARTITION = [[2, 0], [3, 1]]


def test_towers_with_the_identity_are_the_flat_model_bit_for_bit() -> None:
    tower = Node("tower", (0,), Options(partition=PARTITION))
    flat = build(Architecture((SOURCE, Node("mlp", (0,), MLP), Node("logit", (1,), LOGIT))), SCHEMA, seed=3)
    towers = Architecture((SOURCE, tower, Node("mlp", (1,), MLP), Node("logit", (2,), LOGIT)))
    other = build(towers, SCHEMA, seed=3)
    other.load_state_dict(dict(zip(other.state_dict(), flat.state_dict().values(), strict=True)))
    ids = torch.randint(0, 50, (64, 4), dtype=torch.int32)
    assert torch.equal(flat(torch.empty(64, 0), ids), other(torch.empty(64, 0), ids))


def test_each_tower_sees_its_fields_alone() -> None:
    module = ["self_attention", [["width", 3]]]
    block, fields = Tower([Fields(4, 3)], Options(partition=PARTITION, module=module)), torch.randn(6, 4, 3)
    assert block.towers is not None
    first, second = block.towers[0](fields[:, [2, 0]]), block.towers[1](fields[:, [3, 1]])
    expected = torch.stack([first[:, 1], second[:, 1], first[:, 0], second[:, 0]], dim=1)
    assert torch.allclose(block(fields), expected, atol=1e-6)


def test_a_vector_of_a_tower_is_compressed_to_tokens() -> None:
    options = Options(partition=[[1], [0, 2]], module=["cross", [["layers", 1]]], tokens=2, token_dim=5)
    block, fields = Tower([Fields(3, 4)], options), torch.randn(6, 3, 4)
    assert block.towers is not None
    parts = [
        layer(module(fields[:, tower])).view(6, 2, 5)
        for module, layer, tower in zip(block.towers, block.compress, ([1], [0, 2]), strict=True)
    ]
    assert torch.allclose(block(fields), torch.cat(parts, dim=1), atol=1e-6)
    crosses = Cost(4 * 4 + 4 + 8 * 8 + 8, 16 + 64)
    assert Tower.cost([Fields(3, 4)], options) == crosses + Cost(5 * 10 + 9 * 10, 4 * 10 + 8 * 10)


def test_towers_without_a_module_may_compress_their_fields() -> None:
    options = Options(partition=[[0, 1, 2], [3]], tokens=1)
    block, fields = Tower([Fields(4, 3)], options), torch.randn(6, 4, 3)
    expected = [block.compress[0](fields[:, :3].flatten(1)), block.compress[1](fields[:, 3])]
    assert torch.allclose(block(fields), torch.stack(expected, dim=1), atol=1e-6)


def test_vectors_are_not_joined_as_tokens() -> None:
    options = Options(partition=PARTITION, module=["mlp", [["width", 8]]])
    with pytest.raises(ArchitectureError, match=r"but its towers give \[8\], \[8\]; compress to 'tokens'"):
        Tower.output([Fields(4, 3)], options)


@pytest.mark.parametrize("partition", [None, [[0, 1]], [[0, 1], [1, 2, 3]], [[0, 1, 2, 3], []], [[0, 1], ["2", 3]]])
def test_a_partition_holds_each_field_once(partition: object) -> None:
    with pytest.raises(ArchitectureError, match="must hold each of the 4 fields 0 to 3 once, in towers of at least"):
        Tower.output([Fields(4, 3)], Options(partition=partition))


@pytest.mark.parametrize("inputs", [[Dense(4)], [Fields(2, 3), Fields(2, 3)]])
def test_a_tower_partitions_one_input(inputs: list[Dense | Fields]) -> None:
    with pytest.raises(ArchitectureError, match="block 'tower' takes one input of field vectors, but got"):
        Tower.output(inputs, Options(partition=PARTITION))


def test_a_dimension_of_tokens_needs_tokens() -> None:
    with pytest.raises(ArchitectureError, match="'token_dim' of block 'tower' is the dimension of 'tokens'"):
        Tower.output([Fields(4, 3)], Options(partition=PARTITION, token_dim=2))


def test_a_mistake_in_a_module_is_named_with_its_tower() -> None:
    options = Options(partition=[[0], [1, 2, 3]], module="dot_product")
    with pytest.raises(ArchitectureError, match="tower 0 of block 'tower': block 'dot_product' needs two tokens"):
        Tower.output([Fields(4, 3)], options)
