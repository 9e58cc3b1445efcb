"""Products of two matrices: each thread computes its own rows or columns of the result.

OpenBLAS cuts a product in the same way, but its threads share the packed rows of one operand and
wait for each other at every step: where the rows are few, as in a batch of a hundred, that costs a
tenth of the time and more. Here they share nothing. What each of them calls is OpenBLAS's
``cblas_sgemm_batch`` with a single product in the batch, since that stays on the thread that calls
it, and ``cblas_sgemm`` would not.
"""

from __future__ import annotations

import ctypes
import functools
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from dezero.core.process import blas_function, openblas
from dezero.core.threads import available, get_num_threads
from dezero.kernels.cpu.jit import compact, routine, share_of
from dezero.kernels.cpu.shared import shared, spread

LEAST = 1 << 24
"""Multiplications from which a product is shared here.

A part of less than a million OpenBLAS's call would hand to kernels for small matrices, and in
version 0.3.31 it jumps to a wrong address then."""
MOST = 4
"""Threads up to which this serves: with many, parts get thin, and OpenBLAS's way is better."""
UNIT = 16
"""A thread's rows or columns are a multiple of this: as many as OpenBLAS computes at once."""
FEW = 128
"""Up to so many rows, or terms of a sum, our way is the quicker one; otherwise they are equal."""

_BY_ROWS, _PLAIN, _TRANSPOSED = 101, 111, 112  # CBLAS's numbers
_ONE = 0x3F800000  # the bits of 1.0 in float32
_LONG = ir.IntType(64)
_f32 = np.float32
_NOTHING = np.empty(0, _f32)


def product(a: Any, b: Any) -> Any:
    """Return ``a @ b``."""
    return NotImplemented if min(a.shape) > FEW else _multiplied(a, b, _NOTHING)


def affine(x: Any, W: Any, b: Any) -> Any:
    """Return ``x @ W + b``. OpenBLAS would add to zeros: to add to rows of ``b`` costs no more."""
    if type(b) is not np.ndarray or b.dtype != _f32 or b.size != W.shape[-1]:
        return NotImplemented
    return _multiplied(x, W, b.ravel())


def _multiplied(a: Any, b: Any, start: Any) -> Any:
    """Return ``a @ b``, added to a row that repeats if that is not empty."""
    threads = _threads(a, b)
    if not threads:
        return NotImplemented
    (m, k), n = a.shape, b.shape[1]
    columns = m <= FEW < k and 2 * m <= n
    c, plain, b_plain = np.empty((m, n), _f32), a.flags.c_contiguous, b.flags.c_contiguous
    a, b = a if plain else a.T, b if b_plain else b.T  # as they lie in memory
    spread(_multiply, _function(), a, plain, b, b_plain, c, start, columns, threads=threads)
    return c


def _threads(a: Any, b: Any) -> int:
    """Return how many threads compute a product, 0 where NumPy does."""
    if type(b) is not np.ndarray or b.dtype != _f32 or not a.ndim == b.ndim == 2:
        return 0
    n = get_num_threads()
    large = a.size * b.shape[1] >= LEAST and a.shape[1] == b.shape[0]
    if not large or not 1 < n <= MOST or a.shape[0] < n * UNIT:
        return 0
    if not (a.flags.forc and b.flags.forc and _function()):
        return 0
    return n if available(n) == n else 0


@functools.cache
def _function() -> int:
    """Return the address of OpenBLAS's call, 0 if there is none."""
    function = blas_function("cblas_sgemm_batch") if openblas() else None
    return 0 if function is None else ctypes.cast(function, ctypes.c_void_p).value or 0


@intrinsic
def _call(typing: Any, function: Any, values: Any) -> Any:
    """Call ``cblas_sgemm_batch`` for one product, each of ``values`` in an array of its own.

    All have 64 bits. OpenBLAS reads 32 of them for what is an ``enum`` or a float32, in some
    builds for all integers: the first half, which on little-endian machines has the low bits.
    """

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        places = []
        for value in (*cgutils.unpack_tuple(b, args[1], 13), ir.Constant(_LONG, 1)):
            place = cgutils.alloca_once(b, _LONG)
            b.store(value, place)
            places.append(b.ptrtoint(place, _LONG))
        order, groups = ir.Constant(_LONG, _BY_ROWS), ir.Constant(_LONG, 1)
        given = [order, *places[:13], groups, places[13]]
        kind = ir.FunctionType(ir.VoidType(), [_LONG] * len(given))
        b.call(b.inttoptr(args[0], kind.as_pointer()), given)
        return context.get_dummy_value()

    return types.void(types.int64, types.UniTuple(types.int64, 13)), generate


@routine
def _repeat(row: Any, y: Any) -> None:
    for i in range(len(y)):
        out = y[i]
        for j in range(row.size):
            out[j] = row[j]


@shared
def _multiply(
    function: int, a: Any, a_plain: bool, b: Any, b_plain: bool, c: Any, start: Any, columns: bool,
    t: int, n: int,
) -> None:  # fmt: skip
    """Compute a part of ``c``. Operands that are not plain are given as their transposes."""
    compact()
    depth = a.shape[1] if a_plain else a.shape[0]
    i, j, height, width = 0, 0, c.shape[0], c.shape[1]
    first, last = share_of(((width if columns else height) + UNIT - 1) // UNIT, t, n)
    if columns:
        j, width = first * UNIT, min(last * UNIT, width) - first * UNIT
    else:
        i, height = first * UNIT, min(last * UNIT, height) - first * UNIT
    if start.size > 0:
        _repeat(start[j : j + width], c[i : i + height, j : j + width])
    _call(function, (
        _PLAIN if a_plain else _TRANSPOSED, _PLAIN if b_plain else _TRANSPOSED,
        height, width, depth, _ONE,
        a.ctypes.data + 4 * i * (depth if a_plain else 1), a.shape[1],
        b.ctypes.data + 4 * j * (1 if b_plain else depth), b.shape[1],
        _ONE if start.size > 0 else 0,
        c.ctypes.data + 4 * (i * c.shape[1] + j), c.shape[1],
    ))  # fmt: skip
