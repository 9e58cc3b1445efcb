"""Step 8: a loop in place of recursion: depth is no limit."""

import sys

import numpy as np

from dezero.core_simple import Function, Variable


class Square(Function):
    def forward(self, x):
        return x**2

    def backward(self, gy):
        return 2 * self.inputs[0].data * gy


class Exp(Function):
    def forward(self, x):
        return np.exp(x)

    def backward(self, gy):
        return np.exp(self.inputs[0].data) * gy


class Same(Function):
    def forward(self, x):
        return x

    def backward(self, gy):
        return gy


x = Variable(np.array(0.5))
y = Square()(Exp()(Square()(x)))
y.grad = np.array(1.0)
y.backward()
print(x.grad)
assert np.isclose(x.grad, 3.297442541400256, rtol=1e-14)

depth = 3 * sys.getrecursionlimit()
x = Variable(np.array(2.0))
y = x
for _ in range(depth):
    y = Same()(y)
y.grad = np.array(1.0)
y.backward()
print(depth, "functions deep:", x.grad)
assert x.grad == 1.0
