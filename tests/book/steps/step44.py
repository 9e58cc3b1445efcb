"""Step 44: parameters and the layers that hold them."""

import numpy as np

import dezero.functions as F
import dezero.layers as L
from dezero import Parameter, Variable

x = Variable(np.array(1.0))
p = Parameter(np.array(2.0))
y = x * p
assert isinstance(p, Parameter)
assert isinstance(p, Variable)
assert not isinstance(x, Parameter)
assert not isinstance(y, Parameter)

layer = L.Layer()
layer.p1 = Parameter(np.array(1))
layer.p2 = Parameter(np.array(2))
layer.p3 = Variable(np.array(3))
layer.p4 = "test"
assert set(layer._params) == {"p1", "p2"}
assert {p.data.item() for p in layer.params()} == {1, 2}

np.random.seed(0)
x = np.random.rand(100, 1)
y = np.sin(2 * np.pi * x) + np.random.rand(100, 1)

l1 = L.Linear(10)
l2 = L.Linear(1)


def predict(x):
    y = l1(x)
    y = F.sigmoid(y)
    y = l2(y)
    return y


lr = 0.2
iters = 10000
losses = []
for i in range(iters):
    y_pred = predict(x)
    loss = F.mean_squared_error(y, y_pred)

    l1.cleargrads()
    l2.cleargrads()
    loss.backward()

    for layer in [l1, l2]:
        for p in layer.params():
            p.data -= lr * p.grad.data
    if i % 1000 == 0:
        losses.append(float(loss.data))
        print(loss)

# The weights are drawn from the generator that the program seeded, at the first call.
draw = np.random.RandomState(0)
assert np.array_equal(draw.rand(100, 1), x)
draw.rand(100, 1)
W1 = draw.randn(1, 10)
W2 = draw.randn(10, 1) * np.sqrt(1 / 10)
first = np.mean((1 / (1 + np.exp(-x @ W1)) @ W2 - y) ** 2)
assert np.isclose(losses[0], first, rtol=1e-5)
assert np.isclose(losses[0], 0.8165178, rtol=1e-5)

assert l1.W.shape == (1, 10)
assert l1.b.shape == (10,)
assert l2.W.shape == (10, 1)
assert l2.b.shape == (1,)
assert l1.W.dtype == np.float32
assert losses[-1] < 0.12 < losses[0]
