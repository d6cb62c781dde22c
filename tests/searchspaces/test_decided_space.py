"""A space from its decisions, on a coding small enough to list."""

from collections.abc import Sequence

import numpy as np
import pytest

from searchspaces import (
    Architecture,
    Assignment,
    Candidate,
    CandidateError,
    Condition,
    Decision,
    InputChoice,
    Node,
    OperatorChoice,
    Options,
    WidthChoice,
    canonical,
)
from searchspaces._decided_space import DecidedSpace


class Toy:
    """One block or none on the numbers; a width only of an mlp, and norm only of a wide one."""

    def decisions(self) -> Sequence[Decision]:
        return (
            InputChoice("there", (False, True)),
            OperatorChoice("operator", ("mlp", "cross"), Condition("there", (True,))),
            WidthChoice("width", (4, 8), Condition("operator", ("mlp",))),
            OperatorChoice("norm", ("none", "layer"), Condition("width", (8,))),
        )

    def candidate(self, genotype: Assignment) -> Candidate:
        nodes = [Node("numeric")]
        if genotype["there"]:
            options: dict[str, object] = {"layers": 1}
            if genotype["operator"] == "mlp":
                options = {"width": genotype["width"]}
                if genotype.get("norm", "none") != "none":
                    options["norm"] = genotype["norm"]
            nodes.append(Node(str(genotype["operator"]), (0,), Options(options)))
        return Candidate(canonical(Architecture((*nodes, Node("logit", (len(nodes) - 1,))))))

    def read(self, candidate: Candidate) -> Assignment:
        if candidate.architecture is None:
            raise CandidateError("no architecture")
        inner = candidate.architecture.nodes[1:-1]
        if not inner:
            return {"there": False}
        options = inner[0].options
        return {
            "there": True,
            "operator": inner[0].block,
            "norm": str(options.get("norm", "none")),
            **({"width": options["width"]} if "width" in options else {}),  # type: ignore[dict-item]
        }


SPACE = DecidedSpace(Toy())


def toy(*nodes: Node, training: Options | None = None) -> Candidate:
    every = (Node("numeric"), *nodes)
    return Candidate(Architecture((*every, Node("logit", (len(every) - 1,)))), training or Options())


MLP = Node("mlp", (0,), Options(width=8))


def test_decisions_that_hang_on_one_that_does_not_count_do_not_count() -> None:
    # The width is given, but there is no block; so nobody asks for a norm.
    found = SPACE.to_candidate({"there": False, "operator": "mlp", "width": 8})
    assert SPACE.to_assignment(found) == {"there": False}


def test_an_assignment_names_what_counts_in_order() -> None:
    assert SPACE.to_assignment(toy(MLP)) == {"there": True, "operator": "mlp", "width": 8, "norm": "none"}
    assert SPACE.to_assignment(toy(Node("cross", (0,), Options(layers=1)))) == {"there": True, "operator": "cross"}


def test_a_missing_decision_is_named() -> None:
    with pytest.raises(CandidateError, match="decides every slot that counts, but 'width' is missing"):
        SPACE.to_candidate({"there": True, "operator": "mlp"})


@pytest.mark.parametrize("width", [16, 8.0, True])
def test_a_value_that_is_no_choice_is_named(width: float) -> None:
    with pytest.raises(CandidateError, match=r"'width' must be one of \[4, 8\], but is "):
        SPACE.to_candidate({"there": True, "operator": "mlp", "width": width})


@pytest.mark.parametrize(
    ("candidate", "message"),
    [
        (toy(Node("mlp", (0,), Options(width=8, dropout=0.5))), "would be mlp.*, but is mlp.*dropout"),
        (toy(MLP, Node("mlp", (1,), Options(width=8))), "node 2 of the canonical form would be logit.*, but is mlp"),
        (toy(MLP, training=Options(rate=1)), r"the training settings would be \{\}, but are \{'rate': 1\}"),
        (Candidate(toy(MLP).architecture, system=Options(gpus=1)), r"system settings would be \{\}, but are"),
        (Candidate(), "no architecture"),
    ],
)
def test_what_the_decisions_do_not_say_lies_outside(candidate: Candidate, message: str) -> None:
    with pytest.raises(CandidateError, match=message):
        SPACE.validate(candidate)


def test_mutation_reaches_every_candidate_and_no_other() -> None:
    rng, seen, parent = np.random.default_rng(0), set(), SPACE.sample(np.random.default_rng(1))
    for _ in range(200):
        parent = SPACE.mutate(parent, rng)
        seen.add(parent.fingerprint)
    assert len(seen) == 5  # none, cross, mlp of 4, mlp of 8 with either norm


def test_a_child_takes_what_counts_in_one_parent_alone_from_that_one() -> None:
    parents = toy(MLP), toy()
    children = [SPACE.crossover(*parents, np.random.default_rng(seed)) for seed in range(40)]
    assert {one.fingerprint for one in children} == {one.fingerprint for one in parents}


def test_inputs_are_drawn_by_their_chance() -> None:
    never, always = (DecidedSpace(Toy(), chances={"there": chance}) for chance in (0.0, 1.0))
    rng = np.random.default_rng(2)
    assert not any(never.to_assignment(never.sample(rng))["there"] for _ in range(20))
    assert all(always.to_assignment(always.sample(rng))["there"] for _ in range(20))


def test_a_code_has_ranks_of_numbers_and_one_column_for_each_word() -> None:
    assert SPACE.encode(toy(MLP)).tolist() == [1, 1, 0, 1.0, 1, 0]
    assert SPACE.encode(toy(Node("mlp", (0,), Options(width=4)))).tolist() == [1, 1, 0, 0.5, 0, 0]
    assert SPACE.encode(toy()).tolist() == [0] * 6
