"""Step 3: functions joined one after another."""

import numpy as np

from dezero.core_simple import Function, Variable


class Square(Function):
    def forward(self, x):
        return x**2


class Exp(Function):
    def forward(self, x):
        return np.exp(x)


A, B, C = Square(), Exp(), Square()
x = Variable(np.array(0.5))
a = A(x)
b = B(a)
y = C(b)
print(a.data, b.data, y.data)

assert a.data == 0.25
assert np.isclose(b.data, 1.2840254166877414, rtol=1e-15)
assert np.isclose(y.data, 1.648721270700128, rtol=1e-15)
assert np.isclose(y.data, np.sqrt(np.e), rtol=1e-15)
