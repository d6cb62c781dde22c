"""Makes the fixture of the schema at hand: a SQLite dump, and beside it what the store said of it.

python -m tests.storage.stores.sql.fixture tests/storage/stores/sql/fixtures
"""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from evaluators import Failure, FailureKind, Suggestion, Trial
from searchspaces import Candidate, Options
from storage import TrialStore
from storage.stores.sql import SqlStore, _migrations
from tests.storage.samples import CRASH, STUDY, Clock, begin, evaluation, record, suggestion

READERS = ("mlflow", "jsonl", "nobody")


def fill(store: TrialStore, clock: Clock) -> None:
    """Three studies: one with trials in every state and every kind of failure, one with later stages, one empty."""
    store.create_study(record())
    begin(store, 11)
    store.claim(STUDY, worker="host-a/1/2.50/0", limit=8, lease_seconds=60)
    clock.now += 5
    store.finish(STUDY, [(1, evaluation()), (0, evaluation(0.8, stopped_at=512))])
    store.finish(STUDY, [(2 + at, Failure(kind, f"because it {kind}", 1.5)) for at, kind in enumerate(FailureKind)])
    store.requeue_lost(STUDY, worker="host-a/1/2.50/0")
    store.claim(STUDY, worker="host-b/7/9.25/3", limit=1, lease_seconds=60)
    store.move_cursor(STUDY, "mlflow", 3)
    store.move_cursor(STUDY, "jsonl", 7)
    store.create_study(record("later stages", seed=2**100))
    odd = Suggestion(
        Candidate(training=Options(lr=1e-300)), origin="ünïcode 'quoted'; --", memo=Options(tags=["a", "b"])
    )
    store.begin("later stages", [odd, suggestion(1)], ask_number=0, stage="baseline")
    store.begin("later stages", [suggestion(2, parents=(0, 1))], ask_number=0, stage="search")
    store.begin("later stages", [suggestion(3)], ask_number=0, stage="finals")
    store.finish("later stages", [(3, evaluation()), (0, CRASH)])
    store.create_study(record("empty"))


def content(store: TrialStore) -> list[dict[str, Any]]:
    """What a store says of all its studies, as JSON types."""
    return [
        {
            "record": {
                **vars(study),
                "config": dict(study.config),
                "facts": dict(study.facts),
                "seed": str(study.seed),
            },
            "trials": _trials(store.trials(study.name)),
            "ended": [one.number for one in store.trials(study.name, finished_after=0)],
            "unfinished": [one.number for one in store.unfinished(study.name)],
            "workers": store.workers(study.name),
            "asks": store.asks(study.name),
            "cursors": {reader: store.cursor(study.name, reader) for reader in READERS},
        }
        for study in store.studies()
    ]


def _trials(trials: Iterable[Trial]) -> list[dict[str, Any]]:
    return [
        {
            **vars(one),
            "state": one.state.value,
            "suggestion": one.suggestion.to_dict(),
            "evaluation": one.evaluation.to_dict() if one.evaluation else None,
            "failure": [one.failure.kind.value, one.failure.reason, one.failure.seconds] if one.failure else None,
            "fingerprint": one.candidate.fingerprint,
        }
        for one in trials
    ]


def main(folder: Path) -> None:
    """Writes both files, named after the schema."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "store.db"
        clock = Clock()
        store = SqlStore(f"sqlite:///{file}", clock=clock)
        fill(store, clock)
        name = f"v{_migrations.VERSIONS[-1]}"
        (folder / f"{name}.json").write_text(json.dumps(content(store), indent=1, ensure_ascii=False) + "\n")
        store.close()
        with closing(sqlite3.connect(file)) as connection:
            (folder / f"{name}.sql").write_text("\n".join(connection.iterdump()) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
