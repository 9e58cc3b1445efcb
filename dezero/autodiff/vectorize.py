"""vmap: a function of one example as a function of a batch."""

from __future__ import annotations

import functools
from collections.abc import Callable
from operator import itemgetter
from typing import Any

import numpy as np

from dezero.autodiff import (  # noqa: F401  (enter their rules)
    batching_arrays,
    batching_indexing,
    batching_kernels,
)
from dezero.autodiff.batched import Batched, BatchingError
from dezero.autodiff.trees import leaves, mapped, rebuilt
from dezero.core import Config, Variable
from dezero.core.forward import functions_above
from dezero.core.levels import level_above
from dezero.core.variable import is_array


def vmap(f: Callable[..., Any], in_axes: Any = 0, out_axes: Any = 0) -> Callable[..., Any]:
    """Return a function that applies ``f`` to every example of a batch.

    Parameters
    ----------
    f : callable
        A function of one example; it may differentiate inside.
    in_axes : int, None, or tuple of these, default 0
        Along which axis of each positional argument the examples lie; ``None`` for an argument
        that all examples share. Within a nested argument it holds for every array.
    out_axes : int or nested structure of int, default 0
        Along which axis of the results they are to lie.

    Returns
    -------
    callable
        With the arguments of ``f``. Keyword arguments are shared by all examples.

    Raises
    ------
    ValueError
        If the arguments have no examples, or not as many each.

    Notes
    -----
    NumPy calls on an example become one call on the whole batch where there is a rule for it,
    otherwise one for each example. A function that needs plain numbers (``if x > 0:``,
    ``float(x)``) runs once for each example.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.autodiff import grad, vmap
    >>> x = np.arange(6.0).reshape(3, 2)
    >>> vmap(np.dot)(x, x)
    array([ 1., 13., 41.])
    >>> vmap(grad(lambda x: np.sum(x**3)))(x)
    array([[ 0.,  3.],
           [12., 27.],
           [48., 75.]])
    """

    @functools.wraps(f, updated=())
    def mapped_function(*args: Any, **kwargs: Any) -> Any:
        axes = list(in_axes) if isinstance(in_axes, tuple | list) else [in_axes] * len(args)
        if len(axes) != len(args):
            raise ValueError(
                f"vmap: in_axes has {len(axes)} entries for {len(args)} positional arguments"
            )
        size = _size(args, axes)
        args = tuple([_front(arg, axis) for arg, axis in zip(args, axes, strict=True)])
        try:
            result = _together(f, args, axes, kwargs, size)
        except BatchingError:
            result = _one_by_one(f, args, axes, kwargs, size)
        return _placed(result, out_axes)

    return mapped_function


def _together(f: Callable[..., Any], args: Any, axes: list[Any], kwargs: Any, size: int) -> Any:
    recording = Config.enable_backprop
    with level_above() as floor:
        Config.enable_backprop = recording
        examples = [
            arg if axis is None else mapped(lambda x: Batched(x, floor), arg)
            for arg, axis in zip(args, axes, strict=True)
        ]
        result = f(*examples, **kwargs)
    return mapped(lambda y: _whole(y, floor, size), result)


def _whole(y: Any, floor: int, size: int) -> Any:
    """Return a result of one example for all of them, along the first axis."""
    if isinstance(y, Variable) and isinstance(y._data, Batched) and y._data._floor == floor:
        if y._node is not None and functions_above([y._node], floor)[1]:
            raise BatchingError(  # a recorded derivative inside: the graph around it would be lost
                "vmap: the function differentiates with respect to something that outer "
                "derivatives reach"
            )
        y = y._data
    if isinstance(y, Batched) and y._floor == floor:
        return y.value
    y = y if isinstance(y, Variable | Batched) else np.asarray(y)
    return np.broadcast_to(y, (size, *y.shape))


def _one_by_one(f: Callable[..., Any], args: Any, axes: list[Any], kwargs: Any, size: int) -> Any:
    results = []
    for i in range(size):
        example = [
            arg if axis is None else mapped(itemgetter(i), arg)
            for arg, axis in zip(args, axes, strict=True)
        ]
        results.append(f(*example, **kwargs))
    columns = zip(*(list(leaves(result)) for result in results), strict=True)
    stacks = [
        np.stack([y if isinstance(y, Variable | Batched) else np.asarray(y) for y in column])
        for column in columns
    ]
    return rebuilt(results[0], iter(stacks))


def _size(args: Any, axes: list[Any]) -> int:
    sizes = {
        np.shape(leaf)[axis] if np.ndim(leaf) else None
        for arg, axis in zip(args, axes, strict=True)
        if axis is not None
        for leaf in leaves(arg)
    }
    if len(sizes) != 1 or None in sizes or 0 in sizes:
        raise ValueError(
            f"vmap: the mapped arguments have {', '.join(map(str, sizes)) or 'no'} examples; it "
            "wants the same number, at least 1, along the mapped axis of each (in_axes=None for "
            "an argument that all share)"
        )
    (size,) = sizes
    return int(size)  # type: ignore[arg-type]


def _front(arg: Any, axis: int | None) -> Any:
    if axis is None:
        return arg
    return mapped(lambda x: np.moveaxis(_array(x), axis, 0) if axis else _array(x), arg)


def _array(x: Any) -> Any:
    return x if isinstance(x, Variable | Batched) or is_array(x) else np.asarray(x)


def _placed(result: Any, out_axes: Any) -> Any:
    if isinstance(out_axes, int):
        if out_axes == 0:
            return result
        return mapped(lambda y: np.moveaxis(y, 0, out_axes), result)
    if isinstance(out_axes, dict):
        return {key: _placed(result[key], axis) for key, axis in out_axes.items()}
    return type(result)(_placed(y, axis) for y, axis in zip(result, out_axes, strict=True))
