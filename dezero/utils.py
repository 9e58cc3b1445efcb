"""The book's helpers: pictures of the graph, numerical gradients, shapes, downloads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dezero.core import Variable, as_array
from dezero.core.shapes import sum_to
from dezero.download import cache_dir, get_file, show_progress
from dezero.functions.reductions import kept_shape, logsumexp_array
from dezero.kernels.convolution import get_conv_outsize, get_deconv_outsize, pair
from dezero.viz import get_dot_graph, get_svg_graph, get_text_graph, plot_dot_graph


def reshape_sum_backward(
    gy: Any, x_shape: tuple[int, ...], axis: int | tuple[int, ...] | None, keepdims: bool
) -> Any:
    """Return the gradient of a sum in the shape that broadcasts to ``x_shape``.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.utils import reshape_sum_backward
    >>> reshape_sum_backward(np.ones(3), (2, 3), 0, False).shape
    (1, 3)
    """
    return gy.reshape(kept_shape(x_shape, axis))


def max_backward_shape(x: Any, axis: int | tuple[int, ...] | None) -> tuple[int, ...]:
    """Return the shape of ``x`` with the reduced axes of length 1.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.utils import max_backward_shape
    >>> max_backward_shape(np.ones((2, 3)), -1)
    (2, 1)
    """
    return kept_shape(x.shape, axis)


def logsumexp(x: Any, axis: int | tuple[int, ...] | None = 1) -> Any:
    """Return ``log(sum(exp(x)))`` of an array along an axis, which is kept.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.utils import logsumexp
    >>> logsumexp(np.full((1, 2), -np.inf))
    array([[-inf]])
    """
    return logsumexp_array(x, axis)


def numerical_grad(f: Callable[..., Any], x: Any, *args: Any, **kwargs: Any) -> Any:
    """Return the gradient of ``sum(f(x))`` by central differences, element by element.

    Parameters
    ----------
    f : callable
        A function of ``x`` (and ``*args``, ``**kwargs``) that returns a Variable or an array.
    x : Variable or array
        The point, in floating point; it is not changed.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.utils import numerical_grad
    >>> print(numerical_grad(lambda x: x**2, np.array(3.0)).round(6))
    6.0
    """
    point = np.array(_array(x), dtype=np.float64)
    gradient = np.zeros_like(point)
    step = 1e-4
    for index in np.ndindex(point.shape):
        values = []
        for sign in (1, -1):
            moved = point.copy()
            moved[index] += sign * step
            values.append(np.sum(_array(f(Variable(moved), *args, **kwargs))))
        gradient[index] = (values[0] - values[1]) / (2 * step)
    return gradient


def gradient_check(
    f: Callable[..., Any],
    x: Any,
    *args: Any,
    rtol: float = 1e-4,
    atol: float = 1e-5,
    **kwargs: Any,
) -> bool:
    """Compare the gradient that ``backward`` gives with central differences.

    The backward pass starts from random numbers, not from ones: with ones, errors that cancel
    in the sum of the outputs (those of a softmax, say) would not show. A copy of ``x`` in
    float64 is used, ``x`` and its gradient are left alone.

    Parameters
    ----------
    f : callable
        A function of a Variable (and ``*args``, ``**kwargs``).
    x : Variable or array
        The point.
    rtol, atol : float
        Tolerances.

    Returns
    -------
    bool
        Whether they agree; if not, both are printed.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> from dezero.utils import gradient_check
    >>> gradient_check(F.softmax, np.random.rand(2, 3))
    True
    """
    point = Variable(np.array(_array(x), dtype=np.float64))
    y = f(point, *args, **kwargs)
    seed = np.random.default_rng(0).standard_normal(y.shape)
    y.grad = Variable(seed)
    y.backward()

    def weighted(x: Variable) -> Any:
        return f(x, *args, **kwargs) * seed

    expected = numerical_grad(weighted, point)
    found = np.zeros_like(expected) if point.grad is None else point.grad.data
    if array_allclose(found, expected, rtol, atol):
        return True
    print("gradient_check: the gradients differ")
    print(f" by central differences: {str(expected)[:300]}")
    print(f" by backward:            {str(found)[:300]}")
    return False


def array_equal(a: Any, b: Any) -> bool:
    """Return whether two arrays or Variables have the same shape and elements."""
    return bool(np.array_equal(_array(a), _array(b)))


def array_allclose(a: Any, b: Any, rtol: float = 1e-4, atol: float = 1e-5) -> bool:
    """Return whether two arrays or Variables are equal within tolerances."""
    return bool(np.allclose(_array(a), _array(b), rtol, atol))


def _array(x: Any) -> Any:
    from dezero import cuda

    return cuda.as_numpy(as_array(x.data if isinstance(x, Variable) else x))


__all__ = [
    "array_allclose",
    "array_equal",
    "cache_dir",
    "get_conv_outsize",
    "get_deconv_outsize",
    "get_dot_graph",
    "get_file",
    "get_svg_graph",
    "get_text_graph",
    "gradient_check",
    "logsumexp",
    "max_backward_shape",
    "numerical_grad",
    "pair",
    "plot_dot_graph",
    "reshape_sum_backward",
    "show_progress",
    "sum_to",
]
