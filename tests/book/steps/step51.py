"""Step 51: handwritten digits."""

import os

import matplotlib.pyplot as plt
import numpy as np

import dezero
import dezero.functions as F
from dezero import DataLoader, optimizers
from dezero.models import MLP

train_set = dezero.datasets.MNIST(train=True, transform=None)
x, t = train_set[0]
print(len(train_set), type(x), x.shape, t)
assert x.shape == (1, 28, 28)
assert x.dtype == np.uint8
plt.imshow(x.reshape(28, 28), cmap="gray")
plt.axis("off")
plt.show()


def f(x):
    x = x.flatten()
    x = x.astype(np.float32)
    x /= 255.0
    return x


own = dezero.datasets.MNIST(train=True, transform=f)
train_set = dezero.datasets.MNIST(train=True)
test_set = dezero.datasets.MNIST(train=False)
assert train_set[0][0].shape == (784,)
assert train_set[0][0].dtype == np.float32
assert np.allclose(own[7][0], train_set[7][0])
assert train_set[0][0].min() >= 0.0
assert train_set[0][0].max() <= 1.0

max_epoch = int(os.environ.get("STEP51_EPOCHS", 5))
batch_size = 100
hidden_size = 1000


def fit(model, optimizer):
    train_loader = DataLoader(train_set, batch_size)
    test_loader = DataLoader(test_set, batch_size, shuffle=False)
    optimizer.setup(model)
    history = []
    for epoch in range(max_epoch):
        sum_loss, sum_acc = 0, 0
        for x, t in train_loader:
            y = model(x)
            loss = F.softmax_cross_entropy(y, t)
            acc = F.accuracy(y, t)
            model.cleargrads()
            loss.backward()
            optimizer.update()
            sum_loss += float(loss.data) * len(t)
            sum_acc += float(acc.data) * len(t)
        train_loss, train_acc = sum_loss / len(train_set), sum_acc / len(train_set)

        sum_loss, sum_acc = 0, 0
        with dezero.no_grad():
            for x, t in test_loader:
                y = model(x)
                sum_loss += float(F.softmax_cross_entropy(y, t).data) * len(t)
                sum_acc += float(F.accuracy(y, t).data) * len(t)
        test_loss, test_acc = sum_loss / len(test_set), sum_acc / len(test_set)
        print(
            f"epoch {epoch + 1}: train {train_loss:.4f} {train_acc:.4f},"
            f" test {test_loss:.4f} {test_acc:.4f}"
        )
        history.append((train_loss, train_acc, test_loss, test_acc))
    return history


np.random.seed(0)
history = fit(MLP((hidden_size, 10)), optimizers.SGD())
losses = [row[0] for row in history]
assert losses == sorted(losses, reverse=True), "slow, but downhill"
assert history[-1][1] > history[0][1]

model = MLP((hidden_size, hidden_size, 10), activation=F.relu)
history = fit(model, optimizers.Adam())
assert history[-1][0] < 0.2
assert history[-1][3] > 0.9
assert all(p.dtype == np.float32 for p in model.params())
