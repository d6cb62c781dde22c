"""Inputs that look malformed and are valid, and the commands of the corpus on what is not spoiled."""

from __future__ import annotations

import gzip
from pathlib import Path

from tests.end_to_end.malformed.case import Case, changed, cut, edited, nothing, replaced, written
from tests.end_to_end.malformed.place import ASKED, DONE, STUDY
from tests.end_to_end.malformed.tables import HEADER, ROWS
from tests.end_to_end.malformed.winners import VALID as PREDICT

CREATE = ("create", "study.yaml")
PREPARE = ("data", "prepare", "table.yaml", "--out", "made")
TELL = ("tell", ASKED, "0", "--metrics", "metrics.json")


def _two_pieces(place: Path) -> None:
    half = len(ROWS) // 2
    pieces = (gzip.compress(text.encode(), mtime=0) for text in (HEADER + ROWS[:half], ROWS[half:]))
    (place / "c.csv.gz").write_bytes(b"".join(pieces))
    edited("table.yaml", "table", to="c.csv.gz")(place)


def _windows_lines(place: Path) -> None:
    path = place / "winner.yaml"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


VALID: list[tuple[str, ...]] = [
    CREATE,
    ("search", "study.yaml"),
    ("search", "study.yaml", "--set", "evaluator={name: train, device: cpu, threads: 1, batch_size: 32}"),
    ("validate", "study.yaml", "--quick"),
    ("create", "study.yaml", "--set", "baseline=model.json"),
    ("create", "study.yaml", "--set", "baseline=winner.yaml"),
    ("create", "study.yaml", "--set", "data=table.yaml"),
    PREPARE,
    ("data", "prepare", "table.yaml"),
    ("data", "prepare", "fields", "--out", "made"),
    *(
        ("data", "prepare", name, "--from", f"raw/{name.partition('-')[0]}", "--minimum-count", "1", "--out", "made")
        for name in ("criteo", "avazu", "kdd12", "movielens-100k")
    ),
    ("train", "winner.yaml", "--data", "data"),
    PREDICT,
    ("predict", "winner.yaml", "--weights", "weights.safetensors", "--data", "table.yaml"),
    TELL,
    ("ask", ASKED),
    ("studies",),
    ("status", DONE),
    ("trials", DONE),
    ("resume", DONE),
    ("resume", DONE, "--trials", "+1"),
    ("work", DONE),
    ("db", "upgrade"),
    ("show", DONE, "0"),
    ("front", DONE),
    ("ledger", DONE),
    ("export", DONE, "--trial", "1", "--out", "other.yaml"),
    ("report", DONE, "--out", "report.html"),
]

ACCEPTED: list[Case] = [
    Case("byte_order_mark", written("study.yaml", STUDY.encode("utf-8-sig")), CREATE, ("fresh",)),
    Case("windows_lines", written("study.yaml", STUDY.replace("\n", "\r\n")), CREATE, ("fresh",)),
    Case("json", changed("study.yaml", lambda content: None), CREATE, ("fresh",)),
    Case("name_in_another_script", replaced("study.yaml", "fresh", "\u5148\u751f"), CREATE, ("\u5148\u751f",)),
    Case("anchors", written("study.yaml", STUDY.replace("[8, 16]", "&w [8, 16]")), CREATE, ("fresh",)),
    Case("merged_keys", written("study.yaml", STUDY.replace("{trials: 2}", "{<<: {trials: 2}}")), CREATE, ("fresh",)),
    Case("old_directive", written("study.yaml", "%YAML 1.1\n---\n" + STUDY), CREATE, ("fresh",)),
    Case("no_limits", edited("study.yaml", "budget", to={}), CREATE, ("fresh",)),
    Case("cut_after_a_key", cut("study.yaml", STUDY.index("baselines")), CREATE, ("fresh",)),
    Case("number_as_text", edited("study.yaml", "budget", "trials", to="3"), CREATE, ("fresh",)),
    Case("settings_as_mapping", nothing, (*CREATE, "--set", "budget={trials: 3}"), ("fresh",)),
    Case(
        "sqlite_address_of_its_own_kind",
        nothing,
        (*CREATE, "--storage", "sqlite:///file:other.db?uri=true"),
        ("fresh",),
    ),
    Case("csv_byte_order_mark", written("clicks.csv", (HEADER + ROWS).encode("utf-8-sig")), PREPARE, ("made",)),
    Case("csv_windows_lines", written("clicks.csv", (HEADER + ROWS).replace("\n", "\r\n")), PREPARE, ("made",)),
    Case("csv_blank_end", written("clicks.csv", HEADER + ROWS + "\n\n\n"), PREPARE, ("made",)),
    Case("csv_without_last_line_end", written("clicks.csv", (HEADER + ROWS).rstrip()), PREPARE, ("made",)),
    Case("csv_quoted", written("clicks.csv", (HEADER + ROWS).replace("u1", '"u,""1\n"')), PREPARE, ("made",)),
    Case("csv_huge_id", written("clicks.csv", HEADER + ROWS + f"1,2,{'x' * 100_000},1,1\n"), PREPARE, ("made",)),
    Case(
        "gzip_in_two_pieces",
        _two_pieces,
        PREPARE,
        ("made",),
    ),
    Case(
        "readme_in_another_encoding",
        written("fields/README.md", "- Licence: caf\u00e9\n".encode("latin-1")),
        ("data", "prepare", "fields", "--out", "made"),
        ("made",),
    ),
    Case("metrics_byte_order_mark", written("metrics.json", b'\xef\xbb\xbf{"ne": 0.9}'), TELL, ("COMPLETE",)),
    Case("metrics_not_finite", written("metrics.json", '{"ne": NaN}'), TELL, ("diverged",)),
    Case("metrics_beyond_float", written("metrics.json", '{"ne": 1e999}'), TELL, ("diverged",)),
    Case("winner_windows_lines", _windows_lines, ("train", "winner.yaml", "--data", "data"), ("ne",)),
]
