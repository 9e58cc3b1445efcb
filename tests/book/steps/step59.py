"""Step 59: a recurrent network learns the next point of a noisy sine."""

import os

import matplotlib.pyplot as plt
import numpy as np

import dezero
import dezero.functions as F
import dezero.layers as L
from dezero import Model

rnn = L.RNN(10)
x = np.random.rand(1, 1)
h = rnn(x)
print(h.shape)
assert h.shape == (1, 10)

max_epoch = int(os.environ.get("STEP59_EPOCHS", 100))
hidden_size = 100
bptt_length = 30

train_set = dezero.datasets.SinCurve(train=True)
seqlen = len(train_set)
assert seqlen == 999
assert np.array_equal(train_set[1][0], train_set[0][1]), "the answer is the next input"


class SimpleRNN(Model):
    def __init__(self, hidden_size, out_size):
        super().__init__()
        self.rnn = L.RNN(hidden_size)
        self.fc = L.Linear(out_size)

    def reset_state(self):
        self.rnn.reset_state()

    def forward(self, x):
        h = self.rnn(x)
        y = self.fc(h)
        return y


np.random.seed(0)
model = SimpleRNN(hidden_size, 1)
optimizer = dezero.optimizers.Adam().setup(model)

history = []
for epoch in range(max_epoch):
    model.reset_state()
    loss, count = 0, 0

    for x, t in train_set:
        x = x.reshape(1, 1)
        y = model(x)
        # The answer has shape (1,), the prediction (1, 1): so it stands in the book.
        loss += F.mean_squared_error(y, t)
        count += 1

        if count % bptt_length == 0 or count == seqlen:
            model.cleargrads()
            loss.backward()
            loss.unchain_backward()
            optimizer.update()

    avg_loss = float(loss.data) / count
    history.append(avg_loss)
    print(f"| epoch {epoch + 1} | loss {avg_loss:.6f}")
assert history[-1] < 0.1 * history[0] or history[-1] < 0.01
assert model.rnn.h.creator is None, "the chain through time was cut"

xs = np.cos(np.linspace(0, 4 * np.pi, 1000))
model.reset_state()
assert model.rnn.h is None
pred_list = []
with dezero.no_grad():
    for x in xs:
        x = np.array(x).reshape(1, 1)
        y = model(x)
        pred_list.append(float(y.data[0, 0]))

plt.plot(np.arange(len(xs)), xs, label="y=cos(x)")
plt.plot(np.arange(len(xs)), pred_list, label="predict")
plt.legend()
plt.show()
error = np.mean((np.array(pred_list)[50:-1] - xs[51:]) ** 2)
print("error on a cosine", error)
assert error < 0.1
