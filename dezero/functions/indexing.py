"""Indexing: parts of an array, assignment to parts, and rows of an embedding table."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dezero.core import Primitive, Variable, as_array, dispatched, implements
from dezero.core.shapes import sum_to
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
        if gy.__class__ is np.ndarray:
            return _scattered(gy, self.slices, self.x_shape)
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
    return _scattered(values, index, shape)


def _scattered(values: Any, index: Any, shape: tuple[int, ...]) -> Any:
    values = np.asarray(values) if isinstance(values, np.generic) else values
    once = _is_basic(index) or _selects_once(index)
    if not once and getattr(index, "ndim", 0) > 0:
        rows = index.reshape(-1).astype(np.intp, copy=False)
        return add_rows(values.reshape(len(rows), *shape[1:]), rows, shape)
    if type(values) is np.ndarray:
        result = np.zeros(shape, values.dtype)  # ten times faster than zeros_like
    else:
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


class SetItem(Primitive):
    """An array with values written at an index."""

    _counts = True
    _linear = True

    def __init__(self, index: Any, in_place: bool = False) -> None:
        self.index = index
        self.in_place = in_place

    def forward(self, x: Any, v: Any) -> Any:
        """Return a copy of ``x`` with ``v`` written, or ``x`` itself where nobody else has it."""
        self.x_shape, self.v_shape = x.shape, v.shape
        if get_array_module(x) is not np:
            self.index, v = _moved(self.index, x), np.asarray(v, like=x)
        if not self.in_place:
            return written(x, self.index, v)
        self.in_place = False  # the forward pass of these values alone
        x[self.index] = v
        return x

    def gx(self, gy: Any) -> Any:
        """Drop the gradient of what was overwritten."""
        return written(gy, self.index, 0)

    def gv(self, gy: Any) -> Any:
        """Take the gradient where the values stand, and sum it over their copies."""
        part = gy[self.index]
        if not _selects_once(self.index):
            part = np.where(_is_last(self.index, self.x_shape, part), part, 0)
        lead = max(len(self.v_shape) - len(part.shape), 0)  # NumPy drops these axes of length 1
        part = sum_to(part, self.v_shape[lead:])
        return np.reshape(part, self.v_shape) if lead else part


@dispatched
def written(x: Any, index: Any, values: Any) -> Any:
    """Return a copy of ``x`` with ``values`` written at ``index``."""
    y = np.copy(x)
    y[index] = values
    return y


def _is_last(index: Any, shape: tuple[int, ...], part: Any) -> Any:
    """Return which of the values written at ``index`` is the last one at its place, and stays."""
    xp = get_array_module(part)
    order = xp.arange(math.prod(part.shape)).reshape(part.shape)
    last = xp.empty(shape, np.intp)
    last[index] = order
    return last[index] == order


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
    return GetItem(plain_index(slices))(x)


@implements(written)
def set_item(x: Any, index: Any, v: Any) -> Variable:
    r"""Return ``x`` with the values ``v`` written at ``index``: what ``x[index] = v`` does.

    The gradient of ``x`` is that of the result with zeros at ``index``; the gradient of ``v`` is
    the part at ``index``, summed over the copies where ``v`` was broadcast. Where an index is
    repeated the last value stays, and has the gradient.

    Parameters
    ----------
    x : Variable or array
        Any shape; it is not changed.
    index : int, slice, array, tuple ...
        Any index that NumPy takes.
    v : Variable, array or number
        What broadcasts to the part.

    Raises
    ------
    IndexError
        If an index is out of bounds.
    ValueError
        If ``v`` does not broadcast to the part.
    TypeError
        If ``x`` is of a type that would drop the gradient of ``v``: integers, or real numbers
        for complex ones.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.set_item(np.zeros(3), 1, 5.0)
    variable([0. 5. 0.])
    """
    check_holds(x, v)
    return SetItem(plain_index(index))(x, v)


def check_holds(x: Any, v: Any) -> None:
    """Raise where writing the Variable ``v`` into ``x`` would drop a part of its gradient."""
    if not (isinstance(v, Variable) and (v.requires_grad or v._node is not None)):
        return
    kind, needed = x.dtype.kind, v.dtype.kind
    if needed in "fc" and kind != "c" and kind != needed:
        wanted = "complex" if needed == "c" else "float"
        raise TypeError(
            f"set_item: got values of type {v.dtype} for an array of type {x.dtype}, which would "
            f"round them and lose their gradient; make the array {wanted}: x.astype({wanted})"
        )


def _is_basic(index: Any) -> bool:
    """Whether an index is made of integers and slices alone: the common, quick case."""
    if type(index) is tuple:
        return _BASIC.issuperset(map(type, index))
    return type(index) in _BASIC


_BASIC = frozenset((int, slice, type(None), type(Ellipsis)))


def plain_index(index: Any) -> Any:
    """Return an index of arrays, numbers and slices, which stays what it is.

    Variables and sequences become arrays; arrays are copied, since the graph keeps the index
    until backward.
    """
    if _is_basic(index):
        return index
    if isinstance(index, tuple):
        return tuple(plain_index(part) for part in index)
    if isinstance(index, Variable):
        index = index.data
    if isinstance(index, list | range):
        return np.asarray(_unwrapped(index)) if len(index) else np.empty(0, int)
    return index.copy() if isinstance(index, np.ndarray) else index


def _unwrapped(index: Any) -> Any:
    if isinstance(index, list | range | tuple):
        return [_unwrapped(part) for part in index]
    return index.data if isinstance(index, Variable) else index


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
