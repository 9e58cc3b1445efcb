"""A silently broadcast loss: predictions (N, 1) minus targets (N,) are N x N differences.

The program runs, the loss falls, and the network learns to predict the mean of the targets: every
prediction is compared with every target. `dezero.detect_anomaly(broadcast="raise")` stops at the
line, and `dezero.explain` mentions it among what it noticed on the way of the gradient.

    python examples/debugging/broadcast_loss.py
"""

from __future__ import annotations

import numpy as np

import dezero
from dezero import optimizers
from dezero.models import MLP

rng = np.random.default_rng(0)
x = rng.uniform(-1, 1, (64, 1)).astype(np.float32)
t = np.sin(3 * x[:, 0])  # (64,)


def wrong(model: MLP) -> dezero.Variable:
    """Return the loss as it was written: y is (64, 1), t is (64,)."""
    y = model(x)
    return np.mean((y - t) ** 2)


def right(model: MLP) -> dezero.Variable:
    """Return the loss as it was meant."""
    y = model(x)
    return np.mean((y[:, 0] - t) ** 2)


def error_after_training(loss_function: object) -> float:
    """Train a small network, and return its mean squared error, computed rightly."""
    dezero.seed(0)
    model = MLP((20, 1))
    optimizer = optimizers.Adam(0.02).setup(model)
    for _ in range(200):
        loss = loss_function(model)
        model.cleargrads()
        loss.backward()
        optimizer.update()
    return float(right(model))


def main() -> None:
    """Show the symptom, then what the tools say."""
    print(f"variance of the targets           {np.var(t):.3f}")
    print(f"error, trained with (64, 1)-(64,) {error_after_training(wrong):.3f}: no better")
    print(f"error, trained as meant           {error_after_training(right):.3f}\n")

    model = MLP((20, 1))
    found = dezero.explain(lambda: wrong(model), model.l0.W)
    print(found)
    if not any("Sub made (64, 64) from (64, 1) and (64,)" in note for note in found.notes):
        raise SystemExit("explain did not notice the broadcast")
    if dezero.explain(lambda: right(model), model.l0.W).notes:
        raise SystemExit("explain accused the loss that is right")

    try:
        with dezero.detect_anomaly(broadcast="raise"):
            wrong(model)
    except ValueError as error:
        print(f"\ndetect_anomaly: {error}")
    else:
        raise SystemExit("detect_anomaly did not notice the broadcast")


if __name__ == "__main__":
    main()
