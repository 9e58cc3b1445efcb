"""The gradient of a 3x3 convolution for its filters by Winograd's algorithm.

``gW = G^T (sum over tiles of (B^T d B) (A gy A^T)) G``: at each point a matrix product that sums
over tiles. Threads share the tiles, each with a sum of its own; where that sum is large they share
the channels instead. Either way the order of summation depends on their number alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.core.threads import get_num_threads
from dezero.kernels.cpu.cook_toom import sandwich, sandwich_with
from dezero.kernels.cpu.jit import aligned, apart, compact, routine, share_of
from dezero.kernels.cpu.shared import launch, shared
from dezero.kernels.cpu.tiles import add, effort, transpose, view, zero
from dezero.kernels.cpu.vectors import PANEL, VECTORS, WIDTH, tile
from dezero.kernels.cpu.winograd import ceil, corners, plan, to_points

OWN_SUM = 1 << 19
"""Floats of the sums over tiles up to which each thread keeps sums of its own."""


@routine
def _multiply(V: Any, Z: Any, D: Any, p: Any, points: int, C: int, tiles: int) -> None:
    """D[k] += V[k]^T Z[k] for each point, C channels; V and Z as (point, tile, channel)."""
    apart()
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

    @shared
    def sums(
        x: Any, gy: Any, p: Any, scratch: Any, D: Any, chunk: int, parts: int, t: int, n: int
    ) -> None:
        """Sum the products of all tiles: D[i] for the ``i``-th share of channels or of tiles."""
        compact()
        f, h = sandwich_with(inwards, 0), sandwich_with(outwards, 0)
        size = t * scratch.shape[1]
        P, V = view(scratch, size, p.stage), view(scratch, size + p.stage, e * e * p.vk)
        Z = view(scratch, size + p.stage + e * e * p.vk, e * e * p.mk)
        start, stop = share_of(D.shape[0], t, n)
        for item in range(start, stop):
            c0 = item // parts * chunk
            C = min(chunk, p.C - c0)
            own = view(D, item * D.shape[1], D.shape[1])
            zero(own, 0, own.size)
            first, last = share_of(p.blocks, item % parts, parts)
            for block in range(first, last):
                box = corners(p, block, m)
                tiles = (box[1] - box[0]) * (box[3] - box[2]) * (box[5] - box[4])
                to_points(f, m, 2, x, p.C, c0, C, p.H, p.W, p.top, p.left, box, P, V,
                          p.Cp, p.vk)  # fmt: skip
                to_points(h, m, 0, gy, p.O, 0, p.O, p.OH, p.OW, 0, 0, box, P, Z,
                          p.Op, p.mk)  # fmt: skip
                _multiply(V, Z, own, p, e * e, C, tiles)

    return sums


def _make_finish(m: int) -> Any:
    e, name = m + 2, f"GT{m}"

    @shared
    def finish(D: Any, gW: Any, p: Any, chunk: int, parts: int, T: Any, t: int, n: int) -> None:
        """GW = G^T D G; the shares of the tiles are added up first."""
        compact()
        f = sandwich_with(name, 0)
        T = view(T, t * T.shape[1], T.shape[1])
        start, stop = share_of(p.C, t, n)
        for c in range(start, stop):
            room = min(chunk, p.C - c // chunk * chunk) + 6
            first = c // chunk * parts * D.shape[1] + c % chunk * p.Op
            for part in range(1, parts):
                for k in range(e * e):
                    d = first + k * room * p.Op
                    for o in range(d, d + p.O, WIDTH):
                        add(D, o + part * D.shape[1], D, o)
            for o in range(0, p.O, WIDTH):
                sandwich(f, D, first + o, e * room * p.Op, room * p.Op,
                         T, 0, 3 * WIDTH, WIDTH, T, 0, WIDTH)  # fmt: skip
                at, lanes = (o * p.C + c) * 9, min(WIDTH, p.O - o)
                transpose(T, 0, WIDTH, 9, lanes, gW, at, p.C * 9)

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
    scratch = aligned((threads, ceil(p.stage + points * (p.vk + p.mk), 16) * 16))
    flops = 2 * points * c * o * n * ceil(out[0], m) * ceil(out[1], m)
    launch(
        _sums[m], x.reshape(-1), gy.reshape(-1), p, scratch, D, chunk, parts, work=effort(flops)
    )
    gW = np.empty((o, c, 3, 3), np.float32)
    T = aligned((threads, 9 * WIDTH))
    launch(_finish[m], D, gW.reshape(-1), p, chunk, parts, T, work=40 * c * o)
    return gW
