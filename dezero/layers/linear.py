"""Linear: a matrix product and a bias."""

from __future__ import annotations

from typing import Any

import numpy as np

import dezero.functions as F
from dezero.core import Parameter, Variable
from dezero.layers.base import Layer, checked_array, checked_flag, checked_size, scaled_normal
from dezero.layers.state import Slot


class Linear(Layer):
    """Compute ``y = x W + b`` over the last axis (step 44 of the book).

    Parameters
    ----------
    out_size : int
        Size of the last axis of the result.
    nobias : bool, default False
        Leave out ``b``.
    dtype : dtype, default float32
        Of the parameters.
    in_size : int, optional
        Size of the last axis of ``x``; by default taken from the first call.

    Attributes
    ----------
    W : Parameter, shape (in_size, out_size)
        Drawn from a normal distribution of variance ``1 / in_size``.
    b : Parameter, shape (out_size,), or None
        Zeros.

    Raises
    ------
    TypeError
        If ``nobias`` is not a bool: ``Linear(3, 10)`` is probably meant as sizes.
    ValueError
        If a size is not a whole number of at least 1, or ``x`` does not fit ``W``.

    Examples
    --------
    >>> import numpy as np
    >>> import dezero.layers as L
    >>> layer = L.Linear(10)
    >>> layer(np.ones((2, 3), np.float32)).shape
    (2, 10)
    >>> layer.W.shape
    (3, 10)
    """

    def __init__(
        self,
        out_size: int,
        nobias: bool = False,
        dtype: Any = np.float32,
        in_size: int | None = None,
    ) -> None:
        self.in_size = in_size if in_size is None else checked_size("Linear", "in_size", in_size)
        self.out_size = checked_size("Linear", "out_size", out_size)
        self.dtype = dtype
        self.W = Parameter(None, name="W")
        if in_size is not None:
            self._init_W()
        nobias = checked_flag("Linear", "nobias", nobias, "the input's size is in_size=...")
        self.b = None if nobias else Parameter(np.zeros(out_size, dtype), name="b")

    def _init_W(self, x: Any = None) -> None:
        size = self.in_size or 0
        self.W.data = scaled_normal((size, self.out_size), size, self.dtype, x)

    def _slot(self, key: str, param: Parameter) -> Slot:
        if param.data is None:
            return Slot((self.in_size, self.out_size), self.dtype)
        return super()._slot(key, param)

    def forward(self, x: Any) -> Variable:
        """Return ``x W + b``, shape ``(..., out_size)`` for ``x`` of shape ``(..., in_size)``."""
        if self.W.data is None:
            self.in_size = checked_array("Linear", x, 2, "x of shape (N, in_size)").shape[-1]
            self._init_W(x)
        return F.linear(x, self.W, self.b)
