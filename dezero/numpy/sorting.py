"""NumPy's sorting; and the functions of order and counting, which give plain arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from dezero.core import Primitive, Variable, dispatched, implements
from dezero.core.protocols import plain as plain_functions
from dezero.functions import shapes
from dezero.numpy.arguments import along, plain, typed

plain_functions.update(
    {
        np.argpartition,
        np.argwhere,
        np.digitize,
        np.flatnonzero,
        np.histogram_bin_edges,
        np.isin,
        np.lexsort,
        np.nanargmax,
        np.nanargmin,
        np.round,
        np.around,
    }
)


class Rearrange(Primitive):
    """The elements along an axis in another order, each of them once."""

    _counts = True

    def __init__(self, axis: int) -> None:
        self.axis = axis

    def forward(self, x: Any, order: Any) -> Any:
        """Return the elements in the order of the places given."""
        return np.take_along_axis(x, order, self.axis)

    def gx(self, gy: Any, order: Any) -> Any:
        """Put each gradient back."""
        return rearranged(gy, np.argsort(order, self.axis), self.axis)


@dispatched
def rearranged(x: Any, order: Any, axis: int) -> Any:
    """Return the elements along an axis in another order."""
    return np.take_along_axis(x, order, axis)


@implements(rearranged)
def _rearranged(x: Any, order: Any, axis: int) -> Variable:
    return Rearrange(axis)(x, order)


@implements(np.sort)
def sort(
    a: Any,
    axis: int | None = -1,
    kind: Any = None,
    order: Any = None,
    *,
    stable: bool | None = None,
) -> Variable:
    """Return the elements in ascending order along an axis; each keeps its gradient.

    Of elements that tie, the gradients follow the permutation that ``np.argsort`` finds.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> x = Variable(np.array([3.0, 1.0, 2.0]))
    >>> y = np.sort(x)
    >>> y[0].backward()
    >>> x.grad
    variable([0. 1. 0.])
    """
    a, axis = along("sort", typed(a), axis)
    places = np.argsort(a.data, axis=axis, kind=kind, order=order, stable=stable)
    return Rearrange(axis)(a, places)


@implements(np.partition)
def partition(
    a: Any, kth: Any, axis: int | None = -1, kind: Any = "introselect", order: Any = None
) -> Variable:
    """Return the elements so that the ``kth`` ones are where sorting would put them."""
    a, axis = along("partition", typed(a), axis)
    return Rearrange(axis)(a, np.argpartition(a.data, kth, axis, kind, order))


@implements(np.unique)
def unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    **kwargs: Any,
) -> Any:
    """Return the different elements in order; the first of equal ones has the gradient.

    The indices and counts, where they are asked for, are plain arrays.
    """
    a = typed(ar)
    find: Any = np.unique
    _, index, *others = find(a.data, True, return_inverse, return_counts, axis, **kwargs)
    if axis is None:
        y = shapes.reshape(a, (-1,))[index]
    else:
        y = a[(*(slice(None),) * normalize_axis_index(axis, a.ndim), index)]
    results = (y, *([index] if return_index else []), *others)
    return results if len(results) > 1 else y


if hasattr(np, "unique_values"):
    implements(np.unique_values)(unique)


@implements(np.union1d)
def union1d(ar1: Any, ar2: Any) -> Variable:
    """Return the values that occur in either; the first of equal ones has the gradient."""
    return unique(shapes.concatenate([_flat(ar1), _flat(ar2)]))


@implements(np.intersect1d)
def intersect1d(
    ar1: Any, ar2: Any, assume_unique: bool = False, return_indices: bool = False
) -> Any:
    """Return the values that occur in both: those of ``ar1``, with its gradient."""
    ar1 = _flat(ar1)
    _, first, second = np.intersect1d(ar1.data, plain(ar2), assume_unique, return_indices=True)
    return (ar1[first], first, second) if return_indices else ar1[first]


@implements(np.setdiff1d)
def setdiff1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Variable:
    """Return the values of ``ar1`` that do not occur in ``ar2``."""
    ar1 = _flat(ar1) if assume_unique else unique(ar1)
    return ar1[~np.isin(ar1.data, plain(ar2))]


@implements(np.setxor1d)
def setxor1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Variable:
    """Return the values that occur in one of the two alone, in order."""
    ar1, ar2 = (_flat(x) if assume_unique else unique(x) for x in (ar1, ar2))
    alone = ar1[~np.isin(ar1.data, ar2.data)], ar2[~np.isin(ar2.data, ar1.data)]
    return sort(shapes.concatenate(alone))


@implements(np.sort_complex)
def sort_complex(a: Any) -> Variable:
    """Return the elements in ascending order along the last axis, as complex numbers."""
    y = sort(a)
    return y.astype(np.sort_complex(y.data).dtype)


def _array_api(function: Any) -> None:
    """Enter a function of the array API's that gives the different elements and where they are."""

    def parts(x: Any) -> Any:
        """Return the different elements, with gradients, and plain arrays that say where."""
        x = typed(x)
        found = function(x.data)
        return found._replace(values=_flat(x)[np.unique_all(x.data).indices])

    parts.__name__ = function.__name__
    implements(function)(parts)


def _flat(x: Any) -> Variable:
    return shapes.reshape(typed(x), (-1,))


for _function in (np.unique_all, np.unique_counts, np.unique_inverse):
    _array_api(_function)
