from __future__ import annotations

from pathlib import Path

from automl._machine import cores, free_disk, memory


def _group(root: Path, **files: str) -> Path:
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text("0::/outer/inner\n")
    inner = root / "sys/fs/cgroup/outer/inner"
    inner.mkdir(parents=True)
    for name, text in files.items():
        (inner / name.replace("_", ".")).write_text(text)
    return root


def test_a_control_group_limits_cores_and_memory(tmp_path: Path) -> None:
    root = _group(tmp_path, cpu_max="150000 100000\n", memory_max="1048576\n")
    assert (cores(root).limit, memory(root).limit, memory(root).most) == (1.5, 1048576, 1048576)


def test_a_group_above_counts_where_it_is_tighter(tmp_path: Path) -> None:
    root = _group(tmp_path, cpu_max="max 100000\n", memory_max="max\n")
    (root / "sys/fs/cgroup/outer/memory.max").write_text("4096\n")
    assert (cores(root).limit, memory(root).limit) == (None, 4096)


def test_no_control_group_means_no_limit(tmp_path: Path) -> None:
    seen = memory(tmp_path)
    assert (cores(tmp_path).limit, seen.limit, seen.most) == (None, None, seen.total)


def test_a_folder_that_is_not_there_yet_has_the_disk_of_the_one_above(tmp_path: Path) -> None:
    assert free_disk(tmp_path / "a" / "b") > 0
