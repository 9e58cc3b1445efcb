"""Step 14: one variable used more than once: gradients add up, and can be cleared."""

import numpy as np

from dezero.core_simple import Function, Variable


class Add(Function):
    def forward(self, x0, x1):
        return x0 + x1

    def backward(self, gy):
        return gy, gy


def add(x0, x1):
    return Add()(x0, x1)


x = Variable(np.array(3.0))
y = add(x, x)
y.backward()
print(x.grad)
assert x.grad == 2.0

x.cleargrad()
assert x.grad is None
y = add(add(x, x), x)
y.backward()
print(x.grad)
assert x.grad == 3.0

y = add(x, x)
y.backward()
assert x.grad == 5.0, "without cleargrad a second graph adds to the first"

x = Variable(np.array([1.0, 1.0]))
y = add(x, x)
y.grad = np.array([1.0, 10.0])
seed = y.grad
y.backward()
assert np.array_equal(x.grad, [2.0, 20.0])
assert np.array_equal(seed, [1.0, 10.0]), "accumulation must not write into a shared array"
