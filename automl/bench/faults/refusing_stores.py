"""A store that refuses to be written: its disk is full, or it may only be read. Later it is as before."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from automl.bench.faults.disks import filled, immutable, read_only, small_disk
from automl.bench.faults.finding import Finding
from automl.bench.faults.plan import Plan
from automl.bench.faults.search import NAME, Search, end_group, wait_until
from automl.bench.faults.witness import Witness, measured_again, mirrored

TIMES = 4
"""How often the fault is done to a search that runs."""
BETWEEN = 15
"""Trials that end between two faults."""
MORE_TRIALS = 20
WORKERS = 2
PATIENCE_SECONDS = 120.0
"""How long a search may take to notice, and to say so."""
EVALUATOR = {"name": "planted", "noise": 0.01, "seconds": 0.1}
LOOKS = ("status", "front", "trials")


def full_disk(plan: Plan) -> Finding:
    """The store's disk is full while the search runs, again and again."""
    folder = _fresh(plan, "c")
    with small_disk(folder / "disk", megabytes=8) as disk:
        search = _search(folder, disk)
        witness, wrong = Witness(folder / "seen.jsonl"), []
        for _ in range(TIMES):
            wrong += _struck(search, witness, lambda: filled(disk))
        fault = f"disk full (tmpfs of 8 MB): {TIMES} times in the middle of a search, {WORKERS} workers"
        finding = Finding("c", fault, injected={"full disk": TIMES}, wrong=tuple(wrong))
        return _completed(search, witness, finding)


def read_only_store(plan: Plan) -> Finding:
    """The store may only be read: before a resume, and while the search runs."""
    folder = _fresh(plan, "d")
    disk = folder / "disk"
    disk.mkdir()
    search = _search(folder, disk)
    witness, wrong = Witness(folder / "seen.jsonl"), []
    for _ in range(TIMES):
        wrong += _struck(search, witness, lambda: immutable([disk / "automl.db", disk / "automl.db-wal"]))
    with read_only(disk) as how:
        wrong += _looked_at(search)
    fault = f"read-only store: {TIMES} times (chattr +i) while a search runs, {WORKERS} workers; once ({how}) at rest"
    finding = Finding("d", fault, injected={"read-only": TIMES + 1}, wrong=tuple(wrong))
    return _completed(search, witness, finding)


def _fresh(plan: Plan, row: str) -> Path:
    """An empty folder: these rows are short, so a stopped one begins anew."""
    folder = plan.place(row)
    for path in folder.iterdir():
        if not path.is_dir():
            path.unlink()
        elif not path.is_mount():
            shutil.rmtree(path)
    return folder


def _search(folder: Path, disk: Path) -> Search:
    sections = {"evaluator": EVALUATOR, "budget": {"trials": 100_000}, "tracker": {"name": "mlflow"}}
    search = Search(folder, sections, storage=f"sqlite:///{disk / 'automl.db'}", workers=WORKERS)
    search.begin()
    return search


def _struck(search: Search, witness: Witness, fault: Callable[[], AbstractContextManager[object]]) -> list[str]:
    """Lets the search run, refuses its writes until it has ended, and looks what is left; says what was wrong."""
    driver = search.go_on()
    enough = search.finished() + BETWEEN
    if not wait_until(lambda: search.finished() >= enough or driver.poll() is not None, seconds=PATIENCE_SECONDS):
        end_group(driver)
        return [f"fewer than {BETWEEN} trials ended in {PATIENCE_SECONDS:g} seconds"]
    with fault():
        wrong = []
        ended = search.ended(driver, seconds=PATIENCE_SECONDS)
        if ended.code == 0 or ended.has_traceback:
            wrong.append(f"the search must end with a sentence, but ended with code {ended.code}: {ended.said}")
        wrong += [] if "automl.db" in ended.said else [f"the last sentence must name the store, but is {ended.said!r}"]
        witness.look(search.trials())
    witness.look(search.trials())
    return wrong


def _looked_at(search: Search) -> list[str]:
    """A store that cannot be written can be looked at, and a resume says what is wrong with it."""
    wrong = []
    for verb in LOOKS:
        seen = search.asked(verb, NAME, "--storage", search.url)
        if seen.returncode:
            wrong.append(f"`automl {verb}` must work where nothing can be written, but says: {seen.stderr.strip()}")
    refused = search.asked("resume", NAME, "--storage", search.url, "--trials", "+5")
    if refused.returncode != 2 or "Traceback" in refused.stderr:
        wrong.append(f"`automl resume` must refuse in a sentence, but ended with {refused.returncode}")
    return wrong


def _completed(search: Search, witness: Witness, finding: Finding) -> Finding:
    ended = search.ended(search.go_on(trials=search.finished() + MORE_TRIALS))
    if ended.code:
        sentence = f"the last resume ended with code {ended.code}: {ended.said}"
        finding = replace(finding, wrong=(*finding.wrong, sentence))
    trials = search.trials()
    finding = mirrored(witness.audited(finding, trials), search.tracker, NAME)
    return measured_again(finding, trials, study=NAME, storage=search.url)
