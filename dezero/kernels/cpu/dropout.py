"""Dropout in one pass."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.kernels.cpu.jit import share_of
from dezero.kernels.cpu.normalization import flat, single
from dezero.kernels.cpu.shared import launch, shared

_ZERO = np.float32(0)


@shared
def _dropped(x: Any, mask: Any, scale: Any, y: Any, t: int, n: int) -> None:
    start, stop = share_of(x.size, t, n)
    for i in range(start, stop):
        y[i] = x[i] * (scale if mask[i] else _ZERO)  # a product: infinity gives NaN, as it does


def dropped(x: Any, mask: Any, scale: float) -> Any:
    """Return ``x`` times a mask of booleans and a number."""
    if not single(x) or mask.dtype != np.bool_ or mask.shape != x.shape:
        return NotImplemented
    y = np.empty(x.shape, np.float32)
    launch(_dropped, flat(x), flat(mask), np.float32(scale), flat(y), work=x.size)
    return y
