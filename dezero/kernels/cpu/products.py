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
_ONE = 0x3F800000  # the bits of 1.0
_f32 = np.float32


def product(a: Any, b: Any) -> Any:
    """Return ``a @ b``."""
    return NotImplemented if min(a.shape) > FEW else _multiplied(a, b, np.empty(0, _f32))


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
    lie = [_PLAIN if x.flags.c_contiguous else _TRANSPOSED for x in (a, b)]
    a, b = (x if x.flags.c_contiguous else x.T for x in (a, b))
    c, function, integer = np.empty((m, n), _f32), *_function()
    spread(
        _multiply, function, a, b, c, start, columns,
        np.array((*lie, _ONE, _ONE if start.size else 0), np.int32),
        np.empty((threads, 7), integer), np.empty((threads, 3), np.int64), threads=threads,
    )  # fmt: skip
    return c


def _threads(a: Any, b: Any) -> int:
    """Return how many threads compute a product, 0 where NumPy does."""
    if type(b) is not np.ndarray or b.dtype != _f32 or not a.ndim == b.ndim == 2:
        return 0
    n = get_num_threads()
    large = a.size * b.shape[1] >= LEAST and a.shape[1] == b.shape[0]
    if not large or not 1 < n <= MOST or a.shape[0] < n * UNIT:
        return 0
    if not (a.flags.forc and b.flags.forc and _function()[0]):
        return 0
    return n if available(n) == n else 0


@functools.cache
def _function() -> tuple[int, type]:
    """Return the address of OpenBLAS's call, 0 if there is none, and the type of its integers."""
    build, function = openblas(), blas_function("cblas_sgemm_batch")
    if not build or function is None:
        return 0, np.int32
    address = ctypes.cast(function, ctypes.c_void_p).value
    return address or 0, np.int64 if "USE64BITINT" in build else np.int32


@intrinsic
def _call(typing: Any, function: Any, args: Any) -> Any:
    """Call a C function with integers of 64 bits, or addresses."""

    def generate(context: Any, b: Any, signature: Any, values: Any) -> Any:
        fields = cgutils.unpack_tuple(b, values[1], len(args))
        kind = ir.FunctionType(ir.VoidType(), [f.type for f in fields])
        b.call(b.inttoptr(values[0], kind.as_pointer()), fields)
        return context.get_dummy_value()

    return types.void(types.int64, args), generate


@routine
def _repeat(row: Any, y: Any) -> None:
    for i in range(len(y)):
        out = y[i]
        for j in range(row.size):
            out[j] = row[j]


@shared
def _multiply(
    function: int, a: Any, b: Any, c: Any, start: Any, columns: bool, options: Any, integers: Any,
    arrays: Any, t: int, n: int,
) -> None:  # fmt: skip
    """Compute a part of ``c``. Operands that are transposed are given as they lie in memory."""
    compact()
    a_turned, b_turned = options[0] == _TRANSPOSED, options[1] == _TRANSPOSED
    depth = a.shape[0] if a_turned else a.shape[1]
    i, j, height, width = 0, 0, c.shape[0], c.shape[1]
    first, last = share_of(((width if columns else height) + UNIT - 1) // UNIT, t, n)
    if columns:
        j, width = first * UNIT, min(last * UNIT, width) - first * UNIT
    else:
        i, height = first * UNIT, min(last * UNIT, height) - first * UNIT
    if start.size > 0:
        _repeat(start[j : j + width], c[i : i + height, j : j + width])
    size, place = integers[t], arrays[t]
    size[0], size[1], size[2] = height, width, depth
    size[3], size[4], size[5], size[6] = a.shape[1], b.shape[1], c.shape[1], 1
    place[0] = a.ctypes.data + 4 * i * (1 if a_turned else depth)
    place[1] = b.ctypes.data + 4 * j * (depth if b_turned else 1)
    place[2] = c.ctypes.data + 4 * (i * c.shape[1] + j)
    o, s, p, w = options.ctypes.data, size.ctypes.data, place.ctypes.data, size.itemsize
    _call(function, (
        _BY_ROWS, o, o + 4, s, s + w, s + 2 * w, o + 8, p, s + 3 * w, p + 8, s + 4 * w,
        o + 12, p + 16, s + 5 * w, 1, s + 6 * w,
    ))  # fmt: skip
