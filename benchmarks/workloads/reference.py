"""Answers worked out by hand in plain NumPy, float64: what every peer must find.

Nothing here is timed. A workload without an answer here is held by the peers' agreement alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks import inputs, suite
from benchmarks.workloads import Check, Workload, norm, training_check


def _set_up(threads: int) -> str:
    return np.__version__


def _known(check: Check) -> Workload:
    return Workload(lambda: None, lambda: check, "by hand")


def goldstein_price(small: bool) -> Workload:
    return _known({"value": [1876.0], "gradient": [-5376.0, 8064.0]})


def _power(full_length: int, small: bool) -> float:
    return float(inputs.CHAIN_FACTOR ** suite.chain_length(full_length, small))


def chain_10000(small: bool) -> Workload:
    power = _power(10_000, small)
    return _known({"value": [power], "gradient": [power]})


def scaling(small: bool) -> Workload:
    return _known({row.name: [_power(row.functions, small)] for row in suite.SCALING_ROWS})


def elementwise(small: bool) -> Workload:
    x, y = (a.astype(np.float64) for a in inputs.elementwise(small))
    inner = np.tanh(x * y + x)
    outer = np.exp(inner)
    g = outer * (1 - inner * inner)
    return _known({"value": [outer.sum()], "gradient norms": [norm(g * (y + 1)), norm(g * x)]})


def lstm_cell(small: bool) -> Workload:
    case = inputs.lstm(small)
    return _lstm(case, 1 / case.ts.shape[1])


def lstm_sequence(small: bool) -> Workload:
    case = inputs.lstm_sequence(small)
    return _lstm(case, 1 / case.ts.size)


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _lstm(case: inputs.LSTM, weight: float) -> Workload:
    """Training on ``weight`` times the sum of the squared errors of all steps."""
    xs, ts = case.xs.astype(np.float64), case.ts.astype(np.float64)
    parts = {
        "wx": np.hstack([case.wx[g] for g in "fiou"]),
        "wh": np.hstack([case.wh[g] for g in "fiou"]),
        "b": np.hstack([case.b[g] for g in "fiou"]),
        "w_out": case.w_out,
        "b_out": case.b_out,
    }
    p = {name: a.astype(np.float64) for name, a in parts.items()}
    g = {name: np.zeros_like(a) for name, a in p.items()}
    adam = _Adam(p, case.lr, case.betas, case.eps)

    def forward() -> tuple[Any, Any, Any]:
        h = c = np.zeros((xs.shape[1], case.hidden))
        gates, hs, cs = [], [h], [c]
        for x in xs:
            f, i, o, u = np.split(x @ p["wx"] + h @ p["wh"] + p["b"], 4, axis=1)
            f, i, o, u = _sigmoid(f), _sigmoid(i), _sigmoid(o), np.tanh(u)
            c = f * c + i * u
            h = o * np.tanh(c)
            gates.append((f, i, o, u))
            hs.append(h)
            cs.append(c)
        return gates, hs, cs

    def step() -> Any:
        gates, hs, cs = forward()
        for a in g.values():
            a[...] = 0
        gh = gc = np.zeros_like(hs[0])
        loss = 0.0
        for s in reversed(range(len(xs))):
            error = hs[s + 1] @ p["w_out"] + p["b_out"] - ts[s]
            loss += weight * np.sum(error**2)
            gy = 2 * weight * error
            g["w_out"] += hs[s + 1].T @ gy
            g["b_out"] += gy.sum(axis=0)
            (f, i, o, u), tanh_c = gates[s], np.tanh(cs[s + 1])
            gh = gh + gy @ p["w_out"].T
            gc = gc + gh * o * (1 - tanh_c**2)
            ga = np.hstack([
                gc * cs[s] * f * (1 - f), gc * u * i * (1 - i),
                gh * tanh_c * o * (1 - o), gc * i * (1 - u**2),
            ])  # fmt: skip
            g["wx"] += xs[s].T @ ga
            g["wh"] += hs[s].T @ ga
            g["b"] += ga.sum(axis=0)
            gh, gc = ga @ p["wh"].T, gc * f
        adam.update(g)
        return loss

    return Workload(step, lambda: training_check(step, lambda: p, lambda: g), "by hand")


class _Adam:
    """Changes the arrays ``p`` in place."""

    def __init__(self, p: Any, lr: float, betas: tuple[float, float], eps: float) -> None:
        self.p, self.lr, self.betas, self.eps = p, lr, betas, eps
        self.m = {name: np.zeros_like(a) for name, a in p.items()}
        self.v = {name: np.zeros_like(a) for name, a in p.items()}
        self.count = 0

    def update(self, g: Any) -> None:
        self.count += 1
        (b1, b2), n = self.betas, self.count
        for name, a in self.p.items():
            self.m[name] = b1 * self.m[name] + (1 - b1) * g[name]
            self.v[name] = b2 * self.v[name] + (1 - b2) * g[name] ** 2
            mean, square = self.m[name] / (1 - b1**n), self.v[name] / (1 - b2**n)
            a -= self.lr * mean / (np.sqrt(square) + self.eps)


def mlp(small: bool) -> Workload:
    case = inputs.mlp(small)
    weights = [w.astype(np.float64) for w in case.weights]
    biases = [b.astype(np.float64) for b in case.biases]
    rows = np.arange(len(case.t))

    def step() -> Any:
        layers = [case.x.astype(np.float64)]
        for w, b in zip(weights, biases, strict=True):
            layers.append(np.maximum(layers[-1] @ w + b, 0))
        logits = layers[-2] @ weights[-1] + biases[-1]
        shifted = logits - logits.max(axis=1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        g = np.exp(log_p)
        g[rows, case.t] -= 1
        g /= len(rows)
        for i in reversed(range(len(weights))):
            below = (g @ weights[i].T) * (layers[i] > 0)
            weights[i] -= case.lr * (layers[i].T @ g)
            biases[i] -= case.lr * g.sum(axis=0)
            g = below
        return -log_p[rows, case.t].mean()

    def named() -> dict[str, Any]:
        return {f"W{i}": w for i, w in enumerate(weights)} | {
            f"b{i}": b for i, b in enumerate(biases)
        }

    return Workload(step, lambda: training_check(step, named), "by hand")
