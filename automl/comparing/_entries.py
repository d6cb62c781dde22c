"""Who takes part in a comparison: methods and searchers by name, with options."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from automl import plugins
from automl._errors import ConfigError
from automl.bench.race.benchmark import entrants_of
from searchspaces import did_you_mean


@dataclass(frozen=True)
class Entry:
    """A method or a searcher (`kind`) as it was named, which tells it apart, and its plug-in with options."""

    label: str
    kind: str
    spec: Mapping[str, Any]

    @property
    def slug(self) -> str:
        """Its label as a part of names of studies and files."""
        return re.sub(r"[^\w.\-]+", "-", self.label).strip("-")


def entries_of(text: str) -> tuple[Entry, ...]:
    """Entries from `one_shot,wl_ehvi:initial=10`; a name of both rooms is the method's.

    Raises:
        AutomlError: one is named twice, or an option has no value.
        ConfigError: a name is unknown, or an option is; lists every mistake.
    """
    named = entrants_of(text)
    methods, searchers = plugins.names("method"), plugins.names("searcher")
    known = (*methods, *searchers)
    wrong = [
        f"{one.label}: no {one.spec['name']!r} in automl.methods or automl.searchers; "
        f"{did_you_mean(one.spec['name'], known)}"
        for one in named
        if one.spec["name"] not in known
    ]
    found = tuple(Entry(one.label, "method" if one.spec["name"] in methods else "searcher", one.spec) for one in named)
    if not wrong:
        wrong = [line for one in found for line in plugins.mistakes(one.kind, one.spec, one.label)]
    if len({one.slug for one in found}) < len(found):
        wrong.append(f"names of studies are made of letters and digits, so these cannot be told apart: {text}")
    if wrong:
        raise ConfigError("the comparison", wrong)
    return found
