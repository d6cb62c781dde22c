"""Bases of everything that an architecture is built from, and what interaction blocks share.

Letters: `batch` examples, `tokens` field vectors, `dim` their width, `width` of a dense vector.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from searchspaces._block_options import flag, whole_number
from searchspaces._errors import ArchitectureError
from searchspaces._options import Options
from searchspaces._schema import FeatureSchema
from searchspaces._shapes import Cost, Dense, Fields, Shape


class Block(nn.Module, ABC):
    """An interaction operator: an inner node of an architecture.

    Promises: the output has the shape `output` tells, every parameter gets a gradient, and `cost` counts
    exactly the parameters and matrix products of the module. The constructor takes what `output` takes.

    Where `is_by_hand`, its backward pass is written by hand and takes the tensors of one block, not of many at once.
    """

    is_by_hand: ClassVar[bool] = False

    @abstractmethod
    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__()

    @classmethod
    @abstractmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Shape:
        """Shape of the output, without building anything.

        Raises:
            ArchitectureError: the block cannot take these shapes, or an option is wrong.
        """

    @classmethod
    @abstractmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """Closed-form cost, per example in the forward pass; takes only what `output` accepts."""

    def start(self) -> Mapping[str, float]:
        """Parameters that begin at one number, by their name in the block: what its paper demands of them.

        `build` draws all others: weights of a norm are 1, other vectors 0, matrices by Xavier's rule.
        """
        return {}

    def parts(self) -> Mapping[str, str]:
        """Names of parts that stay whatever else the block holds, by their place in the module ("interactions.0").

        Candidates that share weights find them by these names; of a part without one its place is the name.
        """
        return {}

    @abstractmethod
    def forward(self, *inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
        """Applies the operator to one tensor per input, in the order of the shapes."""


class Source(nn.Module, ABC):
    """A raw input group with its embedding choice: a node of an architecture without inputs.

    A source with tables tells which rows it looks up and what it makes of them, and leaves the looking up to who
    trains it, so that many candidates can share it. Row numbers depend on the schema and the options alone. What a
    source has learned from `schema.statistics` lies in its buffers; where the schema has none they hold NaN until
    weights are loaded, and nobody trains it.
    """

    @abstractmethod
    def __init__(self, schema: FeatureSchema, options: Options) -> None:
        super().__init__()

    @classmethod
    @abstractmethod
    def output(cls, schema: FeatureSchema, options: Options) -> Shape:
        """Shape of the output, without building anything.

        Raises:
            ArchitectureError: the schema has no field of the group, or an option is wrong.
        """

    @classmethod
    @abstractmethod
    def cost(cls, schema: FeatureSchema, options: Options) -> Cost:
        """Closed-form cost, per example in the forward pass."""

    def tables(self) -> Mapping[str, Table]:
        """Its tables by the name of their attribute; none where it looks nothing up."""
        return {}

    def lookups(
        self, numeric: Float[Tensor, "batch numeric"], categorical: Int[Tensor, "batch categorical"], table: str
    ) -> Int[Tensor, "batch lookups"]:
        """Rows of `table` that the raw columns stand for; a source without tables is never asked."""
        shapes = f"{tuple(numeric.shape)} and {tuple(categorical.shape)}"
        raise KeyError(f"{type(self).__name__} has no table {table!r} for columns of shapes {shapes}")

    @abstractmethod
    def forward(
        self,
        numeric: Float[Tensor, "batch numeric"],
        categorical: Int[Tensor, "batch categorical"],
        vectors: Mapping[str, Float[Tensor, "batch _ _"]],
    ) -> Float[Tensor, "batch ..."]:
        """What the node gives, from the raw columns and the rows that were looked up in each table.

        The rows may come in lower precision than the source's own parameters.
        """

    def looked_up(
        self, numeric: Float[Tensor, "batch numeric"], categorical: Int[Tensor, "batch categorical"]
    ) -> dict[str, Float[Tensor, "batch lookups dim"]]:
        """The rows of its own tables that the raw columns stand for."""
        found = {}
        for name, table in self.tables().items():
            rows = self.lookups(numeric, categorical, name)
            # a gather: its backward pass costs a quarter of the embedding layer's on a CPU
            found[name] = table.module.weight.index_select(0, rows.flatten()).view(*rows.shape, -1)
        return found


@dataclass(frozen=True)
class Table:
    """A table of vectors and its parts: names of fields with as many rows as each has, one under the other.

    Equal parts have equal initial rows in whatever table they stand, drawn around `centre`.
    """

    module: nn.Embedding
    parts: tuple[tuple[str, int], ...]
    centre: float = 0.0

    @property
    def signature(self) -> str:
        """Equal where the same ids stand for the same rows."""
        return "|".join(f"{name}:{rows}" for name, rows in self.parts)


class Dropout(nn.Module):
    """Drops units while training, by masks drawn from (seed, role, step) and from nothing else.

    Two models that share a seed drop the same units of layers with one role at the same step, in whatever order they
    are trained (common random numbers). `build` sets seed and role.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share, self.seed, self.role, self.step = share, 0, "", 0

    def forward(self, units: Float[Tensor, "batch width"]) -> Float[Tensor, "batch width"]:
        """The units, those that stay scaled up; all of them unchanged outside training."""
        if not self.training:
            return units
        generator = torch.Generator("cpu" if units.device.type == "meta" else units.device)
        generator.manual_seed(number_of(f"{self.seed}|{self.role}|{self.step}"))
        self.step += 1
        stays = torch.empty(units.shape, device=generator.device).uniform_(generator=generator) >= self.share
        return units * (stays.to(units) / (1.0 - self.share))


def precise(units: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """At least single precision, as where many numbers are added up, or two large ones subtracted."""
    return units if units.dtype == torch.float64 else units.float()


def number_of(key: str) -> int:
    """A number below 2**63 that stands for a text: what seeds are made of."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little") >> 1


def flat_width(shapes: Sequence[Shape]) -> int:
    """Width of the concatenation of all inputs, field vectors flattened."""
    return sum(shape.width if isinstance(shape, Dense) else shape.tokens * shape.dim for shape in shapes)


def concatenate(inputs: Sequence[Float[Tensor, "batch ..."]]) -> Float[Tensor, "batch width"]:
    """Joins dense vectors and flattened field vectors, in order."""
    return torch.cat([one.flatten(1) for one in inputs], dim=1)


def linear_cost(wide: int, out: int, *, bias: bool = True) -> Cost:
    """Cost of one affine layer from `wide` to `out` units."""
    return Cost(parameters=(wide + bias) * out, macs=wide * out)


class Tokens(nn.Module):
    """Stacks all inputs of an interaction block into field vectors of one dimension.

    Field vectors of another dimension go through a linear layer of their own. All dense inputs together
    go through one linear layer to a single token or, with `dense_tokens`, each is a token as it stands.
    """

    def __init__(self, inputs: Sequence[Shape], *, dim: int, dense_tokens: bool) -> None:
        super().__init__()
        self.fields = tuple(at for at, shape in enumerate(inputs) if isinstance(shape, Fields))
        self.dense = tuple(at for at, shape in enumerate(inputs) if isinstance(shape, Dense))
        self.project_fields = nn.ModuleDict(
            {
                str(at): nn.Linear(shape.dim, dim)
                for at, shape in enumerate(inputs)
                if isinstance(shape, Fields) and shape.dim != dim
            }
        )
        width = _dense_width(inputs)
        self.project_dense = nn.Linear(width, dim) if width and not dense_tokens else None

    def forward(self, *inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch tokens dim"]:
        """Tokens of the fields first, then those of the dense inputs."""
        stacked = [self._projected(at, inputs[at]) for at in self.fields]
        dense = [inputs[at] for at in self.dense]
        if self.project_dense is not None:
            dense = [self.project_dense(torch.cat(dense, dim=1))]
        return torch.cat(stacked + [one.unsqueeze(1) for one in dense], dim=1)

    def _projected(self, at: int, fields: Float[Tensor, "batch tokens dim"]) -> Float[Tensor, "batch tokens out"]:
        key = str(at)
        projected: Tensor = self.project_fields[key](fields) if key in self.project_fields else fields
        return projected


def token_shape(block: str, inputs: Sequence[Shape], options: Options) -> Fields:
    """Shape of what `Tokens` gives for the options `dim` and `dense_tokens` of an interaction block.

    `dim` defaults to the largest dimension among the field inputs.

    Raises:
        ArchitectureError: no dimension follows, or a dense input has another width than its token.
    """
    dims = [shape.dim for shape in inputs if isinstance(shape, Fields)]
    if "dim" not in options and not dims:
        raise ArchitectureError(f"block {block!r} takes dense inputs alone, so it needs the option 'dim'")
    dim = whole_number(block, options, "dim") if "dim" in options else max(dims)
    widths = [shape.width for shape in inputs if isinstance(shape, Dense)]
    dense_tokens = flag(block, options, "dense_tokens", default=False)
    if dense_tokens and any(width != dim for width in widths):
        raise ArchitectureError(
            f"with 'dense_tokens' each dense input of block {block!r} must be {dim} wide, but the widths are {widths}"
        )
    own = sum(shape.tokens for shape in inputs if isinstance(shape, Fields))
    return Fields(own + (len(widths) if dense_tokens else min(1, len(widths))), dim)


def token_cost(inputs: Sequence[Shape], *, dim: int, dense_tokens: bool) -> Cost:
    """Cost of `Tokens`."""
    total = Cost()
    for shape in inputs:
        if isinstance(shape, Fields) and shape.dim != dim:
            projection = linear_cost(shape.dim, dim)
            total += Cost(projection.parameters, projection.macs * shape.tokens)
    width = _dense_width(inputs)
    return total + (linear_cost(width, dim) if width and not dense_tokens else Cost())


def _dense_width(inputs: Sequence[Shape]) -> int:
    return sum(shape.width for shape in inputs if isinstance(shape, Dense))
