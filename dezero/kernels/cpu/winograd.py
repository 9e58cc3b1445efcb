"""Winograd's convolution with 3x3 filters at stride 1: F(2x2), or F(4x4) on request.

A block of tiles is done at a time, in the cache: its inputs are laid out with the channels last,
each tile becomes (m + 2)^2 points, and each point is a matrix product over channels of its own::

    V[k, tile, c] = (B^T d B)[k]   U[k, c, o] = (G g G^T)[k]   M[k] = V[k] U[k]   y = A^T M A

The gradient for the images is the same with the filters turned; that for the filters sums
``G^T [V[k]^T (A gy A^T)[k]] G`` over all tiles. A NaN in the images spreads over its tile.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from dezero.core.threads import get_num_threads
from dezero.kernels.cpu.cook_toom import sandwich
from dezero.kernels.cpu.jit import aligned, compiled, launch, share_of
from dezero.kernels.cpu.tiles import part, square, transpose, zero
from dezero.kernels.cpu.vectors import PANEL, VECTORS, WIDTH, claim, tile

BLOCK = 1 << 17
"""Floats of V and M that a block of tiles takes: a share of the cache of one core."""


class Plan(NamedTuple):
    """The sizes of one convolution, and how it is cut into blocks of tiles."""

    N: int
    C: int
    H: int
    W: int
    O: int  # noqa: E741
    OH: int
    OW: int
    top: int  # padding
    left: int
    Cp: int  # channels, as many as whole vectors have
    Op: int  # output channels, as many as whole panels have
    ni: int  # images of a block
    th: int  # rows of tiles of a block
    tw: int  # tiles of a row of a block
    down: int  # blocks of an image, one below the other
    across: int
    blocks: int
    vk: int  # floats from one point to the next in V
    mk: int  # and in M
    stage: int  # floats for a part of an image, channels last


def ceil(a: int, b: int) -> int:
    """Return ``a / b`` rounded up."""
    return -(-a // b)


@functools.lru_cache(1 << 10)
def plan(shape: Any, o: int, out: Any, pad: Any, m: int, threads: int) -> Plan:
    """Cut a convolution of images of that shape into blocks of tiles of m x m outputs."""
    n, c, h, w = shape
    cp, op = ceil(c, WIDTH) * WIDTH, ceil(o, PANEL) * PANEL
    rows, columns = ceil(out[0], m), ceil(out[1], m)
    size = max(24, BLOCK // ((m + 2) ** 2 * (cp + op)))
    size = max(1, min(size, ceil(n * rows * columns, threads)))
    tw = ceil(columns, ceil(columns, size))
    th = ceil(rows, ceil(rows, max(1, size // tw)))
    ni = max(1, min(n, size // (th * tw))) if (th, tw) == (rows, columns) else 1
    down, across = ceil(rows, th), ceil(columns, tw)
    room = ni * th * tw + 6  # the last tile of products may take rows that mean nothing
    stage = max((th * m + 2) * (tw * m + 2) * cp, th * m * tw * m * op)
    return Plan(
        n, c, h, w, o, *out, *pad, cp, op, ni, th, tw, down, across,
        ceil(n, ni) * down * across, room * cp + WIDTH, room * op + WIDTH, ceil(stage, 16) * 16 + 16,
    )  # fmt: skip


@part
def corners(p: Any, block: int, m: int) -> tuple[int, int, int, int, int, int]:
    """Return the images, rows of tiles and columns of tiles of a block: firsts and ends."""
    i = block // (p.down * p.across) * p.ni
    y = block // p.across % p.down * p.th
    x = block % p.across * p.tw
    bottom, right = min(y + p.th, -(-p.OH // m)), min(x + p.tw, -(-p.OW // m))
    return i, min(i + p.ni, p.N), y, bottom, x, right


@part
def stage(
    X: Any, xo: int, C: int, H: int, W: int, top: int, left: int, rows: int, cols: int,
    P: Any, Cp: int,
) -> None:  # fmt: skip
    """Lay out a part of an image, zeros outside of it, with the channels last: (rows, cols, Cp)."""
    xa, xb = min(max(0, -left), cols), max(0, min(cols, W - left))
    for r in range(rows):
        start = r * cols * Cp
        if top + r < 0 or top + r >= H or xa >= xb:
            zero(P, start, cols * Cp)
        else:
            zero(P, start, xa * Cp)
            zero(P, start + xb * Cp, (cols - xb) * Cp)
    if xa >= xb:
        return
    for c in range(0, C, WIDTH):  # all rows of a few channels: they lie together
        first = max(0, min(c, C - WIDTH))
        for r in range(max(0, -top), min(rows, H - top)):
            at = xo + (first * H + top + r) * W + left + xa
            transpose(X, at, H * W, min(C, WIDTH), xb - xa, P, (r * cols + xa) * Cp + first, Cp)


@part
def unstage(
    P: Any, cols: int, Op: int, rows: int, width: int, O: int, Y: Any, yo: int, H: int, W: int,  # noqa: E741
) -> None:  # fmt: skip
    """Copy (rows, cols, Op), of which ``width`` columns count, to rows of an NCHW image."""
    for o in range(0, O, WIDTH):
        first = max(0, min(o, O - WIDTH))
        at, count = yo + first * H * W, min(O, WIDTH)
        if width == cols == W:  # rows follow each other
            transpose(P, first, Op, rows * W, count, Y, at, H * W)
        else:
            for r in range(rows):
                transpose(P, r * cols * Op + first, Op, width, count, Y, at + r * W, H * W)


@part
def multiply(V: Any, U: Any, M: Any, p: Any, points: int, tiles: int) -> None:
    """M[k] = V[k] U[k] for each point; U in panels."""
    for k in range(points):
        for j in range(0, p.Op, PANEL):
            u = (k * p.Op + j) * p.C
            i = 0
            while i < tiles:
                a, c = k * p.vk + i * p.Cp, k * p.mk + i * p.Op + j
                rest = tiles - i
                if rest > 8 or rest == 5 or rest == 6:
                    tile(V, a, p.Cp, 0, 1, U, u, 0, PANEL, M, c, p.Op, 1, p.C, 6, VECTORS, 0)
                    i += 6
                else:
                    tile(V, a, p.Cp, 0, 1, U, u, 0, PANEL, M, c, p.Op, 1, p.C, 4, VECTORS, 0)
                    i += 4


def _make_weights(m: int) -> Any:
    e, name = m + 2, f"G{m}"

    @compiled
    def weights(
        w: Any, turned: bool, U: Any, O: int, C: int, Op: int, T: Any, t: int, n: int  # noqa: E741
    ) -> None:
        """U[k, panel, c] = the points of the filters of a panel; turned: ``w`` is (C, O, 3, 3)."""
        T = T[t]
        start, stop = share_of(Op // PANEL * C, t, n)
        for i in range(start, stop):
            c = i % C
            for o in range(i // C * PANEL, min(i // C * PANEL + PANEL, O), WIDTH):
                at = c * O + o if turned else o * C + c
                lanes, step = min(WIDTH, O - o), 9 if turned else 9 * C
                k = 0
                if lanes == WIDTH and WIDTH < 9:
                    while k + WIDTH < 9:
                        square(w, at * 9 + k, step, T, k * WIDTH, WIDTH)
                        k += WIDTH
                for q in range(k, 9):
                    for lane in range(lanes):
                        T[q * WIDTH + lane] = w[at * 9 + lane * step + q]
                first, d = (8 * WIDTH, -WIDTH) if turned else (0, WIDTH)
                u = (i // C * C + c) * PANEL + o % PANEL
                sandwich(name, T, first, 3 * d, d, U, u, e * Op * C, Op * C, T, 0, 0)

    return weights


def _make_forward(m: int) -> Any:
    e, inwards, outwards = m + 2, f"BT{m}", f"AT{m}"

    @compiled
    def forward(
        x: Any, U: Any, bias: Any, y: Any, p: Any, scratch: Any, counter: Any, t: int, n: int
    ) -> None:
        """Convolve, block by block."""
        P, V = scratch[t, : p.stage], scratch[t, p.stage : p.stage + e * e * p.vk]
        M = scratch[t, p.stage + e * e * p.vk :]
        while True:
            block = claim(counter)
            if block >= p.blocks:
                break
            i0, i1, y0, y1, x0, x1 = corners(p, block, m)
            rows, cols, i = (y1 - y0) * m + 2, (x1 - x0) * m + 2, 0
            for image in range(i0, i1):
                stage(
                    x, image * p.C * p.H * p.W, p.C, p.H, p.W, y0 * m - p.top, x0 * m - p.left,
                    rows, cols, P, p.Cp,
                )  # fmt: skip
                for ty in range(y1 - y0):
                    for tx in range(x1 - x0):
                        a = (ty * m * cols + tx * m) * p.Cp
                        for c in range(0, p.Cp, WIDTH):
                            sandwich(inwards, P, a + c, cols * p.Cp, p.Cp, V, i * p.Cp + c,
                                     e * p.vk, p.vk, P, 0, 0)  # fmt: skip
                        i += 1
            multiply(V, U, M, p, e * e, (i1 - i0) * (y1 - y0) * (x1 - x0))
            rows, cols, i = min(rows - 2, p.OH - y0 * m), cols - 2, 0
            for image in range(i0, i1):
                for ty in range(y1 - y0):
                    for tx in range(x1 - x0):
                        a = (ty * m * cols + tx * m) * p.Op
                        for o in range(0, p.Op, WIDTH):
                            sandwich(outwards, M, i * p.Op + o, e * p.mk, p.mk, P, a + o,
                                     cols * p.Op, p.Op, bias, o, 1)  # fmt: skip
                        i += 1
                at = image * p.O * p.OH * p.OW + y0 * m * p.OW + x0 * m
                unstage(P, cols, p.Op, rows, min(cols, p.OW - x0 * m), p.O, y, at, p.OH, p.OW)

    return forward


_weights = {m: _make_weights(m) for m in (2, 4)}
_forward = {m: _make_forward(m) for m in (2, 4)}


def convolve(x: Any, W: Any, b: Any, out: Any, pad: Any, turned: bool, m: int) -> Any:
    """Convolve contiguous images with 3x3 filters, ``turned``: with those of the input gradient."""
    c, o = x.shape[1], W.shape[1] if turned else W.shape[0]
    threads = get_num_threads()
    p = plan(x.shape, o, out, pad, m, threads)
    points = (m + 2) ** 2
    flops = 2 * points * p.C * p.O * x.shape[0] * ceil(out[0], m) * ceil(out[1], m)
    U = aligned(points * p.Op * c)
    launch(
        _weights[m], W.reshape(-1), turned, U, o, c, p.Op, aligned((threads, 9 * WIDTH)),
        work=40 * c * o,
    )  # fmt: skip
    bias = np.zeros(p.Op, np.float32)
    if b is not None:
        bias[:o] = b
    y = np.empty((x.shape[0], o, *out), np.float32)
    scratch = aligned((threads, p.stage + points * (p.vk + p.mk)))
    counter = np.zeros(1, np.int64)
    launch(
        _forward[m], x.reshape(-1), U, bias, y.reshape(-1), p, scratch, counter, work=flops // 128
    )
    return y
