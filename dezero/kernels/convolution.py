"""Convolution on arrays: the product of a weight matrix with the columns of the images.

``columns[(c, i, j), (n, oh, ow)] = x[n, c, oh*sh + i - ph, ow*sw + j - pw]`` turns a convolution
into one matrix product. The columns are KH*KW times as large as the images, so they are made for
a block of images (or of rows of one image) at a time, small enough to stay in the cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import index
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from dezero.core import dispatched

Array = Any

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
    """The sizes of one convolution: of images, kernel, stride, padding and output."""

    size: tuple[int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int]
    pad: tuple[int, int]
    out: tuple[int, int]

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


def geometry(size: Any, kernel_size: Any, stride: Any, pad: Any) -> Geometry:
    """Return the sizes of a convolution of images of ``size`` (height, width)."""
    (h, w), (kh, kw), (sh, sw), (ph, pw) = size, pair(kernel_size), pair(stride), pair(pad)
    out = get_conv_outsize(h, kh, sh, ph), get_conv_outsize(w, kw, sw, pw)
    return Geometry((h, w), (kh, kw), (sh, sw), (ph, pw), out)


def with_pad(x: Array, g: Geometry, dtype: Any = None) -> Array:
    """Return ``x`` with its border of zeros; without padding ``x`` itself, not a copy."""
    (h, w), (ph, pw) = g.size, g.pad
    if ph == pw == 0:
        return x
    padded = np.zeros((*x.shape[:2], *g.padded), dtype or x.dtype)
    padded[:, :, ph : ph + h, pw : pw + w] = x
    return padded


def windows(x: Array, g: Geometry) -> Array:
    """View padded images as (N, C, KH, KW, OH, OW); nothing is copied."""
    sn, sc, sh, sw = x.strides
    shape = (*x.shape[:2], *g.kernel, *g.out)
    strides = (sn, sc, sh, sw, sh * g.stride[0], sw * g.stride[1])
    return as_strided(x, shape, strides, writeable=False)


class Columns:
    """Makes the columns of block after block in one buffer."""

    def __init__(self, g: Geometry, dtype: Any) -> None:
        self.g = g
        self.dtype = dtype
        self.buffer = np.zeros((), dtype)

    def of(self, x: Array, rows: slice) -> Array:
        """Return the columns (C*KH*KW, n*OH*run) of ``rows`` of the output, from padded images."""
        g, height = self.g, rows.stop - rows.start
        n, c = x.shape[:2]
        shape = (c, *g.kernel, n, height * g.run)
        if self.buffer.shape != shape:
            self.buffer = np.zeros(shape, self.dtype)
        sn, sc, sh, sw = x.strides
        x = x[:, :, rows.start * g.stride[0] :]
        if g.flat and sh == sw * g.padded[1]:
            length = (height - 1) * g.run + g.out[1]
            view = as_strided(x, (*shape[:4], length), (sc, sh, sw, sn, sw), writeable=False)
            self.buffer[..., :length] = view
        else:
            strides = (sc, sh, sw, sn, sh * g.stride[0], sw * g.stride[1])
            view = as_strided(x, (*shape[:4], height, g.out[1]), strides, writeable=False)
            self.buffer.reshape(*shape[:4], height, g.run)[..., : g.out[1]] = view
        return self.buffer.reshape(c * g.kernel[0] * g.kernel[1], n * height * g.run)


class Rows:
    """Lays out blocks of an output-sized array as the matrix that goes with the columns."""

    def __init__(self, g: Geometry, dtype: Any) -> None:
        self.g = g
        self.dtype = dtype
        self.buffer = np.zeros((), dtype)

    def of(self, gy: Array) -> Array:
        """Return (O, n*OH*run) from (n, O, OH, OW), zeros where a column belongs to no output."""
        n, o, height, width = gy.shape
        shape = (o, n, height, self.g.run)
        if self.buffer.shape != shape:
            self.buffer = np.zeros(shape, self.dtype)
        self.buffer[..., :width] = gy.transpose(1, 0, 2, 3)
        return self.buffer.reshape(o, n * height * self.g.run)


def _dtype_of(x: Array, W: Array) -> np.dtype[Any]:
    """Return the dtype to compute in: integers (images) take that of the other side."""
    floats = [a for a in (x, W) if a.dtype.kind == "f"]
    return np.result_type(*floats)


@dispatched
def conv2d(x: Array, W: Array, b: Array = None, stride: Any = 1, pad: Any = 0) -> Array:
    """Convolve images (N, C, H, W) with filters (O, C, KH, KW): (N, O, OH, OW)."""
    o = len(W)
    g = geometry(x.shape[2:], W.shape[2:], stride, pad)
    dtype = _dtype_of(x, W)
    matrix = W.reshape(o, -1).astype(dtype, copy=False)
    if g.kernel == (1, 1) and g.pad == (0, 0):
        y = _pointwise(matrix, x, g)
    else:
        y = np.empty((len(x), o, *g.out), dtype)
        columns = Columns(g, dtype)
        for part, blocks in g.blocks(len(x), max(o, matrix.shape[1])):
            images = with_pad(x[part], g, dtype)
            for rows in blocks:
                product = (matrix @ columns.of(images, rows)).reshape(o, len(images), -1, g.run)
                y[part, :, rows] = product[..., : g.out[1]].transpose(1, 0, 2, 3)
    if b is None:
        return y
    return add_bias(y, b)


def add_bias(y: Array, b: Array) -> Array:
    """Add a bias to each channel, in place where the dtype of ``y`` is wide enough."""
    out = y if np.result_type(y, b) == y.dtype else None
    return np.add(y, b.reshape(-1, 1, 1), out=out)


def _pointwise(matrix: Array, x: Array, g: Geometry) -> Array:
    """Convolve with a 1x1 kernel: the images are their own columns."""
    x = x[:, :, :: g.stride[0], :: g.stride[1]].astype(matrix.dtype, copy=False)
    y = matrix @ x.reshape(*x.shape[:2], g.out[0] * g.out[1])
    return y.reshape(len(x), len(matrix), *g.out)


@dispatched
def conv2d_input_grad(
    gy: Array, W: Array, x_size: tuple[int, int], stride: Any = 1, pad: Any = 0
) -> Array:
    """Return the gradient of a convolution for its images of ``x_size``: a transposed convolution.

    ``gy`` is (N, O, OH, OW), ``W`` (O, C, KH, KW), the result (N, C, H, W). At stride 1 it is a
    convolution with the filters turned by 180 degrees, which makes O instead of C columns.
    """
    o, c, *kernel = W.shape
    g = geometry(x_size, kernel, stride, pad)
    (ph, pw), (h, w) = g.pad, g.size
    rest = g.kernel[0] - 1 - ph, g.kernel[1] - 1 - pw
    if g.stride == (1, 1) and min(rest) >= 0 and (o <= c or g.kernel == (1, 1)):
        return conv2d(gy, np.flip(W, (2, 3)).transpose(1, 0, 2, 3), None, 1, rest)
    dtype = _dtype_of(gy, W)
    matrix = W.reshape(o, -1).T.astype(dtype, copy=False)
    gx = np.zeros((len(gy), c, h, w), dtype)
    layout = Rows(g, dtype)
    for part, blocks in g.blocks(len(gy), max(o, len(matrix))):
        block = gx[part]
        padded = np.zeros((len(block), c, *g.padded), dtype) if ph or pw else block
        for rows in blocks:
            product = matrix @ layout.of(gy[part, :, rows])
            _add_columns(padded, product.reshape(c, *kernel, len(block), -1), rows, g)
        if padded is not block:
            block[:] = padded[:, :, ph : ph + h, pw : pw + w]
    return gx


def _add_columns(padded: Array, columns: Array, rows: slice, g: Geometry) -> None:
    """Add columns (C, KH, KW, n, OH*run) of ``rows`` back to where they came from."""
    n, c = padded.shape[:2]
    (sh, sw), ow, height = g.stride, g.out[1], rows.stop - rows.start
    length = (height - 1) * g.run + ow
    line = padded.reshape(n, c, -1)
    grid = columns.reshape(*columns.shape[:4], height, g.run)
    for i, j in np.ndindex(g.kernel):
        if g.flat:
            start = (rows.start + i) * g.run + j
            line[:, :, start : start + length] += columns[:, i, j, :, :length].transpose(1, 0, 2)
        else:
            top = rows.start * sh + i
            part = padded[:, :, top : top + height * sh : sh, j : j + ow * sw : sw]
            part += grid[:, i, j].transpose(1, 0, 2, 3)


@dispatched
def conv2d_weight_grad(
    x: Array, gy: Array, kernel_size: Any, stride: Any = 1, pad: Any = 0
) -> Array:
    """Return the gradient of a convolution for its filters (O, C, KH, KW)."""
    c, o = x.shape[1], gy.shape[1]
    g = geometry(x.shape[2:], kernel_size, stride, pad)
    dtype = _dtype_of(x, gy)
    gW = np.zeros((o, c * g.kernel[0] * g.kernel[1]), dtype)
    columns, layout = Columns(g, dtype), Rows(g, dtype)
    for part, blocks in g.blocks(len(x), max(o, gW.shape[1])):
        images = with_pad(x[part], g, dtype)
        for rows in blocks:
            gW += layout.of(gy[part, :, rows]) @ columns.of(images, rows).T
    return gW.reshape(o, c, *g.kernel)


@dispatched
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


@dispatched
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
    padded = np.zeros((n, c, *g.padded), col.dtype)
    for i, j in np.ndindex(kh, kw):
        padded[:, :, i : i + sh * oh : sh, j : j + sw * ow : sw] += col[:, :, i, j]
    return np.ascontiguousarray(padded[:, :, ph : ph + h, pw : pw + w])
