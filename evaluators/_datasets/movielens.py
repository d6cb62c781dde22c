"""Recipe `movielens-100k`: 100,000 ratings of films, a click where the rating is 4 or 5, split by time.

Harper and Konstan: The MovieLens Datasets, 2015. The files are not ours to hand on: they are read out of a
published wheel that carries them, or from the user's own copy. Nothing of the wheel is executed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from evaluators._datasets import movielens_features
from evaluators._datasets.columns import Origin
from evaluators._datasets.dataset import Facts
from evaluators._datasets.digest import file_digest
from evaluators._datasets.movielens_files import ATOMIC_FILES, ORIGINAL_FILES, Ratings, read_atomic, read_original
from evaluators._datasets.numeric import RowReader
from evaluators._datasets.source import Options, Source, chunks_of
from evaluators._datasets.split import ByTime, Shares
from evaluators._errors import DataError

NAME = "movielens-100k"
WHEEL = "recbole==1.2.1"
WHEEL_SHA256 = "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407"
LICENCE = "GroupLens terms of use for MovieLens 100K: research use, acknowledgement, no redistribution"
SPLIT = ByTime(Shares(valid=0.1, test=0.1))
DOWNLOAD_SECONDS = 300
PIP_DOWNLOAD = (
    *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
    *("--no-deps", "--only-binary", ":all:"),
)


def read_movielens(*, minimum_count: int, seed: int, copy: Path | None, options: Options) -> Source:
    """The recipe: `copy` is a wheel, zip or folder with the files; without it the wheel is downloaded.

    Raises:
        DataError: the download fails, the wheel is not the published one, or files are missing or damaged.
    """
    del seed, options  # every step is determined by the ratings
    if copy is None:
        with tempfile.TemporaryDirectory(prefix="ctr-automl-") as folder:
            ratings = read_copy(fetch_wheel(Path(folder)))
    else:
        ratings = read_copy(copy)
    columns = movielens_features.COLUMNS
    frame = RowReader(columns).read(movielens_features.features(ratings), Origin(NAME))
    facts = Facts(
        name=NAME,
        label=columns.label,
        time_column=columns.time,
        split=SPLIT.facts,
        minimum_count=minimum_count,
        source=f"MovieLens 100K, {f'files of {WHEEL}' if copy is None else 'own copy'}",
        licence=LICENCE,
        meanings=movielens_features.MEANINGS,
    )
    return Source(lambda: chunks_of(frame), columns, facts, SPLIT)


def copy_files(copy: Path | None) -> list[Path]:
    """The files of the user's own copy that name its content."""
    if copy is None:
        return []
    if not copy.exists():
        raise _missing_copy(copy)
    return [copy] if copy.is_file() else [copy / name for name in _names(_in_folder(copy), copy)]


def fetch_wheel(folder: Path, *, command: Sequence[str] = PIP_DOWNLOAD, sha256: str = WHEEL_SHA256) -> Path:
    """Downloads the wheel into `folder` and checks that it is the published one.

    Raises:
        DataError: pip cannot download it, or its sha256 is another.
    """
    try:
        done = subprocess.run(
            [*command, "--dest", str(folder), WHEEL],
            capture_output=True,
            text=True,
            timeout=DOWNLOAD_SECONDS,
            check=False,
        )
        complaint = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    except subprocess.TimeoutExpired:
        complaint = f"no answer within {DOWNLOAD_SECONDS} s"
    wheels = sorted(folder.glob("*.whl"))
    if not wheels:
        raise DataError(
            f"the recipe {NAME!r} takes its files from the wheel {WHEEL}, but pip could not download it "
            f"({complaint}); on a machine without network name your own copy with --from PATH: that wheel, or a "
            f"zip or folder with {', '.join(ATOMIC_FILES)} or {', '.join(ORIGINAL_FILES)}"
        )
    found = file_digest(wheels[0])
    if found != sha256:
        raise DataError(
            f"the wheel {WHEEL} must have the sha256 {sha256}, but what was downloaded has {found}; "
            "check the package index, or name your own copy with --from PATH"
        )
    return wheels[0]


def read_copy(copy: Path) -> Ratings:
    """Reads a wheel, a zip or a folder, with the files in either form.

    Raises:
        DataError: there is no such copy, or it lacks a file.
    """
    if not copy.exists():
        raise _missing_copy(copy)
    members = _in_folder(copy) if copy.is_dir() else _in_zip(copy)
    names = _names(members, copy)
    try:
        content = {Path(name).name: _read(copy, members[Path(name).name]) for name in names}
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f"a copy of {NAME} must be readable, but {copy} is not ({error})") from error
    reader = read_atomic if ATOMIC_FILES[0] in content else read_original
    return reader(content, copy)


def _missing_copy(copy: Path) -> DataError:
    return DataError(f"a copy of {NAME} is a wheel, a zip or a folder, but there is no {copy}; check the path")


def _names(members: Mapping[str, str], copy: Path) -> list[str]:
    for wanted in (ATOMIC_FILES, ORIGINAL_FILES):
        if all(name in members for name in wanted):
            return [members[name] for name in wanted]
    raise DataError(
        f"a copy of {NAME} holds {', '.join(ATOMIC_FILES)} or {', '.join(ORIGINAL_FILES)}, "
        f"but {copy} does not; name the wheel of {WHEEL} or the folder that has them"
    )


def _in_folder(folder: Path) -> dict[str, str]:
    wanted = (*ATOMIC_FILES, *ORIGINAL_FILES)
    places = {name: place for name in wanted for place in (name, f"ml-100k/{name}") if (folder / place).is_file()}
    return places


def _in_zip(path: Path) -> dict[str, str]:
    wanted = (*ATOMIC_FILES, *ORIGINAL_FILES)
    try:
        with zipfile.ZipFile(path) as archive:
            return {Path(name).name: name for name in archive.namelist() if Path(name).name in wanted}
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f"a copy of {NAME} must be a wheel, a zip or a folder, but {path} is none ({error})") from error


def _read(copy: Path, member: str) -> bytes:
    if copy.is_dir():
        return (copy / member).read_bytes()
    with zipfile.ZipFile(copy) as archive:
        return archive.read(member)
