"""Step 46: the update of parameters handed over to an optimizer."""

import os

import numpy as np

import dezero.functions as F
from dezero import Parameter, optimizers
from dezero.layers import Layer
from dezero.models import MLP

np.random.seed(0)
x = np.random.rand(100, 1)
y = np.sin(2 * np.pi * x) + np.random.rand(100, 1)

lr = 0.2
max_iter = int(os.environ.get("STEP46_ITERS", 10000))
hidden_size = 10

model = MLP((hidden_size, 1))
optimizer = optimizers.SGD(lr).setup(model)
losses = []
for i in range(max_iter):
    y_pred = model(x)
    loss = F.mean_squared_error(y, y_pred)

    model.cleargrads()
    loss.backward()

    optimizer.update()
    if i % 1000 == 0:
        losses.append(float(loss.data))
        print(loss)
assert losses[-1] < 0.12 < losses[0]

model = MLP((hidden_size, 1))
optimizer = optimizers.MomentumSGD(lr)
optimizer.setup(model)
for _ in range(2000):
    loss = F.mean_squared_error(y, model(x))
    model.cleargrads()
    loss.backward()
    optimizer.update()
print(loss)
assert loss.data < 0.1, "momentum is there in a fifth of the steps"


def one_parameter(optimizer, steps):
    layer = Layer()
    layer.p = Parameter(np.array(1.0))
    optimizer.setup(layer)
    for _ in range(steps):
        layer.cleargrads()
        (layer.p**2).backward()
        optimizer.update()
    return layer.p.data


assert np.isclose(one_parameter(optimizers.SGD(0.1), 3), 0.8**3, rtol=1e-14)
p, v = 1.0, 0.0
for _ in range(3):
    v = 0.9 * v - 0.1 * 2 * p
    p += v
assert np.isclose(one_parameter(optimizers.MomentumSGD(0.1, 0.9), 3), p, rtol=1e-14)
