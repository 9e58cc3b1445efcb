"""Attention: weighted means of values, with weights from the likeness of queries and keys."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.core import Config, Primitive, Variable, as_input, implements
from dezero.core.shapes import sum_to
from dezero.functions.activations import softmax
from dezero.functions.dropout import dropout
from dezero.functions.linear_algebra import matmul
from dezero.functions.math import where
from dezero.functions.reductions import sum as sum_
from dezero.functions.shapes import astype, swapaxes
from dezero.kernels import attention as kernels


class Attention(Primitive):
    """Means of values, weighted by a softmax of products of queries and keys.

    Of the weights only the log-normaliser of each query is kept: backward computes them again.
    """

    def __init__(self, mask: Any, is_causal: bool) -> None:
        self.mask = mask
        self.is_causal = is_causal

    def forward(self, q: Any, k: Any, v: Any) -> Any:
        """Return the means."""
        y, self.lse = kernels.attention(q, k, v, self.mask, self.is_causal)
        return y

    def gradient(self, gy: Any, q: Any, k: Any, v: Any, y: Any) -> Any:
        """Return the gradients of queries, keys and values, which share the weights."""
        gxs = kernels.attention_grad(gy, q, k, v, self.mask, self.is_causal, y, self.lse)
        return tuple(sum_to(gx, x.shape) for gx, x in zip(gxs, (q, k, v), strict=True))


def scaled_dot_product_attention(
    q: Any,
    k: Any,
    v: Any,
    mask: Any = None,
    is_causal: bool = False,
    dropout_ratio: float = 0.0,
) -> Variable:
    r"""Return :math:`\mathrm{softmax}(q k^T / \sqrt{d}) \, v`.

    Parameters
    ----------
    q : Variable or array of shape (..., T, d)
        Queries.
    k, v : Variable or array of shape (..., S, d) and (..., S, e)
        Keys and values.
    mask : array that broadcasts to (..., T, S), optional
        Booleans: which keys a query may see. Floats: added to the scores, and a key at minus
        infinity is not seen.
    is_causal : bool, default False
        Whether query ``i`` sees only the keys up to ``i``.
    dropout_ratio : float, default 0.0
        The share of weights dropped in training.

    Returns
    -------
    Variable of shape (..., T, e)
        Zeros for a query that sees no key.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    TypeError
        If the mask is neither of booleans nor of floats.

    Notes
    -----
    The scores are computed in blocks, forward and again backward: memory grows as T + S, not as
    T S. With dropout in training, a mask that wants a gradient, or in a backward pass that is
    recorded, the whole matrix of scores is there at once.

    Source: Vaswani et al., Attention Is All You Need, 2017; in blocks: Dao et al.,
    FlashAttention, 2022.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> x = np.eye(2)
    >>> F.scaled_dot_product_attention(x, x, x, is_causal=True)[0]
    variable([1. 0.])
    """
    q, k, v = as_input(q), as_input(k), as_input(v)
    shape = _check(q, k, v)
    mask = None if mask is None else _checked_mask(as_input(mask), shape)
    learned = isinstance(mask, Variable) and mask.requires_grad and mask.dtype != bool
    certain = dropout_ratio == 0 or (not Config.train and 0 < dropout_ratio <= 1)
    if learned or not certain:
        weights = dropout(_weights(q, k, mask, is_causal), dropout_ratio)
        return matmul(weights, v)
    if isinstance(mask, Variable):
        mask = mask.data
    y: Variable = Attention(mask, is_causal)(q, k, v)
    return y


@implements(kernels.attention_grad)
def _attention_grad(
    gy: Any, q: Any, k: Any, v: Any, mask: Any, is_causal: bool, y: Any, lse: Any
) -> tuple[Variable, Variable, Variable]:
    """Compute the gradients on Variables, from all weights at once."""
    weights = _weights(q, k, mask, is_causal)
    likeness = matmul(gy, swapaxes(v, -1, -2))
    slopes = weights * (likeness - sum_(gy * y, axis=-1, keepdims=True)) * kernels.scale_of(q)
    gk, gv = matmul(swapaxes(slopes, -1, -2), q), matmul(swapaxes(weights, -1, -2), gy)
    return matmul(slopes, k), gk, gv


def _weights(q: Any, k: Any, mask: Any, is_causal: bool) -> Variable:
    """Return the whole matrix of weights, as a composed function."""
    scores = matmul(q, swapaxes(k, -1, -2)) * kernels.scale_of(q)
    seen: Any = None
    if mask is not None:
        data = mask.data if isinstance(mask, Variable) else mask
        seen = data if data.dtype == bool else data != -np.inf
        if data.dtype != bool:
            scores = scores + where(seen, astype(mask, scores.dtype), 0.0)
    if is_causal:
        causal = np.tri(*scores.shape[-2:], like=scores.data) == 1
        seen = causal if seen is None else causal & seen
    if seen is None or seen.all():
        return softmax(scores, axis=-1)
    weights = softmax(where(seen, scores, float(np.finfo(scores.dtype).min)), axis=-1)
    return weights if seen.any(axis=-1).all() else where(seen, weights, 0.0)


def _checked_mask(mask: Any, shape: tuple[int, ...]) -> Any:
    """Return the mask; raise unless it is of booleans or floats and broadcasts to the scores."""
    if mask.dtype != bool and mask.dtype.kind != "f":
        raise TypeError(
            f"scaled_dot_product_attention: got a mask of type {mask.dtype}; it wants booleans "
            "(which keys a query may see) or floats (added to the scores): mask.astype(bool)"
        )
    lead = len(shape) - len(mask.shape)
    if lead < 0 or any(a not in (1, b) for a, b in zip(mask.shape, shape[lead:], strict=True)):
        raise ValueError(
            f"scaled_dot_product_attention: got a mask of shape {mask.shape}; it wants one that "
            f"broadcasts to (..., T, S): {shape}"
        )
    return mask


def _check(q: Any, k: Any, v: Any) -> tuple[int, ...]:
    """Return the shape of the scores; raise unless the shapes fit."""
    shapes = [tuple(x.shape) for x in (q, k, v)]
    fits = all(len(shape) >= 2 for shape in shapes)
    fits = fits and shapes[0][-1] == shapes[1][-1] and shapes[1][-2] == shapes[2][-2]
    try:
        lead = kernels.leading(q, k, v)
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"scaled_dot_product_attention: got shapes q {shapes[0]}, k {shapes[1]}, v "
            f"{shapes[2]}; it wants q (..., T, d), k (..., S, d), v (..., S, e)"
        )
    return (*lead, shapes[0][-2], shapes[1][-2])


__all__ = ["scaled_dot_product_attention"]
