"""Sparse Jacobians: columns that share no row are found together."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from dezero.autodiff.trace import Trace
from dezero.autodiff.vectorize import vmap


def sparse_jacobian(f: Callable[[Any], Any], pattern: Any) -> Callable[[Any], Any]:
    """Return a function that computes a Jacobian whose zeros are known.

    Columns (or rows) without a common nonzero get one colour, and one pass for each colour finds
    them all: three passes for a tridiagonal matrix of any size.

    Parameters
    ----------
    f : callable
        A function from ``n`` to ``m`` numbers, in arrays of any shape.
    pattern : (m, n) array or SciPy sparse matrix
        Nonzero, or true, where the Jacobian may be.

    Returns
    -------
    callable
        A function of ``x`` that returns a ``scipy.sparse.csr_array`` of shape (m, n).

    Raises
    ------
    ValueError
        If the pattern does not fit the sizes.

    Notes
    -----
    Source: A. Curtis, M. Powell, J. Reid, "On the estimation of sparse Jacobian matrices", 1974.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.autodiff import sparse_jacobian
    >>> J = sparse_jacobian(lambda x: x**2, np.eye(3))(np.array([1.0, 2.0, 3.0]))
    >>> J.toarray()
    array([[2., 0., 0.],
           [0., 4., 0.],
           [0., 0., 6.]])
    """
    from scipy import sparse

    entries = sparse.coo_array(pattern)
    entries.sum_duplicates()
    kept = entries.data != 0
    rows, columns = entries.row[kept], entries.col[kept]
    m, n = entries.shape
    by_column, by_row = colours(rows, columns, n), colours(columns, rows, m)

    @functools.wraps(f, updated=())
    def jacobian(x: Any) -> Any:
        trace = Trace("sparse_jacobian", f, (x,), {}, (0,))
        if len(trace.inputs) != 1 or len(trace.ys) != 1:
            raise TypeError("sparse_jacobian: it wants a function of one array to one array")
        (u,), (y,) = trace.inputs, trace.ys
        if (y.size, u.size) != (m, n):
            raise ValueError(
                f"sparse_jacobian: the pattern is ({m}, {n}), but the function takes {u.size} "
                f"numbers to {y.size}; it wants ({y.size}, {u.size})"
            )
        if max(by_column, default=0) <= max(by_row, default=0):
            functions = trace.functions()
            found = _together(lambda t: trace.push([t], functions, False)[0], by_column, u)
            values = found[by_column[columns], rows]
        else:
            found = _together(lambda g: trace.pull([g], False)[0], by_row, y)
            values = found[by_row[rows], columns]
        return sparse.csr_array((values, (rows, columns)), shape=(m, n))

    return jacobian


def _together(derivative: Callable[[Any], Any], colour: Any, like: Any) -> Any:
    """Return the derivative along the sum of the unit vectors of each colour."""
    count = int(colour.max(initial=-1)) + 1
    seeds = (colour == np.arange(count)[:, None]).astype(like.dtype)
    found = vmap(derivative)(seeds.reshape(count, *like.shape))
    return np.reshape(
        getattr(found, "data", found) if not isinstance(found, np.ndarray) else found, (count, -1)
    )


def colours(rows: Any, columns: Any, n: int) -> Any:
    """Return a colour for each of ``n`` columns, such that no two of one colour share a row.

    Greedy, the columns with most entries first.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.autodiff.sparse import colours
    >>> colours(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 2]), 3).tolist()
    [1, 0, 0]
    """
    of_column: list[list[int]] = [[] for _ in range(n)]
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        of_column[column].append(row)
    taken: dict[int, set[int]] = {}
    colour = np.zeros(n, int)
    for column in sorted(range(n), key=lambda j: -len(of_column[j])):
        used = set().union(*(taken.get(row, set()) for row in of_column[column]))
        colour[column] = next(c for c in range(n + 1) if c not in used)
        for row in of_column[column]:
            taken.setdefault(row, set()).add(int(colour[column]))
    return colour
