"""Activations that take many passes over memory as NumPy calls, and one as a kernel."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dezero.kernels.special import erf, sigmoid
from dezero.kernels.table import kernel

_C = math.sqrt(2 / math.pi)


def _inner(x: Any) -> Any:
    return _C * (x + 0.044715 * x * x * x)


@kernel()
def gelu(x: Any, approximate: str) -> Any:
    """Return ``x`` times the probability that a normal draw is less: :func:`functions.gelu`."""
    if approximate == "tanh":
        return x * (0.5 * (1 + np.tanh(_inner(x))))
    return x * (0.5 * (1 + erf(x * math.sqrt(0.5))))


@kernel(composed=True)
def gelu_grad(gy: Any, x: Any, approximate: str) -> Any:
    """Return the gradient of :func:`gelu` for ``x``, by the product rule."""
    if approximate == "tanh":
        t = np.tanh(_inner(x))
        slope = 0.5 * (1 - t * t) * (_C * (1 + 3 * 0.044715 * x * x))
        return gy * (0.5 * (1 + t) + x * slope)
    density = np.exp(-0.5 * x * x) * (1 / math.sqrt(2 * math.pi))
    return gy * (0.5 * (1 + erf(x * math.sqrt(0.5))) + x * density)


@kernel()
def silu(x: Any) -> Any:
    """Return ``x sigmoid(x)``."""
    return x * sigmoid(x)


@kernel(composed=True)
def silu_grad(gy: Any, x: Any) -> Any:
    """Return the gradient of :func:`silu` for ``x``."""
    s = sigmoid(x)
    return gy * (s * (1 + x * (1 - s)))
