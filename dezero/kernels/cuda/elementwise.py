"""Exponentials and rectifiers."""

from __future__ import annotations

from typing import Any

from dezero.kernels.cuda.fused import elementwise, served

_tanh_grad = elementwise("T gy, T y", "T gx", "gx = gy * (1 - y * y)", "tanh_grad")
_sigmoid = elementwise("T x", "T y", "y = 1 / (1 + exp(-x))", "sigmoid")
_sigmoid_grad = elementwise("T gy, T y", "T gx", "gx = gy * y * (1 - y)", "sigmoid_grad")
_relu_grad = elementwise("T gy, T y", "T gx", "gx = gy * (y > 0)", "relu_grad")


def tanh_grad(gy: Any, y: Any) -> Any:
    """Return the gradient of ``y = tanh(x)``."""
    return _tanh_grad(gy, y) if served(gy, y) else NotImplemented


def sigmoid(x: Any) -> Any:
    """Return ``1 / (1 + exp(-x))``."""
    return _sigmoid(x) if served(x) else NotImplemented


def sigmoid_grad(gy: Any, y: Any) -> Any:
    """Return the gradient of ``y = sigmoid(x)``."""
    return _sigmoid_grad(gy, y) if served(gy, y) else NotImplemented


def relu_grad(gy: Any, y: Any) -> Any:
    """Return the gradient of ``y = relu(x)``."""
    return _relu_grad(gy, y) if served(gy, y) else NotImplemented
