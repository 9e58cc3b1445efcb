"""Step 5: why walking backwards works: the chain rule, multiplied from either end."""

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


one = np.array(1.0)
A, B, C = Square(), Exp(), Square()
x = Variable(np.array(0.5))
y = C(B(A(x)))

local = [f.backward(one) for f in (A, B, C)]
forwards = (local[0] * local[1]) * local[2]
backwards = ((one * local[2]) * local[1]) * local[0]
print(local, forwards, backwards)

assert np.isclose(forwards, backwards, rtol=1e-15)
assert np.isclose(backwards, 3.297442541400256, rtol=1e-14)
assert np.isclose(A.backward(B.backward(C.backward(one))), backwards, rtol=1e-15)
