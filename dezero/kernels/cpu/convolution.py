"""Convolution: which algorithm does it.

Winograd's for 3x3 filters at stride 1 on enough channels, one matrix product an image for 1x1
filters on few images, products over planes for all others.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.core import Config
from dezero.kernels.convolution import geometry
from dezero.kernels.cpu import depthwise, direct, direct_grad, winograd, winograd_grad
from dezero.kernels.cpu.jit import share_of
from dezero.kernels.cpu.shared import launch, shared
from dezero.kernels.products import product

CHANNELS = 16
"""Channels, in and out, from which on Winograd's algorithm is the quicker one."""
IMAGES = 8
"""Images up to which 1x1 filters are NumPy's products: a quarter to two fifths less time."""
TILES = 12
"""Tiles of 2x2 outputs from which on the points of the filters are worth their making."""


def conv2d(
    x: Any,
    W: Any,
    b: Any = None,
    stride: Any = 1,
    pad: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Convolve images (N, C, H, W) with filters (O, C/groups, KH, KW): (N, O, OH, OW)."""
    g = geometry(x.shape[2:], W.shape[2:], stride, pad, dilation)
    if not _served(x, W, *(() if b is None else (b,))) or min(g.out) < 1:
        return NotImplemented
    x, W = np.ascontiguousarray(x), np.ascontiguousarray(W)
    if _pointwise(g, groups, len(x)):
        return _product(W[:, :, 0, 0], x[:, :, :: g.stride[0], :: g.stride[1]], b)
    m = _tile(g, groups, len(W), W.shape[1], len(x), g.out)
    if m:
        return winograd.convolve(x, W, b, g.out, g.pad, False, m)
    if 1 < groups == x.shape[1]:
        return depthwise.convolve(x, W, b, g.out, g.stride, g.pad, g.dilation)
    return direct.convolve(x, W, b, g.out, g.stride, g.pad, g.dilation, groups)


def conv2d_input_grad(
    gy: Any, W: Any, x_size: Any, stride: Any = 1, pad: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """Return the gradient of a convolution for its images of ``x_size``."""
    g = geometry(x_size, W.shape[2:], stride, pad, dilation)
    if not _served(gy, W) or min(x_size) < 1:
        return NotImplemented
    gy, W = np.ascontiguousarray(gy), np.ascontiguousarray(W)
    if _pointwise(g, groups, len(gy)) and g.stride == (1, 1):
        return _product(W[:, :, 0, 0].T, gy, None)
    m = _tile(g, groups, len(W), W.shape[1], len(gy), x_size)
    rest = tuple(d * (k - 1) - p for k, p, d in zip(g.kernel, g.pad, g.dilation, strict=True))
    if 1 < groups == len(W) and g.stride == (1, 1) and min(rest) >= 0:
        flipped = np.ascontiguousarray(np.flip(W, (2, 3)))
        return depthwise.convolve(gy, flipped, None, tuple(x_size), g.stride, rest, g.dilation)
    if m and max(g.pad) <= 2:
        back = 2 - g.pad[0], 2 - g.pad[1]
        return winograd.convolve(gy, W, None, tuple(x_size), back, True, m)
    return direct.input_grad(gy, W, tuple(x_size), g.stride, g.pad, g.dilation, groups)


def conv2d_weight_grad(
    x: Any,
    gy: Any,
    kernel_size: Any,
    stride: Any = 1,
    pad: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Return the gradient of a convolution for its filters (O, C/groups, KH, KW)."""
    g = geometry(x.shape[2:], kernel_size, stride, pad, dilation)
    if not _served(x, gy) or not gy.size:
        return NotImplemented
    x, gy = np.ascontiguousarray(x), np.ascontiguousarray(gy)
    m = _tile(g, groups, gy.shape[1], x.shape[1], len(x), gy.shape[2:])
    if m:
        return winograd_grad.weight_grad(x, gy, g.pad, m)
    if 1 < groups == x.shape[1] and gy.shape[1] < 8 * groups:
        return depthwise.weight_grad(x, gy, g.kernel, g.stride, g.pad, g.dilation)
    return direct_grad.weight_grad(x, gy, g.kernel, g.stride, g.pad, g.dilation, groups)


def _pointwise(g: Any, groups: int, images: int) -> bool:
    """Whether filters see one pixel each, in few images."""
    return g.kernel == (1, 1) and g.pad == (0, 0) and groups == 1 and images <= IMAGES


def _product(W: Any, x: Any, b: Any) -> Any:
    """Return ``W @ x`` over the channels of every image."""
    n, c, *size = x.shape
    x = np.ascontiguousarray(x).reshape(n, c, -1)
    y = product(W, x[0]) if n == 1 else np.matmul(W, x)
    if b is not None:
        y += b[:, None]
    return y.reshape(n, -1, *size)


def _served(*arrays: Any) -> bool:
    """Whether compiled kernels serve these arrays: float32, none of them empty."""
    return all(type(a) is np.ndarray and a.dtype == np.float32 and a.size for a in arrays)


def _tile(g: Any, groups: int, o: int, c: int, n: int, out: Any) -> int:
    """Return the size of the tiles of Winograd's algorithm, 0 where it does not serve."""
    plain = g.kernel == (3, 3) and g.stride == g.dilation == (1, 1) and groups == 1
    if not plain or min(o, c) < CHANNELS or n * -(-out[0] // 2) * -(-out[1] // 2) < TILES:
        return 0
    return 4 if getattr(Config, "fast_winograd", False) and min(out) > 2 else 2


def channel_sum(gy: Any) -> Any:
    """Return the sum of each channel of (N, C, H, W): (C,)."""
    if not _served(gy):
        return NotImplemented
    n, c = gy.shape[:2]
    total = np.empty(c, np.float32)
    flat = np.ascontiguousarray(gy).reshape(n, c, gy.size // (n * c))
    launch(_channel_sum, flat, total, work=gy.size)
    return total


@shared
def _channel_sum(gy: Any, total: Any, t: int, n: int) -> None:
    start, stop = share_of(gy.shape[1], t, n)
    for c in range(start, stop):
        whole = np.float64(0)  # the sum over images loses nothing
        for i in range(gy.shape[0]):
            row, part = gy[i, c], np.float32(0)
            for j in range(row.size):
                part += row[j]
            whole += part
        total[c] = whole
