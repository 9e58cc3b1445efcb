"""Step 11: a function of several variables, going forward."""

import numpy as np

from dezero.core_simple import Function, Variable


class Add(Function):
    def forward(self, x0, x1):
        return (x0 + x1,)


class SplitHalves(Function):
    def forward(self, x):
        middle = len(x) // 2
        return x[:middle], x[middle:]


y = Add()(Variable(np.array(2)), Variable(np.array(3)))
print(y.data)
assert y.data == 5

low, high = SplitHalves()(Variable(np.arange(6.0)))
print(low.data, high.data)
assert np.array_equal(low.data, [0, 1, 2])
assert np.array_equal(high.data, [3, 4, 5])
assert low.creator is high.creator
