"""What a compiler does not find by itself: tiles of products in registers, vectors of exp.

An ``@intrinsic`` of Numba emits LLVM code. Vectors are as wide as the host's registers
(:data:`WIDTH` floats), and a tile of products uses as many of them as the host has: ``TILE`` rows
of ``VECTORS`` vectors. LLVM cuts wider vectors into pieces where it compiles for an older CPU.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.extending import intrinsic

from dezero.kernels.cpu.jit import routine

f32, i32, i64 = ir.FloatType(), ir.IntType(32), ir.IntType(64)


def _width() -> int:
    """Return how many floats a vector register of the CPU to compile for holds."""
    if numba.config.CPU_NAME not in (None, "", "host", binding.get_host_cpu_name()):
        return 4  # an older CPU by Numba's own setting: what every one has
    features = binding.get_host_cpu_features()
    if features.get("avx512f"):
        return 16
    return 8 if features.get("avx2") else 4


WIDTH = _width()
TILE, VECTORS = (6, 4) if WIDTH == 16 else (6, 2)
"""Rows and vectors of a tile of products: 24 sums in 32 registers, or 12 in 16."""
PANEL = VECTORS * WIDTH
"""Columns of a tile: the width of the panels that ``gemm`` wants its second operand in."""

VECTOR = ir.VectorType(f32, WIDTH)


def base(context: Any, builder: Any, array_type: Any, value: Any) -> Any:
    """Return the pointer to an array's first element."""
    return context.make_array(array_type)(context, builder, value).data


def offset(builder: Any, pointer: Any, elements: Any) -> Any:
    """Return the pointer so many floats on."""
    return builder.gep(pointer, [elements], source_etype=f32)


def load(builder: Any, pointer: Any) -> Any:
    """Load a vector, from any address."""
    vector = builder.load(builder.bitcast(pointer, VECTOR.as_pointer()), typ=VECTOR)
    vector.align = 4
    return vector


def store(builder: Any, vector: Any, pointer: Any) -> None:
    """Store a vector, at any address."""
    builder.store(vector, builder.bitcast(pointer, VECTOR.as_pointer())).align = 4


def splat(builder: Any, scalar: Any) -> Any:
    """Return a vector of one number."""
    undefined = ir.Constant(VECTOR, ir.Undefined)
    first = builder.insert_element(undefined, scalar, ir.Constant(i32, 0))
    zeros = ir.Constant(ir.VectorType(i32, WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(first, undefined, zeros)


def number(value: int) -> Any:
    """Return an int64 constant."""
    return ir.Constant(i64, value)


def multiply_add(builder: Any) -> Any:
    """Return LLVM's ``a * b + c`` of vectors: one instruction where the CPU has it."""
    name = f"llvm.fmuladd.v{WIDTH}f32"
    known = builder.module.globals.get(name)
    return known or ir.Function(builder.module, ir.FunctionType(VECTOR, [VECTOR] * 3), name)


def accumulate(
    b: Any, start: dict[Any, Any], rows: Any, p: Any, pt: Any, pk: Any, q: Any, qt: Any, qk: Any,
    T: Any, K: Any, table: Any = None,
) -> dict[Any, Any]:  # fmt: skip
    """Emit the loops of a tile: sums of products that stay in registers; return what they end as.

    Sum ``i, j`` grows by the number at ``p + rows[i] + t pt + k pk`` times the vector ``j`` at
    ``q + t qt + k qk``, over ``t < T`` and ``k < K``. With a ``table`` (of int64) the vectors lie
    at ``q + table[k]``. Pointers move along: each address computed anew would cost more
    instructions than there is room for beside the products.
    """
    vectors = 1 + max(j for _, j in start)

    def loop(values: list[Any], count: Any, body: Any) -> list[Any]:
        """Run ``body`` on values that it makes anew, ``count`` times."""
        entry, head = b.block, b.append_basic_block("loop")
        b.branch(head)
        b.position_at_end(head)
        old = [b.phi(value.type) for value in (count, *values)]
        for phi, value in zip(old, (count, *values), strict=True):
            phi.add_incoming(value, entry)
        new = [b.sub(old[0], number(1)), *body(old[1:])]
        for phi, value in zip(old, new, strict=True):
            phi.add_incoming(value, b.block)
        done = b.append_basic_block("done")
        b.cbranch(b.icmp_signed(">", new[0], number(0)), head, done)
        b.position_at_end(done)
        return new[1:]

    def inner(state: list[Any]) -> list[Any]:
        p, q, *sums = state
        at = q if table is None else offset(b, q0[0], b.load(q, typ=i64))
        columns = [load(b, offset(b, at, number(WIDTH * j))) for j in range(vectors)]
        new = dict(zip(start, sums, strict=True))
        for i in dict.fromkeys(i for i, _ in start):
            row = splat(b, b.load(offset(b, p, rows[i]), typ=f32))
            for j in range(vectors):
                new[i, j] = b.call(multiply_add(b), [row, columns[j], new[i, j]])
        step = offset(b, q, qk) if table is None else b.gep(q, [number(1)], source_etype=i64)
        return [offset(b, p, pk), step, *new.values()]

    def outer(state: list[Any]) -> list[Any]:
        p, q, *sums = state
        q0[:] = [q]
        _, _, *sums = loop([p, q if table is None else table, *sums], K, inner)
        return [offset(b, p, pt), offset(b, q, qt), *sums]

    q0: list[Any] = []
    _, _, *sums = loop([p, q, *start.values()], T, outer)
    return dict(zip(start, sums, strict=True))


@intrinsic(prefer_literal=True)
def tile(
    typing: Any, A: Any, ao: Any, ai: Any, at: Any, ak: Any, B: Any, bo: Any, bt: Any, bk: Any,
    C: Any, co: Any, ci: Any, T: Any, K: Any, M: Any, NV: Any, ADD: Any,
) -> Any:  # fmt: skip
    """Compute a tile of M rows and NV vectors of a sum of products.

    ``C[co + i ci + j] (+)= sum A[ao + i ai + t at + k ak] B[bo + t bt + k bk + j]`` over ``t < T``
    and ``k < K``, for ``i < M`` and ``j < NV * WIDTH``; T and K at least 1. ``M``, ``NV`` and
    ``ADD`` (1: add to what C holds) are literals; A, B and C flat arrays of float32. The sums
    stay in registers.
    """
    literals = (M, NV, ADD)
    if not all(isinstance(value, types.IntegerLiteral) for value in literals):
        return None
    m, nv, add = (value.literal_value for value in literals)
    n = types.int64
    signature = types.void(A, n, n, n, n, B, n, n, n, C, n, n, n, n, *literals)

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        a0, b0, c0 = (
            offset(b, base(context, b, array, args[i]), args[i + 1])
            for array, i in ((A, 0), (B, 5), (C, 9))
        )
        ai, at, ak, bt, bk, ci, T, K = (args[i] for i in (2, 3, 4, 7, 8, 11, 12, 13))
        out = places(b, c0, ci, m, nv)
        rows = [b.mul(ai, number(i)) for i in range(m)]
        sums = accumulate(b, begin(b, out, add), rows, a0, at, ak, b0, bt, bk, T, K)
        for p, pointer in out.items():
            store(b, sums[p], pointer)
        return context.get_dummy_value()

    return signature, generate


def places(b: Any, c: Any, ci: Any, m: int, nv: int) -> dict[Any, Any]:
    """Return the pointers to the vectors of a tile of m rows, ``ci`` floats apart."""
    return {
        (i, j): offset(b, c, b.add(b.mul(ci, number(i)), number(WIDTH * j)))
        for i in range(m)
        for j in range(nv)
    }


def begin(b: Any, out: dict[Any, Any], add: int) -> dict[Any, Any]:
    """Return what the sums of a tile start from: zero, or what is there."""
    zero = ir.Constant(VECTOR, [0.0] * WIDTH)
    return {p: load(b, pointer) if add else zero for p, pointer in out.items()}


@intrinsic
def _rint(typing: Any, x: Any) -> Any:
    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        name = "llvm.rint.f32"
        known = b.module.globals.get(name)
        rint = known or ir.Function(b.module, ir.FunctionType(f32, [f32]), name)
        return b.call(rint, args)

    return types.float32(types.float32), generate


@intrinsic
def _fma(typing: Any, a: Any, b: Any, c: Any) -> Any:
    """Return ``a * b + c``: one that no optimisation takes apart, as it may a reordered sum."""

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        name = "llvm.fmuladd.f32"
        known = b.module.globals.get(name)
        fma = known or ir.Function(b.module, ir.FunctionType(f32, [f32] * 3), name)
        return b.call(fma, args)

    return types.float32(types.float32, types.float32, types.float32), generate


@intrinsic
def _scaled(typing: Any, x: Any, n: Any) -> Any:
    """Return ``x * 2**n`` of float32 numbers, ``n`` whole: added to the exponent's bits."""

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        shifted = b.shl(b.fptosi(args[1], i32), ir.Constant(i32, 23))
        return b.bitcast(b.add(b.bitcast(args[0], i32), shifted), f32)

    return types.float32(types.float32, types.float32), generate


c = np.float32
_LOG2E, _LN2_HIGH, _LN2_LOW = c(1.4426950408889634), c(-0.693359375), c(2.12194440e-4)
_P0, _P1, _P2 = c(1.9875691500e-4), c(1.3981999507e-3), c(8.3334519073e-3)
_P3, _P4, _P5 = c(4.1665795894e-2), c(1.6666665459e-1), c(5.0000001201e-1)
_T0, _T1, _T2 = c(-5.70498872745e-3), c(2.06390887954e-2), c(-5.37397155531e-2)
_T3, _T4, _T_LARGE = c(1.33314422036e-1), c(-3.33332819422e-1), c(0.625)
_R0, _R1, _R2 = c(-1.72853470e-5), c(3.83197126e-4), c(-3.88396438e-3)
_R3, _R4, _R5 = c(2.42546219e-2), c(-1.06777877e-1), c(-6.34846687e-1)
_R6, _R_LARGE = c(-1.28717512e-1), c(0.927734375)
_S0, _S1, _S2 = c(-5.96761703e-4), c(4.99119423e-3), c(-2.67681349e-2)
_S3, _S4, _S5 = c(1.12819925e-1), c(-3.76125336e-1), c(1.28379166e-1)
_ONE, _TWO, _ZERO = c(1), c(2), c(0)
_LEAST, _MOST, _INFINITY = c(-87.33654), c(88.72283), c(np.inf)


@routine
def exp(x: Any) -> Any:
    """Return the exponential of a float32, to 1.2e-7 relative; 0 where it would be denormal.

    A loop of it runs on whole vectors, which a loop of ``math.exp`` does not. Reduction to
    ``|r| <= log(2)/2`` and polynomial: Cephes' ``expf`` (S. Moshier, 1992).
    """
    n = _rint(x * _LOG2E)
    r = _fma(n, _LN2_LOW, _fma(n, _LN2_HIGH, x))
    p = ((((_P0 * r + _P1) * r + _P2) * r + _P3) * r + _P4) * r + _P5
    p = p * r * r + r + _ONE
    y = _scaled(p, n)
    y = _ZERO if x < _LEAST else y
    y = _INFINITY if x > _MOST else y
    return y if x == x else x


@routine
def tanh(x: Any) -> Any:
    """Return the hyperbolic tangent of a float32, to 1.5e-7 relative."""
    a = abs(x)
    e = exp(_TWO * a)
    large = _ONE - _TWO / (e + _ONE)
    s = x * x
    p = (((_T0 * s + _T1) * s + _T2) * s + _T3) * s + _T4
    small = p * s * x + x
    return small if a < _T_LARGE else (large if x > _ZERO else -large)


@routine
def erf(x: Any) -> Any:
    """Return the error function of a float32, to 1e-7.

    Polynomials: N. Juffa, "Accuracy of approximations to the error function", 2016.
    """
    a, s = abs(x), x * x
    r = (_R0 * a + _R1) * s + (_R2 * a + _R3)
    r = ((r * a + _R4) * a + _R5) * a + _R6
    large = _ONE - exp(r * a - a)
    p = ((((_S0 * s + _S1) * s + _S2) * s + _S3) * s + _S4) * s + _S5
    small = p * x + x
    return small if a < _R_LARGE else (large if x > _ZERO else -large)


@routine
def sigmoid(x: Any) -> Any:
    """Return ``1 / (1 + exp(-x))`` of a float32, exact far below 0 too."""
    e = exp(-abs(x))
    return (_ONE if x >= _ZERO else e) / (_ONE + e)
