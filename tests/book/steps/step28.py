"""Step 28: gradient descent on the banana-shaped valley of Rosenbrock."""

import numpy as np

from dezero import Variable


def rosenbrock(x0, x1):
    return 100 * (x1 - x0**2) ** 2 + (x0 - 1) ** 2


x0 = Variable(np.array(0.0))
x1 = Variable(np.array(2.0))
y = rosenbrock(x0, x1)
y.backward()
print(x0.grad, x1.grad)
assert (x0.grad.data, x1.grad.data) == (-2.0, 400.0)

lr = 0.001
iters = 10000
a, b = 0.0, 2.0
x0 = Variable(np.array(a))
x1 = Variable(np.array(b))
for i in range(iters):
    y = rosenbrock(x0, x1)
    x0.cleargrad()
    x1.cleargrad()
    y.backward()
    # No `.data` on the gradients: this is how the program stands in the book.
    x0.data -= lr * x0.grad
    x1.data -= lr * x1.grad

    ga = -400 * a * (b - a**2) + 2 * (a - 1)
    gb = 200 * (b - a**2)
    a -= lr * ga
    b -= lr * gb
    if i == 999:
        print(i + 1, x0, x1)
        assert np.allclose([x0.data, x1.data], [a, b], rtol=1e-9)
        assert np.allclose([a, b], [0.6837, 0.4659], atol=1e-3)
print(iters, x0, x1)
assert isinstance(x0.data, np.ndarray)
assert np.allclose([x0.data, x1.data], [a, b], rtol=1e-9)
assert np.allclose([x0.data, x1.data], [1.0, 1.0], atol=0.02)
