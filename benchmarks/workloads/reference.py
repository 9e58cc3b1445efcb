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
