"""NumPy's differences, slopes, areas, interpolation and convolution."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from dezero.core import Primitive, Variable, implements
from dezero.functions import reductions, shapes
from dezero.functions.math import where as choose
from dezero.numpy.arguments import axes_of, part, plain, refuse_gradient, typed


class Convolve(Primitive):
    """The convolution of two vectors, in full."""

    def forward(self, x: Any, w: Any) -> Any:
        """Return every overlap of the two."""
        return np.convolve(x, w)

    def gx(self, gy: Any, w: Any) -> Any:
        """Correlate the gradient with ``w``."""
        return _complete_overlaps(gy, w)

    def gw(self, gy: Any, x: Any) -> Any:
        """Correlate the gradient with ``x``."""
        return _complete_overlaps(gy, x)


def _complete_overlaps(gy: Any, x: Any) -> Any:
    return np.convolve(gy, x[::-1], "valid")


@implements(np.convolve)
def convolve(a: Any, v: Any, mode: str = "full") -> Variable:
    r"""Return the convolution of two vectors, :math:`y_k = \sum_i a_i v_{k - i}`.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.convolve(Variable(np.array([1.0, 2.0])), np.array([1.0, 1.0]))
    variable([1. 3. 2.])
    """
    a, v = _vectors("convolve", a, v)
    if len(v) > len(a):
        a, v = v, a
    return _overlaps("convolve", Convolve()(a, v), len(a), len(v), mode)


@implements(np.correlate)
def correlate(a: Any, v: Any, mode: str = "valid") -> Variable:
    r"""Return the correlation of two vectors, :math:`y_k = \sum_i a_{k + i} \overline{v_i}`."""
    a, v = _vectors("correlate", a, v)
    v = np.conjugate(v) if v.dtype.kind == "c" else v
    if len(v) > len(a):
        return _overlaps("correlate", Convolve()(v, a[::-1]), len(v), len(a), mode)[::-1]
    return _overlaps("correlate", Convolve()(a, v[::-1]), len(a), len(v), mode)


def _vectors(name: str, a: Any, v: Any) -> tuple[Variable, Variable]:
    a, v = (shapes.reshape(x, (1,)) if x.ndim == 0 else x for x in (typed(a), typed(v)))
    if a.ndim != 1 or v.ndim != 1 or a.size == 0 or v.size == 0:
        raise ValueError(
            f"np.{name}: got shapes {a.shape} and {v.shape}; it wants two vectors that are not "
            "empty"
        )
    return a, v


def _overlaps(name: str, y: Variable, long: int, short: int, mode: str) -> Variable:
    """Return the part of a full convolution that ``mode`` names."""
    if mode == "full":
        return y
    if mode == "same":
        start = (short - 1) // 2
        return y[start : start + long]
    if mode == "valid":
        return y[short - 1 : long]
    raise ValueError(f"np.{name}: got mode {mode!r}; it wants 'full', 'same' or 'valid'")


@implements(np.diff)
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Variable:
    """Return the differences of neighbours along an axis, ``n`` times over."""
    a = typed(a)
    if n < 0:
        raise ValueError(f"np.diff: got n={n}; the order of a difference is 0 or more")
    if a.ndim == 0:
        raise ValueError("np.diff: got a number; it wants an array of at least one dimension")
    axis = normalize_axis_index(axis, a.ndim, "np.diff")
    if n == 0:
        return a
    ends = (_end(prepend, a, axis), a, _end(append, a, axis))
    given = [x for x in ends if x is not None]
    a = shapes.concatenate(given, axis) if len(given) > 1 else a
    for _ in range(n):
        a = part(a, 1, None, axis) - part(a, None, -1, axis)
    return a


def _end(x: Any, a: Variable, axis: int) -> Any:
    """Return what goes before or after ``a``; a number as a slice of ``a``."""
    if x is None:
        return None
    if type(x) in (int, float):
        x = np.asarray(x, a.dtype if a.dtype.kind in "fc" else None)
    x = typed(x)
    return x if x.ndim else shapes.broadcast_to(x, (*a.shape[:axis], 1, *a.shape[axis + 1 :]))


@implements(np.ediff1d)
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Variable:
    """Return the differences of neighbours of all elements, with others before and after."""
    a = shapes.reshape(typed(ary), (-1,))
    ends = (to_begin, a[1:] - a[:-1], to_end)
    given = [shapes.reshape(typed(x), (-1,)) for x in ends if x is not None]
    return shapes.concatenate([shapes.astype(x, a.dtype) for x in given])


@implements(np.gradient)
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Return the slopes of ``f`` along axes, by central differences, one-sided at the ends.

    The spacing, a number or the coordinates of each axis, may be a Variable.

    Raises
    ------
    ValueError
        If an axis has less than ``edge_order + 1`` elements.
    """
    f = typed(f)
    axes = axes_of("gradient", axis, f.ndim)
    if edge_order not in (1, 2):
        raise ValueError(f"np.gradient: got edge_order={edge_order}; it wants 1 or 2")
    if len(varargs) not in (0, 1, len(axes)) or (
        len(varargs) == 1 and np.ndim(plain(varargs[0])) == 1 and len(axes) > 1
    ):
        raise TypeError(
            f"np.gradient: got {len(varargs)} spacings for {len(axes)} axes; give none, a number "
            "for all, or one for each axis"
        )
    spacings = varargs if len(varargs) == len(axes) else (varargs or (1.0,)) * len(axes)
    slopes = tuple(
        _slope(f, spacing, i, edge_order) for i, spacing in zip(axes, spacings, strict=True)
    )
    return slopes if len(slopes) > 1 or (axis is not None and np.ndim(axis)) else slopes[0]


def _slope(f: Variable, spacing: Any, axis: int, edge_order: int) -> Variable:
    size = f.shape[axis]
    if size < edge_order + 1:
        raise ValueError(
            f"np.gradient: axis {axis} has {size} elements; edge_order={edge_order} wants at "
            f"least {edge_order + 1}"
        )
    steps = _steps(spacing, f, axis)
    if steps is None:
        inner = (part(f, 2, None, axis) - part(f, None, -2, axis)) / (2 * spacing)
    else:
        inner = _weighted_inner(f, steps, axis)
    near, far = (spacing, spacing) if steps is None else (steps[:1], steps[1:2])
    first = _edge(f, (0, 1, 2), near, far, axis, edge_order)
    near, far = (spacing, spacing) if steps is None else (steps[-1:], steps[-2:-1])
    last = _edge(f, (size - 1, size - 2, size - 3), -near, -far, axis, edge_order)
    return shapes.concatenate([first, inner, last], axis)


def _steps(spacing: Any, f: Variable, axis: int) -> Any:
    """Return the distances between coordinates, shaped to broadcast; ``None`` for a number."""
    if np.ndim(plain(spacing)) == 0:
        return None
    x = typed(spacing)
    if x.shape != (f.shape[axis],):
        raise ValueError(
            f"np.gradient: got coordinates of shape {x.shape} for axis {axis} of {f.shape}; "
            f"it wants ({f.shape[axis]},)"
        )
    if x.dtype.kind in "iu":
        x = shapes.astype(x, np.float64)
    return shapes.reshape(x[1:] - x[:-1], (-1, *(1,) * (f.ndim - axis - 1)))


def _weighted_inner(f: Variable, steps: Variable, axis: int) -> Variable:
    """Return the slope inside, by the parabola through each element and its neighbours."""
    left, right = steps[:-1], steps[1:]
    below = part(f, 1, -1, axis) - part(f, None, -2, axis)
    above = part(f, 2, None, axis) - part(f, 1, -1, axis)
    return (below / left * right + above / right * left) / (left + right)


def _edge(
    f: Variable, places: tuple[int, int, int], near: Any, far: Any, axis: int, edge_order: int
) -> Variable:
    """Return the slope at the first of ``places``, which are ``near`` and ``far`` apart."""
    at = [part(f, i, i + 1, axis) for i in places[: edge_order + 1]]
    slope = (at[1] - at[0]) / near
    if edge_order == 1:
        return slope
    next_slope = (at[2] - at[1]) / far
    return slope - (next_slope - slope) * (near / (near + far))


@implements(np.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Variable:
    """Return the area under samples along an axis, by trapezoids; ``x`` may be a Variable."""
    y = typed(y)
    axis = normalize_axis_index(axis, y.ndim, "np.trapezoid")
    if x is not None:
        x = typed(x)
        along = axis if x.ndim == y.ndim else 0
        steps = part(x, 1, None, along) - part(x, None, -1, along)
        dx = shapes.reshape(steps, (-1, *(1,) * (y.ndim - axis - 1))) if x.ndim == 1 else steps
    return reductions.sum((part(y, 1, None, axis) + part(y, None, -1, axis)) * (dx / 2.0), axis)


@implements(np.interp)
def interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Variable:
    """Return the values at ``x`` of the line through the points ``(xp, fp)``.

    All three may be Variables, and so may ``left`` and ``right``. At a point of the line the
    slope is the one on its right.
    """
    x, xp, fp = typed(x), typed(xp), typed(fp)
    if xp.ndim != 1 or fp.shape != xp.shape or not xp.size:
        raise ValueError(
            f"np.interp: got xp of shape {xp.shape} and fp of shape {fp.shape}; it wants two "
            "vectors of the same length, not empty"
        )
    if period is not None:
        x, xp, fp = _wrapped(x, xp, fp, abs(refuse_gradient("interp", "period", period)))
        left = right = None
    inside = np.clip(np.searchsorted(xp.data, x.data, "right") - 1, 0, max(len(xp) - 2, 0))
    above = np.minimum(inside + 1, len(xp) - 1)
    start, end = x.data < xp.data[0], x.data > xp.data[-1]
    outside = start | end | (above == inside)
    width = choose(outside, 1, xp[above] - xp[inside])
    share = choose(outside, 0, x - xp[inside]) / width
    y = fp[inside] * (1 - share) + fp[above] * share
    y = choose(start, fp[0] if left is None else left, y)
    return choose(end, fp[-1] if right is None else right, y)


def _wrapped(x: Variable, xp: Variable, fp: Variable, period: Any) -> tuple[Variable, ...]:
    """Return ``x`` within one period, and the points in order with one more on either side."""
    if period == 0:
        raise ValueError("np.interp: got period=0; a period is not 0")
    period = float(period)
    x, xp = (z - np.floor(z.data / period) * period for z in (x, xp))
    order = np.argsort(xp.data)
    around = np.concatenate([order[-1:], order, order[:1]])
    turn = np.zeros(len(around), xp.dtype)
    turn[0], turn[-1] = -period, period
    return x, xp[around] + turn, fp[around]


@implements(np.unwrap)
def unwrap(
    p: Any, discont: float | None = None, axis: int = -1, *, period: float = 2 * np.pi
) -> Variable:
    """Return ``p`` plus whole periods, so that neighbours differ by no more than half of one."""
    p = typed(p)
    smooth = np.unwrap(p.data, discont, axis, period=period)
    return p + np.rint((smooth - p.data) / period) * float(period)
