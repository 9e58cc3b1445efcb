"""Step 24: test functions of optimisation, differentiated."""

import numpy as np

from dezero import Variable


def sphere(x, y):
    return x**2 + y**2


def matyas(x, y):
    return 0.26 * (x**2 + y**2) - 0.48 * x * y


def goldstein(x, y):
    return (1 + (x + y + 1) ** 2 * (19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2)) * (
        30 + (2 * x - 3 * y) ** 2 * (18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2)
    )


for f, value, gx, gy in [
    (sphere, 2.0, 2.0, 2.0),
    (matyas, 0.04, 0.04, 0.04),
    (goldstein, 1876.0, -5376.0, 8064.0),
]:
    x = Variable(np.array(1.0))
    y = Variable(np.array(1.0))
    z = f(x, y)
    z.backward()
    print(f.__name__, x.grad, y.grad)
    assert np.isclose(z.data, value, rtol=1e-12)
    assert np.isclose(x.grad.data, gx, rtol=1e-12)
    assert np.isclose(y.grad.data, gy, rtol=1e-12)
