"""Dropout: a mask and a scale."""

from __future__ import annotations

from typing import Any

from dezero.kernels.table import kernel


@kernel(composed=True)
def dropped(x: Any, mask: Any, scale: float) -> Any:
    """Return ``x`` times a mask of booleans, of its shape, and a number."""
    return x * mask * scale
