"""Indexing: parts of an array, and rows of an embedding table."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.core import Primitive, Variable, as_array, dispatched, implements
from dezero.cuda import get_array_module
from dezero.kernels.indexing import add_rows


class GetItem(Primitive):
    """The part of an array that an index selects."""

    _linear = True
    _views = True
    _counts = True

    def __init__(self, slices: Any) -> None:
        self.slices = slices

    def forward(self, x: Any) -> Any:
        """Return the part."""
        self.x_shape = x.shape
        if type(x) is not np.ndarray:
            self.slices = _moved(self.slices, x)
        return x[self.slices]

    def gx(self, gy: Any) -> Any:
        """Put the gradient where the part came from."""
        return scatter_add(gy, self.slices, self.x_shape)


class GetItemGrad(Primitive):
    """The transpose of :class:`GetItem`: zeros, with values added where an index says."""

    _linear = True
    _counts = True

    def __init__(self, slices: Any, in_shape: tuple[int, ...]) -> None:
        self.slices = slices
        self.in_shape = in_shape

    def forward(self, gy: Any) -> Any:
        """Return the array with values added."""
        return scatter_add(gy, self.slices, self.in_shape)

    def ggy(self, gy: Any) -> Any:
        """Take the part again."""
        return gy[self.slices]


@dispatched
def scatter_add(values: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """Return zeros of ``shape`` with ``values`` added at ``index``; repeated indices add up."""
    values = np.asarray(values) if isinstance(values, np.generic) else values
    once = _selects_once(index)
    if not once and getattr(index, "ndim", 0) > 0:
        rows = index.reshape(-1).astype(np.intp, copy=False)
        return add_rows(values.reshape(len(rows), *shape[1:]), rows, shape)
    result = np.zeros_like(values, shape=shape)
    if once:
        result[index] = values
    else:
        get_array_module(result).add.at(result, index, values)
    return result


@implements(scatter_add)
def _scatter_add(values: Variable, index: Any, shape: tuple[int, ...]) -> Variable:
    return GetItemGrad(index, shape)(values)


def _moved(index: Any, x: Any) -> Any:
    """Return an index whose arrays lie where ``x`` does."""
    if isinstance(index, tuple):
        return tuple(_moved(part, x) for part in index)
    return np.asarray(index, like=x) if isinstance(index, np.ndarray) else index


def _selects_once(index: Any) -> bool:
    """Whether no element can be selected twice: then writing serves, and adding is not needed."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(
        part is None
        or part is Ellipsis
        or isinstance(part, int | slice | np.integer | np.bool_)
        or (hasattr(part, "dtype") and part.dtype == bool)
        for part in parts
    )


def get_item(x: Any, slices: Any) -> Variable:
    """Return ``x[slices]``: any index that NumPy takes; gradients of repeated indices add up.

    Source: step 47 of the book.

    Raises
    ------
    IndexError
        If an index is out of bounds.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> x = Variable(np.arange(3.0))
    >>> y = x[[0, 0, 2]]
    >>> y.backward()
    >>> x.grad
    variable([2. 0. 1.])
    """
    return GetItem(_plain_index(slices))(x)


def _plain_index(index: Any) -> Any:
    """Return an index of arrays, numbers and slices: variables and lists become arrays."""
    if isinstance(index, tuple):
        return tuple(_plain_index(part) for part in index)
    if isinstance(index, Variable):
        return index.data
    if isinstance(index, list):
        return np.asarray(index) if index else np.empty(0, int)
    return index


def embed_id(x: Any, W: Any) -> Variable:
    """Return the rows of ``W`` that the integers ``x`` name.

    Parameters
    ----------
    x : array of int, any shape
        Row numbers, from 0 to ``len(W) - 1``.
    W : Variable of shape (rows, size)
        The table.

    Returns
    -------
    Variable of shape ``x.shape + (size,)``

    Raises
    ------
    TypeError
        If ``x`` does not hold integers.
    ValueError
        If a number is not a row of ``W``.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.embed_id(np.array([1, 0]), np.array([[0.1, 0.2], [0.3, 0.4]]))
    variable([[0.3 0.4]
              [0.1 0.2]])
    """
    ids = x.data if isinstance(x, Variable) else as_array(x)
    check_labels("embed_id", ids, W.shape[0], "rows of W")
    return GetItem(ids)(W)


def check_labels(name: str, labels: Any, count: int, what: str) -> None:
    """Raise unless ``labels`` are integers from 0 to ``count - 1``."""
    if labels.dtype.kind not in "iu":
        raise TypeError(
            f"{name}: got labels of type {labels.dtype}; it wants integers: t.astype(int)"
        )
    if labels.size and not (labels.min() >= 0 and labels.max() < count):
        raise ValueError(
            f"{name}: got labels from {labels.min()} to {labels.max()}, but there are {count} "
            f"{what}: labels go from 0 to {count - 1}"
        )
