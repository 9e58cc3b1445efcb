"""Derivatives against differences: along random directions, in both modes, to any order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from dezero.autodiff.trace import Trace
from dezero.autodiff.transforms import vjp
from dezero.autodiff.trees import as_floating, is_layer, leaves, rebuilt
from dezero.core import Variable

MODES = ("reverse", "forward")


def gradcheck(
    f: Callable[..., Any],
    *args: Any,
    order: int = 1,
    modes: tuple[str, ...] | list[str] = MODES,
    step: float = 1e-4,
    rtol: float = 1e-5,
    atol: float = 1e-6,
    seed: int = 0,
) -> bool:
    """Compare the derivatives of ``f`` with central differences, for each input.

    For each input a random direction ``v``, and a random ``u`` for the value: ``<u, J v>`` by
    pullback (reverse) and by pushing (forward) against ``<u, f(x + v h) - f(x - v h)> / 2h``, by a
    five-point stencil. Random directions show errors that a gradient of ones would hide.

    Parameters
    ----------
    f : callable
        A function of ``args``.
    *args
        Where: arrays in float64 (anything narrower is taken to float64), nested structures of
        these. Integers and other objects are given to ``f`` as they are.
    order : int, default 1
        Up to which derivative: 2 checks the gradients of the gradient as well.
    modes : tuple of {"reverse", "forward"}
        What is checked.
    step, rtol, atol : float
        The step of the differences, and tolerances.
    seed : int, default 0
        Of the directions.

    Returns
    -------
    bool
        True.

    Raises
    ------
    ArithmeticError
        Where they differ: which input, which mode and order, and by how much.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.autodiff import gradcheck
    >>> gradcheck(lambda x, w: np.tanh(x @ w), np.ones((2, 3)), np.ones((3, 2)), order=2)
    True
    """
    if order < 1 or not set(modes) <= set(MODES):
        raise ValueError(f"gradcheck: order is at least 1 and modes are of {MODES}")
    rng = np.random.default_rng(seed)
    places = [i for i, arg in enumerate(args) if _differentiable(arg)]
    if not places:
        raise TypeError("gradcheck: no argument holds floating-point arrays")
    points = tuple([_widened(arg) if i in places else arg for i, arg in enumerate(args)])
    _check(f, points, places, 1, modes, (step, rtol, atol), rng)
    for k in range(2, order + 1):
        f, points, places = _pulled(f, points, places, rng)
        _check(f, points, places, k, modes, (step, rtol, atol), rng)
    return True


def gradgradcheck(f: Callable[..., Any], *args: Any, **options: Any) -> bool:
    """Compare first and second derivatives with differences: :func:`gradcheck` to order 2.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.autodiff import gradgradcheck
    >>> gradgradcheck(np.exp, np.ones(3))
    True
    """
    return gradcheck(f, *args, order=2, **options)


def _differentiable(arg: Any) -> bool:
    ends = list(leaves(arg))
    kinds = {np.asarray(x.data if isinstance(x, Variable) else x).dtype.kind for x in ends}
    return bool(ends) and kinds <= set("fc")


def _widened(arg: Any) -> Any:
    if is_layer(arg):
        raise TypeError("gradcheck: give the arrays of a layer, not the layer itself")
    return rebuilt(arg, iter([_wide(x) for x in leaves(arg)]))


def _wide(x: Any) -> Any:
    x = as_floating(x.data if isinstance(x, Variable) else x, "gradcheck")
    return np.array(x, np.complex128 if x.dtype.kind == "c" else np.float64)


def _check(
    f: Callable[..., Any],
    points: tuple[Any, ...],
    places: list[int],
    order: int,
    modes: Any,
    numbers: tuple[float, float, float],
    rng: Any,
) -> None:
    trace = Trace("gradcheck", f, points, {}, tuple(places))
    us = [_direction(y.shape, y.dtype, rng) for y in trace.ys]
    pulled = trace.pull([np.conjugate(u) for u in us])
    functions = trace.functions()
    for k, (path, x) in enumerate(_named(points, places)):
        v = _direction(x.shape, x.dtype, rng)
        expected = _difference(f, points, places, k, v, us, numbers[0])
        found = {}
        if "reverse" in modes:
            found["reverse"] = _dot(np.conjugate(pulled[k]), v)
        if "forward" in modes:
            ts = [v if i == k else np.zeros(u.shape, u.dtype) for i, u in enumerate(trace.inputs)]
            found["forward"] = sum(
                _dot(u, t) for u, t in zip(us, trace.push(ts, functions, False), strict=True)
            )
        for mode, value in found.items():
            if not np.isclose(value, expected, rtol=numbers[1], atol=numbers[2]):
                raise ArithmeticError(
                    f"gradcheck: derivative {order} for {path} {x.dtype} {x.shape} by {mode} mode "
                    f"is {value:.8g} along a random direction; differences give {expected:.8g}, "
                    f"off by {abs(value - expected):.2g}"
                )


def _named(points: tuple[Any, ...], places: list[int]) -> Iterator[tuple[str, Any]]:
    for i in places:
        ends = list(leaves(points[i]))
        for j, x in enumerate(ends):
            yield (f"argument {i}" if len(ends) == 1 else f"array {j} of argument {i}"), x


def _direction(shape: tuple[int, ...], dtype: Any, rng: Any) -> Any:
    v = rng.standard_normal(shape)
    return np.asarray(v + 1j * rng.standard_normal(shape) if np.dtype(dtype).kind == "c" else v)


def _dot(u: Any, v: Any) -> float:
    """Return the inner product of real vectors; of complex ones, of both their parts."""
    return float(np.sum(np.real(np.asarray(u) * np.asarray(v))))


def _difference(
    f: Callable[..., Any],
    points: tuple[Any, ...],
    places: list[int],
    k: int,
    v: Any,
    us: list[Any],
    step: float,
) -> float:
    def at(h: float) -> float:
        ends = [x for i in places for x in leaves(points[i])]
        ends[k] = ends[k] + h * v
        values = iter(ends)
        moved = [rebuilt(p, values) if i in places else p for i, p in enumerate(points)]
        ys = [
            _value(y)
            for y in leaves(f(*[_variables(m) if i in places else m for i, m in enumerate(moved)]))
        ]
        return sum(_dot(u, y) for u, y in zip(us, ys, strict=True))

    near, far = at(step) - at(-step), at(2 * step) - at(-2 * step)
    return (8 * near - far) / (12 * step)


def _variables(tree: Any) -> Any:
    ends = [Variable(np.asarray(x), requires_grad=False) for x in leaves(tree)]
    return rebuilt(tree, iter(ends))


def _value(y: Any) -> Any:
    return y.data if isinstance(y, Variable) else np.asarray(y)


def _pulled(
    f: Callable[..., Any], points: tuple[Any, ...], places: list[int], rng: Any
) -> tuple[Callable[..., Any], tuple[Any, ...], list[int]]:
    """Return the pullback of ``f`` as a function of the point and of what is pulled back."""
    ys = [_value(y) for y in leaves(f(*points))]
    gys = [_direction(y.shape, y.dtype, rng) for y in ys]

    def gradient(*args: Any) -> Any:
        inner, gs = args[: len(points)], args[len(points) :]

        def of_places(*chosen: Any) -> Any:
            merged = list(inner)
            for i, value in zip(places, chosen, strict=True):
                merged[i] = value
            return list(leaves(f(*merged)))

        return vjp(of_places, *[inner[i] for i in places])[1](list(gs))

    return gradient, (*points, *gys), [*places, *range(len(points), len(points) + len(gys))]
