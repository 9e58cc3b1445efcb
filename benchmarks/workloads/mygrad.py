"""MyGrad: NumPy's interface with a tensor that remembers, no compiler."""

from __future__ import annotations

from typing import Any

import mygrad as mg
from mygrad.nnet.activations import relu
from mygrad.nnet.losses import softmax_crossentropy

from benchmarks import inputs, suite
from benchmarks.workloads import Check, Workload, formulas, norm, training_check


def _set_up(threads: int) -> str:
    return str(mg.__version__)


def goldstein_price(small: bool) -> Workload:
    x, y = mg.tensor(inputs.START), mg.tensor(inputs.START)

    def step() -> Any:
        z = formulas.goldstein_price(x, y)
        z.backward()
        return z.data

    def check() -> Check:
        return {"value": [float(step())], "gradient": [float(x.grad), float(y.grad)]}

    return Workload(step, check, "0-d tensors of float64")


def chain_10000(small: bool) -> Workload:
    length = suite.chain_length(10_000, small)
    x = mg.tensor(inputs.START)

    def step() -> Any:
        y = formulas.chain(x, inputs.CHAIN_FACTOR, length)
        y.backward()
        return y.data

    def check() -> Check:
        return {"value": [float(step())], "gradient": [float(x.grad)]}

    return Workload(step, check, "0-d tensor of float64")


def mlp(small: bool) -> Workload:
    case = inputs.mlp(small)
    weights = [mg.tensor(w) for w in case.weights]
    biases = [mg.tensor(b) for b in case.biases]

    def step() -> Any:
        y: Any = case.x
        for w, b in zip(weights[:-1], biases[:-1], strict=True):
            y = relu(mg.matmul(y, w) + b)
        loss = softmax_crossentropy(mg.matmul(y, weights[-1]) + biases[-1], case.t)
        loss.backward()
        for p in (*weights, *biases):
            p.data -= case.lr * p.grad
        return loss.data

    def named() -> dict[str, Any]:
        return {f"W{i}": w.data for i, w in enumerate(weights)} | {
            f"b{i}": b.data for i, b in enumerate(biases)
        }

    return Workload(step, lambda: training_check(step, named), "SGD in place by hand")


def elementwise(small: bool) -> Workload:
    x, y = (mg.tensor(a) for a in inputs.elementwise(small))

    def step() -> Any:
        loss = formulas.elementwise(x, y, mg)
        loss.backward()
        return loss.data

    def check() -> Check:
        value = float(step())
        return {"value": [value], "gradient norms": [norm(x.grad), norm(y.grad)]}

    return Workload(step, check, "no compiler")
