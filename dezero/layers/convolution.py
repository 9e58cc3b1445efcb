"""Convolution: a filter slid over pictures or signals, and its transpose."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np

import dezero.functions as F
from dezero.core import Parameter, Variable
from dezero.layers.base import Layer, checked_array, checked_flag, checked_size, scaled_normal
from dezero.layers.state import Slot

_READY = nullcontext()

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
    dilation : int or (int, int), default 1
        Step between the pixels that one filter sees.
    groups : int, default 1
        Into how many groups channels and filters are cut; a filter sees the channels of its own
        group. As many groups as channels make a depthwise convolution.

    Attributes
    ----------
    W : Parameter, shape (out_channels, in_channels/groups, KH, KW)
        Drawn from a normal distribution of variance ``groups / (in_channels KH KW)``.
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
    >>> depthwise = L.Conv2d(8, kernel_size=3, pad=1, groups=8)
    >>> depthwise(np.ones((2, 8, 6, 6), np.float32)).shape
    (2, 8, 6, 6)
    """

    _wanted = "pictures of shape (N, C, H, W)"
    _axes = 2

    def __init__(
        self,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        pad: Pair = 0,
        nobias: bool = False,
        dtype: Any = np.float32,
        in_channels: int | None = None,
        dilation: Pair = 1,
        groups: int = 1,
    ) -> None:
        name = type(self).__name__
        if in_channels is not None:
            checked_size(name, "in_channels", in_channels)
        self.in_channels = in_channels
        self.out_channels = checked_size(name, "out_channels", out_channels)
        self.kernel_size = kernel_size
        self.stride = stride
        self.pad = pad
        self.dilation = dilation
        self.groups = checked_size(name, "groups", groups)
        self._check_groups("out_channels", self.out_channels)
        self.dtype = dtype
        self.W = Parameter(None, name="W")
        if in_channels is not None:
            self._init_W()
        nobias = checked_flag(name, "nobias", nobias, "the input's channels are in_channels=...")
        self.b = None if nobias else Parameter(np.zeros(out_channels, dtype), name="b")

    def _check_groups(self, what: str, channels: int) -> None:
        if channels % self.groups:
            raise ValueError(
                f"{type(self).__name__}: {self.groups} groups cannot share {channels} {what} "
                "evenly; take a number of groups that divides in_channels and out_channels"
            )

    def _kernel(self) -> tuple[int, ...]:
        size, name = self.kernel_size, type(self).__name__
        sizes = size if isinstance(size, tuple | list) else (size,) * self._axes
        if len(sizes) != self._axes:
            wanted = "a pair of whole numbers" if self._axes == 2 else "one"
            raise ValueError(f"{name}: kernel_size is a whole number or {wanted}, got {size!r}")
        return tuple(checked_size(name, "kernel_size", k) for k in sizes)

    def _shape(self) -> tuple[int | None, ...]:
        """Return the shape of ``W``, ``None`` for channels that are not known yet."""
        seen = None if self.in_channels is None else self.in_channels // self.groups
        return (self.out_channels, seen, *self._kernel())

    def _init_W(self, x: Any = None) -> None:
        channels = self.in_channels or 0
        self._check_groups("in_channels", channels)
        fan_in = channels // self.groups * math.prod(self._kernel())
        shape = tuple(size or 0 for size in self._shape())
        self.W.data = scaled_normal(shape, fan_in, self.dtype, x)

    def _slot(self, key: str, param: Parameter) -> Slot:
        if param.data is None:
            return Slot(self._shape(), self.dtype)
        return super()._slot(key, param)

    def _prepared(self, x: Any) -> AbstractContextManager[None]:
        return self._drawn(x) if self.W.data is None else _READY

    @contextmanager
    def _drawn(self, x: Any) -> Iterator[None]:
        """Draw ``W`` once the channels are known; a call that fails leaves nothing behind."""
        x = checked_array(type(self).__name__, x, 2 + self._axes, self._wanted)
        self.in_channels = x.shape[1]
        try:
            self._init_W(x)
            yield
        except (ValueError, TypeError):
            self.W.data = self.in_channels = None
            raise

    def _window(self) -> dict[str, Any]:
        return {
            "stride": self.stride,
            "pad": self.pad,
            "dilation": self.dilation,
            "groups": self.groups,
        }

    def forward(self, x: Any) -> Variable:
        """Return (N, out_channels, OH, OW) for ``x`` of shape (N, in_channels, H, W)."""
        with self._prepared(x):
            return F.conv2d(x, self.W, self.b, **self._window())


class Deconv2d(Conv2d):
    """Apply the transpose of :class:`Conv2d`: pictures grow by the stride.

    Parameters
    ----------
    out_channels, kernel_size, stride, pad, nobias, dtype, in_channels, dilation, groups
        As for :class:`Conv2d`.

    Attributes
    ----------
    W : Parameter, shape (in_channels, out_channels/groups, KH, KW)
        Drawn from a normal distribution of variance ``groups / (in_channels KH KW)``.
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
        return (self.in_channels, self.out_channels // self.groups, *self._kernel())

    def forward(self, x: Any) -> Variable:
        """Return (N, out_channels, OH, OW) for ``x`` of shape (N, in_channels, H, W)."""
        with self._prepared(x):
            return F.deconv2d(x, self.W, self.b, **self._window())


class Conv1d(Conv2d):
    """Correlate signals with ``out_channels`` filters: :class:`Conv2d` along one axis.

    Parameters
    ----------
    out_channels, kernel_size, stride, pad, nobias, dtype, in_channels, dilation, groups
        As for :class:`Conv2d`; sizes are whole numbers.

    Attributes
    ----------
    W : Parameter, shape (out_channels, in_channels/groups, K)
        Drawn from a normal distribution of variance ``groups / (in_channels K)``.
    b : Parameter, shape (out_channels,), or None
        Zeros.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is said above, or ``x`` is not of shape (N, C, L).

    Examples
    --------
    >>> import numpy as np
    >>> import dezero.layers as L
    >>> layer = L.Conv1d(8, kernel_size=3, pad=1)
    >>> layer(np.ones((2, 3, 10), np.float32)).shape
    (2, 8, 10)
    """

    _wanted = "signals of shape (N, C, L)"
    _axes = 1

    def forward(self, x: Any) -> Variable:
        """Return (N, out_channels, OL) for ``x`` of shape (N, in_channels, L)."""
        with self._prepared(x):
            return F.conv1d(x, self.W, self.b, **self._window())


class Deconv1d(Deconv2d):
    """Apply the transpose of :class:`Conv1d`: signals grow by the stride.

    Parameters
    ----------
    out_channels, kernel_size, stride, pad, nobias, dtype, in_channels, dilation, groups
        As for :class:`Conv1d`.

    Attributes
    ----------
    W : Parameter, shape (in_channels, out_channels/groups, K)
        Drawn from a normal distribution of variance ``groups / (in_channels K)``.
    b : Parameter, shape (out_channels,), or None
        Zeros.

    Raises
    ------
    TypeError, ValueError
        As for :class:`Conv1d`.

    Examples
    --------
    >>> import numpy as np
    >>> import dezero.layers as L
    >>> layer = L.Deconv1d(3, kernel_size=4, stride=2, pad=1)
    >>> layer(np.ones((2, 8, 5), np.float32)).shape
    (2, 3, 10)
    """

    _wanted = Conv1d._wanted
    _axes = 1

    def forward(self, x: Any) -> Variable:
        """Return (N, out_channels, OL) for ``x`` of shape (N, in_channels, L)."""
        with self._prepared(x):
            return F.deconv1d(x, self.W, self.b, **self._window())
