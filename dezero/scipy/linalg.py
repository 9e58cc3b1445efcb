"""Functions of matrices and structured systems: what ``scipy.linalg`` has beyond ``np.linalg``.

Each takes Variables or arrays, and returns a Variable.

Sources: Al-Mohy and Higham, *Computing the Frechet derivative of the matrix exponential, with an
application to condition number estimation* (2009); Higham, *Functions of matrices* (2008).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.core import Primitive, Variable, dispatched, implements
from dezero.core.shapes import sum_to
from dezero.functions.shapes import unchanged
from dezero.numpy import decompositions, linalg_rules
from dezero.numpy.matrices import conjugate, turned
from dezero.scipy import scipy_module
from dezero.scipy.banded import solve_banded

__all__ = [
    "cho_solve",
    "cholesky",
    "det",
    "expm",
    "inv",
    "solve",
    "solve_banded",
    "solve_sylvester",
    "solve_triangular",
    "sqrtm",
    "toeplitz",
]

inv, det, solve = linalg_rules.inv, linalg_rules.det, linalg_rules.solve


class Expm(Primitive):
    """The matrix exponential."""

    def forward(self, x: Any) -> Any:
        """Return the exponential."""
        return expm_array(x)

    def gx(self, gy: Any, x: Any) -> Any:
        """Return the derivative at ``x^T`` in the direction ``gy``: a block of one of blocks."""
        point = turned(x)
        n = point.shape[-1]
        above = np.concatenate([point, gy], axis=-1)
        below = np.concatenate([np.zeros_like(gy), point], axis=-1)
        return expm_array(np.concatenate([above, below], axis=-2))[..., :n, n:]


class Sylvester(Primitive):
    """The solution of ``A Y + Y B = Q``."""

    def forward(self, a: Any, b: Any, q: Any) -> Any:
        """Return the solution."""
        return solve_sylvester_array(a, b, q)

    def gradient(self, gy: Any, a: Any, b: Any, y: Any) -> Any:
        """Solve the transposed equation for ``gy``."""
        gq = solve_sylvester_array(turned(a), turned(b), gy)
        return -np.matmul(gq, turned(y)), -np.matmul(turned(y), gq), gq


class Sqrtm(Primitive):
    """The principal square root of matrices."""

    def forward(self, x: Any) -> Any:
        """Return the square root."""
        return scipy_module("linalg").sqrtm(x)

    def gx(self, gy: Any, y: Any) -> Any:
        """Solve ``Y^T G + G Y^T = gY``, which ``Y dY + dY Y = dA`` transposes to."""
        return solve_sylvester_array(turned(y), turned(y), gy)


class SolveTriangular(Primitive):
    """The solution of a triangular system, or of the transposed one."""

    def __init__(self, transposed: bool, lower: bool, unit_diagonal: bool) -> None:
        self.transposed = transposed
        self.lower = lower
        self.unit_diagonal = unit_diagonal

    def forward(self, a: Any, b: Any) -> Any:
        """Return the solution."""
        self.a_shape, self.b_shape = a.shape, b.shape
        return solve_triangular_array(a, b, self.transposed, self.lower, self.unit_diagonal)

    def gradient(self, gy: Any, a: Any, y: Any) -> Any:
        """Solve the other system for ``gy``; of ``a`` only the triangle has a gradient."""
        gb = solve_triangular_array(a, gy, not self.transposed, self.lower, self.unit_diagonal)
        ga = -np.matmul(*((y, turned(gb)) if self.transposed else (gb, turned(y))))
        inside = np.tri(a.shape[-1], k=-1 if self.unit_diagonal else 0, dtype=bool)
        ga = np.where(inside if self.lower else inside.T, ga, 0)
        return sum_to(ga, self.a_shape), sum_to(gb, self.b_shape)


@dispatched
def expm_array(x: Any) -> Any:
    """Return the exponential of an array."""
    return scipy_module("linalg").expm(x)


@dispatched
def solve_sylvester_array(a: Any, b: Any, q: Any) -> Any:
    """Return the solution of ``a y + y b = q`` of arrays."""
    return scipy_module("linalg").solve_sylvester(a, b, q)


@dispatched
def solve_triangular_array(
    a: Any, b: Any, transposed: bool, lower: bool, unit_diagonal: bool
) -> Any:
    """Return the solution of a triangular system of arrays."""
    return scipy_module("linalg").solve_triangular(a, b, int(transposed), lower, unit_diagonal)


@implements(solve_triangular_array)
def _solve_triangular(
    a: Any, b: Any, transposed: bool, lower: bool, unit_diagonal: bool
) -> Variable:
    return SolveTriangular(transposed, lower, unit_diagonal)(a, b)


@implements(expm_array)
def expm(A: Any) -> Variable:
    r"""Return the matrix exponential :math:`\sum_k A^k / k!`.

    Parameters
    ----------
    A : Variable or array of shape (..., n, n)
        The matrices.

    Notes
    -----
    The gradient is the Frechet derivative at the transpose, a block of the exponential of a matrix
    twice as large. Source: Al-Mohy and Higham (2009); Higham (2008), section 3.2.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.scipy.linalg import expm
    >>> expm(np.zeros((2, 2)))
    variable([[1. 0.]
              [0. 1.]])
    """
    return Expm()(A)


def sqrtm(A: Any) -> Variable:
    """Return the principal square root of matrices.

    Complex where SciPy's is. Source of the gradient: Higham (2008), section 6.1.

    Raises
    ------
    LinAlgError
        In backward, if the root is singular.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.scipy.linalg import sqrtm
    >>> sqrtm(np.diag([4.0, 9.0]))
    variable([[2. 0.]
              [0. 3.]])
    """
    return Sqrtm()(A)


@implements(solve_sylvester_array)
def solve_sylvester(a: Any, b: Any, q: Any) -> Variable:
    """Return the solution ``x`` of ``a @ x + x @ b = q``.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.scipy.linalg import solve_sylvester
    >>> solve_sylvester(np.eye(2), np.eye(2), np.eye(2))
    variable([[0.5 0. ]
              [0.  0.5]])
    """
    return Sylvester()(a, b, q)


def solve_triangular(
    a: Any, b: Any, trans: int | str = 0, lower: bool = False, unit_diagonal: bool = False
) -> Any:
    """Return the solution ``x`` of a triangular system; the other triangle is not read.

    Parameters
    ----------
    a : Variable or array of shape (..., n, n)
        The coefficients.
    b : Variable or array of shape (n,) or (..., n, k)
        The right sides.
    trans : {0, 1, 2, "N", "T", "C"}, default 0
        Solve with ``a``, with its transpose, or with its conjugate transpose.
    lower : bool, default False
        Which triangle of ``a``.
    unit_diagonal : bool, default False
        Whether to take the diagonal for ones.

    Raises
    ------
    LinAlgError
        If an element of the diagonal is 0.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.scipy.linalg import solve_triangular
    >>> solve_triangular(np.array([[2.0, 1.0], [0.0, 1.0]]), np.ones(2))
    variable([0. 1.])
    """
    if trans not in (0, 1, 2, "N", "T", "C"):
        raise ValueError(
            f"solve_triangular: got trans {trans!r}; it wants 0, 1, 2, 'N', 'T' or 'C'"
        )
    a, b = unchanged(a), unchanged(b)
    a = conjugate(a) if trans in (2, "C") else a
    solver = SolveTriangular(trans not in (0, "N"), lower, unit_diagonal)
    if b.ndim == 1:
        return np.squeeze(solver(a, np.expand_dims(b, -1)), -1)
    return solver(a, b)


def cholesky(a: Any, lower: bool = False) -> Variable:
    """Return the triangular factor of positive definite matrices, the upper one by default.

    See :func:`dezero.numpy.decompositions.cholesky`.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.scipy.linalg import cholesky
    >>> cholesky(np.diag([4.0, 9.0]))
    variable([[2. 0.]
              [0. 3.]])
    """
    return decompositions.cholesky(a, upper=not lower)


def cho_solve(c_and_lower: tuple[Any, bool], b: Any) -> Any:
    """Return the solution ``x`` of ``a @ x = b`` from the Cholesky factor of ``a``.

    Parameters
    ----------
    c_and_lower : tuple
        The factor and whether it is the lower one.
    b : Variable or array of shape (n,) or (..., n, k)
        The right sides.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.scipy.linalg import cho_solve
    >>> cho_solve((np.diag([2.0, 1.0]), True), np.ones(2))
    variable([0.25 1.  ])
    """
    c, lower = c_and_lower
    first, second = (0, 2) if lower else (2, 0)
    return solve_triangular(c, solve_triangular(c, b, first, lower), second, lower)


def toeplitz(c: Any, r: Any = None) -> Any:
    """Return the matrix with constant diagonals, of first column ``c`` and first row ``r``.

    Parameters
    ----------
    c : Variable or array of shape (m,)
        The first column.
    r : Variable or array of shape (n,), optional
        The first row, whose first element is not read; the conjugate of ``c`` by default.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.scipy.linalg import toeplitz
    >>> toeplitz(np.array([1.0, 2.0]), np.array([1.0, 3.0]))
    variable([[1. 3.]
              [2. 1.]])
    """
    c = unchanged(c)
    r = conjugate(c) if r is None else unchanged(r)
    if c.ndim != 1 or r.ndim != 1:
        raise ValueError(f"toeplitz: got shapes {c.shape} and {r.shape}; it wants two vectors")
    m, n = len(c), len(r)
    values = np.concatenate([c[::-1], r[1:]])
    return values[m - 1 + np.arange(n) - np.arange(m)[:, None]]
