"""Step 30: before higher derivatives: what backward leaves behind without create_graph."""

import numpy as np

from dezero import Config, Function, Variable

seen = []


class Square(Function):
    def forward(self, x):
        assert isinstance(x, np.ndarray), "forward gets arrays"
        return x**2

    def backward(self, gy):
        (x,) = self.inputs
        seen.append((type(gy), Config.enable_backprop))
        return 2 * x * gy


x = Variable(np.array(3.0))
y = Square()(x)
y.backward()
print(x.grad, seen)
assert x.grad.data == 6.0
assert isinstance(x.grad, Variable)
assert seen == [(Variable, False)], "backward gets variables, and records nothing unless asked"
assert x.grad.creator is None
