"""A recurrent network that reads a text character by character and learns to go on with it.

An LSTM (step 60 of the book) reads 64 strands of the text side by side. Gradients go back through
50 characters, then the graph is cut and the state carried on: truncated backpropagation through
time. What is measured is bits per character on the last tenth of the text, never trained on.

    python examples/char_lstm.py --data FILE [--epochs 4] [--seed 0] [--at-most 2.3]
"""

from __future__ import annotations

import math

import common
import numpy as np

import dezero
import dezero.functions as F
import dezero.layers as L
from dezero import Model, optimizers


class CharLSTM(Model):
    """A vector for each character, an LSTM, scores of the next character."""

    def __init__(self, characters: int, hidden: int) -> None:
        super().__init__()
        self.embed = L.EmbedID(characters, 64)
        self.lstm = L.LSTM(hidden, in_size=64)
        self.scores = L.Linear(characters, in_size=hidden)

    def forward(self, ids):
        """Return scores (T * N, characters) of what follows each of the characters (T, N)."""
        h = self.lstm(self.embed(ids))  # all steps at once
        return F.reshape(self.scores(h), (ids.size, -1))


def chunks(ids: np.ndarray, strands: int, length: int):
    """Cut a text into strands; give pieces (T, N) of them, in order, and what follows each."""
    n = (len(ids) - 1) // strands
    x = ids[: n * strands].reshape(strands, n).T
    t = ids[1 : n * strands + 1].reshape(strands, n).T
    for i in range(0, n, length):
        yield x[i : i + length], t[i : i + length].reshape(-1)


def bits(model: CharLSTM, ids: np.ndarray) -> float:
    """Return the bits that the model needs for a character of a text it reads once."""
    total = count = 0.0
    model.lstm.reset_state()
    with dezero.no_grad(), dezero.test_mode():
        for x, t in chunks(ids, 20, 50):
            total += float(F.softmax_cross_entropy(model(x), t)) * len(t)
            count += len(t)
    return total / count / math.log(2)


def train(model: CharLSTM, text: common.Text, epochs: int) -> None:
    """Adam with gradients clipped, the learning rate falling to zero."""
    optimizer = optimizers.Adam().setup(model)
    optimizer.add_hook(optimizers.ClipGrad(1.0))
    step, steps = 0, epochs * len(list(chunks(text.train, 64, 50)))
    with common.progress(epochs * len(text.train), "characters") as bar:
        for _ in range(epochs):
            model.lstm.reset_state()
            for x, t in chunks(text.train, 64, 50):
                optimizer.alpha = 0.004 * common.schedule(step, steps, warmup=20)
                loss = F.softmax_cross_entropy(model(x), t)
                model.cleargrads()
                loss.backward()
                optimizer.update()
                model.lstm.h.unchain()  # the state is carried on; how it came about is not
                model.lstm.c.unchain()
                step += 1
                bar.update(len(t))
                bar.set_postfix_str(f", {float(loss) / math.log(2):.2f} bits")


def sample(model: CharLSTM, text: common.Text, length: int, seed: int) -> str:
    """Let the model write: each character drawn by its probability, then read."""
    rng = np.random.default_rng(seed)
    model.lstm.reset_state()
    written = [text.characters.index("\n")] if "\n" in text.characters else [0]
    with dezero.no_grad(), dezero.test_mode():
        for _ in range(length):
            p = F.softmax(model(np.array([[written[-1]]]))).data[0].astype(np.float64)
            written.append(int(rng.choice(len(p), p=p / p.sum())))
    return text.read(written[1:])


def main() -> None:
    """Train, print what it writes, and measure."""
    args = common.arguments(__doc__, epochs=4, goal="bits per character", smaller=True)
    text = common.text(args)
    print(text)
    model = CharLSTM(len(text.characters), hidden=32 if args.quick else 256)
    train(model, text, args.epochs)
    print(sample(model, text, 40 if args.quick else 500, args.seed), end="\n\n")
    value = bits(model, text.held_out)
    common.report(args, value, f"LSTM: {value:.3f} bits per character of held-out text")


if __name__ == "__main__":
    main()
