"""Train a convolutional network on 1,797 real handwritten digits, and show what it learned.

The digits are those that scikit-learn carries: 8 x 8 pixels each, from the UCI collection
"Optical Recognition of Handwritten Digits". A fifth is held out, never trained on.

    python examples/digits.py [--epochs 35] [--seed 0] [--out out] [--at-least 98.5]
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from tqdm import tqdm

import dezero
import dezero.functions as F
import dezero.layers as L
from dezero import DataLoader, Dataset, Model, optimizers
from dezero.utils import plot_dot_graph

BAR = "{percentage:3.0f}% {bar:20} {rate_fmt}, {remaining} left{postfix}"


class Digits(Dataset):
    """The training or the held-out part of the digits, scaled to [0, 1], as (1, 8, 8) images."""

    def prepare(self) -> None:
        """Split the digits in the same way every time, with the same share of each digit."""
        digits = load_digits()
        images = (digits.images[:, None] / 16).astype(np.float32)
        parts = train_test_split(
            images, digits.target, test_size=0.2, random_state=0, stratify=digits.target
        )
        self.data, self.label = parts[0::2] if self.train else parts[1::2]


class DigitNet(Model):
    """Three convolutions, two poolings, two linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = L.Conv2d(32, kernel_size=3, pad=1)
        self.conv2 = L.Conv2d(32, kernel_size=3, pad=1)
        self.conv3 = L.Conv2d(64, kernel_size=3, pad=1)
        self.fc1 = L.Linear(128)
        self.fc2 = L.Linear(10)

    def forward(self, x):
        """Return the scores of the ten digits for each image."""
        x = F.relu(self.conv1(x))
        x = F.pooling(F.relu(self.conv2(x)), kernel_size=2, stride=2)
        x = F.pooling(F.relu(self.conv3(x)), kernel_size=2, stride=2)
        x = F.dropout(F.relu(self.fc1(F.flatten(x))), 0.4)
        return self.fc2(x)


def shifted(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return each image moved by up to one pixel each way: more digits to learn from."""
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    rows, columns = rng.integers(0, 3, (2, len(images)))
    i = np.arange(8)
    every = np.arange(len(images))[:, None, None]
    moved = padded[every, 0, rows[:, None, None] + i[:, None], columns[:, None, None] + i]
    return moved[:, None]


def train(model: DigitNet, data: Digits, held_out: Digits, epochs: int, seed: int) -> dict:
    """Train with Adam, show progress, and return the curves."""
    optimizer = optimizers.Adam(alpha=0.002).setup(model)
    loader = DataLoader(data, batch_size=32, seed=seed)
    rng = np.random.default_rng(seed)
    curves: dict[str, list[float]] = {"loss": [], "accuracy": [], "held_out": []}
    quiet = 0.1 if sys.stderr.isatty() else 10.0  # seconds between two states of the bar
    with tqdm(
        total=epochs * len(data), unit=" images", mininterval=quiet, bar_format=BAR, leave=True
    ) as bar:
        for epoch in range(epochs):
            optimizer.alpha = 0.002 * 0.5 * (1 + np.cos(np.pi * epoch / epochs))
            losses, hits = 0.0, 0.0
            for x, t in loader:
                y = model(shifted(x, rng))
                loss = F.softmax_cross_entropy(y, t)
                model.cleargrads()
                loss.backward()
                optimizer.update()
                losses += float(loss) * len(t)
                hits += float(F.accuracy(y, t)) * len(t)
                bar.update(len(t))
            curves["loss"].append(losses / len(data))
            curves["accuracy"].append(hits / len(data))
            curves["held_out"].append(
                float((predict(model, held_out)[0] == held_out.label).mean())
            )
            bar.set_postfix_str(
                f"loss {curves['loss'][-1]:.3f}, accuracy {curves['accuracy'][-1]:.1%}, "
                f"held out {curves['held_out'][-1]:.1%}"
            )
    return curves


def predict(model: DigitNet, data: Digits) -> tuple[np.ndarray, np.ndarray]:
    """Return the digit that the network sees in each image, and how sure it is."""
    with dezero.no_grad(), dezero.test_mode():
        p = F.softmax(model(data.data)).data
    return p.argmax(axis=1), p.max(axis=1)


def draw_curves(curves: dict, path: Path) -> None:
    """Draw loss and accuracy by epoch."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    epochs = np.arange(1, len(curves["loss"]) + 1)
    left.semilogy(epochs, curves["loss"], color="tab:blue")
    left.set(title="Training loss", xlabel="epoch", ylabel="cross entropy")
    right.plot(epochs, 100 * np.array(curves["accuracy"]), label="training (shifted, dropout)")
    right.plot(epochs, 100 * np.array(curves["held_out"]), label="held out")
    right.axhline(98.5, color="gray", linestyle=":", label="98.5 %")
    right.set(title="Accuracy", xlabel="epoch", ylabel="%", ylim=(90, 100.2))
    right.legend()
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def draw_confusion(truth: np.ndarray, seen: np.ndarray, path: Path) -> None:
    """Draw how often each digit was taken for each."""
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (truth, seen), 1)
    figure, axes = plt.subplots(figsize=(6.5, 6), layout="constrained")
    axes.imshow(np.sqrt(counts), cmap="Blues")
    for i, j in np.argwhere(counts):
        color = "white" if i == j else "tab:red"
        axes.text(j, i, counts[i, j], ha="center", va="center", color=color, weight="bold")
    axes.set(title="Held-out digits", xlabel="seen as", ylabel="is")
    axes.set_xticks(range(10))
    axes.set_yticks(range(10))
    figure.savefig(path, dpi=120)
    plt.close(figure)


def draw_mistakes(data: Digits, seen: np.ndarray, sure: np.ndarray, path: Path) -> None:
    """Draw every held-out digit that the network got wrong."""
    wrong = np.flatnonzero(seen != data.label)
    columns = min(max(len(wrong), 1), 6)
    rows = max(-(-len(wrong) // columns), 1)
    figure, grid = plt.subplots(
        rows, columns, figsize=(max(2.0 * columns, 4.5), 2.4 * rows + 0.6),
        squeeze=False, layout="constrained",
    )  # fmt: skip
    figure.suptitle(f"{len(wrong)} of {len(data)} held-out digits seen wrongly")
    for axes in grid.flat:
        axes.axis("off")
    for axes, i in zip(grid.flat, wrong, strict=False):
        axes.imshow(data.data[i, 0], cmap="gray_r")
        axes.set_title(f"is {data.label[i]}, seen as {seen[i]}\n({sure[i]:.0%} sure)", fontsize=10)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main() -> None:
    """Train, and leave pictures and weights in a folder."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=35)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("out"))
    parser.add_argument("--at-least", type=float, default=0.0, help="fail below this accuracy, %%")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)

    dezero.seed(args.seed)
    data, held_out = Digits(train=True), Digits(train=False)
    model = DigitNet()
    print(f"Training on {len(data)} digits, {len(held_out)} held out.")
    start = time.perf_counter()
    curves = train(model, data, held_out, args.epochs, args.seed)
    seconds = time.perf_counter() - start
    seen, sure = predict(model, held_out)

    draw_curves(curves, args.out / "learning_curve.png")
    draw_confusion(held_out.label, seen, args.out / "confusion_matrix.png")
    draw_mistakes(held_out, seen, sure, args.out / "mistakes.png")
    loss = F.softmax_cross_entropy(model(data.data[:4]), data.label[:4])
    loss.name = "loss"
    plot_dot_graph(loss, to_file=str(args.out / "loss_graph.svg"))
    model.save_weights(str(args.out / "weights.npz"))

    accuracy = (seen == held_out.label).mean()
    print(f"Held-out accuracy {accuracy:.2%} after {seconds:.1f} s of training. It left:")
    for name, what in (
        ("learning_curve.png", "loss and accuracy by epoch"),
        ("confusion_matrix.png", "which digits were taken for which"),
        ("mistakes.png", "every held-out digit it got wrong"),
        ("loss_graph.svg", "the computational graph of the loss"),
        ("weights.npz", "the weights: model.load_weights(...) reads them"),
    ):
        print(f"  {args.out / name!s:28} {what}")
    if 100 * accuracy < args.at_least:
        raise SystemExit(f"Held-out accuracy {accuracy:.2%} is below {args.at_least} %.")


if __name__ == "__main__":
    main()
