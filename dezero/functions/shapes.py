"""Functions that move elements about: reshape, transpose, broadcast, pad, cast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dezero.core import Primitive, Variable, Variadic, as_array, as_input
from dezero.core.shapes import sum_to as sum_to_shape
from dezero.core.shapes import whole_of

Axes = int | tuple[int, ...] | None


class Reshape(Primitive):
    """The same elements in another shape."""

    _linear = True
    _views = True
    _counts = True

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape

    def forward(self, x: Any) -> Any:
        """Return ``x`` in the new shape."""
        self.x_shape = x.shape
        return x.reshape(self.shape)

    def gx(self, gy: Any) -> Any:
        """Give the gradient the old shape."""
        return np.reshape(gy, self.x_shape)


class Transpose(Primitive):
    """The axes in another order."""

    _linear = True
    _views = True
    _counts = True

    def __init__(self, axes: tuple[int, ...] | None = None) -> None:
        self.axes = axes

    def forward(self, x: Any) -> Any:
        """Return ``x`` with its axes permuted."""
        return x.transpose(self.axes)

    def gx(self, gy: Any) -> Any:
        """Permute the axes back."""
        if self.axes is None:
            return np.transpose(gy)
        count = len(self.axes)
        inverse = np.argsort([axis % count for axis in self.axes])
        return np.transpose(gy, tuple(inverse.tolist()))


class BroadcastTo(Primitive):
    """Copies along new axes and axes of length 1."""

    _linear = True
    _views = True
    _counts = True

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape

    def forward(self, x: Any) -> Any:
        """Return ``x`` repeated to the shape."""
        self.x_shape = x.shape
        try:
            return np.broadcast_to(x, self.shape)
        except ValueError as error:
            raise ValueError(
                f"broadcast_to: got x of shape {x.shape} and shape {self.shape}; each axis of x, "
                "counted from the last, must be 1 or that of shape"
            ) from error

    def gx(self, gy: Any) -> Any:
        """Sum over the copies."""
        return sum_to_shape(gy, self.x_shape)


class SumTo(Primitive):
    """The transpose of :class:`BroadcastTo`: sums to a smaller shape."""

    _linear = True
    _counts = True

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape

    def forward(self, x: Any) -> Any:
        """Return ``x`` summed to the shape."""
        self.x_shape = x.shape
        return sum_to_shape(x, self.shape)

    def gx(self, gy: Any) -> Any:
        """Give every summand the gradient of the sum."""
        return np.broadcast_to(gy, self.x_shape)


class Cast(Primitive):
    """The same values in an array of their own, in another floating-point type perhaps."""

    _linear = True

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype

    def forward(self, x: Any) -> Any:
        """Return ``x`` as ``dtype``."""
        return x.astype(self.dtype)

    def gx(self, gy: Any) -> Any:
        """Return the gradient; the engine gives it the type of the input."""
        return gy


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
        whole = whole_of(gys, self.axis)
        return np.concatenate(gys, self.axis) if whole is None else whole


class Pad(Primitive):
    """An array with a border of a constant."""

    _counts = True

    def __init__(self, pad_width: Any, constant_values: Any = 0) -> None:
        self.pad_width = pad_width
        self.constant_values = constant_values

    def forward(self, x: Any) -> Any:
        """Return ``x`` with its border."""
        widths = np.broadcast_to(np.asarray(self.pad_width), (x.ndim, 2)).tolist()
        self.inside = tuple(
            slice(a, a + size) for (a, _), size in zip(widths, x.shape, strict=True)
        )
        return np.pad(x, self.pad_width, constant_values=self.constant_values)

    def gx(self, gy: Any) -> Any:
        """Drop the border."""
        return gy[self.inside]


def reshape(x: Any, shape: int | tuple[int, ...]) -> Variable:
    """Return the elements of ``x`` in another shape; one length may be ``-1``.

    Source: step 38 of the book.

    Raises
    ------
    ValueError
        If the number of elements differs.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.reshape(np.arange(4.0), (2, 2)).shape
    (2, 2)
    """
    shape = (shape,) if isinstance(shape, int | np.integer) else tuple(shape)
    if isinstance(x, Variable) and x.shape == shape:
        return x
    return Reshape(shape)(x)


def transpose(x: Any, axes: Sequence[int] | None = None) -> Variable:
    """Return ``x`` with its axes in another order, reversed by default.

    Source: step 38 of the book.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.transpose(np.ones((2, 3, 4)), (1, 2, 0)).shape
    (3, 4, 2)
    """
    return Transpose(None if axes is None else tuple(axes))(x)


def swapaxes(x: Any, axis1: int, axis2: int) -> Variable:
    """Return ``x`` with two axes exchanged.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.swapaxes(np.ones((2, 3, 4)), -1, -2).shape
    (2, 4, 3)
    """
    x = as_input(x)
    axes = list(range(len(x.shape)))
    i, j = (_axis_number("swapaxes", axis, len(axes)) for axis in (axis1, axis2))
    axes[i], axes[j] = axes[j], axes[i]
    return transpose(x, axes)


def moveaxis(x: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Variable:
    """Return ``x`` with one axis, or several, moved to other places.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.moveaxis(np.ones((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    x = as_input(x)
    count = len(x.shape)
    sources, destinations = (
        [_axis_number("moveaxis", axis, count) for axis in np.atleast_1d(axes).tolist()]
        for axes in (source, destination)
    )
    if len(sources) != len(destinations) or len(set(sources)) != len(sources):
        raise ValueError(
            f"moveaxis: got axes {source} to move to {destination}; it wants as many places as "
            "axes, and each axis once"
        )
    axes = [axis for axis in range(count) if axis not in sources]
    for place, axis in sorted(zip(destinations, sources, strict=True)):
        axes.insert(place, axis)
    return transpose(x, axes)


def _axis_number(name: str, axis: int, ndim: int) -> int:
    """Return ``axis`` counted from the first; raise where there is none."""
    if not -ndim <= axis < ndim:
        raise np.exceptions.AxisError(
            f"{name}: axis {axis} is out of bounds for an input of {ndim} dimensions"
        )
    return axis % ndim


def broadcast_to(x: Any, shape: int | tuple[int, ...]) -> Variable:
    """Return ``x`` repeated along new axes and axes of length 1; gradients are summed back.

    Source: step 40 of the book.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.broadcast_to(np.array([1.0, 2.0]), (2, 2))
    variable([[1. 2.]
              [1. 2.]])
    """
    x = as_input(x)
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    if x.shape == shape:
        return unchanged(x)
    return BroadcastTo(shape)(x)


def sum_to(x: Any, shape: tuple[int, ...]) -> Variable:
    """Return ``x`` summed to ``shape``, the transpose of :func:`broadcast_to`.

    Source: step 40 of the book.

    Raises
    ------
    ValueError
        If ``shape`` does not broadcast to ``x.shape``.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.sum_to(np.ones((2, 3)), (1, 3))
    variable([[2. 2. 2.]])
    """
    x = as_input(x)
    if x.shape == shape:
        return unchanged(x)
    lead = len(x.shape) - len(shape)
    fits = lead >= 0 and all(a in (1, b) for a, b in zip(shape, x.shape[lead:], strict=True))
    if not fits:
        raise ValueError(
            f"sum_to: got x of shape {x.shape} and shape {shape}; each axis of shape must be 1 "
            "or that of x, counted from the last"
        )
    return SumTo(shape)(x)


def expand_dims(x: Any, axis: int | tuple[int, ...]) -> Variable:
    """Return ``x`` with new axes of length 1.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.expand_dims(np.ones(3), 0).shape
    (1, 3)
    """
    x = as_input(x)
    return reshape(x, np.expand_dims(np.broadcast_to(0, x.shape), axis).shape)


def squeeze(x: Any, axis: Axes = None) -> Variable:
    """Return ``x`` without axes of length 1: all of them, or those named.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.squeeze(np.ones((1, 3))).shape
    (3,)
    """
    x = as_input(x)
    return reshape(x, np.squeeze(np.broadcast_to(0, x.shape), axis).shape)


def flatten(x: Any) -> Variable:
    """Return ``x`` with all axes but the first made one.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.flatten(np.ones((2, 3, 4))).shape
    (2, 12)
    """
    x = as_input(x)
    return reshape(x, (x.shape[0], int(np.prod(x.shape[1:]))))


def copy(x: Any) -> Variable:
    """Return the values of ``x`` in an array of their own; gradients pass.

    It is what to assign to where ``x`` itself cannot change: ``y = x.copy(); y[0] = 1``.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> x = Variable(np.ones(2))
    >>> y = x.copy()
    >>> y[0] = 5.0
    >>> x, y
    (variable([1. 1.]), variable([5. 1.]))
    """
    x = as_input(x)
    return Cast(x.dtype)(x)


def astype(x: Any, dtype: Any) -> Variable:
    """Return ``x`` in another type; integers and booleans end the graph.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.astype(np.ones(2), np.float32).dtype
    dtype('float32')
    """
    x = unchanged(x)
    if x.dtype == dtype:
        return x
    if np.dtype(dtype).kind not in "fc":
        return Variable(x.data.astype(dtype), requires_grad=False)
    return Cast(dtype)(x)


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


def pad(x: Any, pad_width: Any, constant_values: Any = 0) -> Variable:
    """Return ``x`` with a border of a constant, as ``np.pad``.

    Parameters
    ----------
    x : Variable or array
        Any shape.
    pad_width : int, pair or sequence of pairs
        The width before and after, for all axes or for each.
    constant_values : float, default 0
        What the border holds.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.pad(np.ones(2), (1, 2))
    variable([0. 1. 1. 0. 0.])
    """
    return Pad(pad_width, constant_values)(x)


def unchanged(x: Any) -> Variable:
    """Return ``x`` itself, or a constant Variable of an array or number."""
    return x if isinstance(x, Variable) else Variable(as_array(x), requires_grad=False)
