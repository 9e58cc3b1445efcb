"""Convolution: columns of a block of images, and products of matrices by cuBLAS.

Columns are (N, C, KH, KW, OH, OW), so that ``W @ columns`` is the output as it lies in memory.
CuPy dropped its bindings to cuDNN with version 14.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cupy

from dezero.kernels.convolution import Geometry, geometry
from dezero.kernels.cuda.fused import elementwise, served

BLOCK = 1 << 27
"""How many numbers the columns of a block may have: half a gigabyte of float32."""

_SIZES = ", ".join(
    f"int32 {name}"
    for name in ("h", "w", "kh", "kw", "sh", "sw", "ph", "pw", "oh", "ow", "dh", "dw")
)
_im2col = elementwise(
    f"raw T x, {_SIZES}",
    "T column",
    """
    ptrdiff_t r = i;
    int ox = r % ow; r /= ow;
    int oy = r % oh; r /= oh;
    int kx = r % kw; r /= kw;
    int ky = r % kh; r /= kh;
    int iy = oy * sh - ph + ky * dh, ix = ox * sw - pw + kx * dw;
    bool inside = iy >= 0 && iy < h && ix >= 0 && ix < w;
    column = inside ? x[(r * h + iy) * w + ix] : T(0)""",
    "im2col",
)
_col2im = elementwise(
    f"raw T column, {_SIZES}",
    "T pixel",
    """
    ptrdiff_t r = i;
    int ix = r % w; r /= w;
    int iy = r % h; r /= h;
    T total = 0;
    for (int ky = 0; ky < kh; ky++) {
        int top = iy + ph - ky * dh, oy = top / sh;
        if (top < 0 || top % sh || oy >= oh) continue;
        for (int kx = 0; kx < kw; kx++) {
            int left = ix + pw - kx * dw, ox = left / sw;
            if (left < 0 || left % sw || ox >= ow) continue;
            total += column[(((r * kh + ky) * kw + kx) * oh + oy) * ow + ox];
        }
    }
    pixel = total""",
    "col2im",
)


def sizes_of(g: Geometry) -> tuple[int, ...]:
    """Return what the kernels of a convolution or pooling take besides arrays."""
    return (*g.size, *g.kernel, *g.stride, *g.pad, *g.out, *g.dilation)


def conv2d(
    x: Any,
    W: Any,
    b: Any = None,
    stride: Any = 1,
    pad: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Convolve images (N, C, H, W) with filters (O, C/groups, KH, KW)."""
    if not served(x, W):
        return NotImplemented
    g = geometry(x.shape[2:], W.shape[2:], stride, pad, dilation)
    y = cupy.empty((len(x), groups, len(W) // groups, g.out[0] * g.out[1]), x.dtype)
    for part in _blocks(len(x), x.shape[1], g):
        y[part] = _matrices(W, groups) @ _columns(x[part], g, groups)
    y = y.reshape(len(x), len(W), *g.out)
    return y if b is None else y + b.reshape(-1, 1, 1)


def conv2d_input_grad(
    gy: Any,
    W: Any,
    x_size: tuple[int, int],
    stride: Any = 1,
    pad: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Return the gradient of a convolution for its images."""
    if not served(gy, W):
        return NotImplemented
    g = geometry(x_size, W.shape[2:], stride, pad, dilation)
    channels = W.shape[1] * groups
    gx = cupy.empty((len(gy), channels, *x_size), gy.dtype)
    transposed = _matrices(W, groups).transpose(0, 2, 1)
    for part in _blocks(len(gy), channels, g):
        columns = transposed @ _by_group(gy[part], groups)
        _col2im(columns, *sizes_of(g), gx[part])
    return gx


def conv2d_weight_grad(
    x: Any,
    gy: Any,
    kernel_size: Any,
    stride: Any = 1,
    pad: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Return the gradient of a convolution for its filters."""
    if not served(x, gy):
        return NotImplemented
    g = geometry(x.shape[2:], kernel_size, stride, pad, dilation)
    shape = gy.shape[1], x.shape[1] // groups, *g.kernel
    gW = cupy.zeros((groups, shape[0] // groups, shape[1] * shape[2] * shape[3]), x.dtype)
    for part in _blocks(len(x), x.shape[1], g):
        columns, rows = _columns(x[part], g, groups), _by_group(gy[part], groups)
        for group in range(groups):
            pair = rows[:, group], columns[:, group]
            gW[group] += cupy.tensordot(*pair, axes=((0, 2), (0, 2)))
    return gW.reshape(shape)


def _matrices(W: Any, groups: int) -> Any:
    return W.reshape(groups, len(W) // groups, -1)


def _by_group(x: Any, groups: int) -> Any:
    """Return images (N, C, H, W) as (N, groups, C/groups, H*W)."""
    n, c, h, w = x.shape
    return x.reshape(n, groups, c // groups, h * w)


def _columns(x: Any, g: Geometry, groups: int) -> Any:
    """Return the columns (N, groups, C/groups*KH*KW, OH*OW) of images."""
    if g.kernel == g.stride == (1, 1) and g.pad == (0, 0):
        return _by_group(x, groups)
    n, c = x.shape[:2]
    columns = cupy.empty((n, c, *g.kernel, *g.out), x.dtype)
    _im2col(x, *sizes_of(g), columns)
    taps = c // groups * g.kernel[0] * g.kernel[1]
    return columns.reshape(n, groups, taps, g.out[0] * g.out[1])


def _blocks(count: int, channels: int, g: Geometry) -> Iterator[slice]:
    """Cut a batch into blocks of images whose columns fit."""
    one = channels * g.kernel[0] * g.kernel[1] * g.out[0] * g.out[1]
    step = max(1, BLOCK // max(1, one))
    return (slice(start, start + step) for start in range(0, count, step))
