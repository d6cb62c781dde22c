"""Preparing: what a source is, where the result goes, what the cache finds again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from evaluators import DataError
from evaluators._datasets import RECIPE_NAMES, home, open_dataset, prepare
from evaluators._datasets.recipes import RECIPES
from tests.evaluators.datasets.small_sources import write_fields_folder, write_table


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOML_HOME", str(tmp_path / "home"))


def test_a_source_is_prepared_into_the_cache_and_left_untouched(tmp_path: Path) -> None:
    folder = write_fields_folder(tmp_path / "things")
    before = sorted(folder.iterdir())
    data = open_dataset(folder)
    assert data.folder.parent == tmp_path / "home" / "prepared"
    assert sorted(folder.iterdir()) == before


def test_the_cache_finds_the_same_content_again(tmp_path: Path) -> None:
    folder = write_fields_folder(tmp_path / "things")
    first = prepare(folder)
    written = (first.folder / "schema.json").stat().st_mtime_ns
    assert prepare(folder).folder == first.folder
    assert (first.folder / "schema.json").stat().st_mtime_ns == written


def test_changed_content_or_options_are_prepared_anew(tmp_path: Path) -> None:
    folder = write_fields_folder(tmp_path / "things")
    changed = write_fields_folder(tmp_path / "other" / "things", change={"train": {"I1": [9.0, 9.0, 9.0, 1.0]}})
    folders = {prepare(folder).folder, prepare(folder, minimum_count=1).folder, prepare(changed).folder}
    assert len(folders) == 3


def test_a_named_folder_is_taken_instead_of_the_cache(tmp_path: Path) -> None:
    data = prepare(write_fields_folder(tmp_path / "things"), out=tmp_path / "data" / "things")
    assert data.folder == tmp_path / "data" / "things"
    assert not (tmp_path / "home").exists()
    assert open_dataset(tmp_path / "data" / "things") == data


def test_a_prepared_folder_is_opened_as_it_is(tmp_path: Path) -> None:
    data = prepare(write_fields_folder(tmp_path / "things"))
    assert prepare(data.folder) == data


def test_a_prepared_folder_is_not_prepared_into_another(tmp_path: Path) -> None:
    data = prepare(write_fields_folder(tmp_path / "things"))
    with pytest.raises(
        DataError, match=r"what is prepared is not prepared again, but .*; copy the folder, or name the source"
    ):
        prepare(data.folder, out=tmp_path / "elsewhere")


def test_an_unknown_name_suggests_the_nearest_recipe() -> None:
    with pytest.raises(DataError, match=r"'movielens-100' is none that exists; did you mean 'movielens-100k'\?"):
        prepare("movielens-100")


def test_a_folder_without_a_description_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds schema.json \(prepared\) or fields.json .* has neither; describe its"):
        prepare(tmp_path)


def test_an_unknown_recipe_option_is_named() -> None:
    with pytest.raises(DataError, match=r"recipe 'synthetic' has no option 'row'; did you mean 'rows'\? .known: rows,"):
        prepare("synthetic", options={"row": 1000})


def test_only_a_recipe_takes_options_or_a_copy(tmp_path: Path) -> None:
    folder = write_fields_folder(tmp_path / "things")
    for arguments in ({"options": {"rows": 10}}, {"copy": tmp_path}):
        with pytest.raises(DataError, match=r"only a recipe takes options or a copy of its files, but .* is none"):
            prepare(folder, **arguments)


def test_a_minimum_count_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"a minimum count is at least 1, which keeps every value, and has 64 bits, but is 0"
    ):
        prepare(write_fields_folder(tmp_path / "things"), minimum_count=0)


def test_a_failed_preparation_leaves_no_trace(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        prepare(write_table(tmp_path / "source", "table: clicks.csv\nlabel: price\ncategorical: [user]\n"))
    assert not (tmp_path / "home").exists()


def test_the_default_home_is_in_the_users_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTOML_HOME")
    assert home() == Path.home() / ".cache" / "ctr-automl"


def test_the_light_list_of_recipes_is_the_whole_list() -> None:
    assert tuple(RECIPES) == RECIPE_NAMES


def test_importing_the_data_package_is_light() -> None:
    code = "import sys, evaluators._datasets; print({'torch', 'polars', 'pyarrow', 'ruamel'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
