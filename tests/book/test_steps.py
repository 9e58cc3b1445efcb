"""Run each of the sixty step programs as a reader would: every one checks its own numbers.

The programs stand in ``steps/`` and can be run by hand (``python tests/book/steps/step36.py``).
Here they get what a test may not use: pictures without a screen, and a small stand-in for MNIST.
"""

from __future__ import annotations

import runpy
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

import dezero
import dezero.datasets

matplotlib.use("Agg")

STEPS = sorted((Path(__file__).parent / "steps").glob("step*.py"))

# Fewer turns than in the book, where the full number would take more than a few seconds.
SHORTER = {
    "STEP45_ITERS": "7001",
    "STEP46_ITERS": "7001",
    "STEP51_EPOCHS": "3",
    "STEP59_EPOCHS": "6",
    "STEP60_EPOCHS": "60",
}


class SmallDigits(dezero.Dataset):
    """Ten patterns of 28 x 28 points, each often and with noise: shape and types of MNIST."""

    def __init__(self, train=True, transform=None, target_transform=None):
        super().__init__(train, transform, target_transform)

    def prepare(self):
        patterns = np.random.default_rng(0).random((10, 7, 7)) > 0.6
        patterns = np.kron(patterns, np.ones((4, 4))) * 90 + 60
        count = 1000 if self.train else 300
        rng = np.random.default_rng(1 if self.train else 2)
        self.label = rng.permutation(np.arange(count) % 10).astype(np.uint8)
        noise = rng.normal(0, 100, (count, 28, 28))
        self.data = np.clip(patterns[self.label] + noise, 0, 255).astype(np.uint8)[:, np.newaxis]


def like_mnist(original):
    """Return the stand-in with the default transform of the real class."""
    default = original.__init__.__defaults__[1]

    def make(train=True, transform=default, target_transform=None):
        return SmallDigits(train, transform, target_transform)

    return make


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A fresh folder, no screen, no Graphviz, no downloads, the default configuration."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plt, "show", lambda *args, **kwargs: None)
    monkeypatch.setattr(dezero.datasets, "MNIST", like_mnist(dezero.datasets.MNIST))
    monkeypatch.setattr(dezero.Variable, "__getitem__", dezero.Variable.__getitem__)
    monkeypatch.setenv("PATH", str(tmp_path))
    for name, value in SHORTER.items():
        monkeypatch.setenv(name, value)
    np.random.seed(0)
    yield tmp_path
    plt.close("all")
    assert dezero.Config.enable_backprop is True
    assert dezero.Config.train is True


def test_all_sixty_are_there():
    assert [path.name for path in STEPS] == [f"step{i:02d}.py" for i in range(1, 61)]


@pytest.mark.parametrize("path", STEPS, ids=lambda path: path.stem)
def test_step(path, book):
    runpy.run_path(str(path), run_name="__main__")
