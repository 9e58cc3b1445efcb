"""Normalisations: the statistics by reductions, the rest in one pass.

All are one formula: ``x_hat = (x - mean) / std`` with a mean and deviation for whatever axes are
normalised together, and gradients from two sums along these axes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dezero.kernels.cuda.fused import elementwise, served, summed
from dezero.kernels.normalization import batch_axes

_squares = summed("T x, T mean", "T y", "(x - mean) * (x - mean)", "squares")
_normalised = elementwise(
    "T x, T mean, T inv_std, T gamma, T beta",
    "T y",
    "y = (x - mean) * inv_std * gamma + beta",
    "normalised",
)
_along = summed(
    "T gy, T gamma, T x, T mean, T inv_std",
    "T y",
    "gy * gamma * ((x - mean) * inv_std)",
    "along",
)
_total = summed("T gy, T gamma", "T y", "gy * gamma", "total")
_slope = elementwise(
    "T gy, T gamma, T x, T mean, T inv_std, T total, T along, T share",
    "T gx",
    "gx = (gy * gamma - (total + (x - mean) * inv_std * along) * share) * inv_std",
    "normalised_grad",
)


def _inv_std(x: Any, mean: Any, eps: float, axes: tuple[int, ...]) -> Any:
    squares = _squares(x, mean, axis=axes, keepdims=True)
    return 1 / np.sqrt(squares / (x.size // squares.size) + eps)


def _gx(gy: Any, x: Any, gamma: Any, mean: Any, inv_std: Any, axes: tuple[int, ...]) -> Any:
    total = _total(gy, gamma, axis=axes, keepdims=True)
    along = _along(gy, gamma, x, mean, inv_std, axis=axes, keepdims=True)
    share = 1 / math.prod(x.shape[axis] for axis in axes)
    return _slope(gy, gamma, x, mean, inv_std, total, along, share)


def batch_norm(x: Any, gamma: Any, beta: Any, eps: float, mean: Any, var: Any) -> Any:
    """Normalise each channel of ``x``, (N, C, ...)."""
    if not served(x, gamma, beta):
        return NotImplemented
    axes, shape = batch_axes(x)
    if mean is None:
        wide = x.mean(axis=axes, keepdims=True)
        var = (_squares(x, wide, axis=axes, keepdims=True) / (x.size // x.shape[1])).reshape(-1)
        mean = wide.reshape(-1)
    inv_std = (1 / np.sqrt(var + eps)).astype(x.dtype)
    center = mean.astype(x.dtype, copy=False)
    rows = (a.reshape(shape) for a in (center, inv_std, gamma, beta))
    return _normalised(x, *rows), mean, var


def batch_norm_grad(gy: Any, x: Any, gamma: Any, mean: Any, inv_std: Any, fixed: bool) -> Any:
    """Return the gradients for ``x``, ``gamma`` and ``beta``."""
    if not served(gy, x, gamma, mean, inv_std):
        return NotImplemented
    axes, shape = batch_axes(x)
    gamma, mean, inv_std = (a.reshape(shape) for a in (gamma, mean, inv_std))
    ggamma, gbeta = _along(gy, 1, x, mean, inv_std, axis=axes), gy.sum(axis=axes)
    if fixed:
        return gy * (gamma * inv_std), ggamma, gbeta
    return _gx(gy, x, gamma, mean, inv_std, axes), ggamma, gbeta


def layer_norm(x: Any, gamma: Any, beta: Any, eps: float) -> Any:
    """Normalise each row along the last axis."""
    if not served(x, gamma, beta):
        return NotImplemented
    mean = x.mean(axis=-1, keepdims=True)
    inv_std = _inv_std(x, mean, eps, (x.ndim - 1,))
    return _normalised(x, mean, inv_std, gamma, beta), mean, inv_std


def layer_norm_grad(gy: Any, x: Any, gamma: Any, mean: Any, inv_std: Any) -> Any:
    """Return the gradients for ``x``, ``gamma`` and ``beta``."""
    lead = tuple(range(x.ndim - 1))
    if not lead or not served(gy, x, gamma, mean, inv_std):
        return NotImplemented
    gx = _gx(gy, x, gamma, mean, inv_std, (x.ndim - 1,))
    return gx, _along(gy, 1, x, mean, inv_std, axis=lead), gy.sum(axis=lead)


def rms_norm(x: Any, gamma: Any, eps: float) -> Any:
    """Divide each row by its root mean square."""
    if not served(x, gamma):
        return NotImplemented
    inv_rms = _inv_std(x, 0, eps, (x.ndim - 1,))
    return _normalised(x, 0, inv_rms, gamma, 0), inv_rms


def rms_norm_grad(gy: Any, x: Any, gamma: Any, inv_rms: Any) -> Any:
    """Return the gradients for ``x`` and ``gamma``."""
    lead = tuple(range(x.ndim - 1))
    if not lead or not served(gy, x, gamma, inv_rms):
        return NotImplemented
    along = _along(gy, gamma, x, 0, inv_rms, axis=-1, keepdims=True)
    gx = _slope(gy, gamma, x, 0, inv_rms, 0, along, 1 / x.shape[-1])
    return gx, _along(gy, 1, x, 0, inv_rms, axis=lead)


def group_norm(x: Any, gamma: Any, beta: Any, groups: int, eps: float) -> Any:
    """Normalise each group of channels of each example of ``x``, (N, C, ...)."""
    if not served(x, gamma, beta):
        return NotImplemented
    grouped, channel = _grouped(x, groups)
    mean = grouped.mean(axis=(2, 3), keepdims=True)
    inv_std = _inv_std(grouped, mean, eps, (2, 3))
    y = _normalised(grouped, mean, inv_std, gamma.reshape(channel), beta.reshape(channel))
    return y.reshape(x.shape), mean[..., 0], inv_std[..., 0]


def group_norm_grad(gy: Any, x: Any, gamma: Any, mean: Any, inv_std: Any) -> Any:
    """Return the gradients for ``x``, ``gamma`` and ``beta``."""
    if not served(gy, x, gamma, mean, inv_std):
        return NotImplemented
    grouped, channel = _grouped(x, mean.shape[1])
    gy = gy.reshape(grouped.shape)
    mean, inv_std = mean[..., None], inv_std[..., None]
    gx = _gx(gy, grouped, gamma.reshape(channel), mean, inv_std, (2, 3))
    ggamma = _along(gy, 1, grouped, mean, inv_std, axis=(0, 3)).reshape(-1)
    return gx.reshape(x.shape), ggamma, gy.sum(axis=(0, 3)).reshape(-1)


def _grouped(x: Any, groups: int) -> tuple[Any, tuple[int, ...]]:
    """Return ``x`` as (N, groups, channels of one, pixels), and the shape of one per channel."""
    channels = x.shape[1] // groups
    return x.reshape(len(x), groups, channels, -1), (1, groups, channels, 1)
