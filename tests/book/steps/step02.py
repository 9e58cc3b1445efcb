"""Step 2: a function takes a variable and hands back a variable."""

import numpy as np

from dezero.core_simple import Function, Variable


class Square(Function):
    def forward(self, x):
        return x**2


class Unfinished(Function):
    pass


x = Variable(np.array(10.0))
y = Square()(x)
print(type(y).__name__, y.data)
assert isinstance(y, Variable)
assert y.data == 100.0

try:
    Unfinished()(x)
except NotImplementedError:
    refused = True
else:
    refused = False
assert refused, "a Function without forward must say so"
