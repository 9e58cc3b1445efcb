"""What convolutions need beside the tile of :mod:`vectors`: tiles by table, transposed squares."""

from __future__ import annotations

import functools
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from dezero.kernels.cpu.vectors import (
    INLINE,
    VECTOR,
    WIDTH,
    accumulate,
    base,
    begin,
    f32,
    i32,
    i64,
    load,
    number,
    offset,
    places,
    store,
)  # fmt: skip

routine = functools.partial(njit, no_cpython_wrapper=True, no_cfunc_wrapper=True, **INLINE)
"""Compile a function that only kernels call: without an entrance for Python, in half the time."""


def effort(operations: int) -> int:
    """Return how many elements take as long to read as so many operations of tiles: for launch."""
    return operations // 32


@intrinsic(prefer_literal=True)
def tile_at(
    typing: Any, A: Any, ao: Any, ai: Any, rows: Any, B: Any, bo: Any, table: Any,
    S: Any, so: Any, si: Any, C: Any, co: Any, ci: Any, K: Any, M: Any, NV: Any,
) -> Any:  # fmt: skip
    """Compute a tile of products with vectors that lie where a table says.

    ``C[co + i ci + j] = S[so + i si + j] + sum A[ao + i ai + k] B[bo + table[k] + j]`` over
    ``k < K`` for ``i < M`` and ``j < NV * WIDTH``; M and NV are literals. A has only ``rows``
    rows: those beyond repeat the last one; S and C have room for them.
    """
    literals = (M, NV)
    if not all(isinstance(value, types.IntegerLiteral) for value in literals):
        return None
    m, nv = (value.literal_value for value in literals)
    n = types.int64
    signature = types.void(A, n, n, n, B, n, table, S, n, n, C, n, n, n, *literals)

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        a0, b0, s0, c0 = (
            offset(b, base(context, b, array, args[i]), args[i + 1])
            for array, i in ((A, 0), (B, 4), (S, 7), (C, 10))
        )
        last = b.sub(args[3], number(1))
        inside = [b.icmp_signed("<", number(i), last) for i in range(m)]
        steps = [b.mul(b.select(inside[i], number(i), last), args[2]) for i in range(m)]
        start = begin(b, places(b, s0, args[9], m, nv), 1)
        out = places(b, c0, args[12], m, nv)
        none, one = number(0), number(1)
        sums = accumulate(
            b, start, steps, a0, none, one, b0, none, none, one, args[13],
            base(context, b, table, args[6]),
        )  # fmt: skip
        for p, pointer in out.items():
            store(b, sums[p], pointer)
        return context.get_dummy_value()

    return signature, generate


@intrinsic(prefer_literal=True)
def tile_of_rows(
    typing: Any, A: Any, ao: Any, table: Any, first: Any, rows: Any, at: Any, ak: Any,
    B: Any, bo: Any, bt: Any, bk: Any, S: Any, so: Any, si: Any, C: Any, co: Any, ci: Any,
    T: Any, K: Any, M: Any, NV: Any,
) -> Any:  # fmt: skip
    """Compute a tile of products with rows that lie where a table says.

    ``C[co + i ci + j] = S[so + i si + j] + sum A[ao + table[first + i] + t at + k ak]
    B[bo + t bt + k bk + j]`` over ``t < T`` and ``k < K`` for ``i < M`` and ``j < NV * WIDTH``;
    M and NV are literals. There are only ``rows`` rows: those beyond repeat the last one, and C
    has room for them.
    """
    literals = (M, NV)
    if not all(isinstance(value, types.IntegerLiteral) for value in literals):
        return None
    m, nv = (value.literal_value for value in literals)
    n = types.int64
    signature = types.void(A, n, table, n, n, n, n, B, n, n, n, S, n, n, C, n, n, n, n, *literals)

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        a0, b0, s0, c0 = (
            offset(b, base(context, b, array, args[i]), args[i + 1])
            for array, i in ((A, 0), (B, 7), (S, 11), (C, 14))
        )
        last = b.sub(args[4], number(1))
        places_of_rows = base(context, b, table, args[2])
        steps = []
        for i in range(m):
            index = b.select(b.icmp_signed("<", number(i), last), number(i), last)
            at = b.gep(places_of_rows, [b.add(args[3], index)], source_etype=i64)
            steps.append(b.load(at, typ=i64))
        start = begin(b, places(b, s0, args[13], m, nv), 1)
        out = places(b, c0, args[16], m, nv)
        sums = accumulate(
            b, start, steps, a0, args[5], args[6], b0, args[9], args[10],
            args[17], args[18],
        )  # fmt: skip
        for p, pointer in out.items():
            store(b, sums[p], pointer)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def copy(typing: Any, X: Any, xo: Any, Y: Any, yo: Any, count: Any) -> Any:
    """Copy so many floats: ``Y[yo + i] = X[xo + i]``. Quicker to compile than slices are."""
    n = types.int64

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        x, y = (offset(b, base(context, b, a, args[i]), args[i + 1]) for a, i in ((X, 0), (Y, 2)))
        cgutils.raw_memcpy(b, y, x, args[4], number(4))
        return context.get_dummy_value()

    return types.void(X, n, Y, n, n), generate


@intrinsic
def zero(typing: Any, Y: Any, yo: Any, count: Any) -> Any:
    """Set so many floats to zero: ``Y[yo + i] = 0``."""
    n = types.int64

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        y = offset(b, base(context, b, Y, args[0]), args[1])
        cgutils.memset(b, y, b.mul(args[2], number(4)), 0)
        return context.get_dummy_value()

    return types.void(Y, n, n), generate


@intrinsic
def view(typing: Any, X: Any, start: Any, size: Any) -> Any:
    """Return ``size`` elements of an array of any shape, as they lie in memory from ``start`` on.

    A slice would do, but takes much longer to compile. Nothing keeps the memory alive: for use
    inside a kernel only, whose arguments live longer.
    """
    result = types.Array(X.dtype, 1, "C")

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        whole = context.make_array(X)(context, b, args[0])
        item = context.get_constant(types.intp, context.get_abi_sizeof(whole.data.type.pointee))
        array = context.make_array(result)(context, b)
        data = b.gep(whole.data, [args[1]], source_etype=whole.data.type.pointee)
        populate_array(array, data, [args[2]], [item], item, None)
        return array._getvalue()

    return result(X, types.int64, types.int64), generate


@intrinsic
def add(typing: Any, X: Any, xo: Any, Y: Any, yo: Any) -> Any:
    """Add a vector: ``Y[yo + j] += X[xo + j]``."""
    n = types.int64

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        x, y = (offset(b, base(context, b, a, args[i]), args[i + 1]) for a, i in ((X, 0), (Y, 2)))
        store(b, b.fadd(load(b, y), load(b, x)), y)
        return context.get_dummy_value()

    return types.void(X, n, Y, n), generate


@intrinsic
def move(typing: Any, X: Any, xo: Any, Y: Any, yo: Any) -> Any:
    """Copy a vector."""
    n = types.int64

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        x, y = (offset(b, base(context, b, a, args[i]), args[i + 1]) for a, i in ((X, 0), (Y, 2)))
        store(b, load(b, x), y)
        return context.get_dummy_value()

    return types.void(X, n, Y, n), generate


@intrinsic
def move_one(typing: Any, X: Any, xo: Any, Y: Any, yo: Any) -> Any:
    """Copy one float, at places that are not negative: an index would be looked at for that."""
    n = types.int64

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        x, y = (offset(b, base(context, b, a, args[i]), args[i + 1]) for a, i in ((X, 0), (Y, 2)))
        b.store(b.load(x, typ=f32), y)
        return context.get_dummy_value()

    return types.void(X, n, Y, n), generate


@intrinsic
def move_even(typing: Any, X: Any, xo: Any, Y: Any, yo: Any) -> Any:
    """Copy every second one of 2 WIDTH - 1 floats to a vector."""
    n = types.int64

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        x, y = (offset(b, base(context, b, a, args[i]), args[i + 1]) for a, i in ((X, 0), (Y, 2)))
        halves = load(b, x), load(b, offset(b, x, number(WIDTH - 1)))
        lanes = [*range(0, WIDTH, 2), *range(WIDTH + 1, 2 * WIDTH, 2)]
        mask = ir.Constant(ir.VectorType(i32, WIDTH), lanes)
        store(b, b.shuffle_vector(*halves, mask), y)
        return context.get_dummy_value()

    return types.void(X, n, Y, n), generate


@intrinsic
def clear(typing: Any, Y: Any, yo: Any) -> Any:
    """Set a vector to zero."""

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        y = offset(b, base(context, b, Y, args[0]), args[1])
        store(b, ir.Constant(VECTOR, [0.0] * WIDTH), y)
        return context.get_dummy_value()

    return types.void(Y, types.int64), generate


@routine
def copy_row(X: Any, xo: int, step: int, Y: Any, yo: int, count: int) -> None:
    """``Y[yo + i] = X[xo + i step]``: for short rows, to which a call of memcpy would be much.

    The last vector overlaps the one before it.
    """
    if count < WIDTH or step > 2:
        for i in range(count):
            move_one(X, xo + i * step, Y, yo + i)
        return
    for i in range(0, count, WIDTH):
        j = min(i, count - WIDTH)
        if step == 1:
            move(X, xo + j, Y, yo + j)
        else:
            move_even(X, xo + 2 * j, Y, yo + j)


@intrinsic
def square(typing: Any, X: Any, xo: Any, xs: Any, Y: Any, yo: Any, ys: Any) -> Any:
    """Transpose WIDTH x WIDTH floats: ``Y[yo + j ys + i] = X[xo + i xs + j]``.

    Two halves of two vectors change places, then two quarters, down to single floats.
    """
    n = types.int64

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        x, y = (offset(b, base(context, b, a, args[i]), args[i + 1]) for a, i in ((X, 0), (Y, 3)))
        v = [load(b, offset(b, x, b.mul(args[2], number(i)))) for i in range(WIDTH)]
        half = WIDTH // 2
        while half:
            low = [k if not k & half else WIDTH + k - half for k in range(WIDTH)]
            high = [k + half if not k & half else WIDTH + k for k in range(WIDTH)]
            picks = [ir.Constant(ir.VectorType(i32, WIDTH), lanes) for lanes in (low, high)]
            for i in range(WIDTH):
                if not i & half:
                    pair = v[i], v[i + half]
                    v[i], v[i + half] = (b.shuffle_vector(*pair, lanes) for lanes in picks)
            half //= 2
        for j in range(WIDTH):
            store(b, v[j], offset(b, y, b.mul(args[5], number(j))))
        return context.get_dummy_value()

    return types.void(X, n, n, Y, n, n), generate


@routine
def transpose(X: Any, xo: int, xs: int, R: int, L: int, Y: Any, yo: int, ys: int) -> None:
    """Transpose R rows of L floats: ``Y[yo + j ys + i] = X[xo + i xs + j]``.

    The last squares overlap those before them, which does the same work twice but needs no other
    code; only what is smaller than a square goes one by one.
    """
    if R < WIDTH or L < WIDTH:
        for i in range(R):
            for j in range(L):
                move_one(X, xo + i * xs + j, Y, yo + j * ys + i)
        return
    for i0 in range(0, R, WIDTH):
        i = min(i0, R - WIDTH)
        for j0 in range(0, L, WIDTH):
            j = min(j0, L - WIDTH)
            square(X, xo + i * xs + j, xs, Y, yo + j * ys + i, ys)
