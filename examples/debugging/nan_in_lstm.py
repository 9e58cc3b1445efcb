"""A NaN in the third layer of an LSTM: which line, which layer, which weight.

A character model of three LSTM layers is trained on a text. In the middle of the training one
number of the recurrent weights of the third layer is damaged: a checkpoint file with a broken
block reads as such. All that one sees is a loss that is ``nan``, and two steps later every weight
is. Run::

    python examples/debugging/nan_in_lstm.py
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

import dezero
import dezero.functions as F
import dezero.layers as L

TEXT = (
    "to see the graph is to see the error. a number that is not a number spreads to all that it "
    "touches, and what it has touched no longer says where it began. " * 8
)


class CharModel(dezero.Model):
    """Three LSTM layers over the characters of a text, and the scores of the next one."""

    def __init__(self, letters: int) -> None:
        self.embed = L.EmbedID(letters, 16)
        self.lstms = [L.LSTM(32) for _ in range(3)]
        self.out = L.Linear(letters)

    def reset_state(self) -> None:
        """Begin a new piece of text."""
        for lstm in self.lstms:
            lstm.reset_state()

    def forward(self, x: np.ndarray) -> dezero.Variable:
        """Return the scores, (N, letters), for one character of each text, (N,)."""
        h = self.embed(x)
        for lstm in self.lstms:
            h = lstm(h)
        return self.out(h)


def loss_of(model: CharModel, piece: np.ndarray) -> dezero.Variable:
    """Return the mean loss over the characters of some pieces of text, (T + 1, N)."""
    model.reset_state()
    loss = 0.0
    for x, t in pairwise(piece):
        loss += F.softmax_cross_entropy(model(x), t)
    return loss / (len(piece) - 1)


def step(model: CharModel, optimizer: dezero.optimizers.Optimizer, piece: np.ndarray) -> float:
    """Train on some pieces of text; return the loss."""
    loss = loss_of(model, piece)
    model.cleargrads()
    loss.backward()
    optimizer.update()
    return float(loss.data)


def main() -> None:
    """Show the NaN, and where it came from."""
    dezero.seed(0)
    letters = sorted(set(TEXT))
    text = np.array([letters.index(c) for c in TEXT])
    rng = np.random.default_rng(0)
    model = CharModel(len(letters))
    optimizer = dezero.optimizers.Adam(0.01).setup(model)
    losses = []
    for i in range(12):
        starts = rng.integers(0, len(text) - 21, 16)
        piece = np.stack([text[s : s + 21] for s in starts], axis=1)
        if i == 9:
            saved = {name: p.data.copy() for name, p in model.named_params()}
            saved["lstms/2/h2u/W"][3, 7] = np.nan  # what the broken file holds
            for name, p in model.named_params():
                p.data = saved[name].copy()
        losses.append(step(model, optimizer, piece))
    print("loss:", " ".join(f"{loss:.2f}" for loss in losses))
    broken = [name for name, p in model.named_params() if not np.isfinite(p.data).all()]
    print(f"weights that hold NaN by now: {len(broken)} of {len(list(model.params()))}\n")

    for name, p in model.named_params():
        p.data = saved[name]
    try:
        with dezero.detect_anomaly():
            step(model, optimizer, piece)
    except FloatingPointError as error:
        print(f"{type(error).__name__}: {error}")
        found = str(error)
    else:
        raise SystemExit("nan_in_lstm.py: detect_anomaly did not find the NaN")
    for said in ("lstms/2/h2u/W of CharModel", "CharModel > lstms/2 (LSTM)", "h = lstm(h)"):
        if said not in found:
            raise SystemExit(f"nan_in_lstm.py: the error does not say {said!r}")
    print("\nfound: one number of lstms/2/h2u/W is NaN")


if __name__ == "__main__":
    main()
