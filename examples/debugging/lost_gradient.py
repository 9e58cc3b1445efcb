"""Lost gradients: a network whose first layer never learns, for four different reasons.

Given the computation itself, `dezero.explain` runs it once, watches, and names the line at which
the values of the parameter left the graph.

    python examples/debugging/lost_gradient.py
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np

import dezero
import dezero.functions as F
import dezero.layers as L

try:
    from sklearn.datasets import load_digits
except ImportError as error:
    sys.exit(f"lost_gradient.py needs scikit-learn: pip install scikit-learn ({error})")

data = load_digits()
x, t = (data.data[:200] / 16).astype(np.float32), data.target[:200]


class Net(L.Layer):
    """Two layers, and something between them."""

    def __init__(self, between: Callable[[dezero.Variable], object]) -> None:
        self.features = L.Linear(32)
        self.classes = L.Linear(10)
        self.between = between

    def forward(self, x: object) -> dezero.Variable:
        """Return scores of the ten digits."""
        h = F.relu(self.features(x))
        return self.classes(self.between(h))


def normalised(h: dezero.Variable) -> object:
    """Scale each row: by hand, on the array inside."""
    data = h.data
    return data / (np.linalg.norm(data, axis=1, keepdims=True) + 1e-6)


def no_graph(h: dezero.Variable) -> dezero.Variable:
    """Square, where nothing is recorded."""
    with dezero.no_grad():
        return h * h


def winner(h: dezero.Variable) -> object:
    """Keep only the strongest feature, as a one-hot row."""
    best = np.argmax(h, axis=1)
    return np.eye(32, dtype=np.float32)[best]


def scaled(h: dezero.Variable) -> object:
    """Take away the mean, as a number: this one is detached, the rest is not."""
    return h - float(h.mean())


CASES = {normalised: ".data", no_graph: "no_grad", winner: "np.argmax()"}


def main() -> None:
    """Show the symptom, then what the tool says, for each of the four."""
    for between, wanted in CASES.items():
        dezero.seed(0)
        net = Net(between)
        loss = F.softmax_cross_entropy(net(x), t)
        loss.backward()
        print(f"{between.__name__}: features.W.grad is {net.features.W.grad}")
        found = dezero.explain(lambda net=net: F.softmax_cross_entropy(net(x), t), net.features.W)
        print(found, end="\n\n")
        if found.cut is None or found.cut.what != wanted or found.cut.place is None:
            raise SystemExit(f"explain did not find {wanted}")
        if found.cut.place.function != between.__name__:
            raise SystemExit(f"explain did not find the line of {wanted}: {found.cut.place}")

    net = Net(scaled)  # a gradient of its own kind: smaller than it should be, yet there
    found = dezero.explain(lambda: F.softmax_cross_entropy(net(x), t), net)
    print(found)
    if not found.ok:
        raise SystemExit("explain accused a network that learns")


if __name__ == "__main__":
    main()
