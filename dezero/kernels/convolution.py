"""Convolution on arrays: the product of a weight matrix with the columns of the images.

``columns[(c, i, j), (n, oh, ow)] = x[n, c, oh*sh + i - ph, ow*sw + j - pw]`` turns a convolution
into one matrix product. The columns are KH*KW times as large as the images, so they are made for
a block of images (or of rows of one image) at a time, small enough to stay in the cache. A
dilated kernel takes every ``dilation``-th pixel of a larger window. In a grouped convolution each
group of channels has filters of its own, and the product is one of a stack of matrices.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from operator import index
from typing import Any, NamedTuple

import numpy as np

from dezero.cuda import get_array_module
from dezero.kernels.table import kernel

Array = Any
Pair = tuple[int, int]

BLOCK = 1 << 19
"""How many numbers the columns of one block may have: about the size of a second-level cache."""


def pair(x: Any) -> tuple[int, int]:
    """Return ``(x, x)`` for an integer, and a pair of integers as it is (step 57 of the book).

    Raises
    ------
    ValueError
        If ``x`` is neither an integer nor two integers.

    Examples
    --------
    >>> from dezero.utils import pair
    >>> pair(3), pair((3, 5))
    ((3, 3), (3, 5))
    """
    try:
        if isinstance(x, tuple | list):
            first, second = x
            return index(first), index(second)
        return index(x), index(x)
    except (TypeError, ValueError):
        raise ValueError(f"pair: got {x!r}; it wants an integer or a pair of integers") from None


def get_conv_outsize(input_size: int, kernel_size: int, stride: int, pad: int) -> int:
    """Return the height or width of a convolution's output: ``(size + 2 pad - k) // stride + 1``.

    Source: step 55 of the book.

    Examples
    --------
    >>> from dezero.utils import get_conv_outsize
    >>> get_conv_outsize(4, kernel_size=3, stride=1, pad=1)
    4
    """
    return (input_size + 2 * pad - kernel_size) // stride + 1


def get_deconv_outsize(size: int, k: int, s: int, p: int) -> int:
    """Return the height or width of a transposed convolution's output: ``s (size - 1) + k - 2 p``.

    Where several sizes would be convolved back to ``size``, this is the smallest. Source: the
    companion of step 55 of the book.

    Examples
    --------
    >>> from dezero.utils import get_deconv_outsize
    >>> get_deconv_outsize(2, k=3, s=2, p=0)
    5
    """
    return s * (size - 1) + k - 2 * p


class Geometry(NamedTuple):
    """The sizes of one convolution: of images, kernel, stride, padding, output and dilation."""

    size: Pair
    kernel: Pair
    stride: Pair
    pad: Pair
    out: Pair
    dilation: Pair = (1, 1)

    @property
    def padded(self) -> tuple[int, int]:
        """The height and width of an image together with its padding."""
        return self.size[0] + 2 * self.pad[0], self.size[1] + 2 * self.pad[1]

    @property
    def run(self) -> int:
        """How many columns stand for one row of the output.

        At stride 1 whole rows of padded images are copied in one go; the columns over the edge
        belong to no output and are dropped. Where they would be many, only true columns are made.
        """
        width = self.padded[1]
        flat = self.stride == (1, 1) and 3 * self.out[1] >= 2 * width
        return width if flat else self.out[1]

    @property
    def flat(self) -> bool:
        """Whether rows of columns run on from one to the next, as rows of the images do."""
        return self.stride == (1, 1) and self.run == self.padded[1]

    def blocks(self, n: int, channels: int) -> Iterator[tuple[slice, list[slice]]]:
        """Cut the work into blocks of images, each with the blocks of output rows to do."""
        row = max(1, channels * self.run)
        images = max(1, BLOCK // (row * self.out[0]))
        height = min(self.out[0], max(1, BLOCK // row))
        rows = [slice(r, min(r + height, self.out[0])) for r in range(0, self.out[0], height)]
        for start in range(0, n, images):
            yield slice(start, min(start + images, n)), rows


def geometry(size: Any, kernel_size: Any, stride: Any, pad: Any, dilation: Any = 1) -> Geometry:
    """Return the sizes of a convolution of images of ``size`` (height, width)."""
    return _geometry(*(pair(a) for a in (tuple(size), kernel_size, stride, pad, dilation)))


@functools.lru_cache(1 << 10)
def _geometry(size: Pair, kernel: Pair, step: Pair, border: Pair, spread: Pair) -> Geometry:
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, spread, strict=True)]
    high, wide = map(get_conv_outsize, size, spans, step, border)
    return Geometry(size, kernel, step, border, (high, wide), spread)


def with_pad(x: Array, g: Geometry, dtype: Any = None) -> Array:
    """Return ``x`` with its border of zeros; without padding ``x`` itself, not a copy."""
    (h, w), (ph, pw) = g.size, g.pad
    if ph == pw == 0:
        return x
    padded = np.zeros((*x.shape[:2], *g.padded), dtype or x.dtype, like=x)
    padded[:, :, ph : ph + h, pw : pw + w] = x
    return padded


def windows(x: Array, g: Geometry) -> Array:
    """View padded images as (N, C, KH, KW, OH, OW); nothing is copied."""
    sn, sc, sh, sw = x.strides
    shape = (*x.shape[:2], *g.kernel, *g.out)
    dh, dw = g.dilation
    strides = (sn, sc, sh * dh, sw * dw, sh * g.stride[0], sw * g.stride[1])
    return _strided(x, shape, strides)


def _strided(x: Array, shape: tuple[int, ...], strides: tuple[int, ...]) -> Array:
    if type(x) is np.ndarray:
        return np.lib.stride_tricks.as_strided(x, shape, strides, writeable=False)
    return get_array_module(x).lib.stride_tricks.as_strided(x, shape, strides)


class Columns:
    """Makes the columns of block after block in one buffer."""

    def __init__(self, g: Geometry, dtype: Any, like: Array) -> None:
        self.g = g
        self.buffer = np.zeros((), dtype, like=like)

    def of(self, x: Array, rows: slice) -> Array:
        """Return the columns (C*KH*KW, n*OH*run) of ``rows`` of the output, from padded images."""
        g, height, (dh, dw) = self.g, rows.stop - rows.start, self.g.dilation
        n, c = x.shape[:2]
        shape = (c, *g.kernel, n, height * g.run)
        if self.buffer.shape != shape:
            self.buffer = np.zeros_like(self.buffer, shape=shape)
        sn, sc, sh, sw = x.strides
        x = x[:, :, rows.start * g.stride[0] :]
        if g.flat and sh == sw * g.padded[1]:
            length = (height - 1) * g.run + g.out[1]
            strides = (sc, sh * dh, sw * dw, sn, sw)
            view = _strided(x, (*shape[:4], length), strides)
            self.buffer[..., :length] = view
        else:
            steps = (sc, sh * dh, sw * dw, sn, sh * g.stride[0], sw * g.stride[1])
            view = _strided(x, (*shape[:4], height, g.out[1]), steps)
            self.buffer.reshape(*shape[:4], height, g.run)[..., : g.out[1]] = view
        return self.buffer.reshape(c * g.kernel[0] * g.kernel[1], n * height * g.run)


class Rows:
    """Lays out blocks of an output-sized array as the matrix that goes with the columns."""

    def __init__(self, g: Geometry, dtype: Any, like: Array) -> None:
        self.g = g
        self.buffer = np.zeros((), dtype, like=like)

    def of(self, gy: Array) -> Array:
        """Return (O, n*OH*run) from (n, O, OH, OW), zeros where a column belongs to no output."""
        n, o, height, width = gy.shape
        shape = (o, n, height, self.g.run)
        if self.buffer.shape != shape:
            self.buffer = np.zeros_like(self.buffer, shape=shape)
        self.buffer[..., :width] = gy.transpose(1, 0, 2, 3)
        return self.buffer.reshape(o, n * height * self.g.run)


def _dtype_of(x: Array, W: Array) -> np.dtype[Any]:
    """Return the dtype to compute in: integers (images) take that of the other side."""
    floats = [a for a in (x, W) if a.dtype.kind == "f"]
    return np.result_type(*floats)


@kernel()
def conv2d(
    x: Array,
    W: Array,
    b: Array = None,
    stride: Any = 1,
    pad: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Array:
    """Convolve images (N, C, H, W) with filters (O, C/groups, KH, KW): (N, O, OH, OW)."""
    g = geometry(x.shape[2:], W.shape[2:], stride, pad, dilation)
    return _convolve(x, W, b, g, groups)


def _convolve(x: Array, W: Array, b: Array, g: Geometry, groups: int) -> Array:
    o = len(W)
    dtype = _dtype_of(x, W)
    matrices = _matrices(W, groups, dtype)
    if g.kernel == (1, 1) and g.pad == (0, 0):
        y = _pointwise(matrices, x, g)
    else:
        y = np.empty((len(x), o, *g.out), dtype, like=x)
        columns = Columns(g, dtype, x)
        for part, blocks in g.blocks(len(x), max(o, x.shape[1] * g.kernel[0] * g.kernel[1])):
            images = with_pad(x[part], g, dtype)
            for rows in blocks:
                product = matrices @ _stack(columns.of(images, rows), groups)
                grid = product.reshape(o, len(images), -1, g.run)
                y[part, :, rows] = grid[..., : g.out[1]].transpose(1, 0, 2, 3)
    return y if b is None else add_bias(y, b)


def _matrices(W: Array, groups: int, dtype: Any) -> Array:
    """Return filters (O, C/groups, KH, KW) as a stack of matrices, one of each group."""
    o, *rest = W.shape
    return W.reshape(groups, o // groups, math.prod(rest)).astype(dtype, copy=False)


def _stack(rows: Array, groups: int) -> Array:
    """Return a matrix as a stack of ``groups`` matrices, each of as many of its rows."""
    return rows.reshape(groups, len(rows) // groups, rows.shape[1])


def add_bias(y: Array, b: Array) -> Array:
    """Add a bias to each channel, in place where the dtype of ``y`` is wide enough."""
    out = y if type(b) is type(y) and np.result_type(y, b) == y.dtype else None
    return np.add(y, b.reshape(-1, 1, 1), out=out)


def _pointwise(matrices: Array, x: Array, g: Geometry) -> Array:
    """Convolve with a 1x1 kernel: the images are their own columns."""
    x = x[:, :, :: g.stride[0], :: g.stride[1]].astype(matrices.dtype, copy=False)
    groups, o, c = matrices.shape
    y = matrices @ x.reshape(len(x), groups, c, g.out[0] * g.out[1])
    return y.reshape(len(x), groups * o, *g.out)


@kernel()
def conv2d_input_grad(
    gy: Array,
    W: Array,
    x_size: tuple[int, int],
    stride: Any = 1,
    pad: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Array:
    """Return the gradient of a convolution for its images of ``x_size``: a transposed convolution.

    ``gy`` is (N, O, OH, OW), ``W`` (O, C/groups, KH, KW), the result (N, C, H, W). At stride 1 it
    is a convolution with the filters turned by 180 degrees, which makes O instead of C columns.
    """
    o, c = len(W), W.shape[1] * groups
    g = geometry(x_size, W.shape[2:], stride, pad, dilation)
    (ph, pw), (h, w) = g.pad, g.size
    rest = tuple(d * (k - 1) - p for k, p, d in zip(g.kernel, g.pad, g.dilation, strict=True))
    if g.stride == (1, 1) and min(rest) >= 0 and (o <= c or g.kernel == (1, 1)):
        back = geometry(gy.shape[2:], g.kernel, 1, rest, g.dilation)
        return _convolve(gy, turned(W, groups), None, back, groups)
    dtype = _dtype_of(gy, W)
    matrices = _matrices(W, groups, dtype).transpose(0, 2, 1)
    gx = np.zeros((len(gy), c, h, w), dtype, like=gy)
    layout = Rows(g, dtype, gy)
    for part, blocks in g.blocks(len(gy), max(o, c * g.kernel[0] * g.kernel[1])):
        block = gx[part]
        padded = np.zeros((len(block), c, *g.padded), dtype, like=gy) if ph or pw else block
        for rows in blocks:
            product = matrices @ _stack(layout.of(gy[part, :, rows]), groups)
            _add_columns(padded, product.reshape(c, *g.kernel, len(block), -1), rows, g)
        if padded is not block:
            block[:] = padded[:, :, ph : ph + h, pw : pw + w]
    return gx


def turned(W: Array, groups: int = 1) -> Array:
    """Return filters turned by 180 degrees, inputs and outputs of each group exchanged."""
    o, c, kh, kw = W.shape
    stack = np.flip(W, (2, 3)).reshape(groups, o // groups, c, kh, kw)
    return stack.transpose(0, 2, 1, 3, 4).reshape(groups * c, o // groups, kh, kw)


def _add_columns(padded: Array, columns: Array, rows: slice, g: Geometry) -> None:
    """Add columns (C, KH, KW, n, OH*run) of ``rows`` back to where they came from."""
    n, c = padded.shape[:2]
    (sh, sw), ow, height = g.stride, g.out[1], rows.stop - rows.start
    length = (height - 1) * g.run + ow
    line = padded.reshape(n, c, -1)
    grid = columns.reshape(*columns.shape[:4], height, g.run)
    for i, j in np.ndindex(g.kernel):
        down, right = i * g.dilation[0], j * g.dilation[1]
        if g.flat:
            start = (rows.start + down) * g.run + right
            line[:, :, start : start + length] += columns[:, i, j, :, :length].transpose(1, 0, 2)
        else:
            top = rows.start * sh + down
            part = padded[:, :, top : top + height * sh : sh, right : right + ow * sw : sw]
            part += grid[:, i, j].transpose(1, 0, 2, 3)


@kernel()
def conv2d_weight_grad(
    x: Array,
    gy: Array,
    kernel_size: Any,
    stride: Any = 1,
    pad: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Array:
    """Return the gradient of a convolution for its filters (O, C/groups, KH, KW)."""
    c, o = x.shape[1], gy.shape[1]
    g = geometry(x.shape[2:], kernel_size, stride, pad, dilation)
    dtype = _dtype_of(x, gy)
    taps = g.kernel[0] * g.kernel[1]
    gW = np.zeros((groups, o // groups, c // groups * taps), dtype, like=x)
    columns, layout = Columns(g, dtype, x), Rows(g, dtype, x)
    for part, blocks in g.blocks(len(x), max(o, c * taps)):
        images = with_pad(x[part], g, dtype)
        for rows in blocks:
            right = _stack(columns.of(images, rows), groups).transpose(0, 2, 1)
            gW += _stack(layout.of(gy[part, :, rows]), groups) @ right
    return gW.reshape(o, c // groups, *g.kernel)


@kernel(composed=True)
def channel_sum(gy: Array) -> Array:
    """Return the sum of (N, C, H, W) over images and places, the gradient of a bias: (C,)."""
    return np.sum(gy, axis=(0, 2, 3))


@kernel()
def im2col_array(
    img: Array, kernel_size: Any, stride: Any = 1, pad: Any = 0, to_matrix: bool = True
) -> Array:
    """Return the windows of images (N, C, H, W): see :func:`dezero.functions.im2col`."""
    g = geometry(img.shape[2:], kernel_size, stride, pad)
    view = windows(with_pad(img, g), g)
    if not to_matrix:
        return view.copy()
    (n, c), (kh, kw), (oh, ow) = img.shape[:2], g.kernel, g.out
    return view.transpose(0, 4, 5, 1, 2, 3).copy().reshape(n * oh * ow, c * kh * kw)


@kernel()
def col2im_array(
    col: Array,
    img_shape: tuple[int, ...],
    kernel_size: Any,
    stride: Any = 1,
    pad: Any = 0,
    to_matrix: bool = True,
) -> Array:
    """Add windows back into images of ``img_shape``: see :func:`dezero.functions.col2im`."""
    n, c, h, w = img_shape
    g = geometry((h, w), kernel_size, stride, pad)
    (kh, kw), (sh, sw), (ph, pw), (oh, ow) = g.kernel, g.stride, g.pad, g.out
    if to_matrix:
        col = col.reshape(n, oh, ow, c, kh, kw).transpose(0, 3, 4, 5, 1, 2)
    padded = np.zeros((n, c, *g.padded), col.dtype, like=col)
    for i, j in np.ndindex(kh, kw):
        padded[:, :, i : i + sh * oh : sh, j : j + sw * ow : sw] += col[:, :, i, j]
    if ph == pw == 0:
        return padded
    return padded[:, :, ph : ph + h, pw : pw + w].copy()
