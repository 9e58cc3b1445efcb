"""NumPy's counts of what falls where: differentiable for the weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.core import Variable, implements
from dezero.functions import reductions, shapes
from dezero.functions.indexing import scatter_add
from dezero.numpy.arguments import plain, typed


@implements(np.bincount)
def bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Any:
    """Return how often each number occurs in ``x``, or the sum of its ``weights``.

    Counts are a plain array; sums of weights have a gradient.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.bincount(np.array([0, 2, 2]), Variable(np.array([1.0, 0.5, 0.25])))
    variable([1.   0.   0.75])
    """
    x = plain(x)
    counts = np.bincount(x, None, minlength)
    if weights is None:
        return counts
    w = _floating(weights)
    if w.shape != x.shape:
        raise ValueError(
            f"np.bincount: got weights of shape {w.shape} for {x.shape}; one for each number"
        )
    return scatter_add(w, x.astype(np.intp), counts.shape)


@implements(np.histogram)
def histogram(
    a: Any, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Any = None
) -> tuple[Any, Any]:
    """Return how many elements, or what sum of ``weights``, fall into each bin; and its edges.

    Counts and edges are plain arrays: they do not change with ``a`` but in jumps. Sums of
    weights have a gradient for the weights.
    """
    a, bins = plain(a), bins if isinstance(bins, str) else plain(bins)
    if weights is None:
        return np.histogram(a, bins, range, density)
    w = _floating(weights)
    _, edges = np.histogram(a, bins, range, None, w.data)
    a = a.reshape(-1)
    inside = (a >= edges[0]) & (a <= edges[-1])
    last = len(edges) - 2
    places = np.minimum(np.searchsorted(edges, a[inside], "right") - 1, last)
    sums = scatter_add(shapes.reshape(w, (-1,))[inside], places, (last + 1,))
    if density:
        sums = sums / (np.diff(edges).astype(w.dtype) * reductions.sum(sums))
    return sums, edges


@implements(np.histogram2d)
def histogram2d(
    x: Any, y: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> tuple[Any, Any, Any]:
    """Return the counts, or sums of ``weights``, in two dimensions; and the edges of each."""
    if np.ndim(bins) == 1 and len(bins) > 2:
        bins = [plain(bins), plain(bins)]
    sums, (of_x, of_y) = histogramdd((x, y), bins, range, density, weights)
    return sums, of_x, of_y


@implements(np.histogramdd)
def histogramdd(
    sample: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> tuple[Any, Any]:
    """Return the counts, or sums of ``weights``, in several dimensions; and the edges of each.

    What is said of ``histogram`` holds.
    """
    if isinstance(sample, list | tuple):
        sample = np.stack([plain(x) for x in sample], 1)
    sample = plain(sample)
    sample = sample.reshape(-1, 1) if sample.ndim == 1 else sample
    if weights is None:
        return np.histogramdd(sample, bins, range, density)
    w = _floating(weights)
    _, edges = np.histogramdd(sample, bins, range)
    places, inside = [], np.ones(len(sample), bool)
    for x, edge in zip(sample.T, edges, strict=True):
        places.append(np.minimum(np.searchsorted(edge, x, "right") - 1, len(edge) - 2))
        inside &= (x >= edge[0]) & (x <= edge[-1])
    shape = tuple(len(edge) - 1 for edge in edges)
    index = tuple(place[inside] for place in places)
    sums = scatter_add(w[inside], index, shape)
    if density:
        sums = sums / reductions.sum(sums)
        for axis, edge in enumerate(edges):
            sums = sums / shapes.reshape(np.diff(edge).astype(w.dtype), _column(axis, len(shape)))
    return sums, edges


def _column(axis: int, ndim: int) -> tuple[int, ...]:
    return (-1, *(1,) * (ndim - axis - 1))


def _floating(weights: Any) -> Variable:
    w = typed(weights)
    return w if w.dtype.kind in "fc" else shapes.astype(w, np.float64)
