"""The gradient of any convolution for its filters, as products over planes.

``gW[o, k] = sum over places of plane[offset[k] + place] gy[o, place]``, for channels and taps k.
Work is shared by groups, channels and output channels; only where these are few do threads share
the images, each with a sum of its own, and the sums are added in order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.core.threads import get_num_threads
from dezero.kernels.cpu.jit import aligned, apart, claim, compact, routine, share_of
from dezero.kernels.cpu.planes import Axis, layout, pack, place, stage
from dezero.kernels.cpu.shared import launch, shared
from dezero.kernels.cpu.tiles import add, effort, tile_of_rows, transpose, view, zero
from dezero.kernels.cpu.vectors import PANEL, VECTORS, WIDTH

SUMS = 24 << 10
"""Floats of the sums of one piece of work, about."""
FEW = 256 << 10
"""The same, where the places are so few that each sum is written once."""


@routine
def _products(
    B: Any, table: Any, K: int, Z: Any, start: Any, move: int, D: Any, panels: int, p: Any,
    rows: int, length: int, places: int,
) -> None:  # fmt: skip
    """D[k, o] = start[k, o] + the products of all places; Z in panels of PANEL channels.

    ``move``: 1, or 0 where all start from the same numbers.
    """
    apart()
    for j in range(panels):
        z, k, step = j * places * PANEL, 0, panels * PANEL
        while k < K:
            d, rest = k * step + j * PANEL, K - k
            if rest > 8 or rest == 5 or rest == 6:
                tile_of_rows(B, 0, table, k, rest, p.width, 1, Z, z, length * PANEL, PANEL,
                             start, d * move, step * move, D, d, step, rows, length,
                             6, VECTORS)  # fmt: skip
                k += 6
            else:
                tile_of_rows(B, 0, table, k, rest, p.width, 1, Z, z, length * PANEL, PANEL,
                             start, d * move, step * move, D, d, step, rows, length,
                             4, VECTORS)  # fmt: skip
                k += 4


@shared
def _sums(
    x: Any, gy: Any, table: Any, offsets: Any, phases: Any, p: Any, share: int, parts: int,
    items: int, D: Any, gW: Any, scratch: Any, counter: Any, t: int, n: int,
) -> None:  # fmt: skip
    """Sum the products over the places of a part, for some channels and output channels.

    Where there are several parts, each has a row of D, else each thread has.
    """
    compact()
    place_of, room, packs = t * scratch.shape[1], p.chunk * p.plane + 64, p.chunk * p.taps * p.run
    P, Q = view(scratch, place_of, room), view(scratch, place_of + room, packs)
    place_of += room + p.packed * packs
    Z = view(scratch, place_of, share * p.run)
    zeros = view(scratch, place_of + share * p.run, PANEL)
    zero(zeros, 0, PANEL)
    B = Q if p.packed else P
    panels, chunks, splits = share // PANEL, -(-p.C // p.chunk), -(-p.R // share)
    while True:
        item = claim(counter)
        if item >= items:
            break
        r0, c0 = item // parts % splits * share, item // parts // splits % chunks * p.chunk
        g, size = item // parts // splits // chunks, D.shape[1]
        own = view(D, (t if parts == 1 else item) * size, size)
        C, R = min(p.chunk, p.C - c0), min(share, p.R - r0)
        first, last = share_of(p.blocks, item % parts, parts)
        for block in range(first, last):
            i0, count, y0, rows = place(p, block)
            at = ((i0 * p.G + g) * p.C + c0) * p.H * p.W
            stage(x, at, C, count, y0, rows, p, phases, P)
            if p.packed:
                pack(C, count, rows, p, P, table, Q)
            places = count * rows * p.OW
            for i in range(count):
                for r in range(0, R, PANEL):
                    at = (((i0 + i) * p.G + g) * p.R + r0 + r) * p.OH + y0
                    to = (r // PANEL * count + i) * rows * p.OW * PANEL
                    transpose(gy, at * p.OW, p.OH * p.OW, min(PANEL, R - r), rows * p.OW,
                              Z, to, PANEL)  # fmt: skip
            runs, length = (1, places) if p.packed or p.width == p.OW else (rows, p.OW)
            start, move = (own, 1) if block > first else (zeros, 0)
            _products(B, offsets, C * p.taps, Z, start, move, own, panels, p, runs, length,
                      places)  # fmt: skip
        if parts == 1:
            at = ((g * p.R + r0) * p.C + c0) * p.taps
            transpose(own, 0, share, C * p.taps, R, gW, at, p.C * p.taps)


@shared
def _finish(D: Any, gW: Any, p: Any, share: int, parts: int, t: int, n: int) -> None:
    """Add up the parts, and turn sums (channels and taps, output channels) into filters."""
    chunks, splits = -(-p.C // p.chunk), -(-p.R // share)
    start, stop = share_of(D.shape[0] // parts, t, n)
    for item in range(start, stop):
        r0, c0 = item % splits * share, item // splits % chunks * p.chunk
        R, K = min(share, p.R - r0), min(p.chunk, p.C - c0) * p.taps
        first = item * parts * D.shape[1]
        for part in range(1, parts):
            for i in range(first, first + K * share, WIDTH):
                add(D, i + part * D.shape[1], D, i)
        at = ((item // splits // chunks * p.R + r0) * p.C + c0) * p.taps
        transpose(D, first, share, K, R, gW, at, p.C * p.taps)


def weight_grad(
    x: Any, gy: Any, kernel: Any, stride: Any, pad: Any, dilation: Any, groups: int
) -> Any:
    """Return the gradient (O, C / groups, KH, KW) from contiguous images and gradients."""
    o = gy.shape[1] // groups
    axes = [
        Axis(x.shape[2 + i], gy.shape[2 + i], stride[i],
             tuple(k * dilation[i] - pad[i] for k in range(kernel[i])))
        for i in (0, 1)
    ]  # fmt: skip
    p, table, packs, phases = layout(x.shape, o, groups, *axes, joined=False)
    threads = get_num_threads()
    flops = 2 * p.G * p.R * p.C * p.taps * p.N * p.OH * p.OW
    gW = np.empty((groups * o, p.C, *kernel), np.float32)
    counter = np.zeros(1, np.int64)
    arrays = x.reshape(-1), gy.reshape(-1), table
    rows, panels = p.chunk * p.taps, -(-o // PANEL)
    most = max(1, (SUMS if p.blocks > 1 else FEW) // (rows * PANEL))
    share = -(-panels // -(-panels // most)) * PANEL
    pieces = groups * -(-p.C // p.chunk) * -(-o // share)
    parts = 1 if pieces >= 2 * threads or pieces == threads else min(threads, p.blocks)
    D = aligned((threads if parts == 1 else pieces * parts, (rows + 6) * share))
    size = p.chunk * (p.plane + p.packed * p.taps * p.run) + 64 + share * p.run + PANEL
    launch(
        _sums, *arrays, packs if p.packed else table, phases, p, share, parts, pieces * parts, D,
        gW.reshape(-1), aligned((threads, -(-size // 16) * 16)), counter, work=effort(flops),
    )  # fmt: skip
    if parts > 1:
        launch(_finish, D, gW.reshape(-1), p, share, parts, work=gW.size * parts)
    return gW
