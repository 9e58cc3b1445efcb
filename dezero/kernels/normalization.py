"""Normalisations: batch, layer, group and root mean square.

Each returns its statistics with the result: a mean and one over a standard deviation for whatever
is normalised together. They are all that the gradients need besides ``x``. The gradients are
formulas that Variables run as well; given statistics that were computed from a recorded ``x``,
second derivatives see that these depend on it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dezero.kernels.table import kernel


@kernel()
def batch_norm(x: Any, gamma: Any, beta: Any, eps: float, mean: Any, var: Any) -> Any:
    """Normalise each channel of ``x``, of shape (N, C, ...); the rest is of shape (C,).

    Returns
    -------
    y, mean, var
        The mean and variance of the batch; those given, where they are not None.
    """
    axes, shape = batch_axes(x)
    if mean is None:
        mean, var = x.mean(axis=axes), x.var(axis=axes)
    inv_std = (1 / np.sqrt(var + eps)).astype(x.dtype)
    y = (x - mean.reshape(shape).astype(x.dtype)) * inv_std.reshape(shape)
    return y * gamma.reshape(shape) + beta.reshape(shape), mean, var


@kernel()
def normalised_relu(
    x: Any, gamma: Any, beta: Any, eps: float, mean: Any, var: Any, residual: Any
) -> Any:
    """Return the positive part of ``x`` (N, C, ...) normalised, plus ``residual`` if not None."""
    y, _, _ = batch_norm(x, gamma, beta, eps, mean, var)
    return np.maximum(y if residual is None else y + residual, 0)


@kernel(composed=True)
def batch_norm_grad(gy: Any, x: Any, gamma: Any, mean: Any, inv_std: Any, fixed: bool) -> Any:
    """Return the gradients for ``x``, ``gamma`` and ``beta``; ``fixed`` if ``mean`` was given."""
    axes, shape = batch_axes(x)
    x_hat = (x - np.reshape(mean, shape)) * np.reshape(inv_std, shape)
    gbeta, ggamma = np.sum(gy, axis=axes), np.sum(gy * x_hat, axis=axes)
    scale = np.reshape(gamma * inv_std, shape)
    if fixed:
        return gy * scale, ggamma, gbeta
    share = 1 / math.prod(x.shape[axis] for axis in axes)
    common = (np.reshape(gbeta, shape) + x_hat * np.reshape(ggamma, shape)) * share
    return (gy - common) * scale, ggamma, gbeta


def batch_axes(x: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the axes that batch statistics are taken over, and the shape of one per channel."""
    return (0, *range(2, x.ndim)), (1, x.shape[1], *(1,) * (x.ndim - 2))


@kernel()
def layer_norm(x: Any, gamma: Any, beta: Any, eps: float) -> Any:
    """Normalise each row along the last axis, which ``y, mean, inv_std`` all keep."""
    mean = x.mean(axis=-1, keepdims=True)
    inv_std = 1 / np.sqrt(x.var(axis=-1, keepdims=True) + eps)
    return (x - mean) * inv_std * gamma + beta, mean, inv_std


@kernel(composed=True)
def layer_norm_grad(gy: Any, x: Any, gamma: Any, mean: Any, inv_std: Any) -> Any:
    """Return the gradients for ``x``, ``gamma`` and ``beta``."""
    x_hat = (x - mean) * inv_std
    g, share = gy * gamma, 1 / x.shape[-1]
    along = np.sum(g * x_hat, axis=-1, keepdims=True)
    common = (np.sum(g, axis=-1, keepdims=True) + x_hat * along) * share
    lead = tuple(range(x.ndim - 1))
    return (g - common) * inv_std, np.sum(gy * x_hat, axis=lead), np.sum(gy, axis=lead)


@kernel()
def rms_norm(x: Any, gamma: Any, eps: float) -> Any:
    """Divide each row by its root mean square; return ``y, inv_rms`` (which keeps the axis)."""
    inv_rms = 1 / np.sqrt((x * x).mean(axis=-1, keepdims=True) + eps)
    return x * inv_rms * gamma, inv_rms


@kernel(composed=True)
def rms_norm_grad(gy: Any, x: Any, gamma: Any, inv_rms: Any) -> Any:
    """Return the gradients for ``x`` and ``gamma``."""
    x_hat = x * inv_rms
    g = gy * gamma
    along = np.sum(g * x_hat, axis=-1, keepdims=True) * (1 / x.shape[-1])
    return (g - x_hat * along) * inv_rms, np.sum(gy * x_hat, axis=tuple(range(x.ndim - 1)))


@kernel()
def group_norm(x: Any, gamma: Any, beta: Any, groups: int, eps: float) -> Any:
    """Normalise each group of channels of each example of ``x``, of shape (N, C, ...).

    Returns ``y, mean, inv_std``; the statistics are of shape (N, groups, 1).
    """
    rows = x.reshape(len(x), groups, -1)
    mean = rows.mean(axis=-1, keepdims=True)
    inv_std = 1 / np.sqrt(rows.var(axis=-1, keepdims=True) + eps)
    _, shape = batch_axes(x)
    x_hat = ((rows - mean) * inv_std).reshape(x.shape)
    return x_hat * gamma.reshape(shape) + beta.reshape(shape), mean, inv_std


@kernel(composed=True)
def group_norm_grad(gy: Any, x: Any, gamma: Any, mean: Any, inv_std: Any) -> Any:
    """Return the gradients for ``x``, ``gamma`` and ``beta``."""
    axes, shape = batch_axes(x)
    grouped = (*mean.shape[:2], x.size // mean.size)
    x_hat = (np.reshape(x, grouped) - mean) * inv_std
    g = np.reshape(gy * np.reshape(gamma, shape), grouped)
    along = np.sum(g * x_hat, axis=-1, keepdims=True)
    common = (np.sum(g, axis=-1, keepdims=True) + x_hat * along) * (1 / grouped[2])
    gx = np.reshape((g - common) * inv_std, x.shape)
    return gx, np.sum(gy * np.reshape(x_hat, x.shape), axis=axes), np.sum(gy, axis=axes)
