"""An array overwritten in place: training goes on, and learns the wrong thing.

The loader of this program saves memory: it has one buffer, and fills it with the next batch as
soon as the loss of the last one is known, before ``backward()``. But the gradient of the first
layer needs the batch that it was computed on. Nothing fails, the accuracy is just poor. Run::

    python examples/debugging/overwritten.py
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import dezero
import dezero.functions as F

try:
    from sklearn.datasets import load_digits
except ImportError as error:
    raise SystemExit(
        "overwritten.py needs scikit-learn: pip install scikit-learn (its digits are the data)"
    ) from error


class Loader:
    """Gives batches of the digits, all in the same array."""

    def __init__(self, images: np.ndarray, labels: np.ndarray, batch_size: int) -> None:
        self.images, self.labels = images, labels
        self.buffer = np.empty((batch_size, images.shape[1]), np.float32)

    def batches(self, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Give the batches of an epoch."""
        order = rng.permutation(len(self.images))
        for start in range(0, len(order) - len(self.buffer) + 1, len(self.buffer)):
            chosen = order[start : start + len(self.buffer)]
            np.take(self.images, chosen, axis=0, out=self.buffer)
            yield self.buffer, self.labels[chosen]


def train(epochs: int, early: bool) -> float:
    """Return the accuracy on the training data, with the next batch fetched early or not."""
    dezero.seed(0)
    images, labels = load_digits(return_X_y=True)
    images = (images / 16).astype(np.float32)
    model = dezero.models.MLP((32, 10))
    optimizer = dezero.optimizers.SGD(0.5).setup(model)
    loader = Loader(images, labels, 100)
    rng = np.random.default_rng(0)
    for _ in range(epochs):
        batches = loader.batches(rng)
        batch = next(batches, None)
        while batch is not None:
            x, t = batch
            loss = F.softmax_cross_entropy(model(x), t)
            if early:
                batch = next(batches, None)
            model.cleargrads()
            loss.backward()
            optimizer.update()
            if not early:
                batch = next(batches, None)
    with dezero.no_grad():
        return float(F.accuracy(model(images), labels).data)


def main() -> None:
    """Show the poor accuracy, and the array."""
    wrong, right = train(5, early=True), train(5, early=False)
    print(f"accuracy after 5 epochs: {100 * wrong:.1f} %; it should be {100 * right:.1f} %\n")
    try:
        with dezero.detect_anomaly():
            train(1, early=True)
    except dezero.debug.OverwrittenError as error:
        print(f"{type(error).__name__}: {error}")
        found = str(error)
    else:
        raise SystemExit("overwritten.py: detect_anomaly did not find the array")
    for said in ("x of Linear, float32 (100, 64)", "model(x), t)", "MLP > l0 (Linear)"):
        if said not in found:
            raise SystemExit(f"overwritten.py: the error does not say {said!r}")
    with dezero.detect_anomaly():
        train(1, early=False)
    if wrong > right - 0.1:
        raise SystemExit("overwritten.py: the bug does no harm")
    print("\nfound: the batch that the first layer read was filled with the next one")


if __name__ == "__main__":
    main()
