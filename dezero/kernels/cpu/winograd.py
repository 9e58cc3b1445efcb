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
from dezero.kernels.cpu.cook_toom import sandwich, sandwich_with
from dezero.kernels.cpu.jit import aligned, apart, claim, compact, routine, share_of
from dezero.kernels.cpu.shared import launch, shared
from dezero.kernels.cpu.tiles import effort, transpose, view, zero
from dezero.kernels.cpu.vectors import PANEL, VECTORS, WIDTH, tile

BLOCK = 1 << 17
"""Floats of V and M that a block of tiles takes: a share of the cache of one core."""
FEW = 200
"""Tiles up to which all of them are one block, and threads share the filters instead."""
MANY = 1 << 14
"""Filters from which on they are shared if the tiles are few: they are most of the memory then."""
GROUP = 32
"""Channels whose filters are read together."""
DEPTH = 128
"""Channels of which the points of filters are in the cache at a time, where filters are shared."""


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
    step: int  # output channels that are done at a time
    stage: int  # floats for a part of an image, channels last


def ceil(a: int, b: int) -> int:
    """Return ``a / b`` rounded up."""
    return -(-a // b)


@functools.lru_cache(1 << 10)
def plan(
    shape: Any, o: int, out: Any, pad: Any, m: int, threads: int, whole: bool = False
) -> Plan:
    """Cut a convolution of images of that shape into blocks of tiles of m x m outputs.

    ``whole``: one block, and output channels are done one or two panels at a time.
    """
    n, c, h, w = shape
    cp, op = ceil(c, WIDTH) * WIDTH, ceil(o, PANEL) * PANEL
    rows, columns = ceil(out[0], m), ceil(out[1], m)
    size = max(24, BLOCK // ((m + 2) ** 2 * (cp + op)))
    size = max(1, min(size, ceil(n * rows * columns, threads)))
    if whole:
        size = n * rows * columns
    tw = ceil(columns, ceil(columns, size))
    th = ceil(rows, ceil(rows, max(1, size // tw)))
    ni = max(1, min(n, size // (th * tw))) if (th, tw) == (rows, columns) else 1
    down, across = ceil(rows, th), ceil(columns, tw)
    room = ni * th * tw + 6  # the last tile of products may take rows that mean nothing
    step = op
    if whole:
        step = 2 * PANEL if op >= 4 * PANEL * threads else PANEL
    stage = max((th * m + 2) * (tw * m + 2) * cp, th * m * tw * m * op)
    return Plan(
        n, c, h, w, o, out[0], out[1], pad[0], pad[1], cp, op, ni, th, tw, down, across,
        ceil(n, ni) * down * across, room * cp + PANEL, room * step + PANEL, step,
        ceil(stage, 16) * 16 + 16,
    )  # fmt: skip


@routine
def corners(p: Any, block: int, m: int) -> tuple[int, int, int, int, int, int]:
    """Return the images, rows of tiles and columns of tiles of a block: firsts and ends."""
    i = block // (p.down * p.across) * p.ni
    y = block // p.across % p.down * p.th
    x = block % p.across * p.tw
    bottom, right = min(y + p.th, -(-p.OH // m)), min(x + p.tw, -(-p.OW // m))
    return i, min(i + p.ni, p.N), y, bottom, x, right


@routine
def _stage(
    X: Any, xo: int, C: int, H: int, W: int, top: int, left: int, rows: int, cols: int,
    P: Any, Cp: int,
) -> None:  # fmt: skip
    """Lay out a part of an image with its channels last, (rows, cols, Cp), zeros around it."""
    compact()
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


@routine
def to_points(
    f: int, m: int, margin: int, X: Any, all_channels: int, c0: int, C: int, H: int, W: int,
    top: int, left: int, box: Any, P: Any, V: Any, Cp: int, vk: int,
) -> None:  # fmt: skip
    """V[k, tile, c] = the points of each tile of a block of images, for C channels from ``c0``.

    A tile is a square of ``m + margin``, m apart from the next; ``f`` makes the points.
    """
    compact()
    i0, i1, y0, y1, x0, x1 = box
    rows, cols, e, i = (y1 - y0) * m + margin, (x1 - x0) * m + margin, m + 2, 0
    for image in range(i0, i1):
        _stage(X, (image * all_channels + c0) * H * W, C, H, W, y0 * m - top, x0 * m - left,
               rows, cols, P, Cp)  # fmt: skip
        for ty in range(y1 - y0):
            for tx in range(x1 - x0):
                at = (ty * m * cols + tx * m) * Cp
                sandwich(f, P, at, cols * Cp, Cp, V, i * Cp, e * vk, vk, P, 0, C)
                i += 1


@routine
def _from_points(
    f: int, m: int, M: Any, step: int, p: Any, box: Any, o0: int, O: int, bias: Any,  # noqa: E741
    P: Any, y: Any,
) -> None:  # fmt: skip
    """Write the tiles of a block, out of M[k, tile, o], to O channels from ``o0`` of ``y``."""
    compact()
    i0, i1, y0, y1, x0, x1 = box
    cols, e, i = (x1 - x0) * m, m + 2, 0
    for image in range(i0, i1):
        for ty in range(y1 - y0):
            for tx in range(x1 - x0):
                at = (ty * m * cols + tx * m) * step
                sandwich(f, M, i * step, e * p.mk, p.mk, P, at, cols * step, step, bias, o0, step)
                i += 1
        to = ((image * p.O + o0) * p.OH + y0 * m) * p.OW + x0 * m
        rows, width = min((y1 - y0) * m, p.OH - y0 * m), min(cols, p.OW - x0 * m)
        for o in range(0, O, WIDTH):
            first = max(0, min(o, O - WIDTH))
            start, count, hw = to + first * p.OH * p.OW, min(O, WIDTH), p.OH * p.OW
            if width == cols == p.OW:  # rows follow each other
                transpose(P, first, step, rows * width, count, y, start, hw)
            else:
                for r in range(rows):
                    at = r * cols * step + first
                    transpose(P, at, step, width, count, y, start + r * p.OW, hw)


@routine
def _filter_points(
    f: int, e: int, w: Any, turned: bool, O: int, C: int, c: int, count: int,  # noqa: E741
    panel: int, T: Any, U: Any, u: int, uk: int,
) -> None:  # fmt: skip
    """U[u + k uk + i PANEL + o] = the points of the filters for channel c + i, i < ``count``.

    Of the filters of a panel. Filters of 512 channels lie so far apart that eight of them fall on
    two places of the first cache: so several channels are read from each before the next.
    """
    compact()
    first, d = (8 * WIDTH, -WIDTH) if turned else (0, WIDTH)
    for o in range(panel, min(panel + PANEL, O), WIDTH):
        width = min(WIDTH, O - o)
        if not turned:
            transpose(w, (o * C + c) * 9, 9 * C, width, 9 * count, T, 0, WIDTH)
        for i in range(count):
            at = 9 * WIDTH * i
            if turned:
                transpose(w, ((c + i) * O + o) * 9, 9, width, 9, T, at, WIDTH)
            sandwich(f, T, at + first, 3 * d, d, U, u + i * PANEL + o - panel, e * uk, uk, T, 0,
                     WIDTH)  # fmt: skip


@routine
def _multiply(
    V: Any, c0: int, C: int, p: Any, U: Any, uk: int, M: Any, columns: int, points: int,
    tiles: int,
) -> None:  # fmt: skip
    """M[k] += V[k] U[k] for each point and C channels from ``c0``; U in panels of C rows."""
    apart()
    step = p.step
    for k in range(points):
        for j in range(0, columns, PANEL):
            i = 0
            while i < tiles:
                a, u, rest = k * p.vk + i * p.Cp + c0, k * uk + j * C, tiles - i
                c = k * p.mk + i * step + j
                if rest > 8 or rest == 5 or rest == 6:
                    tile(V, a, p.Cp, 0, 1, U, u, 0, PANEL, M, c, step, 1, C, 6, VECTORS, 1)
                    i += 6
                else:
                    tile(V, a, p.Cp, 0, 1, U, u, 0, PANEL, M, c, step, 1, C, 4, VECTORS, 1)
                    i += 4


def _make(m: int) -> Any:
    """Return the kernels for tiles of m x m outputs."""
    e, inwards, filters, outwards = m + 2, f"BT{m}", f"G{m}", f"AT{m}"

    @shared
    def points_of_filters(w: Any, turned: bool, U: Any, p: Any, T: Any, t: int, n: int) -> None:
        """U[k, panel, c] = the points of all filters; turned: ``w`` is (C, O, 3, 3)."""
        compact()
        f = sandwich_with(filters, 0)
        T = view(T, t * T.shape[1], T.shape[1])
        i, stop = share_of(p.Op // PANEL * p.C, t, n)
        while i < stop:
            c = i % p.C
            count = min(GROUP, p.C - c, stop - i)
            _filter_points(f, e, w, turned, p.O, p.C, c, count, i // p.C * PANEL, T,
                           U, i * PANEL, p.C * p.Op + PANEL)  # fmt: skip
            i += count

    @shared
    def by_tiles(
        x: Any, U: Any, bias: Any, y: Any, p: Any, scratch: Any, counter: Any, t: int, n: int
    ) -> None:
        """Convolve, block by block."""
        compact()
        f, h = sandwich_with(inwards, 0), sandwich_with(outwards, 1)
        own, size = t * scratch.shape[1], e * e * p.vk
        P, V = view(scratch, own, p.stage), view(scratch, own + p.stage, size)
        M = view(scratch, own + p.stage + size, e * e * p.mk)
        while True:
            block = claim(counter)
            if block >= p.blocks:
                break
            box = corners(p, block, m)
            tiles = (box[1] - box[0]) * (box[3] - box[2]) * (box[5] - box[4])
            to_points(f, m, 2, x, p.C, 0, p.C, p.H, p.W, p.top, p.left, box, P, V, p.Cp,
                      p.vk)  # fmt: skip
            zero(M, 0, e * e * p.mk)
            _multiply(V, 0, p.C, p, U, p.C * p.Op + PANEL, M, p.Op, e * e, tiles)
            _from_points(h, m, M, p.Op, p, box, 0, p.O, bias, P, y)

    @shared
    def by_filters(
        x: Any, w: Any, turned: bool, bias: Any, y: Any, p: Any, scratch: Any, counter: Any,
        t: int, n: int,
    ) -> None:  # fmt: skip
        """Convolve with few filters after few: their points need no memory but the cache."""
        compact()
        f, g, h = sandwich_with(inwards, 0), sandwich_with(filters, 0), sandwich_with(outwards, 1)
        own, size, uk = t * scratch.shape[1], e * e * p.vk, DEPTH * p.step + PANEL
        P, V = view(scratch, own, p.stage), view(scratch, own + p.stage, size)
        own += p.stage + size
        U, M = view(scratch, own, e * e * uk), view(scratch, own + e * e * uk, e * e * p.mk)
        T = view(scratch, own + e * e * (uk + p.mk), 9 * WIDTH * GROUP)
        box, ready = corners(p, 0, m), False
        while True:
            o = claim(counter) * p.step
            if o >= p.O:
                break
            if not ready:  # each thread for itself: they are few
                to_points(f, m, 2, x, p.C, 0, p.C, p.H, p.W, p.top, p.left, box, P, V,
                          p.Cp, p.vk)  # fmt: skip
                ready = True
            columns, tiles = min(p.step, p.Op - o), p.N * p.th * p.tw
            zero(M, 0, e * e * p.mk)
            for c0 in range(0, p.C, DEPTH):
                depth = min(DEPTH, p.C - c0)
                for j in range(0, columns, PANEL):
                    for c in range(0, depth, GROUP):
                        _filter_points(g, e, w, turned, p.O, p.C, c0 + c, min(GROUP, depth - c),
                                       o + j, T, U, j * depth + c * PANEL, uk)  # fmt: skip
                _multiply(V, c0, depth, p, U, uk, M, columns, e * e, tiles)
            _from_points(h, m, M, p.step, p, box, o, min(columns, p.O - o), bias, P, y)

    return points_of_filters, by_tiles, by_filters


_kernels = {m: _make(m) for m in (2, 4)}


def convolve(x: Any, W: Any, b: Any, out: Any, pad: Any, turned: bool, m: int) -> Any:
    """Convolve contiguous images with 3x3 filters; ``turned``: for the gradient of the images."""
    (n, c), o = x.shape[:2], W.shape[1] if turned else W.shape[0]
    points_of_filters, by_tiles, by_filters = _kernels[m]
    threads, points = get_num_threads(), (m + 2) ** 2
    tiles = n * ceil(out[0], m) * ceil(out[1], m)
    few = tiles <= FEW and c * o >= MANY
    p = plan(x.shape, o, out, pad, m, threads, few)
    bias = np.zeros(p.Op, np.float32)
    if b is not None:
        bias[:o] = b
    y = np.empty((n, o, *out), np.float32)
    counter, work = np.zeros(1, np.int64), effort(2 * points * c * o * tiles)
    if few:
        size = p.stage + points * (p.vk + p.mk + DEPTH * p.step + PANEL) + 9 * WIDTH * GROUP
        scratch = aligned((threads, ceil(size, 16) * 16))
        launch(
            by_filters, x.reshape(-1), W.reshape(-1), turned, bias, y.reshape(-1), p, scratch,
            counter, work=work,
        )  # fmt: skip
        return y
    U = aligned(points * (p.Op * c + PANEL))
    T = aligned((threads, 9 * WIDTH * GROUP))
    launch(points_of_filters, W.reshape(-1), turned, U, p, T, work=40 * c * o)
    scratch = aligned((threads, ceil(p.stage + points * (p.vk + p.mk), 16) * 16))
    launch(by_tiles, x.reshape(-1), U, bias, y.reshape(-1), p, scratch, counter, work=work)
    return y
