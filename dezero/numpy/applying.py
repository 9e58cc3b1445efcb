"""NumPy's functions that go along axes, on Variables: windows, and functions for each line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view as numpy_windows

import dezero.functions as F
from dezero.core import Variable, as_input, implements
from dezero.functions.indexing import get_item
from dezero.functions.shapes import unchanged
from dezero.numpy.joining import unstack


@implements(np.apply_along_axis)
def apply_along_axis(
    func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any
) -> Variable:
    """Return what a function of vectors gives for each line of ``arr`` along an axis."""
    arr = as_input(arr)
    axis = np.lib.array_utils.normalize_axis_index(axis, len(arr.shape), "apply_along_axis")
    others = arr.shape[:axis] + arr.shape[axis + 1 :]
    lines = F.reshape(F.moveaxis(arr, axis, -1), (-1, arr.shape[axis]))
    if lines.shape[0] == 0:
        raise ValueError(
            f"apply_along_axis: got shape {arr.shape}: there is no line to apply it to"
        )
    y = F.stack([func1d(line, *args, **kwargs) for line in unstack(lines)])
    count = y.ndim - 1
    y = F.reshape(y, (*others, *y.shape[1:]))
    axes = range(len(others), len(others) + count)
    return F.moveaxis(y, tuple(axes), tuple(range(axis, axis + count)))


@implements(np.apply_over_axes)
def apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> Variable:
    """Return what a reduction over one axis after the other gives; the axes are kept."""
    y = unchanged(as_input(a))
    for axis in np.atleast_1d(axes).tolist():
        axis = np.lib.array_utils.normalize_axis_index(axis, np.ndim(a), "apply_over_axes")
        reduced = func(y, axis)
        y = reduced if reduced.ndim == y.ndim else F.expand_dims(reduced, axis)
    return y


@implements(numpy_windows)
def sliding_window_view(
    x: Any, window_shape: Any, axis: Any = None, *, subok: bool = False, writeable: bool = False
) -> Variable:
    """Return all windows of ``x`` along axes; the places in the window are the last axes."""
    x = as_input(x)
    numpy_windows(np.broadcast_to(False, x.shape), window_shape, axis)  # raises as NumPy does
    sizes = np.atleast_1d(window_shape).tolist()
    axes = range(len(x.shape)) if axis is None else np.atleast_1d(axis).tolist()
    count = len(x.shape)
    for size, i in zip(sizes, axes, strict=True):
        i %= count
        windows = x.shape[i] - size + 1
        before = (slice(None),) * i
        x = F.stack([get_item(x, (*before, slice(j, j + windows))) for j in range(size)], -1)
    return unchanged(x)
