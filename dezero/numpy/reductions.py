"""NumPy's reductions along axes: sums, products, means, variances, largest and smallest."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dezero.core import Primitive, Variable, implements
from dezero.functions import math as elementary
from dezero.functions import reductions as plain_reductions
from dezero.functions import shapes
from dezero.functions.reductions import kept_shape
from dezero.numpy.arguments import (
    Axes,
    axes_of,
    joined,
    mask_of,
    masked,
    part,
    refuse_out,
    typed,
)


class Prod(Primitive):
    """The product along the last axis."""

    def forward(self, x: Any) -> Any:
        """Return the product."""
        return np.prod(x, axis=-1)

    def gx(self, gy: Any, x: Any) -> Any:
        """Multiply by the product of the others, without a division: zeros are exact."""
        last = x.ndim - 1
        one = np.ones_like(part(x, 0, 1, last))
        before = np.concatenate([one, np.cumprod(part(x, 0, -1, last), last)], last)
        backwards = np.cumprod(part(x, None, 0, last, -1), last)
        after = np.concatenate([part(backwards, None, None, last, -1), one], last)
        return np.expand_dims(gy, -1) * before * after


@implements(np.sum)
def sum(
    a: Any,
    axis: Axes = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Variable:
    """Return the sum along axes, of the elements that ``where`` selects, plus ``initial``."""
    refuse_out("sum", out)
    a = masked("sum", typed(a, dtype), where, 0)
    y = plain_reductions.sum(a, axis, keepdims)
    return y if initial is None else y + initial


@implements(np.prod)
def prod(
    a: Any,
    axis: Axes = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Variable:
    r"""Return the product along axes; :math:`\partial y/\partial x_i = \prod_{j \ne i} x_j`.

    The gradient is exact where elements are 0, to all orders.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> x = Variable(np.array([2.0, 0.0, 3.0]))
    >>> np.prod(x).backward()
    >>> x.grad
    variable([0. 6. 0.])
    """
    refuse_out("prod", out)
    a = masked("prod", typed(a, dtype), where, 1)
    y = Prod()(joined("prod", a, axis))
    if keepdims:
        y = shapes.reshape(y, kept_shape(a.shape, axis))
    return y if initial is None else y * initial


def counted(name: str, a: Variable, axis: Axes, keepdims: bool, where: Any) -> Any:
    """Return how many elements are reduced: a number, or an array under a mask."""
    if where is True:
        return math.prod(a.shape[i] for i in axes_of(name, axis, a.ndim))
    return np.sum(mask_of(name, a, where), axis, keepdims=keepdims)


def divided(total: Variable, count: Any) -> Variable:
    """Return ``total / count``, in the type of ``total`` if that is floating."""
    if hasattr(count, "dtype") and total.dtype.kind in "fc":
        count = count.astype(np.finfo(total.dtype).dtype)
    return total / count


@implements(np.mean)
def mean(
    a: Any,
    axis: Axes = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    *,
    where: Any = True,
) -> Variable:
    """Return the mean along axes, of the elements that ``where`` selects."""
    refuse_out("mean", out)
    a = typed(a, dtype)
    if where is True:
        return plain_reductions.average(a, axis, keepdims)
    total = plain_reductions.sum(masked("mean", a, where, 0), axis, keepdims)
    return divided(total, counted("mean", a, axis, keepdims, where))


@implements(np.average)
def average(
    a: Any,
    axis: Axes = None,
    weights: Any = None,
    returned: bool = False,
    *,
    keepdims: bool = False,
) -> Any:
    r"""Return the mean along axes weighted by ``weights``: :math:`\sum w x / \sum w`.

    Weights are of the shape of ``a``, or have just the axes that are averaged over; they may
    be a Variable. With ``returned=True``, the sum of the weights comes second.

    Raises
    ------
    ZeroDivisionError
        If weights sum to 0.
    """
    a = typed(a)
    if weights is None:
        y = plain_reductions.average(a, axis, keepdims)
        total: Any = typed(np.asarray(counted("average", a, axis, keepdims, True), y.dtype))
    else:
        w = _weights(a, axis, typed(weights))
        total = plain_reductions.sum(w, axis, keepdims)
        if np.any(total.data == 0):
            raise ZeroDivisionError(
                "np.average: the weights sum to 0, so there is no weighted mean; "
                "give weights whose sum is not 0"
            )
        y = plain_reductions.sum(a * w, axis, keepdims) / total
    return (y, shapes.broadcast_to(total, y.shape)) if returned else y


def _weights(a: Variable, axis: Axes, weights: Variable) -> Variable:
    """Return the weights in the shape of ``a``."""
    if weights.shape == a.shape:
        return weights
    axes = axes_of("average", axis, a.ndim)
    if axis is None or weights.shape != tuple(a.shape[i] for i in axes):
        raise ValueError(
            f"np.average: got weights of shape {weights.shape} for an array of shape {a.shape}, "
            f"axis={axis}; weights have the shape of the array, or the lengths of the axes named"
        )
    weights = shapes.transpose(weights, np.argsort(axes).tolist())
    shape = tuple(size if i in axes else 1 for i, size in enumerate(a.shape))
    return shapes.broadcast_to(shapes.reshape(weights, shape), a.shape)


@implements(np.var)
def var(
    a: Any,
    axis: Axes = None,
    dtype: Any = None,
    out: Any = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: float | None = None,
) -> Variable:
    """Return the variance along axes: squared distances from the mean over ``count - ddof``.

    For complex numbers the squared absolute values of the distances.
    """
    refuse_out("var", out)
    return variance("var", typed(a, dtype), axis, _ddof(ddof, correction), keepdims, where, mean)


@implements(np.std)
def std(
    a: Any,
    axis: Axes = None,
    dtype: Any = None,
    out: Any = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: float | None = None,
) -> Variable:
    """Return the standard deviation along axes; the gradient of a constant's is 0.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.std(Variable(np.array([1.0, 3.0])))
    variable(1.0)
    """
    refuse_out("std", out)
    ddof = _ddof(ddof, correction)
    return root(variance("std", typed(a, dtype), axis, ddof, keepdims, where, mean))


def _ddof(ddof: float, correction: float | None) -> float:
    if correction is None:
        return ddof
    if ddof != 0:
        raise ValueError(
            f"np.var, np.std: got ddof={ddof} and correction={correction}, two names of one "
            "argument; give one of them"
        )
    return correction


def variance(
    name: str, a: Variable, axis: Axes, ddof: float, keepdims: bool, where: Any, mean: Any = None
) -> Variable:
    """Return the variance of the elements that ``where`` selects."""
    if a.dtype.kind != "c" and where is True and mean is None and ddof == int(ddof):
        return plain_reductions.var(a, axis, keepdims, int(ddof))
    if mean is None:
        kept = plain_reductions.sum(masked(name, a, where, 0), axis, keepdims=True)
        mean = divided(kept, counted(name, a, axis, True, where))
    distance = masked(name, a - mean, where, 0)
    if distance.dtype.kind == "c":
        squares: Any = np.real(distance * np.conjugate(distance))
    else:
        squares = distance * distance
    count = counted(name, a, axis, keepdims, where)
    return divided(plain_reductions.sum(squares, axis, keepdims), np.maximum(count - ddof, 0))


def root(x: Variable) -> Variable:
    """Return the square root; its gradient at 0 is 0, not infinite."""
    zero = x.data == 0
    return elementary.where(zero, 0, elementary.sqrt(elementary.where(zero, 1, x)))


@implements(np.max, np.amax)
def max(
    a: Any,
    axis: Axes = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Variable:
    """Return the largest element along axes; elements that tie share the gradient."""
    refuse_out("max", out)
    return extreme("max", typed(a), axis, keepdims, initial, where)


@implements(np.min, np.amin)
def min(
    a: Any,
    axis: Axes = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Variable:
    """Return the smallest element along axes; elements that tie share the gradient."""
    refuse_out("min", out)
    return extreme("min", typed(a), axis, keepdims, initial, where)


def extreme(
    name: str, a: Variable, axis: Axes, keepdims: bool, initial: Any, where: Any
) -> Variable:
    """Return the largest or the smallest element that ``where`` selects, and of ``initial``."""
    if where is not True and initial is None:
        raise ValueError(
            f"np.{name}: where= may leave nothing to choose from: give initial= too, the result "
            "for no elements"
        )
    of_one, of_two = _EXTREMES[name]
    a = masked(name, a, where, initial)
    if initial is None:
        return of_one(a, axis, keepdims)
    if counted(name, a, axis, keepdims, True) == 0:
        return plain_reductions.sum(a, axis, keepdims) + initial
    return of_two(of_one(a, axis, keepdims), initial)


_EXTREMES = {
    "max": (plain_reductions.max, elementary.maximum),
    "min": (plain_reductions.min, elementary.minimum),
}


@implements(np.ptp)
def ptp(a: Any, axis: Axes = None, out: Any = None, keepdims: bool = False) -> Variable:
    """Return the largest minus the smallest element along axes."""
    refuse_out("ptp", out)
    a = typed(a)
    return plain_reductions.max(a, axis, keepdims) - plain_reductions.min(a, axis, keepdims)
