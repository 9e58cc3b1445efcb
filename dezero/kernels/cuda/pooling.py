"""Pooling: a thread for each window, or for each pixel of a gradient: nothing is added twice."""

from __future__ import annotations

from typing import Any

import cupy
import numpy as np

from dezero.kernels.convolution import Geometry, geometry
from dezero.kernels.cuda.convolution import sizes_of
from dezero.kernels.cuda.fused import elementwise, served

_SIZES = ", ".join(
    f"int32 {name}"
    for name in ("h", "w", "kh", "kw", "sh", "sw", "ph", "pw", "oh", "ow", "dh", "dw")
)
_WINDOW = """
    ptrdiff_t r = i;
    int ox = r % ow; r /= ow;
    int oy = r % oh; r /= oh;
    for (int ky = 0; ky < kh; ky++) for (int kx = 0; kx < kw; kx++) {
        int iy = oy * sh - ph + ky, ix = ox * sw - pw + kx;
        if (iy < 0 || iy >= h || ix < 0 || ix >= w) continue;
        T value = x[(r * h + iy) * w + ix];
"""
_PIXEL = """
    ptrdiff_t r = i;
    int ix = r % w; r /= w;
    int iy = r % h; r /= h;
    T total = 0;
    for (int ky = 0; ky < kh; ky++) for (int kx = 0; kx < kw; kx++) {
        int top = iy + ph - ky, left = ix + pw - kx, oy = top / sh, ox = left / sw;
        if (top < 0 || top % sh || oy >= oh || left < 0 || left % sw || ox >= ow) continue;
        ptrdiff_t window = (r * oh + oy) * ow + ox;
"""
_max = elementwise(
    f"raw T x, {_SIZES}",
    "T y, U winner",
    f"""
    int first = -1;
    T best = 0;
    {_WINDOW}
        bool nan = value != value && best == best;
        if (first < 0 || value > best || nan) {{ best = value; first = ky * kw + kx; }}
    }}
    y = best;
    winner = first""",
    "max_pooling",
)
_scatter = elementwise(
    f"raw T gy, raw U winners, {_SIZES}",
    "T gx",
    f"{_PIXEL} if (winners[window] == ky * kw + kx) total += gy[window]; }} gx = total",
    "pool_scatter",
)
_gather = elementwise(
    f"raw T x, U winner, {_SIZES}",
    "T y",
    f"T won = 0; {_WINDOW} if (winner == ky * kw + kx) won = value; }} y = won",
    "pool_gather",
)
_mean = elementwise(
    f"raw T x, {_SIZES}",
    "T y",
    f"T total = 0; {_WINDOW} total += value; }} y = total / (kh * kw)",
    "average_pooling",
)
_mean_grad = elementwise(
    f"raw T gy, {_SIZES}",
    "T gx",
    f"{_PIXEL} total += gy[window]; }} gx = total / (kh * kw)",
    "average_pooling_grad",
)


def max_pooling(x: Any, kernel_size: Any, stride: Any = 1, pad: Any = 0) -> Any:
    """Return the maximum of each window of images."""
    both = max_pooling_with_winners(x, kernel_size, stride, pad)
    return both if both is NotImplemented else both[0]


def max_pooling_with_winners(x: Any, kernel_size: Any, stride: Any = 1, pad: Any = 0) -> Any:
    """Return the maximum of each window, and which tap gave it."""
    if not served(x):
        return NotImplemented
    g = geometry(x.shape[2:], kernel_size, stride, pad)
    y = _outputs(x, g)
    winners = cupy.empty(y.shape, np.min_scalar_type(g.kernel[0] * g.kernel[1]))
    _max(x, *sizes_of(g), y, winners)
    return y, winners


def pool_scatter(
    gy: Any, winners: Any, x_size: tuple[int, int], kernel_size: Any, stride: Any, pad: Any
) -> Any:
    """Add each value of ``gy`` to the place that won its window."""
    if not served(gy):
        return NotImplemented
    g = geometry(x_size, kernel_size, stride, pad)
    gx = cupy.empty((*gy.shape[:2], *x_size), gy.dtype)
    _scatter(gy, winners, *sizes_of(g), gx)
    return gx


def pool_gather(x: Any, winners: Any, kernel_size: Any, stride: Any, pad: Any) -> Any:
    """Read images at the places that won each window."""
    if not served(x):
        return NotImplemented
    g = geometry(x.shape[2:], kernel_size, stride, pad)
    y = _outputs(x, g)
    _gather(x, winners, *sizes_of(g), y)
    return y


def average_pooling(x: Any, kernel_size: Any, stride: Any = 1, pad: Any = 0) -> Any:
    """Return the mean of each window."""
    if not served(x):
        return NotImplemented
    g = geometry(x.shape[2:], kernel_size, stride, pad)
    y = _outputs(x, g)
    _mean(x, *sizes_of(g), y)
    return y


def average_pooling_grad(
    gy: Any, x_size: tuple[int, int], kernel_size: Any, stride: Any = 1, pad: Any = 0
) -> Any:
    """Spread each value of ``gy`` evenly over its window."""
    if not served(gy):
        return NotImplemented
    g = geometry(x_size, kernel_size, stride, pad)
    gx = cupy.empty((*gy.shape[:2], *x_size), gy.dtype)
    _mean_grad(gy, *sizes_of(g), gx)
    return gx


def _outputs(x: Any, g: Geometry) -> Any:
    return cupy.empty((*x.shape[:2], *g.out), x.dtype)
