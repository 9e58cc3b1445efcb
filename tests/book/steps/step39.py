"""Step 39: sums, over everything or along axes."""

import numpy as np

import dezero.functions as F
from dezero import Variable

x = Variable(np.array([1, 2, 3, 4, 5, 6]))
y = F.sum(x)
y.backward()
print(y, x.grad)
assert y.data == 21
assert np.array_equal(x.grad.data, np.ones(6))

x = Variable(np.array([[1, 2, 3], [4, 5, 6]]))
y = F.sum(x, axis=0)
y.backward()
print(y, x.grad)
assert np.array_equal(y.data, [5, 7, 9])
assert np.array_equal(x.grad.data, np.ones((2, 3)))

x = Variable(np.random.randn(2, 3, 4, 5))
y = x.sum(keepdims=True)
assert y.shape == (1, 1, 1, 1)
assert np.isclose(y.data.item(), x.data.sum())
assert F.sum(x, axis=(1, 3), keepdims=True).shape == (2, 1, 4, 1)
assert F.sum(x, axis=(0, 2)).shape == (3, 5)

x.cleargrad()
weight = np.random.randn(3, 5)
F.sum(F.sum(x, axis=(0, 2)) * weight).backward()
assert np.allclose(x.grad.data, np.broadcast_to(weight[None, :, None, :], x.shape))
