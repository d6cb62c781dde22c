"""What every store promises, run over each module of the room."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from evaluators import Failure, FailureKind, Trial, TrialState
from searchspaces import load_plugin, plugin_names
from storage import MAX_LOSSES, AskTakenError, FinishedTrialError, StorageError, StudyExists, StudyNotFound, TrialStore
from storage._rules import Outcome
from tests.storage import postgres
from tests.storage.samples import CRASH, STUDY, Clock, begin, evaluation, finish_next, record, suggestion

ROOM = "storage.stores"
URLS: dict[str, Callable[[Path], str]] = {
    "memory": lambda folder: "memory://",
    "sql": lambda folder: f"sqlite:///{folder / 'store.db'}",
    "postgresql": lambda folder: postgres.ready_database(),
}
ROOMS = {"postgresql": "sql"}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=[*plugin_names(ROOM), *ROOMS])
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[TrialStore]:
    """A new store with one study."""
    name: str = request.param
    made: TrialStore = load_plugin(ROOM, ROOMS.get(name, name))(URLS[name](tmp_path), clock=clock)
    made.create_study(record())
    yield made
    made.close()
    made.close()


def test_a_study_comes_back_as_it_was(store: TrialStore) -> None:
    large = record("other", seed=2**100)
    store.create_study(large)
    assert store.study(STUDY) == record()
    assert store.studies() == [record(), large]


def test_a_name_is_taken_once(store: TrialStore) -> None:
    with pytest.raises(StudyExists, match="a study named 'movielens' exists; resume it, or choose another name"):
        store.create_study(record(uid="another"))
    assert store.studies() == [record()]


def test_an_unknown_study_is_refused_with_the_closest_name(store: TrialStore) -> None:
    calls: list[Callable[[], object]] = [
        lambda: store.study("movielnes"),
        lambda: store.update_config("movielnes", {}),
        lambda: store.begin("movielnes", [suggestion()], ask_number=0, stage="search"),
        lambda: store.claim("movielnes", worker="w", limit=1, lease_seconds=1),
        lambda: store.heartbeat("movielnes", worker="w", lease_seconds=1),
        lambda: store.release("movielnes", worker="w"),
        lambda: store.requeue_lost("movielnes"),
        lambda: store.finish("movielnes", []),
        lambda: store.trials("movielnes"),
        lambda: store.unfinished("movielnes"),
        lambda: store.workers("movielnes"),
        lambda: store.asks("movielnes"),
        lambda: store.cursor("movielnes", "reader"),
        lambda: store.move_cursor("movielnes", "reader", 1),
    ]
    for call in calls:
        with pytest.raises(StudyNotFound, match=r"no study 'movielnes' in .*did you mean 'movielens'\?"):
            call()


def test_a_configuration_can_be_replaced(store: TrialStore) -> None:
    store.update_config(STUDY, {"budget": {"trials": 140}})
    assert store.study(STUDY).config == {"budget": {"trials": 140}}
    assert store.study(STUDY).facts == record().facts


def test_a_configuration_outside_the_store_is_another(store: TrialStore) -> None:
    config = {"budget": {"trials": 140}}
    store.update_config(STUDY, config)
    config["budget"]["trials"] = 0
    assert store.study(STUDY).config == {"budget": {"trials": 140}}


def test_trials_are_numbered_without_gaps_in_each_study(store: TrialStore) -> None:
    store.create_study(record("other"))
    store.begin(STUDY, [suggestion(0), suggestion(1)], ask_number=0, stage="search")
    store.begin("other", [suggestion(2)], ask_number=0, stage="search")
    store.begin(STUDY, [suggestion(3)], ask_number=1, stage="search")
    assert [trial.number for trial in store.trials(STUDY)] == [0, 1, 2]
    assert [trial.number for trial in store.trials("other")] == [0]


def test_a_trial_comes_back_as_it_was(store: TrialStore) -> None:
    store.begin(STUDY, [suggestion()], ask_number=0, stage="baseline")
    begun = store.begin(STUDY, [suggestion(7, parents=(1, 2))], ask_number=1, stage="baseline")
    _, trial = store.trials(STUDY)
    assert [trial] == begun
    assert (trial.stage, trial.ask_number, trial.state) == ("baseline", 1, TrialState.WAITING)
    assert trial.suggestion == suggestion(7, parents=(1, 2))
    assert trial.suggestion.to_dict() == suggestion(7, parents=(1, 2)).to_dict()
    assert trial.suggestion.identity == suggestion(7).identity


def test_begin_without_suggestions_changes_nothing(store: TrialStore) -> None:
    assert store.begin(STUDY, [], ask_number=0, stage="search") == []
    assert (store.trials(STUDY), store.asks(STUDY)) == ([], 0)


def test_asks_are_counted_in_the_search_stage_alone(store: TrialStore) -> None:
    assert store.asks(STUDY) == 0
    store.begin(STUDY, [suggestion(0)], ask_number=0, stage="baseline")
    assert store.asks(STUDY) == 0
    store.begin(STUDY, [suggestion(1), suggestion(2)], ask_number=0, stage="search")
    assert store.asks(STUDY) == 1
    store.begin(STUDY, [suggestion(3)], ask_number=1, stage="search")
    assert store.asks(STUDY) == 2


@pytest.mark.parametrize("stage", ["search", "baseline"])
def test_each_ask_of_a_stage_is_answered_once_and_in_order(store: TrialStore, stage: str) -> None:
    store.begin(STUDY, [suggestion(0), suggestion(1)], ask_number=0, stage=stage)
    before = store.trials(STUDY)
    for number in (0, 2, -1):
        reason = (
            f"each ask is answered once and in order, but ask {number} of stage '{stage}' of study 'movielens' was "
            "begun where 1 is next; read the study's trials anew and ask again with that number"
        )
        for suggestions in ([suggestion(2)], []):
            with pytest.raises(AskTakenError, match=reason):
                store.begin(STUDY, suggestions, ask_number=number, stage=stage)
    assert store.trials(STUDY) == before


def test_of_threads_that_answer_one_ask_exactly_one_wins(store: TrialStore) -> None:
    ready = Barrier(4)

    def answer(width: int) -> list[int]:
        wins = []
        for ask in range(10):
            ready.wait(timeout=30)
            try:
                store.begin(STUDY, [suggestion(width), suggestion(width + 1)], ask_number=ask, stage="search")
            except AskTakenError:
                continue
            wins.append(ask)
        return wins

    with ThreadPoolExecutor(4) as pool:
        won = [ask for wins in pool.map(answer, range(0, 80, 20)) for ask in wins]
    assert sorted(won) == list(range(10))
    trials = store.trials(STUDY)
    assert [(trial.number, trial.ask_number) for trial in trials] == [(number, number // 2) for number in range(20)]


def test_claims_take_the_lowest_numbers_first(store: TrialStore, clock: Clock) -> None:
    begin(store, 3)
    claimed = store.claim(STUDY, worker="a", limit=2, lease_seconds=60)
    assert [(trial.number, trial.state, trial.started_at) for trial in claimed] == [
        (0, TrialState.RUNNING, clock.now),
        (1, TrialState.RUNNING, clock.now),
    ]
    assert [trial.number for trial in store.claim(STUDY, worker="b", limit=2, lease_seconds=60)] == [2]
    assert store.claim(STUDY, worker="c", limit=2, lease_seconds=60) == []
    assert store.workers(STUDY) == ["a", "b"]


def test_no_two_threads_claim_one_trial(store: TrialStore) -> None:
    begin(store, 20)

    def claim_all(worker: str) -> list[int]:
        numbers = []
        while claimed := store.claim(STUDY, worker=worker, limit=1, lease_seconds=60):
            numbers += [trial.number for trial in claimed]
        return numbers

    with ThreadPoolExecutor(4) as pool:
        claimed = [number for numbers in pool.map(claim_all, "abcd") for number in numbers]
    assert sorted(claimed) == list(range(20))


def test_an_expired_lease_returns_a_trial_to_the_queue(store: TrialStore, clock: Clock) -> None:
    begin(store, 1)
    (claimed,) = store.claim(STUDY, worker="a", limit=1, lease_seconds=60)
    clock.now += 59
    assert store.requeue_lost(STUDY) == 0
    clock.now += 2
    assert store.requeue_lost(STUDY) == 1
    (waiting,) = store.trials(STUDY)
    assert (waiting.state, waiting.started_at, store.workers(STUDY)) == (TrialState.WAITING, None, [])
    (again,) = store.claim(STUDY, worker="b", limit=1, lease_seconds=60)
    assert (again.number, again.suggestion) == (claimed.number, claimed.suggestion)


def test_a_heartbeat_keeps_the_lease(store: TrialStore, clock: Clock) -> None:
    begin(store, 2)
    store.claim(STUDY, worker="a", limit=1, lease_seconds=60)
    store.claim(STUDY, worker="b", limit=1, lease_seconds=60)
    clock.now += 50
    store.heartbeat(STUDY, worker="a", lease_seconds=60)
    clock.now += 50
    assert store.requeue_lost(STUDY) == 1
    assert store.workers(STUDY) == ["a"]


def test_a_dead_worker_loses_its_trials_at_once(store: TrialStore) -> None:
    begin(store, 2)
    store.claim(STUDY, worker="a", limit=1, lease_seconds=60)
    store.claim(STUDY, worker="b", limit=1, lease_seconds=60)
    assert store.requeue_lost(STUDY, worker="a") == 1
    assert store.workers(STUDY) == ["b"]
    assert [trial.number for trial in store.unfinished(STUDY)] == [0, 1]


def test_outcomes_decide_the_state(store: TrialStore, clock: Clock) -> None:
    begin(store, 3)
    store.claim(STUDY, worker="a", limit=3, lease_seconds=60)
    clock.now += 5
    ended = store.finish(STUDY, [(2, evaluation()), (0, evaluation(stopped_at=512)), (1, CRASH)])
    assert [(one.number, one.finish_order, one.state) for one in ended] == [
        (2, 1, TrialState.COMPLETE),
        (0, 2, TrialState.PRUNED),
        (1, 3, TrialState.FAIL),
    ]
    assert {(one.started_at, one.finished_at) for one in ended} == {(1000.0, 1005.0)}
    assert store.trials(STUDY) == sorted(ended, key=lambda trial: trial.number)
    assert (store.workers(STUDY), store.unfinished(STUDY)) == ([], [])


def test_evaluations_and_failures_come_back_as_they_were(store: TrialStore) -> None:
    begin(store, 2)
    store.finish(STUDY, [(0, evaluation(0.8)), (1, CRASH)])
    complete, failed = store.trials(STUDY)
    assert (complete.evaluation, complete.failure) == (evaluation(0.8), None)
    assert (failed.evaluation, failed.failure) == (None, CRASH)
    assert failed.failure is not None
    assert failed.failure.seconds == CRASH.seconds


def test_a_reason_with_characters_that_no_database_takes_ends_its_trial(store: TrialStore) -> None:
    begin(store, 1)
    [ended] = store.finish(STUDY, [(0, Failure(FailureKind.CRASHED, "it said \0 and \udcff é"))])
    assert ended.failure == Failure(FailureKind.CRASHED, "it said \ufffd and \ufffd é")
    assert store.trials(STUDY) == [ended]


@pytest.mark.parametrize("outcome", [evaluation(0.1), Failure(FailureKind.CRASHED, "late")])
def test_a_finished_trial_never_changes(store: TrialStore, outcome: Failure) -> None:
    begin(store, 1)
    finish_next(store)
    before = store.trials(STUDY)
    with pytest.raises(FinishedTrialError, match="a finished trial never changes, but trial 0 of study 'movielens'"):
        store.finish(STUDY, [(0, outcome)])
    assert store.requeue_lost(STUDY, worker="w") == 0
    assert store.claim(STUDY, worker="w", limit=1, lease_seconds=1) == []
    assert store.trials(STUDY) == before


def test_an_error_in_the_middle_of_a_cohort_changes_nothing(store: TrialStore) -> None:
    begin(store, 3)
    finish_next(store)
    before = store.trials(STUDY)
    for bad in (0, 1):
        with pytest.raises(FinishedTrialError):
            store.finish(STUDY, [(1, evaluation()), (bad, evaluation()), (2, evaluation())])
    with pytest.raises(StorageError, match="study 'movielens' has no trial 9; begin it before it ends"):
        store.finish(STUDY, [(1, evaluation()), (9, evaluation())])
    assert store.trials(STUDY) == before
    assert [one.finish_order for one in store.finish(STUDY, [(2, evaluation())])] == [2]


def test_readers_follow_the_finish_order(store: TrialStore) -> None:
    begin(store, 4)
    store.finish(STUDY, [(3, evaluation()), (1, CRASH)])
    store.finish(STUDY, [(0, evaluation())])
    assert [one.number for one in store.trials(STUDY, finished_after=0)] == [3, 1, 0]
    assert [one.number for one in store.trials(STUDY, finished_after=2)] == [0]
    assert store.trials(STUDY, finished_after=3) == []


def test_each_reader_has_a_cursor_in_each_study(store: TrialStore) -> None:
    store.create_study(record("other"))
    store.move_cursor(STUDY, "mlflow", 3)
    store.move_cursor(STUDY, "mlflow", 5)
    store.move_cursor(STUDY, "jsonl", 2)
    assert (store.cursor(STUDY, "mlflow"), store.cursor(STUDY, "jsonl")) == (5, 2)
    assert (store.cursor("other", "mlflow"), store.cursor(STUDY, "csv")) == (0, 0)
    store.move_cursor(STUDY, "mlflow", 0)
    assert store.cursor(STUDY, "mlflow") == 0


def _lose(store: TrialStore, times: int) -> None:
    for _ in range(times):
        store.claim(STUDY, worker="doomed", limit=9, lease_seconds=60)
        store.requeue_lost(STUDY, worker="doomed")


def test_trials_can_be_born_under_a_lease(store: TrialStore, clock: Clock) -> None:
    suggestions = [suggestion(0), suggestion(1)]
    begun = store.begin(STUDY, suggestions, ask_number=0, stage="search", worker="a", lease_seconds=60)
    assert [(one.number, one.state, one.started_at) for one in begun] == [
        (0, TrialState.RUNNING, clock.now),
        (1, TrialState.RUNNING, clock.now),
    ]
    assert (store.trials(STUDY), store.workers(STUDY)) == (begun, ["a"])
    assert store.claim(STUDY, worker="b", limit=9, lease_seconds=60) == []
    clock.now += 61
    assert store.requeue_lost(STUDY) == 2


def test_a_worker_that_gives_its_trials_back_has_lost_none(store: TrialStore) -> None:
    begin(store, 3)
    store.claim(STUDY, worker="a", limit=2, lease_seconds=60)
    store.claim(STUDY, worker="b", limit=1, lease_seconds=60)
    assert (store.release(STUDY, worker="a"), store.release(STUDY, worker="a")) == (2, 0)
    assert [(one.number, one.started_at, one.losses) for one in store.unfinished(STUDY) if one.number < 2] == [
        (0, None, 0),
        (1, None, 0),
    ]
    assert store.workers(STUDY) == ["b"]


def test_losses_are_counted_in_each_trial(store: TrialStore, clock: Clock) -> None:
    begin(store, 2)
    _lose(store, 2)
    store.claim(STUDY, worker="a", limit=1, lease_seconds=60)
    clock.now += 61
    store.requeue_lost(STUDY)
    assert [trial.losses for trial in store.trials(STUDY)] == [3, 2]
    assert [trial.losses for trial in finish_next(store, 2)] == [3, 2]
    assert [trial.losses for trial in store.trials(STUDY)] == [3, 2]


def test_a_trial_that_took_too_many_workers_with_it_has_failed(store: TrialStore) -> None:
    begin(store, 3)
    finish_next(store)
    _lose(store, MAX_LOSSES - 1)
    store.finish(STUDY, [(2, evaluation())])
    begin_more(store, ask_number=3)
    store.claim(STUDY, worker="doomed", limit=9, lease_seconds=60)
    assert store.requeue_lost(STUDY, worker="doomed") == 2
    _, failed, _, waiting = store.trials(STUDY)
    assert failed.failure == Failure(
        FailureKind.CRASHED,
        "it took its worker with it 10 times; the system's log of that time may say what ended the process",
    )
    assert (failed.state, failed.finish_order, failed.losses) == (TrialState.FAIL, 3, MAX_LOSSES)
    assert (waiting.state, waiting.losses) == (TrialState.WAITING, 1)
    assert [one.number for one in store.trials(STUDY, finished_after=0)] == [0, 2, 1]
    assert store.workers(STUDY) == []


def test_trials_that_fail_by_loss_end_in_the_order_of_numbers(store: TrialStore) -> None:
    begin(store, 3)
    _lose(store, MAX_LOSSES)
    assert [(one.number, one.finish_order) for one in store.trials(STUDY)] == [(0, 1), (1, 2), (2, 3)]
    assert store.requeue_lost(STUDY, worker="doomed") == 0


def test_a_worker_ends_the_trials_that_it_holds_alone(store: TrialStore, clock: Clock) -> None:
    begin(store, 4)
    store.claim(STUDY, worker="a", limit=3, lease_seconds=60)
    clock.now += 61
    store.requeue_lost(STUDY)
    store.claim(STUDY, worker="b", limit=1, lease_seconds=60)
    (again,) = [one.number for one in store.claim(STUDY, worker="a", limit=1, lease_seconds=60)]
    outcomes: list[Outcome] = [(0, evaluation()), (2, CRASH), (again, evaluation()), (3, evaluation())]
    ended = store.finish(STUDY, outcomes, worker="a")
    assert [(one.number, one.finish_order) for one in ended] == [(1, 1)]
    assert [one.number for one in store.finish(STUDY, outcomes, worker="b")] == [0]
    assert store.finish(STUDY, outcomes, worker="a") == []
    assert [one.number for one in store.unfinished(STUDY)] == [2, 3]


def test_what_a_worker_ends_is_checked_as_ever(store: TrialStore) -> None:
    begin(store, 2)
    store.claim(STUDY, worker="a", limit=2, lease_seconds=60)
    with pytest.raises(StorageError, match="study 'movielens' has no trial 9; begin it before it ends"):
        store.finish(STUDY, [(0, evaluation()), (9, evaluation())], worker="a")
    with pytest.raises(FinishedTrialError, match="a finished trial never changes, but trial 1"):
        store.finish(STUDY, [(1, evaluation()), (0, evaluation()), (1, CRASH)], worker="a")
    assert (len(store.unfinished(STUDY)), store.finish(STUDY, [], worker="a")) == (2, [])


def begin_more(store: TrialStore, *, ask_number: int) -> list[Trial]:
    """One trial more."""
    return store.begin(STUDY, [suggestion(ask_number)], ask_number=ask_number, stage="search")
