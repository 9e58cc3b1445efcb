"""Step 47: slices with gradients, softmax, and cross entropy."""

import numpy as np

import dezero.functions as F
from dezero import Variable, as_variable
from dezero.models import MLP

x = Variable(np.array([[1, 2, 3], [4, 5, 6]]))
y = F.get_item(x, 1)
print(y)
assert np.array_equal(y.data, [4, 5, 6])
y.backward()
print(x.grad)
assert np.array_equal(x.grad.data, [[0, 0, 0], [1, 1, 1]])

x.cleargrad()
y = F.get_item(x, np.array([0, 0, 1]))
assert np.array_equal(y.data, [[1, 2, 3], [1, 2, 3], [4, 5, 6]])
y.backward()
assert np.array_equal(x.grad.data, [[2, 2, 2], [1, 1, 1]]), "a row taken twice counts twice"

Variable.__getitem__ = F.get_item
assert np.array_equal(x[1].data, [4, 5, 6])
assert np.array_equal(x[:, 2].data, [3, 6])


def softmax1d(x):
    x = as_variable(x)
    y = F.exp(x)
    sum_y = F.sum(y)
    return y / sum_y


model = MLP((10, 3))
x = Variable(np.array([[0.2, -0.4]]))
y = model(x)
p = softmax1d(y)
print(y, p)
assert np.isclose(p.data.sum(), 1.0, rtol=1e-5)
assert np.allclose(F.softmax(y).data, p.data, rtol=1e-5)
assert np.allclose(F.softmax_simple(y).data, p.data, rtol=1e-5)

x = np.array([[0.2, -0.4], [0.3, 0.5], [1.3, -3.2], [2.1, 0.3]])
t = np.array([2, 0, 1, 0])
y = model(x)
loss = F.softmax_cross_entropy(y, t)
loss.backward()
print(loss)

exps = np.exp(y.data)
probs = exps / exps.sum(axis=1, keepdims=True)
assert np.isclose(loss.data, -np.mean(np.log(probs[np.arange(4), t])), rtol=1e-5)
gy = (probs - np.eye(3)[t]) / 4
assert np.allclose(model.l1.b.grad.data, gy.sum(axis=0), rtol=1e-4, atol=1e-6)

W = model.l1.W.grad.data.copy()
model.cleargrads()
F.softmax_cross_entropy_simple(model(x), t).backward()
assert np.allclose(model.l1.W.grad.data, W, rtol=1e-4, atol=1e-6)
