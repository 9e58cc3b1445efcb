"""Activations in one pass over memory."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dezero.kernels.cpu.elementwise import mapped
from dezero.kernels.cpu.jit import share_of
from dezero.kernels.cpu.shared import shared
from dezero.kernels.cpu.vectors import erf, exp, sigmoid

f = np.float32
_2C, _CUBIC, _ZERO, _ONE = f(2 * math.sqrt(2 / math.pi)), f(0.044715), f(0), f(1)
_HALF, _FLAT = f(0.5), f(1e4)
_SLOPE = f(3 * 0.044715)
_ROOT, _DENSITY = f(math.sqrt(0.5)), f(1 / math.sqrt(2 * math.pi))


@shared
def _gelu(x: Any, y: Any, t: int, n: int) -> None:
    start, stop = share_of(x.size, t, n)
    x, y = x[start:stop], y[start:stop]
    for i in range(x.size):
        v = x[i]
        # (1 + tanh(u)) / 2 = sigmoid(2 u), which takes one exponential and no cases
        y[i] = v / (_ONE + exp(-_2C * (v + _CUBIC * v * v * v)))


@shared
def _gelu_grad(gy: Any, x: Any, gx: Any, t: int, n: int) -> None:
    start, stop = share_of(x.size, t, n)
    gy, x, gx = gy[start:stop], x[start:stop], gx[start:stop]
    for i in range(gy.size):
        v = x[i]
        h = _ONE / (_ONE + exp(-_2C * (v + _CUBIC * v * v * v)))
        slope = h * (_ONE - h) * _2C * (_ONE + _SLOPE * v * v)
        slope = _ZERO if abs(v) > _FLAT else slope  # inf * 0 beyond
        gx[i] = gy[i] * (h + v * slope)


@shared
def _exact_gelu(x: Any, y: Any, t: int, n: int) -> None:
    start, stop = share_of(x.size, t, n)
    x, y = x[start:stop], y[start:stop]
    for i in range(x.size):
        y[i] = x[i] * _HALF * (_ONE + erf(x[i] * _ROOT))


@shared
def _exact_gelu_grad(gy: Any, x: Any, gx: Any, t: int, n: int) -> None:
    start, stop = share_of(x.size, t, n)
    gy, x, gx = gy[start:stop], x[start:stop], gx[start:stop]
    for i in range(gy.size):
        density = _DENSITY * exp(-_HALF * x[i] * x[i])
        gx[i] = gy[i] * (_HALF * (_ONE + erf(x[i] * _ROOT)) + x[i] * density)


@shared
def _silu(x: Any, y: Any, t: int, n: int) -> None:
    start, stop = share_of(x.size, t, n)
    x, y = x[start:stop], y[start:stop]
    for i in range(x.size):
        y[i] = x[i] * sigmoid(x[i])


@shared
def _silu_grad(gy: Any, x: Any, gx: Any, t: int, n: int) -> None:
    start, stop = share_of(x.size, t, n)
    gy, x, gx = gy[start:stop], x[start:stop], gx[start:stop]
    for i in range(gy.size):
        s = sigmoid(x[i])
        gx[i] = gy[i] * s * (_ONE + x[i] * (_ONE - s))


def gelu(x: Any, approximate: str) -> Any:
    """Return the activation."""
    return mapped(_gelu if approximate == "tanh" else _exact_gelu, x)


def gelu_grad(gy: Any, x: Any, approximate: str) -> Any:
    """Return the gradient for ``x``."""
    return mapped(_gelu_grad if approximate == "tanh" else _exact_gelu_grad, gy, x)


def silu(x: Any) -> Any:
    """Return the activation."""
    return mapped(_silu, x)


def silu_grad(gy: Any, x: Any) -> Any:
    """Return the gradient for ``x``."""
    return mapped(_silu_grad, gy, x)
