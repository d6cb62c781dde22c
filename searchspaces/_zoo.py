"""Human-made architectures, kept in the same format as a search result.

Beside `architecture`, `training` and `system` a file may name the `paper` that the model is from.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from searchspaces._candidate import Candidate
from searchspaces._errors import CandidateError, did_you_mean
from searchspaces._schema import FeatureSchema
from searchspaces.cost import fed

FOLDER = "zoo"  # a folder of data, not a package: a package of this name would hide the function


@cache
def zoo_names() -> tuple[str, ...]:
    """Names of the human-made architectures, sorted."""
    folder = files("searchspaces") / FOLDER
    return tuple(sorted(file.name.removesuffix(".json") for file in folder.iterdir() if file.name.endswith(".json")))


def zoo(name: str, schema: FeatureSchema | None = None) -> Candidate:
    """The human-made candidate of that name; with a schema, without the parts that the schema cannot feed.

    Raises:
        CandidateError: there is no such name.
        ArchitectureError: the schema feeds no part of it (a DLRM of a single categorical field).
    """
    candidate = Candidate.from_dict(_content(name))
    if schema is None or candidate.architecture is None:
        return candidate
    return Candidate(fed(candidate.architecture, schema), candidate.training, candidate.system)


def zoo_paper(name: str) -> str:
    """Author, year and title of the paper that the human-made architecture is from; empty where its file names none.

    Raises:
        CandidateError: there is no such name.
    """
    return str(_content(name).get("paper", ""))


def _content(name: str) -> dict[str, Any]:
    if name not in zoo_names():
        raise CandidateError(f"no human-made architecture {name!r}; {did_you_mean(name, zoo_names())}")
    text = (files("searchspaces") / FOLDER / f"{name}.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content
