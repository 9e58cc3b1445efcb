"""Step 48: three spiral arms told apart."""

import math

import matplotlib.pyplot as plt
import numpy as np

import dezero
import dezero.functions as F
from dezero import optimizers
from dezero.models import MLP

max_epoch = 300
batch_size = 30
hidden_size = 10
lr = 1.0

x, t = dezero.datasets.get_spiral(train=True)
print(x.shape, t.shape, x[10], t[10])
assert x.shape == (300, 2)
assert t.shape == (300,)
assert x.dtype == np.float32
assert np.array_equal(np.bincount(t), [100, 100, 100])

np.random.seed(0)
model = MLP((hidden_size, 3))
optimizer = optimizers.SGD(lr).setup(model)

data_size = len(x)
max_iter = math.ceil(data_size / batch_size)
history = []
for _ in range(max_epoch):
    index = np.random.permutation(data_size)
    sum_loss = 0

    for i in range(max_iter):
        batch_index = index[i * batch_size : (i + 1) * batch_size]
        batch_x = x[batch_index]
        batch_t = t[batch_index]

        y = model(batch_x)
        loss = F.softmax_cross_entropy(y, batch_t)
        model.cleargrads()
        loss.backward()
        optimizer.update()

        sum_loss += float(loss.data) * len(batch_t)

    avg_loss = sum_loss / data_size
    history.append(avg_loss)
print(f"loss {avg_loss:.2f}")
assert history[0] > 0.9
assert history[-1] < 0.35
assert model.l0.W.dtype == np.float32
assert loss.dtype == np.float32

accuracy = np.mean(np.argmax(model(x).data, axis=1) == t)
print("accuracy", accuracy)
assert accuracy > 0.85

h = 0.05
xx, yy = np.meshgrid(np.arange(-1.1, 1.1, h), np.arange(-1.1, 1.1, h))
with dezero.no_grad():
    score = model(np.c_[xx.ravel(), yy.ravel()])
plt.contourf(xx, yy, np.argmax(score.data, axis=1).reshape(xx.shape))
plt.scatter(x[:, 0], x[:, 1], s=10, c=t)
plt.show()
