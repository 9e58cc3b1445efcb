"""Step 7: the graph remembers who made whom, so backward can find its own way."""

import numpy as np

from dezero.core_simple import Function, Variable


class Square(Function):
    def forward(self, x):
        return x**2

    def backward(self, gy):
        return 2 * self.inputs[0].data * gy


class Exp(Function):
    def forward(self, x):
        return np.exp(x)

    def backward(self, gy):
        return np.exp(self.inputs[0].data) * gy


A, B, C = Square(), Exp(), Square()
x = Variable(np.array(0.5))
a = A(x)
b = B(a)
y = C(b)

assert y.creator is C
assert y.creator.inputs[0] is b
assert y.creator.inputs[0].creator is B
assert y.creator.inputs[0].creator.inputs[0] is a
assert a.creator is A
assert a.creator.inputs[0] is x
assert x.creator is None

y.grad = np.array(1.0)
y.backward()
print(x.grad)
assert np.isclose(x.grad, 3.297442541400256, rtol=1e-14)

by_hand = Variable(y.data)
by_hand.set_creator(C)
x.cleargrad()
by_hand.backward()
assert by_hand.creator is C
assert np.isclose(x.grad, 3.297442541400256, rtol=1e-14), "the same chain from another end"
