"""Recurrent layers: all steps of a sequence, from the inputs to the gradients of the gates.

Weights come as one matrix ``W``: rows for the input, for the bias, for the state (and for the bias
of the state), columns for each gate. So what goes into the gates is one product of ``W`` with
the rows ``x, 1, h``, and the gradient of ``W`` is one product with the same rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from dezero.kernels.special import sigmoid
from dezero.kernels.table import kernel


@kernel()
def lstm(
    W: Any, x: Any, h: Any, c: Any, panels: dict[str, Any], reverse: bool, keep: bool
) -> tuple[Any, Any, Any, Any]:
    """Run an LSTM over a sequence.

    Parameters
    ----------
    W : array of shape (C + 1 + H, 4 H)
        Weights, with columns for the forget, input and output gate and the update.
    x : array of shape (T, N, C)
        The inputs.
    h, c : array of shape (N, H), or None for zeros
        The state.
    panels : dict
        Where a compiled version keeps the weights in the order it likes, for calls with the same.
    reverse : bool
        Whether the last step comes first.
    keep : bool
        Whether somebody will go back.

    Returns
    -------
    y : array of shape (T, N, H)
        ``h`` after each step.
    c : array of shape (N, H)
        The last cell state.
    rows : array of shape (T, N, C + 1 + H)
        What was multiplied with ``W``: if it is kept.
    pull : callable
        ``pull(gy, gh, gc, needs)`` gives the gradients of the products, (T, N, 4 H), and of
        ``x``, ``h`` and ``c``, from those of ``y``, of ``h`` after the last step and of the last
        ``c``; each may be None. ``needs`` says which of the last three are wanted. The version of
        the kernel that went forward knows what it kept.
    """
    H = W.shape[1] // 4
    rows, steps, ys = _empty(x), _empty(x), _empty(x)
    for s in _order(len(x), reverse):
        rows[s] = _operands(x[s], h, H, 0)
        f, i, o, u = _columns(np.matmul(rows[s], W), 4)
        f, i, o, u = sigmoid(f), sigmoid(i), sigmoid(o), np.tanh(u)
        new = i * u if c is None else f * c + i * u
        w = np.tanh(new)
        steps[s] = (f, i, o, u, w, c)
        ys[s] = h = o * w
        c = new

    def pull(gy: Any, gh: Any, gc: Any, needs: tuple[bool, ...]) -> tuple[Any, ...]:
        gas, gxs = _empty(x), _empty(x)
        for s in _order(len(x), not reverse):
            f, i, o, u, w, before = steps[s]
            gh = _total(gh, None if gy is None else gy[s])
            go = 0 * o if gh is None else gh * w * o * (1 - o)
            gc = _total(gc, None if gh is None else gh * o * (1 - w * w))
            gf = 0 * f if before is None else gc * before * f * (1 - f)
            gates = (gf, gc * u * i * (1 - i), go, gc * i * (1 - u * u))
            gas[s] = np.concatenate(gates, axis=1)
            grow = np.matmul(gas[s], W.T)
            gxs[s], gh, gc = grow[:, : x.shape[2]], grow[:, x.shape[2] + 1 :], gc * f
        return np.stack(gas), np.stack(gxs), gh, gc

    return np.stack(ys), c, np.stack(rows), pull


@kernel()
def gru(
    W: Any, x: Any, h: Any, panels: dict[str, Any], reverse: bool, keep: bool
) -> tuple[Any, Any, Any]:
    """Run a GRU over a sequence.

    As :func:`lstm`, for the reset gate, the update gate and the candidate: ``W`` is of shape
    (C + 1 + H + 1, 3 H), with a last row for the bias of the product with the state. ``pull(gy,
    gh, needs)`` gives the gradients of the products with the input, of those with the state, of
    ``x`` and of ``h``.
    """
    H, C = W.shape[1] // 3, x.shape[2]
    rows, steps, ys = _empty(x), _empty(x), _empty(x)
    for s in _order(len(x), reverse):
        rows[s] = _operands(x[s], h, H, 1)
        xr, xz, xn = _columns(np.matmul(rows[s][:, : C + 1], W[: C + 1]), 3)
        hr, hz, hn = _columns(np.matmul(rows[s][:, C + 1 :], W[C + 1 :]), 3)
        r, z = sigmoid(xr + hr), sigmoid(xz + hz)
        n = np.tanh(xn + r * hn)
        change = -n if h is None else h - n
        steps[s] = (r, z, n, hn, change)
        ys[s] = h = n + z * change

    def pull(gy: Any, gh: Any, needs: tuple[bool, ...]) -> tuple[Any, ...]:
        gas, gms, gxs = _empty(x), _empty(x), _empty(x)
        for s in _order(len(x), not reverse):
            r, z, n, hn, change = steps[s]
            gh = _total(gh, None if gy is None else gy[s])
            gn = gh * (1 - z) * (1 - n * n)
            gz = gh * change * z * (1 - z)
            gr = gn * hn * r * (1 - r)
            gas[s] = np.concatenate((gr, gz, gn), axis=1)
            gms[s] = np.concatenate((gr, gz, gn * r), axis=1)
            gxs[s] = np.matmul(gas[s], W[:C].T)
            gh = gh * z + np.matmul(gms[s], W[C + 1 : -1].T)
        return np.stack(gas), np.stack(gms), np.stack(gxs), gh

    return np.stack(ys), np.stack(rows), pull


def _operands(x: Any, h: Any, H: int, last: int) -> Any:
    """Return the rows ``x, 1, h``, and ``last`` more ones, which are multiplied with W."""
    one = np.ones_like(x[:, :1])
    state = np.zeros_like(one.repeat(H, 1)) if h is None else h
    return np.concatenate((x, one, state, *[one] * last), axis=1)


def _empty(x: Any) -> list[Any]:
    """Return a list with a place for each step."""
    return [None] * len(x)


def _order(steps: int, reverse: bool) -> Iterable[int]:
    return range(steps - 1, -1, -1) if reverse else range(steps)


def _columns(a: Any, count: int) -> list[Any]:
    size = a.shape[1] // count
    return [a[:, k * size : (k + 1) * size] for k in range(count)]


def _total(a: Any, b: Any) -> Any:
    """Return the sum of two gradients, of which one may be None."""
    return b if a is None else a if b is None else a + b
