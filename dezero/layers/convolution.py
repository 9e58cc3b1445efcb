"""Conv2d and Deconv2d: a filter slid over pictures, and its transpose."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

import dezero.functions as F
from dezero.core import Parameter, Variable
from dezero.layers.base import Layer, checked_array, checked_flag, checked_size, scaled_normal
from dezero.layers.state import Slot

Pair = int | tuple[int, int]


class Conv2d(Layer):
    """Correlate pictures with ``out_channels`` filters (step 57 of the book).

    Parameters
    ----------
    out_channels : int
        Number of filters.
    kernel_size : int or (int, int)
        Height and width of a filter.
    stride, pad : int or (int, int)
        Step of the filter, and zeros put around the picture.
    nobias : bool, default False
        Leave out ``b``.
    dtype : dtype, default float32
        Of the parameters.
    in_channels : int, optional
        Channels of ``x``; by default taken from the first call.

    Attributes
    ----------
    W : Parameter, shape (out_channels, in_channels, KH, KW)
        Drawn from a normal distribution of variance ``1 / (in_channels KH KW)``.
    b : Parameter, shape (out_channels,), or None
        Zeros.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is said above, or ``x`` is not of shape (N, C, H, W).

    Examples
    --------
    >>> import numpy as np
    >>> import dezero.layers as L
    >>> layer = L.Conv2d(8, kernel_size=3, pad=1)
    >>> layer(np.ones((2, 3, 6, 6), np.float32)).shape
    (2, 8, 6, 6)
    """

    def __init__(
        self,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        pad: Pair = 0,
        nobias: bool = False,
        dtype: Any = np.float32,
        in_channels: int | None = None,
    ) -> None:
        name = type(self).__name__
        if in_channels is not None:
            checked_size(name, "in_channels", in_channels)
        self.in_channels = in_channels
        self.out_channels = checked_size(name, "out_channels", out_channels)
        self.kernel_size = kernel_size
        self.stride = stride
        self.pad = pad
        self.dtype = dtype
        self.W = Parameter(None, name="W")
        if in_channels is not None:
            self._init_W()
        nobias = checked_flag(name, "nobias", nobias, "the input's channels are in_channels=...")
        self.b = None if nobias else Parameter(np.zeros(out_channels, dtype), name="b")

    def _kernel(self) -> tuple[int, int]:
        size = self.kernel_size
        KH, KW = size if isinstance(size, tuple | list) else (size, size)
        name = type(self).__name__
        return checked_size(name, "kernel_size", KH), checked_size(name, "kernel_size", KW)

    def _shape(self) -> tuple[int | None, ...]:
        """Return the shape of ``W``, ``None`` for channels that are not known yet."""
        return (self.out_channels, self.in_channels, *self._kernel())

    def _init_W(self, x: Any = None) -> None:
        KH, KW = self._kernel()
        fan_in = (self.in_channels or 0) * KH * KW
        shape = tuple(size or 0 for size in self._shape())
        self.W.data = scaled_normal(shape, fan_in, self.dtype, x)

    def _slot(self, key: str, param: Parameter) -> Slot:
        if param.data is None:
            return Slot(self._shape(), self.dtype)
        return super()._slot(key, param)

    @contextmanager
    def _prepared(self, x: Any) -> Iterator[None]:
        """Draw ``W`` once the channels are known; a call that fails leaves nothing behind."""
        if self.W.data is not None:
            yield
            return
        wanted = "pictures of shape (N, C, H, W)"
        self.in_channels = checked_array(type(self).__name__, x, 4, wanted).shape[1]
        self._init_W(x)
        try:
            yield
        except (ValueError, TypeError):
            self.W.data = self.in_channels = None
            raise

    def forward(self, x: Any) -> Variable:
        """Return (N, out_channels, OH, OW) for ``x`` of shape (N, in_channels, H, W)."""
        with self._prepared(x):
            return F.conv2d(x, self.W, self.b, self.stride, self.pad)


class Deconv2d(Conv2d):
    """Apply the transpose of :class:`Conv2d`: pictures grow by the stride.

    Parameters
    ----------
    out_channels, kernel_size, stride, pad, nobias, dtype, in_channels
        As for :class:`Conv2d`.

    Attributes
    ----------
    W : Parameter, shape (in_channels, out_channels, KH, KW)
        Drawn from a normal distribution of variance ``1 / (in_channels KH KW)``.
    b : Parameter, shape (out_channels,), or None
        Zeros.

    Raises
    ------
    TypeError, ValueError
        As for :class:`Conv2d`.

    Examples
    --------
    >>> import numpy as np
    >>> import dezero.layers as L
    >>> layer = L.Deconv2d(3, kernel_size=4, stride=2, pad=1)
    >>> layer(np.ones((2, 8, 5, 5), np.float32)).shape
    (2, 3, 10, 10)
    """

    def _shape(self) -> tuple[int | None, ...]:
        return (self.in_channels, self.out_channels, *self._kernel())

    def forward(self, x: Any) -> Variable:
        """Return (N, out_channels, OH, OW) for ``x`` of shape (N, in_channels, H, W)."""
        with self._prepared(x):
            return F.deconv2d(x, self.W, self.b, self.stride, self.pad)
