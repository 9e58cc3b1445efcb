"""Winograd's convolution: the matrices, and ``M X M^T`` of vectors without a multiplication more.

A tile of m x m outputs under a 3x3 filter is ``A^T [(G g G^T) * (B^T d B)] A``: the inputs d, a
square of m + 2, and the filter g become points of polynomials, whose product needs one
multiplication each. That is 4 multiplications for an output with ``F(2x2)`` and 2.25 with
``F(4x4)``, instead of 9.

Source: A. Lavin and S. Gray, "Fast Algorithms for Convolutional Neural Networks" (2016); the
construction is Toom's and Cook's.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from dezero.kernels.cpu.tiles import function
from dezero.kernels.cpu.vectors import (
    VECTOR,
    WIDTH,
    base,
    f32,
    i64,
    load,
    multiply_add,
    number,
    offset,
    store,
)  # fmt: skip

Matrix = list[list[float]]


def matrices(points: list[float], m: int) -> tuple[Matrix, Matrix, Matrix]:
    """Return ``A^T``, ``G`` and ``B^T`` of F(m, 3) for m + 1 points and infinity.

    A and G evaluate polynomials at the points. B is what makes the whole a correlation, which is
    a system of linear equations; then B's rows are scaled to end in a 1, and G's against them.
    """
    n = m + 2

    def powers(count: int) -> Any:
        finite = [[p**j for j in range(count)] for p in points]
        return np.array([*finite, [0.0] * (count - 1) + [1.0]])

    A, G = powers(m), powers(3)
    pairs = [(i, j) for i in range(m) for j in range(3)]
    products = np.array([A[:, i] * G[:, j] for i, j in pairs])
    wanted = np.array([[float(k == i + j) for k in range(n)] for i, j in pairs])
    BT = np.linalg.lstsq(products, wanted, rcond=None)[0]
    scale = np.array([1 / abs(row[np.abs(row) > 1e-9][-1]) for row in BT])[:, None]
    return tuple(np.round(M, 12).tolist() for M in (A.T, G / scale, BT * scale))


_ROOT = 2.0**0.5
POINTS = {2: [0.0, 1.0, -1.0], 4: [0.0, 1 / _ROOT, -1 / _ROOT, _ROOT, -_ROOT]}
"""The points of F(2x2) and F(4x4). Those of F(4x4) that textbooks take, 0, +-1 and +-2, lose five
times as much accuracy as these, whose powers stay nearer to 1."""

MATRICES: dict[str, Matrix] = {}
for _m, _points in POINTS.items():
    _AT, _G, _BT = matrices(_points, _m)
    MATRICES[f"AT{_m}"], MATRICES[f"G{_m}"], MATRICES[f"BT{_m}"] = _AT, _G, _BT
    MATRICES[f"A{_m}"] = [list(column) for column in zip(*_AT, strict=True)]
    MATRICES[f"GT{_m}"] = [list(column) for column in zip(*_G, strict=True)]


def _combination(b: Any, row: list[float], vectors: list[Any]) -> Any:
    """Return the sum of ``row[i] * vectors[i]``: nothing for a 0, no multiplication for a 1."""
    total = None
    for factor, v in sorted(zip(row, vectors, strict=True), key=lambda pair: abs(pair[0]) != 1):
        if factor == 0:
            continue
        constant = ir.Constant(VECTOR, [factor] * WIDTH)
        if total is None:
            total = v if factor == 1 else b.fmul(constant, v)
        elif factor == 1:
            total = b.fadd(total, v)
        elif factor == -1:
            total = b.fsub(total, v)
        else:
            total = b.call(multiply_add(b), [constant, v, total])
    return total


def _times(b: Any, matrix: Matrix, vectors: list[Any]) -> list[Any]:
    """Return ``matrix @ vectors``; two rows that differ in some signs share their two halves."""
    out: list[Any] = [None] * len(matrix)
    for i, row in enumerate(matrix):
        if out[i] is not None:
            continue
        for j in range(i + 1, len(matrix)):
            pairs = list(zip(row, matrix[j], strict=True))
            same = [p if p == q else 0.0 for p, q in pairs]
            turned = [p if p == -q else 0.0 for p, q in pairs]
            alike = all(abs(p) == abs(q) for p, q in pairs)
            if alike and any(same) and any(turned):
                even, odd = _combination(b, same, vectors), _combination(b, turned, vectors)
                out[i], out[j] = b.fadd(even, odd), b.fsub(even, odd)
                break
        else:
            out[i] = _combination(b, row, vectors)
    return out


def _sandwich(matrix: Matrix, biased: bool, b: Any, *args: Any) -> None:
    """Emit ``Y = M X M^T`` for ``count`` channels, a vector of them at a time."""
    x, down, across, y, yr, yc, bias, count = args
    size = range(len(matrix[0]))
    with cgutils.for_range_slice(b, number(0), count, number(WIDTH)) as (channel, _):

        def at(pointer: Any, row: int, down: Any, column: int, across: Any) -> Any:
            steps = b.add(b.mul(down, number(row)), b.mul(across, number(column)))
            return offset(b, offset(b, pointer, channel), steps)

        half = [
            _times(b, matrix, [load(b, at(x, r, down, k, across)) for r in size]) for k in size
        ]
        shift = load(b, offset(b, bias, channel)) if biased else None
        for u in range(len(matrix)):
            for v, value in enumerate(_times(b, matrix, [half[k][u] for k in size])):
                total = value if shift is None else b.fadd(value, shift)
                store(b, total, at(y, u, yr, v, yc))


_ARGUMENTS = [f32.as_pointer(), i64, i64, f32.as_pointer(), i64, i64, f32.as_pointer(), i64]


@intrinsic(prefer_literal=True)
def sandwich_with(typing: Any, name: Any, BIAS: Any) -> Any:
    """Return the address of the function that computes ``M X M^T`` for the matrix of that name.

    What calls it need not be compiled for each matrix. ``BIAS`` (a literal, 0 or 1): add a bias.
    """
    if not (isinstance(name, types.StringLiteral) and isinstance(BIAS, types.IntegerLiteral)):
        return None
    biased = bool(BIAS.literal_value)
    emit = functools.partial(_sandwich, MATRICES[name.literal_value], biased)

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        made = function(b, f"dezero_{name.literal_value}_{int(biased)}", _ARGUMENTS, emit)
        return b.ptrtoint(made, i64)

    return types.int64(name, BIAS), generate


@intrinsic
def sandwich(
    typing: Any, address: Any, X: Any, xo: Any, xr: Any, xc: Any,
    Y: Any, yo: Any, yr: Any, yc: Any, bias: Any, bo: Any, count: Any,
) -> Any:  # fmt: skip
    """Compute ``Y = M X M^T`` for so many channels, with the function at that address.

    The channels of X in row r and column c begin at ``xo + r xr + c xc``, likewise in Y. Each of
    Y gets ``bias[bo]`` and what follows it.
    """
    n = types.int64

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        x, y, c = (
            b.bitcast(offset(b, base(context, b, array, args[i]), args[i + 1]), f32.as_pointer())
            for array, i in ((X, 1), (Y, 5), (bias, 9))
        )
        kind = ir.FunctionType(ir.VoidType(), _ARGUMENTS)
        b.call(b.inttoptr(args[0], kind.as_pointer()),
               [x, *args[3:5], y, *args[7:9], c, args[11]])  # fmt: skip
        return context.get_dummy_value()

    return types.void(n, X, n, n, n, Y, n, n, n, bias, n, n), generate
