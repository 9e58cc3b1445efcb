"""Recurrent layers over time: all steps in one kernel, the batch cut among the threads.

The rows of a batch do not depend on each other, so a thread takes a block of them through all
steps and waits for nobody. Within a block everything lies in planes of rows that are padded to
whole vectors: loops over a plane have no remainder, and nothing reads what the padding holds.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.core.threads import get_num_threads
from dezero.kernels.cpu.gemm import gemm
from dezero.kernels.cpu.jit import SMALL, aligned, apart, compact, routine, share_of
from dezero.kernels.cpu.shared import launch, shared
from dezero.kernels.cpu.tiles import copy_rows, zero
from dezero.kernels.cpu.vectors import PANEL, TILE, WIDTH, sigmoid, tanh, tile
from dezero.kernels.products import product

f32 = np.float32
_ONE, _ZERO = f32(1), f32(0)
_EMPTY = np.zeros(0, f32)


@routine
def _product(
    A: Any, ao: int, ai: int, at: int, B: Any, bo: int, bt: int, bp: int,
    C: Any, co: int, ci: int, T: int, K: int, R: int, N: int,
) -> None:  # fmt: skip
    """``C[i, j] = sum A[i, t, k] B[t, k, j]`` as :func:`gemm`; N is a multiple of WIDTH."""
    compact()
    full = N // PANEL * PANEL
    if full > 0:
        gemm(A, ao, ai, at, 1, B, bo, bt, PANEL, bp, C, co, ci, T, K, R, full)
    for j in range(full, N, WIDTH):
        b = bo + j // PANEL * bp + j % PANEL
        for row in range(0, R if R >= TILE else 0, TILE):
            i = min(row, R - TILE)
            tile(A, ao + i * ai, ai, at, 1, B, b, bt, PANEL, C, co + i * ci + j, ci, T, K,
                 TILE, 1, 0)  # fmt: skip
        for i in range(0 if R >= TILE else R):
            tile(A, ao + i * ai, ai, at, 1, B, b, bt, PANEL, C, co + i * ci + j, ci, T, K,
                 1, 1, 0)  # fmt: skip


@routine
def _copy(x: Any, xo: int, xi: int, y: Any, yo: int, yi: int, R: int, H: int, P: int) -> None:
    """Copy R rows of H, zeros where ``x`` is empty, and put zeros behind them up to P."""
    compact()
    if x.size > 0:
        copy_rows(x, xo, xi, 1, y, yo, yi, R, H)
    for i in range(R):
        kept = H if x.size > 0 else 0
        zero(y, yo + i * yi + kept, P - kept)


@routine
def _add_rows(x: Any, xo: int, y: Any, yo: int, R: int, H: int, P: int) -> None:
    """Add R rows of H to a plane of rows of P; nothing where ``x`` is empty."""
    apart()
    if x.size > 0:
        for i in range(R):
            row, source = y[yo + i * P : yo + i * P + H], x[xo + i * H : xo + i * H + H]
            for j in range(H):
                row[j] += source[j]


@routine
def _operands(
    x: Any, xo: int, h: Any, ho: int, A: Any, ao: int, R: int, F: int, H: int, K: int
) -> None:
    """Put rows ``x, 1, h`` and ones up to K together; ``h`` is zeros where it is empty."""
    compact()
    _copy(x, xo, F, A, ao, K, R, F, F)
    _copy(h, ho, H, A, ao + F + 1, K, R, H, H)
    for i in range(R):
        A[ao + i * K + F] = _ONE
        for j in range(F + 1 + H, K):
            A[ao + i * K + j] = _ONE


@routine
def _lstm_step(S: Any, old: Any, new: Any, m: int) -> None:
    """Go on from the sums in the planes of S, each of ``m``, to the gates and the new state."""
    apart()
    gates, f, i, u, w = S[: 3 * m], S[:m], S[m : 2 * m], S[3 * m : 4 * m], S[4 * m :]
    for j in range(3 * m):
        gates[j] = sigmoid(gates[j])
    for j in range(m):
        u[j] = tanh(u[j])
    for j in range(m):
        new[j] = f[j] * old[j] + i[j] * u[j]
    for j in range(m):
        w[j] = tanh(new[j])


@shared
def _lstm(
    x: Any, h: Any, c: Any, B: Any, y: Any, last: Any, A: Any, S: Any, C: Any,
    T: int, N: int, F: int, H: int, P: int, blocks: int, reverse: int, keep: int, t: int, n: int,
) -> None:  # fmt: skip
    apart()
    K = F + 1 + H
    stride = (H + PANEL - 1) // PANEL * PANEL * K  # from one gate's panels to the next
    for q in range(t, blocks, n):
        r, stop = share_of(N, q, blocks)
        R = stop - r
        m = R * P
        _copy(c, r * H, H, C, r * P, P, R, H, P)
        state, at = h, r * H
        for i in range(T):
            s = T - 1 - i if reverse else i
            a, z = (s * keep * N + r) * K, (i * keep * N + r) * 5 * P
            _operands(x, (s * N + r) * F, state, at, A, a, R, F, H, K)
            for g in range(4):
                _product(A, a, K, K, B, g * stride, K, K * PANEL, S, z + g * m, P, 1, K, R, P)
            old, new = (i * keep * N + r) * P, ((i + 1) * keep * N + r) * P
            _lstm_step(S[z : z + 5 * m], C[old : old + m], C[new : new + m], m)
            state, at = y, (s * N + r) * H
            for k in range(R):
                o, w = S[z + 2 * m + k * P :], S[z + 4 * m + k * P :]
                row = y[at + k * H : at + k * H + H]
                for j in range(H):
                    row[j] = o[j] * w[j]
        _copy(C, (T * keep * N + r) * P, P, last, r * H, H, R, H, H)


@shared
def _lstm_grad(
    gy: Any, gh: Any, gc: Any, B: Any, S: Any, C: Any, D: Any, ga: Any, gh0: Any, gc0: Any,
    T: int, N: int, H: int, P: int, blocks: int, reverse: int, t: int, n: int,
) -> None:  # fmt: skip
    apart()
    for q in range(t, blocks, n):
        r, stop = share_of(N, q, blocks)
        R = stop - r
        m = R * P
        d = r * 6 * P  # planes of D: gradients of f, i, o, u before their nonlinearity, of h, c
        dh, dc = d + 4 * m, d + 5 * m
        _copy(gh, r * H, H, D, dh, P, R, H, P)
        _copy(gc, r * H, H, D, dc, P, R, H, P)
        for i in range(T - 1, -1, -1):
            s = T - 1 - i if reverse else i
            _add_rows(gy, (s * N + r) * H, D, dh, R, H, P)
            z, old = (i * N + r) * 5 * P, (i * N + r) * P
            _lstm_rules(S[z : z + 5 * m], C[old : old + m], D[d : d + 6 * m], m)
            for g in range(4):
                _copy(D, d + g * m, P, ga, (s * N + r) * 4 * H + g * H, 4 * H, R, H, H)
            if i > 0 or gh0.size > 0:
                _product(D, d, P, m, B, 0, H * PANEL, 4 * H * PANEL, D, dh, P,
                         4, H, R, P)  # fmt: skip
        if gh0.size > 0:
            _copy(D, dh, P, gh0, r * H, H, R, H, H)
        if gc0.size > 0:
            _copy(D, dc, P, gc0, r * H, H, R, H, H)


@routine
def _lstm_rules(S: Any, c: Any, D: Any, m: int) -> None:
    """Go back through one step's gates; one result a loop, so that each is vectorised."""
    apart()
    f, i, o, u, w = S[:m], S[m : 2 * m], S[2 * m : 3 * m], S[3 * m : 4 * m], S[4 * m :]
    df, di, do, du = D[:m], D[m : 2 * m], D[2 * m : 3 * m], D[3 * m : 4 * m]
    dh, dc = D[4 * m : 5 * m], D[5 * m :]
    for j in range(m):
        dc[j] += dh[j] * o[j] * (_ONE - w[j] * w[j])
    for j in range(m):
        do[j] = dh[j] * w[j] * o[j] * (_ONE - o[j])
    for j in range(m):
        du[j] = dc[j] * i[j] * (_ONE - u[j] * u[j])
    for j in range(m):
        di[j] = dc[j] * u[j] * i[j] * (_ONE - i[j])
    for j in range(m):
        df[j] = dc[j] * c[j] * f[j] * (_ONE - f[j])
    for j in range(m):
        dc[j] *= f[j]


@shared
def _gru(
    x: Any, h: Any, B: Any, y: Any, A: Any, S: Any,
    T: int, N: int, F: int, H: int, P: int, blocks: int, reverse: int, keep: int, t: int, n: int,
) -> None:  # fmt: skip
    apart()
    K = F + H + 2
    stride = (H + PANEL - 1) // PANEL * PANEL * K
    for q in range(t, blocks, n):
        r, stop = share_of(N, q, blocks)
        R = stop - r
        m = R * P
        state, at = h, r * H
        for i in range(T):
            s = T - 1 - i if reverse else i
            a, z = (s * keep * N + r) * K, (i * keep * N + r) * 5 * P
            _operands(x, (s * N + r) * F, state, at, A, a, R, F, H, K)
            for g in range(4):  # r, z, and both parts of n: of the input and of the state
                first, size = F + 1 if g == 3 else 0, F + 1 if g == 2 else K
                b = min(g, 2) * stride + first * PANEL
                _product(A, a + first, K, K, B, b, K, K * PANEL, S, z + g * m, P,
                         1, size - first, R, P)  # fmt: skip
            _gru_step(S[z : z + 4 * m], m)
            state, at = y, (s * N + r) * H
            for k in range(R):
                update, new = S[z + m + k * P :], S[z + 2 * m + k * P :]
                before, change = A[a + k * K + F + 1 :], S[z + 4 * m + k * P :]
                row = y[at + k * H : at + k * H + H]
                for j in range(H):
                    change[j] = before[j] - new[j]
                for j in range(H, P):
                    change[j] = _ZERO
                for j in range(H):
                    row[j] = new[j] + update[j] * change[j]


@routine
def _gru_step(S: Any, m: int) -> None:
    """Go on from the sums in the planes of S, each of ``m``, to the gates."""
    apart()
    gates, r, n, v = S[: 2 * m], S[:m], S[2 * m : 3 * m], S[3 * m :]
    for j in range(2 * m):
        gates[j] = sigmoid(gates[j])
    for j in range(m):
        n[j] = tanh(n[j] + r[j] * v[j])


@shared
def _gru_grad(
    gy: Any, gh: Any, B: Any, S: Any, D: Any, ga: Any, gm: Any, gh0: Any,
    T: int, N: int, H: int, P: int, blocks: int, reverse: int, t: int, n: int,
) -> None:  # fmt: skip
    apart()
    for q in range(t, blocks, n):
        r, stop = share_of(N, q, blocks)
        R = stop - r
        m = R * P
        d = r * 6 * P  # planes of D: gradients of r, z, both parts of n, of h; a product
        dh = d + 4 * m
        _copy(gh, r * H, H, D, dh, P, R, H, P)
        for i in range(T - 1, -1, -1):
            s = T - 1 - i if reverse else i
            _add_rows(gy, (s * N + r) * H, D, dh, R, H, P)
            z, at = (i * N + r) * 5 * P, (s * N + r) * 3 * H
            _gru_rules(S[z : z + 5 * m], D[d : d + 6 * m], m)
            for g in range(3):
                _copy(D, d + (3 if g == 2 else g) * m, P, ga, at + g * H, 3 * H, R, H, H)
                _copy(D, d + g * m, P, gm, at + g * H, 3 * H, R, H, H)
            if i > 0 or gh0.size > 0:
                _product(D, d, P, m, B, 0, H * PANEL, 3 * H * PANEL, D, d + 5 * m, P,
                         3, H, R, P)  # fmt: skip
                carry, back = D[dh : dh + m], D[d + 5 * m : d + 6 * m]
                for j in range(m):
                    carry[j] += back[j]
        if gh0.size > 0:
            _copy(D, dh, P, gh0, r * H, H, R, H, H)


@routine
def _gru_rules(S: Any, D: Any, m: int) -> None:
    """Go back through one step's gates; one result a loop, so that each is vectorised."""
    apart()
    r, z, n, v, w = S[:m], S[m : 2 * m], S[2 * m : 3 * m], S[3 * m : 4 * m], S[4 * m :]
    dr, dz, dv, dn, dh = D[:m], D[m : 2 * m], D[2 * m : 3 * m], D[3 * m : 4 * m], D[4 * m : 5 * m]
    for j in range(m):
        dz[j] = dh[j] * w[j] * z[j] * (_ONE - z[j])
    for j in range(m):
        dn[j] = dh[j] * (_ONE - z[j]) * (_ONE - n[j] * n[j])
    for j in range(m):
        dv[j] = dn[j] * r[j]
    for j in range(m):
        dr[j] = dn[j] * v[j] * r[j] * (_ONE - r[j])
    for j in range(m):
        dh[j] *= z[j]


def lstm(W: Any, x: Any, h: Any, c: Any, panels: dict[str, Any], reverse: bool, keep: bool) -> Any:
    """Return what the reference does: outputs, last cell state, rows, and how to go back."""
    if not _fits(W, x, h, c):
        return NotImplemented
    T, N, F = x.shape
    K, H = W.shape[0], W.shape[1] // 4
    P = (H + WIDTH - 1) // WIDTH * WIDTH
    blocks, work = _blocks(T, N, K, 4 * H)
    slots = T if keep else 1
    y, last, A = np.empty((T, N, H), f32), np.empty((N, H), f32), np.empty((slots, N, K), f32)
    S, C = np.empty(slots * N * 5 * P, f32), np.empty((slots + keep) * N * P, f32)
    launch(
        _lstm, x.ravel(), _flat(h), _flat(c), _forward_panels(panels, W, 4),
        y.ravel(), last.ravel(), A.ravel(), S, C, T, N, F, H, P, blocks, int(reverse), int(keep),
        work=work,
    )  # fmt: skip

    def pull(gy: Any, gh: Any, gc: Any, needs: tuple[bool, ...]) -> tuple[Any, ...]:
        D, ga = np.empty(N * 6 * P, f32), np.empty((T, N, 4 * H), f32)
        gx, gh0, gc0 = (np.empty(a, f32) if need else None
                        for need, a in zip(needs, (0, (N, H), (N, H)), strict=True))  # fmt: skip
        launch(
            _lstm_grad, _flat(gy), _flat(gh), _flat(gc),
            _backward_panels(panels, W[F + 1 :]),
            S, C, D, ga.ravel(), _flat(gh0), _flat(gc0), T, N, H, P, blocks, int(reverse),
            work=work,
        )  # fmt: skip
        if needs[0]:
            gx = product(ga.reshape(T * N, -1), W[:F].T).reshape(T, N, F)
        return ga, gx, gh0, gc0

    return y, last, A, pull


def gru(W: Any, x: Any, h: Any, panels: dict[str, Any], reverse: bool, keep: bool) -> Any:
    """Return what the reference does: outputs, rows, and how to go back."""
    if not _fits(W, x, h):
        return NotImplemented
    T, N, F = x.shape
    K, H = W.shape[0], W.shape[1] // 3
    P = (H + WIDTH - 1) // WIDTH * WIDTH
    blocks, work = _blocks(T, N, K, 3 * H)
    slots = T if keep else 1
    y, A = np.empty((T, N, H), f32), np.empty((slots, N, K), f32)
    S = np.empty(slots * N * 5 * P, f32)
    launch(
        _gru, x.ravel(), _flat(h), _forward_panels(panels, W, 3), y.ravel(), A.ravel(), S,
        T, N, F, H, P, blocks, int(reverse), int(keep), work=work,
    )  # fmt: skip

    def pull(gy: Any, gh: Any, needs: tuple[bool, ...]) -> tuple[Any, ...]:
        D = np.empty(N * 6 * P, f32)
        ga, gm = np.empty((T, N, 3 * H), f32), np.empty((T, N, 3 * H), f32)
        gh0 = np.empty((N, H), f32) if needs[1] else None
        launch(
            _gru_grad, _flat(gy), _flat(gh),
            _backward_panels(panels, W[F + 1 : -1]),
            S, D, ga.ravel(), gm.ravel(), _flat(gh0), T, N, H, P, blocks, int(reverse), work=work,
        )  # fmt: skip
        gx = product(ga.reshape(T * N, -1), W[:F].T).reshape(T, N, F) if needs[0] else None
        return ga, gm, gx, gh0

    return y, A, pull


def _fits(*arrays: Any) -> bool:
    for a in arrays:
        if a is not None and (a.dtype != np.float32 or type(a) is not np.ndarray):
            return False
    return True


def _blocks(T: int, N: int, K: int, M: int) -> tuple[int, int]:
    """Return into how many blocks the batch is cut, and the work in elements.

    Of the products 8 FLOP each, though a tile does 32 in that time: the rest takes as long.
    """
    work = T * N * K * M // 4
    return (1 if work < SMALL else max(1, min(get_num_threads(), N // 2))), work


def _flat(x: Any) -> Any:
    return _EMPTY if x is None else x.ravel()


def _forward_panels(panels: dict[str, Any], W: Any, gates: int) -> Any:
    """Return ``W`` (K, gates * H) laid out for ``a @ W``: panels of each gate's columns."""
    if "forward" not in panels:
        panels["forward"] = _laid_out(W.reshape(len(W), gates, -1).transpose(1, 2, 0))
    return panels["forward"]


def _backward_panels(panels: dict[str, Any], W: Any) -> Any:
    """Return ``W`` (H, K) laid out for ``g @ W.T``: panels of its rows."""
    if "backward" not in panels:
        panels["backward"] = _laid_out(W[None])
    return panels["backward"]


def _laid_out(W: Any) -> Any:
    """Return, for each matrix, panels of its rows, zeros behind the last: flat."""
    count, H, K = W.shape
    whole = H // PANEL
    B = aligned((count, -(-H // PANEL), K, PANEL))
    full = W[:, : whole * PANEL].reshape(count, whole, PANEL, K)
    B[:, :whole] = full.transpose(0, 1, 3, 2)
    if whole * PANEL < H:
        B[:, whole] = 0
        B[:, whole, :, : H % PANEL] = W[:, whole * PANEL :].transpose(0, 2, 1)
    return B.reshape(-1)
