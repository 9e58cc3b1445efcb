"""Memory that grows with every step: ``total += loss`` keeps the graph of each step alive.

The mean loss of an epoch is wanted, and ``loss`` is a Variable: so their sum is one too, computed
from all of them, and behind each is the graph of its step with all its arrays. Run::

    python examples/debugging/kept_alive.py
"""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np

import dezero
import dezero.functions as F

try:
    from sklearn.datasets import load_digits
except ImportError as error:
    raise SystemExit(
        "kept_alive.py needs scikit-learn: pip install scikit-learn (its digits are the data)"
    ) from error

BATCH = 100


def data() -> tuple[np.ndarray, np.ndarray]:
    """Return images of digits, from 0 to 1, and their labels."""
    images, labels = load_digits(return_X_y=True)
    return (images / 16).astype(np.float32), labels


def train(images: Any, labels: Any, alive: Any = None, leaky: bool = True) -> list[float]:
    """Train for an epoch; return how many megabytes are in use after each step."""
    model = dezero.models.MLP((256, 256, 10))
    optimizer = dezero.optimizers.Adam().setup(model)
    total: Any = 0.0
    used = []
    for i in range(0, len(images), BATCH):
        loss = F.softmax_cross_entropy(model(images[i : i + BATCH]), labels[i : i + BATCH])
        model.cleargrads()
        loss.backward()
        optimizer.update()
        if leaky:
            total += loss
        else:
            total += float(loss.data)
        used.append(tracemalloc.get_traced_memory()[0] / 1e6)
        if alive is not None:
            alive.mark()
    if alive is not None:
        print(alive.growth())
        check(alive.growth(), leaky)
    return used


def check(left: Any, leaky: bool) -> None:
    """Exit unless the report says where the leak is, or that there is none."""
    if not leaky:
        if left.nodes:
            raise SystemExit("kept_alive.py: the corrected program keeps graphs alive")
        return
    head = left.heads[0]
    if head.holder != "variable `total` in train" or head.place.code != "total += loss":
        raise SystemExit("kept_alive.py: the report does not name `total += loss`")


def main() -> None:
    """Show the growth, the line, and that the correction works."""
    images, labels = data()
    train(images[:BATCH], labels[:BATCH])  # what is made once is made here
    tracemalloc.start()
    used = train(images, labels)
    tracemalloc.stop()
    print("memory after each step, in MB:", " ".join(f"{size:.1f}" for size in used))
    if used[-1] < used[1] + 2:
        raise SystemExit("kept_alive.py: nothing grows")
    print("\nleft by the steps before the last:")
    with dezero.live() as alive:
        train(images, labels, alive)
    print("\nand with total += float(loss.data):")
    with dezero.live() as alive:
        train(images, labels, alive, leaky=False)
    print("\nfound: total += loss")


if __name__ == "__main__":
    main()
