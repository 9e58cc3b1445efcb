"""Step 27: sin, once with its known derivative and once as a Taylor series."""

import math

import numpy as np

from dezero import Function, Variable
from dezero.utils import get_dot_graph


class Sin(Function):
    def forward(self, x):
        return np.sin(x)

    def backward(self, gy):
        x = self.inputs[0].data
        return gy * np.cos(x)


def sin(x):
    return Sin()(x)


def my_sin(x, threshold=0.0001):
    y = 0
    for i in range(100000):
        c = (-1) ** i / math.factorial(2 * i + 1)
        t = c * x ** (2 * i + 1)
        y = y + t
        if abs(t.data) < threshold:
            break
    return y


x = Variable(np.array(np.pi / 4))
y = sin(x)
y.backward()
print("exact ", y.data, x.grad.data)
assert np.isclose(y.data, 1 / np.sqrt(2), rtol=1e-15)
assert np.isclose(x.grad.data, 1 / np.sqrt(2), rtol=1e-15)

x = Variable(np.array(np.pi / 4))
y = my_sin(x)
y.backward()
print("coarse", y.data, x.grad.data)
assert np.isclose(y.data, 0.7071064695751781, rtol=1e-14)
assert np.isclose(x.grad.data, 0.7071032148228457, rtol=1e-14)
coarse_edges = get_dot_graph(y, verbose=False).count("->")

x = Variable(np.array(np.pi / 4))
y = my_sin(x, threshold=1e-150)
y.backward()
print("fine  ", y.data, x.grad.data)
assert np.isclose(y.data, 1 / np.sqrt(2), rtol=1e-14)
assert np.isclose(x.grad.data, 1 / np.sqrt(2), rtol=1e-14)
assert get_dot_graph(y, verbose=False).count("->") > 5 * coarse_edges
