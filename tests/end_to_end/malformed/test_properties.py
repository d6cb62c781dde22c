"""Random damage to every kind of file: whatever it is, it is told and changes nothing, or it does no harm.

AUTOML_EXAMPLES sets how many examples are tried of each kind.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.end_to_end.malformed.case import Key, read
from tests.end_to_end.malformed.place import ASKED, DONE, Done, Place, execute
from tests.end_to_end.malformed.verdict import changes, complaints_of_text, snapshot

EXAMPLES = int(os.environ.get("AUTOML_EXAMPLES", "12"))
SCORE = ("predict", "winner.yaml", "--weights", "weights.safetensors", "--data", "data", "--part", "valid")
COMMANDS = {
    "study.yaml": ("create", "study.yaml"),
    "table.yaml": ("data", "prepare", "table.yaml", "--out", "made"),
    "clicks.csv": ("data", "prepare", "table.yaml", "--out", "made"),
    "fields/fields.json": ("data", "prepare", "fields", "--out", "made"),
    "fields/train.parquet": ("data", "prepare", "fields", "--out", "made"),
    "raw/criteo/train.txt": ("data", "prepare", "criteo", "--from", "raw/criteo", "--out", "made"),
    "raw/avazu/train.csv": ("data", "prepare", "avazu", "--from", "raw/avazu", "--out", "made"),
    "data/schema.json": ("create", "study.yaml"),
    "data/train/categorical.npy": ("train", "winner.yaml", "--data", "data"),
    "data/valid/numeric.npy": SCORE,
    "data/valid/categorical.npy": SCORE,
    "winner.yaml": ("create", "study.yaml", "--set", "baseline=winner.yaml"),
    "model.json": ("create", "study.yaml", "--set", "baseline=model.json"),
    "weights.safetensors": ("predict", "winner.yaml", "--weights", "weights.safetensors", "--data", "table.yaml"),
    "metrics.json": ("tell", ASKED, "0", "--metrics", "metrics.json"),
    "automl.db": ("trials", DONE),
}
TREES = [name for name in COMMANDS if name.endswith((".yaml", ".json"))]

Edit = tuple[str, float, bytes]
EDITS: st.SearchStrategy[list[Edit]] = st.lists(
    st.tuples(
        st.sampled_from(["insert", "overwrite", "delete", "cut", "repeat"]),
        st.floats(0, 1, exclude_max=True),
        st.one_of(
            st.binary(min_size=1, max_size=12),
            st.sampled_from(
                [b"\0", b"\n", b"\t", b'"', b"'", b"{", b"]", b": ", b"- ", b"\xff\xfe", b"\xef\xbb\xbf", b"&a *a"]
            ),
        ),
    ),
    min_size=1,
    max_size=4,
)
ODD_TEXT = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["", "\0", "\x1b[31m", "../..", "a" * 500, "nan", "1e999", "\u202e", "__class__", "{candidate}", "true"]
    ),
)
ODD: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**30), 10**30),
        st.sampled_from([0, 1, -1, 2**31, 2**63, 10**400]),
        st.floats(),
        ODD_TEXT,
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(ODD_TEXT, inner, max_size=3)),
    max_leaves=6,
)
TRIED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="AUTOML_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("name", COMMANDS)
@TRIED
@given(edits=EDITS)
def test_random_bytes_do_no_harm(name: str, edits: list[Edit], made: Place, place: Path) -> None:
    made.restore()
    path = place / name
    path.write_bytes(damaged(path.read_bytes(), edits))
    _assert_harmless(place, COMMANDS[name])


@pytest.mark.parametrize("name", TREES)
@TRIED
@given(data=st.data())
def test_random_values_do_no_harm(name: str, data: st.DataObject, made: Place, place: Path) -> None:
    made.restore()
    content = read(place / name)
    where = data.draw(st.sampled_from(list(paths(content))), "where")
    *above, last = where
    holder = at(content, above)
    action = data.draw(st.sampled_from(["replace", "replace", "remove", "add"]), "action")
    if action == "remove":
        del holder[last]
    elif action == "add" and isinstance(holder, dict):
        holder[data.draw(ODD_TEXT, "key")] = data.draw(ODD, "value")
    else:
        holder[last] = data.draw(ODD, "value")
    (place / name).write_text(json.dumps(content), encoding="utf-8")
    _assert_harmless(place, COMMANDS[name])


@TRIED
@given(
    words=st.lists(st.one_of(ODD_TEXT, st.sampled_from(["--storage", "--set", DONE, "study.yaml"])), max_size=4),
    data=st.data(),
)
def test_random_arguments_do_no_harm(words: list[str], data: st.DataObject, made: Place, place: Path) -> None:
    made.restore()
    verb = data.draw(st.sampled_from(["create", "status", "show", "trials", "tell", "export", "init", "validate"]))
    spoken = [word for word in words if "\0" not in word and word.isprintable()]  # as a shell can hand them over
    _assert_harmless(place, (verb, *spoken))


def damaged(raw: bytes, edits: list[Edit]) -> bytes:
    """The bytes after the edits, each at a place that its share of the length names."""
    for kind, share, piece in edits:
        place = int(share * len(raw))
        match kind:
            case "insert":
                raw = raw[:place] + piece + raw[place:]
            case "overwrite":
                raw = raw[:place] + piece + raw[place + len(piece) :]
            case "delete":
                raw = raw[:place] + raw[place + len(piece) :]
            case "cut":
                raw = raw[:place]
            case _:
                raw = raw[:place] + raw[place : place + 40] * len(piece) + raw[place + 40 :]
    return raw


def paths(content: Any, above: tuple[Key, ...] = ()) -> Iterator[tuple[Key, ...]]:
    """The way to every value."""
    entries = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in entries:
        yield (*above, key)
        yield from paths(value, (*above, key))


def at(content: Any, path: list[Key]) -> Any:
    """The value there."""
    for key in path:
        content = content[key]
    return content


def _assert_harmless(place: Path, command: tuple[str, ...]) -> None:
    before = snapshot(place)
    done = execute(command)
    assert done.code in (0, 1, 2), done.err
    if done.code == 0:
        _assert_works(command, place)
        return
    assert complaints_of_text(done.err) == [], done.err
    # a test part that was opened stays on record, even if the training diverges after that
    kept = "home/test_openings.jsonl is left behind" if command[0] == "train" else ""
    assert [one for one in changes(before, place) if one != kept] == [], done.err


def _assert_works(command: tuple[str, ...], place: Path) -> None:
    """What was taken can be used."""
    after: list[Done] = []
    if command[0] == "create":
        after += [execute(("studies",))]
    if (place / "made").exists():
        after += [execute(("create", "study.yaml", "--set", "data=made", "--name", "afterwards"))]
    assert [one.err for one in after if one.code] == []
