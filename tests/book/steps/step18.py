"""Step 18: spend less memory: gradients that are dropped, graphs that are not built."""

import numpy as np

from dezero.core_simple import Config, Function, Variable, no_grad, using_config


class Square(Function):
    def forward(self, x):
        return x**2

    def backward(self, gy):
        return 2 * self.inputs[0].data * gy


class Add(Function):
    def forward(self, x0, x1):
        return x0 + x1

    def backward(self, gy):
        return gy, gy


x0 = Variable(np.array(1.0))
x1 = Variable(np.array(1.0))
t = Add()(x0, x1)
y = Add()(x0, t)
y.backward()
print(t.grad, x0.grad, x1.grad)
assert t.grad is None
assert (x0.grad, x1.grad) == (2.0, 1.0)

x0.cleargrad()
x1.cleargrad()
t = Add()(x0, x1)
y = Add()(x0, t)
y.backward(retain_grad=True)
assert (y.grad, t.grad, x0.grad, x1.grad) == (1.0, 1.0, 2.0, 1.0)

x = Variable(np.ones((10, 10, 10)))
y = Square()(Square()(Square()(x)))
y.backward()
assert np.array_equal(x.grad, np.full((10, 10, 10), 8.0))

with using_config("enable_backprop", False):
    assert Config.enable_backprop is False
    y = Square()(Variable(np.array(2.0)))
    assert y.creator is None
assert Config.enable_backprop is True

with no_grad():
    y = Square()(Variable(np.array(2.0)))
assert y.data == 4.0
assert y.creator is None

try:
    with no_grad():
        raise KeyError("inside")
except KeyError:
    pass
assert Config.enable_backprop is True, "an error must not leave gradients switched off"
