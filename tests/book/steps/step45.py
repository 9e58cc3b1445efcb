"""Step 45: layers inside layers: a model."""

import os

import numpy as np

import dezero.functions as F
import dezero.layers as L
from dezero import Layer, Model, Variable
from dezero.models import MLP

box = Layer()
box.l1 = L.Linear(5)
box.l2 = L.Linear(3)


def run(box, x):
    return box.l2(F.sigmoid(box.l1(x)))


run(box, np.ones((2, 4)))
assert len(list(box.params())) == 4
run(box, np.ones((2, 4))).backward()
assert all(p.grad is not None for p in box.params())
box.cleargrads()
assert all(p.grad is None for p in box.params())


class TwoLayerNet(Model):
    def __init__(self, hidden_size, out_size):
        super().__init__()
        self.l1 = L.Linear(hidden_size)
        self.l2 = L.Linear(out_size)

    def forward(self, x):
        y = F.sigmoid(self.l1(x))
        y = self.l2(y)
        return y


x = Variable(np.random.randn(5, 10), name="x")
model = TwoLayerNet(100, 10)
model.plot(x)
with open("model.png", "rb") as file:
    assert file.read(8) == b"\x89PNG\r\n\x1a\n"
assert os.path.getsize("model.png") > 1000
model.plot(x, to_file="other.png")
assert os.path.exists("other.png")


max_iter = int(os.environ.get("STEP45_ITERS", 10000))


def train(model, x, y, lr=0.2, max_iter=max_iter):
    losses = []
    for i in range(max_iter):
        y_pred = model(x)
        loss = F.mean_squared_error(y, y_pred)

        model.cleargrads()
        loss.backward()

        for p in model.params():
            p.data -= lr * p.grad.data
        if i % 1000 == 0:
            losses.append(float(loss.data))
            print(loss)
    return losses


np.random.seed(0)
x = np.random.rand(100, 1)
y = np.sin(2 * np.pi * x) + np.random.rand(100, 1)
losses = train(TwoLayerNet(10, 1), x, y)
assert losses[-1] < 0.12 < losses[0]

model = MLP((10, 20, 30, 40, 1))
assert model(x).shape == (100, 1)
assert [model.l0.W.shape, model.l4.W.shape] == [(1, 10), (40, 1)]
assert len(list(model.params())) == 10
model = MLP((10, 1))
losses = train(model, x, y, max_iter=1001)
assert losses[-1] < losses[0]
