"""NumPy's functions of shapes on Variables, with NumPy's signatures.

``copy=`` and ``subok=`` are taken and mean nothing here: no Variable sees what is written into
another, and there is one class of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import dezero.functions as F
from dezero.core import Primitive, Variable, as_array, as_input, implements
from dezero.functions.indexing import GetItemGrad, get_item
from dezero.functions.shapes import unchanged

Axes = int | Sequence[int] | None


class Roll(Primitive):
    """Elements moved along axes, and round from the end to the beginning."""

    _counts = True
    _linear = True

    def __init__(self, shift: Any, axis: Any) -> None:
        self.shift = shift
        self.axis = axis

    def forward(self, x: Any) -> Any:
        """Return ``x`` rolled."""
        return np.roll(x, self.shift, self.axis)

    def gx(self, gy: Any) -> Any:
        """Roll back."""
        return np.roll(gy, (-np.asarray(self.shift)).tolist(), self.axis)


@implements(np.reshape)
def reshape(a: Any, shape: Any, order: Any = "C", *, copy: bool | None = None) -> Variable:
    """Return the elements of ``a`` in another shape, read and laid out in ``order``."""
    shape = (shape,) if np.ndim(shape) == 0 else tuple(shape)
    if _is_fortran("reshape", a, order):
        return F.transpose(F.reshape(F.transpose(a), shape[::-1]))
    return F.reshape(a, shape)


@implements(np.ravel)
def ravel(a: Any, order: Any = "C") -> Variable:
    """Return the elements of ``a`` along one axis, read in ``order``."""
    a = as_input(a)
    if order == "K":  # as they lie in memory
        strides = np.abs(_array(a).strides)
        return F.reshape(F.transpose(a, np.argsort(-strides, kind="stable").tolist()), (-1,))
    return reshape(a, (-1,), order)


def _is_fortran(name: str, a: Any, order: str) -> bool:
    if order not in ("C", "F", "A"):
        raise ValueError(f"{name}: got order {order!r}; it wants 'C', 'F' or 'A'")
    if order == "A":
        flags = _array(as_input(a)).flags
        return bool(flags.f_contiguous and not flags.c_contiguous)
    return order == "F"


def _array(a: Any) -> Any:
    return a.data if isinstance(a, Variable) else a


@implements(np.transpose)
def transpose(a: Any, axes: Sequence[int] | None = None) -> Variable:
    """Return ``a`` with its axes in another order, reversed by default."""
    return F.transpose(as_input(a), axes)


@implements(np.matrix_transpose)
def matrix_transpose(x: Any) -> Variable:
    """Return ``x`` with its last two axes exchanged."""
    x = as_input(x)
    if len(x.shape) < 2:
        raise ValueError(f"matrix_transpose: got shape {x.shape}; it wants at least two axes")
    return F.swapaxes(x, -1, -2)


@implements(np.swapaxes)
def swapaxes(a: Any, axis1: int, axis2: int) -> Variable:
    """Return ``a`` with two axes exchanged."""
    return F.swapaxes(a, axis1, axis2)


@implements(np.moveaxis)
def moveaxis(a: Any, source: Any, destination: Any) -> Variable:
    """Return ``a`` with axes moved to other places."""
    return F.moveaxis(a, source, destination)


@implements(np.rollaxis)
def rollaxis(a: Any, axis: int, start: int = 0) -> Variable:
    """Return ``a`` with ``axis`` moved before the place ``start``."""
    a = as_input(a)
    order = list(range(len(a.shape)))
    moved = np.rollaxis(np.broadcast_to(0, order), axis, start)  # axis i has length i
    return F.transpose(a, moved.shape)


@implements(np.expand_dims)
def expand_dims(a: Any, axis: Any) -> Variable:
    """Return ``a`` with new axes of length 1."""
    return F.expand_dims(a, axis)


@implements(np.squeeze)
def squeeze(a: Any, axis: Any = None) -> Variable:
    """Return ``a`` without axes of length 1."""
    return F.squeeze(a, axis)


@implements(np.broadcast_to)
def broadcast_to(array: Any, shape: Any, subok: bool = False) -> Variable:
    """Return ``array`` repeated along new axes and axes of length 1."""
    return F.broadcast_to(array, (shape,) if np.ndim(shape) == 0 else tuple(shape))


@implements(np.broadcast_arrays)
def broadcast_arrays(*args: Any, subok: bool = False) -> tuple[Variable, ...]:
    """Return arrays in the one shape to which they broadcast."""
    shape = np.broadcast_shapes(*(np.shape(x) for x in args))
    return tuple(F.broadcast_to(x, shape) for x in args)


def _at_least(count: int, arrays: tuple[Any, ...]) -> Any:
    """Return each array with axes added as NumPy does; one alone by itself."""
    results = []
    for x in arrays:
        x = as_input(x)
        add = count - len(x.shape)
        if add <= 0:
            results.append(unchanged(x))
            continue
        shape = (*(1,) * add, *x.shape)
        if count == 3 and x.shape:
            shape = (1, *x.shape, 1) if len(x.shape) == 1 else (*x.shape, 1)
        results.append(F.reshape(x, shape))
    return results[0] if len(results) == 1 else tuple(results)


@implements(np.atleast_1d)
def atleast_1d(*arys: Any) -> Any:
    """Return arrays with at least one axis."""
    return _at_least(1, arys)


@implements(np.atleast_2d)
def atleast_2d(*arys: Any) -> Any:
    """Return arrays with at least two axes: new ones come first."""
    return _at_least(2, arys)


@implements(np.atleast_3d)
def atleast_3d(*arys: Any) -> Any:
    """Return arrays with at least three axes: a vector is in the middle one."""
    return _at_least(3, arys)


@implements(np.flip)
def flip(m: Any, axis: Axes = None) -> Variable:
    """Return ``m`` with the elements along axes in reverse order."""
    m = as_input(m)
    count = len(m.shape)
    axes = range(count) if axis is None else _normalized("flip", axis, count)
    backwards = slice(None, None, -1)
    return get_item(m, tuple(backwards if i in axes else slice(None) for i in range(count)))


def _normalized(name: str, axis: Any, count: int) -> tuple[int, ...]:
    axes: tuple[int, ...] = np.lib.array_utils.normalize_axis_tuple(axis, count, name)
    return axes


@implements(np.fliplr)
def fliplr(m: Any) -> Variable:
    """Return ``m`` with its columns in reverse order."""
    return _flipped("fliplr", m, 1)


@implements(np.flipud)
def flipud(m: Any) -> Variable:
    """Return ``m`` with its rows in reverse order."""
    return _flipped("flipud", m, 0)


def _flipped(name: str, m: Any, axis: int) -> Variable:
    m = as_input(m)
    if len(m.shape) <= axis:
        raise ValueError(f"{name}: got shape {m.shape}; it wants at least {axis + 1} axes")
    return flip(m, axis)


@implements(np.rot90)
def rot90(m: Any, k: int = 1, axes: Sequence[int] = (0, 1)) -> Variable:
    """Return ``m`` turned by ``k`` right angles, from the first of ``axes`` to the second."""
    m = as_input(m)
    pair = _normalized("rot90", tuple(axes), len(m.shape))
    if len(pair) != 2:
        raise ValueError(f"rot90: got axes {axes}; it wants two different ones")
    k %= 4
    if k == 0:
        return get_item(m, ...)
    if k == 2:
        return flip(m, pair)
    if k == 1:
        return F.swapaxes(flip(m, pair[1]), *pair)
    return flip(F.swapaxes(m, *pair), pair[1])


@implements(np.roll)
def roll(a: Any, shift: Any, axis: Any = None) -> Variable:
    """Return ``a`` with its elements moved along axes; without an axis along all as one."""
    return Roll(shift, axis)(as_input(a))


@implements(np.tile)
def tile(A: Any, reps: Any) -> Variable:
    """Return copies of ``A`` side by side: ``reps`` of them along each axis."""
    A = as_input(A)
    counts = tuple(np.atleast_1d(reps).tolist())
    axes = max(len(counts), len(A.shape))
    counts = (1,) * (axes - len(counts)) + counts
    sizes = (1,) * (axes - len(A.shape)) + A.shape
    copies = F.reshape(A, tuple(n for size in sizes for n in (1, size)))
    pairs = list(zip(counts, sizes, strict=True))
    copies = F.broadcast_to(copies, tuple(n for pair in pairs for n in pair))
    return F.reshape(copies, tuple(count * size for count, size in pairs))


@implements(np.repeat)
def repeat(a: Any, repeats: Any, axis: int | None = None) -> Variable:
    """Return each element of ``a`` as often as ``repeats`` says, along ``axis``."""
    a = as_input(a)
    if axis is None:
        a, axis = F.reshape(a, (-1,)), 0
    (axis,) = _normalized("repeat", axis, len(a.shape))
    size = a.shape[axis]
    repeats = as_array(repeats)
    before, after = a.shape[:axis], a.shape[axis + 1 :]
    if repeats.size != 1:
        rows = np.repeat(np.arange(size), repeats)
        return get_item(a, (*(slice(None),) * axis, rows))
    count = int(repeats.reshape(()))
    copies = F.reshape(a, (*before, size, 1, *after))
    copies = F.broadcast_to(copies, (*before, size, count, *after))
    return F.reshape(copies, (*before, size * count, *after))


@implements(np.diagonal)
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Variable:
    """Return a diagonal of two axes, as the last axis."""
    a = as_input(a)
    if len(a.shape) < 2:
        raise ValueError(f"diagonal: got shape {a.shape}; it wants at least two axes")
    front = F.moveaxis(a, (axis1, axis2), (0, 1))
    rows, columns, *rest = front.shape
    flat = F.reshape(front, (rows * columns, *rest))
    return F.moveaxis(get_item(flat, _diagonal_slice(rows, columns, offset)), 0, -1)


def _diagonal_slice(rows: int, columns: int, offset: int) -> slice:
    """Return where the diagonal is in the matrix read as one axis."""
    length = max(min(rows + min(offset, 0), columns - max(offset, 0)), 0)
    start = offset if offset >= 0 else -offset * columns
    return slice(start, start + length * (columns + 1), columns + 1)


@implements(np.trace)
def trace(
    a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None
) -> Variable:
    """Return the sum of a diagonal of two axes."""
    refuse_out("trace", out)
    total = F.sum(diagonal(a, offset, axis1, axis2), -1)
    return total if dtype is None else F.astype(total, dtype)


def refuse_out(name: str, out: Any) -> None:
    """Raise where a result should be written into an array: a node has a result of its own."""
    if out is not None:
        raise TypeError(
            f"np.{name}: a result on Variables cannot be written into out=; use y = np.{name}(...)"
        )


@implements(np.diag)
def diag(v: Any, k: int = 0) -> Variable:
    """Return the diagonal of a matrix, or the matrix that has the vector ``v`` on it."""
    v = as_input(v)
    if len(v.shape) == 2:
        return diagonal(v, k)
    if len(v.shape) != 1:
        raise ValueError(f"diag: got shape {v.shape}; it wants a vector or a matrix")
    size = v.shape[0] + abs(k)
    flat = GetItemGrad(_diagonal_slice(size, size, k), (size * size,))(v)
    return F.reshape(flat, (size, size))


@implements(np.diagflat)
def diagflat(v: Any, k: int = 0) -> Variable:
    """Return the matrix that has all elements of ``v`` on a diagonal."""
    return diag(F.reshape(as_input(v), (-1,)), k)


@implements(np.tril)
def tril(m: Any, k: int = 0) -> Variable:
    """Return ``m`` with zeros above a diagonal of its last two axes."""
    m = as_input(m)
    return F.where(_lower(m, k), m, 0)


@implements(np.triu)
def triu(m: Any, k: int = 0) -> Variable:
    """Return ``m`` with zeros below a diagonal of its last two axes."""
    m = as_input(m)
    return F.where(_lower(m, k - 1), 0, m)


def _lower(m: Any, k: int) -> Any:
    """Return where the last two axes are on or below a diagonal; a vector is read as rows."""
    lower = np.tri(m.shape[-2:][0], m.shape[-1], k, dtype=bool)
    return np.asarray(lower, like=_array(m))
