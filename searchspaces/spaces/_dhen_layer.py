"""Decisions of one layer of a deep hierarchical ensemble: which modules, their internals, how they come together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from searchspaces._decisions import Assignment, Choice, Condition, Decision, InputChoice, OptionChoice, WidthChoice
from searchspaces._options import Options
from searchspaces.spaces._settings import Setting, read_settings, setting_decisions, written

MODULES: Mapping[str, tuple[Setting, ...]] = {
    "dot_product": (),
    "transformer": (Setting("heads", (1, 2, 4), 1), Setting("hidden", (0, 32, 64, 128), 0)),
    "self_attention": (Setting("width", (8, 16, 32)), Setting("heads", (1, 2, 4), 1)),
    "token_linear": (),
    "cross": (
        Setting("layers", (1, 2, 3)),
        Setting("kind", ("full", "low_rank"), "full"),
        Setting("rank", (8, 32, 128), when=("kind", ("low_rank",))),
    ),
    "convolution": (Setting("channels", (1, 2, 4), 1), Setting("kernel", (3, 5), 3)),
    "fm": (),
}
"""In the order in which a layer lists its modules, with what is decided of each."""

USUAL_MODULES = ("dot_product", "transformer", "token_linear", "cross", "convolution")
"""Those of the paper: its attention is an encoder layer, its DCN a cross network."""

_PAIRED = ("dot_product", "transformer", "self_attention")
"""Modules that need two tokens."""

_AS_LAYER = ("token_linear", "convolution")
"""Modules that give as many tokens as the layer asks of each."""

ONLY = "token_linear"


@dataclass(frozen=True)
class DHENLayer:
    """A `Layer`: each of the modules is there or not; where none is left the layer has the linear one."""

    modules: tuple[str, ...]
    tokens: tuple[int, ...]
    dims: tuple[int, ...]
    block: str = "dhen"

    def decisions(self, prefix: str, condition: Condition | None) -> Iterator[Decision]:
        """The modules with their settings, tokens of each, ensemble and norm."""
        for module in self.modules:
            place = f"{prefix}.{module}"
            yield InputChoice(place, (False, True), condition)
            yield from setting_decisions(place, self._settings(module), Condition(place, (True,)))
        yield WidthChoice(f"{prefix}.tokens", self.tokens, condition)
        yield OptionChoice(f"{prefix}.ensemble", ("concat", "sum", "weighted_sum"), condition)
        yield OptionChoice(f"{prefix}.layer_norm", (False, True), condition)

    def options(self, prefix: str, genotype: Assignment, *, has_pairs: bool) -> Mapping[str, object]:
        """Options of the `dhen` block, its defaults left out; one token alone has no modules that pair tokens."""
        chosen = [one for one in self.modules if genotype[f"{prefix}.{one}"] and (has_pairs or one not in _PAIRED)]
        tokens = genotype[f"{prefix}.tokens"]
        settings = (
            Setting("ensemble", (), "concat"),
            Setting("layer_norm", (), True),
        )
        return {
            "modules": [self._module(prefix, one, tokens, genotype) for one in chosen or [ONLY]],
            "tokens": tokens,
            **written(prefix, settings, genotype),
        }

    def read(self, prefix: str, options: Options) -> Mapping[str, Choice]:
        """Choices by slot; what is no list of modules, or none of this space, is left to be found by comparing."""
        listed = options.get("modules")
        named = dict(_named(one) for one in listed) if isinstance(listed, tuple) else {}
        found: dict[str, Choice] = {f"{prefix}.{module}": module in named for module in self.modules}
        for module in self.modules:
            if module in named:
                found |= read_settings(f"{prefix}.{module}", self._settings(module), named[module])
        rest = (Setting("tokens", ()), Setting("ensemble", (), "concat"), Setting("layer_norm", (), True))
        return found | read_settings(prefix, rest, options)

    def _settings(self, module: str) -> tuple[Setting, ...]:
        """Those of the table; heads only in numbers that share every dimension evenly."""
        widths = (8,) if module == "self_attention" else self.dims
        found = []
        for one in MODULES[module]:
            choices = one.choices
            if one.name == "heads":
                choices = tuple(heads for heads in choices if all(width % int(heads) == 0 for width in widths))
            found.append(Setting(one.name, choices, one.default, one.when))
        return tuple(found)

    def _module(self, prefix: str, module: str, tokens: Choice, genotype: Assignment) -> object:
        """As the block `dhen` reads it: a name, or a name and its options."""
        options = written(f"{prefix}.{module}", self._settings(module), genotype)
        if module in _AS_LAYER:
            options["tokens"] = tokens
        return (module, tuple(Options(options).items())) if options else module


def _named(value: object) -> tuple[str, Options]:
    """The name of a module and its options."""
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], tuple):
        pairs = [one for one in value[1] if isinstance(one, tuple) and len(one) == 2]
        return str(value[0]), Options({str(name): option for name, option in pairs})
    return str(value), Options()
