"""How many multiply-adds a function does: the formulas, by its class.

Counted are products of matrices, convolutions, attention and the gates of recurrent networks, as
papers do; what goes over each element once (activations, normalisation, sums) is not, nor is NumPy
code inside a function of the user's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any


def multiply_adds(function: Any, xs: list[Any], ys: Any) -> int:
    """Return how many multiply-adds ``function`` did to compute ``ys`` from the arrays ``xs``.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.functions.linear_algebra import MatMul
    >>> from dezero.viz.costs import multiply_adds
    >>> x, W = np.ones((2, 3)), np.ones((3, 4))
    >>> multiply_adds(MatMul(), [x, W], x @ W)
    24
    """
    for kind in type(function).__mro__:
        count = _COUNTS.get(kind.__name__)
        if count is not None and kind.__module__.startswith("dezero."):
            return count(function, xs, ys)
    return 0


def _matmul(function: Any, xs: list[Any], y: Any) -> int:
    return int(y.size) * int(xs[0].shape[-1])


def _conv2d(function: Any, xs: list[Any], y: Any) -> int:
    return int(y.size) * math.prod(xs[1].shape[1:])  # W (O, C/groups, KH, KW)


def _deconv2d(function: Any, xs: list[Any], y: Any) -> int:
    return int(xs[0].size) * math.prod(xs[1].shape[1:])  # W (C, O/groups, KH, KW)


def _einsum(function: Any, xs: list[Any], y: Any) -> int:
    sizes: dict[str, int] = {}
    for labels, x in zip(function.inputs_labels, xs, strict=True):
        for label, size in zip(labels, x.shape, strict=True):
            sizes[label] = max(size, sizes.get(label, 1)) if size else 0
    return math.prod(sizes.values()) * (len(xs) - 1)


def _attention(function: Any, xs: list[Any], y: Any) -> int:
    q, k, v = xs
    queries = math.prod(y.shape[:-1])  # of the whole batch
    return queries * int(k.shape[-2]) * (int(q.shape[-1]) + int(v.shape[-1]))


def _recurrent(biases: int) -> Callable[[Any, list[Any], Any], int]:
    def count(function: Any, xs: list[Any], ys: Any) -> int:
        x, W = xs[0], xs[-1]  # W: rows for input, state and biases
        return math.prod(x.shape[:-1]) * (int(W.shape[0]) - biases) * int(W.shape[1])

    return count


_COUNTS: dict[str, Callable[[Any, list[Any], Any], int]] = {
    "MatMul": _matmul,
    "Linear": _matmul,
    "Einsum": _einsum,
    "Conv2d": _conv2d,
    "Deconv2d": _deconv2d,
    "Attention": _attention,
    "LSTMCell": _recurrent(1),
    "GRUCell": _recurrent(2),
}
