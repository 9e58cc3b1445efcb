"""Sums of vectors and of rows, exact enough for long ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from dezero.kernels.cpu.jit import routine, rows
from dezero.kernels.cpu.shared import launch, shared

BLOCK = 1024
"""Elements that are summed in float32; the sums of blocks are added in float64."""
_GROUP = 8  # rows that are added at once, before the sum so far is read and written
_ROUND = 16  # such groups, after which their sum goes to the one in float64
_LINE = 16  # floats of a cache line: threads write to lines of their own
_NARROW = 256  # rows shorter than this are laid side by side
_ZERO = np.float32(0)


@njit(nogil=True, fastmath=False)
def minus(a: Any, b: Any) -> Any:
    """Return ``a - b`` at once: no reordered sum may take ``b`` off later, with digits lost.

    (``fastmath`` must be named: Numba gives a function without it that of its caller.)
    """
    return a - b


@routine
def total(x: Any) -> Any:
    """Return the sum of a vector, in float64."""
    result = 0.0
    for start in range(0, x.size, BLOCK):
        block = x[start : start + BLOCK]
        part = _ZERO
        for i in range(block.size):
            part += block[i]
        result += np.float64(part)
    return result


@routine
def moments_about(x: Any, centre: Any) -> Any:
    """Return the sums, in float64, of ``x - centre`` and of its squares."""
    first, second = 0.0, 0.0
    for start in range(0, x.size, BLOCK):
        block = x[start : start + BLOCK]
        a, b = _ZERO, _ZERO
        for i in range(block.size):
            d = minus(block[i], centre)
            a += d
            b += d * d
        first += np.float64(a)
        second += np.float64(b)
    return first, second


@routine
def dot_about(gy: Any, x: Any, centre: Any) -> Any:
    """Return the sums, in float64, of ``gy`` and of ``gy * (x - centre)``."""
    first, second = 0.0, 0.0
    for start in range(0, x.size, BLOCK):
        g, block = gy[start : start + BLOCK], x[start : start + BLOCK]
        a, b = _ZERO, _ZERO
        for i in range(block.size):
            a += g[i]
            b += g[i] * minus(block[i], centre)
        first += np.float64(a)
        second += np.float64(b)
    return first, second


@shared
def _sum_rows(x: Any, sums: Any, aside: Any, t: int, n: int) -> None:
    """Add up the rows, each thread a range of columns: the same sums on any number of threads."""
    lines = (x.shape[1] + _LINE - 1) // _LINE
    start, stop = lines * t // n * _LINE, min(lines * (t + 1) // n * _LINE, x.shape[1])
    out, own = sums[start:stop], aside[start:stop]
    out[:] = 0.0
    own[:] = _ZERO
    grouped = len(x) // _GROUP * _GROUP
    for r in range(0, grouped, _GROUP):
        a, b, c, d = (x[r, start:stop], x[r + 1, start:stop], x[r + 2, start:stop],
                      x[r + 3, start:stop])  # fmt: skip
        e, f, g, h = (x[r + 4, start:stop], x[r + 5, start:stop], x[r + 6, start:stop],
                      x[r + 7, start:stop])  # fmt: skip
        for j in range(own.size):
            own[j] += ((a[j] + b[j]) + (c[j] + d[j])) + ((e[j] + f[j]) + (g[j] + h[j]))
        if r // _GROUP % _ROUND == _ROUND - 1:
            for j in range(own.size):
                out[j] += np.float64(own[j])
                own[j] = _ZERO
    for r in range(grouped, len(x)):
        a = x[r, start:stop]
        for j in range(own.size):
            own[j] += a[j]
    for j in range(own.size):
        out[j] += np.float64(own[j])


def sum_rows(x: Any) -> Any:
    """Return the sum over all axes but the last."""
    if x.dtype != np.float32 or x.ndim < 2 or x.size == 0:
        return NotImplemented
    x = rows(x)
    count, width = x.shape
    beside = min(max(1, _NARROW // width), count)
    whole = count // beside * beside
    sums = _summed(x[:whole].reshape(-1, beside * width))
    if beside > 1:
        sums = sums.reshape(beside, width).sum(axis=0)
        sums += x[whole:].sum(axis=0)
    return sums.astype(np.float32)


def _summed(x: Any) -> Any:
    sums, aside = np.empty(x.shape[1]), np.empty(x.shape[1], np.float32)
    launch(_sum_rows, x, sums, aside, work=x.size // 4)  # additions alone are quick
    return sums
