"""The canonical form against isomorphism as networkx decides it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from searchspaces import Architecture, Node, Options, canonical, live_nodes
from searchspaces.graph import is_isomorphic
from tests.searchspaces.graphs import architectures, relabelled, with_output


def mlp(*inputs: int, **options: object) -> Node:
    return Node("mlp", inputs, Options(options))


def gate(value: int, by: int) -> Node:
    return Node("gate", (value, by), Options(ports=["value", "gate"]))


@given(architectures(), st.integers(0, 2**16))
@settings(max_examples=60, deadline=None)
def test_relabelling_does_not_change_the_canonical_form(architecture: Architecture, seed: int) -> None:
    copy = relabelled(architecture, seed)
    assert canonical(copy).to_json() == canonical(architecture).to_json()


@given(architectures(), architectures())
@settings(max_examples=150, deadline=None)
def test_canonical_forms_are_equal_exactly_for_isomorphic_graphs(one: Architecture, other: Architecture) -> None:
    assert (canonical(one) == canonical(other)) == is_isomorphic(one, other)


@given(architectures(most_blocks=3), architectures(most_blocks=3))
@settings(max_examples=150, deadline=None)
def test_small_graphs_where_isomorphic_pairs_are_common(one: Architecture, other: Architecture) -> None:
    assert (canonical(one) == canonical(other)) == is_isomorphic(one, other)


@given(architectures())
@settings(max_examples=50, deadline=None)
def test_the_canonical_form_is_a_fixed_point_and_isomorphic_to_the_original(architecture: Architecture) -> None:
    form = canonical(architecture)
    assert canonical(form).to_json() == form.to_json()
    assert is_isomorphic(form, architecture)


@given(architectures())
@settings(max_examples=50, deadline=None)
def test_the_canonical_form_has_no_dead_nodes(architecture: Architecture) -> None:
    form = canonical(architecture)
    assert len(form.nodes) == len(live_nodes(architecture))
    assert live_nodes(form) == tuple(range(len(form.nodes)))


def test_a_dead_block_leaves_the_form_as_it_is() -> None:
    source = Node("full", (), Options(dim=4))
    lean = Architecture((source, Node("logit", (0,))))
    dead = Architecture((source, mlp(0), Node("logit", (0,))))
    assert canonical(dead) == canonical(lean)


def test_a_sum_of_one_block_with_itself_differs_from_a_sum_of_two_equal_blocks() -> None:
    start = (Node("numeric"), mlp(0), mlp(0))
    same = with_output(*start, Node("sum", (1, 1)), gate(3, 2))
    both = with_output(*start, Node("sum", (1, 2)), gate(3, 2))
    assert not is_isomorphic(same, both)
    assert canonical(same) != canonical(both)


def test_ports_tell_who_gates_whom() -> None:
    start = (Node("numeric"), mlp(0, width=32), mlp(0, width=64))
    assert canonical(with_output(*start, gate(1, 2))) != canonical(with_output(*start, gate(2, 1)))


def test_ports_may_be_written_in_any_order() -> None:
    start = (Node("numeric"), mlp(0, width=32), mlp(0, width=64))
    turned = Node("gate", (2, 1), Options(ports=["gate", "value"]))
    assert canonical(with_output(*start, turned)) == canonical(with_output(*start, gate(1, 2)))


def test_empty_ports_are_not_the_same_as_no_ports() -> None:
    named, plain = Node("sum", (0,), Options(ports=[""])), Node("sum", (0,))
    one = Architecture((Node("numeric"), named, plain, Node("logit", (1, 2))))
    other = Architecture((Node("numeric"), plain, named, Node("logit", (1, 2))))
    assert canonical(one) == canonical(other)


def test_options_that_compare_equal_but_read_otherwise_are_kept_apart() -> None:
    whole, real = with_output(Node("numeric"), mlp(0, rate=1)), with_output(Node("numeric"), mlp(0, rate=1.0))
    assert canonical(whole).to_json() != canonical(real).to_json()


def test_seven_equal_blocks_survive_relabelling() -> None:
    nodes = (Node("numeric"), Node("full", (), Options(dim=4)), *(mlp(0, 1) for _ in range(7)))
    architecture = Architecture((*nodes, Node("logit", tuple(range(2, 9)))))
    assert canonical(relabelled(architecture, 5)) == canonical(architecture)


def test_many_equal_chains_take_no_factorial_time() -> None:
    # Ten chains have 10! = 3.6 million orders; without the mirror cut this would not end within an hour.
    nodes = (Node("numeric"), *(mlp(0) for _ in range(10)), *(mlp(1 + chain) for chain in range(10)))
    architecture = Architecture((*nodes, Node("logit", tuple(range(11, 21)))))
    assert canonical(relabelled(architecture, 5)) == canonical(architecture)


def test_a_ring_of_equal_blocks_survives_relabelling() -> None:
    lower = (mlp(1, 2), mlp(2, 3), mlp(3, 4), mlp(4, 1))
    ring = Architecture((Node("numeric"), *(mlp(0) for _ in range(4)), *lower, Node("logit", (5, 6, 7, 8))))
    assert canonical(relabelled(ring, 5)) == canonical(ring)


def test_two_rings_of_three_differ_from_one_ring_of_six() -> None:
    # Refinement alone cannot tell them apart: every block has two inputs and two consumers.
    def rings(pairs: list[tuple[int, int]]) -> Architecture:
        lower = (mlp(1 + one, 1 + other) for one, other in pairs)
        return Architecture((Node("numeric"), *(mlp(0) for _ in range(6)), *lower, Node("logit", tuple(range(7, 13)))))

    six = rings([(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 0)])
    threes = rings([(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3)])
    assert not is_isomorphic(six, threes)
    assert canonical(six) != canonical(threes)
