"""Step 38: functions that change only the shape."""

import numpy as np

import dezero.functions as F
from dezero import Variable

x = Variable(np.array([[1, 2, 3], [4, 5, 6]]))
y = F.reshape(x, (6,))
assert np.array_equal(y.data, [1, 2, 3, 4, 5, 6])
y.backward(retain_grad=True)
print(x.grad)
assert x.grad.shape == (2, 3)
assert np.array_equal(x.grad.data, np.ones((2, 3)))
assert y.grad.shape == (6,)

x = Variable(np.random.randn(1, 2, 3))
assert x.reshape((2, 3)).shape == (2, 3)
assert x.reshape(2, 3).shape == (2, 3)
assert x.reshape([3, 2]).shape == (3, 2)

x = Variable(np.array([[1, 2, 3], [4, 5, 6]]))
y = F.transpose(x)
assert np.array_equal(y.data, [[1, 4], [2, 5], [3, 6]])
y.backward()
print(x.grad)
assert np.array_equal(x.grad.data, np.ones((2, 3)))
assert np.array_equal(x.T.data, x.data.T)
assert np.array_equal(x.transpose().data, x.data.T)

x = Variable(np.random.rand(2, 3, 4))
y = x.transpose(1, 0, 2)
assert y.shape == (3, 2, 4)
weight = np.arange(24.0).reshape(3, 2, 4)
F.sum(y * weight).backward()
assert np.array_equal(x.grad.data, weight.transpose(1, 0, 2))
