"""NumPy's running sums, products and extremes."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.core import Primitive, Variable, implements
from dezero.core.protocols import ufunc_methods
from dezero.functions import math as elementary
from dezero.functions import reductions, shapes
from dezero.functions.indexing import scatter_add
from dezero.numpy.arguments import Axes, along, part, plain, refuse_out, taken, typed


class CumSum(Primitive):
    """The sum of the elements so far along an axis."""

    _counts = True
    _linear = True

    def __init__(self, axis: int) -> None:
        self.axis = axis

    def forward(self, x: Any) -> Any:
        """Return the running sum."""
        return np.cumsum(x, self.axis)

    def gx(self, gy: Any) -> Any:
        """Return the running sum from the end."""
        return _backwards(np.cumsum(_backwards(gy, self.axis), self.axis), self.axis)


class CumProd(Primitive):
    """The product of the elements so far along an axis."""

    def __init__(self, axis: int) -> None:
        self.axis = axis

    def forward(self, x: Any) -> Any:
        """Return the running product."""
        return np.cumprod(x, self.axis)

    def gx(self, gy: Any, x: Any, y: Any) -> Any:
        """Multiply the product before an element by what the products after it send back.

        That is ``r[i] = gy[i] + x[i + 1] * r[i + 1]``: no division, so zeros are exact.
        """
        axis = self.axis
        if x.shape[axis] == 0:
            return gy
        one = np.ones_like(part(y, 0, 1, axis))
        before = np.concatenate([one, part(y, 0, -1, axis)], axis)
        factors = np.concatenate([part(x, 1, None, axis), 0 * one], axis)
        return before * _recurrence(gy, factors, axis)


def _recurrence(b: Any, a: Any, axis: int) -> Any:
    """Return ``r[i] = b[i] + a[i] * r[i + 1]``, in steps that double what each one spans.

    Source: Hillis and Steele, "Data parallel algorithms", 1986.
    """
    span, size = 1, b.shape[axis]
    while span < size:
        reached = part(b, 0, size - span, axis) + part(a, 0, size - span, axis) * part(
            b, span, None, axis
        )
        b = np.concatenate([reached, part(b, size - span, None, axis)], axis)
        spanned = part(a, 0, size - span, axis) * part(a, span, None, axis)
        a = np.concatenate([spanned, part(a, size - span, None, axis)], axis)
        span *= 2
    return b


def _backwards(x: Any, axis: int) -> Any:
    return part(x, None, None, axis, -1)


@implements(np.cumsum)
def cumsum(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Variable:
    r"""Return the running sum along an axis, of all elements in order by default.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> x = Variable(np.array([1.0, 2.0, 3.0]))
    >>> np.cumsum(x)
    variable([1. 3. 6.])
    """
    refuse_out("cumsum", out)
    a, axis = along("cumsum", typed(a, dtype), axis)
    return CumSum(axis)(a)


@implements(np.cumprod)
def cumprod(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Variable:
    r"""Return the running product along an axis, of all elements in order by default.

    The gradient is exact where elements are 0, to all orders.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> x = Variable(np.array([2.0, 0.0, 3.0]))
    >>> np.sum(np.cumprod(x)).backward()
    >>> x.grad
    variable([1. 8. 0.])
    """
    refuse_out("cumprod", out)
    a, axis = along("cumprod", typed(a, dtype), axis)
    return CumProd(axis)(a)


@implements(np.nancumsum)
def nancumsum(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Variable:
    """Return the running sum along an axis, what is not a number counted as 0."""
    refuse_out("nancumsum", out)
    a = typed(a, dtype)
    return cumsum(elementary.where(np.isnan(a.data), 0, a), axis)


@implements(np.nancumprod)
def nancumprod(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Variable:
    """Return the running product along an axis, what is not a number counted as 1."""
    refuse_out("nancumprod", out)
    a = typed(a, dtype)
    return cumprod(elementary.where(np.isnan(a.data), 1, a), axis)


def cumulative_sum(
    x: Any,
    /,
    *,
    axis: int | None = None,
    dtype: Any = None,
    out: Any = None,
    include_initial: bool = False,
) -> Variable:
    """Return the running sum along an axis, with a 0 before it for ``include_initial``."""
    x, axis = _one_axis("cumulative_sum", x, axis)
    return _after(0, cumsum(x, axis, dtype, out), axis, include_initial)


def cumulative_prod(
    x: Any,
    /,
    *,
    axis: int | None = None,
    dtype: Any = None,
    out: Any = None,
    include_initial: bool = False,
) -> Variable:
    """Return the running product along an axis, with a 1 before it for ``include_initial``."""
    x, axis = _one_axis("cumulative_prod", x, axis)
    return _after(1, cumprod(x, axis, dtype, out), axis, include_initial)


if hasattr(np, "cumulative_sum"):  # since NumPy 2.1
    implements(np.cumulative_sum)(cumulative_sum)
    implements(np.cumulative_prod)(cumulative_prod)


def _one_axis(name: str, x: Any, axis: int | None) -> tuple[Variable, int]:
    x = typed(x)
    if axis is None and x.ndim != 1:
        raise ValueError(
            f"np.{name}: got an array of {x.ndim} dimensions and no axis; name the one: axis=0"
        )
    return along(name, x, axis)


def _after(start: int, y: Variable, axis: int, wanted: bool) -> Variable:
    """Return ``y`` with ``start`` before its elements along an axis."""
    if not wanted:
        return y
    shape = (*y.shape[:axis], 1, *y.shape[axis + 1 :])
    return shapes.concatenate([np.full(shape, start, y.dtype), y], axis)


def running_maximum(a: Any, axis: int = 0, dtype: Any = None) -> Variable:
    """Return the largest element so far along an axis; the first of equal ones has the gradient.

    This is what stands for ``np.maximum.accumulate``.
    """
    return _records(typed(a, dtype), axis, np.maximum)


def running_minimum(a: Any, axis: int = 0, dtype: Any = None) -> Variable:
    """Return the smallest element so far along an axis; the first of equal ones has the gradient.

    This is what stands for ``np.minimum.accumulate``.
    """
    return _records(typed(a, dtype), axis, np.minimum)


def _records(a: Variable, axis: int, ufunc: Any) -> Variable:
    """Return the record that stands at each place: an element of ``a``."""
    a, axis = along(f"{ufunc.__name__}.accumulate", a, axis)
    y = ufunc.accumulate(a.data, axis)
    then, now = part(y, None, -1, axis), part(y, 1, None, axis)
    broken = (now != then) & ~np.isnan(then)
    places = np.arange(a.shape[axis]).reshape((-1,) + (1,) * (a.ndim - axis - 1))
    since = np.where(broken, part(places, 1, None, 0), 0)
    first = np.zeros_like(part(y, None, 1, axis), int)
    index = np.maximum.accumulate(np.concatenate([first, since], axis), axis)
    return taken(a, index, axis)


def sums_of_parts(a: Any, indices: Any, axis: int = 0, dtype: Any = None) -> Variable:
    """Return the sums from each index up to the next: what stands for ``np.add.reduceat``.

    Where the next index is not larger, the one element at the index.
    """
    a, axis = along("add.reduceat", typed(a, dtype), axis)
    rows = shapes.moveaxis(a, axis, 0)
    starts = plain(indices).astype(np.intp)
    if starts.ndim != 1 or np.any((starts < 0) | (starts >= len(rows))):
        raise ValueError(
            f"np.add.reduceat: got indices {starts.tolist()} for an axis of {len(rows)}; it wants "
            f"a vector of numbers from 0 to {len(rows) - 1}"
        )
    counts = np.maximum(np.append(starts[1:], len(rows)) - starts, 1)
    to = np.repeat(np.arange(len(starts)), counts)
    offsets = np.arange(len(to)) - np.repeat(np.cumsum(counts) - counts, counts)
    summands = rows[np.repeat(starts, counts) + offsets]
    sums = scatter_add(summands, to, (len(starts), *rows.shape[1:]))
    return shapes.moveaxis(sums, 0, axis)


def log_of_sums(a: Any, axis: Axes = 0, dtype: Any = None, keepdims: bool = False) -> Variable:
    """Return the logarithm of the sum of exponentials: what stands for ``np.logaddexp.reduce``."""
    return reductions.logsumexp(typed(a, dtype), axis, keepdims)


ufunc_methods.update(
    {
        (np.maximum, "accumulate"): running_maximum,
        (np.minimum, "accumulate"): running_minimum,
        (np.add, "reduceat"): sums_of_parts,
        (np.logaddexp, "reduce"): log_of_sums,
    }
)
