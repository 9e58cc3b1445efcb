"""What convolutions need beside the tile of :mod:`vectors`: tiles by table, transposed squares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from dezero.kernels.cpu.vectors import (
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
def clear(typing: Any, Y: Any, yo: Any) -> Any:
    """Set a vector to zero."""

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        y = offset(b, base(context, b, Y, args[0]), args[1])
        store(b, ir.Constant(VECTOR, [0.0] * WIDTH), y)
        return context.get_dummy_value()

    return types.void(Y, types.int64), generate


def function(b: Any, name: str, arguments: list[Any], emit: Callable[..., None]) -> Any:
    """Return a function of the module, which is there once, however many kernels call it.

    A Numba function would be compiled for each of its callers, and once more for each literal.
    ``emit`` emits the body, given a builder and the arguments.
    """
    known = b.module.globals.get(name)
    if known is not None:
        return known
    made = ir.Function(b.module, ir.FunctionType(ir.VoidType(), arguments), name)
    made.linkage = "linkonce_odr"
    for attribute in ("noinline", "nounwind"):
        made.attributes.add(attribute)
    body = ir.IRBuilder(made.append_basic_block("entry"))
    emit(body, *made.args)
    body.ret_void()
    return made


def least(b: Any, x: Any, y: Any) -> Any:
    """Return the lesser of two int64."""
    return b.select(b.icmp_signed("<", x, y), x, y)


def _even(b: Any, x: Any) -> Any:
    """Return every second one of 2 WIDTH - 1 floats as a vector."""
    halves = load(b, x), load(b, offset(b, x, number(WIDTH - 1)))
    lanes = [*range(0, WIDTH, 2), *range(WIDTH + 1, 2 * WIDTH, 2)]
    return b.shuffle_vector(*halves, ir.Constant(ir.VectorType(i32, WIDTH), lanes))


def _copy_rows(b: Any, x: Any, xs: Any, step: Any, y: Any, ys: Any, rows: Any, count: Any) -> None:
    """Emit ``y[r ys + i] = x[r xs + i step]``: in vectors, the last overlaps the one before it."""
    narrow = ir.VectorType(f32, 4)

    def copy(lanes: int, move: Callable[[Any, Any], None]) -> None:
        last = b.sub(count, number(lanes))
        with cgutils.for_range(b, rows) as row:
            source = offset(b, x, b.mul(row.index, xs))
            target = offset(b, y, b.mul(row.index, ys))
            with cgutils.for_range_slice(b, number(0), count, number(lanes)) as (i, _):
                at = least(b, i, last)
                move(offset(b, source, b.mul(at, step)), offset(b, target, at))

    def four(source: Any, target: Any) -> None:
        value = b.load(b.bitcast(source, narrow.as_pointer()), typ=narrow)
        value.align = 4
        b.store(value, b.bitcast(target, narrow.as_pointer())).align = 4

    dense, paired = (b.icmp_signed("==", step, number(k)) for k in (1, 2))
    wide, half = (b.icmp_signed(">=", count, number(k)) for k in (WIDTH, 4))
    cases: tuple[tuple[Any, int, Callable[[Any, Any], None]], ...] = (
        (b.and_(dense, wide), WIDTH, lambda x, y: store(b, load(b, x), y)),
        (b.and_(dense, half), 4, four),
        (b.and_(paired, wide), WIDTH, lambda x, y: store(b, _even(b, x), y)),
    )
    for serves, lanes, move in cases:
        block, others = b.append_basic_block("copy"), b.append_basic_block("others")
        b.cbranch(serves, block, others)
        b.position_at_end(block)
        copy(lanes, move)
        b.ret_void()
        b.position_at_end(others)
    copy(1, lambda x, y: b.store(b.load(x, typ=f32), y))


@intrinsic
def copy_rows(
    typing: Any, X: Any, xo: Any, xs: Any, step: Any, Y: Any, yo: Any, ys: Any, R: Any, L: Any
) -> Any:
    """Copy R rows of L floats: ``Y[yo + r ys + i] = X[xo + r xs + i step]``.

    For short rows, to which a call of memcpy would be much.
    """
    n = types.int64

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        x, y = (offset(b, base(context, b, a, args[i]), args[i + 1]) for a, i in ((X, 0), (Y, 4)))
        kinds = [x.type, i64, i64, y.type, i64, i64, i64]
        copy = function(b, "dezero_copy_rows", kinds, _copy_rows)
        b.call(copy, [x, *args[2:4], y, *args[6:]])
        return context.get_dummy_value()

    return types.void(X, n, n, n, Y, n, n, n, n), generate


def _square(b: Any, x: Any, xs: Any, y: Any, ys: Any) -> None:
    """Emit the transposition of WIDTH x WIDTH floats: ``y[j ys + i] = x[i xs + j]``.

    Two halves of two vectors change places, then two quarters, down to single floats.
    """
    v = [load(b, offset(b, x, b.mul(xs, number(i)))) for i in range(WIDTH)]
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
        store(b, v[j], offset(b, y, b.mul(ys, number(j))))


def _transpose(b: Any, x: Any, xs: Any, R: Any, L: Any, y: Any, ys: Any) -> None:
    """Emit ``y[j ys + i] = x[i xs + j]`` for i < R and j < L.

    The last squares overlap those before them, which does the same work twice but needs no other
    code; only what is smaller than a square goes one by one.
    """
    zero, width = number(0), number(WIDTH)
    down, along = b.sub(R, width), b.sub(L, width)
    with b.if_else(b.icmp_signed("<", least(b, down, along), zero)) as (small, large):
        with small, cgutils.for_range(b, R) as row, cgutils.for_range(b, L) as column:
            i, j = row.index, column.index
            value = b.load(offset(b, x, b.add(b.mul(i, xs), j)), typ=f32)
            b.store(value, offset(b, y, b.add(b.mul(j, ys), i)))
        with (
            large,
            cgutils.for_range_slice(b, zero, R, width) as (row, _),
            cgutils.for_range_slice(b, zero, L, width) as (column, _),
        ):
            i, j = least(b, row, down), least(b, column, along)
            source = offset(b, x, b.add(b.mul(i, xs), j))
            _square(b, source, xs, offset(b, y, b.add(b.mul(j, ys), i)), ys)


@intrinsic
def transpose(
    typing: Any, X: Any, xo: Any, xs: Any, R: Any, L: Any, Y: Any, yo: Any, ys: Any
) -> Any:
    """Transpose R rows of L floats: ``Y[yo + j ys + i] = X[xo + i xs + j]``."""
    n = types.int64

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        x, y = (offset(b, base(context, b, a, args[i]), args[i + 1]) for a, i in ((X, 0), (Y, 5)))
        kinds = [x.type, i64, i64, i64, y.type, i64]
        turn = function(b, "dezero_transpose", kinds, _transpose)
        b.call(turn, [x, *args[2:5], y, args[7]])
        return context.get_dummy_value()

    return types.void(X, n, n, n, n, Y, n, n), generate
