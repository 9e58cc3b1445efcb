"""NumPy's covariance and correlation, and functions applied along axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from dezero.core import Variable, implements
from dezero.functions import linear_algebra, math, reductions, shapes
from dezero.numpy.arguments import axes_of, plain, typed


@implements(np.cov)
def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Variable:
    r"""Return the covariances of variables, a row each.

    .. math:: c_{ij} = \frac{1}{n - 1} \sum_k (x_{ik} - \bar x_i) \overline{(x_{jk} - \bar x_j)}

    ``aweights``, the weights of the observations, may be a Variable; ``fweights`` are how often
    each was made.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.cov(Variable(np.array([[0.0, 2.0], [1.0, 5.0]])))
    variable([[2. 4.]
              [4. 8.]])
    """
    x = _rows("cov", m, rowvar, dtype)
    if y is not None:
        x = shapes.concatenate([x, _rows("cov", y, rowvar, dtype)], 0)
    if x.dtype.kind in "iub":
        x = shapes.astype(x, np.float64)
    ddof = (0 if bias else 1) if ddof is None else ddof
    count = x.shape[1]
    weights = _weights(count, fweights, aweights, x.dtype)
    if weights is None:
        total: Any = count
        scale: Any = max(count - ddof, 0)
        weighted = x = x - reductions.average(x, 1, keepdims=True)
    else:
        total = reductions.sum(weights)
        used = weights if aweights is None else weights * typed(aweights)
        scale = total - (ddof * reductions.sum(used) / total if aweights is not None else ddof)
        x = x - reductions.sum(x * weights, 1, keepdims=True) / total
        weighted = x * weights
    other: Any = shapes.transpose(weighted)
    other = np.conjugate(other) if other.dtype.kind == "c" else other
    return shapes.squeeze(linear_algebra.matmul(x, other) / scale)


def _rows(name: str, x: Any, rowvar: bool, dtype: Any) -> Variable:
    """Return observations as columns."""
    x = typed(x, dtype)
    if x.ndim > 2:
        raise ValueError(
            f"np.{name}: got an array of shape {x.shape}; it wants a vector, or a matrix with a "
            "row for each variable"
        )
    if x.ndim < 2:
        return shapes.reshape(x, (1, -1))
    return x if rowvar or x.shape[0] == 1 else shapes.transpose(x)


def _weights(count: int, fweights: Any, aweights: Any, dtype: Any) -> Variable | None:
    given = [x for x in (fweights, aweights) if x is not None]
    if not given:
        return None
    for x in given:
        if np.shape(plain(x)) != (count,):
            raise ValueError(
                f"np.cov: got weights of shape {np.shape(plain(x))} for {count} observations; "
                f"it wants ({count},)"
            )
    if fweights is None:
        return typed(aweights)
    times = typed(plain(fweights).astype(dtype))
    return times if aweights is None else times * typed(aweights)


@implements(np.corrcoef)
def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Variable:
    r"""Return the correlations of variables, a row each: :math:`c_{ij} / \sqrt{c_{ii} c_{jj}}`.

    A correlation of a variable with itself is 1, and its gradient 0.
    """
    c = cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return c / c
    places = np.arange(len(c))
    own = c[places, places]
    spread = math.sqrt(np.real(own) if own.dtype.kind == "c" else own)
    r = c / shapes.expand_dims(spread, 1) / spread
    return r if r.dtype.kind == "c" else math.clip(r, -1, 1)


@implements(np.apply_along_axis)
def apply_along_axis(
    func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any
) -> Variable:
    """Return the results of a function of vectors on every vector along an axis.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> x = Variable(np.array([[1.0, 2.0], [3.0, 4.0]]))
    >>> np.apply_along_axis(lambda v: v[0] * v[1], 1, x)
    variable([ 2. 12.])
    """
    a = typed(arr)
    axis = normalize_axis_index(axis, a.ndim, "np.apply_along_axis")
    vectors = shapes.moveaxis(a, axis, -1)
    around = vectors.shape[:-1]
    results = [typed(func1d(vectors[i], *args, **kwargs)) for i in np.ndindex(around)]
    if not results:
        raise ValueError(f"np.apply_along_axis: shape {a.shape} has no vector along axis {axis}")
    y = shapes.reshape(shapes.stack(results), (*around, *results[0].shape))
    order = list(range(len(around)))
    order[axis:axis] = range(len(around), y.ndim)
    return shapes.transpose(y, order)


@implements(np.apply_over_axes)
def apply_over_axes(func: Callable[[Any, int], Any], a: Any, axes: Any) -> Variable:
    """Return the result of ``func(a, axis)`` for each axis in turn; the axes are kept."""
    a = typed(a)
    for axis in axes_of("apply_over_axes", axes, a.ndim):
        y = typed(func(a, axis))
        a = y if y.ndim == a.ndim else shapes.expand_dims(y, axis)
    return a
