"""Step 42: a straight line through noisy points."""

import matplotlib.pyplot as plt
import numpy as np

import dezero.functions as F
from dezero import Variable

np.random.seed(0)
x = np.random.rand(100, 1)
y = 5 + 2 * x + np.random.rand(100, 1)
x, y = Variable(x), Variable(y)

W = Variable(np.zeros((1, 1)))
b = Variable(np.zeros(1))


def predict(x):
    return F.matmul(x, W) + b


def mean_squared_error(x0, x1):
    diff = x0 - x1
    return F.sum(diff**2) / len(diff)


lr = 0.1
iters = 100
w_plain, b_plain = 0.0, 0.0
for i in range(iters):
    y_pred = predict(x)
    loss = mean_squared_error(y, y_pred)
    if i == 0:
        by_package = F.mean_squared_error(y, y_pred)
        assert np.isclose(by_package.data, loss.data, rtol=1e-14)

    W.cleargrad()
    b.cleargrad()
    loss.backward()
    W.data -= lr * W.grad.data
    b.data -= lr * b.grad.data

    error = w_plain * x.data + b_plain - y.data
    w_plain -= lr * 2 * np.mean(error * x.data)
    b_plain -= lr * 2 * np.mean(error)
print(W, b, loss)

assert np.allclose(W.data, w_plain, rtol=1e-10)
assert np.allclose(b.data, b_plain, rtol=1e-10)
assert np.allclose(W.data, [[2.11807369]], atol=1e-7)
assert np.allclose(b.data, [5.46608905], atol=1e-7)
assert np.isclose(loss.data, 0.07908606512411756, rtol=1e-9)

plt.scatter(x.data, y.data, s=10)
plt.xlabel("x")
plt.ylabel("y")
t = np.arange(0, 1, 0.01)[:, np.newaxis]
plt.plot(t, predict(Variable(t)).data, color="r")
plt.show()
