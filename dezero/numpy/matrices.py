"""Small helpers of the linear algebra: transposes, triangles, masks."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.core import Variable


def plain(x: Any) -> Any:
    """Return the array of a Variable: a mask or a choice is made from it, no gradient."""
    return x.data if isinstance(x, Variable) else x


def holds_anywhere(mask: Any) -> bool:
    """Whether a mask is true for any matrix, of any example where there is a batch of them."""
    while hasattr(mask, "value"):  # an example of vmap's
        mask = plain(mask.value)
    return bool(np.any(mask))


def turned(x: Any) -> Any:
    """Return the transpose of each matrix."""
    return np.swapaxes(x, -1, -2)


def conjugate(x: Any) -> Any:
    """Return the conjugate, of real numbers themselves."""
    return np.conjugate(x) if x.dtype.kind == "c" else x


def adjoint(x: Any) -> Any:
    """Return the conjugate transpose of each matrix."""
    return conjugate(turned(x))


def hermitian(x: Any) -> Any:
    """Return the nearest Hermitian matrices."""
    return (x + adjoint(x)) / 2


def lower_half(x: Any) -> Any:
    """Return the lower triangle with half of the diagonal."""
    weights = np.tri(x.shape[-1]) - 0.5 * np.eye(x.shape[-1])
    return x * weights.astype(np.finfo(x.dtype).dtype)


def as_row(x: Any) -> Any:
    """Return vectors as rows."""
    return np.expand_dims(x, -2)


def as_column(x: Any) -> Any:
    """Return vectors as columns."""
    return np.expand_dims(x, -1)


def diagonal_mask(n: int) -> Any:
    """Return the mask of the diagonal."""
    return np.eye(n, dtype=bool)
