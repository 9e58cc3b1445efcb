"""Rows for recurrent functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from .cases import Case, Row, interval


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_cell(x, h, c, Wx, Wh, b):
    H = Wh.shape[0]
    a = x @ Wx + b + (0 if h is None else h @ Wh)
    f, i, o = (sigmoid(a[:, g * H : (g + 1) * H]) for g in range(3))
    c = (0 if c is None else f * c) + i * np.tanh(a[:, 3 * H :])
    return o * np.tanh(c), c


def lstm(x, h, c, Wx, Wh, b, reverse=False):
    ys = []
    for step in x[::-1] if reverse else x:
        h, c = lstm_cell(step, h, c, Wx, Wh, b)
        ys.append(h)
    return np.stack(ys[::-1] if reverse else ys), h, c


def gru_cell(x, h, Wx, Wh, bx, bh):
    H = Wh.shape[0]
    h = np.zeros((len(x), H)).astype(x.dtype) if h is None else h
    a, m = x @ Wx + bx, h @ Wh + bh
    r, z = (sigmoid((a + m)[:, g * H : (g + 1) * H]) for g in range(2))
    n = np.tanh(a[:, 2 * H :] + r * m[:, 2 * H :])
    return (1 - z) * n + z * h


def gru(x, h, Wx, Wh, bx, bh, reverse=False):
    ys = []
    for step in x[::-1] if reverse else x:
        h = gru_cell(step, h, Wx, Wh, bx, bh)
        ys.append(h)
    return np.stack(ys[::-1] if reverse else ys), h


def steps(gates: int, states: int, biases: int) -> Callable[..., Iterator[Case]]:
    def draw(rng: np.random.Generator) -> Iterator[Case]:
        for (N, C, H), given in [
            ((2, 3, 2), [True] * states),
            ((1, 1, 3), [False] * states),
            ((3, 2, 1), [False, True][-states:]),
            ((2, 1, 2), [True, False][:states]),
        ]:
            yield Case(interval(rng, -1, 1, (N, C)), *_state(rng, given, N, H),
                       *_weights(rng, gates, biases, C, H))  # fmt: skip

    return draw


def sequences(gates: int, states: int, biases: int) -> Callable[..., Iterator[Case]]:
    def draw(rng: np.random.Generator) -> Iterator[Case]:
        for (T, N, C, H), given, options in [
            ((3, 2, 3, 2), [True] * states, {}),
            ((1, 2, 1, 3), [False] * states, {}),
            ((4, 1, 2, 2), [False, True][-states:], {"reverse": True}),
        ]:
            yield Case(interval(rng, -1, 1, (T, N, C)), *_state(rng, given, N, H),
                       *_weights(rng, gates, biases, C, H), **options)  # fmt: skip

    return draw


def _state(rng, given, N, H):
    return [interval(rng, -1, 1, (N, H)) if there else None for there in given]


def _weights(rng, gates, biases, C, H):
    for shape in [(C, gates * H), (H, gates * H), *[(gates * H,)] * biases]:
        yield interval(rng, -1, 1, shape)


ROWS = [
    Row("lstm_cell", lstm_cell, steps(4, 2, 1)),
    Row("lstm", lstm, sequences(4, 2, 1)),
    Row("gru_cell", gru_cell, steps(3, 1, 2)),
    Row("gru", gru, sequences(3, 1, 2)),
]
