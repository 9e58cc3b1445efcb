"""A training step that is slow, and the line that makes it so.

A bag of words: the vectors of a text's words are looked up in a table and averaged. Somebody
wrote the look-up as a loop, one word at a time. That looks harmless, since a row of the table is
small; but the gradient of each look-up is an array of the whole table. The profile names the
line, tells the two apart (forward is cheap, backward is not), and shows how many bytes it moves.

    python examples/debugging/slow_step.py [--out out]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import dezero
import dezero.functions as F
import dezero.layers as L
from dezero import Model, Parameter, optimizers

TEXTS, WORDS, VOCABULARY, WIDTH, CLASSES = 16, 12, 2000, 64, 5


class OneByOne(L.Layer):
    """Look up words in a loop."""

    def __init__(self) -> None:
        super().__init__()
        rng = np.random.default_rng(0)
        self.W = Parameter(rng.standard_normal((VOCABULARY, WIDTH), np.float32))

    def forward(self, words):
        """Return the mean of the words' vectors, for each text."""
        means = []
        for text in words:
            vectors = [self.W[word] for word in text]  # the slow line
            means.append(F.mean(np.stack(vectors), axis=0))
        return np.stack(means)


class AtOnce(OneByOne):
    """Look up all words in one call."""

    def forward(self, words):
        """Return the mean of the words' vectors, for each text."""
        return F.mean(self.W[words], axis=1)


class Classifier(Model):
    """Words, a hidden layer, scores."""

    def __init__(self, words: L.Layer) -> None:
        super().__init__()
        self.words = words
        self.hidden = L.Linear(128, in_size=WIDTH)
        self.scores = L.Linear(CLASSES, in_size=128)

    def forward(self, words):
        """Return the scores of the classes for each text."""
        return self.scores(F.relu(self.hidden(self.words(words))))


def profile(lookup: L.Layer, steps: int = 3) -> dezero.profile:
    """Profile some steps of SGD, after one that may compile kernels."""
    rng = np.random.default_rng(1)
    words = rng.integers(0, VOCABULARY, (TEXTS, WORDS))
    labels = rng.integers(0, CLASSES, TEXTS)
    model = Classifier(lookup)
    optimizer = optimizers.SGD().setup(model)

    def step() -> None:
        loss = F.softmax_cross_entropy(model(words), labels)
        model.cleargrads()
        loss.backward()
        optimizer.update()

    step()
    with dezero.profile() as p:
        for _ in range(steps):
            step()
            p.step()
    return p


def main() -> None:
    """Find the line, mend it, compare."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the page (out)")
    args = parser.parse_args()

    slow = profile(OneByOne())
    print(slow.table(top=5, kinds=("line", "layer")))
    worst = next(row for row in slow.by("line") if row.place)  # not the time outside functions
    assert "# the slow line" in worst.place.code, worst
    assert worst.backward > worst.forward, "it is the gradient that takes the time"
    deepest = next(row for row in slow.by("layer") if ">" in row.name)
    assert deepest.name == "Classifier > words", deepest

    args.out.mkdir(parents=True, exist_ok=True)
    slow.flame(args.out / "slow_step.html")
    slow.chrome(args.out / "slow_step.json")

    fast = profile(AtOnce())
    times = slow.wall / fast.wall
    share = 100 * worst.total / slow.wall
    print(
        f"\nslow step: line {worst.place.line} takes {share:.0f} % of the time and moves ", end=""
    )
    print(f"{worst.moved / 3e6:.0f} MB a step; ", end="")
    print(f"all words at once are {times:.0f} times faster; see {args.out / 'slow_step.html'}")
    assert times > 2


if __name__ == "__main__":
    main()
