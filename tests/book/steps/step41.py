"""Step 41: products of matrices."""

import numpy as np

import dezero.functions as F
from dezero import Variable

a, b = np.array([1, 2, 3]), np.array([4, 5, 6])
assert np.dot(a, b) == 32
assert np.array_equal(np.dot([[1, 2], [3, 4]], [[5, 6], [7, 8]]), [[19, 22], [43, 50]])

x = Variable(np.random.randn(2, 3))
W = Variable(np.random.randn(3, 4))
y = F.matmul(x, W)
y.backward()
print(x.grad.shape, W.grad.shape)
assert np.allclose(y.data, x.data @ W.data)
assert x.grad.shape == (2, 3)
assert W.grad.shape == (3, 4)
assert np.allclose(x.grad.data, np.ones((2, 4)) @ W.data.T)
assert np.allclose(W.grad.data, x.data.T @ np.ones((2, 4)))

assert np.allclose(x.matmul(W).data, y.data)
assert np.allclose(x.dot(W).data, y.data)
