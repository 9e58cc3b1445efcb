"""Functions that join arrays and take them apart: concatenate, stack, split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dezero.core import Primitive, Variable, Variadic
from dezero.functions.shapes import astype, reshape


class Concatenate(Variadic):
    """Arrays joined along an axis."""

    _counts = True
    _linear = True

    def __init__(self, axis: int = 0) -> None:
        self.axis = axis

    def forward(self, *xs: Any) -> Any:
        """Return the arrays joined."""
        y = np.concatenate(xs, self.axis)
        self.ends = np.cumsum([x.shape[self.axis] for x in xs]).tolist()
        return y

    def gradient(self, gy: Any) -> Any:
        """Cut the gradient at the joints."""
        before = (slice(None),) * (self.axis % gy.ndim)
        starts = [0, *self.ends[:-1]]
        return tuple(
            gy[(*before, slice(start, end))] for start, end in zip(starts, self.ends, strict=True)
        )


class Stack(Variadic):
    """Arrays of one shape joined along a new axis."""

    _counts = True
    _linear = True

    def __init__(self, axis: int = 0) -> None:
        self.axis = axis

    def forward(self, *xs: Any) -> Any:
        """Return the arrays joined."""
        return np.stack(xs, self.axis)

    def gradient(self, gy: Any) -> Any:
        """Give each array its part."""
        before = (slice(None),) * (self.axis % len(gy.shape))
        return tuple(gy[(*before, i)] for i in range(gy.shape[self.axis]))


class Split(Primitive):
    """An array cut into several along an axis."""

    _views = True
    _counts = True
    _linear = True

    def __init__(self, indices_or_sections: int | Sequence[int], axis: int = 0) -> None:
        self.indices_or_sections = indices_or_sections
        self.axis = axis

    def forward(self, x: Any) -> Any:
        """Return the pieces."""
        return tuple(np.split(x, self.indices_or_sections, self.axis))

    def gx(self, gys: Any) -> Any:
        """Join the gradients of the pieces."""
        return np.concatenate(gys, self.axis)


def concatenate(xs: Sequence[Any], axis: int = 0) -> Variable:
    """Return several arrays joined along an axis that they have.

    Raises
    ------
    ValueError
        If the other lengths differ.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.concatenate([np.ones(1), np.zeros(2)])
    variable([1. 0. 0.])
    """
    if len(xs) == 0:
        raise ValueError("concatenate: got an empty sequence; it wants at least one array")
    return Concatenate(axis)(*xs)


def stack(xs: Sequence[Any], axis: int = 0) -> Variable:
    """Return several arrays of one shape joined along a new axis.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.stack([np.ones(2), np.zeros(2)]).shape
    (2, 2)
    """
    shapes = {np.shape(x) for x in xs}
    if len(shapes) != 1:
        raise ValueError(f"stack: got shapes {sorted(shapes)}; it wants arrays of one shape")
    return Stack(axis)(*xs)


def split(x: Any, indices_or_sections: int | Sequence[int], axis: int = 0) -> tuple[Variable, ...]:
    """Cut ``x`` along an axis into equal sections, or at the given indices.

    Raises
    ------
    ValueError
        If the axis cannot be cut into that many equal sections.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.split(np.arange(4.0), 2)
    (variable([0. 1.]), variable([2. 3.]))
    """
    return Split(indices_or_sections, axis)(x)


def nested(x: Any) -> Any:
    """Return nested sequences as one array: a Variable, if there are Variables in them.

    Python's numbers are weak here too: next to a float32 variable they are float32.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> from dezero.functions.joining import nested
    >>> v = Variable(np.array(2.0))
    >>> nested([[v, 1.0], [0.0, v * v]])
    variable([[2. 1.]
              [0. 4.]])
    """
    if isinstance(x, Variable):
        return x
    leaves = _leaves(x)
    if not any(isinstance(leaf, Variable) for leaf in leaves):
        return np.asarray(x)
    values = (leaf.data if isinstance(leaf, Variable) else leaf for leaf in leaves)
    return _joined(x, np.result_type(*values))


def _leaves(x: Any) -> list[Any]:
    """Return what is inside nested sequences, in order."""
    return [leaf for item in x for leaf in _leaves(item)] if isinstance(x, list | tuple) else [x]


def _joined(x: Any, dtype: Any) -> Any:
    """Return nested sequences as one array of the type ``dtype``."""
    if isinstance(x, Variable):
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
