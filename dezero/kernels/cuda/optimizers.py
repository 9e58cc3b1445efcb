"""Updates of parameters: a pass over each with its gradient and state, which are written."""

from __future__ import annotations

from typing import Any

from dezero.kernels.cuda.fused import elementwise

_RULES = {
    "sgd": elementwise("T g, T lr", "T p", "p -= lr * g", "sgd"),
    "momentum": elementwise(
        "T g, T lr, T momentum, T ahead",
        "T p, T v",
        """
        T step = lr * g;
        v = momentum * v - step;
        p += ahead * (momentum * v - step) + (1 - ahead) * v""",
        "momentum",
    ),
    "adagrad": elementwise(
        "T g, T lr, T eps", "T p, T h", "h += g * g; p -= lr * g / (sqrt(h) + eps)", "adagrad"
    ),
    "rmsprop": elementwise(
        "T g, T lr, T forget, T eps",
        "T p, T h",
        "h += forget * (g * g - h); p -= lr * g / (sqrt(h) + eps)",
        "rmsprop",
    ),
    "adadelta": elementwise(
        "T g, T forget, T eps",
        "T p, T msg, T msdx",
        """
        msg += forget * (g * g - msg);
        T dx = sqrt((msdx + eps) / (msg + eps)) * g;
        msdx += forget * (dx * dx - msdx);
        p -= dx""",
        "adadelta",
    ),
    "adam": elementwise(
        "T g, T lr, T forget1, T forget2, T eps, T keep",
        "T p, T m, T v",
        """
        m += forget1 * (g - m);
        v += forget2 * (g * g - v);
        p = keep * p - lr * m / (sqrt(v) + eps)""",
        "adam",
    ),
}


def update(rule: str, lines: list[tuple[Any, ...]], rates: tuple[float, ...]) -> None:
    """Update parameters in place: each line has a parameter, its gradient and its state."""
    for parameter, gradient, *state in lines:
        _RULES[rule](gradient, *rates, parameter, *state)
