"""The gradient of any convolution for its filters, as products over planes.

``gW[o, k] = sum over places of plane[offset[k] + place] gy[o, place]``, for channels and taps k.
Work is shared by groups, channels and output channels; only where these are few do threads share
the images, each with a sum of its own, and the sums are added in order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.core.threads import get_num_threads
from dezero.kernels.cpu.jit import aligned, compiled, launch, share_of
from dezero.kernels.cpu.planes import Axis, layout, pack, place, stage
from dezero.kernels.cpu.tiles import part, tile_of_rows, transpose, zero
from dezero.kernels.cpu.vectors import PANEL, VECTORS, claim

SUMS = 24 << 10
"""Floats of the sums of one piece of work, about."""


@part
def _products(
    B: Any, table: Any, K: int, Z: Any, D: Any, panels: int, p: Any, rows: int, length: int,
    places: int,
) -> None:  # fmt: skip
    """D[k, o] += the products of all places; Z in panels of PANEL output channels."""
    for j in range(panels):
        z, k = j * places * PANEL, 0
        while k < K:
            d, rest = k * panels * PANEL + j * PANEL, K - k
            if rest > 8 or rest == 5 or rest == 6:
                tile_of_rows(B, 0, table, k, rest, p.width, 1, Z, z, length * PANEL, PANEL,
                             D, d, panels * PANEL, rows, length, 6, VECTORS)  # fmt: skip
                k += 6
            else:
                tile_of_rows(B, 0, table, k, rest, p.width, 1, Z, z, length * PANEL, PANEL,
                             D, d, panels * PANEL, rows, length, 4, VECTORS)  # fmt: skip
                k += 4


@compiled
def _sums(
    x: Any, gy: Any, table: Any, packs: Any, phases: Any, p: Any, share: int, parts: int,
    D: Any, scratch: Any, counter: Any, t: int, n: int,
) -> None:  # fmt: skip
    """D[group, channels, output channels, part] = the sums over the places of a part."""
    P, Q = scratch[t, : p.chunk * p.plane + 64], scratch[t, p.chunk * p.plane + 64 :]
    Z = Q[p.packed * p.chunk * p.taps * p.run :]
    B, offsets = (Q, packs) if p.packed else (P, table)
    panels, chunks, splits = share // PANEL, -(-p.C // p.chunk), -(-p.R // share)
    while True:
        item = claim(counter)
        if item >= D.shape[0]:
            break
        r0, c0 = item // parts % splits * share, item // parts // splits % chunks * p.chunk
        g, part = item // parts // splits // chunks, item % parts
        C, R, own = min(p.chunk, p.C - c0), min(share, p.R - r0), D[item]
        own[:] = np.float32(0)
        start, stop = share_of(p.blocks, part, parts)
        for block in range(start, stop):
            i0, count, y0, rows = place(p, block)
            at = ((i0 * p.G + g) * p.C + c0) * p.H * p.W
            stage(x, at, C, count, y0, rows, p, phases, P)
            if p.packed:
                pack(C, count, rows, p, P, table, Q)
            places = count * rows * p.OW
            for i in range(count):
                for r in range(0, R, PANEL):
                    at = (((i0 + i) * p.G + g) * p.R + r0 + r) * p.OH + y0
                    transpose(gy, at * p.OW, p.OH * p.OW, min(PANEL, R - r), rows * p.OW,
                              Z, (r // PANEL * count + i) * rows * p.OW * PANEL, PANEL)
                    # fmt: skip
            runs, length = (1, places) if p.packed or p.width == p.OW else (rows, p.OW)
            _products(B, offsets, C * p.taps, Z, own, panels, p, runs, length, places)


@compiled
def _depthwise(
    x: Any, gy: Any, table: Any, phases: Any, p: Any, gW: Any, scratch: Any, counter: Any,
    t: int, n: int,
) -> None:  # fmt: skip
    """The same for groups of one channel: each sum is a product of two vectors."""
    P, Q = scratch[t, : p.plane + 64], scratch[t, p.plane + 64 :]
    while True:
        g = claim(counter)
        if g >= p.G:
            break
        zero(gW, g * p.R * p.taps, p.R * p.taps)
        for block in range(p.blocks):
            i0, count, y0, rows = place(p, block)
            at = (i0 * p.G + g) * p.H * p.W
            stage(x, at, 1, count, y0, rows, p, phases, P)
            pack(1, count, rows, p, P, table, Q)
            length = rows * p.OW
            for r in range(p.R):
                for i in range(count):
                    start = (((i0 + i) * p.G + g) * p.R + r) * p.OH * p.OW + y0 * p.OW
                    for k in range(p.taps):
                        row, total = k * p.run + i * length, np.float32(0)
                        for j in range(length):
                            total += Q[row + j] * gy[start + j]
                        gW[(g * p.R + r) * p.taps + k] += total


@compiled
def _finish(D: Any, gW: Any, p: Any, share: int, parts: int, t: int, n: int) -> None:
    """Add up the parts, and turn sums (channels and taps, output channels) into filters."""
    chunks, splits = -(-p.C // p.chunk), -(-p.R // share)
    start, stop = share_of(D.shape[0] // parts, t, n)
    for item in range(start, stop):
        r0, c0 = item % splits * share, item // splits % chunks * p.chunk
        R, K = min(share, p.R - r0), min(p.chunk, p.C - c0) * p.taps
        total = D[item * parts]
        for part in range(1, parts):
            for i in range(K * share):
                total[i] += D[item * parts + part, i]
        at = ((item // splits // chunks * p.R + r0) * p.C + c0) * p.taps
        transpose(total, 0, share, K, R, gW, at, p.C * p.taps)


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
    single = x.shape[1] == groups > 1 and o < PANEL // 2
    p, table, packs, phases = layout(x.shape, o, groups, *axes, joined=False, packed=single)
    threads = get_num_threads()
    flops = 2 * p.G * p.R * p.C * p.taps * p.N * p.OH * p.OW
    gW = np.empty((groups * o, p.C, *kernel), np.float32)
    counter = np.zeros(1, np.int64)
    arrays = x.reshape(-1), gy.reshape(-1), table
    if single:
        size = -(-(p.plane + 64 + p.taps * p.run) // 16) * 16
        launch(
            _depthwise, *arrays, phases, p, gW.reshape(-1), aligned((threads, size)), counter,
            work=flops // 16,
        )  # fmt: skip
        return gW
    most = max(1, SUMS // (p.chunk * p.taps * PANEL))
    panels = -(-o // PANEL)
    share = -(-panels // -(-panels // most)) * PANEL
    pieces = groups * -(-p.C // p.chunk) * -(-o // share)
    parts = 1 if pieces >= 2 * threads or pieces == threads else min(threads, p.blocks)
    D = aligned((pieces * parts, (p.chunk * p.taps + 6) * share))
    size = p.chunk * (p.plane + p.packed * p.taps * p.run) + 64 + share * p.run
    launch(
        _sums, *arrays, packs, phases, p, share, parts, D,
        aligned((threads, -(-size // 16) * 16)), counter, work=flops // 128,
    )  # fmt: skip
    launch(_finish, D, gW.reshape(-1), p, share, parts, work=gW.size * parts)
    return gW
