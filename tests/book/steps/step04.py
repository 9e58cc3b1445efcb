"""Step 4: a derivative from two values of the function."""

import numpy as np

from dezero.core_simple import Function, Variable


class Square(Function):
    def forward(self, x):
        return x**2


class Exp(Function):
    def forward(self, x):
        return np.exp(x)


def numerical_diff(f, x, eps=1e-4):
    left = f(Variable(np.array(x.data - eps)))
    right = f(Variable(np.array(x.data + eps)))
    return (right.data - left.data) / (2 * eps)


def composed(x):
    return Square()(Exp()(Square()(x)))


dy = numerical_diff(Square(), Variable(np.array(2.0)))
print(dy)
assert abs(dy - 4.0) < 1e-8

x = Variable(np.array(0.5))
dy = numerical_diff(composed, x)
print(dy)
exact = 4 * 0.5 * np.exp(2 * 0.5**2)
assert abs(dy - exact) < 1e-6
assert abs(dy - exact) > 1e-9, "a central difference is close, not exact"
