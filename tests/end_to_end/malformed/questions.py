"""Malformed questions: unknown studies, numbers, plug-ins, verbs, flags, and places that cannot be written."""

from __future__ import annotations

from pathlib import Path

from tests.end_to_end.malformed.case import Case, folder_instead, nothing, removed, written
from tests.end_to_end.malformed.place import ASKED, DONE


def _ask(name: str, *words: str, names: tuple[str, ...]) -> Case:
    return Case(name, nothing, words, names)


ABSURD = {
    "empty": "",
    "blank": " ",
    "slash": "../done",
    "dash": "-",
    "quote": "done' OR '1'='1",
    "percent": "%",
    "escape": "\x1b[2J",
    "long": "d" * 5000,
    "other_case": "DONE",
}

CASES: list[Case] = [
    *(_ask(f"study_{name}", "status", study, names=("study",)) for name, study in ABSURD.items() if name != "dash"),
    *(
        _ask(f"study_{verb}", verb, "nobody", names=("nobody",))
        for verb in ("trials", "front", "ledger", "resume", "work", "report", "export")
    ),
    _ask("study_of_no_text", "status", "\udcff", names=("Unicode", "udcff")),
    _ask("study_show", "show", "nobody", "0", names=("nobody",)),
    _ask("study_track", "track", "sync", "nobody", names=("nobody",)),
    _ask("show_negative", "show", DONE, "--", "-1", names=("-1",)),
    _ask("show_beyond", "show", DONE, "99", names=("99",)),
    _ask("show_text", "show", DONE, "best", names=("'N'",)),
    _ask("show_fraction", "show", DONE, "1.5", names=("'N'",)),
    _ask("show_huge", "show", DONE, "9" * 30, names=("999",)),
    _ask("export_beyond", "export", DONE, "--trial", "99", names=("99",)),
    _ask("export_negative", "export", DONE, "--trial", "-1", names=("-1",)),
    _ask("export_two_choices", "export", DONE, "--best", "--trial", "1", names=("--best", "--trial")),
    _ask("export_too_cheap", "export", DONE, "--max-flops", "0", names=("0 FLOPs",)),
    _ask("export_not_a_number", "export", DONE, "--max-flops", "nan", names=("nan",)),
    _ask("export_negative_flops", "export", DONE, "--max-flops", "-5", names=("-5",)),
    _ask("export_flops_text", "export", DONE, "--max-flops", "few", names=("--max-flops",)),
    _ask("export_unfinished", "export", ASKED, "--trial", "0", names=("0", "RUNNING")),
    _ask("export_nothing_yet", "export", ASKED, names=(ASKED,)),
    _ask("export_to_unknown", "export", DONE, "--to", "onnx", names=("--to",)),
    _ask("export_weights_to_yaml", "export", DONE, "--to", "weights", "--out", "w.yaml", names=("w.yaml",)),
    _ask("export_below_a_file", "export", DONE, "--out", "clicks.csv/w.yaml", names=("clicks.csv",)),
    _ask("export_onto_a_folder", "export", DONE, "--out", "fields", names=("fields",)),
    _ask("export_to_proc", "export", DONE, "--out", "/proc/w.yaml", names=("/proc/w.yaml",)),
    _ask("export_long_name", "export", DONE, "--out", "x" * 300 + ".yaml", names=("xxx",)),
    _ask("report_below_a_file", "report", DONE, "--out", "clicks.csv/r.html", names=("clicks.csv",)),
    _ask("report_onto_a_folder", "report", DONE, "--out", "fields", names=("fields",)),
    _ask("report_to_proc", "report", DONE, "--out", "/proc/r.html", names=("/proc/r.html",)),
    _ask("trials_stage", "trials", DONE, "--stage", "all of them", names=("--stage",)),
    _ask("trials_layout", "trials", DONE, "--format", "yaml", names=("--format",)),
    _ask("init_unknown", "init", "movielense", names=("movielense", "movielens")),
    _ask("init_path", "init", "../templates", names=("../templates",)),
    _ask("init_empty", "init", "", names=("''",)),
    _ask("init_below_a_file", "init", "table", "--out", "clicks.csv/x", names=("clicks.csv",)),
    _ask("init_over_a_file", "init", "table", "--out", "table.yaml", names=("table.yaml",)),
    _ask("verb_unknown", "serach", "study.yaml", names=("serach",)),
    _ask("verb_escape", "\x1b[31m", names=("No such command",)),
    _ask("flag_unknown", "search", "study.yaml", "--trails", "3", names=("--trails",)),
    _ask("flag_escape", "search", "study.yaml", "--\x1b[31m", names=("No such option",)),
    _ask("argument_missing", "search", names=("CONFIG",)),
    _ask("argument_too_many", "search", "study.yaml", "more.yaml", names=("more.yaml",)),
    _ask("flag_without_value", "search", "study.yaml", "--trials", names=("--trials",)),
    _ask("ui_port", "ui", "--port", "99999", names=("--port",)),
    _ask("ui_port_text", "ui", "--port", "http", names=("--port",)),
    _ask("ui_missing_store", "ui", "--uri", "sqlite:///nothing.db", names=("nothing.db",)),
    _ask("db_upgrade_memory", "db", "upgrade", "--storage", "memory://", names=("memory://",)),
    _ask("bench_preparation_rows", "bench", "preparation", "--rows", "few", names=("few",)),
    _ask("bench_faults_row", "bench", "faults", "--folder", "made", "--only", "zz", names=("zz",)),
    _ask("bench_learning_test", "bench", "learning", "--only", "zz", names=("zz",)),
    _ask("sync_without_tracker", "track", "sync", DONE, names=(DONE, "--uri")),
    Case("resume_without_data", removed("data"), ("resume", DONE, "--trials", "+1"), ("data",)),
    Case("resume_with_other_data", lambda place: _other_data(place), ("resume", DONE, "--trials", "+1"), ("digest",)),
    Case("work_without_data", removed("data"), ("work", DONE), ("data",)),
    Case("default_store_from_environment", folder_instead("automl.db"), ("studies",), ("automl.db",)),
    Case("validate_empty", written("study.yaml", ""), ("validate", "study.yaml"), ("study.yaml",)),
    Case("validate_workers", nothing, ("validate", "study.yaml", "--workers", "0"), ("--workers",)),
]


def _other_data(place: Path) -> None:
    path = place / "data/schema.json"
    path.write_text(
        path.read_text(encoding="utf-8").replace('"digest": "sha256:', '"digest": "sha256:0'), encoding="utf-8"
    )
