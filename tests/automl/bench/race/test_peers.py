"""Peers in a race: Syne Tune's searcher where it is installed, and what is said where it is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from automl._errors import ConfigError
from automl.bench.race import peers
from automl.bench.race.benchmark import Plan, entrants_of, race
from automl.bench.race.peers import NAME, STARTUP, SyneTuneCQR, entrant_searcher, peer_mistakes
from automl.bench.race.running import Rules, run
from automl.searchers.random_search import RandomSearch
from evaluators import Failure, FailureKind, Objective, Suggestion, Trial
from tests.automl._bitstrings import Bitstrings, failing, finished, generator, loss, search
from tests.automl.bench.race.grounds import planted

OBJECTIVES = (Objective("ne"), Objective("flops"))


def cqr(bits: int = 12) -> SyneTuneCQR:
    for name in peers.NEEDED:
        pytest.importorskip(name, reason="the extra 'peers' is not installed")
    return SyneTuneCQR(Bitstrings(bits), OBJECTIVES)


def record(count: int) -> list[Trial]:
    rng = np.random.default_rng(3)
    return [finished(number, Suggestion(Bitstrings(12).sample(rng))) for number in range(count)]


def without_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "find_spec", lambda name: None)


def test_without_the_extra_a_race_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without_extra(monkeypatch)
    plan = Plan(entrants_of(NAME), 1, tmp_path / "race.jsonl", Rules(6, 2))
    message = r"needs syne_tune and huggingface_hub; install it with pip install 'ctr-automl\[peers\]'"
    with pytest.raises(ConfigError, match=message):
        race(planted(), plan)


def test_without_the_extra_the_searcher_is_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    without_extra(monkeypatch)
    with pytest.raises(ConfigError, match="the peer 'syne_tune_cqr' needs syne_tune"):
        entrant_searcher({"name": NAME}, {"space": Bitstrings(), "objectives": OBJECTIVES})


def test_a_peer_has_no_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "find_spec", lambda name: name)
    assert peer_mistakes({"name": NAME}, "it") == []
    assert peer_mistakes({"name": NAME, "pool": 3}, "it") == [
        "it.pool: unknown option; a peer runs as its authors advise"
    ]


def test_what_is_no_peer_is_a_plug_in() -> None:
    context = {"space": Bitstrings(), "objectives": OBJECTIVES}
    assert isinstance(entrant_searcher({"name": "random_search"}, context), RandomSearch)
    (mistake,) = peer_mistakes({"name": "syne_tune"}, "it")
    assert mistake.startswith("it.name: no 'syne_tune' in automl.searchers")


def test_it_is_asked_after_its_first_random_trials_and_never_proposes_twice() -> None:
    trials = search(cqr(), STARTUP + 5)
    assert [one.suggestion.origin for one in trials[:STARTUP]] == ["random"] * STARTUP
    assert NAME in {one.suggestion.origin for one in trials[STARTUP:]}
    assert len({one.suggestion.identity for one in trials}) == STARTUP + 5


def test_it_learns() -> None:
    searcher = cqr()
    searcher.tell(record(60))
    asked = searcher.ask(4, generator(0, 0))
    usual = np.median([loss(one.candidate) for one in record(60)])
    assert max(loss(one.candidate) for one in asked) < usual


def test_the_same_tells_and_generator_give_the_same_suggestions_whatever_the_global_generator() -> None:
    asked = []
    for seed in (1, 2):
        searcher = cqr()
        searcher.tell(record(20))
        np.random.seed(seed)
        before = np.random.get_state()[1].tolist()  # type: ignore[index]
        asked.append(searcher.ask(2, generator(0, 0)))
        assert np.random.get_state()[1].tolist() == before  # type: ignore[index]
    assert asked[0] == asked[1]


def test_it_survives_failures() -> None:
    searcher = cqr()
    assert len(search(searcher, STARTUP + 3, evaluate=failing(lambda call: call == 1))) == STARTUP + 3
    failure = Failure(FailureKind.CRASHED, "it fell")
    searcher.tell([finished(90, Suggestion(Bitstrings(12).sample(generator(9, 9))), failure)])
    assert len(searcher.ask(1, generator(0, 0))) == 1


def test_it_runs_a_race_on_a_table_of_graphs() -> None:
    cqr()
    (entrant,) = entrants_of(NAME)
    ended = run(planted(), entrant, 0, Rules(trials=9, initial=6))
    assert len(ended.rows) == 9
    assert set(ended.origins[6:]) <= {NAME, "mutation"}
