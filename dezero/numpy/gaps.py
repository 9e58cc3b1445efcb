"""What the rules of factorisations divide by: gaps between values, which may be 0."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.core import Primitive, Variable
from dezero.numpy.matrices import as_column, as_row, diagonal_mask, holds_anywhere, plain


class _Once(Primitive):
    """Vectors in a recorded gradient whose values repeat: it cannot be differentiated again."""

    def __init__(self, name: str) -> None:
        self.name = name

    def forward(self, x: Any) -> Any:
        """Return the vectors."""
        return x.copy()

    def gx(self, gy: Any) -> Any:
        """Raise: what divided by a gap of 0 is not known here."""
        raise np.linalg.LinAlgError(
            f"backward through {self.name}: no second derivative where values repeat, or are 0; "
            "add a small multiple of another matrix, or compute what you need without "
            "eigenvalues or singular values (np.trace, np.linalg.norm, np.matmul)"
        )


def off_diagonal_ratio(name: str, above: Any, below: Any, size: Any, values: Any) -> Any:
    """Return :func:`ratio` with zeros on the diagonal, where ``below`` is none of a gap."""
    diagonal = diagonal_mask(above.shape[-1])
    return ratio(name, np.where(diagonal, 0, above), np.where(diagonal, 1, below), size, values)


def ratio(name: str, above: Any, below: Any, size: Any, values: Any) -> Any:
    """Return ``above / below``; 0 where both are 0 up to rounding, an error where only below is.

    ``size`` and ``values`` are what ``above`` and ``below`` are differences of.
    """
    eps = np.finfo(plain(values).dtype).eps
    zero = np.abs(plain(below)) <= _rounding(plain(values))
    if holds_anywhere(zero & (np.abs(plain(above)) > np.sqrt(eps) * size_of(size))):
        raise np.linalg.LinAlgError(
            f"backward through {name}: values repeat, or are 0, and the result depends on "
            "which vectors were chosen for them, so it has no gradient; use the values alone or "
            "what is the same for every choice, or add a small multiple of another matrix"
        )
    return np.where(zero, 0, above / np.where(zero, 1, below))


def settled(name: str, vectors: Any, values: Any, *gys: Any) -> Any:
    """Return the vectors; where values repeat, such that another derivative raises.

    Sums of the values alone, whose gradient does not depend on them, are left as they are.
    """
    varies = any(isinstance(gy, Variable) and gy.requires_grad for gy in gys)
    if not (varies and isinstance(vectors, Variable)):
        return vectors
    values = plain(values)
    gaps = np.abs(as_row(values) - as_column(values))
    repeated = (gaps <= _rounding(values)) & ~diagonal_mask(values.shape[-1])
    return _Once(name)(vectors) if holds_anywhere(repeated) else vectors


def _rounding(values: Any) -> Any:
    """Return below what differences of values are taken for 0."""
    eps = np.finfo(values.dtype).eps
    return 8 * values.shape[-1] * eps * size_of(as_row(values))


def size_of(x: Any) -> Any:
    """Return the largest absolute value of each matrix, to broadcast."""
    x = np.abs(plain(x))
    return np.max(x, axis=(-2, -1), keepdims=True) if 0 not in x.shape else np.zeros((1, 1))
