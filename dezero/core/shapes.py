"""The shape and dtype of a gradient are those of what it belongs to; pieces that lie joined."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dezero.core.function import Function


def conform(gx: Any, edge: Any, node: Function) -> Any:
    """Return ``gx`` in the shape and dtype of its input; raise where it cannot be."""
    if gx.shape != edge._shape:
        if not node._broadcasts:
            raise ValueError(
                f"{node._name}.backward returned a gradient of shape {gx.shape} for an input of "
                f"shape {edge._shape}; a gradient has the shape of its input (F.sum_to undoes "
                "broadcasting)"
            )
        gx = sum_to(gx, edge._shape)
    if gx.dtype != edge._dtype:
        if edge._dtype.kind not in "fc" and gx.dtype.kind in "fc":
            raise TypeError(
                f"backward through {node._name}: its input is an integer variable "
                f"({edge._dtype} {edge._shape}), which has no gradient; make it float with "
                "x.astype(np.float32), or pass the plain array where no gradient is wanted"
            )
        if gx.dtype.kind == "c" and edge._dtype.kind == "f":
            gx = np.real(gx)  # a real number moves along the real axis alone
        if gx.dtype != edge._dtype:
            gx = gx.astype(edge._dtype)
    return gx


def sum_to(x: Any, shape: tuple[int, ...]) -> Any:
    """Sum ``x`` over the axes along which ``shape`` was broadcast to ``x.shape``."""
    lead = len(x.shape) - len(shape)
    axes = tuple(range(lead)) + tuple(
        lead + i for i, size in enumerate(shape) if size == 1 and x.shape[lead + i] != 1
    )
    if axes:
        x = x.sum(axis=axes, keepdims=True)
    return x.reshape(shape) if lead else x


def whole_of(parts: Any, axis: int) -> Any:
    """Return the array whose consecutive pieces these are, None if they are not."""
    whole = getattr(parts[0], "base", None)
    if any(type(x) is not np.ndarray or x.base is not whole for x in parts):
        return None
    shape = list(parts[0].shape)
    shape[axis] = sum(x.shape[axis] for x in parts)
    if type(whole) is not np.ndarray or whole.size != math.prod(shape):
        return None
    if not whole.flags.c_contiguous or whole.dtype != parts[0].dtype:
        return None
    whole = whole.reshape(shape)
    place = whole.ctypes.data
    for x in parts:
        if x.strides != whole.strides or x.ctypes.data != place:
            return None
        place += x.shape[axis] * x.strides[axis]
    return whole
