"""Step 50: mini-batches from a loader, and how many answers were right."""

import numpy as np

import dezero
import dezero.functions as F
from dezero import DataLoader, optimizers
from dezero.models import MLP

numbers = [1, 2, 3]
walk = iter(numbers)
assert [next(walk) for _ in range(3)] == numbers

y = np.array([[0.2, 0.8, 0], [0.1, 0.9, 0], [0.8, 0.1, 0.1]])
t = np.array([1, 2, 0])
acc = F.accuracy(y, t)
print(acc)
assert np.isclose(float(acc.data), 2 / 3)

max_epoch = 300
batch_size = 30
hidden_size = 10
lr = 1.0

train_set = dezero.datasets.Spiral(train=True)
test_set = dezero.datasets.Spiral(train=False)
train_loader = DataLoader(train_set, batch_size)
test_loader = DataLoader(test_set, batch_size, shuffle=False)

for x, t in train_loader:
    assert x.shape == (30, 2)
    assert t.shape == (30,)
    assert isinstance(x, np.ndarray)
assert sum(len(t) for x, t in test_loader) == len(test_set)

np.random.seed(0)
model = MLP((hidden_size, 3))
optimizer = optimizers.SGD(lr).setup(model)

for _ in range(max_epoch):
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
            loss = F.softmax_cross_entropy(y, t)
            acc = F.accuracy(y, t)
            sum_loss += float(loss.data) * len(t)
            sum_acc += float(acc.data) * len(t)
    test_loss, test_acc = sum_loss / len(test_set), sum_acc / len(test_set)
print(f"train {train_loss:.3f} {train_acc:.3f} test {test_loss:.3f} {test_acc:.3f}")
assert y.creator is None
assert train_loss < 0.35
assert train_acc > 0.85
assert test_loss < 0.6
assert test_acc > 0.75
