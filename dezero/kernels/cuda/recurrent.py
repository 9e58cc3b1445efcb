"""Recurrent layers: a product and a fused kernel for each step.

The products with the inputs of all steps are one, before the first step; so are their gradients.
"""

from __future__ import annotations

from typing import Any

import cupy

from dezero.kernels.cuda.fused import elementwise, served

_lstm = elementwise(
    "T xf, T xi, T xo, T xu, T before",
    "T f, T g, T o, T u, T c, T w, T h",
    """
    f = 1 / (1 + exp(-xf));
    g = 1 / (1 + exp(-xi));
    o = 1 / (1 + exp(-xo));
    u = tanh(xu);
    c = f * before + g * u;
    w = tanh(c);
    h = o * w""",
    "lstm",
)
_lstm_grad = elementwise(
    "T gy, T gh, T gc, T f, T g, T o, T u, T w, T before",
    "T gf, T gi, T go, T gu, T gbefore",
    """
    T ghy = gy + gh;
    T gcell = gc + ghy * o * (1 - w * w);
    gf = gcell * before * f * (1 - f);
    gi = gcell * u * g * (1 - g);
    go = ghy * w * o * (1 - o);
    gu = gcell * g * (1 - u * u);
    gbefore = gcell * f""",
    "lstm_grad",
)
_gru = elementwise(
    "T xr, T xz, T xn, T hr, T hz, T hn, T before",
    "T r, T z, T m, T h",
    """
    r = 1 / (1 + exp(-xr - hr));
    z = 1 / (1 + exp(-xz - hz));
    m = tanh(xn + r * hn);
    h = m + z * (before - m)""",
    "gru",
)
_gru_grad = elementwise(
    "T gy, T gh, T r, T z, T m, T hn, T before",
    "T ar, T az, T an, T mr, T mz, T mn, T gbefore",
    """
    T ghy = gy + gh;
    an = ghy * (1 - z) * (1 - m * m);
    az = mz = ghy * (before - m) * z * (1 - z);
    ar = mr = an * hn * r * (1 - r);
    mn = an * r;
    gbefore = ghy * z""",
    "gru_grad",
)


def lstm(W: Any, x: Any, h: Any, c: Any, panels: dict[str, Any], reverse: bool, keep: bool) -> Any:
    """Run an LSTM over a sequence: as the reference."""
    if not served(W, x, *(a for a in (h, c) if a is not None)):
        return NotImplemented
    (T, N, C), H = x.shape, W.shape[1] // 4
    ys, state, order = cupy.empty((T, N, H), x.dtype), cupy.empty((T, N, H), x.dtype), range(T)
    h, c = (cupy.zeros((N, H), x.dtype) if a is None else a for a in (h, c))
    products, steps = x @ W[:C] + W[C], [()] * T
    for s in order[::-1] if reverse else order:
        state[s] = h
        gates = _lstm(*_cut(products[s] + h @ W[C + 1 :], 4), c)
        *kept, new, w, h = gates
        steps[s] = (*kept, w, c)
        ys[s], c = h, new

    def pull(gy: Any, gh: Any, gc: Any, needs: tuple[bool, ...]) -> tuple[Any, ...]:
        gas = cupy.empty((T, N, 4 * H), x.dtype)
        gh, gc = (cupy.zeros((N, H), x.dtype) if a is None else a for a in (gh, gc))
        for s in order if reverse else order[::-1]:
            gbefore = cupy.empty((N, H), x.dtype)
            gys = 0 if gy is None else gy[s]
            _lstm_grad(gys, gh, gc, *steps[s], *_cut(gas[s], 4), gbefore)
            gh, gc = gas[s] @ W[C + 1 :].T, gbefore
        return gas, gas @ W[:C].T, gh, gc

    return ys, c, _rows(x, state, 0), pull


def gru(W: Any, x: Any, h: Any, panels: dict[str, Any], reverse: bool, keep: bool) -> Any:
    """Run a GRU over a sequence: as the reference."""
    if not served(W, x, *(a for a in (h,) if a is not None)):
        return NotImplemented
    (T, N, C), H = x.shape, W.shape[1] // 3
    ys, state, order = cupy.empty((T, N, H), x.dtype), cupy.empty((T, N, H), x.dtype), range(T)
    h = cupy.zeros((N, H), x.dtype) if h is None else h
    products, steps = x @ W[:C] + W[C], [()] * T
    for s in order[::-1] if reverse else order:
        state[s] = before = h
        own = _cut(h @ W[C + 1 : -1] + W[-1], 3)
        *gates, h = _gru(*_cut(products[s], 3), *own, before)
        steps[s] = (*gates, own[2], before)
        ys[s] = h

    def pull(gy: Any, gh: Any, needs: tuple[bool, ...]) -> tuple[Any, ...]:
        gas, gms = (cupy.empty((T, N, 3 * H), x.dtype) for _ in range(2))
        gh = cupy.zeros((N, H), x.dtype) if gh is None else gh
        for s in order if reverse else order[::-1]:
            gbefore = cupy.empty((N, H), x.dtype)
            gys = 0 if gy is None else gy[s]
            _gru_grad(gys, gh, *steps[s], *_cut(gas[s], 3), *_cut(gms[s], 3), gbefore)
            gh = gbefore + gms[s] @ W[C + 1 : -1].T
        return gas, gms, gas @ W[:C].T, gh

    return ys, _rows(x, state, 1), pull


def _cut(a: Any, count: int) -> list[Any]:
    """Return the columns of each gate."""
    size = a.shape[1] // count
    return [a[:, k * size : (k + 1) * size] for k in range(count)]


def _rows(x: Any, state: Any, last: int) -> Any:
    """Return what W is multiplied with: rows ``x, 1, h``, and ``last`` more ones."""
    one = cupy.ones((*x.shape[:2], 1), x.dtype)
    return cupy.concatenate([x, one, state, *[one] * last], axis=2)
