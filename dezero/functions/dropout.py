"""Dropout: the one function with a random draw in it."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero import random
from dezero.core import Config, Primitive, Variable, as_array, dispatched
from dezero.functions.shapes import unchanged
from dezero.kernels import dropout as kernels

_STEPS = 1 << 16


class Dropout(Primitive):
    """Elements dropped where a mask says, the others scaled up to keep the mean."""

    def __init__(self, dropout_ratio: float) -> None:
        self.scale = 0.0 if dropout_ratio == 1 else 1 / (1 - float(dropout_ratio))

    def forward(self, x: Any, mask: Any) -> Any:
        """Return what is left."""
        return kernels.dropped(x, mask, self.scale)

    def gx(self, gy: Any, mask: Any) -> Any:
        """Drop the same elements of the gradient."""
        return kernels.dropped(gy, mask, self.scale)


@dispatched
def keep_mask(x: Any, dropout_ratio: float) -> Any:
    """Return a random array of booleans of the shape of ``x``: what dropout keeps.

    After ``dezero.seed`` each is drawn with 16 bits: a share is exact to 1/65536.
    """
    draws = random.generator()
    if isinstance(draws, np.random.RandomState):  # the numbers of the book's programs
        return np.asarray(draws.random_sample(x.shape) > dropout_ratio)
    least = round(float(dropout_ratio) * _STEPS)
    if least == _STEPS:
        return np.zeros(x.shape, bool)
    bits = draws.bit_generator.random_raw(-(-x.size // 4))
    return (np.asarray(bits).view(np.uint16)[: x.size] >= least).reshape(x.shape)


def dropout(x: Any, dropout_ratio: float = 0.5) -> Variable:
    """Return ``x`` with a random share of elements set to 0, in training.

    The others are divided by ``1 - dropout_ratio``. Under ``test_mode`` nothing changes.

    Parameters
    ----------
    x : Variable or array
        Any shape.
    dropout_ratio : float from 0 to 1, default 0.5
        The share that is dropped.

    Raises
    ------
    ValueError
        If the ratio is not from 0 to 1.

    Notes
    -----
    Source: step 54 of the book; Srivastava et al., Dropout, 2014.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.dropout(np.ones(4), 1.0)
    variable([0. 0. 0. 0.])
    """
    if not 0 <= dropout_ratio <= 1:
        raise ValueError(
            f"dropout: got dropout_ratio {dropout_ratio}; it wants a share from 0 to 1"
        )
    if not Config.train or dropout_ratio == 0:
        return unchanged(x)
    data = x.data if isinstance(x, Variable) else as_array(x)
    return Dropout(dropout_ratio)(x, keep_mask(data, dropout_ratio))


__all__ = ["Dropout", "dropout", "keep_mask"]
