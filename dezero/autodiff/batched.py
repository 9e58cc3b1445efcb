"""An array that stands for one example while it holds a whole batch: what vmap hands out.

A :class:`Batched` answers NumPy's protocols and operators as the array of one example would. What
it holds, an array or a Variable, has the batch along its first axis. A call on it becomes one call
on the whole batch where :mod:`dezero.autodiff.batching_rules` knows how, otherwise one for each
example.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from dezero.core.protocols import ends
from dezero.core.variable import Variable


class BatchingError(Exception):
    """A function wants one plain value where there is one for each example."""


class _MissingError(BatchingError, AttributeError):
    """A Batched has not all attributes of an array: ``hasattr`` is false, use runs one by one."""


class Batched(NDArrayOperatorsMixin):
    """One example of a batch, as NumPy code sees it.

    Attributes
    ----------
    value : array or Variable
        The whole batch, along the first axis.
    shape, dtype, ndim, size
        Those of one example.
    """

    __slots__ = ("_floor", "value")
    __array_priority__ = 300

    value: Any

    def __init__(self, value: Any, floor: int) -> None:
        self.value = value
        self._floor = floor

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one example."""
        return self.value.shape[1:]

    @property
    def ndim(self) -> int:
        """The number of dimensions of one example."""
        return self.value.ndim - 1

    @property
    def size(self) -> int:
        """The number of elements of one example."""
        return int(np.prod(self.shape))

    @property
    def dtype(self) -> Any:
        """The type of the elements."""
        return self.value.dtype

    @property
    def T(self) -> Any:
        """The axes in reverse order."""
        return np.transpose(self)

    @property
    def real(self) -> Any:
        """The real part."""
        return np.real(self)

    @property
    def imag(self) -> Any:
        """The imaginary part."""
        return np.imag(self)

    def __getattr__(self, name: str) -> Any:
        if hasattr(np.ndarray, name):
            raise _MissingError(f"vmap: an example has no {name}; write it in NumPy functions")
        raise AttributeError(f"an example of vmap has no attribute {name!r}")

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a 0-d example")
        return self.shape[0]

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"batched({self.dtype} {self.shape} for each of {self.value.shape[0]} examples)"

    def _refuse(self, *args: Any, **kwargs: Any) -> Any:
        raise BatchingError(
            f"vmap: one value is wanted here, but there is one for each of "
            f"{self.value.shape[0]} examples: np.where instead of if, NumPy functions instead of "
            "float(x) and writes into arrays"
        )

    __array__ = __bool__ = __float__ = __int__ = __index__ = __complex__ = item = _refuse
    __hash__ = None  # type: ignore[assignment]

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        out = kwargs.pop("out", None)
        if not self._outranks(*inputs):
            return NotImplemented
        function = ufunc if method == "__call__" else getattr(ufunc, method)
        result = self._mapped(function, inputs, kwargs, method == "__call__")
        if out is None:
            return result
        (target,) = out
        if not isinstance(target, Batched):
            return self._refuse()
        target.value = result.value
        return target

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if not self._outranks(*ends(args)):
            return NotImplemented
        return self._mapped(function, args, kwargs, False)

    def _outranks(self, *inputs: Any) -> bool:
        """Whether no Variable among the inputs belongs to a level above this one."""
        return all(_level_of(x) < self._floor for x in inputs if isinstance(x, Variable))

    def _apply(self, function: Any, *inputs: Any) -> Any:
        """Apply a differentiable function of this package, a class or a fresh instance."""
        from dezero.autodiff.batching_rules import apply_function

        return apply_function(self._top(inputs)._batch, function, inputs)

    def _mapped(self, function: Any, args: Any, kwargs: dict[str, Any], aligned: bool) -> Any:
        from dezero.autodiff.batching_rules import call_numpy

        return call_numpy(self._top(args)._batch, function, args, kwargs, aligned)

    def _top(self, args: Any) -> Batched:
        """Return the one of the innermost vmap among the arguments."""
        found = [x for x in ends(args) if isinstance(x, Batched)]
        return max(found, key=lambda x: x._floor, default=self)

    @property
    def _batch(self) -> Batch:
        return Batch(self.value.shape[0], self._floor)

    def __getitem__(self, index: Any) -> Any:
        from dezero.autodiff.batching_indexing import get_item

        return get_item(self._batch, self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        from dezero.autodiff.batching_indexing import set_item

        if not set_item(self._batch, self, index, value):
            self._refuse()

    def astype(self, dtype: Any, copy: bool = True) -> Any:
        """Return the values in another type."""
        return Batched(self.value.astype(dtype), self._floor)

    def copy(self) -> Any:
        """Return a copy."""
        return Batched(np.copy(self.value), self._floor)

    def reshape(self, *shape: Any, **kwargs: Any) -> Any:
        """Return the same elements in another shape."""
        return np.reshape(self, shape[0] if len(shape) == 1 else shape, **kwargs)

    def transpose(self, *axes: Any) -> Any:
        """Return the axes in another order, reversed by default."""
        if len(axes) == 1 and (axes[0] is None or isinstance(axes[0], tuple | list)):
            axes = tuple(axes[0] or ())
        return np.transpose(self, axes or None)


class Batch:
    """The batch of one vmap: how many examples, and which arrays belong to it."""

    def __init__(self, size: int, floor: int) -> None:
        self.size = size
        self.floor = floor

    def holds(self, x: Any) -> bool:
        """Whether ``x`` has a value for each example."""
        return isinstance(x, Batched) and x._floor == self.floor

    def of(self, value: Any) -> Batched:
        """Return what stands for one example of ``value``."""
        if isinstance(value, Variable) and not value.requires_grad:
            value = value.data
        return Batched(value, self.floor)

    def whole(self, x: Any) -> Any:
        """Return all examples of ``x`` along the first axis, copies of it if it has just one."""
        if self.holds(x):
            return x.value
        x = x if hasattr(x, "shape") else np.asarray(x)
        return np.broadcast_to(x, (self.size, *x.shape))

    def example(self, tree: Any, i: int) -> Any:
        """Return ``tree`` with example ``i`` in place of what holds a batch."""
        if self.holds(tree):
            return tree.value[i]
        if isinstance(tree, tuple | list):
            return type(tree)(self.example(item, i) for item in tree)
        if isinstance(tree, dict):
            return {key: self.example(item, i) for key, item in tree.items()}
        return tree

    def stacked(self, results: list[Any]) -> Any:
        """Return the results of all examples as one batch."""
        first = results[0]
        if isinstance(first, tuple | list):
            items = [self.stacked(list(column)) for column in zip(*results, strict=True)]
            return type(first)(*items) if hasattr(first, "_fields") else type(first)(items)
        arrays = (Variable, Batched)
        return self.of(np.stack([y if isinstance(y, arrays) else np.asarray(y) for y in results]))

    def looped(self, function: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
        """Call a function once for each example."""
        return self.stacked(
            [function(*self.example(args, i), **self.example(kwargs, i)) for i in range(self.size)]
        )

    def aligned(self, xs: Any) -> list[Any]:
        """Return arrays that broadcast as the examples do, the batch before all axes."""
        ndim = max(np.ndim(x) if not hasattr(x, "ndim") else x.ndim for x in xs)
        return [_inserted(x.value, ndim - x.ndim) if self.holds(x) else x for x in xs]


def _inserted(value: Any, count: int) -> Any:
    """Return ``value`` with ``count`` axes of length 1 after the first."""
    shape = value.shape
    return value.reshape((shape[0], *(1,) * count, *shape[1:])) if count else value


def _level_of(x: Variable) -> int:
    """Return the depth of what made a Variable; one made of a batch lies above it."""
    if x._node is not None:
        return int(x._node._depth)
    return x._data._floor + 1 if isinstance(x._data, Batched) else 0


def _method(name: str) -> Callable[..., Any]:
    function = getattr(np, name)

    def method(self: Batched, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    method.__doc__ = f"Return ``np.{name}`` of one example."
    return method


_METHODS = """all any argmax argmin argsort clip cumprod cumsum diagonal dot max mean min prod
ravel repeat round squeeze std sum swapaxes take trace var"""

for _name in _METHODS.split():
    setattr(Batched, _name, _method(_name))
Batched.flatten = Batched.ravel  # type: ignore[attr-defined]
Batched.conj = _method("conjugate")  # type: ignore[attr-defined]
