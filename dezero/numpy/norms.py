"""Norms of vectors and matrices on Variables, and condition numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dezero.core import Variable, implements
from dezero.core.protocols import plain as plain_functions
from dezero.functions.shapes import unchanged
from dezero.numpy.decompositions import svdvals
from dezero.numpy.linalg_rules import inv
from dezero.numpy.matrices import conjugate, plain

plain_functions.add(np.linalg.matrix_rank)

Axes = int | tuple[int, ...] | None


@implements(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Axes = None, keepdims: bool = False) -> Any:
    """Return a norm of vectors or matrices, as ``np.linalg.norm``.

    Norms from powers have the gradient 0 at 0 and for elements that are 0; elements that tie for
    the largest share it, and so do columns. Norms from singular values (2, -2, "nuc") have that of
    :func:`numpy.linalg.svd`.

    Parameters
    ----------
    x : Variable or array
        Real or complex.
    ord : number, inf, -inf, "fro" or "nuc", optional
        Which norm; the 2-norm of vectors and the Frobenius norm by default.
    axis : int or pair of int, optional
        The axis of vectors, the axes of matrices; all of ``x`` by default.
    keepdims : bool, default False
        Whether the axes stay, with length 1.

    Raises
    ------
    ValueError
        If there is no such norm.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.linalg.norm(Variable(np.array([3.0, 4.0])))
    variable(5.0)
    """
    x = _floating(x)
    if axis is None:
        if ord is None or (ord in ("f", "fro") and x.ndim == 2) or (ord == 2 and x.ndim == 1):
            kept = (1,) * x.ndim if keepdims else ()
            return np.reshape(_euclidean(np.reshape(x, (-1,)), 0), kept)
        axis = tuple(range(x.ndim))
    axes = (axis,) if isinstance(axis, int | np.integer) else tuple(axis)
    if len(axes) == 1:
        return _reduced(_vector(x, 2 if ord is None else ord, axes), axes, keepdims)
    if len(axes) == 2:
        return _reduced(_matrix(x, ord, axes), axes, keepdims)
    raise ValueError(
        f"norm: got axis {axis} of an input of {x.ndim} dimensions with ord {ord!r}; it wants one "
        "axis for vectors or two for matrices"
    )


@implements(np.linalg.vector_norm)
def vector_norm(x: Any, /, *, axis: Axes = None, keepdims: bool = False, ord: Any = 2) -> Variable:
    """Return a norm of vectors, which may lie along several axes; see :func:`norm`.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.linalg.vector_norm(Variable(np.array([[3.0, -4.0]])), ord=1)
    variable(7.0)
    """
    x = _floating(x)
    if axis is None:
        axis = tuple(range(x.ndim))
    axes = (axis,) if isinstance(axis, int | np.integer) else tuple(axis)
    return _reduced(_vector(x, ord, axes), axes, keepdims)


@implements(np.linalg.matrix_norm)
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Variable:
    """Return a norm of the matrices in the last two axes; see :func:`norm`.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.linalg.matrix_norm(Variable(np.diag([3.0, 4.0])))
    variable(5.0)
    """
    return _reduced(_matrix(_floating(x), ord, (-2, -1)), (-2, -1), keepdims)


@implements(np.linalg.cond)
def cond(x: Any, p: Any = None) -> Variable:
    """Return the condition number: the norm of a matrix times that of its inverse.

    Parameters
    ----------
    x : Variable or array of shape (..., n, n)
        The matrices; any shape for ``p`` in (None, 2, -2), which use singular values.
    p : number, inf, -inf or "fro", optional
        Which norm.

    Raises
    ------
    LinAlgError
        If a matrix is singular and has no inverse.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.linalg.cond(Variable(np.diag([4.0, 2.0])))
    variable(2.0)
    """
    x = unchanged(x)
    if math.prod(x.shape) == 0:
        raise np.linalg.LinAlgError(f"cond: got an empty array of shape {x.shape}")
    if p in (None, 2, -2):
        s = svdvals(x)
        with np.errstate(divide="ignore"):
            return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    return norm(x, p, (-2, -1)) * norm(inv(x), p, (-2, -1))


def _vector(x: Any, ord: Any, axes: tuple[int, ...]) -> Any:
    """Return the norm along axes, which stay with length 1."""
    if isinstance(ord, str):
        raise ValueError(f"norm: there is no norm {ord!r} of vectors; it wants a number or inf")
    if ord == 2:
        return _euclidean(x, axes)
    if ord == 0:
        count = np.sum(plain(x) != 0, axis=axes, keepdims=True).astype(np.finfo(x.dtype).dtype)
        return Variable(count, requires_grad=False)
    size = np.abs(x)
    if ord == math.inf:
        return np.max(size, axis=axes, keepdims=True)
    if ord == -math.inf:
        return np.min(size, axis=axes, keepdims=True)
    if ord == 1:
        return np.sum(size, axis=axes, keepdims=True)
    return _power_norm(size, ord, axes)


def _euclidean(x: Any, axes: Axes) -> Any:
    squares = np.real(x * conjugate(x)) if x.dtype.kind == "c" else x * x
    square = np.sum(squares, axis=axes, keepdims=True)
    zero = square == 0
    return np.where(zero, 0, np.sqrt(np.where(zero, 1, square)))


def _power_norm(size: Any, ord: Any, axes: tuple[int, ...]) -> Any:
    """Return ``sum(size**ord) ** (1 / ord)``; what is 0 has no part in the gradient."""
    zero = size == 0
    powers = np.where(zero, 0 if ord > 0 else math.inf, np.where(zero, 1, size) ** ord)
    total = np.sum(powers, axis=axes, keepdims=True)
    none, endless = total == 0, np.isinf(total)
    root = np.where(none | endless, 1, total) ** (1 / ord)
    at_none, at_endless = (0, math.inf) if ord > 0 else (math.inf, 0)
    return np.where(none, at_none, np.where(endless, at_endless, root))


def _matrix(x: Any, ord: Any, axes: tuple[int, ...]) -> Any:
    """Return the norm of matrices in two axes, which stay with length 1."""
    row, column = axes
    if ord in (None, "fro", "f"):
        return _euclidean(x, axes)
    if ord in (1, -1, math.inf, -math.inf):
        along, across = (row, column) if abs(ord) == 1 else (column, row)
        sums = np.sum(np.abs(x), axis=along, keepdims=True)
        return (np.max if ord > 0 else np.min)(sums, axis=across, keepdims=True)
    if ord in (2, -2, "nuc"):
        s = svdvals(np.moveaxis(np.moveaxis(x, row, -1), _shifted(column, row, x.ndim), -1))
        y = np.sum(s, axis=-1) if ord == "nuc" else s[..., 0 if ord == 2 else -1]
        return np.expand_dims(y, tuple(axis % x.ndim for axis in axes))
    raise ValueError(
        f"norm: there is no norm {ord!r} of matrices; it wants 'fro', 'nuc', 1, -1, 2, -2, inf "
        "or -inf"
    )


def _shifted(axis: int, moved: int, ndim: int) -> int:
    """Return where ``axis`` is once axis ``moved`` has gone to the end."""
    axis, moved = axis % ndim, moved % ndim
    return axis - 1 if axis > moved else axis


def _reduced(y: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    return y if keepdims else np.squeeze(y, axes)


def _floating(x: Any) -> Any:
    x = unchanged(x)
    return x if x.dtype.kind in "fc" else x.astype(float)
