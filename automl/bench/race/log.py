"""The log of a race: the ground in its first line, then a line for each finished run; all tables come from it."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from automl._errors import AutomlError
from automl._files import write_text
from automl._versions import versions
from automl.bench.race.ground import Ground
from automl.bench.race.running import Rules, Run

PACKED = ".gz"
"""Of files that are stored beside a published table."""


@dataclass(eq=False)
class Log:
    """What has been run so far, on one ground under one set of rules."""

    path: Path
    ground: Ground
    rules: Rules
    runs: list[Run] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> Log:
        """The log of a file, which may be packed (`.gz`); a last line that a kill has torn does not count.

        Raises:
            AutomlError: it is no log of a race.
        """
        try:
            lines = _text(path).splitlines()
            first, *rest = [_parsed(line) for line in lines] or [None]
            head = (first or {})["race"]
            rules = head["rules"]
            runs = [Run.from_dict(one["run"]) for one in rest if one is not None]
            return cls(path, Ground.from_dict(head["ground"]), Rules(**rules), runs)
        except (OSError, EOFError, zlib.error, KeyError, TypeError, ValueError) as error:
            raise AutomlError(
                f"the log of a race begins with its rules and its ground, but {path} cannot be read as one: {error!r}"
            ) from error

    @classmethod
    def opened(cls, path: Path, ground: Ground, rules: Rules) -> Log:
        """The log to write on: begun anew, or taken up where the same race stopped.

        Raises:
            AutomlError: the file is of another race, or packed.
        """
        if path.suffix == PACKED:
            raise AutomlError(
                f"a packed log is read with --from, but a race goes on in a plain one, and --log is {path}; unpack it, "
                f"or name {path.with_suffix('')}"
            )
        if not path.exists():
            head = {"rules": _rules(rules), "ground": ground.to_dict(), "versions": versions()}
            write_text(path, json.dumps({"race": head}) + "\n")
        found = cls.read(path)
        found.check_same(ground, rules)
        write_text(path, "".join(line + "\n" for line in _whole(path)))  # without a line that a kill has torn
        return found

    @classmethod
    def merged(cls, paths: Sequence[Path]) -> Log:
        """The log of a race that was run in several parts; a run that two have counts once.

        Raises:
            AutomlError: one is no log, or they are of different races.
        """
        first, *others = [cls.read(path) for path in paths]
        for other in others:
            first.check_same(other.ground, other.rules)
            known = {(one.searcher, one.seed) for one in first.runs}
            first.runs += [one for one in other.runs if (one.searcher, one.seed) not in known]
        return first

    def check_same(self, ground: Ground, rules: Rules) -> None:
        """Returns silently where the log is of this race.

        Raises:
            AutomlError: it is of another one.
        """
        if _rules(self.rules) != _rules(rules) or self.ground.to_dict() != ground.to_dict():
            raise AutomlError(
                f"a log holds one race, but {self.path} is of other rules ({_rules(self.rules)}) or of another ground "
                f"({self.ground.name}); name another file with --log"
            )

    def missing(self, labels: Iterable[str], seeds: Iterable[int]) -> list[tuple[str, int]]:
        """Searchers and seeds that have no run yet, seed by seed, so that a race that is stopped is fair."""
        known = {(one.searcher, one.seed) for one in self.runs}
        names = list(labels)
        return [(label, seed) for seed in seeds for label in names if (label, seed) not in known]

    def append(self, run: Run) -> None:
        """Adds a run to the file."""
        with self.path.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps({"run": run.to_dict()}) + "\n")
        self.runs.append(run)

    def of(self, searcher: str) -> list[Run]:
        """The runs of one searcher by seed."""
        return sorted((one for one in self.runs if one.searcher == searcher), key=lambda one: one.seed)


def _rules(rules: Rules) -> dict[str, Any]:
    return {"trials": rules.trials, "initial": rules.initial, "judge": dict(rules.judge) if rules.judge else None}


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except json.JSONDecodeError:
        return None


def _text(path: Path) -> str:
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == PACKED else content).decode("utf-8")


def _whole(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if _parsed(line) is not None]
