"""Differentiable counterparts of SciPy's functions, under its names.

SciPy's functions take part in none of NumPy's protocols, so these are functions of their own:
``dezero.scipy.linalg.expm(x)`` for ``scipy.linalg.expm``. SciPy itself is optional, and loaded at
the first call.
"""

from __future__ import annotations

import importlib
from typing import Any


def scipy_module(name: str) -> Any:
    """Return a module of SciPy; raise a lesson where SciPy is missing."""
    try:
        return importlib.import_module(f"scipy.{name}")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"dezero.scipy.{name} needs SciPy: pip install 'dezero-rebuilt[scipy]'"
        ) from error
