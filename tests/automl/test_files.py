"""Files are written whole or not at all, and where that cannot be is known before the work."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl import ExportError
from automl._files import check_place, write_text


def test_a_file_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    for text in ("one", "two"):
        write_text(tmp_path / "new" / "file", text)
    assert (tmp_path / "new" / "file").read_text() == "two"
    assert [one.name for one in (tmp_path / "new").iterdir()] == ["file"]


def test_a_place_where_a_file_can_be_written_is_left_as_it_is(tmp_path: Path) -> None:
    check_place(tmp_path / "new" / "file")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [("folder", "it is a folder"), ("file/below", "file is no folder"), ("file/far/below", "file is no folder")],
)
def test_a_place_where_no_file_can_be_is_named(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(ExportError, match=rf"{name} cannot be written .*{reason}.; name another place with --out"):
        check_place(tmp_path / name)
