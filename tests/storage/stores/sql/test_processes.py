"""Many processes on one store: whatever they do at once, the record is that of one after the other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from evaluators import TrialState
from storage import MAX_LOSSES
from storage.stores.sql import SqlStore
from tests.storage.samples import STUDY, record, suggestion
from tests.storage.stores.sql.databases import KINDS, empty, run_at_once

pytestmark = pytest.mark.slow

CLAIM_ALL = """
import json, sys
from evaluators import Evaluation, Metric
from storage import open_store
url, worker, study = sys.argv[1:]
store = open_store(url)
numbers = []
while trials := store.claim(study, worker=worker, limit=1, lease_seconds=60):
    numbers += [trial.number for trial in trials]
    store.finish(study, [(trial.number, Evaluation({"ne": Metric(0.5)})) for trial in trials])
store.close()
print(json.dumps(numbers))
"""
ANSWER = """
import json, sys
from evaluators import Suggestion
from searchspaces import Candidate
from storage import AskTakenError, open_store
url, worker, study = sys.argv[1:]
store = open_store(url)
wins = []
while (ask := store.asks(study)) < 50:
    try:
        store.begin(study, [Suggestion(Candidate())], ask_number=ask, stage="search")
        wins.append(ask)
    except AskTakenError:
        pass
store.close()
print(json.dumps(wins))
"""
CREATE = """
import sys
from storage import StudyRecord, open_store
url, name = sys.argv[1:]
store = open_store(url)
store.create_study(StudyRecord(name, name, 1, "problem", {}, 0.0))
store.close()
"""
HAMMER = """
import json, random, sys
from evaluators import Evaluation, Failure, FailureKind, Metric, Suggestion
from searchspaces import Candidate
from storage import AskTakenError, open_store
url, worker, study, trials = sys.argv[1:]
store, rng, ended, seen = open_store(url), random.Random(worker), [], 0

def outcome():
    return Evaluation({"ne": Metric(0.5)}) if rng.random() < 0.7 else Failure(FailureKind.DIVERGED, "nan")

def begin():
    ask = store.asks(study)
    try:
        store.begin(study, [Suggestion(Candidate())] * rng.randint(1, 3), ask_number=ask, stage="search",
                    worker=worker if rng.random() < 0.5 else None)
    except AskTakenError:
        pass

def end():
    held = [trial.number for trial in store.unfinished(study)]
    ended.extend(one.number for one in store.finish(study, [(n, outcome()) for n in held], worker=worker))

def check():
    global seen
    new = [trial.finish_order for trial in store.trials(study, finished_after=seen)]
    assert new == list(range(seen + 1, seen + 1 + len(new))), (seen, new)
    seen += len(new)
    every = store.trials(study)
    assert [trial.number for trial in every] == list(range(len(every)))

acts = [begin, begin, end, end, check,
        lambda: store.claim(study, worker=worker, limit=2, lease_seconds=rng.choice([0.0, 60.0])),
        lambda: store.heartbeat(study, worker=worker, lease_seconds=60.0),
        lambda: store.release(study, worker=worker),
        lambda: store.requeue_lost(study),
        lambda: store.requeue_lost(study, worker=f"worker {rng.randint(0, 3)}")]
while len(store.trials(study, finished_after=0)) < int(trials):
    rng.choice(acts)()
check()
store.release(study, worker=worker)
store.close()
print(json.dumps(ended))
"""


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlStore]:
    made = SqlStore(empty(request.param, tmp_path))
    made.create_study(record())
    yield made
    made.close()


def test_no_two_processes_claim_one_trial(store: SqlStore) -> None:
    store.begin(STUDY, [suggestion(number) for number in range(200)], ask_number=0, stage="search")
    claimed = [json.loads(line) for line in run_at_once(CLAIM_ALL, store.url, STUDY)]
    assert sorted(number for numbers in claimed for number in numbers) == list(range(200))
    trials = store.trials(STUDY, finished_after=0)
    assert [trial.finish_order for trial in trials] == list(range(1, 201))
    assert {trial.state for trial in trials} == {TrialState.COMPLETE}


def test_of_processes_that_answer_one_ask_exactly_one_wins(store: SqlStore) -> None:
    won = [json.loads(line) for line in run_at_once(ANSWER, store.url, STUDY)]
    assert sorted(ask for wins in won for ask in wins) == list(range(50))
    assert [trial.ask_number for trial in store.trials(STUDY)] == list(range(50))


@pytest.mark.parametrize("kind", KINDS)
def test_processes_that_open_a_new_database_at_once_make_it_ready_once(kind: str, tmp_path: Path) -> None:
    url = empty(kind, tmp_path)
    run_at_once(CREATE, url)
    store = SqlStore(url)
    assert sorted(study.name for study in store.studies()) == [f"worker {number}" for number in range(4)]
    store.close()


def test_whatever_processes_do_at_once_the_record_is_whole(store: SqlStore) -> None:
    ended = [json.loads(line) for line in run_at_once(HAMMER, store.url, STUDY, "120")]
    trials = store.trials(STUDY)
    finished = store.trials(STUDY, finished_after=0)
    assert [trial.number for trial in trials] == list(range(len(trials)))
    assert [trial.finish_order for trial in finished] == list(range(1, len(finished) + 1))
    by_loss = [trial.number for trial in finished if trial.losses == MAX_LOSSES]
    assert sorted(by_loss + [number for numbers in ended for number in numbers]) == sorted(
        one.number for one in finished
    )
    assert {trial.state for trial in store.unfinished(STUDY)} <= {TrialState.WAITING}
    asks = sorted({trial.ask_number for trial in trials})
    assert asks == list(range(store.asks(STUDY)))
