"""What one fault did: the counts of a row of the matrix, and the matrix as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One row of the matrix.

    injected    how often each fault was done
    lost        trials seen finished that are gone, gaps in the numbers, and trials that never ended
    doubled     trials with another's number, or with another's (stage, fingerprint, rung, replicate)
    mirrored    runs of trials in the tracker; None where the search had none
    twice       runs in the tracker of a trial that has another
    changed     finished trials that differed between two reads
    compared    trials measured once more in a search that nobody disturbed, and `other` those that differ
    kinds       failed trials by kind
    wrong       whatever else broke a promise, as sentences
    skipped     why the fault could not be done here
    """

    row: str
    fault: str
    trials: int = 0
    injected: Mapping[str, int] = field(default_factory=dict)
    lost: int = 0
    doubled: int = 0
    mirrored: int | None = None
    twice: int = 0
    changed: int = 0
    compared: int = 0
    other: int = 0
    kinds: Mapping[str, int] = field(default_factory=dict)
    wrong: tuple[str, ...] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    skipped: str = ""

    @property
    def holds(self) -> bool:
        """Whether the fault cost nothing that was promised."""
        return not (self.lost or self.doubled or self.twice or self.changed or self.other or self.wrong)

    @property
    def verdict(self) -> str:
        """One word for the table, or why there is none."""
        if self.skipped:
            return f"skipped: {self.skipped}"
        return "holds" if self.holds else f"broken: {'; '.join(self.wrong) or 'see the counts'}"

    def to_dict(self) -> dict[str, Any]:
        """JSON types only; the inverse of `from_dict`, with the verdict added for readers."""
        return {**asdict(self), "verdict": self.verdict}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Finding:
        """Reads what `to_dict` wrote."""
        fields = {name: value for name, value in content.items() if name != "verdict"}
        return cls(**{**fields, "wrong": tuple(fields["wrong"])})


COLUMNS = ("row", "fault", "trials", "injected", "lost", "doubled", "in MLflow", "changed", "kinds", "verdict")


def table(findings: Sequence[Finding]) -> str:
    """The matrix in Markdown."""
    lines = [COLUMNS, tuple("---" for _ in COLUMNS), *map(_cells, findings)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cells(one: Finding) -> tuple[str, ...]:
    mirrored = "-" if one.mirrored is None else f"{one.mirrored}, {one.twice} twice"
    changed = f"{one.changed}; {one.other} of {one.compared} measured again" if one.compared else str(one.changed)
    counts = (str(one.trials), _counts(one.injected), str(one.lost), str(one.doubled))
    return (one.row, one.fault, *counts, mirrored, changed, _counts(one.kinds), one.verdict)


def _counts(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counted.items()) or "none"
