from __future__ import annotations

from pathlib import Path

from evaluators._training.residence import Residence, data_bytes, residence
from tests.evaluators.small_data import write_small_data

SMAPS = """\
7f00-7f10 r--s 00000000 fd:01 42 /data/small/train/label.npy
Size: 64 kB
Rss:                  12 kB
7f10-7f20 r-xp 00000000 fd:01 43 /usr/lib/libtorch.so
Rss:                 900 kB
7f20-7f30 r--s 00000000 fd:01 44 /data/small/valid/numeric.npy
Rss:                   4 kB
7f30-7f40 rw-p 00000000 00:00 0
Rss:                  99 kB
"""


def test_pages_of_the_data_are_told_from_others(tmp_path: Path) -> None:
    (tmp_path / "smaps").write_text(SMAPS)
    (tmp_path / "status").write_text("VmHWM:\t999 kB\nRssAnon:\t5 kB\nRssFile:\t77 kB\n")
    assert residence(Path("/data/small"), process=tmp_path) == Residence(files=77 * 1024, data=16 * 1024)


def test_a_system_that_does_not_tell_gives_zeros(tmp_path: Path) -> None:
    assert residence(Path("/data"), process=tmp_path / "none") == Residence(0, 0)


def test_the_arrays_that_training_reads_are_counted(tmp_path: Path) -> None:
    found = data_bytes(write_small_data(tmp_path / "data", rows=100).folder)
    assert found["train"] > found["valid"] > 50 * (4 + 2 * 4 + 3 * 4)
