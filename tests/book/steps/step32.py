"""Step 32: every operator differentiated twice."""

import numpy as np

from dezero import Config, Variable

x0 = 1.7
cases = [
    ("add", lambda x: x + x, 2.0, 0.0),
    ("mul", lambda x: x * x * x, 3 * x0**2, 6 * x0),
    ("neg", lambda x: -(x * x), -2 * x0, -2.0),
    ("sub", lambda x: x * x - x, 2 * x0 - 1, 2.0),
    ("rsub", lambda x: 5.0 - x * x, -2 * x0, -2.0),
    ("div", lambda x: x / (x + 1.0), 1 / (x0 + 1) ** 2, -2 / (x0 + 1) ** 3),
    ("rdiv", lambda x: 3.0 / x, -3 / x0**2, 6 / x0**3),
    ("pow", lambda x: x**4, 4 * x0**3, 12 * x0**2),
]
for name, f, first, second in cases:
    x = Variable(np.array(x0))
    y = f(x) + 0.0 * x**2
    y.backward(create_graph=True)
    gx = x.grad
    assert np.isclose(gx.data, first, rtol=1e-13), name
    x.cleargrad()
    gx.backward()
    print(name, gx.data, x.grad.data)
    assert np.isclose(x.grad.data, second, rtol=1e-13, atol=1e-13), name
assert Config.enable_backprop is True
