"""Malformed addresses of trackers, and trackers' files that are none."""

from __future__ import annotations

from tests.end_to_end.malformed.case import Case, edited, nothing
from tests.end_to_end.malformed.place import DONE


def _sync(name: str, uri: str, *names: str) -> Case:
    return Case(f"sync_{name}", nothing, ("track", "sync", DONE, "--uri", uri), names)


CASES: list[Case] = [
    _sync("scheme_unknown", "mlfow://host", "mlfow"),
    _sync("no_database", "sqlite:///clicks.csv", "clicks.csv"),
    _sync("folder", "sqlite:///fields", "fields"),
    _sync("missing_folder", "sqlite:///nowhere/mlflow.db", "nowhere"),
    _sync("below_a_file", "sqlite:///clicks.csv/mlflow.db", "clicks.csv"),
    _sync("our_own_store", "sqlite:///automl.db", "automl.db"),
    _sync("closed_port", "http://127.0.0.1:1", "127.0.0.1"),
    _sync("no_host", "http://", "http"),
    _sync("bad_port", "http://127.0.0.1:port", "port"),
    _sync("escape", "\x1b[31m://x", "31m"),
    Case(
        "our_own_store_in_the_study",
        edited("study.yaml", "tracker", to={"name": "mlflow", "uri": "sqlite:///automl.db"}),
        ("create", "study.yaml"),
        ("tracker.uri", "automl.db"),
    ),
    Case("ui_no_database", nothing, ("ui", "--uri", "sqlite:///clicks.csv"), ("clicks.csv",)),
    Case("ui_folder", nothing, ("ui", "--uri", "sqlite:///fields"), ("fields",)),
    Case("ui_our_own_store", nothing, ("ui", "--uri", "sqlite:///automl.db"), ("automl.db",)),
    Case("ui_scheme_unknown", nothing, ("ui", "--uri", "mlfow://host"), ("mlfow",)),
]
