"""Errors of the space: what a candidate, an architecture or a schema breaks.

SearchSpaceError
├── ArchitectureError   the graph itself is malformed
├── CandidateError      the candidate lies outside the space
├── SchemaError         the feature schema is malformed
├── SpaceError          the space has no valid candidate, or an option of it is wrong
└── PluginError         a plug-in is unknown or broken
"""

import difflib
from collections.abc import Sequence

MOST_KNOWN = 20


class SearchSpaceError(ValueError):
    """Base of every error that `searchspaces` raises."""


class ArchitectureError(SearchSpaceError):
    """The graph breaks a rule that holds in every space."""


class CandidateError(SearchSpaceError):
    """The candidate is not a point of the space that was asked about."""


class SchemaError(SearchSpaceError):
    """The feature schema contradicts itself."""


class SpaceError(SearchSpaceError):
    """The space's options leave no valid candidate."""


class PluginError(SearchSpaceError):
    """A plug-in has no such name, or its file does not export exactly one class."""


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """The way out of an unknown name, for the end of a message: the closest known one, then the known ones.

    Of more than `MOST_KNOWN` names the first are listed: a table may have thousands of columns.
    """
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    rest = ", ..." if len(known) > MOST_KNOWN else ""
    return f"{hint}(known: {', '.join(known[:MOST_KNOWN]) or 'none'}{rest})"
