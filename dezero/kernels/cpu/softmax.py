"""Softmax, its logarithm, and the cross entropy: rows stay in the cache between their passes.

Sums of exponentials are taken in float32 over blocks and in float64 over these, so that losses
over tens of thousands of classes are exact. The largest element is found by comparing bits as
integers: vectors do that, and a NaN does not hide.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from dezero.kernels.cpu.jit import claim, routine, share_of
from dezero.kernels.cpu.normalization import flat, single
from dezero.kernels.cpu.reductions import BLOCK, minus, total
from dezero.kernels.cpu.shared import launch, shared
from dezero.kernels.cpu.vectors import exp, sigmoid
from dezero.kernels.softmax import LEAST

f = np.float32
_ZERO, _LEAST, _INFINITY = f(0), f(LEAST), f(np.inf)
_ONE, _TWO = f(1), f(2)
_L3, _L5, _L7, _L9, _L11, _L13, _L15 = (f(1 / n) for n in (3, 5, 7, 9, 11, 13, 15))
_LOWEST, _MAGNITUDE, _SIGN = np.int32(-(1 << 31)), np.int32((1 << 31) - 1), np.int32(31)


@routine
def _ordered(bits: Any) -> Any:
    """Return the bits of a float32 as an integer in its order, and back again."""
    return bits ^ ((bits >> _SIGN) & _MAGNITUDE)


@routine
def _largest(bits: Any) -> Any:
    """Return the largest number of a vector, given as bits: NaN, if there is a positive one."""
    most = _LOWEST
    for i in range(bits.size):
        most = max(most, _ordered(bits[i]))
    return np.int32(_ordered(most)).view(np.float32)


@routine
def _normalizer(x: Any, bits: Any) -> Any:
    """Return a finite number, and the sum, in float64, of the exponentials about it.

    That number is the largest of the vector, found block by block on the way, so that a long row
    is read from memory once.
    """
    centre, largest, result = _ZERO, -_INFINITY, 0.0
    for start in range(0, x.size, BLOCK):
        block = x[start : start + BLOCK]
        most = _largest(bits[start : start + BLOCK])
        if most > largest:
            before, largest = centre, most
            centre = most if most < _INFINITY else _ZERO
            if result != 0.0:
                result *= math.exp(np.float64(before) - np.float64(centre))
        part = _ZERO
        for i in range(block.size):
            part += exp(minus(block[i], centre))
        result += np.float64(part)
    return centre, result


@shared
def _softmax(x: Any, bits: Any, y: Any, t: int, n: int) -> None:
    start, stop = share_of(len(x), t, n)
    for r in range(start, stop):
        row, out = x[r], y[r]
        most = _largest(bits[r])
        centre = most if math.isfinite(most) else _ZERO
        result = 0.0
        for first in range(0, row.size, BLOCK):
            block, exps = row[first : first + BLOCK], out[first : first + BLOCK]
            part = _ZERO
            for i in range(block.size):
                exps[i] = exp(minus(block[i], centre))
                part += exps[i]
            result += np.float64(part)
        scale = f(1.0 / result)
        for i in range(row.size):
            out[i] *= scale


@shared
def _softmax_grad(gy: Any, y: Any, gx: Any, t: int, n: int) -> None:
    start, stop = share_of(len(y), t, n)
    for r in range(start, stop):
        g, row, out = gy[r], y[r], gx[r]
        mean = f(_dot(g, row))
        for i in range(row.size):
            out[i] = row[i] * minus(g[i], mean)


@shared
def _log_softmax(x: Any, bits: Any, y: Any, t: int, n: int) -> None:
    start, stop = share_of(len(x), t, n)
    for r in range(start, stop):
        row, out = x[r], y[r]
        centre, result = _normalizer(row, bits[r])
        log = f(np.log(result))
        for i in range(row.size):
            out[i] = minus(minus(row[i], centre), log)


@shared
def _log_softmax_grad(gy: Any, y: Any, gx: Any, t: int, n: int) -> None:
    start, stop = share_of(len(y), t, n)
    for r in range(start, stop):
        g, row, out = gy[r], y[r], gx[r]
        weight = f(total(g))
        for i in range(row.size):
            out[i] = g[i] - exp(row[i]) * weight


@shared
def _cross_entropy(
    x: Any, bits: Any, labels: Any, smoothing: float, losses: Any, log_z: Any, counter: Any,
    t: int, n: int,
) -> None:  # fmt: skip
    r = claim(counter)
    while r < len(x):
        centre, result = _normalizer(x[r], bits[r])
        log_z[r] = np.log(result) + np.float64(centre)
        label = labels[r]
        if label < 0:
            losses[r] = 0.0
        else:
            wanted = np.float64(x[r, label])
            if smoothing != 0.0:
                wanted = _mixed(wanted, _mean(x[r]), smoothing)
            losses[r] = log_z[r] - wanted
        r = claim(counter)


@shared
def _cross_entropy_grad(
    x: Any, labels: Any, log_z: Any, scale: Any, smoothing: float, gx: Any, counter: Any,
    t: int, n: int,
) -> None:  # fmt: skip
    common = f(smoothing / x.shape[1])
    r = claim(counter)
    while r < len(x):
        row, out, label = x[r], gx[r], labels[r]
        if label < 0:
            out[:] = _ZERO
        else:
            high = f(log_z[r])
            low = f(log_z[r] - np.float64(high))
            for i in range(row.size):
                p = exp(minus(minus(row[i], high), low))
                p = _ZERO if p < _LEAST else p
                out[i] = (p - common) * scale
            p = exp(minus(minus(row[label], high), low))
            p = _ZERO if p < _LEAST else p
            out[label] = (p - common - f(1.0 - smoothing)) * scale
        r = claim(counter)


@routine
def _log1p(e: Any) -> Any:
    """Return ``log(1 + e)`` of a float32 from 0 to 1, to 1e-7 relative: a series of atanh."""
    s = e / (_TWO + e)
    q = s * s
    p = ((((_L15 * q + _L13) * q + _L11) * q + _L9) * q + _L7) * q
    return _TWO * s * ((((p + _L5) * q + _L3) * q) + _ONE)


@shared
def _sigmoid_cross_entropy(x: Any, labels: Any, sums: Any, t: int, n: int) -> None:
    """Add up the losses of each block of elements."""
    start, stop = share_of(sums.size, t, n)
    for k in range(start, stop):
        block, label = x[k * BLOCK : (k + 1) * BLOCK], labels[k * BLOCK : (k + 1) * BLOCK]
        part = _ZERO
        for i in range(block.size):
            v = block[i]
            part += (_ZERO if v < _ZERO else v) - v * label[i] + _log1p(exp(-abs(v)))
        sums[k] = np.float64(part)


@shared
def _sigmoid_cross_entropy_grad(x: Any, labels: Any, scale: Any, gx: Any, t: int, n: int) -> None:
    start, stop = share_of(x.size, t, n)
    for i in range(start, stop):
        gx[i] = (sigmoid(x[i]) - labels[i]) * scale


@njit(nogil=True, fastmath=False)
def _mixed(a: Any, b: Any, share: Any) -> Any:
    """Return the mixture as written: reordered, ``a + share * (b - a)`` is NaN for infinities."""
    return (1.0 - share) * a + share * b


@routine
def _mean(x: Any) -> Any:
    """Return the mean of a vector, in float64: scores may be too large for a sum in float32."""
    result = 0.0
    for i in range(x.size):
        result += np.float64(x[i])
    return result / np.float64(x.size)


@routine
def _dot(a: Any, b: Any) -> Any:
    """Return the product of two vectors, in float64."""
    result = 0.0
    for start in range(0, a.size, BLOCK):
        p, q = a[start : start + BLOCK], b[start : start + BLOCK]
        part = _ZERO
        for i in range(p.size):
            part += p[i] * q[i]
        result += np.float64(part)
    return result


def softmax(x: Any, axis: int) -> Any:
    """Return exponentials along an axis, scaled to sum to one."""
    return _along(_softmax, axis, x, bits=True)


def softmax_grad(gy: Any, y: Any, axis: int) -> Any:
    """Return the gradient for the input of :func:`softmax`."""
    return _along(_softmax_grad, axis, gy, y)


def log_softmax(x: Any, axis: int) -> Any:
    """Return the logarithm of the softmax."""
    return _along(_log_softmax, axis, x, bits=True)


def log_softmax_grad(gy: Any, y: Any, axis: int) -> Any:
    """Return the gradient for the input of :func:`log_softmax`."""
    return _along(_log_softmax_grad, axis, gy, y)


def cross_entropy(x: Any, t: Any, smoothing: float) -> Any:
    """Return the cross entropy of each row with its label, and the log-normalisers."""
    if not single(x):
        return NotImplemented
    x = np.ascontiguousarray(x)
    losses, log_z = np.empty(len(x)), np.empty(len(x))
    counter = np.zeros(1, np.int64)
    launch(
        _cross_entropy, x, x.view(np.int32), _labels(t), float(smoothing), losses, log_z, counter,
        work=x.size,
    )  # fmt: skip
    return losses, log_z


def cross_entropy_grad(x: Any, t: Any, log_z: Any, scale: Any, smoothing: float) -> Any:
    """Return the gradient of the sum of cross entropies, times ``scale``."""
    if not single(x) or log_z.dtype != np.float64:
        return NotImplemented
    gx = np.empty(x.shape, np.float32)
    launch(
        _cross_entropy_grad, np.ascontiguousarray(x), _labels(t), log_z, f(scale),
        float(smoothing), gx, np.zeros(1, np.int64), work=x.size,
    )  # fmt: skip
    return gx


def sigmoid_cross_entropy(x: Any, t: Any) -> Any:
    """Return the sum of the cross entropies of labels with the sigmoid of ``x``."""
    if not single(x, t) or t.shape != x.shape:
        return NotImplemented
    sums = np.empty(-(-x.size // BLOCK))
    launch(_sigmoid_cross_entropy, flat(x), flat(t), sums, work=x.size)
    return sums.sum()


def sigmoid_cross_entropy_grad(x: Any, t: Any, scale: Any) -> Any:
    """Return the gradient of the sum of cross entropies, times ``scale``."""
    if not single(x, t) or t.shape != x.shape:
        return NotImplemented
    gx = np.empty(x.shape, np.float32)
    launch(_sigmoid_cross_entropy_grad, flat(x), flat(t), f(scale), flat(gx), work=x.size)
    return gx


def _labels(t: Any) -> Any:
    return np.ascontiguousarray(t, np.int64)


def _along(kernel: Any, axis: int, *arrays: Any, bits: bool = False) -> Any:
    """Run a kernel on rows along an axis, brought to the end where it is another."""
    if not single(*arrays) or arrays[0].ndim == 0 or arrays[0].shape != arrays[-1].shape:
        return NotImplemented
    moved = [np.ascontiguousarray(np.moveaxis(a, axis, -1)) for a in arrays]
    y: Any = np.empty(moved[0].shape, np.float32)
    lines = [a.reshape(-1, y.shape[-1]) for a in (*moved, y)]
    if bits:
        lines.insert(1, lines[0].view(np.int32))
    launch(kernel, *lines, work=y.size)
    return np.ascontiguousarray(np.moveaxis(y, -1, axis))
