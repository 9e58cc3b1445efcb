"""Sums over the leading axes: the gradients of biases."""

from __future__ import annotations

from typing import Any

from dezero.kernels.table import kernel


@kernel(composed=True)
def sum_rows(x: Any) -> Any:
    """Return the sum over all axes but the last, of shape ``(x.shape[-1],)``."""
    return x.sum(axis=tuple(range(x.ndim - 1)))
