"""Step 29: Newton's method with the second derivative worked out by hand."""

import numpy as np

from dezero import Variable


def f(x):
    return x**4 - 2 * x**2


def gx2(x):
    return 12 * x**2 - 4


x = Variable(np.array(2.0))
seen = []
for i in range(10):
    print(i, x)
    seen.append(float(x.data))
    y = f(x)
    x.cleargrad()
    y.backward()
    x.data -= x.grad / gx2(x.data)

assert np.allclose(
    seen[:4], [2.0, 1.4545454545454546, 1.1510467893775467, 1.0253259289766978], rtol=1e-14
)
assert seen[-1] == 1.0

plain = 2.0
for _ in range(100):
    plain -= 0.01 * (4 * plain**3 - 4 * plain)
assert abs(plain - 1.0) > 1e-8, "plain descent is still on its way after 100 steps"
