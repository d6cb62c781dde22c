"""Search space of stacked factorization machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from searchspaces._decided_space import DecidedSpace
from searchspaces._decisions import Assignment, Choice, Condition, Decision, OptionChoice, WidthChoice
from searchspaces._options import Options
from searchspaces._schema import FeatureSchema
from searchspaces.spaces._settings import Setting, checked_count, checked_numbers, read_settings, training_settings
from searchspaces.spaces._source_choices import SourceChoices
from searchspaces.spaces._stack import MOST_LAYERS, Stack, Widths

__all__ = ["Wukong"]

ATTENTION = (0, 32, 128)
RANKS = (4, 8, 16, 24, 32)
_NUMBERS = ("fm_tokens", "linear_tokens", "rank")


class Wukong(DecidedSpace):
    """1 to `layers` layers of the block `wukong` on all raw inputs, up to `head_layers` of a perceptron, the logit.

    The layer is that of Zhang et al. (2024), Wukong: towards a scaling law for large-scale recommendation; its sizes
    are decided for each layer, as in the engineers' space of Yin et al. (2023), AutoML for large capacity modeling of
    Meta's ranking systems, and the learning rate along with them. In the slots of a layer an `attention` of 0 is none:
    one projection for all examples.

    Options: `layers`; `tokens` of either part of a layer; `ranks`; `mlp_layers` and `mlp_widths` inside a layer;
    `embedding_dims`, `head_layers`, `head_widths`; `embeddings` of categorical fields, `full` where not given (or
    `hashed`, `quotient_remainder`, `mixed_dimension`, `multi_embedding`, `frequency`) and `numerics`, `numeric` and
    `numeric_linear` where not given (or `quantile_bins`, `piecewise_linear`, `autodis`), several beside each other
    with a plus: "numeric+quantile_bins"; `learning_rates`, `embedding_learning_rates` and `weight_decays` that stand
    to choice beside the evaluator's own.

    Raises:
        SpaceError: an option is wrong.
    """

    def __init__(
        self,
        schema: FeatureSchema,
        *,
        layers: int = 4,
        tokens: Sequence[int] = (4, 8, 16, 32, 40),
        ranks: Sequence[int] = RANKS,
        mlp_layers: int = 2,
        mlp_widths: Sequence[int] = (64, 128, 256, 512),
        embedding_dims: Sequence[int] = (8, 16, 32, 64),
        embeddings: Sequence[str] = ("full",),
        numerics: Sequence[str] = ("numeric", "numeric_linear"),
        head_layers: int = 3,
        head_widths: Sequence[int] = (64, 128, 256, 512),
        learning_rates: Sequence[float] = (0.0005, 0.002, 0.004),
        embedding_learning_rates: Sequence[float] = (0.02, 0.04),
        weight_decays: Sequence[float] = (),
    ) -> None:
        sources = SourceChoices(schema, dims=embedding_dims, embeddings=embeddings, numerics=numerics)
        stack = Stack(
            sources,
            WukongLayer(
                checked_numbers("tokens", tokens),
                checked_numbers("ranks", ranks, least=2),
                Widths.checked(mlp_layers, mlp_widths, least=1, names=("mlp_layers", "mlp_widths")),
            ),
            checked_count("layers", layers, most=MOST_LAYERS),
            Widths.checked(head_layers, head_widths, least=0, names=("head_layers", "head_widths")),
            training_settings(
                learning_rate=learning_rates,
                embedding_learning_rate=embedding_learning_rates,
                weight_decay=weight_decays,
            ),
        )
        super().__init__(stack)


@dataclass(frozen=True)
class WukongLayer:
    """A `Layer`: tokens of both parts, rank, hidden layers, and whether the projection attends to the tokens."""

    tokens: tuple[int, ...]
    ranks: tuple[int, ...]
    mlp: Widths
    block: str = "wukong"

    def decisions(self, prefix: str, condition: Condition | None) -> Iterator[Decision]:
        """Sizes of the layer, all of them there whatever the others are."""
        for name in _NUMBERS:
            yield WidthChoice(f"{prefix}.{name}", self.ranks if name == "rank" else self.tokens, condition)
        yield OptionChoice(f"{prefix}.attention", ATTENTION, condition)
        yield from self.mlp.decisions(f"{prefix}.mlp", condition)

    def options(self, prefix: str, genotype: Assignment, *, has_pairs: bool) -> Mapping[str, object]:  # noqa: ARG002  # the interface fixes it
        """Options of the `wukong` block, which works on one token as on many."""
        attention = genotype[f"{prefix}.attention"]
        return {
            **{name: genotype[f"{prefix}.{name}"] for name in _NUMBERS},
            **({"attention": attention} if attention else {}),
            "widths": self.mlp.of(f"{prefix}.mlp", genotype),
        }

    def read(self, prefix: str, options: Options) -> Mapping[str, Choice]:
        """Choices by slot, from the options of a node."""
        settings = (*(Setting(name, ()) for name in _NUMBERS), Setting("attention", (), 0))
        return read_settings(prefix, settings, options) | self.mlp.read(f"{prefix}.mlp", options.get("widths"))
