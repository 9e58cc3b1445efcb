"""Pooling on arrays: one pass over the images for each tap of the window.

Tap ``(i, j)`` of all windows together is a strided slice of the images, cut where a window hangs
over the edge. So padding is never laid down: it cannot win a maximum, and adds 0 to a mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dezero.kernels.convolution import Geometry, geometry
from dezero.kernels.table import kernel

Array = Any


def _axis_taps(size: int, k: int, s: int, p: int, out: int) -> list[tuple[slice, slice]]:
    """Return, for each tap along one axis, which outputs it serves, and the inputs they read."""
    taps = []
    for i in range(k):
        first = max(0, -((i - p) // s))
        last = max(first, min(out, (size - 1 + p - i) // s + 1))
        start = first * s + i - p
        stop = start + (last - first - 1) * s + 1 if last > first else start
        taps.append((slice(first, last), slice(start, stop, s)))
    return taps


def _taps_of(g: Geometry) -> tuple[list[tuple[slice, slice]], list[tuple[slice, slice]]]:
    down, along = (
        _axis_taps(g.size[a], g.kernel[a], g.stride[a], g.pad[a], g.out[a]) for a in (0, 1)
    )
    return down, along


def _taps(g: Geometry) -> Iterator[tuple[int, Any, Any]]:
    """Yield each tap's number (row-major), its index into the outputs and into the images."""
    down, along = _taps_of(g)
    for i, (oh, h) in enumerate(down):
        for j, (ow, w) in enumerate(along):
            yield i * len(along) + j, (..., oh, ow), (..., h, w)


def _reduced(op: Any, x: Array, g: Geometry, start: Any, dtype: Any) -> Array:
    """Reduce every window with ``op``, first down its columns, then along its rows."""
    down, along = _taps_of(g)
    rows = np.full((*x.shape[:2], g.out[0], g.size[1]), start, dtype, like=x)
    for oh, h in down:
        op(rows[:, :, oh], x[:, :, h], out=rows[:, :, oh])
    y = np.full((*x.shape[:2], *g.out), start, dtype, like=x)
    for ow, w in along:
        op(y[..., ow], rows[..., w], out=y[..., ow])
    return y


def lowest(dtype: np.dtype[Any]) -> Any:
    """Return what never wins a maximum."""
    if dtype.kind == "f":
        return -np.inf
    return False if dtype.kind == "b" else np.iinfo(dtype).min


@kernel()
def max_pooling(x: Array, kernel_size: Any, stride: Any = 1, pad: Any = 0) -> Array:
    """Return the maximum of each window of images (N, C, H, W): (N, C, OH, OW)."""
    g = geometry(x.shape[2:], kernel_size, stride, pad)
    return _reduced(np.maximum, x, g, lowest(x.dtype), x.dtype)


@kernel()
def max_pooling_with_winners(
    x: Array, kernel_size: Any, stride: Any = 1, pad: Any = 0
) -> tuple[Array, Array]:
    """Return the maximum of each window, and which tap gave it: the first in row-major order.

    A NaN wins its window. Taps are numbered in the smallest dtype that has room for them.
    """
    g = geometry(x.shape[2:], kernel_size, stride, pad)
    y = _reduced(np.maximum, x, g, lowest(x.dtype), x.dtype)
    dtype = np.min_scalar_type(g.kernel[0] * g.kernel[1])
    last = np.iinfo(dtype).max  # all bits set: more than any tap's number
    winners = np.full(y.shape, last, dtype, like=x)
    nan = np.isnan(y)
    hidden = nan if nan.any() else None
    for k, out, inside in _taps(g):
        # "Not less" rather than "equal" is true of a NaN too. Arithmetic on small integers is
        # several times as fast as a masked copy.
        lost = x[inside] < y[out]
        if hidden is not None:
            lost |= hidden[out] & ~np.isnan(x[inside])
        number = lost.astype(dtype) * last
        number |= dtype.type(k)
        np.minimum(winners[out], number, out=winners[out])
    return y, winners


@kernel()
def pool_scatter(
    gy: Array, winners: Array, x_size: tuple[int, int], kernel_size: Any, stride: Any, pad: Any
) -> Array:
    """Add each value of ``gy`` to the place that won its window, in images of ``x_size``."""
    g = geometry(x_size, kernel_size, stride, pad)
    gx = np.zeros((*gy.shape[:2], *x_size), gy.dtype, like=gy)
    for k, out, inside in _taps(g):
        gx[inside] += _only(winners[out] == k, gy[out])
    return gx


def _only(won: Array, x: Array) -> Array:
    """Return ``x`` where ``won``, 0 elsewhere.

    A mask of bits takes a third of the time of ``np.where``, and unlike a product it does not
    make NaN of infinity.
    """
    if x.dtype.itemsize > 8:
        return np.where(won, x, 0)
    bits = np.dtype(f"i{x.dtype.itemsize}")
    mask = np.negative(won.view(np.int8), dtype=bits)
    mask &= x.view(bits)
    return mask.view(x.dtype)


@kernel()
def pool_gather(x: Array, winners: Array, kernel_size: Any, stride: Any, pad: Any) -> Array:
    """Read images at the places that won each window: the adjoint of :func:`pool_scatter`."""
    g = geometry(x.shape[2:], kernel_size, stride, pad)
    y = np.zeros(winners.shape, x.dtype, like=x)
    for k, out, inside in _taps(g):
        y[out] += _only(winners[out] == k, x[inside])
    return y


@kernel()
def average_pooling(x: Array, kernel_size: Any, stride: Any = 1, pad: Any = 0) -> Array:
    """Return the mean of each window, padding counted as zeros: (N, C, OH, OW)."""
    g = geometry(x.shape[2:], kernel_size, stride, pad)
    dtype = x.dtype if x.dtype.kind == "f" else np.dtype(np.float64)
    y = _reduced(np.add, x, g, 0, dtype)
    y /= g.kernel[0] * g.kernel[1]
    return y


@kernel()
def average_pooling_grad(
    gy: Array, x_size: tuple[int, int], kernel_size: Any, stride: Any = 1, pad: Any = 0
) -> Array:
    """Spread each value of ``gy`` evenly over its window: the adjoint of average_pooling."""
    g = geometry(x_size, kernel_size, stride, pad)
    down, along = _taps_of(g)
    share = gy / (g.kernel[0] * g.kernel[1])
    rows = np.zeros((*gy.shape[:2], g.out[0], g.size[1]), gy.dtype, like=gy)
    for ow, w in along:
        rows[..., w] += share[..., ow]
    gx = np.zeros((*gy.shape[:2], *x_size), gy.dtype, like=gy)
    for oh, h in down:
        gx[:, :, h] += rows[:, :, oh]
    return gx
