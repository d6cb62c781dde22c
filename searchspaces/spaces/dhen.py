"""Search space of deep hierarchical ensembles, made of the modules that engineers combine."""

from __future__ import annotations

from collections.abc import Sequence

from searchspaces._decided_space import DecidedSpace
from searchspaces._schema import FeatureSchema
from searchspaces.spaces._dhen_layer import MODULES, USUAL_MODULES, DHENLayer
from searchspaces.spaces._settings import checked_count, checked_names, checked_numbers, training_settings
from searchspaces.spaces._source_choices import SourceChoices
from searchspaces.spaces._stack import MOST_LAYERS, Stack, Widths

__all__ = ["DHEN"]


class DHEN(DecidedSpace):
    """1 to `layers` layers of the block `dhen` on all raw inputs, up to `head_layers` of a perceptron, the logit.

    Yin et al. (2023), AutoML for large capacity modeling of Meta's ranking systems: each layer has a subset of five
    interaction modules (dot product, attention, linear, cross network, convolution), and their internals, how many
    tokens each gives, norm and learning rate are searched along with them. The layer is that of Zhang et al. (2022),
    DHEN: a deep and hierarchical ensemble network for large-scale click-through rate prediction.

    A layer lists its modules in the order above. Where none is chosen, or none of the chosen can work on a single
    token, it has the linear module alone. In slots of the transformer a `hidden` of 0 is the tokens' dimension.

    Options: `layers`; `modules` to choose from, these five where not given (also `self_attention` and `fm`); `tokens`
    that a module may give, `embedding_dims`, `head_layers`, `head_widths`; `embeddings` of categorical fields, `full`
    where not given (or `hashed`, `quotient_remainder`, `mixed_dimension`, `multi_embedding`, `frequency`) and
    `numerics`, `numeric` and `numeric_linear` where not given (or `quantile_bins`, `piecewise_linear`, `autodis`),
    several beside each other with a plus: "numeric+quantile_bins"; `learning_rates`, `embedding_learning_rates` and
    `weight_decays` that stand to choice beside the evaluator's own.

    Raises:
        SpaceError: an option is wrong.
    """

    def __init__(
        self,
        schema: FeatureSchema,
        *,
        layers: int = 4,
        modules: Sequence[str] = USUAL_MODULES,
        tokens: Sequence[int] = (4, 8, 16),
        embedding_dims: Sequence[int] = (8, 16, 32),
        embeddings: Sequence[str] = ("full",),
        numerics: Sequence[str] = ("numeric", "numeric_linear"),
        head_layers: int = 3,
        head_widths: Sequence[int] = (64, 128, 256, 512),
        learning_rates: Sequence[float] = (0.0005, 0.002, 0.004),
        embedding_learning_rates: Sequence[float] = (0.02, 0.04),
        weight_decays: Sequence[float] = (),
    ) -> None:
        sources = SourceChoices(schema, dims=embedding_dims, embeddings=embeddings, numerics=numerics)
        chosen = checked_names("modules", modules, list(MODULES))
        stack = Stack(
            sources,
            DHENLayer(
                tuple(one for one in MODULES if one in chosen), checked_numbers("tokens", tokens, least=2), sources.dims
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
