"""The GPU, through CuPy, which loads at first use (step 52 of the book).

Attributes
----------
gpu_enable : bool
    Whether CuPy is installed and finds a device.
cupy : module
    CuPy; the attribute exists only where it can be imported.
"""

from __future__ import annotations

import functools
import importlib
from typing import Any

import numpy as np

from dezero.core import Variable


@functools.cache
def _cupy() -> Any:
    try:
        return importlib.import_module("cupy")
    except ImportError:  # not installed, or without the CUDA libraries that it wants
        return None


@functools.cache
def _available() -> bool:
    cupy = _cupy()
    if cupy is None:
        return False
    try:
        return bool(cupy.cuda.runtime.getDeviceCount() > 0)
    except cupy.cuda.runtime.CUDARuntimeError:
        return False


def __getattr__(name: str) -> Any:
    if name == "gpu_enable":
        return _available()
    if name == "cupy" and _cupy() is not None:
        return _cupy()
    raise AttributeError(f"module 'dezero.cuda' has no attribute {name!r}")


def get_array_module(x: Any) -> Any:
    """Return the module, NumPy or CuPy, whose functions work on ``x``.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import cuda
    >>> cuda.get_array_module(np.ones(2)) is np
    True
    """
    data = x.data if isinstance(x, Variable) else x
    return _cupy() if type(data).__module__.split(".")[0] == "cupy" else np


def as_numpy(x: Any) -> Any:
    """Return ``x`` as a NumPy array, copied from the GPU where it lies there.

    Examples
    --------
    >>> from dezero import cuda
    >>> cuda.as_numpy(1.0)
    array(1.)
    """
    data = x.data if isinstance(x, Variable) else x
    if get_array_module(data) is np:
        return np.asarray(data)
    return _cupy().asnumpy(data)


def as_cupy(x: Any) -> Any:
    """Return ``x`` as a CuPy array, copied to the GPU where it does not lie there.

    Raises
    ------
    RuntimeError
        If CuPy is not installed, or finds no GPU.
    """
    data = x.data if isinstance(x, Variable) else x
    if not _available():
        raise RuntimeError(
            "as_cupy: no GPU to move the array to: CuPy is not installed, or finds no device; "
            "check dezero.cuda.gpu_enable first, or pip install cupy-cuda13x"
        )
    return _cupy().asarray(data)
