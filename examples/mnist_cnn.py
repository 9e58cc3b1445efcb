"""A convolutional network on handwritten digits: strokes first, then what they make up.

Trained on 8,000 images of MNIST, each moved a little every time it is shown.

    python examples/mnist_cnn.py --data FOLDER [--epochs 10] [--seed 0] [--at-least 98]
"""

from __future__ import annotations

import common
import numpy as np

import dezero.functions as F
import dezero.layers as L
from dezero import DataLoader, Model, optimizers


class DigitCNN(Model):
    """Three convolutions of 3 x 3, halving the picture after each of the first two."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = L.Conv2d(16, kernel_size=3, pad=1)
        self.conv2 = L.Conv2d(32, kernel_size=3, pad=1)
        self.conv3 = L.Conv2d(64, kernel_size=3, pad=1)
        self.scores = L.Linear(10)

    def forward(self, x):
        """Return the scores of the ten digits for images of shape (N, 1, 28, 28)."""
        x = F.pooling(F.relu(self.conv1(x)), kernel_size=2, stride=2)
        x = F.pooling(F.relu(self.conv2(x)), kernel_size=2, stride=2)
        x = F.pooling(F.relu(self.conv3(x)), kernel_size=2, stride=2)
        return self.scores(F.dropout(F.flatten(x), 0.4))


def moved(images: np.ndarray, rng: np.random.Generator, most: int = 2) -> np.ndarray:
    """Return each image moved by up to ``most`` pixels each way: more digits to learn from."""
    wide = np.pad(images, ((0, 0), (0, 0), (most, most), (most, most)))
    rows, columns = rng.integers(0, 2 * most + 1, (2, len(images), 1, 1))
    i = np.arange(28)
    return wide[np.arange(len(images))[:, None, None], 0, rows + i[:, None], columns + i][:, None]


def train(model: Model, data: common.Digits, epochs: int, seed: int) -> None:
    """Adam on batches of 50, the learning rate falling to zero."""
    optimizer = optimizers.Adam().setup(model)
    loader = DataLoader(data, batch_size=50, seed=seed)
    rng = np.random.default_rng(seed)
    step, steps = 0, epochs * len(loader)
    with common.progress(epochs * len(data), "images") as bar:
        for _ in range(epochs):
            losses = 0.0
            for x, t in loader:
                optimizer.alpha = 0.003 * common.schedule(step, steps)
                loss = F.softmax_cross_entropy(model(moved(x, rng)), t)
                model.cleargrads()
                loss.backward()
                optimizer.update()
                step += 1
                losses += float(loss) * len(t)
                bar.update(len(t))
            bar.set_postfix_str(f", loss {losses / len(data):.3f}")


def main() -> None:
    """Train, measure, and draw every digit that it gets wrong."""
    args = common.arguments(__doc__, epochs=10, goal="accuracy in %")
    data, held_out = common.digits(args)
    model = DigitCNN()
    train(model, data, args.epochs, args.seed)

    p = common.predict(model, held_out.data)
    seen, label = p.argmax(axis=1), held_out.label
    accuracy = 100 * float((seen == label).mean())
    wrong = np.flatnonzero(seen != label)[:60]
    names = [f"{label[i]} seen as {seen[i]}" for i in wrong]
    path = args.out / "cnn_mistakes.png"
    common.picture(path, held_out.data[wrong], 10, "Held-out digits seen wrongly", names)
    common.report(args, accuracy, f"CNN: {accuracy:.2f} % of held-out digits right; see {path}")


if __name__ == "__main__":
    main()
