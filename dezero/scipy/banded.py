"""Systems of equations with a band matrix: ``scipy.linalg.solve_banded`` on Variables."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.core import Primitive, Variable, dispatched, implements
from dezero.functions.shapes import unchanged
from dezero.scipy import scipy_module


class SolveBanded(Primitive):
    """The solution of a system whose matrix is given by its diagonals."""

    def __init__(self, lower: int, upper: int) -> None:
        self.lower = lower
        self.upper = upper

    def forward(self, ab: Any, b: Any) -> Any:
        """Return the solution, for right sides in columns."""
        return scipy_module("linalg").solve_banded((self.lower, self.upper), ab, b)

    def gradient(self, gy: Any, ab: Any, y: Any) -> Any:
        """Solve the transposed system for ``gy``; the gradient of the matrix, on its band."""
        n = ab.shape[1]
        gb = solve_banded_array(
            self.upper, self.lower, _transposed(ab, self.lower, self.upper), gy
        )
        rows = np.arange(n) - np.arange(self.upper, -self.lower - 1, -1)[:, None]
        inside = (rows >= 0) & (rows < n)
        gab = -np.sum(gb[np.clip(rows, 0, n - 1)] * y, axis=-1)
        return np.where(inside, gab, 0), gb


def _transposed(ab: Any, lower: int, upper: int) -> Any:
    """Return the diagonals of the transposed matrix: in reverse order, each moved along."""
    n = ab.shape[1]
    columns = np.arange(n) + (np.arange(lower + upper + 1) - lower)[:, None]
    inside = (columns >= 0) & (columns < n)
    rows = np.arange(lower + upper, -1, -1)[:, None]
    return np.where(inside, ab[rows, np.clip(columns, 0, n - 1)], 0)


@dispatched
def solve_banded_array(lower: int, upper: int, ab: Any, b: Any) -> Any:
    """Return the solution of a system with a band matrix, of arrays."""
    return scipy_module("linalg").solve_banded((lower, upper), ab, b)


@implements(solve_banded_array)
def _solve_banded(lower: int, upper: int, ab: Any, b: Any) -> Variable:
    return SolveBanded(lower, upper)(ab, b)


def solve_banded(l_and_u: tuple[int, int], ab: Any, b: Any) -> Variable:
    """Return the solution ``x`` of a system with a band matrix.

    Parameters
    ----------
    l_and_u : (int, int)
        How many diagonals lie below and above the main one.
    ab : Variable or array of shape (l + u + 1, n)
        The diagonals, the uppermost first: ``ab[u + i - j, j]`` is element ``(i, j)``. What lies
        outside of the matrix is not read.
    b : Variable or array of shape (n,) or (n, k)
        The right sides.

    Raises
    ------
    ValueError
        If ``ab`` has another number of rows, or ``b`` another length.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.scipy.linalg import solve_banded
    >>> solve_banded((1, 0), np.array([[2.0, 1.0], [1.0, 0.0]]), np.array([2.0, 3.0]))
    variable([1. 2.])
    """
    lower, upper = l_and_u
    ab, b = unchanged(ab), unchanged(b)
    if ab.ndim != 2 or len(ab) != lower + upper + 1 or b.shape[:1] != ab.shape[1:]:
        raise ValueError(
            f"solve_banded: got diagonals of shape {ab.shape} and right sides of shape {b.shape}; "
            f"it wants ({lower + upper + 1}, n) for {lower} diagonals below and {upper} above, "
            "and (n,) or (n, k)"
        )
    if b.ndim == 1:
        return np.squeeze(SolveBanded(lower, upper)(ab, np.expand_dims(b, -1)), -1)
    return SolveBanded(lower, upper)(ab, b)
