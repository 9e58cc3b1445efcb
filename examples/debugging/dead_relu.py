"""Dead ReLUs: one step that was too long, and no example of the data activates a unit any more.

The loss stays at that of a guess, ln 10, and gradients are exactly 0. `dezero.explain` finds the
layer.

    python examples/debugging/dead_relu.py
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
    sys.exit(f"dead_relu.py needs scikit-learn: pip install scikit-learn ({error})")

data = load_digits()
x, t = data.data.astype(np.float32), data.target  # from 0 to 16: not scaled


def train(lr: float) -> MLP:
    """Train on one batch after the other."""
    dezero.seed(0)
    model = MLP((50, 50, 10), activation=F.relu)
    optimizer = optimizers.SGD(lr).setup(model)
    order = np.random.default_rng(0)
    for step in range(60):
        batch = order.choice(len(x), 100)
        loss = F.softmax_cross_entropy(model(x[batch]), t[batch])
        model.cleargrads()
        loss.backward()
        optimizer.update()
        if step % 20 == 0:
            print(f"  step {step:2}  loss {float(loss):.3f}")
    return model


def main() -> None:
    """Show the symptom, then what the tool says."""
    print("learning rate 0.01:")
    good = train(0.01)
    print("learning rate 5:")
    model = train(5.0)
    model.cleargrads()
    print()
    found = dezero.explain(lambda: F.softmax_cross_entropy(model(x), t), model.l0.W)
    print(found)
    if found.status != "zero" or found.cut.what != "ReLU":
        raise SystemExit("explain did not find the dead ReLU")
    print()
    print(dezero.explain(lambda: F.softmax_cross_entropy(model(x), t), model))
    good.cleargrads()
    if not dezero.explain(lambda: F.softmax_cross_entropy(good(x), t), good).ok:
        raise SystemExit("explain accused the network that learns")


if __name__ == "__main__":
    main()
