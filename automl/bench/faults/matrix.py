"""The fault matrix: every row is done once, kept, and never done again."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from automl._errors import StudyError
from automl._files import write_text
from automl.bench._timing import machine
from automl.bench.faults.absent_tracker import absent_tracker
from automl.bench.faults.bad_trials import deadly_trial, divergence, hung_trainer, hung_training, out_of_memory
from automl.bench.faults.finding import Finding
from automl.bench.faults.jumping_clock import jumping_clock
from automl.bench.faults.kills import kills_on_postgresql, kills_on_sqlite
from automl.bench.faults.plan import CannotInject, Plan
from automl.bench.faults.refusing_stores import full_disk, read_only_store

LOG = logging.getLogger("automl")
Fault = Callable[[Plan], Finding]

ROWS: Mapping[str, Fault] = MappingProxyType(
    {
        "a": kills_on_sqlite,
        "b": kills_on_postgresql,
        "c": full_disk,
        "d": read_only_store,
        "e": jumping_clock,
        "f": absent_tracker,
        "g": out_of_memory,
        "h": divergence,
        "i1": hung_training,
        "i2": hung_trainer,
        "j": deadly_trial,
    }
)


def faults(plan: Plan, only: Sequence[str] = ()) -> dict[str, Any]:
    """Does the rows named in `only`, or all of them, and gives what the folder has of the whole matrix.

    Raises:
        StudyError: no row of that name.
    """
    unknown = sorted(set(only) - set(ROWS))
    if unknown:
        raise StudyError(f"a row of the matrix is one of {', '.join(ROWS)}, but got {unknown[0]!r}")
    wanted = [row for row in ROWS if row in only or not only]
    for at, row in enumerate(wanted):
        LOG.info(f"faults: row {row} ({at + 1} of {len(wanted)})")
        found = kept(plan, row) or _keep(plan, row)
        LOG.info(f"faults: row {row}: {found.verdict}; {found.trials} trials in {found.seconds:.0f} s")
    known = [one for one in (kept(plan, row) for row in ROWS) if one]
    return {"machine": machine(), "seed": plan.seed, "rows": [one.to_dict() for one in known]}


def kept(plan: Plan, row: str) -> Finding | None:
    """The row as an earlier run has left it."""
    file = plan.folder / f"{row}.json"
    return Finding.from_dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else None


def _keep(plan: Plan, row: str) -> Finding:
    started = time.monotonic()
    try:
        found = ROWS[row](plan)
    except CannotInject as reason:
        found = Finding(row, (ROWS[row].__doc__ or "").strip(), skipped=str(reason))
    found = replace(found, seconds=round(found.seconds + time.monotonic() - started, 1))
    write_text(plan.folder / f"{row}.json", json.dumps(found.to_dict(), indent=2) + "\n")
    return found
