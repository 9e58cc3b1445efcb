"""Nested sequences of Variables as one array."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.core import Variable, as_array
from dezero.core.variable import is_array
from dezero.functions.shapes import astype, reshape, stack


def nested(x: Any) -> Any:
    """Return nested sequences as one array: a Variable, if there are Variables in them.

    Python's numbers are weak here too: next to a float32 variable they are float32.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> from dezero.functions.nesting import nested
    >>> v = Variable(np.array(2.0))
    >>> nested([[v, 1.0], [0.0, v * v]])
    variable([[2. 1.]
              [0. 4.]])
    """
    if isinstance(x, Variable):
        return x
    leaves = _leaves(x)
    if not any(isinstance(leaf, Variable) for leaf in leaves):
        return as_array(x)
    values = (leaf.data if isinstance(leaf, Variable) else leaf for leaf in leaves)
    return _joined(x, np.result_type(*values))


def _leaves(x: Any) -> list[Any]:
    """Return what is inside nested sequences, in order."""
    return [leaf for item in x for leaf in _leaves(item)] if isinstance(x, list | tuple) else [x]


def _joined(x: Any, dtype: Any) -> Any:
    """Return nested sequences as one array of the type ``dtype``."""
    if isinstance(x, Variable) or is_array(x):
        return astype(x, dtype)
    if not isinstance(x, list | tuple):
        return np.asarray(x, dtype)
    parts, shape = _flat(x, dtype)
    joined = stack(parts)
    return joined if len(shape) == 1 else reshape(joined, (*shape, *joined.shape[1:]))


def _flat(x: Any, dtype: Any) -> tuple[list[Any], tuple[int, ...]]:
    """Return the arrays inside nested sequences, in order, and the lengths of these."""
    if not isinstance(x, list | tuple):
        return [_joined(x, dtype)], ()
    branches = [_flat(item, dtype) for item in x]
    depths = {len(shape) for _, shape in branches}
    if len(depths) > 1:  # sequences next to arrays: each is an array of its own
        return [_joined(item, dtype) for item in x], (len(x),)
    shapes = {shape for _, shape in branches}
    if len(shapes) > 1:
        raise ValueError(
            f"array: got sequences of shapes {sorted(shapes)} side by side; it wants them alike"
        )
    return [part for parts, _ in branches for part in parts], (len(x), *(shapes or {()}).pop())
