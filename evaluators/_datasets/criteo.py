"""Recipe `criteo`: display ads of a week, as given out for the Kaggle contest of 2014 by Criteo.

`train.txt`: tab-separated, no header; the label, 13 integers, 26 hashed categories; empty is missing. The lines
are in time order but carry no time, so by default the last tenth tests; `split: stratified` is the published
random split. Published preparations cut the integers into categories or to floor(ln(x)^2); here, as for every
source, they stay numbers: the model takes sign(x) * log(1 + |x|), standardised on the training part. Ids are
counted in the training part alone, where the published tables counted the whole file.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from evaluators._datasets.columns import Columns
from evaluators._datasets.dataset import Facts
from evaluators._datasets.files import open_text
from evaluators._datasets.numeric import RowReader
from evaluators._datasets.published import find_files, split_rule
from evaluators._datasets.source import Chunk, Options, Source

NAME = "criteo"
FILES = ("train.txt",)
COLUMNS = Columns(
    "label", tuple(f"I{number}" for number in range(1, 14)), tuple(f"C{number}" for number in range(1, 27))
)
MINIMUM_COUNT = 11
"""AutoCTR (Song et al., 2020) gives an id of its own to what is seen more than ten times."""


def read_criteo(*, minimum_count: int, seed: int, copy: Path | None, options: Options) -> Source:
    """The recipe; `copy` is `train.txt`, plain or gzipped, or its folder.

    Raises:
        DataError: the file is not there, or an option is wrong.
    """
    split = split_rule(NAME, options, default="order", seed=seed)
    [file] = criteo_files(copy)
    facts = Facts(
        name=NAME,
        label=COLUMNS.label,
        split=split.facts,
        minimum_count=minimum_count,
        source=f"Criteo display ads (Kaggle 2014), own copy of {file.name}",
        licence="terms of the contest",
    )
    return Source(lambda: _chunks(file), COLUMNS, facts, split)


def criteo_files(copy: Path | None) -> list[Path]:
    """The file that is read."""
    return find_files(NAME, copy, FILES)


def _chunks(file: Path) -> Iterator[Chunk]:
    reader = RowReader(COLUMNS)
    for frame, origin in open_text(file, "\t", names=COLUMNS.names).frames(COLUMNS.names):
        yield Chunk(reader.read(frame, origin))
