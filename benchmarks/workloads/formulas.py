"""The formulas that every peer runs letter for letter."""

from __future__ import annotations

from typing import Any


def goldstein_price(x: Any, y: Any) -> Any:
    """The Goldstein-Price function (step 24 of the book); 1876 at (1, 1)."""
    left = 1 + (x + y + 1) ** 2 * (19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2)
    right = 30 + (2 * x - 3 * y) ** 2 * (18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2)
    return left * right


def chain(x: Any, factor: float, length: int) -> Any:
    """``x * factor * factor * ...``, one function at a time."""
    for _ in range(length):
        x = x * factor
    return x


def elementwise(x: Any, y: Any, xp: Any) -> Any:
    """``sum(exp(tanh(x * y + x)))`` with the functions of the module ``xp``."""
    return xp.sum(xp.exp(xp.tanh(x * y + x)))
