"""How the pool's threads wait without the interpreter, and do OpenBLAS's work as well.

NumPy's products run on threads of OpenBLAS's own. After each, they go on looking for work, on the
cores that our workers want for the next kernel; and ours do the same to them. OpenBLAS lets a
program run its jobs on threads of the program's (``openblas_set_threads_callback_function``). Here
a worker that waits does them: there is no second set of threads, and whoever takes part in a
kernel is awake for the product after it.

Nothing here needs the interpreter's lock. What threads tell each other is in the rows of
:data:`dezero.core.threads.board`. A worker's row begins with its state:

======== ===================================================================
AWAY     it runs Python: a job of the pool's, or none yet
READY    it looks for something to do
ASLEEP   it waits for its lock
TAKEN    somebody writes down a job for it: of a kernel, or of OpenBLAS's
WORK     it does that job
DONE     it has done it; who took it sets it free again
======== ===================================================================

A job of OpenBLAS's waits for the others of the same product, so all of them must run at the same
time. Where too few workers are free the others go to OpenBLAS's own threads, as without us.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import re
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import cfunc, types
from numba.extending import intrinsic

from dezero.core import threads
from dezero.core.process import blas_function, openblas, tuned
from dezero.kernels.cpu.jit import compact, compiled, routine

SPIN = 1 << 23
"""How often a waiting thread looks before it goes to sleep: for some 2 ms. OpenBLAS's own threads
look for 25, if nobody tells them otherwise."""
GRACE = 8 << 10
"""How often a worker looks on after it has seen a job: until the thread that posted it, which has
the interpreter's lock, has given it up to begin its own part."""
PATIENCE = 1 << 14
"""How often a product looks whether a worker that is AWAY comes back."""

MOST = 63
"""How many workers take part in a product at most."""

AWAY, READY, ASLEEP, TAKEN, WORK, DONE = range(6)
POSTED, COUNT, BEGIN, AWAIT, TOP, SHARE = range(0, 48, 8)
"""Where in the first row is what: in bytes."""
STATE, LOCK, CALL, JOB, EXTRA = range(0, 40, 8)
"""Where in a worker's row is what."""
ROW = 8 * threads.LINE
FIRST = 2 * ROW
"""Where the first worker's row begins."""

_INT, _LONG, _VOID = ir.IntType(32), ir.IntType(64), ir.VoidType()


def _board(b: Any) -> Any:
    """Return the board as a symbol, so that machine code on disk has no address."""
    known = b.module.globals.get("dezero_board")
    return known or ir.GlobalVariable(b.module, _LONG, "dezero_board")


@intrinsic
def _base(typing: Any) -> Any:
    """Return the address of the board."""

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        return b.ptrtoint(_board(b), _LONG)

    return types.int64(), generate


@intrinsic
def _load(typing: Any, address: Any) -> Any:
    """Return the number at an address as it is in memory now."""

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        return b.load_atomic(b.inttoptr(args[0], _LONG.as_pointer()), "seq_cst", 8)

    return types.int64(types.int64), generate


@intrinsic
def _store(typing: Any, address: Any, value: Any) -> Any:
    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        b.store_atomic(args[1], b.inttoptr(args[0], _LONG.as_pointer()), "seq_cst", 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@intrinsic
def _add(typing: Any, address: Any) -> Any:
    """Add 1 to the number at an address, atomically."""

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        pointer = b.inttoptr(args[0], _LONG.as_pointer())
        return b.atomic_rmw("add", pointer, ir.Constant(_LONG, 1), "seq_cst")

    return types.int64(types.int64), generate


@intrinsic
def _swap(typing: Any, address: Any, old: Any, new: Any) -> Any:
    """Write ``new`` where ``old`` is, if it still is; return whether it was."""

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        pointer = b.inttoptr(args[0], _LONG.as_pointer())
        result = b.cmpxchg(pointer, args[1], args[2], "seq_cst", "seq_cst")
        return b.extract_value(result, 1)

    return types.boolean(types.int64, types.int64, types.int64), generate


@intrinsic
def _call_job(typing: Any, function: Any, thread: Any, job: Any, extra: Any) -> Any:
    """Call OpenBLAS's ``void function(int thread, void *job, int extra)``."""

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(_VOID, [_INT, _LONG, _INT])
        thread, extra = b.trunc(args[1], _INT), b.trunc(args[3], _INT)
        b.call(b.inttoptr(args[0], kind.as_pointer()), [thread, args[2], extra])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64, types.int64), generate


@intrinsic
def _call_list(typing: Any, function: Any, number: Any, jobs: Any) -> Any:
    """Call OpenBLAS's ``int function(long number, void *jobs)``."""

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(_INT, [_LONG, _LONG])
        b.call(b.inttoptr(args[0], kind.as_pointer()), [args[1], args[2]])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), generate


# Python's own locks: they sleep and wake on every system, and want no interpreter.
_acquire = types.ExternalFunction("PyThread_acquire_lock", types.int32(types.int64, types.int32))
_release = types.ExternalFunction("PyThread_release_lock", types.void(types.int64))


@compiled
def look(row: int, seen: int) -> bool:
    """Wait a moment until the first number of a row changes; return whether it did."""
    address = _base() + row * ROW
    for _ in range(SPIN):  # noqa: SIM110
        if _load(address) != seen:
            return True
    return False


@functools.partial(compiled, nogil=False)
def post() -> None:
    """Count a job of the pool's, and wake a worker that sleeps.

    It keeps the interpreter's lock: the worker would take it before the caller's own part begins.
    """
    compact()
    board = _base()
    _add(board + POSTED)
    for w in range(_load(board + COUNT)):
        row = board + FIRST + w * ROW
        if _load(row) == ASLEEP and _swap(row, ASLEEP, READY):
            _release(_load(row + LOCK))
            return


@compiled
def stand_by(worker: int, seen: int) -> None:
    """Report the job before, and wait until another is posted; do OpenBLAS's jobs meanwhile."""
    compact()
    board = _base()
    row = board + FIRST + worker * ROW
    _store(row, READY)
    _add(board + ROW)
    looks = 0
    while True:
        state = _load(row)
        if state == WORK:
            thread = _load(board + TOP) - 1 - worker
            _call_job(_load(row + CALL), thread, _load(row + JOB), _load(row + EXTRA))
            _store(row, DONE)
            looks = 0
        elif state == READY and _load(board + POSTED) != seen:
            if _swap(row, READY, AWAY):
                for _ in range(GRACE):
                    _load(board + POSTED)
                return
        elif state == READY:
            looks += 1
            if looks > SPIN and _swap(row, READY, ASLEEP):
                looks = 0
                if _load(board + POSTED) != seen:  # posted by one who saw no sleeper
                    _swap(row, ASLEEP, READY)
        elif state == ASLEEP:  # whoever changes this state opens the lock
            _acquire(_load(row + LOCK), 1)


@routine
def _take(row: int, call: int, job: int, extra: int) -> bool:
    """Give a job of OpenBLAS's to a worker that waits; return whether that worked."""
    state = _load(row)
    if (state != READY and state != ASLEEP) or not _swap(row, state, TAKEN):
        return False
    _store(row + CALL, call)
    _store(row + JOB, job)
    _store(row + EXTRA, extra)
    _store(row, WORK)
    if state == ASLEEP:
        _release(_load(row + LOCK))
    return True


def call_for_all(b: Any, function: Any, count: Any, size: int, jobs: Any) -> None:
    """Write down a call of :func:`_kernels`, whose address is on the board."""
    kind = ir.FunctionType(_VOID, [_LONG] * 4)
    at = b.gep(_board(b), [ir.Constant(_LONG, SHARE // 8)])
    address, first = b.ptrtoint(function, _LONG), b.ptrtoint(jobs, _LONG)
    b.call(
        b.inttoptr(b.load(at), kind.as_pointer()),
        [address, count, ir.Constant(_LONG, size), first],
    )


@routine
def _collect(row: int, mine: int) -> None:
    """Wait for the workers of these bits, and set them free."""
    while mine:
        if mine & 1:
            while _load(row) != DONE:
                pass
            _store(row, READY)
        mine >>= 1
        row += ROW


def _products(sync: int, call: int, count: int, size: int, jobs: int, extra: int) -> None:
    """Do ``count`` jobs of OpenBLAS's at the same time, ``size`` bytes each, and wait for them.

    The first is our own, others are the workers'. OpenBLAS keeps a buffer for each number of a
    thread: workers count down from the last one, its own threads up from the first.
    """
    compact()
    board = _base()
    given, mine = 1, 0
    for _ in range(PATIENCE):
        away = False
        for w in range(min(_load(board + COUNT), _load(board + TOP) // 2, MOST)):
            row = board + FIRST + w * ROW
            if given < count and _take(row, call, jobs + given * size, extra):
                given += 1
                mine |= 1 << w
            away = away or _load(row) == AWAY
        if given == count or not away:
            break
    rest = jobs + given * size
    if given < count:
        _call_list(_load(board + BEGIN), given, rest)
    _call_job(call, _load(board + TOP), jobs, extra)
    _collect(board + FIRST, mine)
    if given < count:
        _call_list(_load(board + AWAIT), count - given, rest)


def _kernels(call: int, count: int, size: int, jobs: int) -> None:
    """Do the jobs of a kernel: those for which no worker is free, too."""
    compact()
    board = _base()
    given, mine = 1, 0
    for w in range(min(_load(board + COUNT), MOST)):
        if given < count and _take(board + FIRST + w * ROW, call, jobs + given * size, 0):
            given += 1
            mine |= 1 << w
    _call_job(call, 0, jobs, 0)
    while given < count:
        _call_job(call, 0, jobs + given * size, 0)
        given += 1
    _collect(board + FIRST, mine)


_KERNELS = types.void(types.int64, types.int64, types.int64, types.int64)
_KIND = types.void(types.int32, types.int64, types.int32, types.uint64, types.int64, types.int32)


def _for_c(kind: Any, function: Any) -> Any:
    """Compile a function for C, or take it from disk."""
    try:
        return cfunc(kind, cache=True, error_model="numpy")(function)
    except RuntimeError:  # no folder for the cache
        return cfunc(kind, error_model="numpy")(function)


_kept: list[Any] = []
"""What C holds addresses of."""


def _begin() -> None:
    """Get ready for the first worker."""
    if not _kept:
        _kept.append(_for_c(_KERNELS, _kernels))
        threads.board[0, SHARE // 8] = _kept[0].address
        if tuned():
            _serve_blas()


def _serve_blas() -> None:
    """Let OpenBLAS, where that is what NumPy multiplies with, run its jobs on our workers."""
    names = ("openblas_set_threads_callback_function", "exec_blas_async", "exec_blas_async_wait")
    register, begin, wait = (blas_function(name) for name in names)
    most = re.search(r"MAX_THREADS=(\d+)", openblas())
    if None in (register, begin, wait) or most is None or int(most[1]) < 2:
        return
    for at, function in ((BEGIN, begin), (AWAIT, wait)):
        threads.board[0, at // 8] = ctypes.cast(function, ctypes.c_void_p).value
    threads.board[0, TOP // 8] = int(most[1]) - 1
    products = _for_c(_KIND, _products)
    _kept.append(products)
    register.argtypes = [ctypes.c_void_p]
    register(products.address)
    atexit.register(register, None)  # the machine code does not outlive the interpreter


def _equip() -> None:
    """Give the workers their locks, and let threads wait as this module does."""
    llvm.add_symbol("dezero_board", threads.board.ctypes.data)
    python = ctypes.pythonapi
    allocate, acquire = python.PyThread_allocate_lock, python.PyThread_acquire_lock
    allocate.restype, allocate.argtypes = ctypes.c_void_p, []
    acquire.argtypes = [ctypes.c_void_p, ctypes.c_int]
    for row in threads.board[2:]:
        lock = allocate()
        acquire(lock, 1)
        row[LOCK // 8] = lock
    threads.equip(threads.Waiting(_begin, look, stand_by, post))


_equip()
