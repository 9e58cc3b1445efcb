"""Step 13: a function of several variables, going backward."""

import numpy as np

from dezero.core_simple import Function, Variable


class Square(Function):
    def forward(self, x):
        return x**2

    def backward(self, gy):
        return 2 * self.inputs[0].data * gy


class Add(Function):
    def forward(self, x0, x1):
        return x0 + x1

    def backward(self, gy):
        return gy, gy


class SumAndDifference(Function):
    def forward(self, x0, x1):
        return x0 + x1, x0 - x1

    def backward(self, gsum, gdiff):
        return gsum + gdiff, gsum - gdiff


def square(x):
    return Square()(x)


def add(x0, x1):
    return Add()(x0, x1)


x = Variable(np.array(2.0))
y = Variable(np.array(3.0))
z = add(square(x), square(y))
z.backward()
print(z.data, x.grad, y.grad)
assert (z.data, x.grad, y.grad) == (13.0, 4.0, 6.0)

x = Variable(np.array(5.0))
y = Variable(np.array(2.0))
s, d = SumAndDifference()(x, y)
z = add(square(s), square(d))
z.backward()
assert z.data == 49.0 + 9.0
assert (x.grad, y.grad) == (4 * 5.0, 4 * 2.0), "z = 2x^2 + 2y^2"
