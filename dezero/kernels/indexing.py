"""Rows added at given places: the gradient of an embedding."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.cuda import get_array_module
from dezero.kernels.table import kernel


@kernel()
def add_rows(values: Any, rows: Any, shape: tuple[int, ...]) -> Any:
    """Return zeros of ``shape`` with ``values[i]`` added at row ``rows[i]``.

    Rows may repeat, and count from the end where negative. ``values`` is of shape
    ``(len(rows), *shape[1:])``.
    """
    result = np.zeros(shape, values.dtype, like=values)
    if rows.size == 0:
        return result
    rows = np.where(rows < 0, rows + len(result), rows)
    if type(values) is not np.ndarray:
        get_array_module(values).add.at(result, rows, values)
        return result
    order = np.argsort(rows, kind="stable")  # then each row's values are summed as one run
    rows = rows[order]
    first = np.ones_like(rows, bool)
    first[1:] = rows[1:] != rows[:-1]
    starts = np.flatnonzero(first)
    result[rows[starts]] = np.add.reduceat(values[order], starts, axis=0)
    return result
