"""Models in plain NumPy, whose gradients DeZero and Autograd compute from the same source.

Each function returns the model, a function of a module that stands for NumPy, and its arguments;
the first one is differentiated. Autograd gets ``autograd.numpy``, DeZero NumPy itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy

from benchmarks import inputs
from benchmarks.workloads import formulas

Model = tuple[Callable[[Any], Callable[..., Any]], tuple[Any, ...]]


def _rng() -> numpy.random.Generator:
    return numpy.random.default_rng(inputs.SEED)


def goldstein_price(small: bool) -> Model:
    """The Goldstein-Price function of two numbers."""
    return lambda np: lambda xy: formulas.goldstein_price(xy[0], xy[1]), ((1.0, 1.0),)


def perceptron(small: bool) -> Model:
    """The log likelihood of a tanh network, 784-200-100-10, 256 examples, float64."""
    sizes = [20, 8, 5, 3] if small else [784, 200, 100, 10]
    count = 8 if small else 256
    rng = _rng()
    pairs = list(itertools.pairwise(sizes))
    params = [(0.1 * rng.standard_normal(s), 0.1 * rng.standard_normal(s[1])) for s in pairs]
    x = rng.standard_normal((count, sizes[0]))
    targets = numpy.eye(sizes[-1])[rng.integers(0, sizes[-1], count)]

    def model(np: Any) -> Callable[..., Any]:
        def loss(params: Any, x: Any, targets: Any) -> Any:
            for W, b in params[:-1]:
                x = np.tanh(np.dot(x, W) + b)
            W, b = params[-1]
            logits = np.dot(x, W) + b
            top = np.max(logits, axis=1, keepdims=True)
            log_z = top + np.log(np.sum(np.exp(logits - top), axis=1, keepdims=True))
            return -np.sum(targets * (logits - log_z))

        return loss

    return model, (params, x, targets)


def chain(small: bool) -> Model:
    """A chain of elementwise functions of 10,000 float64 numbers."""
    x = _rng().standard_normal(100 if small else 10_000)

    def model(np: Any) -> Callable[..., Any]:
        def f(x: Any) -> Any:
            for _ in range(5):
                x = np.sin(x) * np.exp(-x * x) + np.tanh(x) / (1.0 + x * x)
            return np.sum(np.sqrt(x * x + 1.0))

        return f

    return model, (x,)


def logistic_regression(small: bool) -> Model:
    """The penalised log likelihood of logistic regression, 500 examples of 20 numbers."""
    rng = _rng()
    x = rng.standard_normal((20 if small else 500, 20))
    t = (rng.random(len(x)) < 0.5).astype(float)

    def model(np: Any) -> Callable[..., Any]:
        def loss(w: Any, x: Any, t: Any) -> Any:
            z = np.dot(x, w)
            p = 0.5 * (np.tanh(0.5 * z) + 1)
            likelihood = np.sum(np.log(p * t + (1 - p) * (1 - t)))
            return 0.1 * np.sum(w * w) - likelihood

        return loss

    return model, (0.1 * rng.standard_normal(20), x, t)


def mixture(small: bool) -> Model:
    """The log likelihood of a mixture of 10 Gaussians, 1,000 points in 2 dimensions."""
    rng = _rng()
    count, k, d = (20 if small else 1000), 10, 2
    points = rng.standard_normal((count, d))
    params = {
        "weights": rng.standard_normal(k),
        "means": rng.standard_normal((k, d)),
        "roots": rng.standard_normal((k, d, d)) + 2 * numpy.eye(d),
    }

    def model(np: Any) -> Callable[..., Any]:
        def log_sum(x: Any, axis: int) -> Any:
            top = np.max(x, axis=axis, keepdims=True)
            return np.log(np.sum(np.exp(x - top), axis=axis)) + np.squeeze(top, axis=axis)

        def loss(params: Any, points: Any) -> Any:
            log_weights = params["weights"] - log_sum(params["weights"], 0)
            columns = []
            for i in range(k):
                root = params["roots"][i]
                z = np.dot(points - params["means"][i], root)
                log_det = np.log(np.abs(root[0, 0] * root[1, 1] - root[0, 1] * root[1, 0]))
                columns.append(log_weights[i] + log_det - 0.5 * np.sum(z * z, axis=1))
            return -np.sum(log_sum(np.stack(columns), 0)) / len(points)

        return loss

    return model, (params, points)


def bundle_adjustment(small: bool) -> Model:
    """Squared residuals of 500 projections of 100 points by 10 cameras.

    A camera is a rotation vector, a centre, a focal length, a principal point and two radial
    distortions: 11 numbers. (The problem and its formula: ADBench.)
    """
    rng = _rng()
    cameras = 0.1 * rng.standard_normal((10, 11))
    cameras[:, 5:7] += (-5, 1)
    points = rng.standard_normal((100, 3))
    count = 20 if small else 500
    camera_of, point_of = rng.integers(0, 10, count), rng.integers(0, 100, count)
    seen = rng.standard_normal((count, 2))

    def model(np: Any) -> Callable[..., Any]:
        def loss(params: Any, camera_of: Any, point_of: Any, seen: Any) -> Any:
            cameras, points = params
            c, X = cameras[camera_of], points[point_of]
            turn, Y = c[:, 0:3], X - c[:, 3:6]
            squared = np.sum(turn * turn, axis=1, keepdims=True)
            angle = np.sqrt(squared)
            axis = turn / angle
            cos, sin = np.cos(angle), np.sin(angle)
            crossed = np.stack(
                (
                    axis[:, 1] * Y[:, 2] - axis[:, 2] * Y[:, 1],
                    axis[:, 2] * Y[:, 0] - axis[:, 0] * Y[:, 2],
                    axis[:, 0] * Y[:, 1] - axis[:, 1] * Y[:, 0],
                ),
                axis=1,
            )
            along = np.sum(axis * Y, axis=1, keepdims=True) * (1.0 - cos)
            Z = Y * cos + crossed * sin + axis * along
            flat = Z[:, 0:2] / Z[:, 2:3]
            r2 = np.sum(flat * flat, axis=1, keepdims=True)
            bent = flat * (1.0 + c[:, 9:10] * r2 + c[:, 10:11] * r2 * r2)
            residual = bent * c[:, 6:7] + c[:, 7:9] - seen
            return np.sum(residual * residual)

        return loss

    return model, ((cameras, points), camera_of, point_of, seen)
