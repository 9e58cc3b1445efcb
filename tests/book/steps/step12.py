"""Step 12: the same, easier to call and easier to write."""

import numpy as np

from dezero.core_simple import Function, Variable


class Add(Function):
    def forward(self, x0, x1):
        return x0 + x1


class SumOfAll(Function):
    def forward(self, *xs):
        total = xs[0]
        for x in xs[1:]:
            total = total + x
        return total


def add(x0, x1):
    return Add()(x0, x1)


x0 = Variable(np.array(2))
x1 = Variable(np.array(3))
y = add(x0, x1)
print(y.data)
assert isinstance(y, Variable)
assert y.data == 5

many = SumOfAll()(*[Variable(np.array(float(i))) for i in range(10)])
assert many.data == 45.0
