"""Malformed addresses of stores, files that are no store, and stores that somebody has spoiled."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.end_to_end.malformed.case import (
    Case,
    Spoil,
    both,
    cut,
    dangling,
    folder_instead,
    nothing,
    overwritten,
    removed,
    written,
)
from tests.end_to_end.malformed.place import ASKED, DONE

VERBS = (("studies",), ("status", DONE), ("trials", DONE), ("resume", DONE), ("db", "upgrade"))
SEARCH = ("search", "study.yaml")
CREATE = ("create", "study.yaml")


def sql(*statements: str) -> Spoil:
    """Changes the store behind its back."""

    def spoil(place: Path) -> None:
        with closing(sqlite3.connect(place / "automl.db")) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    return spoil


def _url(name: str, url: str, *names: str) -> list[Case]:
    return [
        Case(f"url_{name}_{verb[0]}", nothing, (*verb, "--storage", url), names) for verb in (("trials", DONE), CREATE)
    ]


def _other_program(place: Path) -> None:
    (place / "automl.db").unlink()
    with closing(sqlite3.connect(place / "automl.db")) as connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
        connection.commit()


def _each(name: str, spoil: Spoil, *names: str) -> list[Case]:
    """With every verb that opens a store."""
    return [Case(f"{name}_{'_'.join(verb[:1])}", spoil, verb, names) for verb in (*VERBS, SEARCH)]


ROW = f"WHERE study_id = (SELECT id FROM studies WHERE name = '{DONE}') AND number = 1"
CASES: list[Case] = [
    *_url("empty_scheme", "://automl.db", "automl.db"),
    *_url("no_scheme", "automl.db", "automl.db", "sqlite:///"),
    *_url("unknown_scheme", "mysql://host/db", "mysql"),
    *_url("typing_error", "sqllite:///automl.db", "sqllite"),
    *_url("two_slashes", "sqlite://automl.db", "automl.db"),
    *_url("no_file", "sqlite:///", "file"),
    *_url("in_memory", "sqlite:///:memory:", "memory"),
    *_url("unknown_driver", "sqlite+nothing:///automl.db", "sqlite"),
    *_url("bad_port", "postgresql://me@host:port/db", "postgresql"),
    *_url("huge_port", "postgresql://me@127.0.0.1:99999999/db", "99999999"),
    *_url("missing_folder", "sqlite:///nowhere/automl.db", "nowhere"),
    *_url("below_a_file", "sqlite:///clicks.csv/automl.db", "clicks.csv"),
    *_url("folder", "sqlite:///fields", "fields"),
    *_url("csv", "sqlite:///clicks.csv", "clicks.csv"),
    *_url("null", "sqlite:///a%00b.db", "a%00b"),
    *_url("long", f"sqlite:///{'x' * 300}.db", "xxx"),
    *_url("unknown_option", "sqlite:///automl.db?colour=red", "colour"),
    *_url("bad_timeout", "sqlite:///automl.db?timeout=soon", "soon"),
    *_url("bad_uri_mode", "sqlite:///file:automl.db?mode=nothing&uri=true", "automl.db"),
    *_url("closed_port", "postgresql://me:secret@127.0.0.1:1/db?connect_timeout=2", "127.0.0.1"),
    *_url("escape", "sqlite:///\x1b[31m/automl.db", "31m"),
    *_each("text", written("automl.db", "this is no database\n" * 100), "automl.db"),
    *_each("zeroes", written("automl.db", bytes(4096)), "automl.db"),
    *_each("folder", folder_instead("automl.db"), "automl.db"),
    *_each("other_program", _other_program, "automl.db"),
    *_each("header_cut", cut("automl.db", 60), "automl.db"),
    *_each("page_cut", cut("automl.db", 4096), "automl.db"),
    *_each("header_noise", overwritten("automl.db", 0, b"\xff" * 100), "automl.db"),
    *_each("newer", sql("UPDATE ctr_automl_version SET version_num = '9999'"), "9999"),
    *_each("strange_version", sql("UPDATE ctr_automl_version SET version_num = 'abc'"), "abc"),
    *(
        Case(f"missing_{verb[0]}", removed("automl.db"), verb, ("automl.db",))
        for verb in (*VERBS, ("show", DONE, "0"), ("front", DONE), ("ledger", DONE), ("work", DONE), ("ask", ASKED))
    ),
    *(Case(f"empty_{verb[0]}", written("automl.db", ""), verb, ("automl.db",)) for verb in VERBS[:4]),
    *(Case(f"dangling_{verb[0]}", dangling("automl.db"), verb, ("automl.db",)) for verb in VERBS),
    *(
        Case(f"table_gone_{verb[0]}", sql("PRAGMA foreign_keys = OFF", "DROP TABLE trials"), verb, ("automl.db",))
        for verb in (("studies",), ("trials", DONE), ("resume", DONE))
    ),
    *(
        Case(f"{name}_{verb[0]}", sql(statement), verb, names)
        for name, statement, names in (
            ("config_no_json", f"UPDATE studies SET config = 'x' WHERE name = '{DONE}'", (DONE,)),
            ("config_list", f"UPDATE studies SET config = '[]' WHERE name = '{DONE}'", (DONE,)),
            ("config_empty", f"UPDATE studies SET config = '{{}}' WHERE name = '{DONE}'", (DONE,)),
            ("suggestion_no_json", f"UPDATE trials SET suggestion = 'x' {ROW}", ("automl.db", "trial 1")),
            ("suggestion_empty", f"UPDATE trials SET suggestion = '{{}}' {ROW}", ("automl.db", "trial 1")),
            ("evaluation_no_json", f"UPDATE trials SET evaluation = '{{' {ROW}", ("automl.db", "trial 1")),
            (
                "evaluation_of_text",
                f"UPDATE trials SET evaluation = '{{\"metrics\": 3}}' {ROW}",
                ("automl.db", "trial 1"),
            ),
            ("state_unknown", f"UPDATE trials SET state = 'SLEEPING' {ROW}", ("automl.db",)),
        )
        for verb in (("trials", DONE), ("resume", DONE))
    ),
    Case(
        "doctor_text",
        written("automl.db", "no database\n" * 100),
        ("doctor", "--storage", "sqlite:///automl.db"),
        ("automl.db",),
        code=1,
    ),
    Case("doctor_cut", cut("automl.db", 4096), ("doctor", "--storage", "sqlite:///automl.db"), ("store",), code=1),
    Case("doctor_missing", nothing, ("doctor", "--storage", "sqlite:///nowhere.db"), ("nowhere.db",), code=1),
    Case("doctor_folder", nothing, ("doctor", "--storage", "sqlite:///fields"), ("fields",), code=1),
    Case("doctor_scheme", nothing, ("doctor", "--storage", "mysql://host/db"), ("mysql",), code=1),
    Case("doctor_no_url", nothing, ("doctor", "--storage", "automl.db"), ("automl.db",), code=1),
    Case("doctor_config", sql(f"UPDATE studies SET config = 'x' WHERE name = '{DONE}'"), ("doctor",), (DONE,), code=1),
    Case("doctor_suggestion", sql(f"UPDATE trials SET suggestion = 'x' {ROW}"), ("doctor",), (DONE,), code=1),
    Case("doctor_numbers", sql(f"UPDATE trials SET number = 77 {ROW}"), ("doctor",), (DONE,), code=1),
    Case(
        "doctor_study_file",
        written("study.yaml", "schema_version: 2"),
        ("doctor", "study.yaml"),
        ("study.yaml",),
        code=1,
    ),
    Case("doctor_no_study_file", nothing, ("doctor", "nothing.yaml"), ("nothing.yaml",), code=1),
    Case(
        "doctor_two_mistakes",
        both(sql("UPDATE ctr_automl_version SET version_num = '9999'"), written("study.yaml", "a: [")),
        ("doctor", "study.yaml"),
        ("study.yaml", "9999"),
        code=1,
    ),
]
