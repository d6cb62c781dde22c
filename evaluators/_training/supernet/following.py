"""Follows labels through the steps of torch, so that no block has to tell what the axes of its weights mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor
from torch.overrides import TorchFunctionMode

from evaluators._training.supernet.axes import Axis, Joined, Selected, flattened, met, split

Axes = tuple[Axis, ...]
Arguments = tuple[Any, ...]  # whatever steps of torch take
Named = Mapping[str, Any]
Handler = Callable[[Arguments, Named, Tensor], "Axes | None"]


class Following(TorchFunctionMode):
    """While it is on, every tensor that a step gives has axes: what it can tell of them.

    Of a step that it does not know, what has the shape of its arguments is taken to work place by place, and any other
    to give something new. Weights that meet numbers learn from them what their axes are.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name, self._count = name, 0
        self._known: dict[int, tuple[Tensor, Axes]] = {}
        self._handlers: Mapping[str, Handler] = {
            **dict.fromkeys(("linear",), self._linear),
            **dict.fromkeys(("matmul", "bmm", "__matmul__"), self._matmul),
            **dict.fromkeys(("view", "reshape", "flatten", "unsqueeze", "squeeze", "view_as"), self._reshaped),
            **dict.fromkeys(("transpose",), self._transpose),
            **dict.fromkeys(("cat", "concat"), self._cat),
            **dict.fromkeys(("stack",), self._stack),
            **dict.fromkeys(("index_select",), self._index_select),
            **dict.fromkeys(("sum", "mean"), self._reduced),
            **dict.fromkeys(("pad",), self._padded),
            **dict.fromkeys(("layer_norm", "batch_norm"), self._normed),
            **dict.fromkeys(("conv2d",), self._convolved),
            **dict.fromkeys(("__getitem__",), self._item),
        }

    def know(self, tensor: Tensor, axes: Sequence[Axis]) -> None:
        """Tells the axes of a tensor, which must live as long as this."""
        self._known[id(tensor)] = tensor, tuple(axes)

    def of(self, tensor: Tensor) -> Axes:
        """The axes of a tensor; free ones where nothing has been told."""
        if id(tensor) not in self._known:
            self.know(tensor, [self._fresh(size) for size in tensor.shape])
        return self._known[id(tensor)][1]

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: Arguments = (), kwargs: Named | None = None
    ) -> Any:  # whatever the function of torch gives
        named = kwargs or {}
        found = func(*args, **named)
        name = getattr(func, "__name__", "")
        if isinstance(found, Tensor) and name != "__get__":
            self._follow(name, args, named, found)
        elif isinstance(found, tuple | list) and name in ("split", "chunk", "split_with_sizes"):
            self._cut(args, named, found)
        return found

    def _follow(self, name: str, args: Arguments, named: Named, found: Tensor) -> None:
        if id(found) in self._known and any(found is one for one in args):
            return  # it gave what it took
        handler = self._handlers.get(name, self._placewise)
        axes = handler(args, named, found)
        if axes is not None and [one.size for one in axes] == list(found.shape):
            self.know(found, axes)

    def _fresh(self, size: int) -> Axis:
        self._count += 1
        return Axis(size, f"{self._name}|{self._count}")

    def _met(self, one: Axis, other: Axis) -> Axis:
        self._count += 1
        return met(one, other, name=f"{self._name}|{self._count}")

    def _placewise(self, args: Arguments, named: Named, found: Tensor) -> Axes | None:
        tensors = [one for one in (*args, *named.values()) if isinstance(one, Tensor)]
        if not tensors or _broadcast(tensors) != tuple(found.shape):
            return None
        axes: list[Axis] = []
        for back in range(found.dim(), 0, -1):
            here = [self.of(one)[-back] for one in tensors if one.dim() >= back]
            same = [one for one in here if one.size == found.shape[-back]]
            axis = same[0]
            for other in same[1:]:
                axis = self._met(axis, other)
            axes.append(axis)
        return tuple(axes)

    def _linear(self, args: Arguments, named: Named, _found: Tensor) -> Axes:
        taken, weight = self.of(args[0]), self.of(args[1])
        self._met(weight[1], taken[-1])
        bias = args[2] if len(args) > 2 else named.get("bias")
        if bias is not None:
            self._met(self.of(bias)[0], weight[0])
        return (*taken[:-1], weight[0])

    def _matmul(self, args: Arguments, _named: Named, _found: Tensor) -> Axes | None:
        left, right = self.of(args[0]), self.of(args[1])
        if len(left) < 2 or len(right) < 2:
            return None
        self._met(right[-2], left[-1])
        longer = left if len(left) >= len(right) else right
        for one, other in zip(left[-3::-1], right[-3::-1], strict=False):
            if one.size == other.size:
                self._met(one, other)
        return (*longer[:-2], left[-2], right[-1])

    def _reshaped(self, args: Arguments, _named: Named, found: Tensor) -> Axes:
        old, sizes = list(self.of(args[0])), list(found.shape)
        axes: list[Axis] = []
        while old and sizes:
            taken, given = [old.pop(0)], [sizes.pop(0)]
            while _size(taken) != int(np.prod(given)):
                if _size(taken) < int(np.prod(given)):
                    taken.append(old.pop(0))
                else:
                    given.append(sizes.pop(0))
            axes += self._regrouped(taken, given)
        return (*axes, *(self._fresh(size) for size in sizes))

    def _regrouped(self, taken: Sequence[Axis], sizes: Sequence[int]) -> list[Axis]:
        whole = flattened(taken)
        wide = [size for size in sizes if size != 1]
        parts = list(split(whole, wide) if len(wide) > 1 else [whole])
        if not wide:
            return [whole, *(self._fresh(1) for _ in sizes[1:])]
        return [parts.pop(0) if size != 1 else self._fresh(1) for size in sizes]

    def _transpose(self, args: Arguments, _named: Named, _found: Tensor) -> Axes:
        axes = list(self.of(args[0]))
        first, second = args[1:3]
        axes[first], axes[second] = axes[second], axes[first]
        return tuple(axes)

    def _cat(self, args: Arguments, named: Named, found: Tensor) -> Axes:
        dim = (args[1] if len(args) > 1 else named.get("dim", 0)) % found.dim()
        all_axes = [self.of(one) for one in args[0]]
        axes = list(all_axes[0])
        for others in all_axes[1:]:
            for at, other in enumerate(others):
                if at != dim:
                    axes[at] = self._met(axes[at], other)
        axes[dim] = Joined(found.shape[dim], parts=tuple(one[dim] for one in all_axes))
        return tuple(axes)

    def _stack(self, args: Arguments, named: Named, found: Tensor) -> Axes:
        dim = (args[1] if len(args) > 1 else named.get("dim", 0)) % found.dim()
        axes = list(self.of(args[0][0]))
        for other in args[0][1:]:
            axes = [self._met(one, own) for one, own in zip(axes, self.of(other), strict=True)]
        axes.insert(dim, self._fresh(found.shape[dim]))
        return tuple(axes)

    def _index_select(self, args: Arguments, _named: Named, _found: Tensor) -> Axes:
        tensor, dim, chosen = args
        axes = list(self.of(tensor))
        axes[dim] = Selected(len(chosen), base=axes[dim], chosen=chosen.numpy())
        return tuple(axes)

    def _reduced(self, args: Arguments, named: Named, found: Tensor) -> Axes | None:
        dim = args[1] if len(args) > 1 else named.get("dim")
        if dim is None:
            return None
        axes = list(self.of(args[0]))
        gone = {one % len(axes) for one in (dim if isinstance(dim, tuple | list) else (dim,))}
        if found.dim() == len(axes):
            return tuple(self._fresh(1) if at in gone else one for at, one in enumerate(axes))
        return tuple(one for at, one in enumerate(axes) if at not in gone)

    def _padded(self, args: Arguments, _named: Named, found: Tensor) -> Axes | None:
        axes, sizes = list(self.of(args[0])), args[1]
        if len(sizes) != 2 or sizes[0] != 0 or sizes[1] < 0:
            return None
        if sizes[1]:
            axes[-1] = Joined(found.shape[-1], parts=(axes[-1], self._fresh(sizes[1])))
        return tuple(axes)

    def _normed(self, args: Arguments, named: Named, _found: Tensor) -> Axes:
        axes = self.of(args[0])
        for one in (*args[1:5], named.get("weight"), named.get("bias")):
            if isinstance(one, Tensor):
                self._met(self.of(one)[-1], axes[-1])
        return axes

    def _convolved(self, args: Arguments, _named: Named, _found: Tensor) -> Axes:
        taken, weight = self.of(args[0]), self.of(args[1])
        if len(args) > 2 and args[2] is not None:
            self._met(self.of(args[2])[0], weight[0])
        return (taken[0], weight[0], *taken[2:])

    def _item(self, args: Arguments, _named: Named, _found: Tensor) -> Axes | None:
        tensor, places = args
        places = places if isinstance(places, tuple) else (places,)
        if not all(isinstance(one, slice | int) for one in places):
            return None
        axes = list(self.of(tensor))
        kept: list[Axis] = []
        for axis, place in zip(axes, places, strict=False):
            if isinstance(place, slice):
                chosen = np.arange(axis.size)[place]
                kept.append(axis if len(chosen) == axis.size else Selected(len(chosen), base=axis, chosen=chosen))
        return (*kept, *axes[len(places) :])

    def _cut(self, args: Arguments, named: Named, found: Sequence[Tensor]) -> None:
        tensor = args[0]
        dim = (args[2] if len(args) > 2 else named.get("dim", 0)) % tensor.dim()
        axes, start = list(self.of(tensor)), 0
        for one in found:
            chosen = np.arange(start, start + one.shape[dim])
            own = [*axes[:dim], Selected(len(chosen), base=axes[dim], chosen=chosen), *axes[dim + 1 :]]
            self.know(one, own)
            start += len(chosen)


def _size(axes: Sequence[Axis]) -> int:
    return int(np.prod([one.size for one in axes]))


def _broadcast(tensors: Sequence[Tensor]) -> tuple[int, ...] | None:
    try:
        return np.broadcast_shapes(*[tuple(one.shape) for one in tensors])  # torch's own imports a symbolic library
    except ValueError:
        return None
