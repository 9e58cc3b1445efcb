"""Convolution with any filters, and its gradient for the images, as products over planes.

For each block of places, ``y[o, place] = sum W[o, k] plane[offset[k] + place]`` over channels and
taps k: the filters are read as they are, and nothing is laid out once for each tap, as columns are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.core.threads import get_num_threads
from dezero.kernels.cpu.jit import aligned, compiled, launch, share_of
from dezero.kernels.cpu.planes import Axis, Planes, layout, pack, place, stage
from dezero.kernels.cpu.tiles import copy_row, part, tile_at, transpose
from dezero.kernels.cpu.vectors import PANEL, VECTORS, claim

SUMS = 32 << 10
"""Floats of the sums of a block, about."""


@part
def _products(
    A: Any, ao: int, ai: int, R: int, B: Any, table: Any, start: Any, first: int, move: int,
    row: int, S: Any, run: int, places: int, K: int,
) -> None:  # fmt: skip
    """Add the products of R filters with the taps of a block to what is at ``start``."""
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


@part
def _copy_out(
    S: Any, R: int, count: int, y0: int, rows: int, p: Any, y: Any, yo: int, image: int, o: Any
) -> None:
    """Copy sums to the images of the result: to places that start and lie apart as ``o`` says."""
    height, width, down, right, top, left = o
    pitch, step = (rows * p.OW, p.OW) if p.packed else (p.pitch * p.width, p.width)
    length = p.OW
    if step == width and down == right == 1:  # rows follow each other
        rows, length = 1, rows * width
    for r in range(R):
        for i in range(count):
            for h in range(rows):
                at = r * p.run + i * pitch + h * step
                to = yo + i * image + (r * height + (y0 + h) * down + top) * width + left
                if right == 1:
                    copy_row(S, at, 1, y, to, length)
                else:
                    for j in range(length):
                        y[to + j * right] = S[at + j]


@compiled
def _convolve(
    x: Any, A: Any, bias: Any, y: Any, table: Any, packs: Any, phases: Any, p: Any, share: int,
    out: Any, scratch: Any, counter: Any, t: int, n: int,
) -> None:  # fmt: skip
    """Convolve, block by block; a block has ``share`` output channels."""
    P, Q = scratch[t, : p.chunk * p.plane + 64], scratch[t, p.chunk * p.plane + 64 :]
    S = Q[p.packed * p.chunk * p.taps * p.run :]
    B, offsets = (Q, packs) if p.packed else (P, table)
    splits = -(-p.R // share)
    channel = out[0] * out[1]
    while True:
        item = claim(counter)
        if item >= p.G * p.blocks * splits:
            break
        r0, g = item % splits * share, item // splits // p.blocks
        R = min(share, p.R - r0)
        i0, count, y0, rows = place(p, item // splits % p.blocks)
        places = count * rows * p.OW
        if not p.packed:
            places = ((count - 1) * p.pitch + rows - 1) * p.width + p.OW
        for c in range(0, p.C, p.chunk):
            C = min(p.chunk, p.C - c)
            at = ((i0 * p.G + g) * p.C + c) * p.H * p.W
            stage(x, at, C, count, y0, rows, p, phases, P)
            if p.packed:
                pack(C, count, rows, p, P, table, Q)
            o, K = g * p.R + r0, p.C * p.taps
            a, (start, first, move, row) = o * K + c * p.taps, (S, 0, 1, p.run)
            if c == 0:
                start, first, move, row = bias, o * PANEL, 0, PANEL
            _products(A, a, K, R, B, offsets, start, first, move, row, S, p.run, places,
                      C * p.taps)  # fmt: skip
        image = p.G * p.R * channel
        _copy_out(S, R, count, y0, rows, p, y, i0 * image + (g * p.R + r0) * channel, image, out)


def _run(x: Any, A: Any, bias: Any, y: Any, axes: Any, groups: int, out: Any) -> None:
    """Convolve ``x`` with the filters A (rows, channels and taps) into places of ``y``."""
    bias = np.repeat(bias, PANEL), np.zeros(6 * PANEL, np.float32)
    p, table, packs, phases = layout(x.shape, y.shape[1] // groups, groups, *axes)
    threads = get_num_threads()
    share = _share(p, threads)
    size = p.chunk * (p.plane + p.packed * p.taps * p.run) + 64 + (share + 6) * p.run
    flops = 2 * p.G * p.R * p.C * p.taps * p.N * p.OH * p.OW
    launch(
        _convolve, x.reshape(-1), A.reshape(-1), np.concatenate(bias), y.reshape(-1), table, packs, phases, p,
        share, out, aligned((threads, -(-size // 16) * 16)), np.zeros(1, np.int64),
        work=flops // 128,
    )  # fmt: skip


def _share(p: Planes, threads: int) -> int:
    """Return how many output channels a thread does at a time."""
    share = max(12, SUMS // p.run)
    while share > 24 and p.G * p.blocks * -(-p.R // share) < 2 * threads:
        share //= 2
    parts = -(-p.R // share)
    return min(p.R, -(-p.R // parts // 6) * 6) if parts > 1 else p.R


def convolve(
    x: Any, W: Any, b: Any, out: Any, stride: Any, pad: Any, dilation: Any, groups: int
) -> Any:
    """Convolve contiguous images with contiguous filters of any kind."""
    axes = [
        Axis(x.shape[2 + i], out[i], stride[i],
             tuple(k * dilation[i] - pad[i] for k in range(W.shape[2 + i])))
        for i in (0, 1)
    ]  # fmt: skip
    bias = np.zeros(len(W), np.float32) if b is None else np.ascontiguousarray(b)
    y = np.empty((len(x), len(W), *out), np.float32)
    _run(x, W, bias, y, axes, groups, (*out, 1, 1, 0, 0))
    return y


@compiled
def _turn(W: Any, A: Any, G: int, O: int, C: int, size: int, taps: Any, t: int, n: int) -> None:  # noqa: E741
    """A[g, c, o] = the given taps of W[g, o, c]."""
    start, stop = share_of(G * C, t, n)
    for c0 in range(start, stop, PANEL):  # a few channels at a time, which lie together
        for o in range(O):
            for c in range(c0, min(c0 + PANEL, stop)):
                w = ((c // C * O + o) * C + c % C) * size
                for q in range(taps.size):
                    A[(c * O + o) * taps.size + q] = W[w + taps[q]]


@compiled
def _turn_points(W: Any, A: Any, G: int, O: int, C: int, t: int, n: int) -> None:  # noqa: E741
    """A[g, c, o] = W[g, o, c]."""
    start, stop = share_of(C, t, n)
    for g in range(G):
        transpose(W, g * O * C + start, C, O, stop - start, A, (g * C + start) * O, O)


def turned(W: Any, groups: int, rows: list[int], columns: list[int]) -> Any:
    """Return some taps of the filters, inputs and outputs of each group exchanged."""
    (o, c, kh, kw), g = W.shape, groups
    A = np.empty((g * c, o // g, len(rows), len(columns)), np.float32)
    flat = W.reshape(-1), A.reshape(-1), g, o // g, c
    if kh == kw == 1:
        launch(_turn_points, *flat, work=W.size)
    else:
        taps = np.array([r * kw + k for r in rows for k in columns], np.int64)
        launch(_turn, *flat, kh * kw, taps, work=W.size)
    return A


def input_grad(
    gy: Any, W: Any, size: Any, stride: Any, pad: Any, dilation: Any, groups: int
) -> Any:
    """Return the gradient (N, C, H, W) for the images.

    Those places of an image that have the same remainder by the stride read the same taps of
    ``gy``: they are a convolution of it at stride 1, with those taps.
    """
    gx = np.empty((len(gy), W.shape[1] * groups, *size), np.float32)
    bias = np.zeros(gx.shape[1], np.float32)
    parts = [
        list(_remainders(size[i], W.shape[2 + i], stride[i], pad[i], dilation[i])) for i in (0, 1)
    ]
    if any(not taps for axis in parts for _, _, taps in axis):
        gx[...] = 0
    for top, height, rows in parts[0]:
        for left, width, columns in parts[1]:
            if rows and columns:
                A = turned(W, groups, list(rows), list(columns))
                axes = (
                    Axis(gy.shape[2], height, 1, tuple(rows.values())),
                    Axis(gy.shape[3], width, 1, tuple(columns.values())),
                )
                out = (*size, *stride, top, left)
                _run(gy, A, bias, gx, axes, groups, out)
    return gx


def _remainders(size: int, kernel: int, stride: int, pad: int, dilation: int) -> Any:
    """Yield for each remainder: the first place, the count of places, their taps and shifts."""
    for first in range(min(stride, size)):
        shifts = {k: first + pad - k * dilation for k in range(kernel)}
        taps = {k: shift // stride for k, shift in shifts.items() if shift % stride == 0}
        yield first, -(-(size - first) // stride), taps
