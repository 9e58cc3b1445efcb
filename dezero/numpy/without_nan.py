"""NumPy's reductions that leave out what is not a number: its gradient is 0."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.core import Variable, implements
from dezero.functions.math import where as choose
from dezero.numpy import reductions
from dezero.numpy.arguments import Axes, mask_of, refuse_out, typed


def _numbers(name: str, a: Variable, where: Any) -> Any:
    """Return where ``a`` is a number, and selected."""
    present = ~np.isnan(a.data)
    return present if where is True else present & mask_of(name, a, where)


@implements(np.nansum)
def nansum(
    a: Any,
    axis: Axes = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Variable:
    """Return the sum along axes of what is a number; of nothing, 0."""
    refuse_out("nansum", out)
    a = typed(a, dtype)
    return reductions.sum(a, axis, None, None, keepdims, initial, _numbers("nansum", a, where))


@implements(np.nanprod)
def nanprod(
    a: Any,
    axis: Axes = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Variable:
    """Return the product along axes of what is a number; of nothing, 1."""
    refuse_out("nanprod", out)
    a = typed(a, dtype)
    return reductions.prod(a, axis, None, None, keepdims, initial, _numbers("nanprod", a, where))


@implements(np.nanmean)
def nanmean(
    a: Any,
    axis: Axes = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    *,
    where: Any = True,
) -> Variable:
    """Return the mean along axes of what is a number."""
    refuse_out("nanmean", out)
    a = typed(a, dtype)
    return reductions.mean(a, axis, None, None, keepdims, where=_numbers("nanmean", a, where))


@implements(np.nanvar)
def nanvar(
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
    """Return the variance along axes of what is a number."""
    refuse_out("nanvar", out)
    a = typed(a, dtype)
    kwargs = {"where": _numbers("nanvar", a, where), "mean": mean, "correction": correction}
    return reductions.var(a, axis, None, None, ddof, keepdims, **kwargs)


@implements(np.nanstd)
def nanstd(
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
    """Return the standard deviation along axes of what is a number; a constant's gradient is 0."""
    refuse_out("nanstd", out)
    kwargs = {"where": where, "mean": mean, "correction": correction}
    return reductions.root(nanvar(a, axis, dtype, None, ddof, keepdims, **kwargs))


@implements(np.nanmax)
def nanmax(
    a: Any,
    axis: Axes = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Variable:
    """Return the largest number along axes; where there is none, not a number."""
    return _extreme("max", -np.inf, a, axis, out, keepdims, initial, where)


@implements(np.nanmin)
def nanmin(
    a: Any,
    axis: Axes = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Variable:
    """Return the smallest number along axes; where there is none, not a number."""
    return _extreme("min", np.inf, a, axis, out, keepdims, initial, where)


def _extreme(
    name: str,
    worst: float,
    a: Any,
    axis: Axes,
    out: Any,
    keepdims: bool,
    initial: Any,
    where: Any,
) -> Variable:
    refuse_out("nan" + name, out)
    a = typed(a)
    if a.dtype.kind in "iub":
        return reductions.extreme(name, a, axis, keepdims, initial, where)
    numbers = ~np.isnan(a.data)
    y = reductions.extreme(name, choose(numbers, a, worst), axis, keepdims, initial, where)
    if initial is not None:
        return y
    return choose(np.any(numbers, axis, keepdims=keepdims), y, np.nan)
