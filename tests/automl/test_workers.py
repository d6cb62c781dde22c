from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from automl import Study, StudyError
from automl._worker import for_driver
from automl.workers import DEATHS, Crew, was_shared
from evaluators import Evaluation, Metric, Trial
from tests.automl.planted_study import planted_study

DONE = Evaluation({"ne": Metric(0.9), "flops": Metric(1.0)})


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    made = planted_study(tmp_path, searcher={"name": "random_search"}, budget={"trials": 4})
    yield made
    made.close()


@dataclass
class Script:
    """A worker that gives one answer a poll, the last one for ever; a callable is called first."""

    answers: list[int | Callable[[], None] | None]
    stops: int = 0
    is_killed: bool = False

    def poll(self) -> int | None:
        if self.is_killed:
            return -9
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(answer):
            answer()
            return None
        return answer

    def stop(self) -> None:
        self.stops += 1

    def kill(self) -> None:
        self.is_killed = True

    def last_words(self) -> str:
        return "out of luck"


@dataclass
class Scripts:
    """Starts scripted workers in order, the last script again and again."""

    scripts: list[Script]
    started: list[Script] = field(default_factory=list)

    def start(self) -> Script:
        script = self.scripts.pop(0) if len(self.scripts) > 1 else replace(self.scripts[0])
        self.started.append(script)
        return script


@dataclass
class Time:
    """A clock that moves only where somebody pauses."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += seconds


def _crew(study: Study, launcher: Scripts, workers: int, time: Time | None = None) -> Crew:
    time = time or Time()
    return Crew(study, launcher, workers=workers, clock=time, pause=time.pause)


def _ends_a_trial(study: Study, worker: str = "w joined") -> Callable[[], None]:
    def end() -> None:
        study.store.finish(study.name, [(study.ask().number, DONE)])

    return end


def test_the_driver_tells_of_every_trial_that_anybody_ends(study: Study) -> None:
    _ends_a_trial(study)()  # by an earlier run
    end = _ends_a_trial(study)
    told: list[int] = []
    launcher = Scripts([Script([end, end, 0]), Script([None, None, 0])])
    _crew(study, launcher, 2).run(callbacks=[lambda _, trial: told.append(trial.number)])
    assert told == [1, 2]
    assert len(launcher.started) == 2


def test_a_worker_that_dies_is_started_again(study: Study) -> None:
    launcher = Scripts([Script([None, -9]), Script([None, 0])])
    _crew(study, launcher, 1).run()
    assert len(launcher.started) == 2


def test_a_worker_that_cannot_work_ends_the_search_with_its_last_words(study: Study) -> None:
    launcher = Scripts([Script([None, 2])])
    reason = "one ended 5 times in a row with nothing done, the last time with code 2: out of luck; mend that"
    with pytest.raises(StudyError, match=reason):
        _crew(study, launcher, 1).run()
    assert len(launcher.started) == DEATHS


def test_deaths_between_trials_that_end_are_not_in_a_row(study: Study) -> None:
    end = _ends_a_trial(study)
    launcher = Scripts([*(Script([end, -9]) for _ in range(2 * DEATHS)), Script([0])])
    _crew(study, launcher, 1).run()
    assert len(launcher.started) == 2 * DEATHS + 1


def test_deaths_with_a_trial_are_left_to_the_store_to_bound(study: Study) -> None:
    def lose() -> None:
        study.store.claim(study.name, worker="w joined", limit=1, lease_seconds=60)
        study.store.requeue_lost(study.name, worker="w joined")

    study.ask()
    study.store.release(study.name, worker=study.store.workers(study.name)[0])
    launcher = Scripts([*(Script([lose, -9]) for _ in range(DEATHS + 2)), Script([0])])
    _crew(study, launcher, 1).run()
    assert study.trials[0].losses == DEATHS + 2


def test_a_worker_that_ends_by_itself_is_not_started_again(study: Study) -> None:
    launcher = Scripts([Script([0]), Script([None, None, None, 0])])
    _crew(study, launcher, 2).run()
    assert len(launcher.started) == 2


def test_stop_is_passed_on_once_and_waited_for(study: Study) -> None:
    launcher = Scripts([Script([None, study.stop, None, None, None, 143])])
    _crew(study, launcher, 1).run()
    [worker] = launcher.started
    assert (worker.stops, worker.is_killed) == (1, False)


def test_a_worker_that_holds_nothing_cannot_keep_the_search_from_its_end(study: Study) -> None:
    launcher = Scripts([Script([0]), Script([None])])
    time = Time()
    _crew(study, launcher, 2, time).run()
    assert launcher.started[1].is_killed
    assert 30 < time.now < 40


def test_a_worker_that_holds_a_trial_is_waited_for(study: Study) -> None:
    trial = study.ask(holder="Ada")
    study.store.release(study.name, worker="Ada asked")
    study.store.claim(study.name, worker=f"elsewhere/1/0.0/0 {for_driver(study.worker)}", limit=1, lease_seconds=9e9)
    time = Time()

    def end_late() -> None:
        if time.now > 300 and not study.trials[0].state.is_finished:
            study.store.finish(study.name, [(trial.number, DONE)])

    launcher = Scripts([Script([0]), Script([*([end_late] * 2000), 0])])
    crew = _crew(study, launcher, 2, time)
    crew.run()
    assert time.now > 300


def test_workers_that_do_nothing_at_all_are_started_anew(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("automl.workers.STALL_SECONDS", 60.0)  # the hour that it is has 18,000 looks at the store
    launcher = Scripts([Script([None]), Script([0])])
    time = Time()
    _crew(study, launcher, 1, time).run()
    assert launcher.started[0].is_killed
    assert 60 < time.now < 80


def test_an_error_in_a_callback_ends_the_workers(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("automl.workers.FAREWELL_SECONDS", 0.1)  # this one never ends by itself

    def boom(_study: Study, _trial: Trial) -> None:
        raise KeyboardInterrupt

    launcher = Scripts([Script([_ends_a_trial(study), None])])
    with pytest.raises(KeyboardInterrupt):
        _crew(study, launcher, 1).run(callbacks=[boom])
    assert launcher.started[0].is_killed


def test_a_second_driver_is_refused(study: Study) -> None:
    with study.driving(), pytest.raises(StudyError, match="is being worked on by process"):
        _crew(study, Scripts([Script([0])]), 2).run()


def test_a_record_tells_whether_workers_worked_side_by_side(study: Study) -> None:
    study.optimize(4)
    alone = study.trials
    assert not was_shared(alone)
    beside = [replace(alone[1], started_at=(alone[0].started_at or 0.0)), *alone]
    assert was_shared(beside)
    assert not was_shared([replace(beside[0], ask_number=0), *alone[:1]])  # one cohort
