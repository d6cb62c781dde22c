"""Human-made baselines."""

import pytest

from searchspaces import ArchitectureError, Candidate, CandidateError, FeatureSchema, zoo, zoo_names, zoo_paper
from searchspaces.build import build
from searchspaces.cost import cost
from tests.searchspaces.graphs import schema

SCHEMAS = {
    "both groups": schema(numeric=3, categorical=4),
    "numeric alone": schema(numeric=3, categorical=0),
    "categorical alone": schema(numeric=0, categorical=4),
    "one of each": schema(numeric=1, categorical=1),
}


def test_the_zoo_has_the_five_classics() -> None:
    assert zoo_names() == ("dcnv2", "deepfm", "dlrm", "logistic_regression", "wide_and_deep")


@pytest.mark.parametrize("name", zoo_names())
def test_a_baseline_is_a_candidate_without_dead_blocks(name: str) -> None:
    candidate = zoo(name)
    assert Candidate.from_dict(candidate.to_dict()).fingerprint == candidate.fingerprint
    assert zoo(name, SCHEMAS["both groups"]) == candidate


@pytest.mark.parametrize("fields", SCHEMAS)
@pytest.mark.parametrize("name", zoo_names())
def test_a_baseline_is_built_on_what_the_schema_has(name: str, fields: str) -> None:
    data: FeatureSchema = SCHEMAS[fields]
    architecture = zoo(name, data).architecture
    assert architecture is not None
    model = build(architecture, data, seed=1)
    assert cost(architecture, data).parameters == sum(one.numel() for one in model.parameters())


def test_baselines_differ() -> None:
    assert len({zoo(name).fingerprint for name in zoo_names()}) == len(zoo_names())


def test_a_schema_may_feed_no_part_of_a_baseline() -> None:
    with pytest.raises(ArchitectureError, match="no part of this architecture reads a field"):
        zoo("dlrm", schema(numeric=0, categorical=1))


def test_an_unknown_name_gets_the_closest_one() -> None:
    with pytest.raises(CandidateError, match=r"no human-made architecture 'dcn_v2'; did you mean 'dcnv2'\?"):
        zoo("dcn_v2")


@pytest.mark.parametrize("name", ["dcnv2", "deepfm", "dlrm", "logistic_regression", "wide_and_deep"])
def test_a_classic_names_its_paper(name: str) -> None:
    assert " et al. 20" in zoo_paper(name)
