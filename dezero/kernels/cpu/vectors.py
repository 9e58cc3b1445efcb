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
from numba import njit, types
from numba.extending import intrinsic

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
    pairs = [(i, j) for i in range(m) for j in range(nv)]

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        a0, b0, c0 = (
            offset(b, base(context, b, array, args[i]), args[i + 1])
            for array, i in ((A, 0), (B, 5), (C, 9))
        )
        ai, at, ak, bt, bk, ci, T, K = (args[i] for i in (2, 3, 4, 7, 8, 11, 12, 13))
        out = {
            (i, j): offset(b, c0, b.add(b.mul(ci, number(i)), number(WIDTH * j))) for i, j in pairs
        }
        zero = ir.Constant(VECTOR, [0.0] * WIDTH)
        start = {p: load(b, out[p]) if add else zero for p in pairs}
        entry = b.block
        outer, inner, latch, done = (
            b.append_basic_block(name) for name in ("outer", "inner", "latch", "done")
        )
        b.branch(outer)
        b.position_at_end(outer)
        t = b.phi(i64)
        t.add_incoming(number(0), entry)
        before = {p: b.phi(VECTOR) for p in pairs}
        for p in pairs:
            before[p].add_incoming(start[p], entry)
        a_t, b_t = offset(b, a0, b.mul(t, at)), offset(b, b0, b.mul(t, bt))
        b.branch(inner)
        b.position_at_end(inner)
        k = b.phi(i64)
        k.add_incoming(number(0), outer)
        sums = {p: b.phi(VECTOR) for p in pairs}
        for p in pairs:
            sums[p].add_incoming(before[p], outer)
        a_k, b_k = offset(b, a_t, b.mul(k, ak)), offset(b, b_t, b.mul(k, bk))
        columns = [load(b, offset(b, b_k, number(WIDTH * j))) for j in range(nv)]
        new = {}
        for i in range(m):
            scalar = b.load(offset(b, a_k, b.mul(ai, number(i))), typ=f32)
            row = splat(b, scalar)
            for j in range(nv):
                new[i, j] = b.call(multiply_add(b), [row, columns[j], sums[i, j]])
        k_next = b.add(k, number(1))
        k.add_incoming(k_next, inner)
        for p in pairs:
            sums[p].add_incoming(new[p], inner)
        b.cbranch(b.icmp_signed("<", k_next, K), inner, latch)
        b.position_at_end(latch)
        t_next = b.add(t, number(1))
        t.add_incoming(t_next, latch)
        for p in pairs:
            before[p].add_incoming(new[p], latch)
        b.cbranch(b.icmp_signed("<", t_next, T), outer, done)
        b.position_at_end(done)
        for p in pairs:
            store(b, new[p], out[p])
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def claim(typing: Any, counter: Any) -> Any:
    """Return ``counter[0]`` (int64) and add 1 to it, atomically: the next block of work to do."""

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        return b.atomic_rmw("add", base(context, b, counter, args[0]), number(1), "monotonic")

    return types.int64(counter), generate


@intrinsic
def _rint(typing: Any, x: Any) -> Any:
    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        name = "llvm.rint.f32"
        known = b.module.globals.get(name)
        rint = known or ir.Function(b.module, ir.FunctionType(f32, [f32]), name)
        return b.call(rint, args)

    return types.float32(types.float32), generate


@intrinsic
def _scaled(typing: Any, x: Any, n: Any) -> Any:
    """Return ``x * 2**n`` of float32 numbers, ``n`` whole: added to the exponent's bits."""

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        shifted = b.shl(b.fptosi(args[1], i32), ir.Constant(i32, 23))
        return b.bitcast(b.add(b.bitcast(args[0], i32), shifted), f32)

    return types.float32(types.float32, types.float32), generate


c = np.float32
_LOG2E, _LN2_HIGH, _LN2_LOW = c(1.4426950408889634), c(0.693359375), c(-2.12194440e-4)
_P0, _P1, _P2 = c(1.9875691500e-4), c(1.3981999507e-3), c(8.3334519073e-3)
_P3, _P4, _P5 = c(4.1665795894e-2), c(1.6666665459e-1), c(5.0000001201e-1)
_T0, _T1, _T2 = c(-5.70498872745e-3), c(2.06390887954e-2), c(-5.37397155531e-2)
_T3, _T4, _T_LARGE = c(1.33314422036e-1), c(-3.33332819422e-1), c(0.625)
_ONE, _TWO, _ZERO = c(1), c(2), c(0)
_LEAST, _MOST, _INFINITY = c(-87.33654), c(88.72283), c(np.inf)
INLINE: dict[str, Any] = {
    "nogil": True, "error_model": "numpy", "fastmath": {"contract", "reassoc", "nsz", "arcp"},
}  # fmt: skip


@njit(**INLINE)
def exp(x: Any) -> Any:
    """Return the exponential of a float32, to 3e-7 relative; 0 where it would be denormal.

    A loop of it runs on whole vectors, which a loop of ``math.exp`` does not. Reduction to
    ``|r| <= log(2)/2`` and polynomial: Cephes' ``expf`` (S. Moshier, 1992).
    """
    n = _rint(x * _LOG2E)
    r = x - n * _LN2_HIGH
    r = r - n * _LN2_LOW
    p = ((((_P0 * r + _P1) * r + _P2) * r + _P3) * r + _P4) * r + _P5
    p = p * r * r + r + _ONE
    y = _scaled(p, n)
    y = _ZERO if x < _LEAST else y
    y = _INFINITY if x > _MOST else y
    return y if x == x else x


@njit(**INLINE)
def tanh(x: Any) -> Any:
    """Return the hyperbolic tangent of a float32, to 2e-7 relative."""
    a = abs(x)
    e = exp(_TWO * a)
    large = _ONE - _TWO / (e + _ONE)
    s = x * x
    p = (((_T0 * s + _T1) * s + _T2) * s + _T3) * s + _T4
    small = p * s * x + x
    return small if a < _T_LARGE else (large if x > _ZERO else -large)


@njit(**INLINE)
def sigmoid(x: Any) -> Any:
    """Return ``1 / (1 + exp(-x))`` of a float32, exact far below 0 too."""
    e = exp(-abs(x))
    return (_ONE if x >= _ZERO else e) / (_ONE + e)
