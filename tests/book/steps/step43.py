"""Step 43: a first neural network, its parameters made by hand."""

import os

import matplotlib.pyplot as plt
import numpy as np

import dezero.functions as F
from dezero import Variable

np.random.seed(0)
x = np.random.rand(100, 1)
y = np.sin(2 * np.pi * x) + np.random.rand(100, 1)

in_size, hidden_size, out_size = 1, 10, 1
W1 = Variable(0.01 * np.random.randn(in_size, hidden_size))
b1 = Variable(np.zeros(hidden_size))
W2 = Variable(0.01 * np.random.randn(hidden_size, out_size))
b2 = Variable(np.zeros(out_size))


def predict(x):
    y = F.linear(x, W1, b1)
    y = F.sigmoid(y)
    y = F.linear(y, W2, b2)
    return y


def predict_simple(x):
    y = F.linear_simple(x, W1, b1)
    y = F.sigmoid_simple(y)
    return F.linear_simple(y, W2, b2)


def gradients():
    return [p.grad.data.copy() for p in (W1, b1, W2, b2)]


def clear():
    for p in (W1, b1, W2, b2):
        p.cleargrad()


y_pred = predict(x)
loss = F.mean_squared_error(y, y_pred)
loss.backward()
by_functions = gradients()
clear()
F.mean_squared_error(y, predict_simple(x)).backward()
for left, right in zip(by_functions, gradients(), strict=True):
    assert np.allclose(left, right, rtol=1e-9, atol=1e-15)

lr = 0.2
iters = int(os.environ.get("STEP43_ITERS", 10000))
for i in range(iters):
    y_pred = predict(x)
    loss = F.mean_squared_error(y, y_pred)
    if i == 0:
        assert np.isclose(loss.data, 0.8473695850105871, rtol=1e-12)

    clear()
    loss.backward()

    W1.data -= lr * W1.grad.data
    b1.data -= lr * b1.grad.data
    W2.data -= lr * W2.grad.data
    b2.data -= lr * b2.grad.data
    if i % 1000 == 0:
        print(loss)
print(loss)
assert loss.data < 0.1, "noise alone leaves about 1/12"

plt.scatter(x, y, s=10)
t = np.arange(0, 1, 0.01)[:, np.newaxis]
plt.plot(t, predict(t).data, color="r")
plt.show()
