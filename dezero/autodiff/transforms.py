"""Functions into functions: gradients, vector-Jacobian and Jacobian-vector products."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from dezero.autodiff.trace import Trace
from dezero.autodiff.trees import matching, rebuilt
from dezero.core import Variable
from dezero.core.variable import is_array

Argnums = int | tuple[int, ...] | list[int]


def grad(f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """Return a function that computes the gradient of ``f``, whose value is one number.

    Parameters
    ----------
    f : callable
        Plain NumPy code, or any code on Variables. It gets Variables for the arguments that are
        differentiated, everything else as it was given.
    argnums : int or tuple of int, default 0
        Which positional arguments are differentiated; for a tuple the result is a tuple.
    has_aux : bool, default False
        Whether ``f`` returns ``(value, aux)``; then the result is ``(gradient, aux)``.

    Returns
    -------
    callable
        With the arguments of ``f``. The gradient has the structure of its argument: nested
        tuples, lists and dicts of arrays; for a :class:`dezero.Layer` a dict by the names of its
        parameters. For a complex argument it is ``dL/dRe + i dL/dIm``.

    Raises
    ------
    TypeError
        If such an argument is not floating-point, or the value is not one real number.

    Notes
    -----
    The result is a Variable that can be differentiated further where something else may depend
    on it: inside another transformation, for arguments that are Variables, or if ``f`` uses
    Variables from outside; otherwise plain arrays and NumPy numbers. Calling conventions: JAX.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.autodiff import grad
    >>> print(f"{grad(np.tanh)(1.0):.6f}")
    0.419974
    >>> print(f"{grad(grad(np.tanh))(1.0):.6f}")
    -0.639700
    """

    @functools.wraps(f, updated=())
    def gradient(*args: Any, **kwargs: Any) -> Any:
        trace, gxs = _gradient("grad", f, argnums, has_aux, args, kwargs)
        return (gxs, trace.auxiliary()) if has_aux else gxs

    return gradient


def value_and_grad(
    f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """Return a function that computes the value of ``f`` and its gradient, in one pass.

    Parameters
    ----------
    f, argnums, has_aux
        As for :func:`grad`.

    Returns
    -------
    callable
        It returns ``(value, gradient)``, or ``((value, aux), gradient)``. What
        ``scipy.optimize.minimize(..., jac=True)`` wants.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.autodiff import value_and_grad
    >>> value_and_grad(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
    (np.float64(5.0), array([2., 4.]))
    """

    @functools.wraps(f, updated=())
    def both(*args: Any, **kwargs: Any) -> Any:
        trace, gxs = _gradient("value_and_grad", f, argnums, has_aux, args, kwargs)
        value = trace.value()
        return ((value, trace.auxiliary()) if has_aux else value), gxs

    return both


def _gradient(
    name: str,
    f: Callable[..., Any],
    argnums: Argnums,
    has_aux: bool,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> tuple[Trace, Any]:
    numbers = argument_numbers(argnums, args, name)
    trace = Trace(name, f, args, kwargs, numbers, has_aux)
    gxs = iter(trace.pull([_one_for(trace)]))
    several = tuple([rebuilt(primal, gxs) for primal in trace.primals])
    return trace, several[0] if isinstance(argnums, int) else several


def vjp(f: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """Return the value of ``f`` and its pullback, the vector-Jacobian product.

    Parameters
    ----------
    f : callable
        A function of ``primals``.
    *primals
        Where; all are differentiated.
    has_aux : bool, default False
        Whether ``f`` returns ``(value, aux)``; then the result is ``(value, pullback, aux)``.

    Returns
    -------
    value
        What ``f`` returns.
    pullback : callable
        ``pullback(gy)``, with ``gy`` of the structure of the value, returns a tuple of the
        gradients of all primals. It may be called again.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.autodiff import vjp
    >>> y, pullback = vjp(lambda x, w: x * w, np.array([1.0, 2.0]), 3.0)
    >>> pullback(np.array([1.0, 10.0]))
    (array([ 3., 30.]), np.float64(21.0))
    """
    trace = Trace("vjp", f, primals, {}, tuple(range(len(primals))), has_aux)

    def pullback(gy: Any) -> tuple[Any, ...]:
        gys = matching(gy, trace.result, "pullback")
        gxs = iter(
            trace.pull([_shaped_as(g, y, "pullback") for g, y in zip(gys, trace.ys, strict=True)])
        )
        return tuple([rebuilt(primal, gxs) for primal in primals])

    return (trace.value(), pullback, trace.auxiliary()) if has_aux else (trace.value(), pullback)


def jvp(
    f: Callable[..., Any],
    primals: tuple[Any, ...] | list[Any],
    tangents: tuple[Any, ...] | list[Any],
    has_aux: bool = False,
) -> Any:
    """Return the value of ``f`` and its derivative along ``tangents``: forward mode.

    Parameters
    ----------
    f : callable
        A function of ``primals``.
    primals, tangents : tuple
        Where, and along what; of one structure, shape by shape.
    has_aux : bool, default False
        Whether ``f`` returns ``(value, aux)``; then the result is ``(value, dy, aux)``.

    Returns
    -------
    value, dy
        What ``f`` returns, and ``J t``, of the same structure.

    Notes
    -----
    The function runs once and is recorded; tangents then go through the record from the earliest
    function to the latest, each function by its forward rule.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.autodiff import jvp
    >>> jvp(lambda x: x**2, (np.array([1.0, 3.0]),), (np.array([1.0, 10.0]),))
    (array([1., 9.]), array([ 2., 60.]))
    """
    if not isinstance(primals, tuple | list) or not isinstance(tangents, tuple | list):
        raise TypeError("jvp: primals and tangents are tuples: jvp(f, (x,), (dx,))")
    trace, push = _linearized("jvp", f, tuple(primals), has_aux)
    dy = push(*tangents)
    return (trace.value(), dy, trace.auxiliary()) if has_aux else (trace.value(), dy)


def linearize(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """Return the value of ``f`` and its derivative there, a linear function of tangents.

    ``f`` runs once, the linear function costs just the forward rules.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.autodiff import linearize
    >>> y, df = linearize(lambda x: x**2, np.array([1.0, 3.0]))
    >>> df(np.array([1.0, 0.0])), df(np.array([0.0, 1.0]))
    (array([2., 0.]), array([0., 6.]))
    """
    trace, push = _linearized("linearize", f, primals, False)
    return trace.value(), push


def _linearized(
    name: str, f: Callable[..., Any], primals: tuple[Any, ...], has_aux: bool
) -> tuple[Trace, Callable[..., Any]]:
    trace = Trace(name, f, primals, {}, tuple(range(len(primals))), has_aux)
    functions = trace.functions()

    def push(*tangents: Any) -> Any:
        flat = matching(tuple(tangents), primals, name)
        ts = [_shaped_as(t, u, name) for t, u in zip(flat, trace.inputs, strict=True)]
        recording = trace.outer or any(isinstance(t, Variable) and t.requires_grad for t in ts)
        return rebuilt(trace.result, iter(trace.push(ts, functions, recording)))

    return trace, push


def elementwise_grad(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """Return the derivative of an element-by-element function: the gradient of its sum.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.autodiff import elementwise_grad
    >>> elementwise_grad(np.square)(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    return grad(lambda *args, **kwargs: np.sum(f(*args, **kwargs)), argnums)


def argument_numbers(argnums: Argnums, args: tuple[Any, ...], name: str) -> tuple[int, ...]:
    """Return which arguments are differentiated, counted from 0."""
    numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for i in numbers:
        if not -len(args) <= i < len(args):
            raise ValueError(
                f"{name}: argnums={argnums} with {len(args)} positional arguments; keyword "
                "arguments are not differentiated"
            )
    return tuple([i % len(args) for i in numbers])


def _one_for(trace: Trace) -> Any:
    """Return the seed of a function whose value is one number."""
    if len(trace.ys) != 1 or isinstance(trace.result, tuple | list | dict):
        raise TypeError(
            f"{trace.name}: the function returned {type(trace.result).__name__} with "
            f"{len(trace.ys)} entries; it wants one number (has_aux=True for (value, aux), vjp or "
            "jacobian for more)"
        )
    (y,) = trace.ys
    if y.size != 1 or y.dtype.kind == "c":
        raise TypeError(
            f"{trace.name}: the function returned {y.dtype} {y.shape}; it wants one real number: "
            "sum over it, or use vjp, jacobian or elementwise_grad"
        )
    data = y._data if isinstance(y, Variable) else y
    return np.ones_like(data, dtype=y.dtype if y.dtype.kind == "f" else np.float64)[()]


def _shaped_as(g: Any, y: Any, name: str) -> Any:
    """Return a tangent or cotangent in the dtype of its value; raise where shapes differ."""
    if np.shape(g) != y.shape:
        raise ValueError(
            f"{name}: got {np.shape(g)} for a value of shape {y.shape}; it wants the same shape"
        )
    if isinstance(g, Variable):
        return g
    g = g if is_array(g) else np.asarray(g)
    if (
        y.dtype.kind in "fc"
        and g.dtype != y.dtype
        and (g.dtype.kind != "c" or y.dtype.kind == "c")
    ):
        g = g.astype(y.dtype)
    return g
