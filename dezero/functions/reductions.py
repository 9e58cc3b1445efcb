"""Sums, means, variances, largest and smallest elements, along axes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dezero.core import Primitive, Variable, as_input
from dezero.core.blocks import PARALLEL, total
from dezero.functions.shapes import astype

Axes = int | tuple[int, ...] | None


def kept_shape(shape: tuple[int, ...], axis: Axes) -> tuple[int, ...]:
    """Return ``shape`` with the reduced axes of length 1: what broadcasts back.

    Examples
    --------
    >>> from dezero.functions.reductions import kept_shape
    >>> kept_shape((2, 3, 4), (0, -1))
    (1, 3, 1)
    """
    if axis is None or not shape:
        return (1,) * len(shape)
    axes = {a % len(shape) for a in (axis if isinstance(axis, tuple) else (axis,))}
    return tuple(1 if i in axes else size for i, size in enumerate(shape))


class Sum(Primitive):
    """The sum along axes."""

    _linear = True
    _counts = True

    def __init__(self, axis: Axes = None, keepdims: bool = False) -> None:
        self.axis = axis
        self.keepdims = keepdims

    def forward(self, x: Any) -> Any:
        """Return the sum."""
        self.x_shape = x.shape
        if self.axis is None and not self.keepdims and x.__class__ is np.ndarray:
            return total(x) if x.size >= PARALLEL else x.sum()
        return x.sum(axis=self.axis, keepdims=self.keepdims)

    def gx(self, gy: Any) -> Any:
        """Give every summand the gradient of the sum."""
        shape = self.x_shape
        kept = kept_shape(shape, self.axis)
        if isinstance(gy, np.ndarray | np.generic) and math.prod(shape) < PARALLEL:
            gx = np.empty(shape, gy.dtype)  # for little arrays quicker than a view
            gx[...] = gy.reshape(kept)
            return gx
        return np.broadcast_to(np.reshape(gy, kept), shape)


class Max(Primitive):
    """The largest element along axes; elements that tie share the gradient equally."""

    def __init__(self, axis: Axes = None, keepdims: bool = False) -> None:
        self.axis = axis
        self.keepdims = keepdims

    def forward(self, x: Any) -> Any:
        """Return the largest element."""
        return x.max(axis=self.axis, keepdims=self.keepdims)

    def gx(self, gy: Any, x: Any, y: Any) -> Any:
        """Give the gradient to the winners."""
        shape = kept_shape(x.shape, self.axis)
        won = x == np.reshape(y, shape)
        share = won / np.maximum(won.sum(axis=self.axis, keepdims=True), 1)
        return np.reshape(gy, shape) * share.astype(gy.dtype)


class Min(Max):
    """The smallest element along axes; elements that tie share the gradient equally."""

    def forward(self, x: Any) -> Any:
        """Return the smallest element."""
        return x.min(axis=self.axis, keepdims=self.keepdims)


class LogSumExp(Primitive):
    """The logarithm of the sum of exponentials along axes."""

    def __init__(self, axis: Axes = None, keepdims: bool = False) -> None:
        self.axis = axis
        self.keepdims = keepdims

    def forward(self, x: Any) -> Any:
        """Return the logarithm, computed from the distance to the largest element."""
        y = logsumexp_array(x, self.axis)
        return y if self.keepdims else np.squeeze(y, axis=self.axis)

    def gx(self, gy: Any, x: Any, y: Any) -> Any:
        """Multiply by the softmax."""
        shape = kept_shape(x.shape, self.axis)
        y = np.reshape(np.where(np.isfinite(y), y, 0), shape)
        return np.reshape(gy, shape) * np.exp(x - y)


def logsumexp_array(x: Any, axis: Axes) -> Any:
    """Return ``log(sum(exp(x)))`` of an array along axes, which are kept; ``-inf`` stays."""
    largest = x.max(axis=axis, keepdims=True)
    largest = np.where(np.isfinite(largest), largest, 0)
    with np.errstate(divide="ignore"):
        return np.log(np.exp(x - largest).sum(axis=axis, keepdims=True)) + largest


def sum(x: Any, axis: Axes = None, keepdims: bool = False) -> Variable:
    """Return the sum of ``x`` along axes, of all elements by default.

    Source: step 39 of the book.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.sum(np.ones((2, 3)), axis=0)
    variable([2. 2. 2.])
    """
    return Sum(axis, keepdims)(x)


def average(x: Any, axis: Axes = None, keepdims: bool = False) -> Variable:
    """Return the mean of ``x`` along axes, of all elements by default. Also called ``mean``.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.mean(np.array([1.0, 3.0]))
    variable(2.0)
    """
    x = as_input(x)
    if x.dtype == np.float16:  # a sum of many would overflow
        return astype(average(astype(x, np.float32), axis, keepdims), np.float16)
    return sum(x, axis, keepdims) * _inverse(_count(x, axis))


mean = average


def var(x: Any, axis: Axes = None, keepdims: bool = False, ddof: int = 0) -> Variable:
    r"""Return the variance along axes: the sum of :math:`(x - \bar x)^2` over ``count - ddof``.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.var(np.array([1.0, 3.0]))
    variable(1.0)
    """
    x = as_input(x)
    deviation = x - average(x, axis, keepdims=True)
    return sum(deviation * deviation, axis, keepdims) * _inverse(_count(x, axis) - int(ddof))


def max(x: Any, axis: Axes = None, keepdims: bool = False) -> Variable:
    """Return the largest element along axes; elements that tie share the gradient equally.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.max(np.array([[1.0, 4.0], [3.0, 2.0]]), axis=-1)
    variable([4. 3.])
    """
    return Max(axis, keepdims)(x)


def min(x: Any, axis: Axes = None, keepdims: bool = False) -> Variable:
    """Return the smallest element along axes; elements that tie share the gradient equally.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.min(np.array([[1.0, 4.0], [3.0, 2.0]]), axis=-1)
    variable([1. 2.])
    """
    return Min(axis, keepdims)(x)


def logsumexp(x: Any, axis: Axes = None, keepdims: bool = False) -> Variable:
    r"""Return :math:`\log \sum e^x` along axes, without overflow.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.logsumexp(np.array([1000.0, -np.inf]))
    variable(1000.0)
    """
    return LogSumExp(axis, keepdims)(x)


def _count(x: Any, axis: Axes) -> int:
    """Return how many elements are reduced to one."""
    shape = np.shape(x)
    kept = kept_shape(shape, axis)
    return math.prod(size for size, k in zip(shape, kept, strict=True) if k == 1)


def _inverse(count: int) -> float:
    return 1 / count if count > 0 else math.nan  # as NumPy: the mean of nothing is not a number
