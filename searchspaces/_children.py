"""Blocks inside blocks: named in an option, resolved by the name of their plug-in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from searchspaces._errors import ArchitectureError
from searchspaces._options import Options, Value
from searchspaces._plugins import load_plugin
from searchspaces._shapes import Cost, Shape
from searchspaces.block import Block

BLOCKS = "searchspaces.blocks"


@dataclass(frozen=True)
class Child:
    """A block that another block holds.

    >>> Child.read("dhen", "modules", ("cross", (("layers", 2),)))
    Child(block='cross', options=Options({'layers': 2}))
    """

    block: str
    options: Options

    @classmethod
    def read(cls, holder: str, option: str, value: object) -> Child:
        """Reads 'name', or ['name', [['option', value], ...]], from an option of the block that holds it.

        Raises:
            ArchitectureError: the value has neither form, or gives an option twice.
        """
        name, pairs = (value, ()) if isinstance(value, str) else _split(value)
        if not isinstance(name, str) or not isinstance(pairs, tuple) or not all(_is_pair(one) for one in pairs):
            raise ArchitectureError(
                f"{option!r} of block {holder!r} must name a module as 'name' or as "
                f"['name', [['option', value], ...]], but has {value!r}"
            )
        named = dict(pairs)
        if len(named) != len(pairs):
            raise ArchitectureError(
                f"each option of a module is given once, but {option!r} of block {holder!r} has {value!r}"
            )
        return cls(name, Options(named))

    @property
    def value(self) -> Value:
        """What `read` reads: an option of the block that holds it."""
        return (self.block, tuple(self.options.items())) if self.options else self.block

    def output(self, inputs: Sequence[Shape]) -> Shape:
        """Shape of what it gives.

        Raises:
            ArchitectureError: it cannot take these shapes, or one of its options is wrong.
            PluginError: there is no block of that name.
        """
        return self._plugin().output(inputs, self.options)

    def cost(self, inputs: Sequence[Shape]) -> Cost:
        """Its closed-form cost."""
        return self._plugin().cost(inputs, self.options)

    def build(self, inputs: Sequence[Shape]) -> Block:
        """The module; raises as `output` does."""
        return self._plugin()(inputs, self.options)

    def _plugin(self) -> type[Block]:
        return load_plugin(BLOCKS, self.block)


def _split(value: object) -> tuple[object, object]:
    return (value[0], value[1]) if isinstance(value, tuple) and len(value) == 2 else (None, None)


def _is_pair(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str)
