"""Exponentials and rectifiers in one pass over memory, on vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dezero.kernels.cpu import vectors
from dezero.kernels.cpu.jit import share_of
from dezero.kernels.cpu.shared import launch, shared

_ZERO, _ONE = np.float32(0), np.float32(1)


@shared
def _exp(x: Any, y: Any, t: int, n: int) -> None:
    start, stop = share_of(x.size, t, n)
    x, y = x[start:stop], y[start:stop]
    for i in range(x.size):
        y[i] = vectors.exp(x[i])


@shared
def _tanh(x: Any, y: Any, t: int, n: int) -> None:
    start, stop = share_of(x.size, t, n)
    x, y = x[start:stop], y[start:stop]
    for i in range(x.size):
        y[i] = vectors.tanh(x[i])


@shared
def _tanh_grad(gy: Any, y: Any, gx: Any, t: int, n: int) -> None:
    start, stop = share_of(y.size, t, n)
    gy, y, gx = gy[start:stop], y[start:stop], gx[start:stop]
    for i in range(gy.size):
        gx[i] = gy[i] * (_ONE - y[i] * y[i])


@shared
def _sigmoid(x: Any, y: Any, t: int, n: int) -> None:
    start, stop = share_of(x.size, t, n)
    x, y = x[start:stop], y[start:stop]
    for i in range(x.size):
        y[i] = vectors.sigmoid(x[i])


@shared
def _sigmoid_grad(gy: Any, y: Any, gx: Any, t: int, n: int) -> None:
    start, stop = share_of(y.size, t, n)
    gy, y, gx = gy[start:stop], y[start:stop], gx[start:stop]
    for i in range(gy.size):
        gx[i] = gy[i] * y[i] * (_ONE - y[i])


@shared
def _relu(x: Any, y: Any, t: int, n: int) -> None:
    start, stop = share_of(x.size, t, n)
    x, y = x[start:stop], y[start:stop]
    for i in range(x.size):
        y[i] = _ZERO if x[i] < _ZERO else x[i]  # so that NaN stays


@shared
def _relu_grad(gy: Any, y: Any, gx: Any, t: int, n: int) -> None:
    start, stop = share_of(y.size, t, n)
    gy, y, gx = gy[start:stop], y[start:stop], gx[start:stop]
    for i in range(gy.size):
        gx[i] = gy[i] if y[i] > _ZERO else gy[i] * _ZERO


def exp(x: Any) -> Any:
    """Return the exponential; 0 where it would be denormal."""
    return mapped(_exp, x)


def tanh(x: Any) -> Any:
    """Return the hyperbolic tangent."""
    return mapped(_tanh, x)


def tanh_grad(gy: Any, y: Any) -> Any:
    """Return the gradient for the input of :func:`tanh`."""
    return mapped(_tanh_grad, gy, y)


def sigmoid(x: Any) -> Any:
    """Return ``1 / (1 + exp(-x))``."""
    return mapped(_sigmoid, x)


def sigmoid_grad(gy: Any, y: Any) -> Any:
    """Return the gradient for the input of :func:`sigmoid`."""
    return mapped(_sigmoid_grad, gy, y)


def relu(x: Any) -> Any:
    """Return ``x`` where positive, else 0."""
    return mapped(_relu, x)


def relu_grad(gy: Any, y: Any) -> Any:
    """Return the gradient for the input of :func:`relu`."""
    return mapped(_relu_grad, gy, y)


def mapped(kernel: Callable[..., Any], *arrays: Any) -> Any:
    """Return what ``kernel`` makes of the elements of float32 arrays of one shape."""
    shape = arrays[0].shape
    if any(type(a) is not np.ndarray or a.dtype != np.float32 or a.shape != shape for a in arrays):
        return NotImplemented
    y = np.empty(shape, np.float32)
    flat = (np.ascontiguousarray(a).reshape(-1) for a in (*arrays, y))
    launch(kernel, *flat, work=y.size)
    return y
