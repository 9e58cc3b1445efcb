"""Batching rules of indexing: reading, writing, adding at an index."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.autodiff.batched import Batch, Batched
from dezero.autodiff.batching_rules import rule
from dezero.core.variable import Variable
from dezero.functions import indexing


@rule(indexing.scatter_add)
def _scatter_add(batch: Batch, values: Any, index: Any, shape: Any) -> Any:
    parts = index if isinstance(index, tuple) else (index,)
    batched = any(isinstance(i, Batched) for i in parts)
    shifted = _with_batch(batch, index) if batched else _shifted(index, len(shape))
    if shifted is None:
        return NotImplemented
    if batched:
        return batch.of(indexing.scatter_add(batch.whole(values), shifted, (batch.size, *shape)))
    return batch.of(indexing.scatter_add(values.value, shifted, (batch.size, *shape)))


def get_item(batch: Batch, x: Any, index: Any) -> Any:
    """Return ``x[index]`` for all examples."""
    parts = index if isinstance(index, tuple) else (index,)
    if any(isinstance(i, Batched) for i in parts):
        return _picked(batch, x, parts)
    shifted = _shifted(index, x.ndim)
    if shifted is None:
        return batch.looped(lambda x, index: x[index], (x, index), {})
    return batch.of(x.value[shifted])


def set_item(batch: Batch, x: Any, index: Any, value: Any) -> bool:
    """Write ``x[index] = value`` for all examples, where these are plain arrays; say whether."""
    values = value.value if batch.holds(value) else value
    if not isinstance(x.value, np.ndarray) or isinstance(values, Variable | Batched):
        return False
    if batch.holds(index):
        if index.dtype != bool or index.shape != x.shape or np.ndim(values):
            return False
        x.value[index.value] = values
        return True
    parts = index if isinstance(index, tuple) else (index,)
    shifted = None if any(isinstance(i, Batched) for i in parts) else _shifted(index, x.ndim)
    if shifted is None:
        return False
    if batch.holds(value):
        missing = x.value[shifted].ndim - values.ndim
        values = values.reshape((batch.size, *(1,) * missing, *values.shape[1:]))
    x.value[shifted] = values
    return True


def _picked(batch: Batch, x: Any, index: tuple[Any, ...]) -> Any:
    """Return ``x[index]`` where each example has whole numbers of its own for an index."""
    full = _with_batch(batch, index)
    if full is None:
        return batch.looped(lambda x, index: x[index], (x, index), {})
    return batch.of(batch.whole(x)[full])


def _with_batch(batch: Batch, index: Any) -> Any:
    """Return an index of whole numbers with that of the batch before it; ``None`` for others."""
    index = index if isinstance(index, tuple) else (index,)
    if any(isinstance(i, slice) or i is None or i is Ellipsis for i in index):
        return None
    index = tuple([i if hasattr(i, "ndim") else np.asarray(i) for i in index])
    if not {i.dtype.kind for i in index} <= set("iu"):
        return None
    each = np.arange(batch.size).reshape(-1, *(1,) * max(i.ndim for i in index))
    return (each, *batch.aligned(index))


def _shifted(index: Any, ndim: int) -> Any:
    """Return an index behind that of the batch; ``None`` where NumPy would move axes about."""
    index = index if isinstance(index, tuple) else (index,)
    index = tuple([i.data if isinstance(i, Variable) else i for i in index])
    arrays = [
        k for k, i in enumerate(index) if not isinstance(i, slice) and i is not None
        and i is not Ellipsis
    ]  # fmt: skip
    advanced = any(not isinstance(index[k], int | np.integer) for k in arrays)
    if advanced and arrays[-1] - arrays[0] >= len(arrays):
        return None
    return (slice(None), *index)
