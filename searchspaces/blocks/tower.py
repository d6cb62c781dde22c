"""Tower modules: each group of fields is worked on by itself before all meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from searchspaces._block_options import check_names, whole_number, whole_number_or
from searchspaces._children import Child
from searchspaces._errors import ArchitectureError
from searchspaces._options import Options
from searchspaces._shapes import Cost, Fields, Shape
from searchspaces.block import Block, flat_width, linear_cost

__all__ = ["Tower"]


class Tower(Block):
    """O_t = TM(E_t) for each tower t with the fields of its own, all towers' tokens one under the other.

    A tower module is a block, the identity where none is named, then where `tokens` is given a linear layer from all
    that it gives to so many tokens: the compression. Without one, where every tower gives as many tokens as it has
    fields, each token goes back to the place of its field, so that towers with the identity are the flat model.
    Luo et al. (2024), Disaggregated multi-tower: topology-aware modeling technique for efficient large-scale
    recommendation.

    It takes one input, since the partition counts its tokens.

    Options: `partition`, a list of towers, each the list of its fields' numbers from 0; `module`, a block as 'name'
    or as ['name', [['option', value], ...]], none where not given; `tokens` that each tower gives, as the module has
    them where not given; `token_dim` of these, that of the input where not given.
    """

    order: Tensor
    places: Tensor

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        plan = _plan(inputs, options)
        self.sizes = [len(tower) for tower in plan.partition]
        self.in_place, self.out = plan.in_place, plan.compressed
        order = torch.tensor([field for tower in plan.partition for field in tower])
        # The order of the fields follows from the architecture: nothing to keep with the weights.
        self.register_buffer("order", order, persistent=False)
        self.register_buffer("places", order.argsort(), persistent=False)
        child = plan.child
        self.towers = nn.ModuleList(child.build([one]) for one in plan.given) if child else None
        self.compress = nn.ModuleList(
            nn.Linear(flat_width([one]), self.out.tokens * self.out.dim) for one in plan.made if self.out
        )

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Fields:
        """The tokens of all towers."""
        plan = _plan(inputs, options)
        if plan.compressed:
            return Fields(len(plan.made) * plan.compressed.tokens, plan.compressed.dim)
        fields = [one for one in plan.made if isinstance(one, Fields)]
        if len(fields) < len(plan.made) or len({one.dim for one in fields}) > 1:
            made = ", ".join(str(one) for one in plan.made)
            raise ArchitectureError(
                f"block 'tower' joins field vectors of one dimension, but its towers give {made}; compress to 'tokens'"
            )
        return Fields(sum(one.tokens for one in fields), fields[0].dim)

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """The sum over the towers: the module and the compression."""
        plan, total = _plan(inputs, options), Cost()
        for given, made in zip(plan.given, plan.made, strict=True):
            total += plan.child.cost([given]) if plan.child else Cost()
            if plan.compressed:
                total += linear_cost(flat_width([made]), plan.compressed.tokens * plan.compressed.dim)
        return total

    def forward(self, *inputs: Float[Tensor, "batch tokens dim"]) -> Float[Tensor, "batch out width"]:
        """The tokens of the first tower, of the second, and so on; or each at the place of its field."""
        towers = list(torch.split(inputs[0].index_select(1, self.order), self.sizes, dim=1))
        if self.towers is not None:
            towers = [module(tower) for module, tower in zip(self.towers, towers, strict=True)]
        if self.out is not None:
            size = (-1, self.out.tokens, self.out.dim)
            towers = [layer(tower.flatten(1)).view(size) for layer, tower in zip(self.compress, towers, strict=True)]
        together = torch.cat(towers, dim=1)
        return together.index_select(1, self.places) if self.in_place else together


@dataclass(frozen=True)
class _Plan:
    """What each tower takes and what its module makes of it."""

    partition: tuple[tuple[int, ...], ...]
    child: Child | None
    given: tuple[Fields, ...]
    made: tuple[Shape, ...]
    compressed: Fields | None

    @property
    def in_place(self) -> bool:
        """Whether every tower gives a token for each of its fields, not compressed."""
        pairs = zip(self.given, self.made, strict=True)
        kept = all(isinstance(made, Fields) and made.tokens == given.tokens for given, made in pairs)
        return kept and self.compressed is None


def _plan(inputs: Sequence[Shape], options: Options) -> _Plan:
    check_names("tower", options, ("partition", "module", "tokens", "token_dim"))
    fields = inputs[0] if len(inputs) == 1 else None
    if not isinstance(fields, Fields):
        shapes = ", ".join(str(one) for one in inputs)
        raise ArchitectureError(f"block 'tower' takes one input of field vectors, but got {shapes}")
    partition = _partition(options, fields.tokens)
    child = Child.read("tower", "module", options["module"]) if "module" in options else None
    given = tuple(Fields(len(tower), fields.dim) for tower in partition)
    return _Plan(partition, child, given, _made(child, given), _compressed(options, fields.dim))


def _made(child: Child | None, given: tuple[Fields, ...]) -> tuple[Shape, ...]:
    if child is None:
        return given
    made: list[Shape] = []
    for number, one in enumerate(given):
        try:
            made.append(child.output([one]))
        except ArchitectureError as error:
            raise ArchitectureError(f"tower {number} of block 'tower': {error}") from error
    return tuple(made)


def _compressed(options: Options, dim: int) -> Fields | None:
    if "tokens" in options:
        return Fields(whole_number("tower", options, "tokens"), whole_number_or("tower", options, "token_dim", dim))
    if "token_dim" in options:
        raise ArchitectureError("'token_dim' of block 'tower' is the dimension of 'tokens', which is not given")
    return None


def _partition(options: Options, tokens: int) -> tuple[tuple[int, ...], ...]:
    partition = options.get("partition")
    towers = partition if isinstance(partition, tuple) else ()
    fields = [field for tower in towers for field in (tower if isinstance(tower, tuple) else (None,))]
    whole = all(type(field) is int for field in fields) and all(isinstance(tower, tuple) and tower for tower in towers)
    if not whole or sorted(str(one) for one in fields) != sorted(str(one) for one in range(tokens)):
        raise ArchitectureError(
            f"'partition' of block 'tower' must hold each of the {tokens} fields 0 to {tokens - 1} once, "
            f"in towers of at least one, but is {partition!r}"
        )
    return towers  # type: ignore[return-value]  # each is a tuple of integers: the test above
