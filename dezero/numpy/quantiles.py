"""NumPy's medians, percentiles and quantiles: one or two of the sorted elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dezero.core import Variable, implements
from dezero.functions import shapes
from dezero.functions.math import where as choose
from dezero.functions.reductions import kept_shape
from dezero.numpy.arguments import Axes, joined, plain, refuse_gradient, refuse_out, taken, typed

Places = tuple[Any, Any]  # the lower place among the sorted, and the weight of the next


def _split(place: Any, n: Any) -> Places:
    place = np.clip(place, 0, n - 1)
    low = np.floor(place)
    return low, place - low


def _between(alpha: float, beta: float) -> Callable[[Any, Any], Places]:
    """Return the rule that puts quantile ``q`` at rank ``alpha + q (n + 1 - alpha - beta)``."""
    return lambda n, q: _split(n * q + (alpha + q * (1 - alpha - beta)) - 1, n)


def _ceiling(n: Any, q: Any) -> Places:
    return np.maximum(np.ceil(n * q - 1), 0), 0.0


def _ceiling_averaged(n: Any, q: Any) -> Places:
    place = n * q - 1
    on_the_step = (np.floor(place) == place) & (place >= 0)
    return np.maximum(np.ceil(place), 0), np.where(on_the_step, 0.5, 0.0)


def _closest(n: Any, q: Any) -> Places:
    """Return the nearest rank, counted from 1; of two as near the even one."""
    return np.maximum(np.rint(n * q) - 1, 0), 0.0


def _midpoint(n: Any, q: Any) -> Places:
    low, weight = _split((n - 1) * q, n)
    return low, np.where(weight > 0, 0.5, 0.0)


_METHODS: dict[str, Callable[[Any, Any], Places]] = {
    "inverted_cdf": _ceiling,
    "averaged_inverted_cdf": _ceiling_averaged,
    "closest_observation": _closest,
    "interpolated_inverted_cdf": lambda n, q: _split(n * q - 1, n),
    "hazen": _between(0.5, 0.5),
    "weibull": _between(0.0, 0.0),
    "linear": lambda n, q: _split((n - 1) * q, n),
    "median_unbiased": _between(1 / 3, 1 / 3),
    "normal_unbiased": _between(3 / 8, 3 / 8),
    "lower": lambda n, q: (np.floor((n - 1) * q), 0.0),
    "higher": lambda n, q: (np.ceil((n - 1) * q), 0.0),
    "nearest": lambda n, q: (np.rint((n - 1) * q), 0.0),
    "midpoint": _midpoint,
}
"""Where each method looks, of ``n`` sorted elements, for quantile ``q``.

Source: Hyndman and Fan, "Sample quantiles in statistical packages", 1996; the last four are
NumPy's own.
"""


def _quantile(
    name: str,
    a: Any,
    q: Any,
    axis: Axes,
    method: str,
    keepdims: bool,
    skip_nan: bool,
) -> Variable:
    """Return quantiles ``q``: their axes come first."""
    if method not in _METHODS:
        raise ValueError(
            f"np.{name}: got method {method!r}; it wants one of {', '.join(_METHODS)}"
        )
    a = typed(a)
    places = np.asarray(refuse_gradient(name, "q", q), float)
    if not np.all((places >= 0) & (places <= 1)):
        raise ValueError(
            f"np.{name}: got {q}; quantiles are from 0 to 1, percentiles from 0 to 100"
        )
    rows = joined(name, a, axis)
    if rows.shape[-1] == 0:
        raise ValueError(f"np.{name}: got no elements (shape {a.shape}, axis={axis})")
    order = np.argsort(rows.data, axis=-1)
    missing = np.isnan(rows.data).sum(-1)
    n = rows.shape[-1] - missing if skip_nan else np.full(missing.shape, rows.shape[-1])
    ranks = places.reshape((-1,) + (1,) * n.ndim)
    low, weight = _METHODS[method](np.maximum(n, 1), ranks)
    shape = (places.size, *n.shape)
    low, weight = np.broadcast_to(low, shape).astype(int), np.broadcast_to(weight, shape)
    high = np.minimum(low + (weight > 0), np.maximum(n, 1) - 1)
    dtype = a.dtype if type(q) in (int, float) else np.result_type(a.dtype, np.asarray(plain(q)))
    y = _mixed(rows, order, low, high, weight, dtype if dtype.kind in "fc" else np.float64)
    y = choose((n == 0) if skip_nan else missing > 0, np.asarray(np.nan, y.dtype), y)
    rest = kept_shape(a.shape, axis) if keepdims else n.shape
    return shapes.reshape(y, (*places.shape, *rest))


def _mixed(rows: Variable, order: Any, low: Any, high: Any, weight: Any, dtype: Any) -> Variable:
    """Return the sorted elements at ``low``, moved towards those at ``high`` by ``weight``."""
    weight = weight.astype(dtype)
    before = _ranked(rows, order, low)
    if not weight.any():
        return shapes.astype(before, dtype)
    return before * (1 - weight) + _ranked(rows, order, high) * weight


def _ranked(rows: Variable, order: Any, rank: Any) -> Variable:
    """Return the elements of each rank; ``rank`` has an axis for the quantiles first."""
    index = np.take_along_axis(order, np.moveaxis(rank, 0, -1), -1)
    y = taken(rows, index, rows.ndim - 1)
    return shapes.moveaxis(y, -1, 0)


def _checked(name: str, out: Any, interpolation: Any = None, weights: Any = None) -> None:
    refuse_out(name, out)
    if interpolation is not None:
        raise TypeError(f"np.{name}: interpolation= is an old name; use method={interpolation!r}")
    if weights is not None:
        raise TypeError(
            f"np.{name}: weights= have no gradient rule: the weighted quantile jumps from one "
            "element to another; use v.data for the plain value, or np.average for a weighted mean"
        )


@implements(np.median)
def median(
    a: Any,
    axis: Axes = None,
    out: Any = None,
    overwrite_input: bool = False,
    keepdims: bool = False,
) -> Variable:
    """Return the middle element along axes, or the mean of the two in the middle.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> x = Variable(np.array([4.0, 1.0, 2.0, 9.0]))
    >>> y = np.median(x)
    >>> y.backward()
    >>> x.grad
    variable([0.5 0.  0.5 0. ])
    """
    _checked("median", out)
    return _quantile("median", a, 0.5, axis, "linear", keepdims, False)


@implements(np.nanmedian)
def nanmedian(
    a: Any,
    axis: Axes = None,
    out: Any = None,
    overwrite_input: bool = False,
    keepdims: bool = False,
) -> Variable:
    """Return the middle one of the numbers along axes, or the mean of two."""
    _checked("nanmedian", out)
    return _quantile("nanmedian", a, 0.5, axis, "linear", keepdims, True)


@implements(np.quantile)
def quantile(
    a: Any,
    q: Any,
    axis: Axes = None,
    out: Any = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
    interpolation: Any = None,
) -> Variable:
    """Return quantiles ``q``, from 0 to 1, along axes, by any of NumPy's methods.

    The result is a sorted element, or a mean of two neighbours: the gradient goes to these.
    Elements that tie follow the permutation of ``np.argsort``. ``q`` is not differentiated.
    """
    _checked("quantile", out, interpolation, weights)
    return _quantile("quantile", a, q, axis, method, keepdims, False)


@implements(np.nanquantile)
def nanquantile(
    a: Any,
    q: Any,
    axis: Axes = None,
    out: Any = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
    interpolation: Any = None,
) -> Variable:
    """Return quantiles ``q``, from 0 to 1, of the numbers along axes."""
    _checked("nanquantile", out, interpolation, weights)
    return _quantile("nanquantile", a, q, axis, method, keepdims, True)


@implements(np.percentile)
def percentile(
    a: Any,
    q: Any,
    axis: Axes = None,
    out: Any = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
    interpolation: Any = None,
) -> Variable:
    """Return quantiles ``q``, from 0 to 100, along axes; see ``quantile``."""
    _checked("percentile", out, interpolation, weights)
    q = _hundredth("percentile", q)
    return _quantile("percentile", a, q, axis, method, keepdims, False)


@implements(np.nanpercentile)
def nanpercentile(
    a: Any,
    q: Any,
    axis: Axes = None,
    out: Any = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
    interpolation: Any = None,
) -> Variable:
    """Return quantiles ``q``, from 0 to 100, of the numbers along axes; see ``quantile``."""
    _checked("nanpercentile", out, interpolation, weights)
    q = _hundredth("nanpercentile", q)
    return _quantile("nanpercentile", a, q, axis, method, keepdims, True)


def _hundredth(name: str, q: Any) -> Any:
    return q / 100 if type(q) in (int, float) else refuse_gradient(name, "q", q) / 100
