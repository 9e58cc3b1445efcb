"""A multilayer perceptron on handwritten digits: 784 pixels, two hidden layers, ten scores.

It sees an image as a list of pixels and knows nothing of what is next to what, so it stays
behind the convolutional network of mnist_cnn.py. Trained on 8,000 images of MNIST.

    python examples/mnist_mlp.py --data FOLDER [--epochs 20] [--seed 0] [--at-least 95]
"""

from __future__ import annotations

import common
import numpy as np

import dezero.functions as F
import dezero.layers as L
from dezero import DataLoader, Model, optimizers


class DigitMLP(Model):
    """Three linear layers, ReLU and dropout between them."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden1 = L.Linear(500, in_size=784)
        self.hidden2 = L.Linear(200, in_size=500)
        self.scores = L.Linear(10, in_size=200)

    def forward(self, x):
        """Return the scores of the ten digits for images of shape (N, 1, 28, 28)."""
        x = F.dropout(F.relu(self.hidden1(F.flatten(x))), 0.3)
        x = F.dropout(F.relu(self.hidden2(x)), 0.3)
        return self.scores(x)


def train(model: Model, data: common.Digits, epochs: int, seed: int) -> None:
    """Adam on batches of 50, the learning rate falling to zero."""
    optimizer = optimizers.Adam().setup(model)
    loader = DataLoader(data, batch_size=50, seed=seed)
    with common.progress(epochs * len(data), "images") as bar:
        for epoch in range(epochs):
            optimizer.alpha = 0.001 * common.schedule(epoch, epochs)
            losses = 0.0
            for x, t in loader:
                loss = F.softmax_cross_entropy(model(x), t)
                model.cleargrads()
                loss.backward()
                optimizer.update()
                losses += float(loss) * len(t)
                bar.update(len(t))
            bar.set_postfix_str(f", loss {losses / len(data):.3f}")


def main() -> None:
    """Train, measure, and draw what the first layer looks for."""
    args = common.arguments(__doc__, epochs=20, goal="accuracy in %")
    data, held_out = common.digits(args)
    model = DigitMLP()
    before = model.hidden1.W.data.copy()
    train(model, data, args.epochs, args.seed)

    accuracy = common.accuracy(model, held_out)
    strokes = (model.hidden1.W.data - before).T.reshape(-1, 28, 28)
    strongest = np.argsort(-np.abs(strokes).sum(axis=(1, 2)))[:60]
    path = args.out / "mlp_weights.png"
    common.picture(path, strokes[strongest], 12, "What 60 units learned to look for")
    common.report(args, accuracy, f"MLP: {accuracy:.2f} % of held-out digits right; see {path}")


if __name__ == "__main__":
    main()
