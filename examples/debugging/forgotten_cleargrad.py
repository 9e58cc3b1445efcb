"""A forgotten cleargrad: gradients of all steps add up, and training swings past its goal.

`dezero.explain` compares what `param.grad` holds with the gradient of the loss at hand.

    python examples/debugging/forgotten_cleargrad.py
"""

from __future__ import annotations

import sys

import numpy as np

import dezero
import dezero.functions as F
from dezero import optimizers
from dezero.models import MLP

try:
    from sklearn.datasets import load_digits
except ImportError as error:
    sys.exit(f"forgotten_cleargrad.py needs scikit-learn: pip install scikit-learn ({error})")

data = load_digits()
x, t = (data.data / 16).astype(np.float32), data.target


def train(clear: bool, steps: int = 200) -> tuple[MLP, dezero.Variable]:
    """Train on one batch after the other; return the model and the last loss."""
    dezero.seed(0)
    model = MLP((32, 10), activation=F.tanh)
    optimizer = optimizers.SGD(0.5).setup(model)
    order = np.random.default_rng(0)
    for step in range(steps):
        batch = order.choice(len(x), 100)
        loss = F.softmax_cross_entropy(model(x[batch]), t[batch])
        if clear:
            model.cleargrads()
        loss.backward()
        if step < steps - 1:
            optimizer.update()  # not after the last one: explain wants what its graph read
    return model, loss


def main() -> None:
    """Show the symptom, then what the tool says."""
    good, loss = train(clear=True)
    print(f"with cleargrads      loss {float(loss):.3f}")
    healthy = dezero.explain(loss, good)
    model, loss = train(clear=False)
    print(f"without              loss {float(loss):.3f}\n")
    found = dezero.explain(loss, model.l1.W)
    print(found)
    if found.status != "accumulated" or not healthy.ok:
        raise SystemExit("explain did not tell the two apart")

    model.cleargrads()
    loss = F.softmax_cross_entropy(model(x[:100]), t[:100])
    for _ in range(3):  # the same loss three times
        loss.backward()
    found = dezero.explain(loss, model.l1.W)
    print(f"\nthe same loss three times: {found.cut.why}")
    if "3 times" not in found.cut.why:
        raise SystemExit("explain did not count the passes")


if __name__ == "__main__":
    main()
