"""Compile functions, and what compiled functions use.

A compiled function works on arrays that are handed to it and allocates nothing; it releases the
interpreter's lock. ``shared.py`` runs it on several threads.
"""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

FAST: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract", "reassoc", "nsz", "arcp"},
    "boundscheck": False,
    "no_cfunc_wrapper": True,  # nobody calls kernels from C
}
"""How everything here is compiled: sums may be reordered (so that loops over vectors can be), but
NaN and infinity are what they are."""

SMALL = 1 << 18
"""Elements of work below which a second thread costs more than it brings."""


def compiled(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """Compile a function at its first call; the machine code is kept on disk.

    Where no folder can be written the code lives as long as the process.
    """
    options = FAST | options
    try:
        dispatcher = njit(function, cache=True, **options)
    except RuntimeError:  # no folder for the cache
        return njit(function, **options)
    _stamp(dispatcher)
    return dispatcher


def _stamp(dispatcher: Any) -> None:
    """Let the machine code on disk depend on every file of this folder.

    Numba looks at the file of the function alone, and would go on using code that was made with
    another version of what the function calls.
    """
    index: Any = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if hasattr(index, "_source_stamp"):
        index._source_stamp = (index._source_stamp, _fingerprint())


def routine(function: Callable[..., Any]) -> Any:
    """Compile a function that only kernels call: without an entrance for Python, in half the time.

    Numba would compile it once more for each number that is written down where it is called; here
    such an argument is any other integer.
    """
    dispatcher: Any = njit(function, no_cpython_wrapper=True, **FAST)
    template = dispatcher.get_call_template

    def get_call_template(args: Any, kws: Any) -> Any:
        return template(tuple(types.unliteral(a) for a in args), kws)

    dispatcher.get_call_template = get_call_template
    return dispatcher


@functools.cache
def _fingerprint() -> str:
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


@njit(nogil=True, inline="always")
def share_of(size: int, t: int, n: int) -> tuple[int, int]:
    """Return the part, start and stop, of ``size`` elements that thread ``t`` of ``n`` does.

    Cut the arrays to it, ``x = x[start:stop]``, and loop over ``range(x.size)``: an index of which
    the compiler does not know that it is not negative keeps a loop from running on vectors.
    """
    return size * t // n, size * (t + 1) // n


def aligned(shape: Any, dtype: Any = np.float32) -> np.ndarray[Any, Any]:
    """Return an array for scratch work whose memory begins at a multiple of 64 bytes."""
    dtype = np.dtype(dtype)
    size = math.prod(shape) if isinstance(shape, tuple) else shape
    raw = np.empty(size * dtype.itemsize + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size * dtype.itemsize].view(dtype).reshape(shape)


def rows(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return ``x`` as a C-contiguous array of rows: all axes but the last become one."""
    return np.ascontiguousarray(x).reshape(-1, x.shape[-1])


@intrinsic
def apart(typing: Any) -> Any:
    """Keep the routine or kernel that calls this in one piece: LLVM copies it to no caller."""

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        b.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic
def compact(typing: Any) -> Any:
    """Keep code short, and in one piece: for what has no hot loop of its own.

    LLVM would compile several versions of each loop otherwise, most of the time that it takes.
    """

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        b.function.attributes.add("noinline")
        b.function.attributes.add("optsize")
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic
def claim(typing: Any, counter: Any) -> Any:
    """Return ``counter[0]`` (int64) and add 1 to it, atomically: the next block of work to do."""

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        first = context.make_array(counter)(context, b, args[0]).data
        return b.atomic_rmw("add", first, context.get_constant(types.int64, 1), "monotonic")

    return types.int64(counter), generate
