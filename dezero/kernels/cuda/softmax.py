"""Softmax, its logarithm, and the cross entropy with labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.kernels.cuda.fused import elementwise, served, summed
from dezero.kernels.softmax import LEAST

_SHIFTED = "x - (isfinite(m) ? m : T(0))"
_sum_exp = summed("T x, T m", "T y", f"exp({_SHIFTED})", "sum_exp")
_sum_exp_wide = summed("T x, T m", "float64 y", f"exp({_SHIFTED})", "sum_exp_wide")
_sum_product = summed("T a0, T a1", "T y", "a0 * a1", "sum_product")
_softmax = elementwise("T x, T m, T s", "T y", f"y = exp({_SHIFTED}) / s", "softmax")
_softmax_grad = elementwise("T gy, T y, T s", "T gx", "gx = y * (gy - s)", "softmax_grad")
_log_softmax = elementwise("T x, T m, T s", "T y", f"y = {_SHIFTED} - log(s)", "log_softmax")
_log_softmax_grad = elementwise(
    "T gy, T y, T s", "T gx", "gx = gy - exp(y) * s", "log_softmax_grad"
)
_cross_entropy_grad = elementwise(
    "T x, L t, float64 log_z, S scale, T smoothing, int64 classes",
    "T gx",
    f"""
    T p = exp((T)(x - log_z));
    if (p < T({LEAST})) p = 0;
    p -= smoothing / classes;
    if (i % classes == t) p -= 1 - smoothing;
    gx = t < 0 ? T(0) : (T)(p * scale)""",
    "cross_entropy_grad",
)
_sigmoid_cross_entropy = summed(
    "T x, L t",
    "float64 y",
    "(x < 0 ? T(0) : x) - x * (T)t + log1p(exp(-fabs(x)))",
    "sigmoid_cross_entropy",
)
_sigmoid_cross_entropy_grad = elementwise(
    "T x, L t, S scale",
    "T gx",
    "gx = (1 / (1 + exp(-x)) - (T)t) * (T)scale",
    "sigmoid_cross_entropy_grad",
)


def softmax(x: Any, axis: int) -> Any:
    """Return exponentials along an axis, scaled to sum to one."""
    if not served(x):
        return NotImplemented
    largest = x.max(axis=axis, keepdims=True)
    return _softmax(x, largest, _sum_exp(x, largest, axis=axis, keepdims=True))


def softmax_grad(gy: Any, y: Any, axis: int) -> Any:
    """Return ``y * (gy - sum(gy * y))``."""
    if not served(gy, y):
        return NotImplemented
    return _softmax_grad(gy, y, _sum_product(gy, y, axis=axis, keepdims=True))


def log_softmax(x: Any, axis: int) -> Any:
    """Return the logarithm of the softmax."""
    if not served(x):
        return NotImplemented
    largest = x.max(axis=axis, keepdims=True)
    return _log_softmax(x, largest, _sum_exp(x, largest, axis=axis, keepdims=True))


def log_softmax_grad(gy: Any, y: Any, axis: int) -> Any:
    """Return ``gy - softmax * sum(gy)``."""
    if not served(gy, y):
        return NotImplemented
    return _log_softmax_grad(gy, y, gy.sum(axis=axis, keepdims=True))


def cross_entropy(x: Any, t: Any, smoothing: float) -> Any:
    """Return the cross entropy of each row with its label, and the log-normalisers."""
    if not served(x):
        return NotImplemented
    largest = x.max(axis=1, keepdims=True)
    shift = np.where(np.isfinite(largest), largest, 0)[:, 0]
    log_z = np.log(_sum_exp_wide(x, largest, axis=1)) + shift
    wanted = x[np.arange(len(t), like=t), t]
    if smoothing:
        wanted = (1 - smoothing) * wanted + smoothing * x.mean(axis=1, dtype=np.float64)
    return np.where(t < 0, 0, log_z - wanted), log_z


def cross_entropy_grad(x: Any, t: Any, log_z: Any, scale: Any, smoothing: float) -> Any:
    """Return ``(softmax - label) * scale``."""
    if not served(x):
        return NotImplemented
    return _cross_entropy_grad(x, t[:, None], log_z[:, None], scale, smoothing, x.shape[1])


def sigmoid_cross_entropy(x: Any, t: Any) -> Any:
    """Return the sum of the cross entropies of labels with the sigmoid of ``x``."""
    return _sigmoid_cross_entropy(x, t) if served(x) else NotImplemented


def sigmoid_cross_entropy_grad(x: Any, t: Any, scale: Any) -> Any:
    """Return ``(sigmoid(x) - t) * scale``."""
    return _sigmoid_cross_entropy_grad(x, t, scale) if served(x) else NotImplemented
