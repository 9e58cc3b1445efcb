"""Pooling plane by plane: maxima and their places in one pass, and gradients without a search.

Rows of pooled images are short, so a row is cut into vectors of a few lanes, and the last one
overlaps the one before instead of leaving a remainder. Windows over the border go one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from dezero.kernels.convolution import Geometry, geometry
from dezero.kernels.cpu.jit import share_of
from dezero.kernels.cpu.shared import launch, shared
from dezero.kernels.cpu.vectors import base, f32, i32, number

i8 = ir.IntType(8)
LANES, NARROW = 8, 4
"""How many windows are done at once: LLVM cuts such a vector in two where registers are less."""
_ZERO, _ONE = np.float32(0), np.float32(1)


def _vector(b: Any, pointer: Any, kind: Any) -> Any:
    loaded = b.load(b.bitcast(pointer, kind.as_pointer()), typ=kind)
    loaded.align = 1 if kind.element is i8 else 4
    return loaded


def _put(b: Any, vector: Any, pointer: Any) -> None:
    store = b.store(vector, b.bitcast(pointer, vector.type.as_pointer()))
    store.align = 1 if vector.type.element is i8 else 4


def _shuffled(b: Any, left: Any, right: Any, order: Any) -> Any:
    order = [int(i) for i in order]
    return b.shuffle_vector(left, right, ir.Constant(ir.VectorType(i32, len(order)), order))


def _splat(b: Any, scalar: Any, lanes: int) -> Any:
    """Return a vector of one number."""
    vector = ir.Constant(ir.VectorType(scalar.type, lanes), ir.Undefined)
    for lane in range(lanes):
        vector = b.insert_element(vector, scalar, ir.Constant(i32, lane))
    return vector


def _taps(b: Any, start: Any, window: Any, stride: int, lanes: int) -> Iterator[Any]:
    """Emit the loops over the taps of ``lanes`` windows, in row-major order.

    Yields where the code stands that a tap's values are to meet, and ``None`` at a row's end.
    ``start`` points to the first tap of the first window; ``window`` is the length of a row of
    the image, and the window's height and width.
    """
    row, kh, kw = window
    kind, pairs = ir.VectorType(f32, lanes), ir.VectorType(f32, 2 * lanes)
    with cgutils.for_range(b, kh) as down:
        line = b.gep(start, [b.mul(down.index, row)], source_etype=f32)
        if stride == 2:
            both = _vector(b, line, pairs)
            yield _shuffled(b, both, both, range(0, 2 * lanes, 2))
        else:
            yield _vector(b, line, kind)
        with cgutils.for_range(b, b.sub(kw, number(1))) as along:
            before = b.gep(line, [along.index], source_etype=f32)
            if stride == 2:  # every second float from the second on: none behind the last one
                both = _vector(b, before, pairs)
                yield _shuffled(b, both, both, range(1, 2 * lanes, 2))
            else:
                yield _vector(b, b.gep(before, [number(1)], source_etype=f32), kind)
        yield None


def _place(context: Any, b: Any, signature: Any, args: Any, i: int) -> Any:
    """Return the pointer to the element of array ``args[i]`` whose number is the next argument."""
    array = signature.args[i]
    pointer = base(context, b, array, args[i])
    kind = i8 if array.dtype == types.uint8 else f32
    return b.gep(pointer, [args[i + 1]], source_etype=kind)


def _literals(*arguments: Any) -> Any:
    """Return the values of literal arguments, None where one is no literal yet."""
    if all(isinstance(a, types.IntegerLiteral) for a in arguments):
        return tuple(a.literal_value for a in arguments)
    return None


@intrinsic(prefer_literal=True)
def maxima(
    typing: Any, x: Any, x0: Any, row: Any, kh: Any, kw: Any, tap: Any, skip: Any,
    y: Any, y0: Any, w: Any, w0: Any, S: Any, L: Any,
) -> Any:  # fmt: skip
    """Write the maxima of L windows side by side to ``y``, and which taps won to ``w``.

    ``x0`` is the place of the first tap and ``tap`` its number, ``skip`` how many numbers lie
    between two rows of taps, ``row`` the length of a row of the image. The literal ``S`` is the
    stride, 1 or 2; with 2 a window has two columns or more.
    """
    if (literals := _literals(S, L)) is None:
        return None
    stride, lanes = literals
    n, kind, whole = types.int64, ir.VectorType(f32, lanes), ir.VectorType(i32, lanes)

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        best = cgutils.alloca_once_value(b, ir.Constant(kind, [float("-inf")] * lanes))
        first = _splat(b, b.trunc(args[5], i32), lanes)
        winner, tap = (cgutils.alloca_once_value(b, first) for _ in range(2))
        between = _splat(b, b.trunc(args[6], i32), lanes)

        def meet(value: Any) -> None:
            old, here = b.load(best), b.load(tap)
            # "Not at most" lets a NaN win; the first NaN stays.
            wins = b.and_(b.fcmp_ordered("ord", old, old), b.fcmp_unordered(">", value, old))
            b.store(b.select(wins, value, old), best)
            b.store(b.select(wins, here, b.load(winner)), winner)
            b.store(b.add(here, ir.Constant(whole, [1] * lanes)), tap)

        start = _place(context, b, signature, args, 0)
        for value in _taps(b, start, args[2:5], stride, lanes):
            if value is None:  # the end of a row
                b.store(b.add(b.load(tap), between), tap)
            else:
                meet(value)
        _put(b, b.load(best), _place(context, b, signature, args, 7))
        taps = b.trunc(b.load(winner), ir.VectorType(i8, lanes))
        _put(b, taps, _place(context, b, signature, args, 9))
        return context.get_dummy_value()

    return types.void(x, n, n, n, n, n, n, y, n, w, n, S, L), generate


@intrinsic(prefer_literal=True)
def sums(
    typing: Any, x: Any, x0: Any, row: Any, kh: Any, kw: Any,
    y: Any, y0: Any, scale: Any, S: Any, L: Any,
) -> Any:  # fmt: skip
    """Write ``scale`` times the sums of L windows side by side; the rest as for :func:`maxima`."""
    if (literals := _literals(S, L)) is None:
        return None
    stride, lanes = literals
    n, kind = types.int64, ir.VectorType(f32, lanes)

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        total = cgutils.alloca_once_value(b, ir.Constant(kind, [0.0] * lanes))
        start = _place(context, b, signature, args, 0)
        for value in _taps(b, start, args[2:5], stride, lanes):
            if value is not None:
                b.store(b.fadd(b.load(total), value), total)
        scaled = b.fmul(b.load(total), _splat(b, args[7], lanes))
        _put(b, scaled, _place(context, b, signature, args, 5))
        return context.get_dummy_value()

    return types.void(x, n, n, n, n, y, n, types.float32, S, L), generate


@intrinsic(prefer_literal=True)
def deal(
    typing: Any, gy: Any, g0: Any, w: Any, w0: Any, tap: Any, gx: Any, x0: Any, L: Any
) -> Any:
    """Write a row of L windows of two columns: each gets ``gy`` where its tap won, 0 elsewhere.

    ``tap`` is the number of the row's left tap.
    """
    if (literals := _literals(L)) is None:
        return None
    (lanes,) = literals
    n, kind, whole = types.int64, ir.VectorType(f32, lanes), ir.VectorType(i32, lanes)

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        values = _vector(b, _place(context, b, signature, args, 0), kind)
        taps = _vector(b, _place(context, b, signature, args, 2), ir.VectorType(i8, lanes))
        taps = b.sub(b.zext(taps, whole), _splat(b, b.trunc(args[4], i32), lanes))
        zero = ir.Constant(kind, [0.0] * lanes)
        one, other = (
            b.select(b.icmp_signed("==", taps, ir.Constant(whole, [j] * lanes)), values, zero)
            for j in (0, 1)
        )
        order = np.arange(2 * lanes).reshape(2, lanes).T.ravel()
        _put(b, _shuffled(b, one, other, order), _place(context, b, signature, args, 5))
        return context.get_dummy_value()

    return types.void(gy, n, w, n, n, gx, n, L), generate


@shared
def _maxima(x: Any, y: Any, w: Any, sizes: Any, window: Any, inside: Any, t: int, n: int) -> None:
    h, width, oh, ow = sizes
    kh, kw, sh, sw, ph, pw = window
    top, bottom, left, right, lanes = inside
    start, stop = share_of(y.size // (oh * ow), t, n)
    for p in range(start, stop):
        for i in range(oh):
            y0, up = (p * oh + i) * ow, i * sh - ph
            o, x0 = 0, (p * h + up) * width - pw
            while o < ow:
                if top <= i < bottom and left <= o < right:
                    o = min(o, right - lanes)  # the last vector overlaps the one before
                    c = y0 + o
                    if lanes == NARROW:
                        maxima(x, x0 + o * sw, width, kh, kw, 0, 0, y, c, w, c, 2, NARROW)
                    elif sw == 2:
                        maxima(x, x0 + o * sw, width, kh, kw, 0, 0, y, c, w, c, 2, LANES)
                    else:
                        maxima(x, x0 + o * sw, width, kh, kw, 0, 0, y, c, w, c, 1, LANES)
                    o += lanes
                else:  # a window over the border: the part of it inside
                    a, c = max(0, -up), max(0, pw - o * sw)
                    rows, columns = min(kh, h - up) - a, min(kw, width + pw - o * sw) - c
                    maxima(
                        x, x0 + a * width + o * sw + c, width, rows, columns,
                        a * kw + c, kw - columns, y, y0 + o, w, y0 + o, 1, 1,
                    )  # fmt: skip
                    o += 1


def max_pooling_with_winners(x: Any, kernel_size: Any, stride: Any = 1, pad: Any = 0) -> Any:
    """Return the maxima, and which tap of each window won, as bytes."""
    g = geometry(x.shape[2:], kernel_size, stride, pad)
    taps = g.kernel[0] * g.kernel[1]
    if x.dtype != np.float32 or not _sound(g) or taps > np.iinfo(np.uint8).max:
        return NotImplemented
    y = np.empty((*x.shape[:2], *g.out), np.float32)
    w = np.empty(y.shape, np.uint8)
    launch(_maxima, _flat(x), _flat(y), _flat(w), *_numbers(g), work=4 * x.size)
    return y, w


def max_pooling(x: Any, kernel_size: Any, stride: Any = 1, pad: Any = 0) -> Any:
    """Return the maxima: the winners come at no cost."""
    result = max_pooling_with_winners(x, kernel_size, stride, pad)
    return result if result is NotImplemented else result[0]


@shared
def _scatter(
    gy: Any, w: Any, places: Any, gx: Any, sizes: Any, window: Any, t: int, n: int
) -> None:
    h, width, oh, ow = sizes
    start, stop = share_of(gx.size // (h * width), t, n)
    for p in range(start, stop):
        gx[p * h * width : (p + 1) * h * width] = _ZERO
        for i in range(oh):
            q, x0 = (p * oh + i) * ow, (p * h + i * window[2]) * width
            for o in range(ow):
                gx[x0 + o * window[3] + places[w[q + o]]] += gy[q + o]


@shared
def _scatter_pairs(gy: Any, w: Any, gx: Any, sizes: Any, t: int, n: int) -> None:
    h, width, oh, ow = sizes
    start, stop = share_of(gx.size // (h * width), t, n)
    for p in range(start, stop):
        for i in range(2 * oh):
            g0, x0, tap, o = (p * oh + i // 2) * ow, (p * h + i) * width, i % 2 * 2, 0
            while o < ow:
                if ow >= LANES:
                    o = min(o, ow - LANES)  # the last vector overlaps the one before
                    deal(gy, g0 + o, w, g0 + o, tap, gx, x0 + 2 * o, LANES)
                    o += LANES
                elif ow >= NARROW:
                    o = min(o, ow - NARROW)
                    deal(gy, g0 + o, w, g0 + o, tap, gx, x0 + 2 * o, NARROW)
                    o += NARROW
                else:
                    deal(gy, g0 + o, w, g0 + o, tap, gx, x0 + 2 * o, 1)
                    o += 1
            if width > 2 * ow:
                gx[x0 + width - 1] = _ZERO
        gx[(p * h + 2 * oh) * width : (p + 1) * h * width] = _ZERO


@shared
def _gather(x: Any, w: Any, places: Any, y: Any, sizes: Any, window: Any, t: int, n: int) -> None:
    h, width, oh, ow = sizes
    start, stop = share_of(x.size // (h * width), t, n)
    for p in range(start, stop):
        for i in range(oh):
            q, x0 = (p * oh + i) * ow, (p * h + i * window[2]) * width
            for o in range(ow):
                y[q + o] = x[x0 + o * window[3] + places[w[q + o]]]


def pool_scatter(gy: Any, w: Any, x_size: Any, kernel_size: Any, stride: Any, pad: Any) -> Any:
    """Return images of ``x_size`` with ``gy`` added to the places that won."""
    g = geometry(x_size, kernel_size, stride, pad)
    if gy.dtype != np.float32 or not _fits(g, w, gy, g.out):
        return NotImplemented
    gx = np.empty((*gy.shape[:2], *g.size), np.float32)
    sizes, window, _ = _numbers(g)
    arrays = _flat(gy), _flat(w)
    if window == (2, 2, 2, 2, 0, 0):
        launch(_scatter_pairs, *arrays, _flat(gx), sizes, work=2 * gx.size)
    else:
        launch(_scatter, *arrays, _places(g), _flat(gx), sizes, window, work=2 * gx.size)
    return gx


def pool_gather(x: Any, w: Any, kernel_size: Any, stride: Any, pad: Any) -> Any:
    """Return what images hold at the places that won."""
    g = geometry(x.shape[2:], kernel_size, stride, pad)
    if x.dtype != np.float32 or not _fits(g, w, x, g.size):
        return NotImplemented
    y = np.empty(w.shape, np.float32)
    sizes, window, _ = _numbers(g)
    launch(_gather, _flat(x), _flat(w), _places(g), _flat(y), sizes, window, work=4 * y.size)
    return y


@shared
def _means(x: Any, y: Any, sizes: Any, window: Any, inside: Any, t: int, n: int) -> None:
    h, width, oh, ow = sizes
    kh, kw, sh, sw, ph, pw = window
    top, bottom, left, right, lanes = inside
    scale = _ONE / np.float32(kh * kw)
    start, stop = share_of(y.size // (oh * ow), t, n)
    for p in range(start, stop):
        for i in range(oh):
            y0, up = (p * oh + i) * ow, i * sh - ph
            o, x0 = 0, (p * h + up) * width - pw
            while o < ow:
                if top <= i < bottom and left <= o < right:
                    o = min(o, right - lanes)
                    if lanes == NARROW:
                        sums(x, x0 + o * sw, width, kh, kw, y, y0 + o, scale, 2, NARROW)
                    elif sw == 2:
                        sums(x, x0 + o * sw, width, kh, kw, y, y0 + o, scale, 2, LANES)
                    else:
                        sums(x, x0 + o * sw, width, kh, kw, y, y0 + o, scale, 1, LANES)
                    o += lanes
                else:
                    a, c = max(0, -up), max(0, pw - o * sw)
                    rows, columns = min(kh, h - up) - a, min(kw, width + pw - o * sw) - c
                    x1 = x0 + a * width + o * sw + c
                    if columns == width:
                        rows, columns = 1, rows * width  # one long row
                    total = _ZERO
                    for r in range(rows):
                        for v in x[x1 + r * width : x1 + r * width + columns]:
                            total += v
                    y[y0 + o] = total * scale
                    o += 1


@shared
def _spread(gy: Any, gx: Any, sizes: Any, window: Any, t: int, n: int) -> None:
    h, width, oh, ow = sizes
    kh, kw, sh, sw, ph, pw = window
    scale = _ONE / np.float32(kh * kw)
    start, stop = share_of(gx.size // (h * width), t, n)
    for p in range(start, stop):
        gx[p * h * width : (p + 1) * h * width] = _ZERO
        for i in range(oh):
            for o in range(ow):
                share = gy[(p * oh + i) * ow + o] * scale
                left, right = max(0, o * sw - pw), min(width, o * sw - pw + kw)
                for a in range(max(0, i * sh - ph), min(h, i * sh - ph + kh)):
                    row = gx[(p * h + a) * width + left : (p * h + a) * width + right]
                    for j in range(row.size):
                        row[j] += share


@shared
def _spread_apart(gy: Any, gx: Any, sizes: Any, kh: int, kw: int, t: int, n: int) -> None:
    h, width, oh, ow = sizes
    scale = _ONE / np.float32(kh * kw)
    start, stop = share_of(gx.size // (h * width), t, n)
    for p in range(start, stop):
        for i in range(oh):
            x0, q = (p * h + i * kh) * width, (p * oh + i) * ow
            for c in range(kw):
                for o in range(ow):
                    gx[x0 + o * kw + c] = gy[q + o] * scale
            for c in range(ow * kw, width):
                gx[x0 + c] = _ZERO
            for c in range(width, kh * width):
                gx[x0 + c] = gx[x0 + c - width]
        for c in range((p * h + oh * kh) * width, (p + 1) * h * width):
            gx[c] = _ZERO


def average_pooling(x: Any, kernel_size: Any, stride: Any = 1, pad: Any = 0) -> Any:
    """Return the means."""
    g = geometry(x.shape[2:], kernel_size, stride, pad)
    if x.dtype != np.float32 or not _sound(g):
        return NotImplemented
    y = np.empty((*x.shape[:2], *g.out), np.float32)
    launch(_means, _flat(x), _flat(y), *_numbers(g), work=2 * x.size)
    return y


def average_pooling_grad(
    gy: Any, x_size: Any, kernel_size: Any, stride: Any = 1, pad: Any = 0
) -> Any:
    """Return images of ``x_size`` with each value of ``gy`` spread over its window."""
    g = geometry(x_size, kernel_size, stride, pad)
    if gy.dtype != np.float32 or not _sound(g) or gy.shape[2:] != g.out:
        return NotImplemented
    gx = np.empty((*gy.shape[:2], *g.size), np.float32)
    sizes, window, _ = _numbers(g)
    if g.kernel == g.stride and g.pad == (0, 0):
        launch(_spread_apart, _flat(gy), _flat(gx), sizes, *g.kernel, work=2 * gx.size)
    else:
        launch(_spread, _flat(gy), _flat(gx), sizes, window, work=2 * gx.size)
    return gx


def _flat(x: Any) -> Any:
    return np.ascontiguousarray(x).reshape(-1)


def _sound(g: Geometry) -> bool:
    """Whether there are windows, and none of them lies in the padding alone."""
    return min(g.out) > 0 and all(p < k for p, k in zip(g.pad, g.kernel, strict=True))


def _fits(g: Geometry, w: Any, values: Any, size: Any) -> bool:
    """Whether bytes ``w`` are the winners of such windows, and ``values`` are of ``size``."""
    if w.dtype != np.uint8 or not _sound(g):
        return False
    return w.shape[2:] == g.out and bool(values.shape == (*w.shape[:2], *size))


def _places(g: Geometry) -> Any:
    """Return how far each tap lies from where its window begins in an image without padding."""
    taps = np.arange(256)
    kh, kw = g.kernel
    places = (taps // kw - g.pad[0]) * g.size[1] + taps % kw - g.pad[1]
    return np.where(taps < kh * kw, places, 0)


def _numbers(g: Geometry) -> tuple[Any, Any, Any]:
    """Return what kernels take: the sizes, the window, and which windows lie inside.

    Those inside, from and to, down and along, are done as vectors of the lanes that come last.
    """
    (top, bottom), (left, right) = (_inside(g, axis) for axis in (0, 1))
    paired = g.stride[1] == 2 and g.kernel[1] > 1
    lanes = NARROW if paired and right - left < LANES else LANES
    if right - left < lanes or not (paired or g.stride[1] == 1):
        right = left
    return (*g.size, *g.out), (*g.kernel, *g.stride, *g.pad), (top, bottom, left, right, lanes)


def _inside(g: Geometry, axis: int) -> tuple[int, int]:
    """Return the windows along an axis, from and to, that do not hang over the border."""
    size, k, s, p, out = (a[axis] for a in (g.size, g.kernel, g.stride, g.pad, g.out))
    first = min(-(-p // s), out)
    return first, max(first, min(out, (size + p - k) // s + 1))
