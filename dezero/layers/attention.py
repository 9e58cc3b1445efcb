"""MultiHeadAttention: every position looks at the others."""

from __future__ import annotations

from typing import Any

import dezero.functions as F
from dezero.core import Variable
from dezero.layers.base import Layer, checked_array, checked_size
from dezero.layers.linear import Linear


class MultiHeadAttention(Layer):
    """Self-attention: ``proj(concat(softmax(q k^T / sqrt(D)) v))`` over ``n_heads`` heads.

    Queries, keys and values come from one joint projection: one product instead of three. Its
    columns are q, k, v in that order, and within each the heads one after another, as in GPT-2.

    Parameters
    ----------
    n_embd : int
        Size C of a position's vector.
    n_heads : int
        Number of heads; each works on ``D = n_embd / n_heads`` numbers.
    dropout_ratio : float, default 0.0
        Dropout of the attention weights while training.

    Attributes
    ----------
    qkv : Linear, W of shape (C, 3 C)
        The joint projection.
    proj : Linear, W of shape (C, C)
        What is done with the heads' results.

    Raises
    ------
    ValueError
        If ``n_heads`` does not divide ``n_embd``, or ``x`` is not of shape (N, T, C).

    Notes
    -----
    Source: A. Vaswani et al., "Attention is all you need", 2017.

    Examples
    --------
    >>> import numpy as np
    >>> import dezero.layers as L
    >>> attention = L.MultiHeadAttention(8, n_heads=2)
    >>> attention(np.ones((2, 5, 8), np.float32), is_causal=True).shape
    (2, 5, 8)
    """

    def __init__(self, n_embd: int, n_heads: int, dropout_ratio: float = 0.0) -> None:
        self.n_embd = checked_size("MultiHeadAttention", "n_embd", n_embd)
        self.n_heads = checked_size("MultiHeadAttention", "n_heads", n_heads)
        if n_embd % n_heads:
            raise ValueError(
                f"MultiHeadAttention: n_heads must divide n_embd, got {n_heads} and {n_embd}"
            )
        self.dropout_ratio = dropout_ratio
        self.qkv = Linear(3 * n_embd, in_size=n_embd)
        self.proj = Linear(n_embd, in_size=n_embd)

    def forward(self, x: Any, is_causal: bool = False, mask: Any = None) -> Variable:
        """Return (N, T, C) for ``x`` of shape (N, T, C).

        Parameters
        ----------
        x : Variable or ndarray
            N sequences of T positions.
        is_causal : bool, default False
            Whether a position sees only itself and those before it.
        mask : ndarray, optional
            What ``F.scaled_dot_product_attention`` takes, broadcast to (N, n_heads, T, T).
        """
        wanted = f"x of shape (N, T, {self.n_embd})"
        shape = checked_array("MultiHeadAttention", x, 3, wanted).shape
        if len(shape) != 3 or shape[-1] != self.n_embd:
            raise ValueError(f"MultiHeadAttention: got x of shape {shape}; it wants {wanted}")
        N, T, C = shape
        parts = F.split(self.qkv(x), 3, axis=2)
        q, k, v = (
            F.transpose(F.reshape(part, (N, T, self.n_heads, -1)), (0, 2, 1, 3)) for part in parts
        )
        y = F.scaled_dot_product_attention(
            q, k, v, mask=mask, is_causal=is_causal, dropout_ratio=self.dropout_ratio
        )
        return self.proj(F.reshape(F.transpose(y, (0, 2, 1, 3)), (N, T, C)))
