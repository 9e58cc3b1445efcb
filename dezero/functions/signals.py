"""Convolution and pooling of signals (N, C, L): images of one row, by the 2-D functions."""

from __future__ import annotations

from typing import Any

from dezero.core import Variable
from dezero.functions.convolution import conv2d, deconv2d
from dezero.functions.image_checks import (
    check_filters,
    check_fits,
    check_images,
    check_number,
    check_window,
    deconv_size,
)
from dezero.functions.pooling import average_pooling, pooling


def conv1d(
    x: Any,
    W: Any,
    b: Any = None,
    stride: int = 1,
    pad: int = 0,
    dilation: int = 1,
    groups: int = 1,
) -> Variable:
    """Convolve signals with filters: :func:`conv2d` along one axis.

    ``y[n, o, i] = b[o] + sum(W[o, c, u] * x[n, c, i*stride + u*dilation - pad])`` over ``c, u``,
    where ``x`` is 0 outside; with groups, over the channels ``c`` of the group that ``o`` is in.

    Parameters
    ----------
    x : Variable or ndarray of shape (N, C, L)
        The signals.
    W : Variable or ndarray of shape (O, C/groups, K)
        The filters, of a floating dtype.
    b : Variable or ndarray of shape (O,), optional
        Added to each output channel.
    stride, pad, dilation, groups : int
        As for :func:`conv2d`.

    Returns
    -------
    Variable of shape (N, O, OL)
        With ``OL = (L + 2 pad - dilation (K - 1) - 1) // stride + 1``.

    Raises
    ------
    ValueError
        If the shapes do not fit each other, ``groups`` does not divide the channels, or another
        number is out of range.
    TypeError
        If the filters are not of a floating dtype.

    Notes
    -----
    Source: Waibel et al., "Phoneme recognition using time-delay neural networks" (1989).

    Examples
    --------
    >>> import numpy as np
    >>> import dezero.functions as F
    >>> F.conv1d(np.arange(5.0).reshape(1, 1, 5), np.array([[[-1.0, 1.0]]]))
    variable([[[1. 1. 1. 1.]]])
    """
    stride, pad, dilation, groups = _numbers("conv1d", stride, pad, dilation, groups)
    check_images("conv1d", "x", x, axes=3)
    check_filters("conv1d", x, W, b, groups)
    check_fits("conv1d", x.shape, W.shape[2:], (stride,), (pad,), (dilation,))
    return _line(conv2d(_row(x), _row(W), b, (1, stride), (0, pad), (1, dilation), groups))


def deconv1d(
    x: Any,
    W: Any,
    b: Any = None,
    stride: int = 1,
    pad: int = 0,
    outsize: int | None = None,
    dilation: int = 1,
    groups: int = 1,
) -> Variable:
    """Transposed convolution of signals: :func:`deconv2d` along one axis.

    Parameters
    ----------
    x : Variable or ndarray of shape (N, C, L)
        The inputs.
    W : Variable or ndarray of shape (C, O/groups, K)
        The filters, of a floating dtype.
    b : Variable or ndarray of shape (O,), optional
        Added to each output channel.
    stride, pad, dilation, groups : int
        As for :func:`deconv2d`.
    outsize : int, optional
        The length of the output; the smallest, ``stride (L - 1) + dilation (K - 1) + 1 - 2 pad``,
        is taken otherwise.

    Returns
    -------
    Variable of shape (N, O, OL)
        The spread signals.

    Raises
    ------
    ValueError
        If the shapes do not fit each other, no convolution takes ``outsize`` to L, or ``groups``
        does not divide the channels.
    TypeError
        If the filters are not of a floating dtype.

    Notes
    -----
    Source: Zeiler et al., "Deconvolutional networks" (2010).

    Examples
    --------
    >>> import numpy as np
    >>> import dezero.functions as F
    >>> F.deconv1d(np.array([[[1.0, 2.0]]]), np.ones((1, 1, 3)), stride=2)
    variable([[[1. 1. 3. 2. 2.]]])
    """
    stride, pad, dilation, groups = _numbers("deconv1d", stride, pad, dilation, groups)
    size = None if outsize is None else (check_number("deconv1d", "outsize", outsize, 1),)
    check_images("deconv1d", "x", x, axes=3)
    check_filters("deconv1d", x, W, b, groups, transposed=True)
    (length,) = deconv_size("deconv1d", x.shape, W.shape, (stride,), (pad,), size, (dilation,))
    window = (1, stride), (0, pad), (1, length), (1, dilation), groups
    return _line(deconv2d(_row(x), _row(W), b, *window))


def pooling1d(x: Any, kernel_size: int, stride: int = 1, pad: int = 0) -> Variable:
    """Return the largest value of each window of signals: :func:`pooling` along one axis.

    Parameters
    ----------
    x : Variable or ndarray of shape (N, C, L)
        The signals.
    kernel_size, stride, pad : int
        The length of the window, its step, and the padding on each side, less than the window.

    Returns
    -------
    Variable of shape (N, C, OL)
        With ``OL = (L + 2 pad - kernel_size) // stride + 1``; of the dtype of ``x``.

    Raises
    ------
    ValueError
        If ``x`` has not three axes, the window is longer than the padded signals, or a window
        would lie in the padding alone.

    Notes
    -----
    Source: the one-dimensional form of step 57 of the book.

    Examples
    --------
    >>> import numpy as np
    >>> import dezero.functions as F
    >>> F.pooling1d(np.array([[[1.0, 3.0, 2.0, 0.0]]]), 2, stride=2)
    variable([[[3. 2.]]])
    """
    window = _window("pooling1d", x, kernel_size, stride, pad)
    return _line(pooling(_row(x), *window))


def average_pooling1d(x: Any, kernel_size: int, stride: int = 1, pad: int = 0) -> Variable:
    """Return the mean of each window of signals: :func:`average_pooling` along one axis.

    Parameters
    ----------
    x, kernel_size, stride, pad
        As for :func:`pooling1d`; padding counts as zeros, and as elements of the window.

    Returns
    -------
    Variable of shape (N, C, OL)
        Of the dtype of ``x``, float64 where those are integers.

    Raises
    ------
    ValueError
        As for :func:`pooling1d`.

    Notes
    -----
    Source: the one-dimensional form of the companion of step 57 of the book.

    Examples
    --------
    >>> import numpy as np
    >>> import dezero.functions as F
    >>> F.average_pooling1d(np.array([[[1.0, 3.0, 2.0, 0.0]]]), 2, stride=2)
    variable([[[2. 1.]]])
    """
    window = _window("average_pooling1d", x, kernel_size, stride, pad)
    return _line(average_pooling(_row(x), *window))


def _row(x: Any) -> Any:
    """Return (N, C, L) as images (N, C, 1, L) of one row."""
    return x.reshape(*x.shape[:2], 1, x.shape[2])


def _line(y: Any) -> Variable:
    """Return images (N, C, 1, L) of one row as signals (N, C, L)."""
    line: Variable = y.reshape(*y.shape[:2], y.shape[3])
    return line


def _numbers(name: str, stride: Any, pad: Any, dilation: Any, groups: Any) -> tuple[int, ...]:
    """Return them as integers; raise a lesson where one is out of range."""
    return (
        check_number(name, "stride", stride, 1),
        check_number(name, "pad", pad, 0),
        check_number(name, "dilation", dilation, 1),
        check_number(name, "groups", groups, 1),
    )


def _window(name: str, x: Any, kernel_size: Any, stride: Any, pad: Any) -> tuple[Any, Any, Any]:
    """Return the window of pooling as that of images of one row."""
    kernel = check_number(name, "kernel_size", kernel_size, 1)
    step, border = check_number(name, "stride", stride, 1), check_number(name, "pad", pad, 0)
    check_window(name, (kernel,), (border,))
    check_images(name, "x", x, axes=3)
    check_fits(name, x.shape, (kernel,), (step,), (border,), (1,))
    return (1, kernel), (1, step), (0, border)
