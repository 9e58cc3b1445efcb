"""Batch normalisation: a channel's part of the batch stays in the cache from sums to result.

Threads take channels, so nothing depends on how many there are. Large images go plane by plane
(the pixels of one channel of one example); small ones, and rows of features, go column by column:
the pixels of several channels side by side, so that there is something to run vectors over.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dezero.core.threads import get_num_threads
from dezero.kernels.cpu.jit import SMALL, aligned, routine, share_of
from dezero.kernels.cpu.normalization import flat, single
from dezero.kernels.cpu.reductions import dot_about, minus, moments_about, total
from dezero.kernels.cpu.shared import launch, shared, spread

f = np.float32
_ZERO = f(0)
_PLANE = 32  # pixels from which planes are quicker than columns
_TILE = 1024  # columns that are worked on together


@shared
def _planes(
    x: Any, gamma: Any, beta: Any, eps: float, given: bool, mean: Any, var: Any, y: Any,
    t: int, n: int,
) -> None:  # fmt: skip
    """Normalise ``x`` of shape (examples, channels, pixels)."""
    start, stop = share_of(x.shape[1], t, n)
    size = np.float64(x.shape[0] * x.shape[2])
    for c in range(start, stop):
        if not given:
            # About the mean of the first plane, one pass is enough: its distance from the mean of
            # all is part of the variance, so squares are at most len(x) times too large.
            centre = f(total(x[0, c]) / np.float64(x.shape[2]))
            first, second = 0.0, 0.0
            for i in range(len(x)):
                a, b = moments_about(x[i, c], centre)
                first += a
                second += b
            first /= size
            mean[c] = centre + f(first)
            var[c] = f(_not_negative(second / size - first * first))
        m = mean[c]
        a, b = f(np.float64(gamma[c]) / math.sqrt(var[c] + eps)), beta[c]
        for i in range(len(x)):
            plane, out = x[i, c], y[i, c]
            for j in range(plane.size):
                out[j] = minus(plane[j], m) * a + b


@shared
def _planes_relu(
    x: Any, gamma: Any, beta: Any, eps: float, mean: Any, var: Any, residual: Any, added: bool,
    y: Any, t: int, n: int,
) -> None:  # fmt: skip
    start, stop = share_of(x.shape[0], t, n)
    for k in range(start, stop):
        plane, out, other, c = x[k], y[k], residual[k], k % gamma.size
        scale = np.float64(gamma[c]) / math.sqrt(var[c] + eps)
        a, b = f(scale), f(beta[c] - mean[c] * scale)
        if added:
            for j in range(plane.size):
                v = plane[j] * a + b + other[j]
                out[j] = _ZERO if v < _ZERO else v
        else:
            for j in range(plane.size):
                v = plane[j] * a + b
                out[j] = _ZERO if v < _ZERO else v


@shared
def _planes_grad(
    gy: Any, x: Any, gamma: Any, mean: Any, inv_std: Any, fixed: bool,
    gx: Any, ggamma: Any, gbeta: Any, t: int, n: int,
) -> None:  # fmt: skip
    start, stop = share_of(x.shape[1], t, n)
    size = np.float64(x.shape[0] * x.shape[2])
    for c in range(start, stop):
        m, s = mean[c], inv_std[c]
        first, second = 0.0, 0.0
        for i in range(len(x)):
            a, b = dot_about(gy[i, c], x[i, c], m)
            first += a
            second += b
        ggamma[c], gbeta[c] = f(second * s), f(first)
        scale = gamma[c] * s
        shift, slope = f(first / size) * scale, f(second / size * s * s) * scale
        for i in range(len(x)):
            g, plane, out = gy[i, c], x[i, c], gx[i, c]
            if fixed:
                for j in range(plane.size):
                    out[j] = g[j] * scale
            else:
                for j in range(plane.size):
                    out[j] = g[j] * scale - shift - minus(plane[j], m) * slope


@shared
def _columns(
    x: Any, gamma: Any, beta: Any, eps: float, given: bool, mean: Any, var: Any, y: Any,
    pixels: int, narrow: Any, wide: Any, t: int, n: int,
) -> None:  # fmt: skip
    """Normalise ``x`` of shape (examples, channels times pixels), a tile of channels at a time.

    ``narrow`` and ``wide`` are scratch for each thread: rows of float32 and of float64.
    """
    start, stop = share_of(gamma.size, t, n)
    step = max(1, _TILE // pixels)
    size = np.float64(len(x) * pixels)
    for c in range(start, stop, step):
        lo, hi = c * pixels, min(c + step, stop) * pixels
        m, a, b = narrow[t, 0, : hi - lo], narrow[t, 1, : hi - lo], narrow[t, 2, : hi - lo]
        first, second = wide[t, 0, : hi - lo], wide[t, 1, : hi - lo]
        if not given:
            _spread(x[0, lo:hi:pixels], m, pixels)
            wide[t] = 0.0
            for i in range(len(x)):
                row = x[i, lo:hi]
                for j in range(row.size):
                    d = np.float64(row[j]) - np.float64(m[j])
                    first[j] += d
                    second[j] += d * d
        for j in range(0, hi - lo, pixels):
            k = (lo + j) // pixels
            if not given:
                p, q = _sums(first, second, j, pixels)
                p /= size
                mean[k] = f(np.float64(m[j]) + p)
                var[k] = f(_not_negative(q / size - p * p))
            a[j] = f(np.float64(gamma[k]) / math.sqrt(np.float64(var[k]) + eps))
        _spread(mean[c:stop], m, pixels)
        _spread(beta[c:stop], b, pixels)
        _spread(a[::pixels], a, pixels)
        for i in range(len(x)):
            row, out = x[i, lo:hi], y[i, lo:hi]
            for j in range(row.size):
                out[j] = minus(row[j], m[j]) * a[j] + b[j]


@shared
def _columns_grad(
    gy: Any, x: Any, gamma: Any, mean: Any, inv_std: Any, fixed: bool,
    gx: Any, ggamma: Any, gbeta: Any, pixels: int, narrow: Any, wide: Any, t: int, n: int,
) -> None:  # fmt: skip
    start, stop = share_of(gamma.size, t, n)
    step = max(1, _TILE // pixels)
    size = np.float64(len(x) * pixels)
    for c in range(start, stop, step):
        lo, hi = c * pixels, min(c + step, stop) * pixels
        m, scale = narrow[t, 0, : hi - lo], narrow[t, 1, : hi - lo]
        shift, slope = narrow[t, 2, : hi - lo], narrow[t, 3, : hi - lo]
        first, second = wide[t, 0, : hi - lo], wide[t, 1, : hi - lo]
        _spread(mean[c:stop], m, pixels)
        wide[t] = 0.0
        for i in range(len(x)):
            g, row = gy[i, lo:hi], x[i, lo:hi]
            for j in range(row.size):
                first[j] += np.float64(g[j])
                second[j] += np.float64(g[j] * minus(row[j], m[j]))
        for j in range(0, hi - lo, pixels):
            k = (lo + j) // pixels
            p, q = _sums(first, second, j, pixels)
            s = np.float64(inv_std[k])
            gbeta[k], ggamma[k] = f(p), f(q * s)
            scale[j] = gamma[k] * inv_std[k]
            shift[j] = _ZERO if fixed else f(p / size) * scale[j]
            slope[j] = _ZERO if fixed else f(q / size * s * s) * scale[j]
        for row in (scale, shift, slope):
            _spread(row[::pixels], row, pixels)
        for i in range(len(x)):
            g, row, out = gy[i, lo:hi], x[i, lo:hi], gx[i, lo:hi]
            if fixed:
                for j in range(row.size):
                    out[j] = g[j] * scale[j]
            else:
                for j in range(row.size):
                    out[j] = g[j] * scale[j] - shift[j] - minus(row[j], m[j]) * slope[j]


@routine
def _not_negative(x: Any) -> Any:
    """Return 0 for what is less, and NaN for NaN, which ``max`` would lose."""
    return 0.0 if x < 0.0 else x


@routine
def _spread(values: Any, out: Any, pixels: int) -> None:
    """Repeat each of the values ``pixels`` times; ``out`` may be where they come from."""
    for k in range(out.size // pixels):
        value = values[k]
        for i in range(k * pixels, (k + 1) * pixels):
            out[i] = value


@routine
def _sums(first: Any, second: Any, start: int, count: int) -> Any:
    """Return the sums of parts of two vectors."""
    p, q = 0.0, 0.0
    for j in range(start, start + count):
        p += first[j]
        q += second[j]
    return p, q


def batch_norm(x: Any, gamma: Any, beta: Any, eps: float, mean: Any, var: Any) -> Any:
    """Normalise each channel; return ``y, mean, var``."""
    given = mean is not None
    if not given:
        mean, var = (np.empty(gamma.size, np.float32) for _ in range(2))
    if not single(x, gamma, beta):
        return NotImplemented
    y = np.empty(x.shape, np.float32)
    stats = [flat(a.astype(np.float32, copy=False)) for a in (mean, var)]
    _run(_planes, _columns, (x,), (flat(gamma), flat(beta), eps, given, *stats), (y,))
    return y, mean, var


def normalised_relu(
    x: Any, gamma: Any, beta: Any, eps: float, mean: Any, var: Any, residual: Any
) -> Any:
    """Return the positive part of ``x`` normalised by given statistics, plus ``residual``."""
    pixels = math.prod(x.shape[2:])
    added = residual is not None
    if pixels < _PLANE or not single(x, gamma, beta, *((residual,) if added else ())):
        return NotImplemented
    vectors = [flat(a) for a in (gamma, beta)]
    stats = [flat(a.astype(np.float32, copy=False)) for a in (mean, var)]
    y = np.empty(x.shape, np.float32)
    x, residual = (np.ascontiguousarray(a) for a in (x, residual if added else x))
    planes = [a.reshape(-1, pixels) for a in (x, residual, y)]
    launch(
        _planes_relu, planes[0], *vectors, eps, *stats, planes[1], added, planes[2], work=x.size
    )
    return y


def batch_norm_grad(gy: Any, x: Any, gamma: Any, mean: Any, inv_std: Any, fixed: bool) -> Any:
    """Return the gradients for ``x``, ``gamma`` and ``beta``."""
    if not single(gy, x, gamma, mean, inv_std):
        return NotImplemented
    gx = np.empty(x.shape, np.float32)
    ggamma, gbeta = (np.empty(gamma.size, np.float32) for _ in range(2))
    params = (flat(gamma), flat(mean), flat(inv_std), fixed)
    _run(_planes_grad, _columns_grad, (gy, x), params, (gx,), (ggamma, gbeta))
    return gx, ggamma, gbeta


def _run(planes: Any, columns: Any, images: Any, params: Any, result: Any, sums: Any = ()) -> None:
    """Run the kernel that is quicker for the shape."""
    shape = result[0].shape
    pixels = math.prod(shape[2:])
    images = [np.ascontiguousarray(a) for a in images]
    size = result[0].size
    if pixels >= _PLANE:
        cut = [a.reshape(*shape[:2], pixels) for a in (*images, *result)]
        launch(planes, *cut[: len(images)], *params, *cut[len(images) :], *sums, work=size)
        return
    cut = [a.reshape(len(a), -1) for a in (*images, *result)]
    threads = 1 if size < SMALL else get_num_threads()
    width = max(_TILE, pixels)
    scratch = aligned((threads, 4, width)), aligned((threads, 2, width), np.float64)
    spread(
        columns, *cut[: len(images)], *params, *cut[len(images) :], *sums, pixels, *scratch,
        threads=threads,
    )  # fmt: skip
