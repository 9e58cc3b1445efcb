"""Autograd: NumPy functions traced and differentiated, no compiler."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd import grad, value_and_grad

from benchmarks import inputs, plain_models, suite
from benchmarks.workloads import (
    Check,
    Workload,
    formulas,
    gradient_check,
    norm,
    training_check,
)


def _set_up(threads: int) -> str:
    return version("autograd")


def goldstein_price(small: bool) -> Workload:
    x, y = np.array(inputs.START), np.array(inputs.START)
    run = value_and_grad(lambda xy: formulas.goldstein_price(*xy))

    def step() -> Any:
        return run((x, y))

    def check() -> Check:
        value, (gx, gy) = step()
        return {"value": [float(value)], "gradient": [float(gx), float(gy)]}

    return Workload(step, check, "0-d arrays of float64")


def chain_10000(small: bool) -> Workload:
    length = suite.chain_length(10_000, small)
    x = np.array(inputs.START)
    run = value_and_grad(lambda x: formulas.chain(x, inputs.CHAIN_FACTOR, length))

    def step() -> Any:
        return run(x)

    def check() -> Check:
        value, gradient = step()
        return {"value": [float(value)], "gradient": [float(gradient)]}

    return Workload(step, check, "0-d array of float64")


def _mlp_loss(parameters: Any, x: Any, t: Any) -> Any:
    for w, b in parameters[:-1]:
        x = anp.dot(x, w) + b
        x = x * (x > 0)  # the gradient of anp.maximum would turn float32 into float64
    w, b = parameters[-1]
    logits = anp.dot(x, w) + b
    shifted = logits - anp.max(logits, axis=1, keepdims=True)
    log_p = shifted - anp.log(anp.sum(anp.exp(shifted), axis=1, keepdims=True))
    return -anp.mean(log_p[np.arange(len(t)), t])


def mlp(small: bool) -> Workload:
    case = inputs.mlp(small)
    parameters = [(w.copy(), b.copy()) for w, b in zip(case.weights, case.biases, strict=True)]
    gradient = value_and_grad(_mlp_loss)

    def step() -> Any:
        loss, gradients = gradient(parameters, case.x, case.t)
        for (w, b), (gw, gb) in zip(parameters, gradients, strict=True):
            w -= case.lr * gw
            b -= case.lr * gb
        return loss

    def named() -> dict[str, Any]:
        return {f"W{i}": w for i, (w, _) in enumerate(parameters)} | {
            f"b{i}": b for i, (_, b) in enumerate(parameters)
        }

    return Workload(step, lambda: training_check(step, named), "SGD in place by hand")


def hvp(small: bool) -> Workload:
    case = inputs.mlp(small)
    parameters = list(zip(case.weights, case.biases, strict=True))
    directions = list(zip(case.weight_directions, case.bias_directions, strict=True))
    gradient = grad(_mlp_loss)

    def dot(parameters: Any) -> Any:
        total = 0.0
        for (gw, gb), (vw, vb) in zip(
            gradient(parameters, case.x, case.t), directions, strict=True
        ):
            total = total + anp.sum(gw * vw) + anp.sum(gb * vb)
        return total

    product = grad(dot)

    def step() -> Any:
        return product(parameters)

    def check() -> Check:
        return {"norms": [norm(h) for pair in step() for h in pair]}

    return Workload(step, check, "grad twice")


def elementwise(small: bool) -> Workload:
    x, y = inputs.elementwise(small)
    run = value_and_grad(lambda xy: formulas.elementwise(*xy, anp))

    def step() -> Any:
        return run((x, y))

    def check() -> Check:
        value, (gx, gy) = step()
        return {"value": [float(value)], "gradient norms": [norm(gx), norm(gy)]}

    return Workload(step, check, "no compiler")


def _gradient_of(make: Any) -> Any:
    def workload(small: bool) -> Workload:
        model, args = make(small)
        gradient = grad(model(anp))
        return Workload(
            lambda: gradient(*args), lambda: gradient_check(gradient(*args)), "autograd.grad"
        )

    return workload


grad_goldstein_price = _gradient_of(plain_models.goldstein_price)
grad_perceptron = _gradient_of(plain_models.perceptron)
grad_chain = _gradient_of(plain_models.chain)
grad_logistic_regression = _gradient_of(plain_models.logistic_regression)
grad_mixture = _gradient_of(plain_models.mixture)
grad_bundle_adjustment = _gradient_of(plain_models.bundle_adjustment)
