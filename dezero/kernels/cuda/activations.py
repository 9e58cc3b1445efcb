"""GELU and SiLU."""

from __future__ import annotations

from typing import Any

from dezero.kernels.cuda.fused import elementwise, served

_TANH = "T t = tanh(T(0.7978845608028654) * (x + T(0.044715) * x * x * x)); "
_SLOPE = "T(0.5) * (1 - t * t) * T(0.7978845608028654) * (1 + T(0.134145) * x * x)"
_CDF = "T p = T(0.5) * (1 + erf(x * T(0.7071067811865476))); "
_DENSITY = "exp(T(-0.5) * x * x) * T(0.3989422804014327)"

_GELU = {
    "tanh": elementwise("T x", "T y", _TANH + "y = T(0.5) * x * (1 + t)", "gelu_tanh"),
    "none": elementwise("T x", "T y", _CDF + "y = x * p", "gelu"),
}
_GELU_GRAD = {
    "tanh": elementwise(
        "T gy, T x",
        "T gx",
        f"{_TANH} gx = gy * (T(0.5) * (1 + t) + x * {_SLOPE})",
        "gelu_tanh_grad",
    ),
    "none": elementwise(
        "T gy, T x", "T gx", f"{_CDF} gx = gy * (p + x * {_DENSITY})", "gelu_grad"
    ),
}
_silu = elementwise("T x", "T y", "y = x / (1 + exp(-x))", "silu")
_silu_grad = elementwise(
    "T gy, T x", "T gx", "T s = 1 / (1 + exp(-x)); gx = gy * s * (1 + x * (1 - s))", "silu_grad"
)


def gelu(x: Any, approximate: str) -> Any:
    """Return ``x`` times the probability that a normal draw is less."""
    return _GELU[approximate](x) if served(x) else NotImplemented


def gelu_grad(gy: Any, x: Any, approximate: str) -> Any:
    """Return the gradient of :func:`gelu`."""
    return _GELU_GRAD[approximate](gy, x) if served(gy, x) else NotImplemented


def silu(x: Any) -> Any:
    """Return ``x sigmoid(x)``."""
    return _silu(x) if served(x) else NotImplemented


def silu_grad(gy: Any, x: Any) -> Any:
    """Return the gradient of :func:`silu`."""
    return _silu_grad(gy, x) if served(gy, x) else NotImplemented
