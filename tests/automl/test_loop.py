from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from automl import Study
from automl import _loop as _loop_module
from automl._locks import StudyLock
from automl._loop import Loop
from automl.budget import Budget
from evaluators import Evaluation, Metric, Trial, TrialState
from tests.automl.planted_study import planted_study

DONE = Evaluation({"ne": Metric(0.9), "flops": Metric(1.0)}, seconds=2.0)


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    made = planted_study(tmp_path, searcher={"name": "random_search"})
    yield made
    made.close()


def _loop(study: Study, worker: str, *, shares: bool = True) -> Loop:
    wiring = study._wire(study.record)  # a searcher of its own, as in a process of its own
    return Loop(study.record, study.store, wiring=wiring, worker=worker, shares=shares)


def _numbers(trials: list[Trial] | None) -> list[int] | None:
    return None if trials is None else [trial.number for trial in trials]


def test_workers_share_a_budget_to_the_last_trial(study: Study) -> None:
    one, other = _loop(study, "a/1/0.0/0 joined"), _loop(study, "b/1/0.0/0 joined")
    budget = Budget(trials=3)
    assert [_numbers(loop.take(budget, 2)) for loop in (one, other, one)] == [[0, 1], [2], []]
    study.store.finish(study.name, [(0, DONE), (1, DONE)])
    assert one.take(budget) == []
    study.store.finish(study.name, [(2, DONE)])
    assert one.take(budget) is None


def test_what_runs_counts_at_the_average_cost_so_far(study: Study) -> None:
    loop = _loop(study, "a/1/0.0/0 joined")
    assert loop.take(Budget(seconds=5.0))
    study.store.finish(study.name, [(0, DONE)])
    assert _numbers(loop.take(Budget(seconds=5.0))) == [1]  # 2 s are used
    assert _numbers(loop.take(Budget(seconds=5.0))) == [2]  # 2 s are used, 2 are expected
    assert loop.take(Budget(seconds=5.0)) is None  # 6 s


def test_a_worker_waits_for_trials_of_others_and_takes_those_that_are_lost(study: Study) -> None:
    one, other = _loop(study, "a/1/0.0/0 joined"), _loop(study, "b/1/0.0/0 joined")
    one.take(Budget(trials=1))
    assert other.take(Budget(trials=1)) == []
    study.store.requeue_lost(study.name, worker="a/1/0.0/0 joined")
    assert _numbers(other.take(Budget(trials=1))) == [0]


def test_nobody_waits_for_a_person(study: Study) -> None:
    study.ask(holder="Ada")
    assert _loop(study, "a/1/0.0/0 joined").take(Budget(trials=1)) is None


def test_an_outcome_whose_lease_was_lost_is_left_to_the_new_holder(study: Study) -> None:
    one, other = _loop(study, "a/1/0.0/0 joined"), _loop(study, "b/1/0.0/0 joined")
    held = one.take(Budget(trials=1))
    assert held
    study.store.requeue_lost(study.name, worker="a/1/0.0/0 joined")
    again = other.take(Budget(trials=1))
    assert one.evaluate(held) == []
    assert again
    assert _numbers(other.evaluate(again)) == [0]
    assert study.trials[0].finish_order == 1


def test_a_trial_that_ends_between_two_reads_is_seen_once(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = _loop(study, "a/1/0.0/0 joined")
    loop.take(Budget(trials=2), 2)
    read = study.store.unfinished

    def read_then_finish(name: str) -> list[Trial]:
        found = read(name)
        study.store.finish(name, [(0, DONE)])
        return found

    monkeypatch.setattr(study.store, "unfinished", read_then_finish)
    view = loop.look()
    assert (_numbers(list(view.unfinished)), loop.spent.trials) == ([1], 1)


def test_an_ask_that_another_process_answered_first_is_asked_anew(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = _loop(study, "a/1/0.0/0 joined"), _loop(study, "b/1/0.0/0 joined")
    searcher = one._wiring.searcher
    ask = searcher.ask
    slower: list[Callable[[], object]] = [lambda: other.take(Budget(trials=5))]

    def ask_slowly(*arguments: object) -> object:
        for overtake in slower[:1]:
            slower.clear()
            StudyLock.release(one._lock)  # type: ignore[arg-type]  # the other one's machine has its own
            overtake()
        return ask(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(searcher, "ask", ask_slowly)
    assert _numbers(one.take(Budget(trials=5))) == [1]
    assert len({trial.suggestion.identity for trial in study.trials}) == 2


def test_short_trials_are_taken_several_at_a_time_by_workers_that_share(study: Study) -> None:
    alone, sharing = _loop(study, "a/1/0.0/0", shares=False), _loop(study, "b/1/0.0/0 joined")
    for loop in (alone, sharing):
        held = loop.take(Budget())
        assert held
        loop.evaluate(held)
        loop._trial_seconds = 0.001
    assert (alone._size(), sharing._size()) == (1, 16)
    sharing._trial_seconds = 0.02
    assert sharing._size() == 2
    sharing._trial_seconds = 3.0
    assert sharing._size() == 1


def test_trials_that_are_not_short_after_all_are_left_to_others(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = _loop(study, "a/1/0.0/0 joined"), _loop(study, "b/1/0.0/0 joined")
    held = one.take(Budget(trials=3), 3)
    assert held
    monkeypatch.setattr(_loop_module, "LONG_AHEAD_SECONDS", 0.0)
    assert _numbers(one.evaluate(held)) == [0]
    assert _numbers(other.take(Budget(trials=3))) == [1]
    assert [(trial.state, trial.losses) for trial in study.trials[1:]] == [
        (TrialState.RUNNING, 0),
        (TrialState.WAITING, 0),
    ]


def test_one_trial_that_ends_at_once_makes_no_others_short(study: Study) -> None:
    loop = _loop(study, "a/1/0.0/0 joined")
    loop._trial_seconds = 3600.0
    held = loop.take(Budget())
    assert held
    loop.evaluate(held)
    assert loop._size() == 1


def test_baselines_begin_once(tmp_path: Path) -> None:
    study = planted_study(tmp_path, baselines=["logistic_regression", "dcnv2"])
    for worker in ("a/1/0.0/0 joined", "b/1/0.0/0 joined"):
        _loop(study, worker).begin_baselines()
    assert [trial.stage for trial in study.trials] == ["baseline"] * 2
    study.close()


def test_threads_of_workers_double_nothing_and_keep_to_the_budget(tmp_path: Path) -> None:
    study = planted_study(tmp_path, searcher={"name": "random_search"}, baselines=["logistic_regression"])
    ended: list[int] = []
    loops = [_loop(study, f"m{position}/1/0.0/0 joined") for position in range(4)]
    arguments = {"stop": threading.Event(), "on_end": lambda trial: ended.append(trial.number)}
    threads = [threading.Thread(target=loop.run, args=(Budget(trials=40),), kwargs=arguments) for loop in loops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    trials = study.trials
    assert sorted(ended) == [trial.number for trial in trials] == list(range(41))
    assert len({trial.suggestion.identity for trial in trials}) == 41
    assert {trial.state for trial in trials} == {TrialState.COMPLETE}
    study.close()


def test_an_exhausted_space_ends_every_worker(tmp_path: Path) -> None:
    space = {"name": "autoctr", "blocks": 1, "operators": ["fm"]}
    study = planted_study(tmp_path, space=space, searcher={"name": "random_search"})
    one, other = _loop(study, "a/1/0.0/0 joined"), _loop(study, "b/1/0.0/0 joined")
    held = one.take(Budget(), 1000)
    assert held
    assert other.take(Budget()) == []
    one.evaluate(held)
    assert other.take(Budget()) is None
    study.close()
