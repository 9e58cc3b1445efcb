"""Dropout: a random mask, and a scale."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero import random
from dezero.kernels.table import kernel

_STEPS = 1 << 16


@kernel()
def keep_mask(x: Any, dropout_ratio: float) -> Any:
    """Return a random array of booleans of the shape of ``x``: what dropout keeps.

    After ``dezero.seed`` each is drawn with 16 bits: a share is exact to 1/65536.
    """
    draws = random.generator()
    if isinstance(draws, np.random.RandomState):  # the numbers of the book's programs
        return np.asarray(draws.random_sample(x.shape) > dropout_ratio, like=x)
    least = round(float(dropout_ratio) * _STEPS)
    if least == _STEPS:
        return np.zeros(x.shape, bool, like=x)
    bits = draws.bit_generator.random_raw(-(-x.size // 4))
    mask = (np.asarray(bits).view(np.uint16)[: x.size] >= least).reshape(x.shape)
    return np.asarray(mask, like=x)


@kernel(composed=True)
def dropped(x: Any, mask: Any, scale: float) -> Any:
    """Return ``x`` times a mask of booleans, of its shape, and a number."""
    return x * mask * scale
