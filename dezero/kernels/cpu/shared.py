"""Kernels that run on several threads: compile them, and hand out their work.

The last two arguments of a kernel are the thread's number and the count of threads, ``t`` and
``n``. Called with a ``t`` below 0 it shares itself: its arguments are written down once, and each
thread that takes part reads them from there. That goes without the interpreter (``workers.py``): a
thread that waits begins within a microsecond, where Python would take fifty to hand over a call,
with the caches emptied by a product before.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from dezero.core.threads import available, get_num_threads
from dezero.kernels.cpu import jit
from dezero.kernels.cpu.workers import call_for_all

_INT, _LONG, _VOID = ir.IntType(32), ir.IntType(64), ir.VoidType()
_TOGETHER = -1
"""The number of the thread that shares the work."""
_NAME = "__together__"
"""What :func:`together` is called in the modules of kernels."""


def launch(kernel: Callable[..., Any], *args: Any, work: int) -> None:
    """Run ``kernel(*args, t, n)`` on each of ``n`` threads ``t``; on one where ``work`` is small.

    ``work`` is about the number of elements that are read. The kernel cuts its work by ``t`` and
    ``n`` alone, so that results do not depend on which thread was quicker.
    """
    spread(kernel, *args, threads=1 if work < jit.SMALL else get_num_threads())


def spread(kernel: Callable[..., Any], *args: Any, threads: int) -> None:
    """Run ``kernel(*args, t, n)`` on so many threads, or on one within a job of the pool's.

    A part that no thread is free for is done by the caller, after its own.
    """
    n = available(threads)
    kernel(*args, 0 if n == 1 else _TOGETHER, n)


def shared(function: Callable[..., Any]) -> Any:
    """Compile a kernel whose last two arguments are ``t`` and ``n``, so that it can share itself.

    It gets a first statement, ``if t < 0: together((a, b, ...), n); return``: its own, since a
    function around it would have all of the kernel's machine code made a second time.
    """
    source = textwrap.dedent(inspect.getsource(function))
    kernel: Any = ast.parse(source).body[0]
    kernel.decorator_list = []
    names = ", ".join(a.arg for a in kernel.args.args[:-2])
    first = ast.parse(f"if t < 0:\n    {_NAME}(({names},), n)\n    return").body
    start = 0 if ast.get_docstring(kernel) is None else 1
    kernel.body[start:start] = first
    # Within another function, as the original may be: names from there become arguments.
    maker: Any = ast.parse(f"def make({', '.join(function.__code__.co_freevars)}): pass").body[0]
    result = ast.parse(f"return {kernel.name}").body[0]
    maker.body = [kernel, result]
    ast.increment_lineno(maker, function.__code__.co_firstlineno - 1)
    place = function.__globals__
    place.setdefault(_NAME, together)
    made: dict[str, Any] = {}
    exec(compile(ast.Module([maker], []), function.__code__.co_filename, "exec"), place, made)
    new = made["make"](*(cell.cell_contents for cell in function.__closure__ or ()))
    new.__qualname__ = function.__qualname__  # by which machine code on disk is found
    return jit.compiled(new)


@intrinsic
def together(typing: Any, args: Any, n: Any) -> Any:
    """Call the kernel that this is in on ``n`` threads, with these arguments, ``t`` and ``n``."""
    kinds = (*args.types, types.int64, types.int64)

    def generate(context: Any, b: Any, signature: Any, values: Any) -> Any:
        kernel, fields = b.function, cgutils.unpack_tuple(b, values[0], len(args.types))

        def call(b: Any, values: Any) -> None:
            how = {"attrs": ("noinline",)}
            context.call_conv.call_function(b, kernel, types.none, kinds, values, **how)

        _hand_out(b, fields, values[1], call)
        return context.get_dummy_value()

    return types.void(args, types.int64), generate


def _hand_out(b: Any, values: Any, n: Any, call: Any) -> None:
    """Write down the arguments and a job for each of ``n`` threads; have the jobs done."""
    arguments = ir.LiteralStructType([v.type for v in values])
    job = ir.LiteralStructType([_LONG, _LONG, arguments.as_pointer()])
    place = cgutils.alloca_once(b, arguments)
    for i, value in enumerate(values):
        b.store(value, cgutils.gep_inbounds(b, place, 0, i))
    jobs = b.alloca(job, size=n)
    with cgutils.for_range(b, n) as loop:
        for i, value in enumerate((loop.index, n, place)):
            b.store(value, cgutils.gep_inbounds(b, b.gep(jobs, [loop.index]), 0, i))
    call_for_all(b, _part(b.module, arguments, job, call), n, 24, jobs)


def _part(module: Any, arguments: Any, job: Any, call: Any) -> Any:
    """Return a function for C, ``void part(int, void *job, int)``: what one thread does."""
    kind = ir.FunctionType(_VOID, [_INT, job.as_pointer(), _INT])
    part = ir.Function(module, kind, module.get_unique_name("dezero_part"))
    part.linkage = "internal"
    b = ir.IRBuilder(part.append_basic_block())
    t, n, place = (b.load(cgutils.gep_inbounds(b, part.args[1], 0, i)) for i in range(3))
    values = [b.load(cgutils.gep_inbounds(b, place, 0, i)) for i in range(len(arguments.elements))]
    call(b, [*values, t, n])
    b.ret_void()
    return part
