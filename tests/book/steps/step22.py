"""Step 22: minus, divide, power."""

import numpy as np

from dezero.core_simple import Variable, setup_variable

setup_variable()


def value_and_grad(f, at):
    x = Variable(np.array(at))
    y = f(x)
    y.backward()
    return y.data, x.grad


assert value_and_grad(lambda x: -x, 2.0) == (-2.0, -1.0)
assert value_and_grad(lambda x: 2.0 - x, 3.0) == (-1.0, -1.0)
assert value_and_grad(lambda x: x - 1.0, 3.0) == (2.0, 1.0)
assert value_and_grad(lambda x: x / 4.0, 3.0) == (0.75, 0.25)
assert value_and_grad(lambda x: 4.0 / x, 2.0) == (2.0, -1.0)
assert value_and_grad(lambda x: x**3, 2.0) == (8.0, 12.0)

a = Variable(np.array(3.0))
b = Variable(np.array(2.0))
y = (a - b) / (a * b) + a**2
y.backward()
print(y, a.grad, b.grad)
assert np.isclose(y.data, 1 / 2 - 1 / 3 + 9, rtol=1e-15)
assert np.isclose(a.grad, 1 / 9 + 6, rtol=1e-14), "y = 1/b - 1/a + a^2"
assert np.isclose(b.grad, -1 / 4, rtol=1e-14)
