"""Step 1: a variable is a box that holds an array."""

import numpy as np

from dezero.core_simple import Variable

first = np.array(1.0)
x = Variable(first)
print(x.data)
assert x.data is first

second = np.array([[1.0, 2.0], [3.0, 4.0]])
x.data = second
print(x.data)
assert x.data is second
assert (x.data.ndim, x.data.shape) == (2, (2, 2))
assert x.grad is None
