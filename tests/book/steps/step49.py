"""Step 49: data sets that give one example at a time, with a transform on the way."""

import math

import numpy as np

import dezero
import dezero.functions as F
from dezero import Dataset, optimizers, transforms
from dezero.models import MLP


class Counting(Dataset):
    """Ten numbers and whether they are odd, never all in memory."""

    def prepare(self):
        self.data = np.arange(10.0)
        self.label = np.arange(10) % 2


numbers = Counting(train=True, transform=lambda x: x * 100, target_transform=lambda t: -t)
assert len(numbers) == 10
assert numbers[3] == (300.0, -1)

train_set = dezero.datasets.Spiral(train=True)
print(train_set[0], len(train_set))
assert len(train_set) == 300
raw_x, raw_t = train_set[0]
assert raw_x.shape == (2,)

halved = dezero.datasets.Spiral(train=True, transform=transforms.Normalize(mean=0.0, std=2.0))
assert np.allclose(halved[5][0] * 2, train_set[5][0])

batch_index = [0, 1, 2]
batch = [train_set[i] for i in batch_index]
x = np.array([example[0] for example in batch])
t = np.array([example[1] for example in batch])
assert x.shape == (3, 2)
assert t.shape == (3,)

max_epoch = 300
batch_size = 30
hidden_size = 10
lr = 1.0
np.random.seed(0)
model = MLP((hidden_size, 3))
optimizer = optimizers.SGD(lr).setup(model)

data_size = len(train_set)
max_iter = math.ceil(data_size / batch_size)
history = []
for _ in range(max_epoch):
    index = np.random.permutation(data_size)
    sum_loss = 0

    for i in range(max_iter):
        batch_index = index[i * batch_size : (i + 1) * batch_size]
        batch = [train_set[i] for i in batch_index]
        batch_x = np.array([example[0] for example in batch])
        batch_t = np.array([example[1] for example in batch])

        y = model(batch_x)
        loss = F.softmax_cross_entropy(y, batch_t)
        model.cleargrads()
        loss.backward()
        optimizer.update()

        sum_loss += float(loss.data) * len(batch_t)

    history.append(sum_loss / data_size)
print(f"loss {history[-1]:.2f}")
assert history[-1] < 0.35 < 0.9 < history[0]
