"""Updates of all parameters of a model in one pass: one launch, blocks shared among threads.

The arrays of a model are many and of any size, which no compiled function takes as arguments. So
they come as addresses: a table with a line for each parameter and a column for each of its arrays
(parameter, gradient, state). The caller holds the arrays while the kernel runs, and has checked
that they are contiguous float32 of one size a line.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
import math
from typing import Any

import numpy as np
from numba import carray, types
from numba.core import cgutils
from numba.extending import intrinsic

from dezero.core.threads import get_num_threads
from dezero.kernels.cpu.jit import SMALL, compiled, share_of
from dezero.kernels.cpu.shared import shared, spread

BLOCK = 1 << 14
"""Elements of a block: what a thread takes at a time."""
f = np.float32
_ZERO, _ONE, _LEAST = f(0), f(1), f(np.finfo(np.float32).tiny)


@intrinsic
def _pointer(typing: Any, address: Any) -> Any:
    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        return b.inttoptr(args[0], cgutils.voidptr_t)

    return types.voidptr(types.int64), generate


@compiled
def _part(table: Any, sizes: Any, owner: Any, first: Any, block: int, column: int) -> Any:
    """Return one block of one array of the table."""
    i = owner[block]
    start = (block - first[i]) * BLOCK
    size = min(BLOCK, sizes[i] - start)
    return carray(_pointer(table[i, column] + 4 * start), (size,), np.float32)


@shared
def _sgd(table: Any, sizes: Any, owner: Any, first: Any, rates: Any, t: int, n: int) -> None:
    start, stop = share_of(owner.size, t, n)
    lr = rates[0]
    for b in range(start, stop):
        p = _part(table, sizes, owner, first, b, 0)
        g = _part(table, sizes, owner, first, b, 1)
        for i in range(p.size):
            p[i] -= lr * g[i]


@shared
def _momentum(table: Any, sizes: Any, owner: Any, first: Any, rates: Any, t: int, n: int) -> None:
    """Step by momentum; with ``ahead`` (1), as Nesterov does."""
    start, stop = share_of(owner.size, t, n)
    lr, momentum, ahead = rates[0], rates[1], rates[2]
    for b in range(start, stop):
        p = _part(table, sizes, owner, first, b, 0)
        g = _part(table, sizes, owner, first, b, 1)
        v = _part(table, sizes, owner, first, b, 2)
        for i in range(p.size):
            step = lr * g[i]
            new = _flushed(momentum * v[i] - step)
            v[i] = new
            p[i] += ahead * (momentum * new - step) + (_ONE - ahead) * new


@compiled
def _flushed(x: Any) -> Any:
    """Return 0 for a denormal number: thousands of steps decay to these, and they are slow."""
    return _ZERO if abs(x) < _LEAST else x


@shared
def _adagrad(table: Any, sizes: Any, owner: Any, first: Any, rates: Any, t: int, n: int) -> None:
    start, stop = share_of(owner.size, t, n)
    lr, eps = rates[0], rates[1]
    for b in range(start, stop):
        p = _part(table, sizes, owner, first, b, 0)
        g = _part(table, sizes, owner, first, b, 1)
        h = _part(table, sizes, owner, first, b, 2)
        for i in range(p.size):
            new = h[i] + g[i] * g[i]
            h[i] = new
            p[i] -= lr * g[i] / (f(math.sqrt(new)) + eps)


@shared
def _rmsprop(table: Any, sizes: Any, owner: Any, first: Any, rates: Any, t: int, n: int) -> None:
    start, stop = share_of(owner.size, t, n)
    lr, forget, eps = rates[0], rates[1], rates[2]
    for b in range(start, stop):
        p = _part(table, sizes, owner, first, b, 0)
        g = _part(table, sizes, owner, first, b, 1)
        h = _part(table, sizes, owner, first, b, 2)
        for i in range(p.size):
            new = _flushed(h[i] + forget * (g[i] * g[i] - h[i]))
            h[i] = new
            p[i] -= lr * g[i] / (f(math.sqrt(new)) + eps)


@shared
def _adadelta(table: Any, sizes: Any, owner: Any, first: Any, rates: Any, t: int, n: int) -> None:
    start, stop = share_of(owner.size, t, n)
    forget, eps = rates[0], rates[1]
    for b in range(start, stop):
        p = _part(table, sizes, owner, first, b, 0)
        g = _part(table, sizes, owner, first, b, 1)
        msg = _part(table, sizes, owner, first, b, 2)
        msdx = _part(table, sizes, owner, first, b, 3)
        for i in range(p.size):
            a = _flushed(msg[i] + forget * (g[i] * g[i] - msg[i]))
            msg[i] = a
            dx = f(math.sqrt((msdx[i] + eps) / (a + eps))) * g[i]
            msdx[i] = _flushed(msdx[i] + forget * (dx * dx - msdx[i]))
            p[i] -= dx


@shared
def _adam(table: Any, sizes: Any, owner: Any, first: Any, rates: Any, t: int, n: int) -> None:
    start, stop = share_of(owner.size, t, n)
    lr, forget1, forget2, eps, keep = rates[0], rates[1], rates[2], rates[3], rates[4]
    for b in range(start, stop):
        p = _part(table, sizes, owner, first, b, 0)
        g = _part(table, sizes, owner, first, b, 1)
        m = _part(table, sizes, owner, first, b, 2)
        v = _part(table, sizes, owner, first, b, 3)
        for i in range(p.size):
            mean = _flushed(m[i] + forget1 * (g[i] - m[i]))
            square = _flushed(v[i] + forget2 * (g[i] * g[i] - v[i]))
            m[i], v[i] = mean, square
            p[i] = keep * p[i] - lr * mean / (f(math.sqrt(square)) + eps)


RULES = {
    "sgd": _sgd,
    "momentum": _momentum,
    "adagrad": _adagrad,
    "rmsprop": _rmsprop,
    "adadelta": _adadelta,
    "adam": _adam,
}


def update(rule: str, lines: list[tuple[Any, ...]], rates: tuple[float, ...]) -> Any:
    """Update parameters in place: each line has a parameter, its gradient and its state.

    Parameters that share memory are not for this: one is updated after the other.
    """
    lengths = tuple(line[0].size for line in lines)
    addresses = [[address(a) for a in line] for line in lines]
    if _overlap([line[0] for line in addresses], lengths):
        return NotImplemented
    table = np.array(addresses, np.int64)
    sizes, owner, first = _plan(lengths)
    arguments = table, sizes, owner, first, np.array(rates, np.float32)
    small = sum(lengths) * len(lines[0]) <= 4 * SMALL  # numbers that are read
    spread(RULES[rule], *arguments, threads=1 if small else get_num_threads())
    return None


def _overlap(addresses: list[int], sizes: tuple[int, ...]) -> bool:
    """Return whether any two arrays of float32 have memory in common."""
    spans = sorted(zip(addresses, sizes, strict=True))
    return any(a + 4 * size > b for (a, size), (b, _) in itertools.pairwise(spans))


@functools.lru_cache(maxsize=64)
def _plan(sizes: tuple[int, ...]) -> tuple[Any, Any, Any]:
    """Return sizes, the parameter that each block belongs to, and the first block of each."""
    blocks = np.array([-(-size // BLOCK) for size in sizes], np.int64)
    first = np.concatenate([[0], np.cumsum(blocks)[:-1]]).astype(np.int64)
    return np.array(sizes, np.int64), np.repeat(np.arange(len(sizes)), blocks), first


def address(a: Any) -> int:
    """Return where the elements of an array begin: one that may be written, and is not empty."""
    return ctypes.addressof(ctypes.c_char.from_buffer(a))  # in a fifth of the time of a.ctypes
