"""Functions that the tests of the engine share."""

from __future__ import annotations

import numpy as np

from dezero.core import Function, Primitive, Variable


class Square(Function):
    def forward(self, x):
        return x**2

    def backward(self, gy):
        return 2 * self.input * gy


class Both(Function):
    """Two outputs: the product and the sum."""

    def forward(self, x0, x1):
        return x0 * x1, x0 + x1

    def backward(self, gmul, gadd):
        x0, x1 = self.inputs
        return gmul * x1 + gadd, gmul * x0 + gadd


class Halves(Primitive):
    """The two halves of a vector."""

    def forward(self, x):
        self.middle = x.shape[0] // 2
        return x[: self.middle].copy(), x[self.middle :].copy()

    def gx(self, gys):
        return np.concatenate(gys)


class Logged(Primitive):
    """The product, with a diary of which rules ran."""

    def __init__(self, diary):
        self.diary = diary

    def forward(self, x, w):
        return x * w

    def gx(self, gy, w):
        self.diary.append("x")
        return gy * w

    def gw(self, gy, x):
        self.diary.append("w")
        return gy * x


def var(*values, dtype=np.float64):
    """Return a Variable of the values; of one value, a 0-d one."""
    return Variable(np.array(values if len(values) != 1 else values[0], dtype))
