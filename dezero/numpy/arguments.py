"""What many of NumPy's signatures share: ``axis``, ``out``, ``where``; and parts of an array."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from dezero.core import Variable
from dezero.functions import shapes
from dezero.functions.indexing import get_item
from dezero.functions.math import where as choose

Axes = int | tuple[int, ...] | None


def typed(x: Any, dtype: Any = None) -> Variable:
    """Return ``x`` as a Variable, a constant if it is none; in another type if one is given."""
    x = shapes.unchanged(x)
    return x if dtype is None else shapes.astype(x, dtype)


def plain(x: Any) -> Any:
    """Return the array inside a Variable; anything else as an array."""
    return x.data if isinstance(x, Variable) else np.asarray(x)


def gradients_for(names: Iterable[str], constant: Iterable[bool]) -> str:
    """Return a line that says which arguments of an elementwise function have gradients.

    Examples
    --------
    >>> from dezero.numpy.arguments import gradients_for
    >>> gradients_for(("v", "x"), (True, False))
    'Gradients for ``x``, not for ``v``.'
    """
    marked = [(f"``{name}``", none) for name, none in zip(names, constant, strict=True)]
    having = ", ".join([name for name, none in marked if not none])
    lacking = ", ".join([name for name, none in marked if none])
    return f"Gradients for {having}" + (f", not for {lacking}." if lacking else ".")


def refuse_out(name: str, out: Any) -> None:
    """Raise if the result is to be written into an array."""
    if out is not None:
        raise TypeError(
            f"np.{name}: a result that records its gradient cannot be written into an array "
            f"(out=); use y = np.{name}(...)"
        )


def refuse_gradient(name: str, argument: str, x: Any) -> Any:
    """Return the array of an argument that is not differentiated; raise if it wants to be."""
    if isinstance(x, Variable) and x.requires_grad:
        raise TypeError(
            f"np.{name}: got a Variable that wants a gradient for {argument}=, which is not "
            f"differentiated; use {argument}=v.data"
        )
    return plain(x)


def mask_of(name: str, a: Variable, where: Any) -> Any:
    """Return ``where`` in the shape of ``a``."""
    where = plain(where)
    try:
        return np.broadcast_to(where.astype(bool), a.shape)
    except ValueError as error:
        raise ValueError(
            f"np.{name}: got where= of shape {where.shape} for an array of shape {a.shape}; "
            "it must broadcast to the array"
        ) from error


def masked(name: str, a: Variable, where: Any, fill: Any) -> Variable:
    """Return ``a`` with ``fill`` in place of the elements that ``where`` leaves out."""
    return a if where is True else choose(mask_of(name, a, where), a, fill)


def axes_of(name: str, axis: Axes, ndim: int) -> tuple[int, ...]:
    """Return the axes as numbers from 0; all of them for ``None``."""
    if axis is None or (ndim == 0 and axis in (0, -1)):  # NumPy lets a number have an axis here
        return tuple(range(ndim))
    return normalize_axis_tuple(axis, ndim, f"np.{name}")


def along(name: str, a: Variable, axis: int | None) -> tuple[Variable, int]:
    """Return the array and the axis, counted from 0, to work along: flat for ``None``."""
    if axis is None or (a.ndim == 0 and axis in (0, -1)):
        return shapes.reshape(a, (-1,)), 0
    return a, normalize_axis_index(axis, a.ndim, f"np.{name}")


def joined(name: str, a: Variable, axis: Axes) -> Variable:
    """Return ``a`` with the axes to reduce moved to the end and made one."""
    axes = axes_of(name, axis, a.ndim)
    kept = [i for i in range(a.ndim) if i not in axes]
    count = math.prod(a.shape[i] for i in axes)
    if axes != tuple(range(len(kept), a.ndim)):
        a = shapes.transpose(a, (*kept, *axes))
    return shapes.reshape(a, (*a.shape[: len(kept)], count))


def part(a: Any, start: int | None, stop: int | None, axis: int, step: int | None = None) -> Any:
    """Return ``a[..., start:stop:step, ...]`` along an axis counted from 0."""
    return a[(*(slice(None),) * axis, slice(start, stop, step))]


def taken(a: Variable, index: Any, axis: int) -> Variable:
    """Return the elements at plain positions along an axis, as ``np.take_along_axis`` does."""
    places = np.arange(a.size).reshape(a.shape)
    flat = np.take_along_axis(places, index, axis)
    return get_item(shapes.reshape(a, (-1,)), flat)
