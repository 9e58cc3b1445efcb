"""Step 33: Newton's method, the second derivative found by the machine."""

import numpy as np

from dezero import Variable


def f(x):
    return x**4 - 2 * x**2


x = Variable(np.array(2.0))
y = f(x)
y.backward(create_graph=True)
assert x.grad.data == 24.0
gx = x.grad
x.cleargrad()
gx.backward()
assert x.grad.data == 44.0

x = Variable(np.array(2.0))
expected = 2.0
for i in range(10):
    print(i, x)
    assert np.isclose(x.data, expected, rtol=1e-12)
    y = f(x)
    x.cleargrad()
    y.backward(create_graph=True)
    gx = x.grad
    x.cleargrad()
    gx.backward()
    gx2 = x.grad
    x.data -= gx.data / gx2.data
    expected -= (4 * expected**3 - 4 * expected) / (12 * expected**2 - 4)
assert x.data == 1.0
