"""Step 15: a graph that splits and joins: in which order must backward go?"""

import numpy as np

from dezero.core_simple import Function, Variable

order = []


class Noted(Function):
    """y = k * x, writing down when its backward runs."""

    def __init__(self, name, k):
        self.name = name
        self.k = k

    def forward(self, x):
        return self.k * x

    def backward(self, gy):
        order.append(self.name)
        return self.k * gy


class Add(Function):
    def forward(self, x0, x1):
        return x0 + x1

    def backward(self, gy):
        order.append("join")
        return gy, gy


x = Variable(np.array(2.0))
a = Noted("root", 3.0)(x)
left = Noted("left", 5.0)(a)
right = Noted("right", 7.0)(Noted("long", 1.0)(a))
y = Add()(left, right)
y.backward()
print(order, x.grad)

assert sorted(order) == ["join", "left", "long", "right", "root"], "each function exactly once"
assert order[0] == "join"
assert order[-1] == "root", "the shared ancestor waits for both branches"
assert order.index("right") < order.index("long")
assert x.grad == 3.0 * (5.0 + 7.0)
