"""``np.pad`` on Variables, in all of NumPy's modes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import dezero.functions as F
from dezero.core import Variable, as_input, implements
from dezero.functions.indexing import get_item
from dezero.functions.shapes import unchanged

Border = tuple[Any, Any]


@implements(np.pad)
def pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Variable:
    """Return ``array`` with a border, one axis after the other, as ``np.pad``.

    In the modes ``maximum`` and ``minimum`` elements that tie share the gradient; ``empty``
    leaves zeros. ``median`` and functions have no gradient rule.
    """
    x = as_input(array)
    widths = _per_axis(pad_width, x)
    if callable(mode) or mode == "median":
        raise TypeError(f"pad: mode {mode!r} has no gradient rule; use v.data for the plain value")
    if mode not in _BORDERS:
        raise ValueError(f"pad: got mode {mode!r}; it wants one of {', '.join(_BORDERS)}")
    names, border = _BORDERS[mode]
    if set(kwargs) - set(names):
        takes = ", ".join(names) or "no options"
        raise ValueError(f"pad: got {', '.join(kwargs)}; mode {mode!r} takes {takes}")
    if mode in ("constant", "empty") and not isinstance(kwargs.get("constant_values"), Variable):
        return F.pad(x, pad_width, kwargs.get("constant_values", 0))
    options = [_per_axis(kwargs.get(name, default), x) for name, default in names.items()]
    for axis, width in enumerate(widths):
        if any(width) and x.shape[axis] == 0 and mode != "constant":
            raise ValueError(f"pad: axis {axis} is empty: nothing to take {mode!r} of")
        x = border(x, axis, width, *(option[axis] for option in options)) if any(width) else x
    return unchanged(x)


def _per_axis(option: Any, x: Any) -> Any:
    """Return a value before and after for each axis, of one for all or a pair or pairs."""
    if isinstance(option, str) or option is None:
        return [option] * len(x.shape)
    if isinstance(option, dict):
        pairs = [(0, 0)] * len(x.shape)
        for axis, width in option.items():
            pairs[axis] = (width, width) if np.ndim(width) == 0 else tuple(width)
        return pairs
    broadcast = F.broadcast_to(option, (len(x.shape), 2))
    return broadcast if isinstance(option, Variable) else broadcast.data.tolist()


def _between(x: Any, axis: int, before: Any, after: Any) -> Any:
    return F.concatenate([before, x, after], axis)


def _slab(x: Any, axis: int, index: Any) -> Any:
    return get_item(x, (*(slice(None),) * axis, index))


def _edges(x: Any, axis: int) -> Border:
    return _slab(x, axis, slice(0, 1)), _slab(x, axis, slice(-1, None))


def _thick(x: Any, axis: int, part: Any, width: int) -> Any:
    """Return a part of one layer, or a number, as a border of ``width`` layers."""
    shape = (*x.shape[:axis], width, *x.shape[axis + 1 :])
    return F.astype(F.broadcast_to(part, shape), x.dtype)


def _constant(x: Any, axis: int, width: Any, values: Any) -> Any:
    before, after = (_thick(x, axis, v, n) for v, n in zip(values, width, strict=True))
    return _between(x, axis, before, after)


def _ramp(x: Any, axis: int, width: Any, ends: Any) -> Any:
    """Go from the end value to the edge in equal steps."""
    parts = []
    for edge, end, n, back in zip(_edges(x, axis), ends, width, (1, -1), strict=True):
        t = (np.arange(n) / max(n, 1))[::back]  # 0 at the outermost
        t = t.reshape((-1,) + (1,) * (len(x.shape) - axis - 1)).astype(x.dtype)
        parts.append(F.astype(end * (1 - t) + edge * t, x.dtype))
    return _between(x, axis, *parts)


def _statistic(statistic: Callable[..., Any]) -> Callable[..., Any]:
    """Return the border of one number for each line: the mean, say, of so many elements."""

    def border(x: Any, axis: int, width: Any, length: Any) -> Any:
        size = x.shape[axis]
        before, after = (size, size) if length is None else (min(n, size) for n in length)
        slabs = _slab(x, axis, slice(before)), _slab(x, axis, slice(size - after, None))
        parts = [
            _thick(x, axis, statistic(slab, axis, True), n)
            for slab, n in zip(slabs, width, strict=True)
        ]
        return _between(x, axis, *parts)

    return border


def _copied(mode: Any) -> Callable[..., Any]:
    """Return the border of elements from inside; NumPy itself says which."""

    def border(x: Any, axis: int, width: Any, kind: str | None = None) -> Any:
        size = x.shape[axis]
        if kind != "odd":
            return _slab(x, axis, np.pad(np.arange(size), width, mode=mode))
        weights = np.pad(np.eye(size), (width, (0, 0)), mode=mode, reflect_type="odd")
        rows = F.reshape(x, (-1, size, int(np.prod(x.shape[axis + 1 :]))))
        y = F.matmul(weights.astype(x.dtype), rows)
        return F.reshape(y, (*x.shape[:axis], len(weights), *x.shape[axis + 1 :]))

    return border


_BORDERS: dict[str, tuple[dict[str, Any], Callable[..., Any]]] = {
    "constant": ({"constant_values": 0}, _constant),
    "empty": ({}, _constant),
    "edge": ({}, _copied("edge")),
    "wrap": ({}, _copied("wrap")),
    "reflect": ({"reflect_type": "even"}, _copied("reflect")),
    "symmetric": ({"reflect_type": "even"}, _copied("symmetric")),
    "linear_ramp": ({"end_values": 0}, _ramp),
    "mean": ({"stat_length": None}, _statistic(F.mean)),
    "maximum": ({"stat_length": None}, _statistic(F.max)),
    "minimum": ({"stat_length": None}, _statistic(F.min)),
}
"""The options of each mode, with their defaults, and what adds the border of an axis."""
