"""A small GPT that reads a text character by character and learns to go on with it.

Blocks of attention to what came before and of a network for each place, each added to what it
got, normalised before ("pre-norm"), as in GPT-2 (Radford et al., 2019); trained with AdamW, the
learning rate rising for some steps and then falling along a cosine. What is measured is bits per
character on the last tenth of the text, never trained on.

    python examples/char_gpt.py --data FILE [--epochs 2] [--seed 0] [--at-most 2.45]
"""

from __future__ import annotations

import math

import common
import numpy as np

import dezero
import dezero.functions as F
import dezero.layers as L
from dezero import Layer, Model, optimizers

BATCH = 16


class Block(Layer):
    """Attention, then a network of one hidden layer, each added to what it got."""

    def __init__(self, width: int, heads: int) -> None:
        self.norm1 = L.LayerNorm(width)
        self.attention = L.MultiHeadAttention(width, heads)
        self.norm2 = L.LayerNorm(width)
        self.up = L.Linear(4 * width, in_size=width)
        self.down = L.Linear(width, in_size=4 * width)

    def forward(self, x):
        """Return what has the shape of ``x``, (N, T, width)."""
        x = x + self.attention(self.norm1(x), is_causal=True)
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))


class CharGPT(Model):
    """Vectors for characters and places, blocks, scores of the next character at each place.

    The vectors of the characters also make the scores: likeness to a character's vector is what
    speaks for it (weight tying).
    """

    def __init__(self, characters: int, window: int, width: int, depth: int, heads: int) -> None:
        super().__init__()
        self.window = window
        self.character = L.Embedding(characters, width)
        self.place = L.Embedding(window, width)
        self.blocks = [Block(width, heads) for _ in range(depth)]
        self.norm = L.LayerNorm(width)
        for table in (self.character, self.place):
            table.W.data *= 0.02 * math.sqrt(768 / width)  # GPT-2's, for its width of 768
        for block in self.blocks:
            for into_sum in (block.attention.proj, block.down):
                into_sum.W.data /= math.sqrt(2 * depth)  # so that the sum starts small

    def forward(self, ids):
        """Return scores (N, T, characters) of what follows each character of ``ids`` (N, T)."""
        x = self.character(ids) + self.place(np.arange(ids.shape[1]))
        for block in self.blocks:
            x = block(x)
        return F.linear(self.norm(x), F.transpose(self.character.W))


def cross_entropy(scores, t):
    """Return the mean over all places, in nats."""
    return F.softmax_cross_entropy(F.reshape(scores, (-1, scores.shape[-1])), t.reshape(-1))


def bits(model: CharGPT, ids: np.ndarray) -> float:
    """Return bits per character; each is predicted from at least half a window before it."""
    T, half = model.window, model.window // 2
    starts = np.arange(0, len(ids) - T, half)
    total = 0.0
    with dezero.no_grad(), dezero.test_mode():
        for part in np.split(starts, range(32, len(starts), 32)):
            rows = ids[part[:, None] + np.arange(T + 1)]
            scores = model(rows[:, :-1])[:, half:]
            total += float(cross_entropy(scores, rows[:, half + 1 :])) * len(part)
    return total / len(starts) / math.log(2)


def train(model: CharGPT, ids: np.ndarray, epochs: int, rate: float, seed: int) -> None:
    """AdamW on 16 windows at a time, cut from anywhere in the text."""
    optimizer = optimizers.AdamW(beta2=0.99, weight_decay=0.1).setup(model)
    optimizer.add_hook(optimizers.ClipGrad(1.0))
    rng = np.random.default_rng(seed)
    T = model.window
    steps = max(epochs * len(ids) // (BATCH * T), 1)
    with common.progress(steps * BATCH * T, "characters") as bar:
        for step in range(steps):
            optimizer.alpha = rate * common.schedule(step, steps, warmup=steps // 10)
            rows = ids[rng.integers(0, len(ids) - T, (BATCH, 1)) + np.arange(T + 1)]
            loss = cross_entropy(model(rows[:, :-1]), rows[:, 1:])
            model.cleargrads()
            loss.backward()
            optimizer.update()
            bar.update(BATCH * T)
            bar.set_postfix_str(f", {float(loss) / math.log(2):.2f} bits")


def sample(model: CharGPT, text: common.Text, length: int, seed: int) -> str:
    """Let the model write: each character drawn by its probability, then read with the rest."""
    rng = np.random.default_rng(seed)
    written = [text.characters.index("\n")] if "\n" in text.characters else [0]
    with dezero.no_grad(), dezero.test_mode():
        for _ in range(length):
            scores = model(np.array([written[-model.window :]]))[0, -1]
            p = F.softmax(scores, axis=0).data.astype(np.float64)
            written.append(int(rng.choice(len(p), p=p / p.sum())))
    return text.read(written[1:])


def main() -> None:
    """Train, print what it writes, and measure."""
    args = common.arguments(__doc__, epochs=2, goal="bits per character", smaller=True)
    text = common.text(args)
    print(text)
    window, width, depth, heads = (16, 32, 1, 2) if args.quick else (64, 128, 4, 4)
    model = CharGPT(len(text.characters), window, width, depth, heads)
    train(model, text.train, args.epochs, 0.003, args.seed)
    print(sample(model, text, 40 if args.quick else 500, args.seed), end="\n\n")
    value = bits(model, text.held_out)
    common.report(args, value, f"GPT: {value:.3f} bits per character of held-out text")


if __name__ == "__main__":
    main()
