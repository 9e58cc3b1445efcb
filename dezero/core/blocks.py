"""Large elementwise functions, block by block on all threads.

NumPy runs each call of a formula over the whole array, on one thread. Run over blocks that stay
in the cache instead, the calls of ``gy * (1 - y * y)`` pass once over memory, and threads take
blocks side by side. The formula stays what it is, and so do its results.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dezero.core.threads import share

LARGE = 1 << 16
"""Elements from which a function is served by :func:`in_blocks`, or by a version of its own."""
PARALLEL = 1 << 19
"""Elements from which cutting into blocks pays."""
BLOCK = 1 << 16
"""Elements of a block of a formula. Smaller ones would fit the cache better, but threads would
wait for each other at the interpreter's lock, between the calls (benchmarks/NOTES.md)."""


def in_blocks(function: Callable[..., Any], *args: Any) -> Any:
    """Return ``function(*args)`` of an elementwise function, one of whose arguments is large.

    Arrays are cut where each has the same shape, is a single number, or is a row that broadcasts
    along the last axes. Otherwise the function is called as it is.
    """
    lead = max(args, key=_size)
    columns = _columns(lead, args) if _size(lead) >= PARALLEL else 0
    if columns == 0:
        return function(*args)
    cut = [_rows_of(a, lead, columns) for a in args]
    row = _block(cut, 0, 1)
    first = function(*row)  # of one row, to learn the dtype
    shape = (1,) if columns == 1 else (1, columns)
    given = any(first is a for a in row)  # handed on as it is: there is nothing to compute
    if given or getattr(first, "shape", None) != shape:
        return function(*args)
    out = np.empty(lead.shape, first.dtype)
    share(_fill, function, cut, out.reshape(-1, *shape[1:]))
    return out


def total(x: Any) -> Any:
    """Return the sum of all elements of a large array.

    Blocks are summed by themselves, then their sums: the result is the same on any number of
    threads, and as exact as NumPy's pairwise sum.
    """
    if not x.flags.c_contiguous:
        return x.sum()
    flat = x.reshape(-1)
    sums = np.empty(-(-flat.size // BLOCK), np.add.reduce(flat[:1]).dtype)
    share(_sum, flat, sums)
    return sums.sum()


def _sum(flat: Any, sums: Any, t: int, n: int) -> None:
    for i in range(len(sums) * t // n, len(sums) * (t + 1) // n):
        sums[i] = flat[i * BLOCK : (i + 1) * BLOCK].sum()


def _fill(function: Callable[..., Any], cut: list[Any], out: Any, t: int, n: int) -> None:
    """Compute the blocks of thread ``t`` of ``n``."""
    begin, end = len(out) * t // n, len(out) * (t + 1) // n
    if isinstance(function, np.ufunc):  # one pass in any case
        function(*_block(cut, begin, end), out=out[begin:end])
        return
    step = max(1, BLOCK * len(out) // out.size)
    for start in range(begin, end, step):
        stop = min(start + step, end)
        out[start:stop] = function(*_block(cut, start, stop))


def _size(x: Any) -> int:
    return x.size if x.__class__ is np.ndarray else 0


def _columns(lead: Any, args: tuple[Any, ...]) -> int:
    """Return how many elements a row has that stays whole; 0 where nothing can be cut."""
    columns = 1
    for a in args:
        if a.__class__ is not np.ndarray or _is_constant(a):
            continue
        if not a.flags.c_contiguous:
            return 0
        if a.shape != lead.shape:
            if a.shape != lead.shape[lead.ndim - a.ndim :] or columns not in (1, a.size):
                return 0
            columns = a.size
    return 0 if columns > BLOCK or _is_constant(lead) else columns


def _is_constant(x: Any) -> bool:
    """Whether an array is one number, broadcast."""
    return x.size > 0 and not any(x.strides)


def _rows_of(a: Any, lead: Any, columns: int) -> Any:
    """Return an argument as rows to cut, or as what broadcasts with each block of them."""
    if a.__class__ is not np.ndarray:
        return a
    if _is_constant(a):
        return a[(0,) * a.ndim]
    if a.shape != lead.shape:
        return a.reshape(1, columns)
    return a.reshape(-1) if columns == 1 else a.reshape(-1, columns)


def _block(cut: list[Any], start: int, stop: int) -> list[Any]:
    """Return the arguments of rows ``start`` to ``stop``."""
    return [a[start:stop] if a.__class__ is np.ndarray and len(a) > 1 else a for a in cut]
