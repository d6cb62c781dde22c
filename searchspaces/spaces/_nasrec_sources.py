"""The raw inputs of the NASRec space: how ids become vectors, and what is known of numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

from searchspaces._architecture import Node
from searchspaces._block_options import LARGEST
from searchspaces._decisions import Choice, Decision, OperatorChoice, OptionChoice, WidthChoice
from searchspaces._errors import CandidateError, SpaceError, did_you_mean
from searchspaces._options import Options
from searchspaces._schema import FeatureSchema
from searchspaces.spaces._nasrec_graph import RawInputs

EMBEDDINGS: Mapping[str, Mapping[str, object]] = {
    "full": {},
    "hashed": {"rows": 10_000},
    "quotient_remainder": {"collisions": 4},
    "mixed_dimension": {"alpha": 0.3},
    "multi_embedding": {"tables": 2},
}
"""Sources of categorical fields, with the options they have here."""

NUMBERS: Mapping[str, Mapping[str, object]] = {
    "none": {},
    "numeric_linear": {},
    "quantile_bins": {"bins": 32},
    "piecewise_linear": {"bins": 32},
    "autodis": {"buckets": 16},
}
"""Sources that give numeric fields as field vectors too, beside the dense vector, with their options here."""


class Sources:
    """Chooses the raw inputs of one schema.

    The dense vector holds the numeric fields and, where chosen, the frequency of each id. A schema that gives it
    nothing has the field vectors in its place, one after the other; one without categorical fields has those of its
    numeric fields.

    Raises:
        SpaceError: a choice is unknown, named twice, or there is none.
    """

    def __init__(
        self,
        schema: FeatureSchema,
        *,
        embeddings: Sequence[str],
        numbers: Sequence[str],
        frequency: Sequence[bool],
        dims: Sequence[int],
    ) -> None:
        embeddings = _checked("embeddings", embeddings, tuple(EMBEDDINGS))
        numbers = _checked("numbers", numbers, tuple(NUMBERS))
        has_numeric, has_ids = bool(schema.numeric), bool(schema.categorical)
        if has_numeric and not has_ids:
            numbers = tuple(one for one in numbers if one != "none") or ("numeric_linear",)
        self._has_numeric = has_numeric
        self.decisions: tuple[Decision, ...] = (
            OperatorChoice("raw.embedding", embeddings if has_ids else ("none",)),
            WidthChoice("raw.dim", _checked_dims(dims)),
            OperatorChoice("raw.numbers", numbers if has_numeric else ("none",)),
            OptionChoice("raw.frequency", _checked_flags(frequency) if has_ids else (False,)),
        )
        slots = [decision.slot for decision in self.decisions]
        points = product(*(decision.choices for decision in self.decisions))
        self._points = [dict(zip(slots, point, strict=True)) for point in points]
        self._by_text = {_text(self.inputs(point)): point for point in self._points}

    def inputs(self, chosen: Mapping[str, Choice]) -> RawInputs:
        """The nodes for one choice at each slot."""
        dim = int(chosen["raw.dim"])
        vectors = [
            (str(chosen[f"raw.{name}"]), known) for name, known in (("embedding", EMBEDDINGS), ("numbers", NUMBERS))
        ]
        nodes = [Node(name, (), Options(known[name], dim=dim)) for name, known in vectors if name != "none"]
        sparse = tuple(range(len(nodes)))
        numbers = [Node("numeric")] if self._has_numeric else []
        numbers += [Node("frequency")] if chosen["raw.frequency"] else []
        nodes += numbers
        if len(numbers) != 1:
            joined = tuple(range(len(sparse), len(nodes))) or sparse
            nodes.append(Node("concat", joined))
        return RawInputs(tuple(nodes), len(nodes) - 1, sparse, dim)

    def read(self, raw: RawInputs) -> dict[str, Choice]:
        """The inverse of `inputs`.

        Raises:
            CandidateError: the candidate has other sources.
        """
        found = self._by_text.get(_text(raw))
        if found is None:
            raise CandidateError(
                f"the candidate has the sources {_text(raw)}, which no choice of this space gives; the first of them "
                f"gives {next(iter(self._by_text))}"
            )
        return dict(found)


def _text(raw: RawInputs) -> str:
    return " ".join(sorted(f"{node.block}{dict(node.options)}" for node in raw.nodes))


def _checked(name: str, chosen: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    if isinstance(chosen, str) or not chosen:
        raise SpaceError(f"{name!r} must be a list with at least one of {list(known)}, but is {chosen!r}")
    for one in chosen:
        if one not in known:
            raise SpaceError(f"{name!r} of this space have no {one!r}; {did_you_mean(str(one), known)}")
    if len(set(chosen)) < len(chosen):
        raise SpaceError(f"each choice is named once, but {name!r} is {list(chosen)}")
    return tuple(chosen)


def _checked_dims(dims: Sequence[int]) -> tuple[int, ...]:
    if not dims or any(type(dim) is not int or not 2 <= dim <= LARGEST for dim in dims):
        raise SpaceError(f"'embedding_dims' must be a list of integers of at least 2, but is {dims!r}")
    if list(dims) != sorted(set(dims)):
        raise SpaceError(f"'embedding_dims' must ascend and differ, but is {list(dims)}")
    return tuple(dims)


def _checked_flags(flags: Sequence[bool]) -> tuple[bool, ...]:
    if not flags or any(type(one) is not bool for one in flags) or len(set(flags)) < len(flags):
        raise SpaceError(f"'frequency' must be a list of true, false or both, but is {flags!r}")
    return tuple(flags)
