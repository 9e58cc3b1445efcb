"""Attention with an online softmax: blocks of scores that stay in the cache.

A block is kept transposed, keys along rows and QUERIES queries along columns: then the softmax of
every query is a sum down a column, done for whole vectors of queries, and of all operands only
the queries (in backward their gradients too) have to be turned; the products read keys and values
where they lie. Source: T. Dao et al., "FlashAttention", 2022; M. Milakov, N. Gimelshein, "Online
normalizer calculation for softmax", 2018.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic
from numpy.lib.stride_tricks import as_strided

from dezero.core.threads import get_num_threads
from dezero.kernels.attention import leading, scale_of
from dezero.kernels.cpu.jit import aligned, apart, claim, compact, routine
from dezero.kernels.cpu.shared import launch, shared
from dezero.kernels.cpu.tiles import copy_rows, transpose, zero
from dezero.kernels.cpu.vectors import (
    PANEL,
    TILE,
    VECTORS,
    _fma,
    _rint,
    _scaled,
    tile,
)

QUERIES, KEYS = 128, 32
"""Columns and rows of a block of scores; QUERIES is a multiple of PANEL."""

_LINE = 16  # floats of a cache line
_ZERO, _ONE = np.float32(0), np.float32(1)
_INFINITY, _LOWEST = np.float32(np.inf), np.finfo(np.float32).min
_LEAST = np.float32(-126)  # 2**x is no smaller normal number
_LOG2E, _LN2 = np.float32(math.log2(math.e)), np.float32(math.log(2))
_C1, _C2, _C3, _C4, _C5 = (
    np.float32(c)
    for c in (0.6931469776, 0.24022242081, 0.055507337397, 0.0096715128325, 0.0013264728144)
)


@intrinsic
def _larger(typing: Any, a: Any, b: Any) -> Any:
    """Return ``a if a > b else b``, without the branch: for that a loop stores under a mask."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", *args), *args)

    return types.float32(types.float32, types.float32), generate


@routine
def _power(x: Any) -> Any:
    """Return ``2**x`` of a float32 that is not above 0, to 1.5e-7; 0 where it would be denormal.

    A polynomial on ``|r| <= 1/2``, fitted to the least relative error. Of infinity and NaN ``r``
    is NaN, and the shift of their exponents adds nothing to it.
    """
    n = _rint(x)
    r = x - n
    p = _fma(_fma(_fma(_fma(_fma(_C5, r, _C4), r, _C3), r, _C2), r, _C1), r, _ONE)
    return _ZERO if x < _LEAST else _scaled(p, n)


@routine
def _turn(x: Any, start: int, step: int, rows: int, depth: int, scale: Any, out: Any) -> None:
    """Write ``scale * x[i, k]`` of some rows to panels ``out[i // PANEL, k, i % PANEL]``."""
    apart()
    p = rows // PANEL * PANEL
    for i in range(0, p, PANEL):
        transpose(x, start + i * step, step, PANEL, depth, out, i * depth, PANEL)
    whole = out[: p * depth]
    for i in range(whole.size):
        whole[i] *= scale
    if p < rows:
        for k in range(depth):
            column = out[p * depth + k * PANEL : p * depth + (k + 1) * PANEL]
            column[:] = _ZERO
            for i in range(rows - p):
                column[i] = x[start + (p + i) * step + k] * scale


@routine
def _copy(
    x: Any, xo: int, xi: int, y: Any, yo: int, yi: int, rows: int, width: int, wide: int
) -> None:
    """Copy rows of numbers, with zeros after each up to ``wide``."""
    compact()
    copy_rows(x, xo, xi, 1, y, yo, yi, rows, width)
    if wide > width:
        for i in range(rows):
            zero(y, yo + i * yi + width, wide - width)


@routine
def _add(
    A: Any, ao: int, ai: int, ak: int, B: Any, bo: int, bk: int, bp: int, C: Any, co: int, ci: int,
    K: int, R: int, N: int,
) -> None:  # fmt: skip
    """Add a product to C: ``C[i, j] += sum A[i, k] B[k, j]``; N is a multiple of PANEL.

    Columns of B lie in panels ``bp`` apart. Two tiles of 4 rows are faster than one of 6 and 2.
    """
    apart()
    for j in range(0, N, PANEL):
        b = bo + j // PANEL * bp
        i = 0
        while R - i >= TILE and R - i != 8:
            tile(A, ao + i * ai, ai, 0, ak, B, b, 0, bk, C, co + i * ci + j, ci, 1, K,
                 TILE, VECTORS, 1)  # fmt: skip
            i += TILE
        while R - i >= 4:
            tile(A, ao + i * ai, ai, 0, ak, B, b, 0, bk, C, co + i * ci + j, ci, 1, K,
                 4, VECTORS, 1)  # fmt: skip
            i += 4
        while R - i > 0:
            tile(A, ao + i * ai, ai, 0, ak, B, b, 0, bk, C, co + i * ci + j, ci, 1, K,
                 1, VECTORS, 1)  # fmt: skip
            i += 1


@routine
def _hide(
    S: Any, i0: int, rows: int, j0: int, keys: int, first: int, causal: bool,
    mask: Any, start: int, mt: int, ms: int,
) -> None:  # fmt: skip
    """Add the mask to a block of scores; minus infinity for keys that a query does not see."""
    apart()
    if mask.size > 0:
        for j in range(keys):
            scores = S[j * QUERIES + first : j * QUERIES + rows]
            at = start + (j0 + j) * ms + (i0 + first) * mt
            added = mask[at : at + 1 + (len(scores) - 1) * mt]
            for i in range(len(scores)):
                a = added[i * mt]
                scores[i] = a if a == -_INFINITY else scores[i] + a
    if causal:
        for j in range(keys):
            unseen = max(first, min(j0 + j - i0, rows))
            S[j * QUERIES + first : j * QUERIES + unseen] = -_INFINITY


@routine
def _softmax(S: Any, keys: int, first: int, lanes: int, top: Any, total: Any, old: Any) -> None:
    """Make powers of 2 of scores; ``top`` and ``total`` go on, ``old`` rescales what was."""
    apart()
    top, total, old = top[first:lanes], total[first:lanes], old[first:lanes]
    width = lanes - first
    for i in range(width):
        old[i] = top[i]
    for j in range(keys):
        row = S[j * QUERIES + first : j * QUERIES + lanes]
        for i in range(width):
            top[i] = _larger(row[i], top[i])
    for i in range(width):
        old[i] = _power(old[i] - top[i])
        total[i] *= old[i]
    for j in range(keys):
        row = S[j * QUERIES + first : j * QUERIES + lanes]
        for i in range(width):
            row[i] = _power(row[i] - top[i])
        for i in range(width):
            total[i] += row[i]


@shared
def _forward(
    q: Any, k: Any, v: Any, mask: Any, y: Any, tops: Any, totals: Any, strides: Any,
    sizes: Any, scale: Any, causal: bool, scratch: Any, counter: Any, t: int, n: int,
) -> None:  # fmt: skip
    """Compute parts of heads; a part is every so manieth block of queries."""
    apart()
    heads, inner, T, S, d, e, parts = sizes
    sq, sk, sv, sm, sy = strides
    if t >= len(scratch[0]):
        return
    width = (e + PANEL - 1) // PANEL * PANEL
    turned, scores, out, keys_, values = (
        scratch[0][t], scratch[1][t], scratch[2][t], scratch[3][t], scratch[4][t],
    )  # fmt: skip
    top, total, old = scratch[5][t], scratch[6][t], scratch[7][t]
    while True:
        task = claim(counter)
        if task >= heads * parts:
            return
        head, part = task // parts, task % parts
        b, h = head // inner, head % inner
        _copy(k, b * sk[0] + h * sk[1], sk[2], keys_, 0, d, S, d, d)
        _copy(v, b * sv[0] + h * sv[1], sv[2], values, 0, width, S, e, width)
        for i0 in range(part * QUERIES, T, parts * QUERIES):
            rows = min(QUERIES, T - i0)
            lanes = (rows + PANEL - 1) // PANEL * PANEL
            q0 = b * sq[0] + h * sq[1] + i0 * sq[2]
            _turn(q, q0, sq[2], rows, d, scale * _LOG2E, turned)
            top[:] = _LOWEST
            total[:] = _ZERO
            out[:] = _ZERO
            stop = min(S, i0 + rows) if causal else S
            for j0 in range(0, stop, KEYS):
                keys = min(KEYS, stop - j0)
                first = max(0, j0 - i0) // PANEL * PANEL if causal else 0
                scores[: keys * QUERIES] = _ZERO
                _add(keys_, j0 * d, d, 1, turned, first * d, PANEL, PANEL * d,
                     scores, first, QUERIES, d, keys, lanes - first)  # fmt: skip
                _hide(scores, i0, rows, j0, keys, first, causal and j0 + keys > i0,
                      mask, b * sm[0] + h * sm[1], sm[3], sm[2])  # fmt: skip
                _softmax(scores, keys, first, lanes, top, total, old)
                for i in range(first, rows):
                    if old[i] != _ONE:
                        row = out[i * width : (i + 1) * width]
                        for c in range(width):
                            row[c] *= old[i]
                _add(scores, first, 1, QUERIES, values, j0 * width, width, PANEL,
                     out, first * width, width, keys, rows - first, width)  # fmt: skip
            y0 = b * sy[0] + h * sy[1] + i0 * sy[2]
            for i in range(rows):
                unseen = total[i] == _ZERO
                share = _ZERO if unseen else _ONE / total[i]
                row, mean = out[i * width : i * width + e], y[y0 + i * sy[2] : y0 + i * sy[2] + e]
                for c in range(e):
                    mean[c] = row[c] * share
                tops[head * T + i0 + i] = top[i]
                totals[head * T + i0 + i] = _INFINITY if unseen else total[i]


@routine
def _slopes(
    P: Any, D: Any, keys: int, first: int, lanes: int, lse: Any, mean: Any, c: Any
) -> None:
    """Make weights of scores in P, and slopes of the weights' gradients in D."""
    apart()
    lse, mean = lse[first:lanes], mean[first:lanes]
    for j in range(keys):
        weights = P[j * QUERIES + first : j * QUERIES + lanes]
        slopes = D[j * QUERIES + first : j * QUERIES + lanes]
        for i in range(lanes - first):
            w = _power(weights[i] - lse[i])
            weights[i] = w
            slopes[i] = w * (slopes[i] - mean[i]) * c


@shared
def _backward(
    gy: Any, q: Any, k: Any, v: Any, mask: Any, y: Any, lse: Any, gq: Any, gk: Any, gv: Any,
    strides: Any, sizes: Any, scale: Any, causal: bool, scratch: Any, counter: Any,
    t: int, n: int,
) -> None:  # fmt: skip
    """Compute parts of heads; a part has every so manieth block of queries and all keys."""
    apart()
    heads, inner, T, S, d, e, parts = sizes
    sg, sq, sk, sv, sm, sy, tq, tk, tv = strides
    if t >= len(scratch[0]):
        return
    depth, width = (d + PANEL - 1) // PANEL * PANEL, (e + PANEL - 1) // PANEL * PANEL
    turned, turned_g, P, D = scratch[0][t], scratch[1][t], scratch[2][t], scratch[3][t]
    queries, slopes, upper = scratch[4][t], scratch[5][t], scratch[6][t]
    keys_, gkeys, values, gvalues = scratch[7][t], scratch[8][t], scratch[9][t], scratch[10][t]
    norms, means = scratch[11][t], scratch[12][t]
    while True:
        task = claim(counter)
        if task >= heads * parts:
            return
        head, part = task // parts, task % parts
        b, h = head // inner, head % inner
        _copy(k, b * sk[0] + h * sk[1], sk[2], keys_, 0, depth, S, d, depth)
        _copy(v, b * sv[0] + h * sv[1], sv[2], values, 0, width, S, e, width)
        gkeys[:] = _ZERO
        gvalues[:] = _ZERO
        for i0 in range(part * QUERIES, T, parts * QUERIES):
            rows = min(QUERIES, T - i0)
            lanes = (rows + PANEL - 1) // PANEL * PANEL
            q0, g0 = b * sq[0] + h * sq[1] + i0 * sq[2], b * sg[0] + h * sg[1] + i0 * sg[2]
            y0, gq0 = b * sy[0] + h * sy[1] + i0 * sy[2], b * tq[0] + h * tq[1] + i0 * tq[2]
            _copy(q, q0, sq[2], queries, 0, depth, rows, d, depth)
            _copy(gy, g0, sg[2], upper, 0, width, rows, e, width)
            _turn(queries, 0, depth, rows, d, scale * _LOG2E, turned)
            _turn(upper, 0, width, rows, e, _ONE, turned_g)
            slopes[:] = _ZERO
            norms[:] = _INFINITY
            means[:] = _ZERO
            for i in range(rows):
                mean, row = y[y0 + i * sy[2] : y0 + i * sy[2] + e], upper[i * width :]
                for c in range(e):
                    means[i] += row[c] * mean[c]
                norms[i] = lse[head * T + i0 + i] * _LOG2E
            stop = min(S, i0 + rows) if causal else S
            for j0 in range(0, stop, KEYS):
                keys = min(KEYS, stop - j0)
                first = max(0, j0 - i0) // PANEL * PANEL if causal else 0
                P[: keys * QUERIES] = _ZERO
                D[: keys * QUERIES] = _ZERO
                _add(keys_, j0 * depth, depth, 1, turned, first * d, PANEL, PANEL * d,
                     P, first, QUERIES, d, keys, lanes - first)  # fmt: skip
                _hide(P, i0, rows, j0, keys, first, causal and j0 + keys > i0,
                      mask, b * sm[0] + h * sm[1], sm[3], sm[2])  # fmt: skip
                _add(values, j0 * width, width, 1, turned_g, first * e, PANEL, PANEL * e,
                     D, first, QUERIES, e, keys, lanes - first)  # fmt: skip
                _slopes(P, D, keys, first, lanes, norms, means, scale)
                _add(P, first, QUERIES, 1, upper, first * width, width, PANEL,
                     gvalues, j0 * width, width, rows - first, keys, width)  # fmt: skip
                _add(D, first, QUERIES, 1, queries, first * depth, depth, PANEL,
                     gkeys, j0 * depth, depth, rows - first, keys, depth)  # fmt: skip
                _add(D, first, 1, QUERIES, keys_, j0 * depth, depth, PANEL,
                     slopes, first * depth, depth, keys, rows - first, depth)  # fmt: skip
            _copy(slopes, 0, depth, gq, gq0, tq[2], rows, d, d)
        gk0, gv0 = part * tk[3] + b * tk[0] + h * tk[1], part * tv[3] + b * tv[0] + h * tv[1]
        _copy(gkeys, 0, depth, gk, gk0, tk[2], S, d, d)
        _copy(gvalues, 0, width, gv, gv0, tv[2], S, e, e)


def attention(q: Any, k: Any, v: Any, mask: Any, is_causal: bool) -> Any:
    """Return the weighted means and the log-normalisers."""
    if not _serves(q, k, v):
        return NotImplemented
    lead = leading(q, k, v)
    (T, d), (S, e) = q.shape[-2:], v.shape[-2:]
    y = _like(q, (*lead, T, e))
    tops, totals = np.empty((2, *lead, T), np.float32)
    arrays, strides = _flat(lead, q, k, v, _prepared(mask, lead, S), y)
    sizes = _sizes(lead, T, S, d, e)
    width = -(-e // PANEL) * PANEL
    scratch = _scratch(
        QUERIES * d, QUERIES * KEYS, QUERIES * width, S * d, S * width, *[QUERIES] * 3
    )
    launch(
        _forward, *arrays, tops.reshape(-1), totals.reshape(-1), strides, sizes,
        np.float32(scale_of(q)), bool(is_causal), scratch,
        np.zeros(1, np.int64), work=4 * sizes[0] * T * S,
    )  # fmt: skip
    return y, (np.log2(totals) + tops) * _LN2


def attention_grad(
    gy: Any, q: Any, k: Any, v: Any, mask: Any, is_causal: bool, y: Any, lse: Any
) -> Any:
    """Return the gradients for queries, keys and values."""
    if not _serves(q, k, v) or gy.dtype != np.float32:
        return NotImplemented
    lead = leading(q, k, v)
    (T, d), (S, e) = q.shape[-2:], v.shape[-2:]
    sizes = _sizes(lead, T, S, d, e)
    beside = _beside(lead, q, k, v) if sizes[-1] == 1 else None
    if beside is None:
        gq = _like(q, (*lead, T, d))
        gk, gv = (_in_parts(x, lead, sizes[-1]) for x in (k, v))
    else:
        gq, gk, gv = beside[0], beside[1][None], beside[2][None]
    arrays, strides = _flat(lead, gy, q, k, v, _prepared(mask, lead, S), y)
    (fq, fk, fv), steps = _flat(lead, gq, gk[0], gv[0])
    steps = tuple((*s[:3], x.strides[0] // 4) for s, x in zip(steps, (gq, gk, gv), strict=True))
    if sizes[-1] > 1:
        fk, fv = gk.reshape(-1), gv.reshape(-1)
    depth, width = (-(-x // PANEL) * PANEL for x in (d, e))
    sizes_of_scratch = (d, e, KEYS, KEYS, depth, depth, width)
    scratch = _scratch(
        *(QUERIES * x for x in sizes_of_scratch),
        *(S * x for x in (depth, depth, width, width)), QUERIES, QUERIES,
    )  # fmt: skip
    launch(
        _backward, *arrays, lse.reshape(-1), fq, fk, fv, (*strides, *steps), sizes,
        np.float32(scale_of(q)), bool(is_causal), scratch,
        np.zeros(1, np.int64), work=4 * sizes[0] * T * S,
    )  # fmt: skip
    gk, gv = (x[0] if len(x) == 1 else x.sum(axis=0) for x in (gk, gv))
    return gq, gk, gv


def _serves(q: Any, k: Any, v: Any) -> bool:
    """Whether the compiled version is for these arrays: float32, and more than a query or two."""
    arrays = (q, k, v)
    if any(type(x) is not np.ndarray or x.dtype != np.float32 for x in arrays):
        return False
    return q.shape[-2] >= 4 and all(x.size > 0 for x in arrays)


def _scratch(*sizes: int) -> tuple[Any, ...]:
    """Return arrays of so many numbers for each thread, all in one, each at a cache line."""
    n = get_num_threads()
    ends = list(itertools.accumulate(-(-n * size // _LINE) * _LINE for size in sizes))
    whole, starts = aligned(ends[-1]), [0, *ends]
    return tuple(
        whole[start : start + n * size].reshape(n, size)
        for start, size in zip(starts, sizes, strict=False)
    )


def _sizes(lead: tuple[int, ...], T: int, S: int, d: int, e: int) -> tuple[int, ...]:
    """Return the sizes that the kernels take.

    That is the number of heads, the length of the last of the leading axes, those of a head, and
    into how many parts heads are cut where there are too few of them to occupy all threads.
    """
    heads, n = math.prod(lead), get_num_threads()
    parts = 1 if heads % n == 0 or heads >= 4 * n else min(n, -(-T // QUERIES))
    return heads, lead[-1] if lead else 1, T, S, d, e, parts


def _like(x: Any, shape: tuple[int, ...]) -> Any:
    """Return an empty array whose axes lie in memory in the order of those of ``x``."""
    if x.ndim == len(shape) <= 4:
        found = np.empty_like(x, shape=shape, subok=False)
        if found.strides[-1] == 4:
            return found
    return np.empty(shape, np.float32)


def _beside(lead: tuple[int, ...], *arrays: Any) -> list[Any] | None:
    """Return empty arrays that lie in one array as these do, None if these do not.

    What was split before attention is joined after it: then nothing need be copied for that.
    Only for arrays that the kernel can write as they lie, and that do not broadcast.
    """
    if any(x.ndim > 4 or x.shape[:-2] != lead or not _plain(x) for x in arrays):
        return None
    whole = arrays[0].base
    if type(whole) is not np.ndarray or not whole.flags.c_contiguous or whole.dtype != np.float32:
        return None
    if whole.size != sum(x.size for x in arrays) or any(x.base is not whole for x in arrays):
        return None
    if any(np.shares_memory(*pair) for pair in itertools.combinations(arrays, 2)):
        return None
    new, start = np.empty_like(whole), whole.ctypes.data
    return [np.ndarray(x.shape, x.dtype, new, x.ctypes.data - start, x.strides) for x in arrays]


def _in_parts(x: Any, lead: tuple[int, ...], parts: int) -> Any:
    """Return empty arrays for what each part adds to the gradient of ``x``."""
    shape = (*lead, *x.shape[-2:])
    return _like(x, shape)[None] if parts == 1 else np.empty((parts, *shape), np.float32)


def _prepared(mask: Any, lead: tuple[int, ...], S: int) -> Any:
    """Return what to add to scores, with queries along the last axis; empty for nothing."""
    if mask is None:
        return np.empty((1,) * len(lead) + (1, 0), np.float32)
    if mask.dtype == bool:
        mask = np.where(mask, _ZERO, -_INFINITY)
    mask = mask.reshape((1,) * (len(lead) + 2 - mask.ndim) + mask.shape)
    whole = np.broadcast_to(mask.astype(np.float32) * _LOG2E, (*mask.shape[:-1], S))
    return np.ascontiguousarray(np.swapaxes(whole, -1, -2))


def _flat(lead: tuple[int, ...], *arrays: Any) -> tuple[list[Any], tuple[tuple[int, ...], ...]]:
    """Return each array as the memory it lies in, and its strides in elements.

    The strides are those of two leading axes, 0 where an array broadcasts, of the rows, and of
    what a row holds, 0 if it is one number. Arrays whose rows are in pieces are copied.
    """
    flat, strides = [], []
    for x in arrays:
        if len(lead) > 2:
            whole = (*lead, *x.shape[-2:])
            x = x if x.shape == whole else np.broadcast_to(x, whole)
            x = x.reshape(math.prod(lead[:-1]), *whole[-3:])
        if not _plain(x):
            x = np.array(x, order="C")
        size = 1 + sum((n - 1) * s for n, s in zip(x.shape, x.strides, strict=True)) // 4
        steps = [0 if n == 1 else s // 4 for n, s in zip(x.shape, x.strides, strict=True)]
        flat.append(as_strided(x, (size if x.size else 0,), (4,)))
        strides.append((*[0] * (4 - x.ndim), *steps))
    return flat, tuple(strides)


def _plain(x: Any) -> bool:
    """Whether rows of ``x`` lie in one piece, and it can be handed on as it is."""
    rows = x.strides[-1] == 4 or x.shape[-1] == 1
    flags = x.flags
    return (
        rows
        and flags.writeable
        and flags.aligned
        and all(s >= 0 and s % 4 == 0 for s in x.strides)
    )
