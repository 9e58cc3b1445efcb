"""Pooling: the largest value, or the mean, of each window of an image (step 57 of the book).

Max pooling reads its input at the places that won, and its gradient writes to the same places.
Reading and writing are linear and carry each other's gradients, so derivatives of any order exist.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.core import Config, Primitive, Variable, implements
from dezero.functions.convolution import im2col
from dezero.functions.image_checks import check_fits, check_images, check_pair, check_window
from dezero.functions.reductions import average
from dezero.kernels import pooling as kernels
from dezero.kernels.convolution import geometry, im2col_array


class Pooling(Primitive):
    """The largest value of each window."""

    indexes: Any
    x_size: tuple[int, int]

    def __init__(self, kernel_size: Any, stride: Any = 1, pad: Any = 0) -> None:
        self.kernel_size, self.stride, self.pad = _window("pooling", kernel_size, stride, pad)

    def forward(self, x: Any) -> Any:
        """Return the maxima, and remember which place of each window won."""
        check_images("pooling", "x", x)
        check_fits("pooling", x.shape, self.kernel_size, self.stride, self.pad)
        window = self.kernel_size, self.stride, self.pad
        if not Config.enable_backprop:
            return kernels.max_pooling(x, *window)
        self.x_size = x.shape[2:]
        y, self.indexes = kernels.max_pooling_with_winners(x, *window)
        return y

    def gx(self, gy: Any) -> Any:
        """Give each window's gradient to its winner."""
        return kernels.pool_scatter(
            gy, self.indexes, self.x_size, self.kernel_size, self.stride, self.pad
        )


class Pooling2DGrad(Primitive):
    """The gradient of a Pooling, ``mpool2d``: values are added to the places that won."""

    def __init__(self, mpool2d: Pooling) -> None:
        self.mpool2d = mpool2d

    def forward(self, gy: Any) -> Any:
        """Write."""
        p = self.mpool2d
        return kernels.pool_scatter(gy, p.indexes, p.x_size, p.kernel_size, p.stride, p.pad)

    def ggy(self, ggx: Any) -> Any:
        """Read."""
        p = self.mpool2d
        return kernels.pool_gather(ggx, p.indexes, p.kernel_size, p.stride, p.pad)


class Pooling2DWithIndexes(Primitive):
    """What an input holds at the places that won a Pooling, ``mpool2d``, of another."""

    def __init__(self, mpool2d: Pooling) -> None:
        self.mpool2d = mpool2d

    def forward(self, x: Any) -> Any:
        """Read."""
        p = self.mpool2d
        return kernels.pool_gather(x, p.indexes, p.kernel_size, p.stride, p.pad)

    def gx(self, gy: Any) -> Any:
        """Write."""
        p = self.mpool2d
        return kernels.pool_scatter(gy, p.indexes, p.x_size, p.kernel_size, p.stride, p.pad)


class AveragePooling(Primitive):
    """The mean of each window."""

    x_size: tuple[int, int]

    def __init__(self, kernel_size: Any, stride: Any = 1, pad: Any = 0) -> None:
        self.kernel_size, self.stride, self.pad = _window(
            "average_pooling", kernel_size, stride, pad
        )

    def forward(self, x: Any) -> Any:
        """Return the means."""
        check_images("average_pooling", "x", x)
        check_fits("average_pooling", x.shape, self.kernel_size, self.stride, self.pad)
        self.x_size = x.shape[2:]
        return kernels.average_pooling(x, self.kernel_size, self.stride, self.pad)

    def gx(self, gy: Any) -> Any:
        """Spread each window's gradient evenly."""
        return kernels.average_pooling_grad(
            gy, self.x_size, self.kernel_size, self.stride, self.pad
        )


class AveragePoolingGrad(Primitive):
    """The gradient of an AveragePooling, ``pool``."""

    def __init__(self, pool: AveragePooling) -> None:
        self.pool = pool

    def forward(self, gy: Any) -> Any:
        """Spread."""
        p = self.pool
        return kernels.average_pooling_grad(gy, p.x_size, p.kernel_size, p.stride, p.pad)

    def ggy(self, ggx: Any) -> Any:
        """Average."""
        p = self.pool
        return kernels.average_pooling(ggx, p.kernel_size, p.stride, p.pad)


def pooling(x: Any, kernel_size: Any, stride: Any = 1, pad: Any = 0) -> Variable:
    """Return the largest value of each window (max pooling).

    ``y[n, c, i, j] = max(x[n, c, i*sh + u - ph, j*sw + v - pw])`` over ``u, v``. Padding counts as
    minus infinity: it never wins. Where several values of a window are equal and largest, the
    first in row-major order gets the whole gradient. A window with a NaN gives NaN.

    Parameters
    ----------
    x : Variable or ndarray of shape (N, C, H, W)
        The images.
    kernel_size : int or pair of int
        The height and width of the window.
    stride : int or pair of int, default 1
        The step of the window.
    pad : int or pair of int, default 0
        The padding on each side; less than the kernel size.

    Returns
    -------
    Variable of shape (N, C, OH, OW)
        With ``OH = (H + 2 pad - KH) // stride + 1``, ``OW`` likewise; of the dtype of ``x``.

    Raises
    ------
    ValueError
        If ``x`` has not four axes, the window is larger than the padded images, or a window would
        lie in the padding alone.

    Notes
    -----
    Source: steps 55 to 57 of the book.

    Examples
    --------
    >>> import numpy as np
    >>> import dezero.functions as F
    >>> x = np.arange(16.0).reshape(1, 1, 4, 4)
    >>> F.pooling(x, 2, stride=2)
    variable([[[[ 5.  7.]
                [13. 15.]]]])
    >>> F.pooling(-1 - x, 2, stride=2, pad=1).data[0, 0, 0]
    array([-1., -2., -4.])
    """
    return Pooling(kernel_size, stride, pad)(x)


def average_pooling(x: Any, kernel_size: Any, stride: Any = 1, pad: Any = 0) -> Variable:
    """Return the mean of each window.

    Padding counts as zeros, and as elements of the window: each mean is a sum over KH*KW.

    Parameters
    ----------
    x : Variable or ndarray of shape (N, C, H, W)
        The images.
    kernel_size : int or pair of int
        The height and width of the window.
    stride : int or pair of int, default 1
        The step of the window.
    pad : int or pair of int, default 0
        The padding on each side; less than the kernel size.

    Returns
    -------
    Variable of shape (N, C, OH, OW)
        Of the dtype of ``x``, float64 where those are integers.

    Raises
    ------
    ValueError
        If ``x`` has not four axes, the window is larger than the padded images, or a window would
        lie in the padding alone.

    Notes
    -----
    Source: the companion of steps 55 to 57 of the book.

    Examples
    --------
    >>> import numpy as np
    >>> import dezero.functions as F
    >>> F.average_pooling(np.arange(16.0).reshape(1, 1, 4, 4), (2, 4), stride=2)
    variable([[[[ 3.5]
                [11.5]]]])
    """
    return AveragePooling(kernel_size, stride, pad)(x)


def global_average_pooling(x: Any) -> Variable:
    """Return the mean of each channel over all places: one number a channel.

    Parameters
    ----------
    x : Variable or ndarray of shape (N, C, H, W), or (N, C, L)
        Images, or signals.

    Returns
    -------
    Variable of shape (N, C)
        Of the dtype of ``x``, float64 where those are integers.

    Raises
    ------
    ValueError
        If ``x`` has another number of axes, or no pixel.

    Notes
    -----
    Source: Lin, Chen and Yan, "Network in network" (2014).

    Examples
    --------
    >>> import numpy as np
    >>> import dezero.functions as F
    >>> F.global_average_pooling(np.arange(8.0).reshape(1, 2, 2, 2))
    variable([[1.5 5.5]])
    """
    axes = 3 if getattr(x, "ndim", 4) == 3 else 4
    check_images("global_average_pooling", "x", x, axes)
    return average(x, axis=tuple(range(2, axes)))


def pooling_simple(x: Any, kernel_size: Any, stride: Any = 1, pad: Any = 0) -> Variable:
    """Compute :func:`pooling` from smaller functions: im2col, and the maximum of each row.

    The same arguments and result; slower, and for reading. How ties share a gradient is up to
    :func:`dezero.functions.max`. Source: step 57 of the book.

    Examples
    --------
    >>> import numpy as np
    >>> import dezero.functions as F
    >>> F.pooling_simple(np.arange(16.0).reshape(1, 1, 4, 4), 2, stride=2).shape
    (1, 1, 2, 2)
    """
    check_images("pooling_simple", "x", x)
    kernel, stride, pad = _window("pooling_simple", kernel_size, stride, pad)
    check_fits("pooling_simple", x.shape, kernel, stride, pad)
    (n, c, h, w), (kh, kw) = x.shape, kernel
    oh, ow = geometry((h, w), kernel, stride, pad).out
    columns: Any = np.reshape(im2col(x, kernel, stride, pad), (n, oh * ow, c, kh * kw))
    if pad != (0, 0):
        data = x.data if isinstance(x, Variable) else x
        image = np.ones((1, 1, h, w), bool, like=data)
        inside = im2col_array(image, kernel, stride, pad)
        inside = inside.reshape(1, oh * ow, 1, kh * kw)
        columns = np.where(inside, columns, kernels.lowest(x.dtype))
    y: Any = np.reshape(np.max(columns, axis=-1), (n, oh, ow, c))
    return y.transpose(0, 3, 1, 2)


@implements(kernels.pool_scatter)
def _scatter(gy: Any, winners: Any, x_size: Any, kernel_size: Any, stride: Any, pad: Any) -> Any:
    return Pooling2DGrad(_pooled(winners, x_size, kernel_size, stride, pad))(gy)


@implements(kernels.pool_gather)
def _gather(x: Any, winners: Any, kernel_size: Any, stride: Any, pad: Any) -> Any:
    return Pooling2DWithIndexes(_pooled(winners, x.shape[2:], kernel_size, stride, pad))(x)


def _pooled(winners: Any, x_size: Any, kernel_size: Any, stride: Any, pad: Any) -> Pooling:
    pool = Pooling(kernel_size, stride, pad)
    pool.indexes, pool.x_size = winners, x_size
    return pool


@implements(kernels.average_pooling_grad)
def _average_grad(gy: Any, x_size: Any, kernel_size: Any, stride: Any = 1, pad: Any = 0) -> Any:
    pool = AveragePooling(kernel_size, stride, pad)
    pool.x_size = x_size
    return AveragePoolingGrad(pool)(gy)


implements(kernels.max_pooling)(pooling)
implements(kernels.average_pooling)(average_pooling)


def _window(name: str, kernel_size: Any, stride: Any, pad: Any) -> tuple[Any, Any, Any]:
    """Return the three as pairs; raise a lesson where they make no sense."""
    kernel = check_pair(name, "kernel_size", kernel_size, least=1)
    steps = check_pair(name, "stride", stride, least=1)
    border = check_pair(name, "pad", pad, least=0)
    check_window(name, kernel, border)
    return kernel, steps, border
