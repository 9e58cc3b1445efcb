"""Convolution of each channel with filters of its own: sums over whole planes, on vectors.

There is no sum over channels, so tiles have one row, and sum over taps alone. A channel's planes
of several images are done at once where they are small.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dezero.core.threads import get_num_threads
from dezero.kernels.cpu.jit import aligned, apart, claim, compact, routine
from dezero.kernels.cpu.planes import Axis, layout, place, stage
from dezero.kernels.cpu.shared import launch, shared
from dezero.kernels.cpu.tiles import copy_rows, tile_at, view, zero
from dezero.kernels.cpu.vectors import WIDTH

RUN = 4096
"""Places of a block, about: all planes of a channel stay in the first cache, or nearly."""
ROW = 8
"""Vectors of a tile, which has one row: enough for the sums not to wait for each other."""
ROOM = ROW * WIDTH + 16
"""Floats behind the planes that may be read, to no effect."""


@routine
def _dot(P: Any, po: int, Z: Any, zo: int, count: int) -> Any:
    """Return the sum of products of two runs."""
    apart()
    P, Z, total = view(P, po, count), view(Z, zo, count), np.float32(0)
    for j in range(P.size):
        total += P[j] * Z[j]
    return total


@shared
def _forward(
    x: Any, w: Any, bias: Any, y: Any, table: Any, phases: Any, p: Any, scratch: Any,
    counter: Any, t: int, n: int,
) -> None:  # fmt: skip
    """Convolve, channel by channel."""
    compact()
    own = t * scratch.shape[1]
    P, S = view(scratch, own, p.plane + ROOM), view(scratch, own + p.plane + ROOM, p.run + ROOM)
    while True:
        g = claim(counter)
        if g >= p.G:
            break
        for block in range(p.blocks):
            i0, count, y0, rows = place(p, block)
            stage(x, (i0 * p.G + g) * p.H * p.W, 1, count, y0, rows, p, phases, P)
            places = ((count - 1) * p.pitch + rows - 1) * p.width + p.OW
            for r in range(p.R):
                o = g * p.R + r
                for j in range(0, places, ROW * WIDTH):
                    tile_at(w, o * p.taps, 0, 1, P, j, table, bias, o * ROW * WIDTH, 0, S, j, 0,
                            p.taps, 1, ROW)  # fmt: skip
                for i in range(count):
                    to = (((i0 + i) * p.G * p.R + o) * p.OH + y0) * p.OW
                    copy_rows(S, i * p.pitch * p.width, p.width, 1, y, to, p.OW, rows, p.OW)


@shared
def _weight_grad(
    x: Any, gy: Any, table: Any, phases: Any, p: Any, gW: Any, scratch: Any, counter: Any,
    t: int, n: int,
) -> None:  # fmt: skip
    """Multiply the planes with the gradient, laid out as their places are, zeros between rows."""
    compact()
    own = t * scratch.shape[1]
    P, Z = view(scratch, own, p.plane + ROOM), view(scratch, own + p.plane + ROOM, p.run)
    while True:
        g = claim(counter)
        if g >= p.G:
            break
        zero(gW, g * p.R * p.taps, p.R * p.taps)
        for block in range(p.blocks):
            i0, count, y0, rows = place(p, block)
            stage(x, (i0 * p.G + g) * p.H * p.W, 1, count, y0, rows, p, phases, P)
            places = ((count - 1) * p.pitch + rows - 1) * p.width + p.OW
            for o in range(g * p.R, (g + 1) * p.R):
                zero(Z, 0, p.run)
                for i in range(count):
                    at = (((i0 + i) * p.G * p.R + o) * p.OH + y0) * p.OW
                    copy_rows(gy, at, p.OW, 1, Z, i * p.pitch * p.width, p.width, rows, p.OW)
                for k in range(p.taps):
                    total = _dot(P, table[k], Z, 0, places)
                    if not math.isfinite(total):  # perhaps a zero between rows times infinity
                        total = np.float32(0)
                        for h in range(count * rows):
                            at = (h // rows * p.pitch + h % rows) * p.width
                            to = table[k] + at
                            total += _dot(P, to, Z, at, p.OW)
                    gW[o * p.taps + k] += total


def _axes(size: Any, kernel: Any, out: Any, stride: Any, pad: Any, dilation: Any) -> list[Axis]:
    """Return the axes of a convolution."""
    taps = [tuple(k * dilation[i] - pad[i] for k in range(kernel[i])) for i in (0, 1)]
    return [Axis(size[i], out[i], stride[i], taps[i]) for i in (0, 1)]


def _launch(kernel: Any, axes: list[Axis], x: Any, other: Any, rows: int, *arrays: Any) -> None:
    """Run a kernel on the planes of ``x``, with ``rows`` filters for each channel."""
    groups = x.shape[1]
    p, table, _, phases = layout(x.shape, rows, groups, *axes, packed=False, target=RUN)
    size = -(-(p.plane + ROOM + p.run + ROW * WIDTH) // 16) * 16
    scratch, counter = aligned((get_num_threads(), size)), np.zeros(1, np.int64)
    flat = [array.reshape(-1) for array in (x, other)]
    if kernel is _forward:
        bias, y = arrays
        flat += [bias.reshape(-1), y.reshape(-1), table, phases, p]
    else:
        flat += [table, phases, p, arrays[0].reshape(-1)]
    work = p.N * groups * rows * p.OH * p.OW * p.taps // 4
    launch(kernel, *flat, scratch, counter, work=work)


def convolve(x: Any, W: Any, b: Any, out: Any, stride: Any, pad: Any, dilation: Any) -> Any:
    """Convolve contiguous images with filters (C * multiplier, 1, KH, KW)."""
    y = np.empty((len(x), len(W), *out), np.float32)
    bias = np.zeros((len(W), ROW * WIDTH), np.float32)  # as the sums of a tile start from it
    if b is not None:
        bias[:] = b[:, None]
    axes = _axes(x.shape[2:], W.shape[2:], out, stride, pad, dilation)
    _launch(_forward, axes, x, W, len(W) // x.shape[1], bias, y)
    return y


def weight_grad(x: Any, gy: Any, kernel: Any, stride: Any, pad: Any, dilation: Any) -> Any:
    """Return the gradient (C * multiplier, 1, KH, KW) from contiguous images and gradients."""
    gW = np.empty((gy.shape[1], 1, *kernel), np.float32)
    axes = _axes(x.shape[2:], kernel, gy.shape[2:], stride, pad, dilation)
    _launch(_weight_grad, axes, x, gy, gy.shape[1] // x.shape[1], gW)
    return gW
