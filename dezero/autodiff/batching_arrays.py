"""Batching rules of functions that move, pick, join or multiply the elements of arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.autodiff.batched import Batch
from dezero.autodiff.batching_rules import axes_of, rule


@rule(np.split, np.array_split)
def _split(batch: Batch, x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    if not batch.holds(x):
        return NotImplemented
    split = np.array_split if isinstance(indices_or_sections, int) else np.split
    if split is np.array_split and x.shape[axis] % indices_or_sections == 0:
        split = np.split
    pieces = split(x.value, indices_or_sections, axes_of(axis, x.ndim))
    return [batch.of(piece) for piece in pieces]


@rule(np.pad)
def _pad(batch: Batch, x: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
    if not batch.holds(x) or isinstance(pad_width, dict):
        return NotImplemented
    for name in ("constant_values", "end_values"):
        if name in kwargs:
            kwargs[name] = _widths(kwargs[name], x.ndim)
    return batch.of(np.pad(x.value, _widths(pad_width, x.ndim), mode, **kwargs))


def _widths(pairs: Any, ndim: int) -> list[tuple[Any, ...]]:
    """Return pairs for the axes of an example as pairs for those of the batch."""
    each = np.broadcast_to(np.asarray(pairs), (ndim, 2)).tolist()
    return [(0, 0), *map(tuple, each)]


@rule(np.flip)
def _flip(batch: Batch, x: Any, axis: Any = None) -> Any:
    return batch.of(np.flip(x.value, axes_of(axis, x.ndim)))


@rule(np.roll)
def _roll(batch: Batch, x: Any, shift: Any, axis: Any = None) -> Any:
    if axis is None:
        return np.reshape(np.roll(np.reshape(x, -1), shift, 0), x.shape)
    return batch.of(np.roll(x.value, shift, axes_of(axis, x.ndim)))


@rule(np.take)
def _take(batch: Batch, x: Any, indices: Any, axis: int | None = None) -> Any:
    x = x if hasattr(x, "shape") else np.asarray(x)
    indices = indices if hasattr(indices, "shape") else np.asarray(indices)
    if axis is None:
        return np.reshape(x, -1)[(indices,)]
    if axis % x.ndim == 0:
        return x[(indices,)] if batch.holds(x) else batch.of(x[indices.value])
    if batch.holds(indices):
        return NotImplemented
    return x[(slice(None),) * (axis % x.ndim) + (indices,)]


@rule(np.take_along_axis)
def _take_along_axis(batch: Batch, x: Any, indices: Any, axis: int | None = -1) -> Any:
    if axis is None:
        x, axis = np.reshape(x, -1), 0
    axis = axes_of(axis, x.ndim)
    return batch.of(np.take_along_axis(batch.whole(x), batch.whole(indices), axis))


@rule(np.repeat)
def _repeat(batch: Batch, x: Any, repeats: Any, axis: int | None = None) -> Any:
    if not batch.holds(x):
        return NotImplemented
    if axis is None:
        x, axis = np.reshape(x, -1), 0
    return batch.of(np.repeat(x.value, repeats, axes_of(axis, x.ndim)))


@rule(np.tile)
def _tile(batch: Batch, x: Any, reps: Any) -> Any:
    reps = tuple(reps) if isinstance(reps, tuple | list) else (reps,)
    reps = (1,) * (x.ndim - len(reps)) + reps
    shape = (1,) * (len(reps) - x.ndim) + x.shape
    return batch.of(np.tile(np.reshape(x.value, (batch.size, *shape)), (1, *reps)))


def _of_matrices(function: Any) -> Any:
    def call(batch: Batch, x: Any, k: int = 0) -> Any:
        return batch.of(function(x.value, k)) if x.ndim >= 2 else NotImplemented

    return call


rule(np.tril)(_of_matrices(np.tril))
rule(np.triu)(_of_matrices(np.triu))


def _of_diagonals(function: Any) -> Any:
    def call(batch: Batch, x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
        i, j = axes_of((axis1, axis2), x.ndim)
        return batch.of(function(x.value, offset, i, j))

    return call


rule(np.diagonal)(_of_diagonals(np.diagonal))
rule(np.trace)(_of_diagonals(np.trace))


@rule(np.diag)
def _diag(batch: Batch, x: Any, k: int = 0) -> Any:
    if x.ndim == 2:
        return np.diagonal(x, k)
    if x.ndim != 1 or k != 0:
        return NotImplemented
    return np.expand_dims(x, -1) * np.eye(x.shape[0], dtype=x.dtype)


@rule(np.outer)
def _outer(batch: Batch, a: Any, b: Any) -> Any:
    return np.reshape(a, (-1, 1)) * np.reshape(b, (1, -1))


@rule(np.inner)
def _inner(batch: Batch, a: Any, b: Any) -> Any:
    if not np.ndim(a) or not np.ndim(b):
        return a * b
    return np.tensordot(a, b, (-1, -1))


@rule(np.tensordot)
def _tensordot(batch: Batch, a: Any, b: Any, axes: Any = 2) -> Any:
    n, m = np.ndim(a), np.ndim(b)
    if isinstance(axes, int):
        axes = (list(range(n - axes, n)), list(range(axes)))
    left, right = ([x] if isinstance(x, int) else list(x) for x in axes)
    first = list("abcdefghijklm"[:n])
    second = list("nopqrstuvwxyz"[:m])
    for i, j in zip(left, right, strict=True):
        second[j] = first[i]
    summed = {first[i] for i in left}
    kept = [label for label in (*first, *second) if label not in summed]
    return np.einsum(f"{''.join(first)},{''.join(second)}->{''.join(kept)}", a, b)


@rule(np.vdot)
def _vdot(batch: Batch, a: Any, b: Any) -> Any:
    return np.sum(np.conjugate(np.reshape(a, -1)) * np.reshape(b, -1))


@rule(np.cross)
def _cross(batch: Batch, a: Any, b: Any, axis: int = -1) -> Any:
    return batch.of(np.cross(*batch.aligned((a, b)))) if axis == -1 else NotImplemented


@rule(np.diff)
def _diff(batch: Batch, x: Any, n: int = 1, axis: int = -1) -> Any:
    return batch.of(np.diff(x.value, n, axes_of(axis, x.ndim)))


@rule(np.linalg.norm)
def _norm(batch: Batch, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    if axis is None and (x.ndim > 2 or not x.ndim or (ord is None and x.ndim != 1)):
        if ord is not None or keepdims or not x.ndim:
            return NotImplemented
        x, axis = np.reshape(x, -1), 0
    return batch.of(np.linalg.norm(x.value, ord, axes_of(axis, x.ndim), keepdims))


@rule(np.matmul)
def _matmul(batch: Batch, x: Any, w: Any) -> Any:
    if not x.ndim or not w.ndim:
        raise ValueError("matmul: got a number; it wants vectors, matrices or stacks of matrices")
    row, column = x.ndim == 1, w.ndim == 1
    if not batch.holds(x) and row:
        return _matmul(batch, np.expand_dims(x, 0), w)[..., 0, :] if not column else w @ x
    if batch.holds(x) and not batch.holds(w) and not row and w.ndim <= 2:
        return batch.of(np.matmul(x.value, w))
    x = np.expand_dims(x, 0) if row else x
    w = np.expand_dims(w, 1) if column else w
    y = np.matmul(*batch.aligned((x, w)))
    y = y[..., 0, :] if row else y
    return batch.of(y[..., 0] if column else y)


@rule(np.dot)
def _dot(batch: Batch, x: Any, w: Any) -> Any:
    ndims = [v.ndim if hasattr(v, "ndim") else np.ndim(v) for v in (x, w)]
    if 0 in ndims:
        return x * w
    return np.matmul(x, w) if ndims[1] <= 2 else NotImplemented


@rule(np.einsum)
def _einsum(batch: Batch, subscripts: Any, *xs: Any, **kwargs: Any) -> Any:
    if not isinstance(subscripts, str) or "->" not in subscripts or "." in subscripts:
        return NotImplemented
    inputs, output = subscripts.replace(" ", "").split("->")
    free = next(c for c in "ZYXWVUTSRQPONMLKJIHGFEDCBA" if c not in subscripts)
    labels = [
        free + term if batch.holds(x) else term
        for term, x in zip(inputs.split(","), xs, strict=True)
    ]
    values = [x.value if batch.holds(x) else x for x in xs]
    return batch.of(np.einsum(f"{','.join(labels)}->{free}{output}", *values, **kwargs))
