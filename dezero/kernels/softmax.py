"""Softmax, its logarithm, and the cross entropy with labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.kernels.special import sigmoid
from dezero.kernels.table import kernel

LEAST = 1e-30
"""Probabilities below this are 0 in gradients of the cross entropy.

They change no sum. But what they are multiplied with makes them denormal, and a matrix product of
denormal numbers takes several times as long: that of a confident model, then, in every layer.
"""


@kernel()
def softmax(x: Any, axis: int) -> Any:
    """Return exponentials along an axis, scaled to sum to one."""
    y = np.exp(x - _largest(x, axis))
    return y / y.sum(axis=axis, keepdims=True)


@kernel(composed=True)
def softmax_grad(gy: Any, y: Any, axis: int) -> Any:
    """Return ``y * (gy - sum(gy * y))``."""
    weighted = gy * y
    return weighted - y * np.sum(weighted, axis=axis, keepdims=True)


@kernel()
def log_softmax(x: Any, axis: int) -> Any:
    """Return the logarithm of the softmax, without forming it."""
    y = x - _largest(x, axis)
    with np.errstate(divide="ignore"):
        return y - np.log(np.exp(y).sum(axis=axis, keepdims=True))


@kernel(composed=True)
def log_softmax_grad(gy: Any, y: Any, axis: int) -> Any:
    """Return ``gy - softmax * sum(gy)``."""
    return gy - np.exp(y) * np.sum(gy, axis=axis, keepdims=True)


@kernel()
def cross_entropy(x: Any, t: Any, smoothing: float) -> Any:
    """Return the cross entropy of each row of ``x`` with its label, and the log-normalisers.

    Both are float64, of shape (N,). A label of -1 gives 0: that row is ignored. ``smoothing`` is
    the share of the label that goes to all classes alike.
    """
    largest = _largest(x, 1)
    with np.errstate(divide="ignore", invalid="ignore"):  # a row of -inf has no loss: NaN
        log_z = np.log(np.exp(x - largest).sum(axis=1, dtype=np.float64)) + largest[:, 0]
        wanted = x[np.arange(len(t), like=t), t]
        if smoothing:
            wanted = (1 - smoothing) * wanted + smoothing * x.mean(axis=1, dtype=np.float64)
        losses = log_z - wanted
    losses[t < 0] = 0
    return losses, log_z


@kernel()
def cross_entropy_grad(x: Any, t: Any, log_z: Any, scale: Any, smoothing: float) -> Any:
    """Return ``(softmax - label) * scale`` for the sum of what :func:`cross_entropy` returns."""
    high = log_z.astype(x.dtype if x.dtype.kind == "f" else log_z.dtype)
    p = x - high[:, None]
    p -= (log_z - high).astype(p.dtype)[:, None]  # the digits that a float32 of it lacks
    np.exp(p, out=p)
    p[p < LEAST] = 0
    if smoothing:
        p -= smoothing / x.shape[1]
    p[np.arange(len(t), like=t), t] -= 1 - smoothing
    p *= scale
    p[t < 0] = 0
    return p


@kernel()
def sigmoid_cross_entropy(x: Any, t: Any) -> Any:
    """Return the sum of the cross entropies of labels from 0 to 1 with the sigmoid of ``x``."""
    losses = np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x)))
    return losses.sum(dtype=np.float64)


@kernel(composed=True)
def sigmoid_cross_entropy_grad(x: Any, t: Any, scale: Any) -> Any:
    """Return ``(sigmoid(x) - t) * scale``."""
    return (sigmoid(x) - t) * scale


def _largest(x: Any, axis: int) -> Any:
    """Return what to subtract before exponentials: the largest element, 0 if that is infinite."""
    largest = x.max(axis=axis, keepdims=True)
    return np.where(np.isfinite(largest), largest, 0)
