"""Convolution with any filters, and its gradient for the images, as products over planes.

For each block of places, ``y[o, place] = sum W[o, k] plane[offset[k] + place]`` over channels and
taps k. The filters are read as they are, and nothing is laid out once for each tap, as in columns.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from dezero.core.threads import get_num_threads
from dezero.kernels.cpu.jit import aligned, apart, claim, compact, routine, share_of
from dezero.kernels.cpu.planes import Axis, Planes, layout, pack, place, stage
from dezero.kernels.cpu.shared import launch, shared
from dezero.kernels.cpu.tiles import copy_rows, effort, move_one, tile_at, transpose, view
from dezero.kernels.cpu.vectors import PANEL, VECTORS

SUMS = 32 << 10
"""Floats of the sums of a block, about."""


@routine
def _products(
    A: Any, ao: int, ai: int, R: int, B: Any, table: Any, start: Any, first: int, move: int,
    row: int, S: Any, run: int, places: int, K: int,
) -> None:  # fmt: skip
    """Add the products of R filters with the taps of a block to what is at ``start``."""
    apart()
    for j in range(0, places, PANEL):
        r = 0
        while r < R:
            at, rest = ao + r * ai, R - r
            old, new = first + j * move + r * row, r * run + j
            if rest == 1:  # one filter for a channel: the tile of its own saves three quarters
                tile_at(A, at, ai, 1, B, j, table, start, old, row, S, new, run, K, 1, VECTORS)
                r += 1
            elif rest > 8 or rest == 5 or rest == 6:
                tile_at(A, at, ai, rest, B, j, table, start, old, row, S, new, run, K, 6, VECTORS)
                r += 6
            else:
                tile_at(A, at, ai, rest, B, j, table, start, old, row, S, new, run, K, 4, VECTORS)
                r += 4


@routine
def _copy_out(
    S: Any, R: int, count: int, y0: int, rows: int, p: Any, y: Any, yo: int, image: int,
    out: Any, top: int, left: int,
) -> None:  # fmt: skip
    """Copy sums to the images of the result: to places from (top, left), strides apart."""
    compact()
    height, width, down, right = out
    pitch, step = (rows * p.OW, p.OW) if p.packed else (p.pitch * p.width, p.width)
    length = min(p.OW, -(-(width - left) // right))
    rows = min(rows, -(-(height - top) // down) - y0)
    if step == width and down == right == 1:  # rows follow each other
        rows, length = 1, rows * width
    for r in range(R):
        for i in range(count):
            at = r * p.run + i * pitch
            to = yo + i * image + (r * height + y0 * down + top) * width + left
            if right == 1:
                copy_rows(S, at, step, 1, y, to, down * width, rows, length)
            else:
                for h in range(rows):
                    for j in range(length):
                        move_one(S, at + h * step + j, y, to + h * down * width + j * right)


@shared
def _convolve(
    x: Any, A: Any, bias: Any, y: Any, table: Any, offsets: Any, phases: Any, p: Any, parts: Any,
    terms: Any, share: int, out: Any, scratch: Any, counter: Any, t: int, n: int,
) -> None:  # fmt: skip
    """Convolve, block by block; a block has ``share`` output channels.

    Each of ``parts`` is written to places of its own of ``y``, and is the sum of its terms.
    """
    compact()
    own, room, packs = t * scratch.shape[1], p.chunk * p.plane + 64, p.chunk * p.taps * p.run
    P, Q = view(scratch, own, room), view(scratch, own + room, packs)
    own += room + p.packed * packs
    B = Q if p.packed else P
    splits, channel = -(-p.R // share), out[0] * out[1]
    size, ai = (share + 6) * p.run, A.size // (p.G * p.R)
    while True:
        item = claim(counter)
        if item >= p.G * p.blocks * splits:
            break
        o, g = item % splits * share, item // splits // p.blocks
        R, o = min(share, p.R - o), o + g * p.R
        i0, count, y0, rows = place(p, item // splits % p.blocks)
        places = count * rows * p.OW
        if not p.packed:
            places = ((count - 1) * p.pitch + rows - 1) * p.width + p.OW
        for c in range(0, p.C, p.chunk):
            C = min(p.chunk, p.C - c)
            stage(x, ((i0 * p.G + g) * p.C + c) * p.H * p.W, C, count, y0, rows, p, phases, P)
            if p.packed:
                pack(C, count, rows, p, P, table, Q)
            for q in range(terms.shape[0]):
                S, taps = view(scratch, own + terms[q, 0] * size, size), terms[q, 1]
                own_offsets = view(offsets, terms[q, 3], C * taps)
                start, first, move, row = S, 0, 1, p.run
                if c == 0 and terms[q, 4] == 1:
                    start, first, move, row = bias, o * PANEL, 0, PANEL
                at = o * ai + terms[q, 2] + c * taps
                _products(A, at, ai, R, B, own_offsets, start, first, move, row,
                          S, p.run, places, C * taps)  # fmt: skip
        image = p.G * p.R * channel
        for q in range(parts.shape[0]):
            S = view(scratch, own + q * size, size)
            _copy_out(S, R, count, y0, rows, p, y, i0 * image + o * channel,
                      image, out, parts[q, 0], parts[q, 1])  # fmt: skip


class Part(NamedTuple):
    """A convolution into the places from (top, left) on.

    It is a sum of terms. Each has some taps of the planes; the filters' numbers for one channel
    and these taps follow each other, those of the first channel after ``filters`` others.
    """

    top: int
    left: int
    terms: tuple[tuple[tuple[int, ...], int], ...]


@functools.lru_cache(1 << 10)
def _layout(
    shape: Any, rows: int, groups: int, axes: Any, parts: tuple[Part, ...], threads: int
) -> Any:
    """Return the planes, the offsets of the taps of all terms, places of parts, and terms."""
    most = max(len(taps) for part in parts for taps, _ in part.terms)
    p, table, packs, phases = layout(shape, rows, groups, *axes, deep=most, threads=threads)
    grid = (packs if p.packed else table).reshape(p.chunk, p.taps)
    offsets: list[Any] = []
    terms, start = [], 0
    for i, part in enumerate(parts):
        for taps, filters in part.terms:
            first = int((taps, filters) == part.terms[0])
            terms.append((i, len(taps), filters, start, first))
            offsets.append(grid[:, list(taps)].reshape(-1))
            start += offsets[-1].size
    places = np.array([(part.top, part.left) for part in parts], np.int64)
    return p, table, np.concatenate(offsets), phases, places, np.array(terms, np.int64)


def _run(
    x: Any, A: Any, b: Any, y: Any, axes: Any, groups: int, stride: Any, parts: tuple[Part, ...]
) -> None:
    """Convolve ``x`` with the filters A, a row for each channel of ``y``, into places of ``y``."""
    o = y.shape[1]
    threads = get_num_threads()
    p, table, offsets, phases, places, terms = _layout(
        x.shape, o // groups, groups, axes, parts, threads
    )
    share = _share(p, threads, len(parts))
    size = p.chunk * (p.plane + p.packed * p.taps * p.run) + len(parts) * (share + 6) * p.run + 64
    flops = 2 * p.G * p.R * p.C * p.N * p.OH * p.OW * int(terms[:, 1].sum())
    bias = np.zeros((o + 6, PANEL), np.float32)  # as the sums of a tile start from it
    if b is not None:
        bias[:o] = b[:, None]
    launch(
        _convolve, x.reshape(-1), A.reshape(-1), bias.reshape(-1), y.reshape(-1), table, offsets,
        phases, p, places, terms, share, (*y.shape[2:], *stride),
        aligned((threads, -(-size // 16) * 16)), np.zeros(1, np.int64), work=effort(flops),
    )  # fmt: skip


def _share(p: Planes, threads: int, parts: int) -> int:
    """Return how many output channels a thread does at a time."""
    pieces, splits = p.G * p.blocks, -(-p.R // max(12, SUMS // (p.run * parts)))
    if pieces * splits < 4 * threads:  # no thread should have one piece more than others
        even = splits
        while pieces * even % threads and 24 * even <= p.R:
            even += 1
        if pieces * even % threads == 0:
            splits = even
    return min(p.R, -(-p.R // splits // 2) * 2)


def convolve(
    x: Any, W: Any, b: Any, out: Any, stride: Any, pad: Any, dilation: Any, groups: int
) -> Any:
    """Convolve contiguous images with contiguous filters of any kind."""
    axes = tuple(
        Axis(x.shape[2 + i], out[i], stride[i],
             tuple(k * dilation[i] - pad[i] for k in range(W.shape[2 + i])))
        for i in (0, 1)
    )  # fmt: skip
    y = np.empty((len(x), len(W), *out), np.float32)
    taps = tuple(range(W.shape[2] * W.shape[3]))
    _run(x, W, b, y, axes, groups, (1, 1), (Part(0, 0, ((taps, 0),)),))
    return y


FUSED = 32
"""Channels below which the taps of a part are one term: sums over channels alone are too short."""


@shared
def _turn(W: Any, A: Any, G: int, O: int, K: int, t: int, n: int) -> None:  # noqa: E741
    """A[g, k, o] = W[g, o, k]."""
    start, stop = share_of(K, t, n)
    for g in range(G):
        transpose(W, g * O * K + start, K, O, stop - start, A, (g * K + start) * O, O)


def input_grad(
    gy: Any, W: Any, size: Any, stride: Any, pad: Any, dilation: Any, groups: int
) -> Any:
    """Return the gradient (N, C, H, W) for the images.

    Those places of an image that have the same remainder by the stride read the same taps of
    ``gy``: they are a convolution of it at stride 1, with those taps.
    """
    gx = np.empty((len(gy), W.shape[1] * groups, *size), np.float32)
    sides = [_remainders(size[i], W.shape[2 + i], stride[i], pad[i], dilation[i]) for i in (0, 1)]
    if any(not taps for side in sides for taps in side):
        gx[...] = 0
    shifts = [sorted({shift for taps in side for shift in taps.values()}) for side in sides]
    axes = tuple(
        Axis(gy.shape[2 + i], -(-size[i] // stride[i]), 1, tuple(shifts[i])) for i in (0, 1)
    )
    (o, c, kh, kw), width = W.shape, len(shifts[1])
    fused = o // groups < FUSED
    parts, filters, before = [], [], 0
    for top, rows in enumerate(sides[0]):
        for left, columns in enumerate(sides[1]):
            at = {r * kw + k: shifts[0].index(rows[r]) * width + shifts[1].index(columns[k])
                  for r in rows for k in columns}  # fmt: skip
            if at and fused:
                parts.append(Part(top, left, ((tuple(at.values()), before),)))
                own = W.reshape(groups, o // groups, c, kh * kw)[..., list(at)]
                filters.append(own.swapaxes(1, 2).reshape(groups * c, -1))
                before += filters[-1].shape[1]
            elif at:
                terms = tuple(((place,), tap * (o // groups)) for tap, place in at.items())
                parts.append(Part(top, left, terms))
    if fused and parts:
        A = np.concatenate(filters, 1)
    else:
        A = np.empty(W.size, np.float32)
        launch(_turn, W.reshape(-1), A, groups, o // groups, c * kh * kw, work=W.size)
    if parts:
        _run(gy, A, None, gx, axes, groups, stride, tuple(parts))
    return gx


def _remainders(
    size: int, kernel: int, stride: int, pad: int, dilation: int
) -> list[dict[int, int]]:
    """Return, for the places of each remainder by the stride, the taps and their shifts."""
    sides = []
    for first in range(min(stride, size)):
        shifts = {k: first + pad - k * dilation for k in range(kernel)}
        sides.append({k: shift // stride for k, shift in shifts.items() if shift % stride == 0})
    return sides
