"""What the distributions share: a support outside of which the density is 0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def standard(x: Any, loc: Any, scale: Any) -> Any:
    """Return ``(x - loc) / scale``; a list becomes an array."""
    x = x if hasattr(x, "dtype") else np.asarray(x)
    return (x - loc) / scale


def on_support(inside: Any, formula: Callable[[Any], Any], z: Any, within: float) -> Any:
    """Return ``formula(z)`` inside the support, ``-inf`` outside, where ``within`` replaces z.

    So neither values nor gradients of the formula outside its domain come into play.
    """
    y = formula(np.where(inside, z, within))
    return np.where(inside, y, -np.inf)


def weak(function: Callable[..., Any], *xs: Any) -> Any:
    """Return ``function(*xs)``, a Python number of Python numbers: float32 beside it stays."""
    y = function(*xs)
    return float(y) if all(isinstance(x, int | float) for x in xs) else y
