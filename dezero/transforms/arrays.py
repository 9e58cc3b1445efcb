"""Transforms of arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from dezero.transforms.base import Array, Transform


class Normalize(Transform):
    """Subtract a mean and divide by a standard deviation.

    ``y = (x - mean) / std``

    Parameters
    ----------
    mean : float or sequence of float, optional
        One number, or one for each channel, which is the first axis of an item.
    std : float or sequence of float, optional
        Likewise.

    Raises
    ------
    ValueError
        If `std` has a 0, or the number of channels is another.

    Notes
    -----
    Book: ``dezero/transforms.py``. A float array keeps its dtype; integers give float32.

    Examples
    --------
    >>> Normalize([1.0, 2.0], 0.5)(np.array([[1.0], [1.0]], dtype=np.float32))
    array([[ 0.],
           [-2.]], dtype=float32)
    """

    batched = True

    def __init__(
        self, mean: float | Sequence[float] | Array = 0, std: float | Sequence[float] | Array = 1
    ) -> None:
        self.mean = _statistic(mean, "mean")
        self.std = _statistic(std, "std")
        if np.any(np.asarray(self.std) == 0):
            raise ValueError(f"Normalize: std is divided by, so it cannot be 0; got {std!r}")

    def __call__(self, x: Any) -> Array:
        return self._normalize(np.asarray(x), channel_axis=0)

    def batch(self, xs: Array) -> Array:
        return self._normalize(xs, channel_axis=1)

    def _normalize(self, x: Array, channel_axis: int) -> Array:
        if x.dtype.kind not in "fc":
            x = x.astype(np.float32)
        y = x - self._along(self.mean, "mean", x, channel_axis)
        y /= self._along(self.std, "std", x, channel_axis)
        return cast(Array, y)

    def _along(self, value: float | Array, name: str, x: Array, axis: int) -> float | Array:
        if not isinstance(value, np.ndarray):
            return value
        if x.ndim <= axis or len(value) not in (1, x.shape[axis]):
            raise ValueError(
                f"Normalize: {name} has {len(value)} values, one for each channel, but the "
                f"item's shape is {x.shape[axis:]} (channels first)"
            )
        return value.astype(x.dtype).reshape(-1, *[1] * (x.ndim - axis - 1))

    def __repr__(self) -> str:
        return f"Normalize({self.mean}, {self.std})"


class Flatten(Transform):
    """Give an item one axis, in row-major order.

    Notes
    -----
    Book: ``dezero/transforms.py``, step 51.

    Examples
    --------
    >>> Flatten()(np.zeros((1, 28, 28))).shape
    (784,)
    """

    batched = True

    def __call__(self, x: Any) -> Array:
        return np.asarray(x).flatten()

    def batch(self, xs: Array) -> Array:
        return xs.reshape(len(xs), math.prod(xs.shape[1:]))


class AsType(Transform):
    """Convert an item to a dtype.

    Parameters
    ----------
    dtype : dtype, optional
        float32 by default.

    Notes
    -----
    Book: ``dezero/transforms.py``, where `ToFloat` is another name of it.

    Examples
    --------
    >>> AsType(np.float16)(np.arange(3)).dtype
    dtype('float16')
    """

    batched = True

    def __init__(self, dtype: npt.DTypeLike = np.float32) -> None:
        self.dtype = np.dtype(dtype)

    def __call__(self, x: Any) -> Any:
        return (x if hasattr(x, "astype") else np.asarray(x)).astype(self.dtype)

    def batch(self, xs: Array) -> Array:
        return xs.astype(self.dtype)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.dtype})"


ToFloat = AsType


class ToInt(AsType):
    """Convert an item to integers, towards zero.

    Parameters
    ----------
    dtype : dtype, optional
        ``int`` by default.

    Notes
    -----
    Book: ``dezero/transforms.py``.

    Examples
    --------
    >>> ToInt()(np.array([1.9, -1.9]))
    array([ 1, -1])
    """

    def __init__(self, dtype: npt.DTypeLike = int) -> None:
        super().__init__(dtype)


def _statistic(value: float | Sequence[float] | Array, name: str) -> float | Array:
    """Return a Python number, which leaves a dtype alone, or a vector with a value a channel."""
    array = np.asarray(value, dtype=np.float64)
    if array.ndim > 1 or array.size == 0:
        raise ValueError(
            f"Normalize: {name} is one number or one for each channel; got shape {array.shape}"
        )
    return float(array) if array.ndim == 0 else array
