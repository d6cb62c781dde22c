"""Kills at random moments: driver, worker or training child of a search with many workers, and pauses between."""

from __future__ import annotations

import logging
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
import psutil

from automl.bench.faults.finding import Finding
from automl.bench.faults.journal import Journal
from automl.bench.faults.plan import Plan
from automl.bench.faults.postgres import PostgresServer
from automl.bench.faults.search import NAME, Search, end_group, wait_until
from automl.bench.faults.victims import CHILD, DRIVER, WORKER, Pauses, Survivors, living
from automl.bench.faults.witness import Witness, measured_again, mirrored
from evaluators import Trial

LOG = logging.getLogger("automl")
WORKERS_ON_SQLITE = 4
WEIGHTS = {DRIVER: 0.12, WORKER: 0.42, CHILD: 0.46}
LONGEST_WAIT_SECONDS = 8.0
"""Waits between two kills are drawn evenly up to here."""
MOVED_SHARE, MOVED_SECONDS = 0.7, 30.0
"""Share of the kills that wait until a trial has ended since the last one, and how long: the others come as they come,
on a loaded machine to processes that are starting."""
PAUSE_EVERY = 12
"""Kills for each pause."""
LONGEST_PAUSE_SECONDS = 100.0
"""Pauses are drawn evenly up to here, so that about a third of them outlive a lease."""
EVALUATOR = {"name": "train", "device": "cpu", "rows": 8000, "threads": 1}
MORE_TRIALS = 40
"""How many the search still does after the last kill."""
BY_ITSELF = "end by itself"
START = "start"
START_SECONDS = 300.0
MEASURED_AGAIN = 400
NEVER_REACHED = 1_000_000
"""Budget of the search as long as it is disturbed."""


def kills_on_sqlite(plan: Plan) -> Finding:
    """Kills `WORKERS_ON_SQLITE` workers, their trainings and their driver on SQLite."""
    search = Search(plan.place("a"), _sections(), workers=WORKERS_ON_SQLITE)
    return _disturbed(plan, "a", f"kill -9, {WORKERS_ON_SQLITE} workers on SQLite", search)


def kills_on_postgresql(plan: Plan) -> Finding:
    """Kills 8 workers, their trainings and their driver on PostgreSQL, and crashes the server in the middle."""
    folder = plan.place("b")
    server = PostgresServer(folder)
    server.start()
    try:
        search = Search(folder, _sections(), storage=server.url, workers=8)
        finding = _disturbed(plan, "b", "kill -9, 8 workers on PostgreSQL", search, server.restart)
    finally:
        server.stop()
    server.remove()
    return finding


def _sections() -> dict[str, object]:
    return {"evaluator": EVALUATOR, "budget": {"trials": NEVER_REACHED}, "tracker": {"name": "mlflow"}}


def _disturbed(
    plan: Plan, row: str, fault: str, search: Search, restart_store: Callable[[], None] | None = None
) -> Finding:
    journal, witness = Journal(search.folder / "journal.jsonl"), Witness(search.folder / "seen.jsonl")
    if not search.exists():
        search.begin()
    disturbance = Disturbance(search, plan, row, journal, witness, restart_store)
    disturbance.run()
    ended = search.ended(search.go_on(trials=search.finished() + MORE_TRIALS))
    synced = search.asked("track", "sync", NAME, "--storage", search.url)
    wrong = [] if ended.code == 0 else [f"the last resume ended with code {ended.code}: {ended.said}"]
    wrong += [] if synced.returncode == 0 else [f"`automl track sync` failed: {synced.stderr.strip()[-300:]}"]
    by_itself = journal.of(BY_ITSELF)
    wrong += [f"the driver ended by itself with a traceback: {one['said']}" for one in by_itself if one["traceback"]]
    if disturbance.survivors.count:
        wrong.append(f"{disturbance.survivors.count} processes outlived their driver")
    trials = search.trials()
    injected = {kind: count for kind, count in journal.counts().items() if kind not in (START, BY_ITSELF)}
    finding = witness.audited(Finding(row, fault, injected=injected, wrong=tuple(wrong)), trials)
    finding = mirrored(finding, search.tracker, NAME)
    chosen = to_measure_again(trials, plan.rng(ord(row)))
    LOG.info(f"faults: row {row}: {len(chosen)} trials are measured once more, one after the other")
    finding = measured_again(finding, chosen, study=NAME, storage=search.url)
    notes = {
        "lost_with_a_worker": sum(trial.losses for trial in trials),
        "first_start_seconds": journal.of(START)[0]["seconds"],
        "driver_ended_by_itself": [one["said"] for one in by_itself],
    }
    return replace(finding, notes=notes)


def to_measure_again(trials: Sequence[Trial], rng: np.random.Generator) -> list[Trial]:
    """Every trial that was lost with a worker and measured by another one, and others up to `MEASURED_AGAIN`."""
    measured = [trial for trial in trials if trial.evaluation]
    lost = [trial for trial in measured if trial.losses]
    others = [trial for trial in measured if not trial.losses]
    rng.shuffle(others)
    return lost + others[: max(0, MEASURED_AGAIN - len(lost))]


@dataclass
class Disturbance:
    """A search, whoever watches it, and what has been done to it."""

    search: Search
    plan: Plan
    row: str
    journal: Journal
    witness: Witness
    restart_store: Callable[[], None] | None = None

    def __post_init__(self) -> None:
        self.pauses, self.survivors = Pauses(), Survivors()
        self._started = time.monotonic()
        self._done_before = self.kills

    @property
    def kills(self) -> int:
        """Kills so far, those of earlier runs of the benchmark with them."""
        return self.journal.count(DRIVER, WORKER, CHILD)

    def run(self) -> None:
        """Kills until there were enough."""
        driver = self._start()
        try:
            while self.kills < self.plan.kills:
                driver = self._strike(driver)
        finally:
            self.pauses.wake(everyone=True)
            end_group(driver)  # as far as the study goes, one kill more

    def _start(self) -> subprocess.Popen[bytes]:
        """The first driver; where nothing has been done yet, its start is timed up to its first trial."""
        started, before = time.monotonic(), self.search.finished()
        driver = self.search.go_on()
        if not self.journal.count(START):
            wait_until(lambda: self.search.finished() > before or driver.poll() is not None, seconds=START_SECONDS)
            self.journal.note(START, seconds=round(time.monotonic() - started, 1))
        self._started = time.monotonic()
        return driver

    def _strike(self, driver: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        """Waits, then kills one; the driver, which may be a new one then."""
        rng = self.plan.rng(ord(self.row), self.kills, self.journal.count(BY_ITSELF))
        self._wait(float(rng.uniform(0.2, LONGEST_WAIT_SECONDS)))
        if rng.random() < MOVED_SHARE:
            self._wait_for_a_trial(driver)
        if driver.poll() is not None:
            ended = self.search.ended(driver)
            self.journal.note(BY_ITSELF, code=ended.code, said=ended.said, traceback=ended.has_traceback)
            return self.search.go_on()
        if self.restart_store and self.kills == self.plan.kills // 2 and not self.journal.count("server restart"):
            self.restart_store()
            self.journal.note("server restart")
        processes = living(driver.pid)
        if self.kills % PAUSE_EVERY == PAUSE_EVERY - 1 and not self.pauses.has_any():
            self._pause(processes, rng)
        kind = self._kill(processes, rng)
        self._tell()
        if kind == DRIVER:
            self.survivors.watch(processes)
            driver.wait()
            return self.search.go_on()
        return driver

    def _wait(self, seconds: float) -> None:
        ends_at = time.monotonic() + seconds
        while (left := ends_at - time.monotonic()) > 0:
            self.pauses.wake()
            self.survivors.look()
            time.sleep(min(left, 0.1))

    def _wait_for_a_trial(self, driver: subprocess.Popen[bytes]) -> None:
        before = max((event.get("finished", 0) for event in self.journal.events), default=0)
        ends_at = time.monotonic() + MOVED_SECONDS
        while time.monotonic() < ends_at and driver.poll() is None and not self.search.has_moved(before):
            self._wait(0.5)

    def _kill(self, processes: dict[str, list[psutil.Process]], rng: np.random.Generator) -> str:
        kinds = [kind for kind in WEIGHTS if processes[kind]]
        weights = np.array([WEIGHTS[kind] for kind in kinds])
        kind = str(rng.choice(kinds, p=weights / weights.sum()))
        victim = processes[kind][int(rng.integers(len(processes[kind])))]
        with suppress(psutil.NoSuchProcess):
            victim.kill()
        trials = self.search.trials() if self.search.exists() else []
        finished = sum(trial.state.is_finished for trial in trials)
        self.journal.note(kind, at=round(time.time(), 2), finished=finished)
        self.witness.look(trials)
        return kind

    def _pause(self, processes: dict[str, list[psutil.Process]], rng: np.random.Generator) -> None:
        kind = str(rng.choice([DRIVER, WORKER, WORKER, CHILD]))
        if processes[kind]:
            seconds = float(rng.uniform(2.0, LONGEST_PAUSE_SECONDS))
            self.pauses.pause(processes[kind][int(rng.integers(len(processes[kind])))], seconds)
            self.journal.note("pause", of=kind, seconds=round(seconds, 1))

    def _tell(self) -> None:
        done = self.kills - self._done_before
        left = (time.monotonic() - self._started) / max(done, 1) * (self.plan.kills - self.kills)
        last = self.journal.events[-1]
        LOG.info(
            f"faults: row {self.row}: kill {self.kills} of {self.plan.kills} ({last['kind']}), "
            f"{last.get('finished', 0)} trials have ended, about {left:.0f} s left"
        )
