"""NumPy's functions that pick elements, and those that write into an array, on Variables.

The ones that write are assignments, ``a[...] = v``: what holds there holds here
(:mod:`dezero.functions.assignment`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import dezero.functions as F
from dezero.core import Variable, as_array, as_input, implements
from dezero.core.protocols import plain
from dezero.functions.indexing import get_item
from dezero.functions.nesting import nested
from dezero.functions.shapes import unchanged
from dezero.numpy.shapes import refuse_out

plain.update(
    {
        np.argwhere,
        np.diag_indices_from,
        np.flatnonzero,
        np.ix_,
        np.ravel_multi_index,
        np.tril_indices_from,
        np.triu_indices_from,
        np.unravel_index,
    }
)


def _plain(x: Any) -> Any:
    return x.data if isinstance(x, Variable) else as_array(x)


def _within(name: str, indices: Any, size: int, mode: str) -> Any:
    """Return indices as NumPy's ``mode`` says: out of bounds raises, wraps round, or is cut."""
    indices = _plain(indices)
    if mode == "wrap":
        return indices % size
    if mode == "clip":
        return np.clip(indices, 0, size - 1)
    if mode != "raise":
        raise ValueError(f"{name}: got mode {mode!r}; it wants 'raise', 'wrap' or 'clip'")
    return indices


@implements(np.take)
def take(
    a: Any, indices: Any, axis: int | None = None, out: Any = None, mode: Any = "raise"
) -> Variable:
    """Return the elements of ``a`` at ``indices`` along an axis; of all elements without one."""
    refuse_out("take", out)
    a = as_input(a)
    if axis is None:
        a, axis = F.reshape(a, (-1,)), 0
    axis = np.lib.array_utils.normalize_axis_index(axis, len(a.shape), "take")
    indices = _within("take", indices, a.shape[axis], mode)
    return get_item(a, (*(slice(None),) * axis, indices))


def _grid(name: str, shape: tuple[int, ...], indices: Any, axis: int) -> tuple[Any, ...]:
    """Return the index of every axis, where ``indices`` is that of one and has all axes."""
    if indices.dtype.kind not in "iu":
        raise IndexError(f"{name}: got indices of type {indices.dtype}; it wants integers")
    if indices.ndim != len(shape):
        raise ValueError(
            f"{name}: got an array of {len(shape)} axes and indices of {indices.ndim}; they want "
            "equally many"
        )
    axis = np.lib.array_utils.normalize_axis_index(axis, len(shape), name)
    places = np.ogrid[tuple(slice(n) for n in shape)]
    return tuple(indices if i == axis else place for i, place in enumerate(places))


@implements(np.take_along_axis)
def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Variable:
    """Return the elements at ``indices`` along an axis, each in its row: what argsort wants."""
    arr, indices = as_input(arr), _plain(indices)
    if axis is None:
        arr, axis = F.reshape(arr, (-1,)), 0
    return get_item(arr, _grid("take_along_axis", arr.shape, indices, axis))


@implements(np.compress)
def compress(condition: Any, a: Any, axis: int | None = None, out: Any = None) -> Variable:
    """Return the parts of ``a`` along an axis for which ``condition`` holds."""
    refuse_out("compress", out)
    a = as_input(a)
    if axis is None:
        a, axis = F.reshape(a, (-1,)), 0
    axis = np.lib.array_utils.normalize_axis_index(axis, len(a.shape), "compress")
    kept = np.zeros(a.shape[axis], bool)
    kept[np.flatnonzero(_plain(condition))] = True
    return get_item(a, (*(slice(None),) * axis, kept))


@implements(np.extract)
def extract(condition: Any, arr: Any) -> Variable:
    """Return the elements of ``arr`` for which ``condition`` holds, in a row."""
    return compress(np.ravel(_plain(condition)), F.reshape(as_input(arr), (-1,)), 0)


@implements(np.where)
def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """Return ``x`` where ``condition`` holds, ``y`` elsewhere; alone, where it holds."""
    if x is None and y is None:
        return np.nonzero(_plain(condition))
    if x is None or y is None:
        raise ValueError("where: got one of x and y; it wants both of them, or none")
    return F.where(_plain(condition), x, y)


@implements(np.select)
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Variable:
    """Return, element by element, the choice of the first condition that holds."""
    if len(condlist) != len(choicelist) or len(condlist) == 0:
        raise ValueError(
            f"select: got {len(condlist)} conditions and {len(choicelist)} choices; it wants as "
            "many of both, one at least"
        )
    values = [x if isinstance(x, _WEAK) else as_input(x).dtype for x in (*choicelist, default)]
    result = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = F.where(_plain(condition), choice, result)
    return F.astype(result, np.result_type(*values))


_WEAK = (int, float, complex)
"""Types of numbers that leave the type of an array as it is."""


@implements(np.choose)
def choose(a: Any, choices: Any, out: Any = None, mode: Any = "raise") -> Variable:
    """Return, element by element, the choice of which ``a`` has the number."""
    refuse_out("choose", out)
    numbers = _within("choose", a, len(choices), mode)
    if mode == "raise" and numbers.size and not 0 <= numbers.min() <= numbers.max() < len(choices):
        raise ValueError(f"choose: got numbers outside of 0 to {len(choices) - 1}")
    return select([numbers == i for i in range(len(choices))], list(choices))


@implements(np.piecewise)
def piecewise(
    x: Any, condlist: Any, funclist: list[Callable[..., Any] | Any], *args: Any, **kw: Any
) -> Variable:
    """Return the values of several functions, or numbers, each where its condition holds.

    A function sees only the elements of its condition, so that one that has no value elsewhere,
    ``np.log`` say, has no gradient there either.
    """
    x = as_input(x)
    conditions = [np.asarray(c, bool) for c in _conditions(_plain(condlist), len(x.shape))]
    if len(funclist) == len(conditions) + 1:
        conditions.append(~np.any(conditions, axis=0))
    if len(funclist) != len(conditions):
        raise ValueError(
            f"piecewise: got {len(conditions)} conditions and {len(funclist)} functions; it wants "
            "as many functions, or one more for everywhere else"
        )
    y: Any = np.zeros(x.shape, x.dtype)
    for condition, function in zip(conditions, funclist, strict=True):
        if not callable(function):
            y = F.set_item(y, condition, function)
        elif condition.any():
            y = F.set_item(y, condition, function(get_item(x, condition), *args, **kw))
    return unchanged(y)


def _conditions(condlist: Any, axes: int) -> list[Any]:
    """Return the conditions as a list: one alone may come without, for a vector."""
    alone = condlist.ndim == 0 or (condlist.ndim == 1 and axes)
    return [condlist] if alone else list(condlist)


def _cycled(values: Any, indices: Any) -> Any:
    """Return the values that come to ``indices`` when they are repeated for ever."""
    values = F.reshape(as_input(values), (-1,))
    return get_item(values, indices % max(values.size, 1))


def _value(name: str, v: Any) -> Any:
    """Return what is written into a plain array; raise where its gradient would be lost."""
    if isinstance(v, Variable) and v.requires_grad:
        raise TypeError(
            f"np.{name}: writing a Variable that wants a gradient into a plain array would lose "
            "its gradient; make the array a Variable: Variable(a, requires_grad=False)"
        )
    return v.data if isinstance(v, Variable) else v


@implements(np.put)
def put(a: Any, ind: Any, v: Any, mode: Any = "raise") -> None:
    """Write ``v`` at places of ``a`` that are counted in a row; ``v`` is repeated as needed."""
    ind = _plain(ind).reshape(-1)
    if not isinstance(a, Variable):
        np.put(a, ind, _value("put", v), mode)
        return
    ind = _within("put", ind, a.size, mode)
    ind = np.where(ind < 0, ind + a.size, ind)
    if ind.size:
        a[np.unravel_index(ind, a.shape)] = _cycled(v, np.arange(ind.size))


@implements(np.put_along_axis)
def put_along_axis(arr: Any, indices: Any, values: Any, axis: int | None) -> None:
    """Write ``values`` at ``indices`` along an axis, each in its row."""
    indices = _plain(indices)
    if not isinstance(arr, Variable):
        np.put_along_axis(arr, indices, _value("put_along_axis", values), axis)
    elif axis is None:
        arr[np.unravel_index(np.where(indices < 0, indices + arr.size, indices), arr.shape)] = (
            values
        )
    else:
        arr[_grid("put_along_axis", arr.shape, indices, axis)] = values


@implements(np.place)
def place(arr: Any, mask: Any, vals: Any) -> None:
    """Write ``vals``, one after the other, where ``mask`` holds; they are repeated as needed."""
    mask = _plain(mask).astype(bool).reshape(np.shape(arr))
    if not isinstance(arr, Variable):
        np.place(arr, mask, _value("place", vals))
        return
    arr[mask] = _cycled(vals, np.arange(np.count_nonzero(mask)))


@implements(np.putmask)
def putmask(a: Any, mask: Any, values: Any) -> None:
    """Write, where ``mask`` holds, the values at the same places; they are repeated as needed."""
    mask = _plain(mask).astype(bool).reshape(np.shape(a))
    if not isinstance(a, Variable):
        np.putmask(a, mask, _value("putmask", values))
        return
    a[mask] = _cycled(values, np.flatnonzero(mask))


@implements(np.copyto)
def copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    """Write ``src`` into ``dst``, where ``where`` holds."""
    where = _plain(where)
    if not isinstance(dst, Variable):
        np.copyto(dst, _value("copyto", src), casting=casting, where=where)
        return
    src = nested(src)
    if not np.can_cast(src.dtype, dst.dtype, casting):
        raise TypeError(f"copyto: cannot cast {src.dtype} to {dst.dtype} by the rule {casting!r}")
    mask = np.broadcast_to(where, dst.shape)
    dst[mask] = get_item(F.broadcast_to(src, dst.shape), mask)


@implements(np.fill_diagonal)
def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    """Write ``val`` on the diagonal of ``a``; it is repeated as needed."""
    marked = np.zeros(a.shape, int)
    np.fill_diagonal(marked, -1, wrap)  # raises where a has no diagonal
    places = np.flatnonzero(marked < 0)
    a[np.unravel_index(places, a.shape)] = _cycled(val, np.arange(places.size))


@implements(np.meshgrid)
def meshgrid(
    *xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy"
) -> tuple[Variable, ...]:
    """Return the coordinates of a grid: each vector along its own axis, repeated along others."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: got indexing {indexing!r}; it wants 'xy' or 'ij'")
    order = list(range(len(xi)))
    if indexing == "xy" and len(xi) > 1:
        order[:2] = [1, 0]
    vectors = [F.reshape(as_input(x), (-1,)) for x in xi]
    grids = [
        F.reshape(x, tuple(-1 if axis == i else 1 for i in range(len(xi))))
        for x, axis in zip(vectors, order, strict=True)
    ]
    if sparse:
        return tuple(grids)
    shape = np.broadcast_shapes(*(grid.shape for grid in grids))
    return tuple(F.broadcast_to(grid, shape) for grid in grids)
