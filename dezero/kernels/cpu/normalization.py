"""Normalisation of rows: layer, root mean square and group.

A row stays in the cache from its statistics to its result. Sums of squares are taken about the
mean, or close to it, so that a large mean costs no digits.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dezero.kernels.cpu.jit import rows, share_of
from dezero.kernels.cpu.reductions import dot_about, minus, moments_about, total
from dezero.kernels.cpu.shared import launch, shared

f = np.float32
_ZERO = f(0)
_PART = 1 << 15  # elements whose gradients for gamma and beta are added up before the parts are
_PLANE = 16  # shorter channels are left to the reference


@shared
def _layer_norm(
    x: Any, gamma: Any, beta: Any, eps: float, centred: bool,
    y: Any, mean: Any, inv_std: Any, t: int, n: int,
) -> None:  # fmt: skip
    start, stop = share_of(len(x), t, n)
    size = np.float64(x.shape[1])
    for r in range(start, stop):
        row, out = x[r], y[r]
        m = f(total(row) / size) if centred else _ZERO
        first, second = moments_about(row, m)
        if centred:
            first /= size
            m += f(first)
            second -= size * first * first
        s = f(1.0 / math.sqrt(second / size + eps))
        mean[r], inv_std[r] = m, s
        for j in range(row.size):
            out[j] = minus(row[j], m) * s * gamma[j] + beta[j]


@shared
def _layer_norm_grad(
    gy: Any, x: Any, gamma: Any, mean: Any, inv_std: Any, centred: bool,
    gx: Any, ggammas: Any, gbetas: Any, t: int, n: int,
) -> None:  # fmt: skip
    """Rows go in parts, each with its own sums for gamma and beta: so these depend on nothing."""
    start, stop = share_of(len(ggammas), t, n)
    share = f(1.0 / x.shape[1])
    for p in range(start, stop):
        first, last = share_of(len(x), p, len(ggammas))
        ggamma, gbeta = ggammas[p], gbetas[p]
        ggamma[:] = _ZERO
        gbeta[:] = _ZERO
        for r in range(first, last):
            g, row, out, m, s = gy[r], x[r], gx[r], mean[r], inv_std[r]
            a, b = _ZERO, _ZERO
            for j in range(row.size):
                w = g[j] * gamma[j]
                a += w
                b += w * minus(row[j], m)
            a = a * share if centred else _ZERO
            b = b * share * s * s
            for j in range(row.size):
                d = minus(row[j], m)
                out[j] = (g[j] * gamma[j] - a - d * b) * s
                ggamma[j] += g[j] * d * s
                gbeta[j] += g[j]


@shared
def _group_norm(
    x: Any, gamma: Any, beta: Any, eps: float, y: Any, mean: Any, inv_std: Any, t: int, n: int
) -> None:
    """Normalise ``x`` of shape (examples times groups, channels of one, size of a channel)."""
    start, stop = share_of(len(x), t, n)
    channels = x.shape[1]
    size = np.float64(channels * x.shape[2])
    for r in range(start, stop):
        row = x[r].reshape(-1)
        m = f(total(row) / size)
        first, second = moments_about(row, m)
        first /= size
        m += f(first)
        s = f(1.0 / math.sqrt(second / size - first * first + eps))
        mean[r], inv_std[r] = m, s
        c = r * channels % gamma.size
        for k in range(channels):
            plane, out, a, b = x[r, k], y[r, k], s * gamma[c + k], beta[c + k]
            for j in range(plane.size):
                out[j] = minus(plane[j], m) * a + b


@shared
def _group_norm_grad(
    gy: Any, x: Any, gamma: Any, mean: Any, inv_std: Any, gx: Any, ggammas: Any, gbetas: Any,
    t: int, n: int,
) -> None:  # fmt: skip
    start, stop = share_of(len(x), t, n)
    channels = x.shape[1]
    size = np.float64(channels * x.shape[2])
    for r in range(start, stop):
        m, s = mean[r], inv_std[r]
        c = r * channels % gamma.size
        a, b = 0.0, 0.0
        for k in range(channels):
            first, second = dot_about(gy[r, k], x[r, k], m)
            gbetas[r, k], ggammas[r, k] = first, second * s
            a += first * gamma[c + k]
            b += second * gamma[c + k]
        shift, slope = f(a / size) * s, f(b / size * s * s) * s
        for k in range(channels):
            g, plane, out, scale = gy[r, k], x[r, k], gx[r, k], s * gamma[c + k]
            for j in range(plane.size):
                out[j] = g[j] * scale - shift - minus(plane[j], m) * slope


def layer_norm(x: Any, gamma: Any, beta: Any, eps: float) -> Any:
    """Normalise each row along the last axis."""
    return _normalized(x, gamma, beta, eps, True)


def rms_norm(x: Any, gamma: Any, eps: float) -> Any:
    """Divide each row by its root mean square."""
    result = _normalized(x, gamma, np.zeros_like(gamma), eps, False)
    return result if result is NotImplemented else (result[0], result[2])


def layer_norm_grad(gy: Any, x: Any, gamma: Any, mean: Any, inv_std: Any) -> Any:
    """Return the gradients for ``x``, ``gamma`` and ``beta``."""
    return _gradients(gy, x, gamma, mean, inv_std, True)


def rms_norm_grad(gy: Any, x: Any, gamma: Any, inv_rms: Any) -> Any:
    """Return the gradients for ``x`` and ``gamma``."""
    result = _gradients(gy, x, gamma, np.zeros_like(inv_rms), inv_rms, False)
    return result if result is NotImplemented else result[:2]


def group_norm(x: Any, gamma: Any, beta: Any, groups: int, eps: float) -> Any:
    """Normalise each group of channels of each example."""
    if not single(x, gamma, beta) or not _has_planes(x):
        return NotImplemented
    grouped = np.ascontiguousarray(x).reshape(len(x) * groups, x.shape[1] // groups, -1)
    y = np.empty(x.shape, np.float32)
    mean, inv_std = (np.empty((len(x), groups, 1), np.float32) for _ in range(2))
    launch(
        _group_norm, grouped, flat(gamma), flat(beta), eps, y.reshape(grouped.shape),
        mean.reshape(-1), inv_std.reshape(-1), work=x.size,
    )  # fmt: skip
    return y, mean, inv_std


def group_norm_grad(gy: Any, x: Any, gamma: Any, mean: Any, inv_std: Any) -> Any:
    """Return the gradients for ``x``, ``gamma`` and ``beta``."""
    if not single(gy, x, gamma, mean, inv_std) or not _has_planes(x):
        return NotImplemented
    count, channels = mean.size, x.shape[1] // mean.shape[1]
    gy, grouped = (np.ascontiguousarray(a).reshape(count, channels, -1) for a in (gy, x))
    gx = np.empty(x.shape, np.float32)
    ggammas, gbetas = np.empty((2, count, channels))
    launch(
        _group_norm_grad, gy, grouped, flat(gamma), flat(mean), flat(inv_std),
        gx.reshape(grouped.shape), ggammas, gbetas, work=x.size,
    )  # fmt: skip
    ggamma, gbeta = (a.reshape(len(x), -1).sum(axis=0) for a in (ggammas, gbetas))
    return gx, ggamma.astype(np.float32), gbeta.astype(np.float32)


def _normalized(x: Any, gamma: Any, beta: Any, eps: float, centred: bool) -> Any:
    if not single(x, gamma, beta):
        return NotImplemented
    y = np.empty(x.shape, np.float32)
    mean, inv_std = (np.empty((*x.shape[:-1], 1), np.float32) for _ in range(2))
    launch(
        _layer_norm, rows(x), flat(gamma), flat(beta), eps, centred,
        rows(y), mean.reshape(-1), inv_std.reshape(-1), work=x.size,
    )  # fmt: skip
    return y, mean, inv_std


def _gradients(gy: Any, x: Any, gamma: Any, mean: Any, inv_std: Any, centred: bool) -> Any:
    if not single(gy, x, gamma, mean, inv_std):
        return NotImplemented
    gx = np.empty(x.shape, np.float32)
    parts = min(max(1, x.size // _PART), 64)
    ggammas, gbetas = (np.empty((parts, x.shape[-1]), np.float32) for _ in range(2))
    launch(
        _layer_norm_grad, rows(gy), rows(x), flat(gamma), flat(mean), flat(inv_std), centred,
        rows(gx), ggammas, gbetas, work=x.size,
    )  # fmt: skip
    return gx, ggammas.sum(axis=0), gbetas.sum(axis=0)


def single(*arrays: Any) -> bool:
    """Whether all are NumPy arrays of float32."""
    return all(type(a) is np.ndarray and a.dtype == np.float32 for a in arrays)


def flat(x: Any) -> Any:
    """Return an array as a contiguous vector."""
    return np.ascontiguousarray(x).reshape(-1)


def _has_planes(x: Any) -> bool:
    return x.ndim > 2 and math.prod(x.shape[2:]) >= _PLANE
