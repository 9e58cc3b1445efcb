"""Updates of all parameters at once, where a compiled kernel serves them.

The reference of each is the ``rule`` of its optimiser, a formula on the arrays of one parameter.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.kernels.table import compiled_version, cuda_version

_FLOAT = np.dtype(np.float32)  # there is one of each native type


def update_all(rule: str, lines: list[tuple[Any, ...]], rates: tuple[float, ...]) -> list[bool]:
    """Update parameters in place; return which were served.

    Parameters
    ----------
    rule : str
        Name of the kernel.
    lines : list of tuple of array
        For each parameter its array, its gradient and the arrays of its state.
    rates : tuple of float
        Hyperparameters, in the kernel's order.
    """
    served = [all(_fits(a) for a in line) for line in lines]
    if lines and not any(served) and type(lines[0][0]) is not np.ndarray:
        return _update_on_gpu(rule, lines, rates)
    mine = [line for line, fits in zip(lines, served, strict=True) if fits]
    module = compiled_version(rule, sum(line[0].size for line in mine))
    if module is None or module.update(rule, mine, rates) is NotImplemented:
        return [False] * len(lines)
    return served


def _update_on_gpu(
    rule: str, lines: list[tuple[Any, ...]], rates: tuple[float, ...]
) -> list[bool]:
    served = [all(_on_gpu(a) and a.dtype == line[0].dtype for a in line) for line in lines]
    mine = [line for line, fits in zip(lines, served, strict=True) if fits]
    if mine:
        cuda_version(rule).update(rule, mine, rates)
    return served


def _on_gpu(a: Any) -> bool:
    return type(a).__module__.partition(".")[0] == "cupy" and a.dtype.char in "fd"


def _fits(a: Any) -> bool:
    return type(a) is np.ndarray and a.dtype is _FLOAT and a.size > 0 and a.flags.carray
