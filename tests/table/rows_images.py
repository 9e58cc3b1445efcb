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


def conv2d(x, W, b=None, stride=1, pad=0, dilation=1, groups=1):
    (dh, dw), (kh, kw) = pair(dilation), W.shape[2:]
    extent = (dh * (kh - 1) + 1, dw * (kw - 1) + 1)
    y = grid(x, len(W), extent, stride, pad)
    parts = [np.split(a, groups, axis) for a, axis in ((x, 1), (W, 0), (y, 1))]
    for part, weights, out in zip(*parts, strict=True):
        for i, j, window in windows(part, extent, stride, pad):
            out[:, :, i, j] = np.einsum("nckl,ockl->no", window[:, :, ::dh, ::dw], weights)
    return y if b is None else y + b[:, None, None]


def deconv2d(x, W, b=None, stride=1, pad=0, outsize=None, dilation=1, groups=1):
    (sh, sw), (ph, pw), (dh, dw) = pair(stride), pair(pad), pair(dilation)
    n, _, h, w = x.shape
    kh, kw = dh * (W.shape[2] - 1) + 1, dw * (W.shape[3] - 1) + 1
    smallest = (sh * (h - 1) + kh - 2 * ph, sw * (w - 1) + kw - 2 * pw)
    oh, ow = smallest if outsize is None else pair(outsize)
    o = W.shape[1]
    big = np.zeros(
        (n, o * groups, max(oh, smallest[0]) + 2 * ph + kh, max(ow, smallest[1]) + 2 * pw + kw),
        x.dtype,
    )
    parts = [np.split(a, groups, axis) for a, axis in ((x, 1), (W, 0), (big, 1))]
    for part, weights, out in zip(*parts, strict=True):
        for i, j in product(range(h), range(w)):
            out[:, :, i * sh : i * sh + kh : dh, j * sw : j * sw + kw : dw] += np.einsum(
                "nc,cokl->nokl", part[:, :, i, j], weights
            )
    y = big[:, :, ph : ph + oh, pw : pw + ow]
    return y if b is None else y + b[:, None, None]


def conv1d(x, W, b=None, stride=1, pad=0, dilation=1, groups=1):
    window = (1, stride), (0, pad), (1, dilation), groups
    return conv2d(x[:, :, None], W[:, :, None], b, *window)[:, :, 0]


def deconv1d(x, W, b=None, stride=1, pad=0, outsize=None, dilation=1, groups=1):
    size = None if outsize is None else (1, outsize)
    window = (1, stride), (0, pad), size, (1, dilation), groups
    return deconv2d(x[:, :, None], W[:, :, None], b, *window)[:, :, 0]


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


def max_pooling1d(x, kernel_size, stride=1, pad=0):
    return max_pooling(x[:, :, None], (1, kernel_size), (1, stride), (0, pad))[:, :, 0]


def average_pooling1d(x, kernel_size, stride=1, pad=0):
    return average_pooling(x[:, :, None], (1, kernel_size), (1, stride), (0, pad))[:, :, 0]


def global_average_pooling(x):
    return x.mean(axis=tuple(range(2, x.ndim)))


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


def general_convolutions(rng: np.random.Generator) -> Iterator[Case]:
    """Return the cases of the book, and dilated and grouped ones."""
    yield from convolutions(rng)
    for x, W, kwargs in [
        ((2, 2, 6, 7), (3, 2, 3, 2), {"dilation": 2, "pad": 1}),
        ((1, 2, 7, 6), (2, 2, 2, 3), {"dilation": (3, 2), "stride": (2, 1)}),
        ((2, 4, 4, 5), (6, 2, 3, 3), {"groups": 2, "pad": 1}),
        ((2, 3, 5, 4), (3, 1, 3, 3), {"groups": 3, "stride": 2, "pad": 1}),  # depthwise
        ((1, 2, 4, 4), (4, 1, 2, 2), {"groups": 2, "dilation": 2}),
        ((2, 4, 3, 3), (2, 2, 1, 1), {"groups": 2}),
    ]:
        b = interval(rng, -1, 1, W[0])
        yield Case(interval(rng, -1, 1, x), interval(rng, -1, 1, W), b, **kwargs)


def transposed(rng: np.random.Generator) -> Iterator[Case]:
    for x, W, bias, kwargs in [
        ((2, 3, 3, 4), (3, 2, 3, 2), True, {}),
        ((2, 2, 3, 3), (2, 3, 3, 3), True, {"stride": 2, "pad": 1}),
        ((1, 2, 3, 2), (2, 2, 2, 3), False, {"stride": (2, 3), "pad": (1, 0)}),
        ((1, 2, 3, 3), (2, 2, 3, 3), True, {"stride": 2, "pad": 1, "outsize": (6, 6)}),
        ((1, 2, 2, 2), (2, 1, 2, 2), False, {"stride": 3, "outsize": (6, 7)}),
        ((0, 2, 3, 3), (2, 2, 2, 2), True, {}),
        ((1, 2, 3, 2), (2, 2, 3, 2), True, {"dilation": 2, "stride": 2, "pad": 1}),
        ((2, 4, 3, 3), (4, 1, 3, 2), True, {"groups": 2}),
        ((1, 2, 2, 3), (2, 2, 2, 2), True, {"groups": 2, "outsize": (4, 6), "stride": 2}),
    ]:
        bs = [interval(rng, -1, 1, W[1] * kwargs.get("groups", 1))] if bias else []
        yield Case(interval(rng, -1, 1, x), interval(rng, -1, 1, W), *bs, **kwargs)


def signal_convolutions(rng: np.random.Generator) -> Iterator[Case]:
    for x, W, bias, kwargs in [
        ((2, 3, 7), (2, 3, 3), True, {}),
        ((2, 2, 8), (3, 2, 3), True, {"stride": 2, "pad": 1}),
        ((1, 2, 9), (2, 2, 3), False, {"dilation": 2, "pad": 2}),
        ((2, 4, 6), (4, 1, 2), True, {"groups": 4}),
        ((0, 2, 6), (4, 2, 1), True, {}),
    ]:
        bs = [interval(rng, -1, 1, W[0])] if bias else []
        yield Case(interval(rng, -1, 1, x), interval(rng, -1, 1, W), *bs, **kwargs)


def transposed_signals(rng: np.random.Generator) -> Iterator[Case]:
    for x, W, bias, kwargs in [
        ((2, 3, 4), (3, 2, 3), True, {}),
        ((2, 2, 4), (2, 3, 3), True, {"stride": 2, "pad": 1, "outsize": 8}),
        ((1, 2, 4), (2, 2, 3), False, {"dilation": 2, "stride": 3}),
        ((2, 4, 3), (4, 2, 2), False, {"groups": 2}),
    ]:
        bs = [interval(rng, -1, 1, W[1] * kwargs.get("groups", 1))] if bias else []
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


LINES: list[tuple[tuple[int, ...], int, dict[str, Any]]] = [
    ((2, 3, 7), 2, {}),
    ((1, 2, 8), 3, {"stride": 2, "pad": 1}),
    ((2, 1, 5), 5, {}),
    ((0, 2, 4), 2, {}),
]


def signals(rng: np.random.Generator) -> Iterator[Case]:
    for shape, kernel_size, kwargs in LINES:
        x = rng.permutation(int(np.prod(shape))).reshape(shape) * 0.1 - 2.0
        yield Case(x, kernel_size, **kwargs)


def whole(rng: np.random.Generator) -> Iterator[Case]:
    for shape in [(2, 3, 4, 5), (1, 2, 1, 1), (2, 3, 6), (0, 2, 3, 3)]:
        yield Case(interval(rng, -2, 2, shape))


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
    Row("conv2d", conv2d, general_convolutions, orders=3),
    Row("conv2d_simple", conv2d, convolutions, through_views=True),
    Row("deconv2d", deconv2d, transposed, orders=3),
    Row("conv1d", conv1d, signal_convolutions, orders=3, through_views=True),
    Row("deconv1d", deconv1d, transposed_signals, orders=3, through_views=True),
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
    Row("pooling1d", max_pooling1d, signals, through_views=True),
    Row("average_pooling1d", average_pooling1d, signals, through_views=True),
    Row("global_average_pooling", global_average_pooling, whole),
    Row(
        "Pooling2DGrad",
        write,
        places,
        call=lambda x, gy, *w, **kw: Pooling2DGrad(pool_of(Pooling, x, *w, **kw))(gy),
    ),
]
