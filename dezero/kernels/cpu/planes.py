"""Images laid out so that one tap of a filter reads a whole run of places at once.

A block of rows of the output is done at a time. What it reads of each channel is laid out as a
*plane*: rows ``width`` floats apart with zeros between them, so that the places of the output, row
after row, lie ``width`` apart as well and a tap is a fixed offset from them. A few places at the
end of each row belong to no output and are dropped. With a stride, there is a plane for each
remainder (*phase*) of the coordinates. Where rows are short (*packed*) the runs of each tap are
copied out instead, with nothing between them.

The same planes serve every kernel size, stride, padding and dilation; and, with the taps of one
phase of a strided convolution, its gradient for the images.
"""

from __future__ import annotations

import functools
import itertools
from typing import Any, NamedTuple

import numpy as np

from dezero.kernels.cpu.jit import apart, compact, routine
from dezero.kernels.cpu.tiles import clear, copy_rows, zero
from dezero.kernels.cpu.vectors import PANEL, WIDTH

RUN = 256
"""Places of a block, about."""
STAGED = 40 << 10
"""Floats of all planes of a block, about: they stay in the cache of a core."""
DEPTH = 256
"""Products of one sum between two looks at it, about: what they read stays in the first cache."""
SHORT = 12
"""Rows shorter than this are packed."""


class Axis(NamedTuple):
    """One axis: places ``i < out`` read ``i * step + tap`` for each tap, if it is in the image."""

    size: int
    out: int
    step: int
    taps: tuple[int, ...]

    @property
    def low(self) -> int:
        """The first coordinate of a plane. At step 1 rows share the zeros between them."""
        if self.step > 1:
            return min(self.taps)
        return -max(0, -min(self.taps), self.out + max(self.taps) - self.size)

    @property
    def pitch(self) -> int:
        """How far the first places of two rows (or images) are from each other."""
        if self.step > 1:
            return self.out + self.reach
        return max(self.size - self.low, self.out)

    @property
    def reach(self) -> int:
        """How far the last tap is from the place that it serves, in the plane."""
        return (max(self.taps) - self.low) // self.step


class Planes(NamedTuple):
    """The sizes of a convolution, its blocks, and the planes of a block."""

    G: int  # groups
    N: int
    C: int  # channels of a group
    R: int  # output channels of a group
    H: int
    W: int
    OH: int  # places
    OW: int
    sy: int
    sx: int
    low_y: int
    low_x: int
    reach: int  # rows that a block reads beyond its own
    width: int  # floats from row to row
    pitch: int  # rows from image to image
    images: int  # of a block
    rows: int  # of a block
    across: int  # blocks of an image
    blocks: int
    taps: int
    phases: int
    phase: int  # floats of a plane
    plane: int  # floats of a channel: its planes
    chunk: int  # channels that are staged at a time
    run: int  # floats for the places of a block
    packed: int


@functools.lru_cache(1 << 10)
def layout(
    shape: Any,
    rows: int,
    groups: int,
    y: Axis,
    x: Axis,
    joined: bool = True,
    packed: bool | None = None,
    deep: int = 0,
    target: int = RUN,
    threads: int = 1,
) -> tuple[Planes, Any, Any, Any]:
    """Return the sizes, the offsets of each (channel, tap) in planes and packed, and the phases.

    ``joined``: places of several images of a block may have others between them. ``packed``:
    whether rows are, if not as their length says. ``deep``: how many taps one sum has, where not
    all. ``target``: the places of a block, about; packed ones, whose layout is dear, fewer if
    there are not enough blocks for all threads.
    """
    n, c = shape[0], shape[1] // groups
    low_y, low_x, width = y.low, x.low, x.pitch
    if packed is None:
        packed = x.out < SHORT and x.out < width
    image = y.out * x.out if packed else y.pitch * width
    if packed:
        target = min(target, max(2 * PANEL, -(-n * image // threads)))
    images, height, pitch = _block(n, y, image, x.out if packed else width, target)
    if not (joined or packed or (width, pitch) == (x.out, y.out)):
        images = 1
    extent = (images - 1) * pitch + height + y.reach + 1
    keys = [
        ((b - low_y) % y.step, (a - low_x) % x.step) for b, a in itertools.product(y.taps, x.taps)
    ]
    phases = sorted(set(keys))
    phase = extent * width
    plane = -(-len(phases) * phase // 16) * 16
    plane += 16 * (plane // 16 % 2 == 0)  # an odd count of cache lines: channels in other sets
    taps = len(keys)
    places = images * height * x.out if packed else ((images - 1) * pitch + height) * width
    run = -(-places // PANEL) * PANEL
    chunk = max(1, min(c, STAGED // (plane + taps * run * packed), -(-DEPTH // (deep or taps))))
    offsets = [
        phases.index(key) * phase + (b - low_y) // y.step * width + (a - low_x) // x.step
        for key, (b, a) in zip(keys, itertools.product(y.taps, x.taps), strict=True)
    ]
    table = (np.arange(chunk)[:, None] * plane + np.array(offsets)).reshape(-1)
    table = table.astype(np.int64)
    across = -(-y.out // height)
    p = Planes(
        groups, n, c, rows, y.size, x.size, y.out, x.out, y.step, x.step, low_y, low_x, y.reach,
        width, pitch, images, height, across, -(-n // images) * across, taps, len(phases), phase,
        plane, chunk, run, int(packed),
    )  # fmt: skip
    packs = np.arange(chunk * taps, dtype=np.int64) * run
    return p, table, packs, np.array(phases, np.int64)


def _block(n: int, y: Axis, image: int, width: int, target: int) -> tuple[int, int, int]:
    """Return how many images and rows to do at a time, and rows from image to image."""
    if image <= target:
        images = min(n, max(1, target // image))
        return -(-n // -(-n // images)), y.out, y.pitch
    fill = {h: h * width / (-(-h * width // PANEL) * PANEL) for h in range(1, y.out + 1)}
    sizes = [h for h in fill if h * width <= 1.5 * target] or [1]
    even = {h: fill[h] * y.out / (-(-y.out // h) * h) for h in sizes}
    return 1, max(sizes, key=lambda h: (round(even[h], 1), h)), y.pitch


@routine
def place(p: Any, block: int) -> tuple[int, int, int, int]:
    """Return a block's first image, its images, its first row, its rows."""
    i, y = block // p.across * p.images, block % p.across * p.rows
    return i, min(p.images, p.N - i), y, min(p.rows, p.OH - y)


@routine
def stage(
    x: Any, xo: int, C: int, count: int, y0: int, rows: int, p: Any, phases: Any, P: Any
) -> None:
    """Lay out the planes of C channels of some images, from the first one's channel at ``xo``.

    Zeros go beyond the end of a row, which the next one puts right.
    """
    apart()
    image = p.G * p.C * p.H * p.W
    if p.width == p.W and p.taps == p.sx == p.sy == 1 and p.low_x == p.low_y == p.reach == 0:
        for c in range(C):
            for i in range(count):
                start = xo + i * image + (c * p.H + y0) * p.W
                copy_rows(x, start, 0, 1, P, c * p.plane + i * p.pitch * p.W, 0, 1, rows * p.W)
        return
    for c in range(C):
        for k in range(p.phases):
            left = p.low_x + phases[k, 1]
            first = min(max(0, -(left // p.sx)), p.width)
            last = max(first, min(p.width, -(-(p.W - left) // p.sx)))
            for i in range(count):
                start = xo + i * image + c * p.H * p.W + left + first * p.sx
                for r in range(rows + p.reach + 1):
                    at = c * p.plane + k * p.phase + (i * p.pitch + r) * p.width
                    row = (y0 + r) * p.sy + p.low_y + phases[k, 0]
                    if row < 0 or row >= p.H:
                        zero(P, at, p.width)
                        continue
                    for j in range(0, first, WIDTH):
                        clear(P, at + j)
                    copy_rows(x, start + row * p.W, 0, p.sx, P, at + first, 0, 1, last - first)
                    for j in range(last, p.width, WIDTH):
                        clear(P, at + j)


@routine
def pack(C: int, count: int, rows: int, p: Any, P: Any, table: Any, Q: Any) -> None:
    """Copy out the runs of each channel and tap, row after row, with nothing between them."""
    compact()
    for k in range(C * p.taps):
        for i in range(count):
            copy_rows(P, table[k] + i * p.pitch * p.width, p.width, 1,
                      Q, k * p.run + i * rows * p.OW, p.OW, rows, p.OW)  # fmt: skip
