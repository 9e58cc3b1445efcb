"""SciPy on Variables: ``dezero.scipy.special``, ``stats`` and others, each loaded when named.

SciPy's ufuncs take Variables as they are, ``scipy.special.gammaln(v)``; the modules here have
what SciPy writes as ordinary functions, which take plain arrays alone. SciPy is an optional
dependency: ``pip install dezero-rebuilt[scipy]``.
"""

from __future__ import annotations

import importlib
from typing import Any

_MODULES = ("integrate", "linalg", "signal", "sparse", "special", "stats")


def scipy_module(name: str) -> Any:
    """Return a module of SciPy; raise a lesson where SciPy is missing."""
    try:
        return importlib.import_module(f"scipy.{name}")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"dezero.scipy.{name} needs SciPy: pip install 'dezero-rebuilt[scipy]'"
        ) from error


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"dezero.scipy.{name}")
    raise AttributeError(f"module 'dezero.scipy' has no attribute {name!r}")
