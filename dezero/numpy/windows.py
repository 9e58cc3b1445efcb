"""Sliding windows of Variables."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view as numpy_windows

import dezero.functions as F
from dezero.core import Variable, as_input, implements
from dezero.functions.indexing import get_item
from dezero.functions.shapes import unchanged


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
