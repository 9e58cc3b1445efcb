"""What is in an array, for messages: shape, type, smallest and largest number, NaN, infinities."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.core import Variable
from dezero.core.function import describe


def plain(x: Any) -> Any:
    """Return the array of ``x``: a Variable, a gradient in parts, a batch of vmap's, a number.

    ``None`` for what has no numbers.
    """
    if isinstance(x, np.ndarray | np.generic):
        return x
    if isinstance(x, Variable):
        return plain(x._data)
    if hasattr(x, "_outranks"):  # vmap's: what it holds has the numbers of all examples
        return plain(x.value)
    if hasattr(x, "__array_function__"):  # an array of another library's
        return x
    return np.asarray(x) if isinstance(x, int | float | complex) or hasattr(x, "dtype") else None


def whole(array: Any) -> Any:
    """Return the array that a view is a part of."""
    while isinstance(getattr(array, "base", None), np.ndarray):
        array = array.base
    return array


def flaw(x: Any) -> str:
    """Return ``"NaN"`` or ``"infinity"`` if ``x`` holds one, otherwise an empty string."""
    array = plain(x)
    if array is None or array.dtype.kind not in "fc" or bool(np.isfinite(array).all()):
        return ""
    return "NaN" if bool(np.isnan(array).any()) else "infinity"


def counts(x: Any) -> str:
    """Return how many of the numbers are none: ``2 NaN, 1 -inf``; empty if all are finite."""
    array = plain(x)
    if array is None or array.dtype.kind not in "fc":
        return ""
    if array.dtype.kind == "c":
        kinds = {"NaN": np.isnan(array), "inf": np.isinf(array)}
    else:
        kinds = {"NaN": np.isnan(array), "inf": np.isposinf(array), "-inf": np.isneginf(array)}
    found = {kind: int(np.count_nonzero(where)) for kind, where in kinds.items()}
    return ", ".join(f"{count} {kind}" for kind, count in found.items() if count)


def contents(x: Any) -> str:
    """Return what is in an array, number or Variable: ``float32 (3, 4), 0.1 to 2.5, 1 NaN``."""
    array = plain(x)
    if array is None:
        return describe(x)
    if np.ndim(array) == 0 and array.dtype.kind in "fciub":
        return f"{array.dtype} {array}" if hasattr(x, "dtype") else f"the number {array}"
    parts = [describe(array), _range(array), counts(array)]
    return ", ".join(part for part in parts if part)


def _range(array: Any) -> str:
    if array.size == 0:
        return "empty"
    if array.dtype.kind in "iu":
        return _ends(array, "d")
    if array.dtype.kind not in "fc":
        return ""
    finite = array[np.isfinite(array)]
    if finite.size == 0:
        return ""
    if array.dtype.kind == "c":
        return f"absolute values {_ends(np.abs(finite), '.4g')}"
    return _ends(finite, ".4g")


def _ends(array: Any, spec: str) -> str:
    low, high = (format(x.item(), spec) for x in (array.min(), array.max()))
    return f"all {low}" if low == high else f"{low} to {high}"
