"""Step 53: what was learned, kept in a file."""

import os

import numpy as np

import dezero
import dezero.functions as F
from dezero import DataLoader, Layer, Parameter, optimizers
from dezero.models import MLP

x = np.array([1, 2, 3])
np.save("test.npy", x)
assert np.array_equal(np.load("test.npy"), x)
data = {"x1": x, "x2": x * 10}
np.savez("test.npz", **data)
assert np.array_equal(np.load("test.npz")["x2"], x * 10)

layer = Layer()
l1 = Layer()
l1.p1 = Parameter(np.array(1))
layer.l1 = l1
layer.p2 = Parameter(np.array(2))
layer.p3 = Parameter(np.array(3))
params_dict = {}
layer._flatten_params(params_dict)
print(params_dict)
assert set(params_dict) == {"l1/p1", "p2", "p3"}

max_epoch = 3
batch_size = 100
train_set = dezero.datasets.MNIST(train=True)
train_loader = DataLoader(train_set, batch_size)
model = MLP((1000, 10))
optimizer = optimizers.SGD().setup(model)

if os.path.exists("my_mlp.npz"):
    model.load_weights("my_mlp.npz")

for epoch in range(max_epoch):
    sum_loss = 0
    for x, t in train_loader:
        y = model(x)
        loss = F.softmax_cross_entropy(y, t)
        model.cleargrads()
        loss.backward()
        optimizer.update()
        sum_loss += float(loss.data) * len(t)
    print(f"epoch: {epoch + 1}, loss: {sum_loss / len(train_set):.4f}")

model.save_weights("my_mlp.npz")
with np.load("my_mlp.npz") as saved:
    assert set(saved.files) == {"l0/W", "l0/b", "l1/W", "l1/b"}
    assert saved["l0/W"].shape == (784, 1000)
    assert saved["l0/W"].dtype == np.float32

x = train_set[0][0].reshape(1, -1)
again = MLP((1000, 10))
again.load_weights("my_mlp.npz")
assert np.array_equal(again(x).data, model(x).data), "weights before the first call"
touched = MLP((1000, 10))
assert not np.array_equal(touched(x).data, model(x).data)
touched.load_weights("my_mlp.npz")
assert np.array_equal(touched(x).data, model(x).data), "weights after the first call"
