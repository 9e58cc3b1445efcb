"""Attention in blocks of queries: the matrix of all scores is never there at once.

A row of the softmax is known by its log-normaliser ``lse = log(sum(exp(scores)))``: forward keeps
that, one number for a query, and backward computes the weights of a block again from it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dezero.kernels.table import kernel

BLOCK = 1 << 20
"""Scores that are in memory at a time."""
GPU_BLOCK = 1 << 26
"""The same on a GPU, which small products leave idle: a quarter of a gigabyte of float32."""


@kernel()
def attention(q: Any, k: Any, v: Any, mask: Any, is_causal: bool) -> tuple[Any, Any]:
    """Return the weighted means of values, and the log-normaliser of each query.

    Parameters
    ----------
    q, k, v : array of shape (..., T, d), (..., S, d) and (..., S, e)
        Queries, keys, values; the leading axes broadcast.
    mask : array of booleans or floats that broadcasts to (..., T, S), or None
        Which keys a query sees, or what to add to the scores: a key at minus infinity is unseen.
    is_causal : bool
        Whether query ``i`` sees only keys up to ``i``.

    Returns
    -------
    y : array of shape (..., T, e)
        Zeros where a query sees no key.
    lse : array of shape (..., T)
        Infinity where a query sees no key, so that ``exp(score - lse)`` is its weight: 0.
    """
    lead = leading(q, k, v)
    T, S = q.shape[-2], k.shape[-2]
    dtype = np.result_type(q, k, v, np.float16)
    y = np.zeros((*lead, T, v.shape[-1]), dtype, like=q)
    lse = np.full((*lead, T), np.inf, dtype, like=q)
    for start, stop in _blocks(lead, T, S, q):
        scores = _scores(q, k, mask, is_causal, start, stop)
        largest = _largest(scores)
        weights = np.exp(scores - largest)
        total = weights.sum(axis=-1, keepdims=True)
        total[total == 0] = np.inf
        y[..., start:stop, :] = weights @ v / total
        lse[..., start:stop] = (np.log(total) + largest)[..., 0]
    return y, lse


@kernel()
def attention_grad(
    gy: Any, q: Any, k: Any, v: Any, mask: Any, is_causal: bool, y: Any, lse: Any
) -> tuple[Any, Any, Any]:
    """Return the gradients for queries, keys and values, with the leading axes of ``gy``.

    With the weights ``P`` and ``dS = P * (gy v^T - sum(gy * y))``, row by row, they are ``dS k``,
    ``dS^T q``, both over the root of ``d``, and ``P^T gy``: T. Dao et al., "FlashAttention",
    2022, appendix B.
    """
    lead = leading(q, k, v)
    dtype = np.result_type(gy, y)
    gq, gk, gv = (np.zeros((*lead, *x.shape[-2:]), dtype, like=gy) for x in (q, k, v))
    mean = np.sum(gy * y, axis=-1, keepdims=True)
    for start, stop in _blocks(lead, q.shape[-2], k.shape[-2], q):
        rows = (..., slice(start, stop), slice(None))
        weights = np.exp(_scores(q, k, mask, is_causal, start, stop) - lse[..., start:stop, None])
        slope = weights * (gy[rows] @ np.swapaxes(v, -1, -2) - mean[rows])
        slope *= scale_of(q)
        gq[rows] = slope @ k
        gk += np.swapaxes(slope, -1, -2) @ q[rows]
        gv += np.swapaxes(weights, -1, -2) @ gy[rows]
    return gq, gk, gv


def leading(q: Any, k: Any, v: Any) -> tuple[int, ...]:
    """Return the axes before (T, d) that queries, keys and values broadcast to."""
    return np.broadcast_shapes(q.shape[:-2], k.shape[:-2], v.shape[:-2])


def scale_of(q: Any) -> float:
    """Return what scores are multiplied by: one over the root of the length of a query."""
    return 1 / math.sqrt(q.shape[-1]) if q.shape[-1] else 1.0


def _largest(scores: Any) -> Any:
    """Return the largest score of each query; 0 where it sees no key."""
    if scores.shape[-1] == 0:
        return np.zeros_like(scores, shape=(*scores.shape[:-1], 1))
    largest = scores.max(axis=-1, keepdims=True)
    largest[largest == -np.inf] = 0
    return largest


def _blocks(lead: tuple[int, ...], T: int, S: int, q: Any) -> list[tuple[int, int]]:
    """Return the starts and stops of blocks of queries."""
    block = BLOCK if type(q) is np.ndarray else GPU_BLOCK
    step = max(1, block // max(1, math.prod(lead) * S))
    return [(start, min(T, start + step)) for start in range(0, T, step)]


def _scores(q: Any, k: Any, mask: Any, is_causal: bool, start: int, stop: int) -> Any:
    """Return the scores of some queries; minus infinity for the keys that they do not see."""
    scores = (q[..., start:stop, :] * scale_of(q)) @ np.swapaxes(k, -1, -2)
    if mask is not None:
        if mask.ndim >= 2 and mask.shape[-2] > 1:
            mask = mask[..., start:stop, :]
        if mask.dtype == bool:
            scores = np.where(mask, scores, -np.inf)
        else:
            scores = np.where(mask == -np.inf, -np.inf, scores + mask.astype(scores.dtype))
    if is_causal:
        queries = np.arange(start, stop, like=q)[:, None]
        seen = queries >= np.arange(k.shape[-2], like=q)
        scores = np.where(seen, scores, -np.inf)
    return scores
