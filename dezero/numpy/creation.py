"""Arrays made of Variables: ``array``, ``asarray``, ``linspace`` ... for :mod:`dezero.numpy`.

NumPy asks its arguments for their own version of some of these; of the others, ``np.array`` the
first, only the namespace ``dezero.numpy`` has one for Variables.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import dezero.functions as F
from dezero.core import Variable, as_input, implements
from dezero.functions.nesting import nested
from dezero.numpy.shapes import ravel


def has_variables(x: Any) -> bool:
    """Whether ``x`` is a Variable, or a nested sequence with one in it."""
    if isinstance(x, list | tuple):
        return any(has_variables(item) for item in x)
    return isinstance(x, Variable)


def array(
    object: Any,
    dtype: Any = None,
    *,
    copy: bool | None = True,
    order: Any = "K",
    subok: bool = False,
    ndmin: int = 0,
    **kwargs: Any,
) -> Any:
    """Return an array as ``np.array``; of Variables, or sequences of them, a Variable.

    Gradients go to each of the Variables. Python's numbers are weak: next to a float32 variable
    they are float32.

    Examples
    --------
    >>> import dezero.numpy as np
    >>> from dezero import Variable
    >>> v = Variable(np.array(2.0))
    >>> np.array([[v, 1.0], [0.0, v * v]])
    variable([[2. 1.]
              [0. 4.]])
    """
    if not has_variables(object):
        return np.array(object, dtype, copy=copy, order=order, subok=subok, ndmin=ndmin, **kwargs)
    y = nested(object)
    if dtype is not None:
        y = F.astype(y, dtype)
    if y is object and copy:
        y = F.copy(y)
    if y.ndim < ndmin:
        y = F.reshape(y, (1,) * (ndmin - y.ndim) + y.shape)
    return y


def asarray(a: Any, dtype: Any = None, order: Any = None, **kwargs: Any) -> Any:
    """Return ``a`` as an array; a Variable stays one, as it is where the type is right."""
    if not has_variables(a):
        return np.asarray(a, dtype, order, **kwargs)
    return array(a, dtype, copy=kwargs.get("copy") or False)


def asanyarray(a: Any, dtype: Any = None, order: Any = None, **kwargs: Any) -> Any:
    """Return ``a`` as an array or a subclass of it; a Variable stays one."""
    if not has_variables(a):
        return np.asanyarray(a, dtype, order, **kwargs)
    return asarray(a, dtype, order, **kwargs)


def ascontiguousarray(a: Any, dtype: Any = None, **kwargs: Any) -> Any:
    """Return ``a`` with at least one axis, its elements in the order of C."""
    if not has_variables(a):
        return np.ascontiguousarray(a, dtype, **kwargs)
    y = array(a, dtype, copy=False, ndmin=1)
    return y if y.data.flags.c_contiguous else F.reshape(ravel(y), y.shape)


def asfortranarray(a: Any, dtype: Any = None, **kwargs: Any) -> Any:
    """Return ``a`` with at least one axis, its elements in the order of Fortran."""
    if not has_variables(a):
        return np.asfortranarray(a, dtype, **kwargs)
    y = array(a, dtype, copy=False, ndmin=1)
    return y if y.data.flags.f_contiguous else F.transpose(ascontiguousarray(F.transpose(y)))


def require(a: Any, dtype: Any = None, requirements: Any = None, **kwargs: Any) -> Any:
    """Return ``a`` as an array that has the properties required; a Variable stays one."""
    if not has_variables(a):
        return np.require(a, dtype, requirements, **kwargs)
    names = {str(name)[0].upper() for name in requirements or ()}
    if "F" in names:
        return asfortranarray(a, dtype)
    return ascontiguousarray(a, dtype) if "C" in names else asarray(a, dtype)


def full(shape: Any, fill_value: Any, dtype: Any = None, order: Any = "C", **kwargs: Any) -> Any:
    """Return an array full of a value, which may be a Variable."""
    if not has_variables(fill_value):
        return np.full(shape, fill_value, dtype, order, **kwargs)
    y = array(fill_value, dtype, copy=False)
    return F.copy(F.broadcast_to(y, (shape,) if np.ndim(shape) == 0 else tuple(shape)))


def full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: Any = "K", subok: bool = True, **kwargs: Any
) -> Any:
    """Return an array as ``a`` full of a value, which may be a Variable.

    Of a Variable it is one, which parts can be assigned to, as with :func:`zeros_like`.
    """
    dtype = a.dtype if dtype is None and isinstance(a, Variable) else dtype
    if has_variables(fill_value):
        shape = kwargs.get("shape")
        dtype = np.asarray(a).dtype if dtype is None else dtype
        return full(np.shape(a) if shape is None else shape, fill_value, dtype)
    return _like(np.full_like, a, fill_value, dtype, order, subok, **kwargs)


def _like(function: Any, a: Any, *args: Any, **kwargs: Any) -> Any:
    if not isinstance(a, Variable):
        return function(a, *args, **kwargs)
    return Variable(function(a.data, *args, **kwargs), requires_grad=False)


def zeros_like(a: Any, *args: Any, **kwargs: Any) -> Any:
    """Return zeros in the shape of ``a``; of a Variable a Variable, which can be assigned to.

    Examples
    --------
    >>> import dezero.numpy as np
    >>> from dezero import Variable
    >>> x = Variable(np.array([1.0, 2.0]))
    >>> y = np.zeros_like(x)
    >>> y[1] = x[0] * x[1]
    >>> y.sum().backward()
    >>> y, x.grad
    (variable([0. 2.]), variable([2. 1.]))
    """
    return _like(np.zeros_like, a, *args, **kwargs)


def ones_like(a: Any, *args: Any, **kwargs: Any) -> Any:
    """Return ones in the shape of ``a``; of a Variable a Variable, which can be assigned to."""
    return _like(np.ones_like, a, *args, **kwargs)


def empty_like(a: Any, *args: Any, **kwargs: Any) -> Any:
    """Return an array in the shape of ``a``, not filled; of a Variable a Variable."""
    return _like(np.empty_like, a, *args, **kwargs)


@implements(np.copy)
def copy(a: Any, order: Any = "K", subok: bool = False) -> Variable:
    """Return the values of ``a`` in an array of their own."""
    return F.copy(a)


def astype(x: Any, dtype: Any, *, copy: bool = True, device: Any = None) -> Variable:
    """Return ``x`` in another type."""
    return F.copy(x) if copy and as_input(x).dtype == dtype else F.astype(x, dtype)


if hasattr(np, "astype"):  # NumPy 2.1
    implements(np.astype)(astype)


@implements(np.linspace)
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Any:
    """Return numbers from ``start`` to ``stop`` in equal steps, along a new axis."""
    start, stop = _ends(start, stop)
    t = np.linspace(0, 1, num, endpoint).astype(start.dtype)
    t = t.reshape((-1,) + (1,) * max(len(start.shape), len(stop.shape)))
    y = F.moveaxis(start * (1 - t) + stop * t, 0, axis)
    y = y if dtype is None else F.astype(y, dtype)
    steps = num - 1 if endpoint else num
    return (y, (stop - start) / (steps or np.nan)) if retstep else y


def _ends(start: Any, stop: Any) -> tuple[Any, Any]:
    """Return both ends as arrays of the floating type that NumPy gives the numbers between."""
    kinds = [x.data if isinstance(x, Variable) else x for x in (start, stop)]
    dtype = np.result_type(*kinds, 0.0)
    return F.astype(nested(start), dtype), F.astype(nested(stop), dtype)


@implements(np.logspace)
def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Return powers of ``base``, the exponents from ``start`` to ``stop`` in equal steps."""
    shape = np.broadcast_shapes(np.shape(start), np.shape(stop), np.shape(base))
    start, stop, base = (
        F.broadcast_to(nested(x), shape) if np.ndim(base) else x for x in (start, stop, base)
    )
    exponents = linspace(start, stop, num, endpoint, axis=axis)
    y = F.pow(F.expand_dims(base, axis) if np.ndim(base) else base, exponents)
    return y if dtype is None else F.astype(y, dtype)


@implements(np.geomspace)
def geomspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Return numbers from ``start`` to ``stop`` in equal ratios; both of one sign, and not 0."""
    start, stop = _ends(start, stop)
    ratio = stop / start
    t = np.linspace(0, 1, num, endpoint).astype(start.dtype)
    y = F.moveaxis(start * ratio ** t.reshape((-1,) + (1,) * len(ratio.shape)), 0, axis)
    return y if dtype is None else F.astype(y, dtype)


@implements(np.vander)
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Variable:
    """Return the matrix of powers of a vector, from the highest to 0, or the other way."""
    x = as_input(x)
    count = x.shape[0] if N is None else N
    powers = np.arange(count) if increasing else np.arange(count)[::-1]
    return F.pow(F.reshape(x, (-1, 1)), powers.astype(x.dtype))
