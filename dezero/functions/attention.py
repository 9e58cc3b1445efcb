"""Attention: weighted means of values, with weights from the likeness of queries and keys."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dezero.core import Variable, as_input
from dezero.functions.activations import softmax
from dezero.functions.dropout import dropout
from dezero.functions.linear_algebra import matmul
from dezero.functions.math import where
from dezero.functions.shapes import astype, swapaxes


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
        Booleans: which keys a query may see. Floats: added to the scores.
    is_causal : bool, default False
        Whether query ``i`` sees only the keys up to ``i``.
    dropout_ratio : float, default 0.0
        The share of weights dropped in training.

    Returns
    -------
    Variable of shape (..., T, e)
        Zeros for a query that a mask of booleans lets see no key.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Notes
    -----
    Source: Vaswani et al., Attention Is All You Need, 2017.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> x = np.eye(2)
    >>> F.scaled_dot_product_attention(x, x, x, is_causal=True)[0]
    variable([1. 0.])
    """
    q, k, v = as_input(q), as_input(k), as_input(v)
    _check(q, k, v)
    scores = matmul(q, swapaxes(k, -1, -2)) * (1 / math.sqrt(q.shape[-1]))
    if mask is not None:
        mask = _checked_mask(as_input(mask), scores)
        if mask.dtype != bool:
            scores = scores + astype(mask, scores.dtype)
            mask = None
        elif isinstance(mask, Variable):
            mask = mask.data
    if is_causal:
        causal = np.tri(scores.shape[-2], scores.shape[-1]) == 1
        mask = causal if mask is None else causal & mask
    if mask is not None:
        scores = where(mask, scores, float(np.finfo(scores.dtype).min))
    weights = softmax(scores, axis=-1)
    if mask is not None and not mask.any(axis=-1).all():
        weights = where(mask, weights, 0.0)
    return matmul(dropout(weights, dropout_ratio), v)


def _checked_mask(mask: Any, scores: Variable) -> Any:
    """Return the mask; raise unless it is of booleans or floats and broadcasts to the scores."""
    if mask.dtype != bool and mask.dtype.kind != "f":
        raise TypeError(
            f"scaled_dot_product_attention: got a mask of type {mask.dtype}; it wants booleans "
            "(which keys a query may see) or floats (added to the scores): mask.astype(bool)"
        )
    lead = scores.ndim - len(mask.shape)
    if lead < 0 or any(
        a not in (1, b) for a, b in zip(mask.shape, scores.shape[lead:], strict=True)
    ):
        raise ValueError(
            f"scaled_dot_product_attention: got a mask of shape {mask.shape}; it wants one that "
            f"broadcasts to (..., T, S): {scores.shape}"
        )
    return mask


def _check(q: Any, k: Any, v: Any) -> None:
    shapes = [tuple(x.shape) for x in (q, k, v)]
    fits = all(len(shape) >= 2 for shape in shapes)
    if not fits or shapes[0][-1] != shapes[1][-1] or shapes[1][-2] != shapes[2][-2]:
        raise ValueError(
            f"scaled_dot_product_attention: got shapes q {shapes[0]}, k {shapes[1]}, v "
            f"{shapes[2]}; it wants q (..., T, d), k (..., S, d), v (..., S, e)"
        )


__all__ = ["scaled_dot_product_attention"]
