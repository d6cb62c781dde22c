"""Human-made baselines."""

import itertools
import re
from importlib.resources import files
from pathlib import Path

import pytest
import torch

from searchspaces import ArchitectureError, Candidate, CandidateError, FeatureSchema, Fields, zoo, zoo_names, zoo_paper
from searchspaces.build import build
from searchspaces.cost import cost, shapes
from tests.searchspaces.graphs import schema

SCHEMAS = {
    "both groups": schema(numeric=3, categorical=4),
    "numeric alone": schema(numeric=3, categorical=0),
    "categorical alone": schema(numeric=0, categorical=4),
    "one of each": schema(numeric=1, categorical=1),
}

FINGERPRINTS = {
    "dcnv2": "v1:30a04d4ab839a21870db8e3db345ea51",
    "deepfm": "v1:90140772852bec9f6e6896aba9200ac8",
    "dlrm": "v1:6d5dfd31c1e9867c1603759aa90f08e2",
    "logistic_regression": "v1:89d6d0d9538fecd33bdba5dce1045c53",
    "wide_and_deep": "v1:0bc5aa147b64add4438dc070dae66fc6",
}
"""Of models that studies have: a study that goes on must know its own again."""


def test_every_file_of_the_folder_is_in_the_zoo() -> None:
    folder = Path(str(files("searchspaces"))) / "zoo"
    assert zoo_names() == tuple(sorted(file.stem for file in folder.glob("*.json")))
    assert set(FINGERPRINTS) <= set(zoo_names())


@pytest.mark.parametrize("name", FINGERPRINTS)
def test_a_classic_stays_the_candidate_that_it_was(name: str) -> None:
    assert zoo(name).fingerprint == FINGERPRINTS[name]


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


@pytest.mark.parametrize("name", zoo_names())
def test_a_baseline_names_its_paper(name: str) -> None:
    assert re.match(r"\w+ (et al\. )?20\d\d, \w", zoo_paper(name))


@pytest.mark.parametrize("name", ["wukong", "dhen"])
def test_a_stack_is_of_layers_that_keep_their_tokens(name: str) -> None:
    architecture = zoo(name, SCHEMAS["both groups"]).architecture
    assert architecture is not None
    known = shapes(architecture, SCHEMAS["both groups"])
    layers = [at for at, node in enumerate(architecture.nodes) if node.block == name]
    assert len(layers) >= 2
    assert len({known[at] for at in layers}) == 1
    assert isinstance(known[layers[0]], Fields)
    assert [architecture.nodes[at].inputs for at in layers[1:]] == [(at,) for at in layers[:-1]]


@pytest.mark.parametrize("name", ["wukong", "dhen"])
def test_a_stack_crosses_more_than_two_fields(name: str) -> None:
    # of a model that adds up functions of two fields at most, such a difference of differences is zero
    data = schema(numeric=0, categorical=3)
    architecture = zoo(name, data).architecture
    assert architecture is not None
    model = build(architecture, data, seed=1)
    rows = torch.tensor(list(itertools.product((0, 5), repeat=3)), dtype=torch.int32)
    signs = torch.tensor([(-1.0) ** bits.bit_count() for bits in range(8)])
    with torch.no_grad():
        for one in model.sources().values():
            for held in one.tables().values():
                held.module.weight.mul_(100.0)  # as long as trained ones: products of three fresh rows are tiny
        logits = model(torch.zeros(8, 0), rows)
    assert abs(float(signs @ logits)) > 1e-3 * float(logits.abs().max())


def test_a_dhen_layer_has_modules_of_different_kinds() -> None:
    architecture = zoo("dhen").architecture
    assert architecture is not None
    for layer in (node for node in architecture.nodes if node.block == "dhen"):
        kinds = [str(one) for one in layer.options["modules"]]  # type: ignore[union-attr]
        assert len(set(kinds)) == len(kinds) >= 2
