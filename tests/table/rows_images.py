"""Rows: convolution and pooling, against loops over every window."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from dezero.core import Variable, using_config
from dezero.functions_conv import Pooling, Pooling2DGrad

from .cases import Case, Fixed, Kink, Row, interval


def pair(x: Any) -> tuple[int, int]:
    return (x, x) if isinstance(x, int) else tuple(x)


def out_size(size: Any, kernel: Any, stride: Any, pad: Any) -> tuple[int, ...]:
    return tuple(
        (n + 2 * p - k) // s + 1 for n, k, s, p in zip(size, kernel, stride, pad, strict=True)
    )


def padded(x, pad, value=0.0):
    ph, pw = pad
    return np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=value)


def windows(x, kernel_size, stride, pad, value=0.0) -> Iterator[tuple[int, int, np.ndarray]]:
    """Yield each window (N, C, KH, KW) of the padded images with its place in the output."""
    (kh, kw), (sh, sw), pad = pair(kernel_size), pair(stride), pair(pad)
    oh, ow = out_size(x.shape[2:], (kh, kw), (sh, sw), pad)
    x = padded(x, pad, value)
    for i, j in product(range(oh), range(ow)):
        yield i, j, x[:, :, i * sh : i * sh + kh, j * sw : j * sw + kw]


def grid(x, depth, kernel_size, stride, pad):
    size = out_size(x.shape[2:], pair(kernel_size), pair(stride), pair(pad))
    return np.zeros((x.shape[0], depth, *size), x.dtype)


def conv2d(x, W, b=None, stride=1, pad=0):
    y = grid(x, len(W), W.shape[2:], stride, pad)
    for i, j, window in windows(x, W.shape[2:], stride, pad):
        y[:, :, i, j] = np.einsum("nckl,ockl->no", window, W)
    return y if b is None else y + b[:, None, None]


def deconv2d(x, W, b=None, stride=1, pad=0, outsize=None):
    (sh, sw), (ph, pw), (kh, kw) = pair(stride), pair(pad), W.shape[2:]
    n, _, h, w = x.shape
    smallest = (sh * (h - 1) + kh - 2 * ph, sw * (w - 1) + kw - 2 * pw)
    oh, ow = smallest if outsize is None else pair(outsize)
    big = np.zeros(
        (n, W.shape[1], max(oh, smallest[0]) + 2 * ph + kh, max(ow, smallest[1]) + 2 * pw + kw),
        x.dtype,
    )
    for i, j in product(range(h), range(w)):
        big[:, :, i * sh : i * sh + kh, j * sw : j * sw + kw] += np.einsum(
            "nc,cokl->nokl", x[:, :, i, j], W
        )
    y = big[:, :, ph : ph + oh, pw : pw + ow]
    return y if b is None else y + b[:, None, None]


def im2col(x, kernel_size, stride=1, pad=0, to_matrix=True):
    n, c = x.shape[:2]
    kh, kw = pair(kernel_size)
    oh, ow = out_size(x.shape[2:], (kh, kw), pair(stride), pair(pad))
    col = np.zeros((n, c, kh, kw, oh, ow), x.dtype)
    for i, j, window in windows(x, kernel_size, stride, pad):
        col[..., i, j] = window
    return col.transpose(0, 4, 5, 1, 2, 3).reshape(n * oh * ow, c * kh * kw) if to_matrix else col


def col2im(col, input_shape, kernel_size, stride=1, pad=0, to_matrix=True):
    n, c, h, w = input_shape
    (kh, kw), (sh, sw), (ph, pw) = pair(kernel_size), pair(stride), pair(pad)
    oh, ow = out_size((h, w), (kh, kw), (sh, sw), (ph, pw))
    if to_matrix:
        col = col.reshape(n, oh, ow, c, kh, kw).transpose(0, 3, 4, 5, 1, 2)
    image = np.zeros((n, c, h + 2 * ph, w + 2 * pw), col.dtype)
    for i, j in product(range(oh), range(ow)):
        image[:, :, i * sh : i * sh + kh, j * sw : j * sw + kw] += col[..., i, j]
    return image[:, :, ph : ph + h, pw : pw + w]


def max_pooling(x, kernel_size, stride=1, pad=0):
    y = grid(x, x.shape[1], kernel_size, stride, pad)
    for i, j, window in windows(x, kernel_size, stride, pad, -np.inf):
        y[:, :, i, j] = window.max((2, 3))
    return y


def average_pooling(x, kernel_size, stride=1, pad=0):
    y = grid(x, x.shape[1], kernel_size, stride, pad)
    for i, j, window in windows(x, kernel_size, stride, pad):
        y[:, :, i, j] = window.mean((2, 3))
    return y


def convolutions(rng: np.random.Generator) -> Iterator[Case]:
    for x, W, bias, kwargs in [
        ((2, 3, 5, 4), (2, 3, 3, 2), True, {}),
        ((2, 2, 5, 5), (3, 2, 3, 3), True, {"stride": 2, "pad": 1}),
        ((1, 2, 6, 5), (2, 2, 2, 3), False, {"stride": (2, 3), "pad": (1, 0)}),
        ((2, 3, 4, 4), (4, 3, 1, 1), True, {}),
        ((2, 2, 3, 3), (2, 2, 3, 3), False, {}),
        ((1, 1, 7, 6), (1, 1, 2, 2), False, {"stride": 3}),
        ((2, 2, 4, 4), (2, 2, 1, 1), False, {"stride": 2}),
        ((1, 2, 4, 4), (2, 2, 3, 3), False, {"pad": 2}),
        ((0, 2, 4, 4), (3, 2, 3, 3), True, {}),
    ]:
        bs = [interval(rng, -1, 1, W[0])] if bias else []
        yield Case(interval(rng, -1, 1, x), interval(rng, -1, 1, W), *bs, **kwargs)


def transposed(rng: np.random.Generator) -> Iterator[Case]:
    for x, W, bias, kwargs in [
        ((2, 3, 3, 4), (3, 2, 3, 2), True, {}),
        ((2, 2, 3, 3), (2, 3, 3, 3), True, {"stride": 2, "pad": 1}),
        ((1, 2, 3, 2), (2, 2, 2, 3), False, {"stride": (2, 3), "pad": (1, 0)}),
        ((1, 2, 3, 3), (2, 2, 3, 3), True, {"stride": 2, "pad": 1, "outsize": (6, 6)}),
        ((1, 2, 2, 2), (2, 1, 2, 2), False, {"stride": 3, "outsize": (6, 7)}),
        ((0, 2, 3, 3), (2, 2, 2, 2), True, {}),
    ]:
        bs = [interval(rng, -1, 1, W[1])] if bias else []
        yield Case(interval(rng, -1, 1, x), interval(rng, -1, 1, W), *bs, **kwargs)


WINDOWS: list[tuple[tuple[int, ...], Any, dict[str, Any]]] = [
    ((2, 3, 5, 4), 2, {}),
    ((2, 2, 6, 6), 2, {"stride": 2}),
    ((1, 2, 5, 6), (3, 2), {"stride": (2, 1), "pad": (1, 0)}),
    ((2, 1, 5, 5), 3, {"stride": 2, "pad": 1}),
    ((1, 2, 7, 7), 2, {"stride": 3}),
    ((1, 1, 4, 4), 1, {}),
    ((0, 2, 4, 4), 2, {}),
]


def images(rng: np.random.Generator) -> Iterator[Case]:
    for shape, kernel_size, kwargs in WINDOWS:
        yield Case(interval(rng, -2, 2, shape), kernel_size, **kwargs)


def images_off_ties(rng: np.random.Generator) -> Iterator[Case]:
    for shape, kernel_size, kwargs in WINDOWS:
        x = rng.permutation(int(np.prod(shape))).reshape(shape) * 0.1 - 5.0
        yield Case(x, kernel_size, **kwargs)


def to_columns(rng: np.random.Generator) -> Iterator[Case]:
    for case in images(rng):
        yield case
        yield Case(*case.args, to_matrix=False, **case.kwargs)


def columns(rng: np.random.Generator) -> Iterator[Case]:
    for case in to_columns(rng):
        x, kernel_size = case.args
        col = im2col(x, kernel_size, **case.kwargs)
        yield Case(interval(rng, -1, 1, col.shape), x.shape, kernel_size, **case.kwargs)


def places(rng: np.random.Generator) -> Iterator[Case]:
    """Return cases for the gradient of a pooling: of its result, for fixed images."""
    for case in images_off_ties(rng):
        x, kernel_size = case.args
        y = max_pooling(x, kernel_size, **case.kwargs)
        yield Case(Fixed(x), interval(rng, -1, 1, y.shape), kernel_size, **case.kwargs)


def write(x, gy, kernel_size, stride=1, pad=0):
    """Add each of ``gy`` to the place of ``x`` that won its window."""
    columns = im2col(padded(x, pair(pad), -np.inf), kernel_size, stride, 0, False)
    n, c, kh, kw, oh, ow = columns.shape
    winners = columns.reshape(n, c, kh * kw, oh, ow).argmax(2)
    spread = np.where(np.arange(kh * kw)[:, None, None] == winners[:, :, None], gy[:, :, None], 0)
    return col2im(spread.reshape(columns.shape), x.shape, kernel_size, stride, pad, False)


def pool_of(kind, x, *window, **kwargs):
    with using_config("enable_backprop", True):
        pool = kind(*window, **kwargs)
        pool(Variable(x))
    return pool


TIE = np.array([[[[1.0, 1.0, 0.0], [1.0, 1.0, 0.0]]]])

ROWS = [
    Row("conv2d", conv2d, convolutions, orders=3),
    Row("conv2d_simple", conv2d, convolutions, through_views=True),
    Row("deconv2d", deconv2d, transposed, orders=3),
    Row("im2col", im2col, to_columns),
    Row("col2im", col2im, columns),
    Row(
        "pooling",
        max_pooling,
        images_off_ties,
        kinks=(Kink(Case(TIE, 2), [[[[2.0, 3.0]]]], ([[[[2.0, 3.0, 0.0], [0.0, 0.0, 0.0]]]],)),),
    ),
    Row("pooling_simple", max_pooling, images_off_ties),
    Row("average_pooling", average_pooling, images),
    Row(
        "Pooling2DGrad",
        write,
        places,
        call=lambda x, gy, *w, **kw: Pooling2DGrad(pool_of(Pooling, x, *w, **kw))(gy),
    ),
]
