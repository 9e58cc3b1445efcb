"""The gradient of a 3x3 convolution for its filters by Winograd's algorithm.

``gW = G^T (sum over tiles of (B^T d B) (A gy A^T)) G``: at each point a matrix product that sums
over tiles. Threads share the tiles, each with a sum of its own; where that sum is large they share
the channels instead. Either way the order of summation depends on their number alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.core.threads import get_num_threads
from dezero.kernels.cpu.cook_toom import sandwich
from dezero.kernels.cpu.jit import aligned, compiled, launch, share_of
from dezero.kernels.cpu.tiles import part, zero
from dezero.kernels.cpu.vectors import PANEL, VECTORS, WIDTH, tile
from dezero.kernels.cpu.winograd import ceil, corners, plan, stage

OWN_SUM = 1 << 19
"""Floats of the sums over tiles up to which each thread keeps sums of its own."""


@part
def _multiply(V: Any, Z: Any, D: Any, p: Any, points: int, C: int, tiles: int) -> None:
    """D[k] += V[k]^T Z[k] for each point, C channels; V and Z as (point, tile, channel)."""
    room = C + 6
    for k in range(points):
        for j in range(0, p.Op, PANEL):
            z = k * p.mk + j
            c = 0
            while c < C:
                d = (k * room + c) * p.Op + j
                if C - c > 8 or C - c == 5 or C - c == 6:
                    tile(V, k * p.vk + c, 1, 0, p.Cp, Z, z, 0, p.Op, D, d, p.Op, 1, tiles,
                         6, VECTORS, 1)  # fmt: skip
                    c += 6
                else:
                    tile(V, k * p.vk + c, 1, 0, p.Cp, Z, z, 0, p.Op, D, d, p.Op, 1, tiles,
                         4, VECTORS, 1)  # fmt: skip
                    c += 4


def _make_sums(m: int) -> Any:
    e, inwards, outwards = m + 2, f"BT{m}", f"A{m}"

    @compiled
    def sums(
        x: Any, gy: Any, p: Any, scratch: Any, D: Any, chunk: int, parts: int, t: int, n: int
    ) -> None:
        """Sum the products of all tiles: D[i] for the ``i``-th share of channels or of tiles."""
        P, V = scratch[t, : p.stage], scratch[t, p.stage : p.stage + e * e * p.vk]
        Z = scratch[t, p.stage + e * e * p.vk :]
        start, stop = share_of(D.shape[0], t, n)
        for item in range(start, stop):
            c0 = item // parts * chunk
            C = min(chunk, p.C - c0)
            own = D[item]
            zero(own, 0, own.size)
            first, last = share_of(p.blocks, item % parts, parts)
            for block in range(first, last):
                i0, i1, y0, y1, x0, x1 = corners(p, block, m)
                rows, cols, tiles = (y1 - y0) * m, (x1 - x0) * m, (y1 - y0) * (x1 - x0)
                for image in range(i0, i1):
                    stage(
                        x, (image * p.C + c0) * p.H * p.W, C, p.H, p.W, y0 * m - p.top,
                        x0 * m - p.left, rows + 2, cols + 2, P, p.Cp,
                    )  # fmt: skip
                    i = (image - i0) * tiles
                    for ty in range(y1 - y0):
                        for tx in range(x1 - x0):
                            a = (ty * m * (cols + 2) + tx * m) * p.Cp
                            for c in range(0, C, WIDTH):
                                sandwich(inwards, P, a + c, (cols + 2) * p.Cp, p.Cp,
                                         V, i * p.Cp + c, e * p.vk, p.vk, P, 0, 0)  # fmt: skip
                            i += 1
                    stage(
                        gy, image * p.O * p.OH * p.OW, p.O, p.OH, p.OW, y0 * m, x0 * m,
                        rows, cols, P, p.Op,
                    )  # fmt: skip
                    i = (image - i0) * tiles
                    for ty in range(y1 - y0):
                        for tx in range(x1 - x0):
                            a = (ty * m * cols + tx * m) * p.Op
                            for o in range(0, p.O, WIDTH):
                                sandwich(outwards, P, a + o, cols * p.Op, p.Op,
                                         Z, i * p.Op + o, e * p.mk, p.mk, P, 0, 0)  # fmt: skip
                            i += 1
                _multiply(V, Z, own, p, e * e, C, (i1 - i0) * tiles)

    return sums


def _make_finish(m: int) -> Any:
    e, name = m + 2, f"GT{m}"

    @compiled
    def finish(
        D: Any, gW: Any, p: Any, chunk: int, parts: int, T: Any, t: int, n: int
    ) -> None:
        """GW = G^T D G; the shares of the tiles are added up first."""
        T = T[t]
        start, stop = share_of(p.C, t, n)
        for c in range(start, stop):
            item, room = c // chunk * parts, min(chunk, p.C - c // chunk * chunk) + 6
            total = D[item]
            for part in range(1, parts):
                for k in range(e * e):
                    d = (k * room + c % chunk) * p.Op
                    for o in range(d, d + p.O):
                        total[o] += D[item + part, o]
            for o in range(0, p.O, WIDTH):
                d = c % chunk * p.Op + o
                sandwich(name, total, d, e * room * p.Op, room * p.Op, T, 0, 3 * WIDTH, WIDTH,
                         T, 0, 0)  # fmt: skip
                for lane in range(min(WIDTH, p.O - o)):
                    at = ((o + lane) * p.C + c) * 9
                    for q in range(9):
                        gW[at + q] = T[q * WIDTH + lane]

    return finish


_sums = {m: _make_sums(m) for m in (2, 4)}
_finish = {m: _make_finish(m) for m in (2, 4)}


def weight_grad(x: Any, gy: Any, pad: Any, m: int) -> Any:
    """Return the gradient (O, C, 3, 3) from contiguous images and the gradient for the result."""
    (n, c), o, out = x.shape[:2], gy.shape[1], gy.shape[2:]
    threads = get_num_threads()
    p = plan(x.shape, o, out, pad, m, threads)
    points = (m + 2) ** 2
    chunk, parts = c, min(threads, p.blocks)
    if points * c * p.Op > OWN_SUM:
        chunk, parts = ceil(ceil(c, threads), WIDTH) * WIDTH, 1
    items = ceil(c, chunk) * parts
    D = aligned((items, points * (chunk + 6) * p.Op + WIDTH))
    scratch = aligned((threads, p.stage + points * (p.vk + p.mk)))
    flops = 2 * points * c * o * n * ceil(out[0], m) * ceil(out[1], m)
    launch(
        _sums[m], x.reshape(-1), gy.reshape(-1), p, scratch, D, chunk, parts, work=flops // 128
    )
    gW = np.empty((o, c, 3, 3), np.float32)
    T = aligned((threads, 9 * WIDTH))
    launch(_finish[m], D, gW.reshape(-1), p, chunk, parts, T, work=40 * c * o)
    return gW
