"""Step 60: an LSTM, and a loader that reads one long sequence in several places at once."""

import os

import matplotlib.pyplot as plt
import numpy as np

import dezero
import dezero.functions as F
import dezero.layers as L
from dezero import Model, SeqDataLoader

train_set = dezero.datasets.SinCurve(train=True)
dataloader = SeqDataLoader(train_set, batch_size=3)
x, t = next(dataloader)
print(x.shape, t.shape)
assert x.shape == (3, 1)
assert t.shape == (3, 1)
jump = len(train_set) // 3
assert np.array_equal(x, np.array([train_set[i * jump][0] for i in range(3)]))
x2, t2 = next(dataloader)
assert np.array_equal(x2, t), "the next batch goes on where this one stopped"

max_epoch = int(os.environ.get("STEP60_EPOCHS", 100))
batch_size = 30
hidden_size = 100
bptt_length = 30

train_set = dezero.datasets.SinCurve(train=True)
dataloader = SeqDataLoader(train_set, batch_size=batch_size)
seqlen = len(train_set)


class BetterRNN(Model):
    def __init__(self, hidden_size, out_size):
        super().__init__()
        self.rnn = L.LSTM(hidden_size)
        self.fc = L.Linear(out_size)

    def reset_state(self):
        self.rnn.reset_state()

    def forward(self, x):
        y = self.rnn(x)
        y = self.fc(y)
        return y


np.random.seed(0)
model = BetterRNN(hidden_size, 1)
optimizer = dezero.optimizers.Adam().setup(model)

history = []
for epoch in range(max_epoch):
    model.reset_state()
    loss, count = 0, 0

    for x, t in dataloader:
        y = model(x)
        loss += F.mean_squared_error(y, t)
        count += 1

        if count % bptt_length == 0 or count == seqlen:
            model.cleargrads()
            loss.backward()
            loss.unchain_backward()
            optimizer.update()
    avg_loss = float(loss.data) / count
    history.append(avg_loss)
    if epoch % 10 == 0:
        print(f"| epoch {epoch + 1} | loss {avg_loss:.6f}")
print("last", history[-1])
assert count == 34
assert history[-1] < 0.5 * history[0]

xs = np.cos(np.linspace(0, 4 * np.pi, 1000))
model.reset_state()
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
assert error < 0.3
