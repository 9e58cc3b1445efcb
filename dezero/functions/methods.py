"""The methods of Variable that are functions: ``x.sum()``, ``x.reshape(2, 3)``, ``x[0]``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dezero.core import Variable, operators
from dezero.functions import assignment, indexing, linear_algebra, reductions, shapes


def _reshape(self: Any, *shape: Any, order: Any = "C") -> Any:
    """Return the same elements in another shape: ``x.reshape(2, 3)`` or ``x.reshape((2, 3))``."""
    if len(shape) == 1 and isinstance(shape[0], tuple | list):
        shape = tuple(shape[0])
    if order != "C":
        return np.reshape(self, shape, order)
    return shapes.reshape(self, shape)


def _transpose(self: Variable, *axes: Any) -> Variable:
    """Return the axes in another order, reversed by default."""
    if len(axes) == 1 and (axes[0] is None or isinstance(axes[0], tuple | list)):
        axes = () if axes[0] is None else tuple(axes[0])
    return shapes.transpose(self, axes or None)


def _numpy(name: str) -> Any:
    """Return the method that NumPy's arrays have under the name of NumPy's function."""
    function = getattr(np, name)

    def method(self: Variable, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    method.__name__ = name
    method.__doc__ = f"Return ``np.{name}`` of this variable."
    return method


def _flatten(self: Any, order: Any = "C") -> Variable:
    """Return the elements along one axis, in an array of their own."""
    return shapes.copy(np.ravel(self, order))


def _compress(self: Any, condition: Any, axis: int | None = None) -> Any:
    """Return the parts along an axis for which ``condition`` holds."""
    return np.compress(condition, self, axis)


def _is_sparse(x: Any) -> bool:
    """Whether ``x`` is a sparse matrix of SciPy's."""
    return not isinstance(x, Variable | np.ndarray) and hasattr(x, "tocsr")


def _matmul(self: Variable, other: Any) -> Variable:
    if _is_sparse(other):
        from dezero.scipy.sparse import matmul

        return matmul(self, other)
    return linear_algebra.matmul(self, other)


def _reflected_matmul(self: Variable, other: Any) -> Variable:
    if _is_sparse(other):
        from dezero.scipy.sparse import matmul

        return matmul(other, self)
    return linear_algebra.matmul(other, self)


def _reduction(function: Callable[..., Any], numpy_function: Callable[..., Any]) -> Any:
    """Return a method with the book's arguments, and with NumPy's others by keyword."""

    def method(
        self: Variable, axis: Any = None, keepdims: bool = False, *args: Any, **kwargs: Any
    ) -> Variable:
        if kwargs and not args:
            return numpy_function(self, axis, keepdims=keepdims, **kwargs)
        return function(self, axis, keepdims, *args, **kwargs)

    method.__doc__ = function.__doc__
    return method


def _calling(numpy_function: Callable[..., Any]) -> Any:
    """Return the method that calls one of NumPy's functions on the variable."""

    def method(self: Variable, *args: Any, **kwargs: Any) -> Any:
        return numpy_function(self, *args, **kwargs)

    method.__doc__ = f"Return ``np.{numpy_function.__name__}`` of the variable."
    return method


def _sort(self: Variable, *args: Any, **kwargs: Any) -> Any:
    raise TypeError(
        "sort: x.sort() would write into the variable, and its gradient would be lost; "
        "use y = np.sort(x)"
    )


def _partition(self: Variable, *args: Any, **kwargs: Any) -> Any:
    raise TypeError(
        "partition: x.partition(kth) would write into the variable, and its gradient would be "
        "lost; use y = np.partition(x, kth)"
    )


def _to_cpu(self: Variable) -> None:
    """Move the array, and that of the gradient, to the CPU's memory."""
    from dezero import cuda

    if self.data is not None and cuda.get_array_module(self.data) is not np:
        self.data = cuda.as_numpy(self.data)
    if isinstance(self.grad, Variable):
        self.grad.to_cpu()


def _to_gpu(self: Variable) -> None:
    """Move the array, and that of the gradient, to the GPU's memory."""
    from dezero import cuda

    if self.data is not None:
        self.data = cuda.as_cupy(self.data)
    if isinstance(self.grad, Variable):
        self.grad.to_gpu()


_AS_ARRAYS = (
    "choose", "diagonal", "put", "ravel", "repeat", "squeeze", "swapaxes", "take", "trace"
)  # fmt: skip


def setup_methods() -> None:
    """Attach the methods to Variable. Runs at import."""
    methods: dict[str, Any] = {
        "reshape": _reshape,
        "transpose": _transpose,
        "T": property(lambda self: shapes.transpose(self)),
        "sum": _reduction(reductions.sum, np.sum),
        "mean": _reduction(reductions.average, np.mean),
        "var": _reduction(reductions.var, np.var),
        "max": _reduction(reductions.max, np.max),
        "min": _reduction(reductions.min, np.min),
        "std": _calling(np.std),
        "prod": _calling(np.prod),
        "ptp": _calling(np.ptp),
        "cumsum": _calling(np.cumsum),
        "cumprod": _calling(np.cumprod),
        "all": _calling(np.all),
        "any": _calling(np.any),
        "argsort": _calling(np.argsort),
        "argpartition": _calling(np.argpartition),
        "round": _calling(np.round),
        "sort": _sort,
        "partition": _partition,
        "astype": shapes.astype,
        "copy": shapes.copy,
        "flatten": _flatten,
        "compress": _compress,
        "mT": property(_numpy("matrix_transpose")),
        "matmul": linear_algebra.matmul,
        "dot": linear_algebra.matmul,
        "__matmul__": _matmul,
        "__rmatmul__": _reflected_matmul,
        "__getitem__": indexing.get_item,
        "__setitem__": assignment.assign,
        "real": property(operators.real),
        "imag": property(lambda self: np.imag(self)),
        "conj": operators.conjugate,
        "conjugate": operators.conjugate,
        "to_cpu": _to_cpu,
        "to_gpu": _to_gpu,
    }
    for name in _AS_ARRAYS:
        methods[name] = _numpy(name)
    for name, method in methods.items():
        setattr(Variable, name, method)
