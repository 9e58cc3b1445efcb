"""Dropout: a mask and a scale."""

from __future__ import annotations

from typing import Any

from dezero.kernels.cuda.fused import elementwise, served

_dropped = elementwise("T x, bool mask, T scale", "T y", "y = x * mask * scale", "dropped")


def dropped(x: Any, mask: Any, scale: float) -> Any:
    """Return ``x`` times a mask of booleans and a number."""
    return _dropped(x, mask, scale) if served(x) and mask.dtype == bool else NotImplemented
