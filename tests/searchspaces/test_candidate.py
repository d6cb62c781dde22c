"""Candidates: identity and format."""

import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st

from searchspaces import Architecture, Candidate, Node, Options
from tests.searchspaces.graphs import architectures, relabelled


@given(architectures(), st.integers(0, 2**16))
@settings(max_examples=50, deadline=None)
def test_isomorphic_candidates_share_a_fingerprint(architecture: Architecture, seed: int) -> None:
    assert Candidate(relabelled(architecture, seed)).fingerprint == Candidate(architecture).fingerprint


@given(architectures())
@settings(max_examples=30, deadline=None)
def test_a_candidate_survives_its_dictionary(architecture: Architecture) -> None:
    candidate = Candidate(architecture, Options(rate=0.1), Options(workers=2))
    again = Candidate.from_dict(candidate.to_dict())
    assert again == candidate
    assert again.fingerprint == candidate.fingerprint


def test_settings_are_part_of_the_fingerprint() -> None:
    architecture = Architecture((Node("numeric"), Node("logit", (0,))))
    plain, trained = Candidate(architecture), Candidate(architecture, training=Options(rate=0.1))
    placed = Candidate(architecture, system=Options(rate=0.1))
    assert len({plain.fingerprint, trained.fingerprint, placed.fingerprint}) == 3


def test_a_fingerprint_is_a_digest_of_the_canonical_text() -> None:
    # Stored studies look candidates up by it: another text needs another version.
    nodes = (
        '[{"block":"numeric","inputs":[],"options":{}},{"block":"mlp","inputs":[0],"options":{"width":64}},'
        '{"block":"logit","inputs":[1],"options":{}}]'
    )
    text = f'{{"architecture":{{"nodes":{nodes},"version":1}},"system":{{}},"training":{{"rate":0.1}}}}'
    dead = Node("mlp", (0,), Options(width=32))
    live = Node("mlp", (0,), Options(width=64))
    architecture = Architecture((Node("numeric"), dead, live, Node("logit", (2,))))
    expected = hashlib.sha256(text.encode()).hexdigest()[:32]
    assert Candidate(architecture, training=Options(rate=0.1)).fingerprint == f"v1:{expected}"


def test_a_candidate_may_be_settings_alone() -> None:
    candidate = Candidate(system=Options(workers=2))
    assert Candidate.from_dict(candidate.to_dict()) == candidate
    assert candidate.fingerprint.startswith("v1:")
