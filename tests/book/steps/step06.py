"""Step 6: backpropagation called by hand, function by function."""

import numpy as np

from dezero.core_simple import Function, Variable


class Square(Function):
    def forward(self, x):
        return x**2

    def backward(self, gy):
        x = self.inputs[0].data
        return 2 * x * gy


class Exp(Function):
    def forward(self, x):
        return np.exp(x)

    def backward(self, gy):
        x = self.inputs[0].data
        return np.exp(x) * gy


A, B, C = Square(), Exp(), Square()
x = Variable(np.array(0.5))
a = A(x)
b = B(a)
y = C(b)

y.grad = np.array(1.0)
b.grad = C.backward(y.grad)
a.grad = B.backward(b.grad)
x.grad = A.backward(a.grad)
print(x.grad)
assert np.isclose(b.grad, 2 * np.exp(0.25), rtol=1e-14)
assert np.isclose(a.grad, 2 * np.exp(0.5), rtol=1e-14)
assert np.isclose(x.grad, 3.297442541400256, rtol=1e-14)
