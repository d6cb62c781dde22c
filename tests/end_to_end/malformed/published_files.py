"""Small files in the forms of Criteo, Avazu, KDD Cup 2012 and MovieLens 100K."""

from __future__ import annotations

from pathlib import Path

from tests.evaluators.datasets.small_sources import atomic_files, many_ratings

ROWS = 40


def criteo_line(row: int) -> str:
    """A label, 13 whole numbers, 26 hexadecimal categories."""
    return "\t".join([str(row % 2), *(str(row + one) for one in range(13)), *(f"{row % 3:08x}" for _ in range(26))])


def avazu_line(row: int) -> str:
    """A row of `train.csv`."""
    return ",".join([f"{row}", str(row % 2), f"1410{21 + row // 20}{row % 20:02}", *(f"{row % 3}" for _ in range(21))])


AVAZU_HEADER = ",".join(
    [
        *("id", "click", "hour", "C1", "banner_pos", "site_id", "site_domain", "site_category", "app_id", "app_domain"),
        *("app_category", "device_id", "device_ip", "device_model", "device_type", "device_conn_type"),
        *(f"C{number}" for number in range(14, 22)),
    ]
)


def kdd12_line(row: int) -> str:
    """A row of `training.txt`."""
    return "\t".join(map(str, [row % 2, 1 + row % 4, row % 3, 7, 8, 1 + row % 3, 1, row % 5, 2, 3, 4, row % 6]))


def write_published(folder: Path) -> None:
    """A folder for each recipe."""
    profile = [f"{user}\t{user % 3}\t{user % 6}" for user in range(6)]
    texts = {
        "criteo/train.txt": _lines([criteo_line(row) for row in range(ROWS)]),
        "avazu/train.csv": _lines([AVAZU_HEADER, *(avazu_line(row) for row in range(ROWS))]),
        "kdd12/training.txt": _lines([kdd12_line(row) for row in range(ROWS)]),
        "kdd12/userid_profile.txt": _lines(profile),
        **{f"movielens/{name}": text for name, text in atomic_files(many_ratings()).items()},
    }
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _lines(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"
