"""Decisions on how raw inputs enter a candidate."""

import numpy as np
import pytest

from searchspaces import Node, Options, SpaceError
from searchspaces.spaces._source_choices import SourceChoices
from searchspaces.spaces.wukong import Wukong
from tests.searchspaces.graphs import schema

BOTH = schema(numeric=3, categorical=4)
EVERY = SourceChoices(
    BOTH,
    dims=[8, 16],
    embeddings=["full", "hashed", "quotient_remainder", "mixed_dimension", "multi_embedding", "full+frequency"],
    numerics=["numeric", "numeric+quantile_bins", "numeric_linear", "piecewise_linear", "autodis"],
)


def test_a_choice_may_be_several_sources_beside_each_other() -> None:
    decided: dict[str, int | str] = {"dim": 8, "numeric": "numeric+quantile_bins", "numeric.quantile_bins.bins": 32}
    found = EVERY.nodes({**decided, "embedding": "full+frequency"})
    assert found["numeric"] == (Node("numeric"), Node("quantile_bins", (), Options(dim=8, bins=32)))
    assert found["embedding"] == (Node("full", (), Options(dim=8)), Node("frequency"))


def test_settings_count_where_their_source_is_chosen() -> None:
    decisions = {decision.slot: decision for decision in EVERY.decisions()}
    bins = decisions["numeric.quantile_bins.bins"]
    assert bins.counts({"numeric": "numeric+quantile_bins"})
    assert not bins.counts({"numeric": "numeric"})
    assert decisions["embedding.hashed.rows"].counts({"embedding": "hashed"})


def test_a_default_is_left_out_of_the_node() -> None:
    decided: dict[str, int | str] = {"dim": 8, "numeric": "numeric", "embedding": "quotient_remainder"}
    decided |= {"embedding.quotient_remainder.collisions": 4, "embedding.quotient_remainder.operation": "mult"}
    (node,) = EVERY.nodes(decided)["embedding"]
    assert node.options == Options(dim=8, collisions=4)


def test_every_choice_is_read_back_and_has_a_shape() -> None:
    space = Wukong(
        BOTH, layers=1, embeddings=EVERY.choices["embedding"], numerics=EVERY.choices["numeric"], head_layers=0
    )
    rng, seen = np.random.default_rng(0), set()
    for _ in range(120):
        candidate = space.sample(rng)
        found = space.to_assignment(candidate)
        assert space.to_candidate(found).fingerprint == candidate.fingerprint
        assert candidate.architecture is not None
        EVERY.shapes([node for node in candidate.architecture.nodes if not node.inputs])
        seen |= {found["embedding"], found["numeric"]}
    assert len(seen) == 11


def test_a_group_that_the_schema_lacks_has_no_decision() -> None:
    choices = SourceChoices(schema(numeric=0, categorical=2), dims=[8], embeddings=["full"], numerics=["numeric"])
    assert [decision.slot for decision in choices.decisions()] == ["dim", "embedding"]


@pytest.mark.parametrize(
    ("embeddings", "message"),
    [
        ([], "'embeddings' must be a list with at least one of"),
        ("full", "'embeddings' must be a list with at least one of .*, but is 'full'"),
        (["ful"], r"no source 'ful' for 'embeddings'; did you mean 'full'\?"),
        (["numeric"], "no source 'numeric' for 'embeddings'"),
        (["full+full"], "'embeddings' repeats 'full\\+full'"),
        (["full+frequency", "frequency+full"], "'embeddings' repeats 'frequency\\+full'"),
    ],
)
def test_wrong_choices_are_refused(embeddings: list[str], message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        SourceChoices(BOTH, dims=[8], embeddings=embeddings, numerics=["numeric"])
