"""The methods of Variable that are functions: ``x.sum()``, ``x.reshape(2, 3)``, ``x[0]``."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.core import Variable
from dezero.functions import indexing, linear_algebra, reductions, shapes


def _reshape(self: Variable, *shape: Any) -> Variable:
    """Return the same elements in another shape: ``x.reshape(2, 3)`` or ``x.reshape((2, 3))``."""
    if len(shape) == 1 and isinstance(shape[0], tuple | list):
        shape = tuple(shape[0])
    return shapes.reshape(self, shape)


def _transpose(self: Variable, *axes: Any) -> Variable:
    """Return the axes in another order, reversed by default."""
    if len(axes) == 1 and (axes[0] is None or isinstance(axes[0], tuple | list)):
        axes = () if axes[0] is None else tuple(axes[0])
    return shapes.transpose(self, axes or None)


def _matmul(self: Variable, other: Any) -> Variable:
    if not isinstance(other, Variable | np.ndarray) and hasattr(other, "tocsr"):
        from dezero.scipy.sparse import matmul

        return matmul(self, other)
    return linear_algebra.matmul(self, other)


def _reflected_matmul(self: Variable, other: Any) -> Variable:
    return linear_algebra.matmul(other, self)


def _to_cpu(self: Variable) -> None:
    """Move the array to the CPU's memory."""
    from dezero import cuda

    if self.data is not None and cuda.get_array_module(self.data) is not np:
        self.data = cuda.as_numpy(self.data)


def _to_gpu(self: Variable) -> None:
    """Move the array to the GPU's memory."""
    from dezero import cuda

    if self.data is not None:
        self.data = cuda.as_cupy(self.data)


def setup_methods() -> None:
    """Attach the methods to Variable. Runs at import."""
    methods: dict[str, Any] = {
        "reshape": _reshape,
        "transpose": _transpose,
        "T": property(lambda self: shapes.transpose(self)),
        "sum": reductions.sum,
        "mean": reductions.average,
        "var": reductions.var,
        "max": reductions.max,
        "min": reductions.min,
        "astype": shapes.astype,
        "matmul": linear_algebra.matmul,
        "dot": linear_algebra.matmul,
        "__matmul__": _matmul,
        "__rmatmul__": _reflected_matmul,
        "__getitem__": indexing.get_item,
        "to_cpu": _to_cpu,
        "to_gpu": _to_gpu,
    }
    for name, method in methods.items():
        setattr(Variable, name, method)
