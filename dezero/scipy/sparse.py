"""Products and systems of equations with SciPy's sparse matrices.

``A @ v`` and ``v @ A`` come here for a sparse ``A`` and a Variable ``v``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.core import Primitive, Variable, dispatched, implements
from dezero.functions.shapes import unchanged
from dezero.scipy import scipy_module

__all__ = ["matmul", "spsolve"]


class Pattern:
    """Where the elements of a sparse matrix are; the numbers there are given apart."""

    def __init__(self, matrix: Any) -> None:
        coordinates = matrix.tocoo()
        self.rows, self.columns = coordinates.row, coordinates.col
        self.shape = coordinates.shape
        self.data = coordinates.data
        self._matrix = coordinates.tocsr()
        self._factors: tuple[Any, Any, Any] = (None, None, None)

    def filled(self, data: Any) -> Any:
        """Return the matrix with these numbers."""
        if data is self.data:
            return self._matrix
        csr_array = scipy_module("sparse").csr_array
        return csr_array((data, (self.rows, self.columns)), shape=self.shape)

    def factors(self, data: Any, dtype: Any) -> Any:
        """Return the LU factors of the matrix with these numbers, made once."""
        if self._factors[0] is not data or self._factors[1] != dtype:
            splu = scipy_module("sparse.linalg").splu
            self._factors = (data, dtype, splu(self.filled(data).astype(dtype).tocsc()))
        return self._factors[2]


class SparseMatMul(Primitive):
    """The product of a sparse matrix, or its transpose, with a vector or matrix."""

    def __init__(self, pattern: Pattern, transposed: bool) -> None:
        self.pattern = pattern
        self.transposed = transposed

    def forward(self, data: Any, x: Any) -> Any:
        """Return the product."""
        return sparse_matmul(data, x, self.pattern, self.transposed)

    def gdata(self, gy: Any, x: Any) -> Any:
        """Return the products of the elements that meet at each place of the pattern."""
        return _at_pattern(self.pattern, *((x, gy) if self.transposed else (gy, x)))

    def gx(self, gy: Any, data: Any) -> Any:
        """Multiply with the transpose."""
        return sparse_matmul(data, gy, self.pattern, not self.transposed)


class SparseSolve(Primitive):
    """The solution of a sparse system, or of the transposed one."""

    def __init__(self, pattern: Pattern, transposed: bool) -> None:
        self.pattern = pattern
        self.transposed = transposed

    def forward(self, data: Any, b: Any) -> Any:
        """Return the solution."""
        return sparse_solve(data, b, self.pattern, self.transposed)

    def gradient(self, gy: Any, data: Any, y: Any) -> Any:
        """Solve the other system for ``gy``; what meets at the pattern is for the numbers."""
        gb = sparse_solve(data, gy, self.pattern, not self.transposed)
        if not self.needs[0]:
            return None, gb
        return -_at_pattern(self.pattern, *((y, gb) if self.transposed else (gb, y))), gb


@dispatched
def sparse_matmul(data: Any, x: Any, pattern: Pattern, transposed: bool) -> Any:
    """Return the product of a sparse matrix, or its transpose, with an array."""
    matrix = pattern.filled(data)
    return (matrix.T if transposed else matrix) @ x


@dispatched
def sparse_solve(data: Any, b: Any, pattern: Pattern, transposed: bool) -> Any:
    """Return the solution of a sparse system, or of the transposed one, for an array."""
    dtype = np.result_type(data.dtype, b.dtype, np.float32)
    factors = pattern.factors(data, dtype)
    return factors.solve(np.asarray(b, dtype, order="F"), "T" if transposed else "N")


@implements(sparse_matmul)
def _sparse_matmul(data: Any, x: Any, pattern: Pattern, transposed: bool) -> Variable:
    return SparseMatMul(pattern, transposed)(data, x)


@implements(sparse_solve)
def _sparse_solve(data: Any, b: Any, pattern: Pattern, transposed: bool) -> Variable:
    return SparseSolve(pattern, transposed)(data, b)


def matmul(a: Any, b: Any, data: Any = None) -> Any:
    """Return ``a @ b``, where one of the two is sparse and the other dense.

    Parameters
    ----------
    a, b : sparse matrix or array of SciPy, and Variable or array
        The dense one is a vector or matrix.
    data : Variable or array of shape (nnz,), optional
        The numbers of the sparse one, in the order of its ``tocoo().data``, if they have a
        gradient; its own by default.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> import scipy.sparse
    >>> from dezero import Variable
    >>> A = scipy.sparse.diags_array([1.0, 2.0])
    >>> x = Variable(np.ones(2))
    >>> y = A @ x
    >>> y.backward()
    >>> y, x.grad
    (variable([1. 2.]), variable([1. 2.]))
    """
    sparse_first = _is_sparse(a)
    sparse, dense = (a, unchanged(b)) if sparse_first else (b, unchanged(a))
    if not _is_sparse(sparse):
        raise TypeError("matmul: got two dense arguments; it wants a sparse one: np.matmul")
    if dense.ndim not in (1, 2) or sparse.ndim != 2:
        raise ValueError(
            f"matmul: got shapes {a.shape} and {b.shape}; it wants a sparse matrix and a dense "
            "vector or matrix"
        )
    if sparse.shape[1 if sparse_first else 0] != dense.shape[0 if sparse_first else -1]:
        raise ValueError(
            f"matmul: got shapes {a.shape} and {b.shape}; the last axis of the first must be as "
            "long as the first of the second"
        )
    pattern = Pattern(sparse)
    data = pattern.data if data is None else data
    if sparse_first:
        return _sparse_matmul(data, dense, pattern, False)
    if dense.ndim == 1:
        return _sparse_matmul(data, dense, pattern, True)
    return np.transpose(_sparse_matmul(data, np.transpose(dense), pattern, True))


def spsolve(A: Any, b: Any, data: Any = None) -> Variable:
    """Return the solution ``x`` of ``A @ x = b`` for a sparse ``A``.

    Parameters
    ----------
    A : sparse matrix or array of SciPy, of shape (n, n)
        The coefficients.
    b : Variable or array of shape (n,) or (n, k)
        The right sides.
    data : Variable or array of shape (nnz,), optional
        The numbers of ``A``, in the order of ``A.tocoo().data``, if they have a gradient; its own
        by default. The gradient has their shape: it is computed on the pattern alone.

    Raises
    ------
    RuntimeError
        If ``A`` is singular.

    Examples
    --------
    >>> import numpy as np
    >>> import scipy.sparse
    >>> from dezero import Variable
    >>> from dezero.scipy.sparse import spsolve
    >>> A = scipy.sparse.diags_array([1.0, 2.0])
    >>> d = Variable(np.array([1.0, 2.0]))
    >>> y = spsolve(A, np.ones(2), data=d)
    >>> y.backward()
    >>> y, d.grad
    (variable([1.  0.5]), variable([-1.   -0.25]))
    """
    b = unchanged(b)
    if not _is_sparse(A) or A.ndim != 2 or A.shape[0] != A.shape[1]:
        raise ValueError(
            f"spsolve: got {type(A).__name__} of shape {np.shape(A)}; it wants a square sparse "
            "matrix of SciPy"
        )
    if b.ndim not in (1, 2) or b.shape[0] != A.shape[0]:
        raise ValueError(
            f"spsolve: got A of shape {A.shape} and b of shape {b.shape}; it wants a vector or "
            f"matrix of {A.shape[0]} rows"
        )
    pattern = Pattern(A)
    return _sparse_solve(pattern.data if data is None else data, b, pattern, False)


def _at_pattern(pattern: Pattern, left: Any, right: Any) -> Any:
    """Return the elements of ``left @ right.T`` at the places of the pattern."""
    products = left[pattern.rows] * right[pattern.columns]
    return products if products.ndim == 1 else np.sum(products, axis=-1)


def _is_sparse(x: Any) -> bool:
    return bool(scipy_module("sparse").issparse(x))
