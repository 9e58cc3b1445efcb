"""Whole matrices of derivatives, and their products with vectors."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from dezero.autodiff.trace import Trace
from dezero.autodiff.transforms import Argnums, argument_numbers, grad, jvp, vjp
from dezero.autodiff.trees import rebuilt
from dezero.autodiff.vectorize import vmap
from dezero.core import Variable


def jacobian(
    f: Callable[..., Any], argnums: Argnums = 0, mode: str | None = None
) -> Callable[..., Any]:
    r"""Return a function that computes the Jacobian :math:`J_{ij} = \partial y_i/\partial x_j`.

    Parameters
    ----------
    f : callable
        Any function; its value may be a nested structure of arrays.
    argnums : int or tuple of int, default 0
        Which positional arguments are differentiated; for a tuple the result is a tuple.
    mode : {"reverse", "forward"}, optional
        Row by row backwards or column by column forwards; by default whichever is fewer.

    Returns
    -------
    callable
        With the arguments of ``f``. Its value has shape ``y.shape + x.shape``; for nested
        structures that of the value with that of the argument at each end.

    Notes
    -----
    All rows (or columns) go through the recorded graph at once, by :func:`vmap`. For a complex
    value it is that of a holomorphic function, or of one of real arguments.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.autodiff import jacobian
    >>> jacobian(lambda x: np.array([2.0, 3.0]) * x[0] ** 2)(np.array([1.0, 5.0]))
    array([[4., 0.],
           [6., 0.]])
    """
    if mode not in (None, "reverse", "forward"):
        raise ValueError(f'jacobian: mode is "reverse", "forward" or None, got {mode!r}')

    @functools.wraps(f, updated=())
    def jacobian_of_f(*args: Any, **kwargs: Any) -> Any:
        numbers = argument_numbers(argnums, args, "jacobian")
        trace = Trace("jacobian", f, args, kwargs, numbers)
        blocks = iter(_by_rows(trace) if _backwards(trace, mode) else _by_columns(trace))
        ends = []
        for _ in trace.ys:
            several = tuple([rebuilt(primal, blocks) for primal in trace.primals])
            ends.append(several[0] if isinstance(argnums, int) else several)
        return rebuilt(trace.result, iter(ends))

    return jacobian_of_f


def _backwards(trace: Trace, mode: str | None) -> bool:
    if mode is not None:
        return mode == "reverse"
    if any(y.dtype.kind == "c" for y in trace.ys):
        return all(x.dtype.kind == "c" for x in trace.inputs) and _count(trace.ys) < _count(
            trace.inputs
        )
    return _count(trace.ys) <= _count(trace.inputs)


def _count(arrays: Any) -> int:
    return sum(a.size for a in arrays)


def _by_rows(trace: Trace) -> Iterator[Any]:
    """Give the blocks of the Jacobian, output by output, input by input, from pullbacks."""
    rows = vmap(lambda *gys: trace.pull(list(gys)))(*_basis(trace.ys)) if _count(trace.ys) else []
    start = 0
    for y in trace.ys:
        for k, x in enumerate(trace.inputs):
            if not y.size:
                yield np.zeros(y.shape + x.shape, x.dtype)
                continue
            block = rows[k][start : start + y.size]
            block = np.conjugate(block) if y.dtype.kind == "c" else block
            yield np.reshape(block, y.shape + x.shape)
        start += y.size


def _by_columns(trace: Trace) -> Iterator[Any]:
    """Give the blocks of the Jacobian, output by output, input by input, from pushed tangents."""
    functions = trace.functions()

    def push(*ts: Any) -> list[Any]:
        recording = trace.outer or any(isinstance(t, Variable) for t in ts)
        return trace.push(list(ts), functions, recording)

    empty = _count(trace.inputs) == 0
    columns = [] if empty else vmap(push, out_axes=-1)(*_basis(trace.inputs))
    for k, y in enumerate(trace.ys):
        start = 0
        for x in trace.inputs:
            if empty:
                yield np.zeros(y.shape + x.shape, y.dtype)
                continue
            yield np.reshape(columns[k][..., start : start + x.size], y.shape + x.shape)
            start += x.size


def _basis(arrays: list[Any]) -> list[Any]:
    """Return the unit vectors of all arrays together, one for each element."""
    total = _count(arrays)
    basis, start = [], 0
    for a in arrays:
        units = np.zeros((total, a.size), a.dtype if a.dtype.kind in "fc" else np.float64)
        units[np.arange(start, start + a.size), np.arange(a.size)] = 1
        basis.append(units.reshape(total, *a.shape))
        start += a.size
    return basis


def hessian(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    r"""Return a function that computes the Hessian of ``f``, whose value is one number.

    Returns
    -------
    callable
        With the arguments of ``f``. Its value has shape ``x.shape + x.shape``; for a tuple of
        argnums or nested structures, that structure within itself.

    Notes
    -----
    Source: step 33 of the book.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.autodiff import hessian
    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([3.0, 5.0]))
    array([[10.,  6.],
           [ 6.,  0.]])
    """
    return jacobian(grad(f, argnums), argnums)


def hvp(f: Callable[[Any], Any], x: Any, v: Any) -> Any:
    r"""Return the Hessian-vector product :math:`\nabla^2 f(x)\,v`, without the Hessian.

    Parameters
    ----------
    f : callable
        A function of one argument, an array or a nested structure, whose value is one number.
    x, v : array or nested structure
        Where, and the vector, of the same structure.

    Notes
    -----
    Twice backwards: a few times the cost of ``f``. Source: step 36 of the book; B. Pearlmutter,
    "Fast exact multiplication by the Hessian", 1994.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.autodiff import hvp
    >>> hvp(lambda x: np.sum(x**3), np.array([1.0, 2.0]), np.array([1.0, 10.0]))
    array([  6., 120.])
    """
    return vjp(grad(f), x)[1](v)[0]


def ggnvp(f: Callable[[Any], Any], loss: Callable[[Any], Any], x: Any, v: Any) -> Any:
    r"""Return the product of the generalised Gauss-Newton matrix :math:`J^T H J` with ``v``.

    Parameters
    ----------
    f : callable
        The model, a function of ``x``; ``J`` is its Jacobian.
    loss : callable
        A function of the model's value, one number; ``H`` is its Hessian there.
    x, v : array or nested structure
        Where, and the vector.

    Notes
    -----
    Source: N. Schraudolph, "Fast curvature matrix-vector products", 2002.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.autodiff import ggnvp
    >>> A = np.array([[1.0, 2.0], [0.0, 1.0]])
    >>> ggnvp(lambda x: A @ x, lambda y: np.sum(y**2), np.ones(2), np.array([1.0, 0.0]))
    array([2., 4.])
    """
    y, Jv = jvp(f, (x,), (v,))
    return vjp(f, x)[1](hvp(loss, y, Jv))[0]
