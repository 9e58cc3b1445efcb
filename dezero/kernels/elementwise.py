"""Exponentials and rectifiers: functions of one array in which training spends much time."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.kernels import special
from dezero.kernels.table import kernel


@kernel()
def exp(x: Any) -> Any:
    """Return the exponential."""
    return np.exp(x)


@kernel()
def tanh(x: Any) -> Any:
    """Return the hyperbolic tangent."""
    return np.tanh(x)


@kernel(composed=True)
def tanh_grad(gy: Any, y: Any) -> Any:
    """Return the gradient of ``y = tanh(x)`` for ``x``."""
    return gy * (1 - y * y)


@kernel()
def sigmoid(x: Any) -> Any:
    """Return ``1 / (1 + exp(-x))``."""
    return special.sigmoid(x)


@kernel(composed=True)
def sigmoid_grad(gy: Any, y: Any) -> Any:
    """Return the gradient of ``y = sigmoid(x)`` for ``x``."""
    return gy * y * (1 - y)


@kernel()
def relu(x: Any) -> Any:
    """Return ``x`` where positive, else 0; NaN stays."""
    return np.maximum(x, 0)


@kernel(composed=True)
def relu_grad(gy: Any, y: Any) -> Any:
    """Return the gradient of ``y = relu(x)`` for ``x``."""
    return gy * (y > 0)
