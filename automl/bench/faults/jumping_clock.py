"""A wall clock that jumps by hours while many workers search, for all processes at once."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

from automl.bench.faults.finding import Finding
from automl.bench.faults.journal import Journal
from automl.bench.faults.plan import Plan
from automl.bench.faults.search import NAME, Search, end_group, wait_until
from automl.bench.faults.witness import Witness, measured_again, mirrored

WORKERS = 4
JUMPS = 12
PATIENCE_SECONDS = 90.0
"""How long a search may take to end a few trials."""
LONGEST_JUMP_HOURS = 12
MORE_TRIALS = 40
EVALUATOR = {"name": "planted", "noise": 0.01, "seconds": 0.5}
_FAKE = """import time
_time, _time_ns = time.time, time.time_ns

def _offset():
    with open({clock!r}) as file:
        return int(file.read()) * 3600

time.time = lambda: _time() + _offset()
time.time_ns = lambda: _time_ns() + _offset() * 10**9
"""
"""Stands in for the wall clock of a Python process, as `sitecustomize` before anything else is loaded.

libfaketime 0.9.10 is of no use here: under it `time.sleep` of Python 3.11 fails with EINVAL after a jump.
"""


def jumping_clock(plan: Plan) -> Finding:
    """The clock jumps forward and backward by hours, for all processes at once; the machine's own is left alone."""
    folder = plan.place("e")
    sections = {"evaluator": EVALUATOR, "budget": {"trials": 100_000}, "tracker": {"name": "mlflow"}}
    search = Search(folder, sections, workers=WORKERS, environment=fake_clock(folder))
    witness, journal = Witness(folder / "seen.jsonl"), Journal(folder / "journal.jsonl")
    set_clock(folder, journal.events[-1]["hours"] if journal.events else 0)
    if not search.exists():
        search.begin()
    driver = search.go_on()
    wrong = []
    while journal.count("jump") < JUMPS:
        wrong += _jumped(plan, search, journal)
        witness.look(search.trials())
        if driver.poll() is not None:
            wrong.append(f"the search ended at a jump: {search.ended(driver).said}")
            driver = search.go_on()
    end_group(driver)
    ended = search.ended(search.go_on(trials=search.finished() + MORE_TRIALS))
    wrong += [] if ended.code == 0 else [f"the last resume ended with code {ended.code}: {ended.said}"]
    trials = search.trials()
    fault = f"clock jumps of up to {LONGEST_JUMP_HOURS} h forward and backward, {WORKERS} workers"
    if not any(abs((trial.finished_at or 0.0) - time.time()) > 3600.0 for trial in trials):
        wrong.append("no trial has seen the clock jump")
    notes = {"losses": sum(trial.losses for trial in trials), "hours": [one["hours"] for one in journal.events]}
    finding = Finding("e", fault, injected={"jump": JUMPS}, wrong=tuple(wrong), notes=notes)
    finding = mirrored(witness.audited(finding, trials), search.tracker, NAME)
    return measured_again(finding, trials, study=NAME, storage=search.url)


def _jumped(plan: Plan, search: Search, journal: Journal) -> list[str]:
    """Jumps in the middle of a running search, and looks whether it goes on."""
    if not _goes_on(search):
        return ["no trial ended before a jump"]
    done = journal.count("jump")
    size = int(plan.rng(done).integers(1, LONGEST_JUMP_HOURS + 1))
    hours = size if done % 2 == 0 else -size
    set_clock(search.folder, hours)
    journal.note("jump", hours=hours)
    return [] if _goes_on(search) else [f"no trial ended after a jump to {hours} hours"]


def _goes_on(search: Search) -> bool:
    """Whether every worker ends a trial, and one of them another, in time."""
    enough = search.finished() + WORKERS + 1
    return wait_until(lambda: search.finished() >= enough, seconds=PATIENCE_SECONDS)


def set_clock(folder: Path, hours: int) -> None:
    """Moves the clock of all processes that `fake_clock` was given to."""
    draft = folder / "clock.part"
    draft.write_text(str(hours), encoding="ascii")
    draft.replace(folder / "clock")


def fake_clock(folder: Path) -> Mapping[str, str]:
    """What lets every Python process see the clock in the folder; monotonic clocks go on, as in a real jump."""
    place = folder / "path"
    place.mkdir(exist_ok=True)
    fake = _FAKE.format(clock=str(folder / "clock"))
    (place / "sitecustomize.py").write_text(fake, encoding="utf-8")
    return {"PYTHONPATH": os.pathsep.join([str(place), *filter(None, [os.environ.get("PYTHONPATH")])])}
