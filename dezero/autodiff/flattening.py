"""Nested parameters as one vector, and three optimisers on such a vector."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np


def flatten(value: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Return the numbers of nested tuples, lists and dicts as a vector, and what undoes it.

    The keys of a dict are taken in sorted order.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.autodiff.compat import flatten
    >>> flat, unflatten = flatten({"W": np.ones((1, 2)), "b": 3.0})
    >>> flat
    array([1., 1., 3.])
    >>> unflatten(2 * flat)
    {'W': array([[2., 2.]]), 'b': array(6.)}
    """
    ends = [np.ravel(x) for x in _ends(value)]

    def unflatten(flat: Any) -> Any:
        return _filled(value, flat, iter(np.cumsum([0, *(x.size for x in ends)]).tolist()))

    return (np.concatenate(ends) if ends else np.zeros(0)), unflatten


def _ends(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = [value[key] for key in sorted(value)]
    if not isinstance(value, list | tuple):
        yield value
        return
    for item in value:
        yield from _ends(item)


def _filled(value: Any, flat: Any, starts: Iterator[int]) -> Any:
    if isinstance(value, dict):
        items = {key: _filled(value[key], flat, starts) for key in sorted(value)}
        return {key: items[key] for key in value}
    if isinstance(value, list | tuple):
        several = [_filled(item, flat, starts) for item in value]
        return type(value)(*several) if hasattr(value, "_fields") else type(value)(several)
    start = next(starts)
    return np.reshape(flat[start : start + np.size(value)], np.shape(value))


def _descend(
    grad: Callable[[Any, int], Any],
    x0: Any,
    callback: Callable[[Any, int, Any], Any] | None,
    num_iters: int,
    step: Callable[[int, Any], Any],
) -> Any:
    x, unflatten = flatten(x0)
    for i in range(num_iters):
        g = grad(unflatten(x), i)
        if callback is not None:
            callback(unflatten(x), i, g)
        x = x + step(i, flatten(g)[0])
    return unflatten(x)


def sgd(
    grad: Callable[[Any, int], Any],
    x0: Any,
    callback: Callable[[Any, int, Any], Any] | None = None,
    num_iters: int = 200,
    step_size: float = 0.1,
    mass: float = 0.9,
) -> Any:
    """Return the point that gradient descent with momentum reaches.

    Parameters
    ----------
    grad : callable
        ``grad(x, i)``: the gradient in step ``i``.
    x0 : array or nested structure
        Where to begin.
    callback : callable, optional
        Called as ``callback(x, i, g)`` in every step.
    num_iters, step_size, mass
        The number of steps, their size, and how much of the last direction is kept.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.autodiff.compat import grad, sgd
    >>> print(np.round(sgd(lambda x, i: 2 * (x - 3), np.zeros(1)), 2))
    [3.]
    """
    velocity: Any = 0.0

    def step(i: int, g: Any) -> Any:
        nonlocal velocity
        velocity = mass * velocity - (1 - mass) * g
        return step_size * velocity

    return _descend(grad, x0, callback, num_iters, step)


def rmsprop(
    grad: Callable[[Any, int], Any],
    x0: Any,
    callback: Callable[[Any, int, Any], Any] | None = None,
    num_iters: int = 100,
    step_size: float = 0.1,
    gamma: float = 0.9,
    eps: float = 1e-8,
) -> Any:
    """Return the point that RMSProp reaches: gradients over the root of their mean square.

    Parameters as for :func:`sgd`; the mean square begins at 1.
    """
    square: Any = 1.0

    def step(i: int, g: Any) -> Any:
        nonlocal square
        square = gamma * square + (1 - gamma) * g**2
        return -step_size * g / (np.sqrt(square) + eps)

    return _descend(grad, x0, callback, num_iters, step)


def adam(
    grad: Callable[[Any, int], Any],
    x0: Any,
    callback: Callable[[Any, int, Any], Any] | None = None,
    num_iters: int = 100,
    step_size: float = 0.001,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
) -> Any:
    """Return the point that Adam reaches.

    Parameters as for :func:`sgd`. Source: D. Kingma and J. Ba, "Adam: a method for stochastic
    optimization", 2015.
    """
    mean: Any = 0.0
    square: Any = 0.0

    def step(i: int, g: Any) -> Any:
        nonlocal mean, square
        mean = b1 * mean + (1 - b1) * g
        square = b2 * square + (1 - b2) * g**2
        unbiased = square / (1 - b2 ** (i + 1))
        return -step_size * (mean / (1 - b1 ** (i + 1))) / (np.sqrt(unbiased) + eps)

    return _descend(grad, x0, callback, num_iters, step)
