"""NumPy's functions that join arrays and take them apart, on Variables."""

from __future__ import annotations

from typing import Any

import numpy as np

import dezero.functions as F
from dezero.core import Variable, as_input, implements
from dezero.functions.indexing import get_item
from dezero.functions.nesting import nested
from dezero.numpy.shapes import atleast_1d, atleast_2d, atleast_3d, refuse_out


@implements(np.concatenate)
def concatenate(
    arrays: Any,
    axis: int | None = 0,
    out: Any = None,
    *,
    dtype: Any = None,
    casting: Any = "same_kind",
) -> Variable:
    """Return arrays joined along an axis that they have; ``None`` for all elements in a row."""
    refuse_out("concatenate", out)
    arrays = [nested(x) for x in arrays]
    if axis is None:
        arrays, axis = [F.reshape(x, (-1,)) for x in arrays], 0
    return _cast(F.concatenate(arrays, axis), dtype, casting)


def _cast(y: Variable, dtype: Any, casting: Any) -> Variable:
    if dtype is None:
        return y
    if not np.can_cast(y.dtype, dtype, casting):
        raise TypeError(f"np: cannot cast {y.dtype} to {np.dtype(dtype)} by the rule {casting!r}")
    return F.astype(y, dtype)


@implements(np.stack)
def stack(
    arrays: Any,
    axis: int = 0,
    out: Any = None,
    *,
    dtype: Any = None,
    casting: Any = "same_kind",
) -> Variable:
    """Return arrays of one shape joined along a new axis."""
    refuse_out("stack", out)
    return _cast(F.stack([nested(x) for x in arrays], axis), dtype, casting)


@implements(np.vstack)
def vstack(tup: Any, *, dtype: Any = None, casting: Any = "same_kind") -> Variable:
    """Return arrays below one another; vectors are rows."""
    return concatenate([atleast_2d(nested(x)) for x in tup], 0, dtype=dtype, casting=casting)


@implements(np.hstack)
def hstack(tup: Any, *, dtype: Any = None, casting: Any = "same_kind") -> Variable:
    """Return arrays side by side; vectors one after the other."""
    arrays = [atleast_1d(nested(x)) for x in tup]
    axis = 0 if arrays and arrays[0].ndim == 1 else 1
    return concatenate(arrays, axis, dtype=dtype, casting=casting)


@implements(np.dstack)
def dstack(tup: Any) -> Variable:
    """Return arrays one behind the other, along the third axis."""
    return F.concatenate([atleast_3d(nested(x)) for x in tup], 2)


@implements(np.column_stack)
def column_stack(tup: Any) -> Variable:
    """Return arrays side by side; vectors are columns."""
    columns = [as_input(nested(x)) for x in tup]
    return F.concatenate([x if x.ndim > 1 else F.reshape(x, (-1, 1)) for x in columns], 1)


@implements(np.block)
def block(arrays: Any) -> Variable:
    """Return the array that nested lists of blocks make up, the innermost along the last axis."""
    depth = _depth(arrays)
    axes = max(depth, max((np.ndim(x) for x in _leaves(arrays)), default=0))
    return _joined(arrays, depth, axes)


def _depth(arrays: Any) -> int:
    if not isinstance(arrays, list):
        return 0
    depths = {_depth(x) for x in arrays}
    if len(depths) != 1:
        raise ValueError(
            f"block: got lists of depths {sorted(depths)} side by side; it wants lists that are "
            "not empty, all blocks equally deep in them"
        )
    return 1 + depths.pop()


def _leaves(arrays: Any) -> list[Any]:
    if isinstance(arrays, list):
        return [leaf for x in arrays for leaf in _leaves(x)]
    return [arrays]


def _joined(arrays: Any, depth: int, axes: int) -> Variable:
    if isinstance(arrays, list):
        return F.concatenate([_joined(x, depth - 1, axes) for x in arrays], -depth)
    x = as_input(arrays)
    return F.copy(F.reshape(x, (1,) * (axes - len(x.shape)) + x.shape))


@implements(np.split)
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Variable]:
    """Return the parts of ``ary``: equal sections, or cut at indices along an axis."""
    return list(F.split(ary, indices_or_sections, axis))


@implements(np.array_split)
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Variable]:
    """Return the parts of ``ary``; sections that cannot be equal differ by one."""
    ary = as_input(ary)
    if np.ndim(indices_or_sections) == 0:
        numbers = np.array_split(np.arange(ary.shape[axis]), indices_or_sections)
        indices_or_sections = np.cumsum([len(part) for part in numbers])[:-1].tolist()
    return list(F.split(ary, indices_or_sections, axis))


@implements(np.hsplit)
def hsplit(ary: Any, indices_or_sections: Any) -> list[Variable]:
    """Return ``ary`` cut along its second axis; a vector along its only one."""
    ary = _of_axes("hsplit", ary, 1)
    return split(ary, indices_or_sections, 1 if len(ary.shape) > 1 else 0)


@implements(np.vsplit)
def vsplit(ary: Any, indices_or_sections: Any) -> list[Variable]:
    """Return ``ary`` cut along its first axis."""
    return split(_of_axes("vsplit", ary, 2), indices_or_sections, 0)


@implements(np.dsplit)
def dsplit(ary: Any, indices_or_sections: Any) -> list[Variable]:
    """Return ``ary`` cut along its third axis."""
    return split(_of_axes("dsplit", ary, 3), indices_or_sections, 2)


def _of_axes(name: str, ary: Any, count: int) -> Any:
    ary = as_input(ary)
    if len(ary.shape) < count:
        raise ValueError(f"{name}: got shape {ary.shape}; it wants at least {count} axes")
    return ary


def unstack(x: Any, *, axis: int = 0) -> tuple[Variable, ...]:
    """Return the parts of ``x`` along an axis, without that axis."""
    x = _of_axes("unstack", x, 1)
    if x.shape[axis] == 0:
        return ()
    return tuple(F.squeeze(part, axis) for part in F.split(x, x.shape[axis], axis))


if hasattr(np, "unstack"):  # NumPy 2.1
    implements(np.unstack)(unstack)


@implements(np.append)
def append(arr: Any, values: Any, axis: int | None = None) -> Variable:
    """Return ``arr`` with ``values`` after it."""
    return concatenate([arr, values], axis)


@implements(np.delete)
def delete(arr: Any, obj: Any, axis: int | None = None) -> Variable:
    """Return ``arr`` without what ``obj`` selects along an axis."""
    arr, axis = _along("delete", arr, axis)
    kept = np.zeros(arr.shape[axis], bool)
    kept[np.delete(np.arange(len(kept)), _plain(obj))] = True
    return get_item(arr, (*(slice(None),) * axis, kept))


@implements(np.insert)
def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Variable:
    """Return ``arr`` with ``values`` before the places ``obj`` of an axis."""
    arr, axis = _along("insert", arr, axis)
    size = arr.shape[axis]
    obj = _plain(obj)
    values = F.astype(nested(values), arr.dtype)
    values = F.reshape(values, (1,) * (len(arr.shape) - values.ndim) + values.shape)
    places = np.arange(*obj.indices(size)) if isinstance(obj, slice) else np.asarray(obj)
    if places.dtype == bool:
        places = np.flatnonzero(places)
    if places.ndim == 0:
        values = F.moveaxis(values, 0, axis)
    count = values.shape[axis] if places.size == 1 else places.size
    values = F.broadcast_to(values, (*arr.shape[:axis], count, *arr.shape[axis + 1 :]))
    if places.size == 1:
        places = places.reshape(())
    order = np.insert(np.arange(size), places, size + np.arange(count))
    return get_item(F.concatenate([arr, values], axis), (*(slice(None),) * axis, order))


def _along(name: str, arr: Any, axis: int | None) -> tuple[Any, int]:
    """Return an array and the number of its axis; without one, all elements along one axis."""
    arr = as_input(arr)
    if axis is None:
        return F.reshape(arr, (-1,)), 0
    return arr, np.lib.array_utils.normalize_axis_index(axis, len(arr.shape), name)


def _plain(x: Any) -> Any:
    return x.data if isinstance(x, Variable) else x


@implements(np.resize)
def resize(a: Any, new_shape: Any) -> Variable:
    """Return the elements of ``a``, again and again, in another shape."""
    a = F.reshape(as_input(a), (-1,))
    shape = (new_shape,) if np.ndim(new_shape) == 0 else tuple(new_shape)
    size = int(np.prod(shape))
    if a.size == 0:
        return F.reshape(F.concatenate([a, np.zeros(size, a.dtype)]), shape)
    copies = F.broadcast_to(a, (-(-size // a.size), a.size))
    return F.reshape(get_item(F.reshape(copies, (-1,)), slice(size)), shape)


@implements(np.trim_zeros)
def trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Variable:
    """Return ``filt`` without zeros at the front (``f``) and the back (``b``) of its axes."""
    filt = as_input(filt)
    values, trim = np.asarray(_plain(filt)), trim.lower()
    axes = (
        range(values.ndim)
        if axis is None
        else np.lib.array_utils.normalize_axis_tuple(axis, values.ndim)
    )
    index = [slice(None)] * values.ndim
    for i in axes:
        others = tuple(j for j in range(values.ndim) if j != i)
        (used,) = np.nonzero(np.any(values != 0, axis=others))
        start = used[0] if used.size and "f" in trim else 0
        stop = used[-1] + 1 if used.size and "b" in trim else values.shape[i] * bool(used.size)
        index[i] = slice(start, stop)
    return get_item(filt, tuple(index))
