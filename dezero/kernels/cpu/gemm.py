"""Small matrix products inside a kernel, on one thread, out of operands that lie in the cache."""

from __future__ import annotations

from typing import Any

from dezero.kernels.cpu.jit import apart, routine
from dezero.kernels.cpu.vectors import PANEL, TILE, VECTORS, tile


@routine
def gemm(
    A: Any, ao: int, ai: int, at: int, ak: int, B: Any, bo: int, bt: int, bk: int, bp: int,
    C: Any, co: int, ci: int, T: int, K: int, R: int, N: int,
) -> None:  # fmt: skip
    """``C[i, j] = sum A[i, t, k] B[t, k, j]`` over t < T and k < K, for R rows and N columns.

    Flat arrays, an offset and the strides of each index; columns of C are contiguous. B lies in
    panels of PANEL columns, ``bp`` apart. N is a multiple of PANEL; R, T, K are any, at least 1.
    """
    apart()
    for j in range(0, N, PANEL):
        b = bo + j // PANEL * bp
        if R >= TILE:  # the last tile overlaps the one before, and writes the same again
            for row in range(0, R, TILE):
                i = min(row, R - TILE)
                tile(A, ao + i * ai, ai, at, ak, B, b, bt, bk, C, co + i * ci + j, ci, T, K,
                     TILE, VECTORS, 0)  # fmt: skip
        elif R > 1:
            for row in range(0, R, 2):
                i = min(row, R - 2)
                tile(A, ao + i * ai, ai, at, ak, B, b, bt, bk, C, co + i * ci + j, ci, T, K,
                     2, VECTORS, 0)  # fmt: skip
        else:
            tile(A, ao, ai, at, ak, B, b, bt, bk, C, co + j, ci, T, K, 1, VECTORS, 0)
