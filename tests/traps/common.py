"""What the tests of this folder share."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np

from dezero import Function, Variable
from dezero.models import MLP

rng = np.random.default_rng(0)


def leaf(*shape, dtype=np.float64):
    return Variable(rng.standard_normal(shape).astype(dtype))


def peak_of(action):
    """Return how many bytes were allocated at the worst moment of ``action()``."""
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        result = action()
        return tracemalloc.get_traced_memory()[1] - before, result
    finally:
        tracemalloc.stop()


def differences(f, x, eps=1e-5):
    """Return the gradient of the scalar ``f(array)`` by central differences."""
    grad = np.zeros_like(x)
    for index in np.ndindex(*x.shape):
        ends = []
        for step in (eps, -eps):
            moved = x.copy()
            moved[index] += step
            ends.append(float(f(moved)))
        grad[index] = (ends[0] - ends[1]) / (2 * eps)
    return grad


class Split(Function):
    """Two outputs: the double and the square."""

    def forward(self, x):
        return 2 * x, x**2

    def backward(self, g2, gsq):
        assert isinstance(g2, Variable)
        assert isinstance(gsq, Variable)
        return 2 * g2 + 2 * self.inputs[0] * gsq


class Cube(Function):
    def forward(self, x):
        return x**3

    def backward(self, gy):
        return 3 * self.inputs[0] ** 2 * gy


def saved_mlp(tmp_path, **changes):
    model = MLP((3, 2))
    model(np.ones((1, 4), np.float32))
    path = str(tmp_path / "w.npz")
    model.save_weights(path)
    with np.load(path) as saved:
        arrays = dict(saved)
    for name, value in changes.items():
        if value is None:
            del arrays[name]
        else:
            arrays[name] = value
    np.savez(path, **arrays)
    return model, path
