"""One module per peer; in each, one function per workload.

A workload function takes ``small`` (sizes for a test, not for a measurement) and returns a
`Workload`. It is named after its row in `benchmarks.suite`; a second form of the same
work is named with two underscores: ``goldstein_price__eager``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Check = dict[str, list[float]]


@dataclass(frozen=True)
class Workload:
    """What a peer does for one row of the table.

    ``step`` is what is timed. ``check`` is called once, before any timing, on the untouched
    starting point, and returns what must be the same in every peer.
    """

    step: Callable[[], object]
    check: Callable[[], Check]
    description: str


def norm(a: Any) -> float:
    """Euclidean norm in float64 of an array of any shape: the same however it is laid out."""
    return float(np.sqrt(np.sum(np.square(np.asarray(a, dtype=np.float64)))))


def scores_check(scores: Any) -> Check:
    """1000 scores of an image: ten norms of a hundred each, and the five greatest."""
    flat = np.asarray(scores).reshape(-1)
    return {
        "norms": [norm(part) for part in np.split(flat, 10)],
        "greatest": [float(s) for s in np.sort(flat)[-5:]],
    }


def gradient_check(gradient: Any) -> Check:
    """The norm of each array of a gradient, and of its first half."""
    arrays = flattened(gradient)
    return {"norms": [norm(part) for a in arrays for part in (a, a[: (len(a) + 1) // 2])]}


def flattened(tree: Any) -> list[Any]:
    """The arrays of nested tuples, lists and dicts, as vectors."""
    if isinstance(tree, dict):
        tree = [tree[key] for key in sorted(tree)]
    if isinstance(tree, tuple | list):
        return [x for item in tree for x in flattened(item)]
    return [np.ravel(tree)]


def training_check(
    step: Callable[[], Any],
    parameters: Callable[[], Mapping[str, Any]],
    gradients: Callable[[], Mapping[str, Any]] | None = None,
) -> Check:
    """Losses of the first three steps, and how far they moved each parameter.

    ``parameters`` returns arrays by name. The losses after the first one depend on gradients and
    optimiser; the distances show a parameter that was left out. ``gradients`` returns those of
    the last step: Adam's step hardly shows an error in them.
    """
    before = {name: np.array(a, copy=True) for name, a in parameters().items()}
    losses = [float(step())]
    found = {"loss": losses}
    for name, g in (gradients() if gradients else {}).items():
        found[f"gradient {name}"] = [norm(g)]
    losses += [float(step()) for _ in range(2)]
    for name, after in parameters().items():
        found[f"moved {name}"] = [norm(np.asarray(after) - before[name])]
    return found
