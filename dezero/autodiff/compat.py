"""The names and calling conventions of autograd, for programs that were written for it.

``from autograd import grad, make_vjp``, ``from autograd.misc.optimizers import adam``, ``from
autograd.misc.flatten import flatten`` and ``from autograd.test_util import check_grads`` become
``from dezero.autodiff.compat import ...``; ``autograd.numpy`` becomes :mod:`dezero.numpy`,
``autograd.scipy`` :mod:`dezero.scipy`.

What differs from :mod:`dezero.autodiff`: the argument is called ``argnum``; ``make_...`` return
functions of the point; the gradient for a complex argument is the conjugate of the one elsewhere
in this package, ``dL/dRe - i dL/dIm``.
"""

from __future__ import annotations

import functools
import inspect
from builtins import dict, isinstance, list, tuple, type  # noqa: UP029
from collections.abc import Callable
from typing import Any

import numpy as np

from dezero.autodiff import checks, jacobians, transforms
from dezero.autodiff.custom import checkpoint
from dezero.autodiff.flattening import adam, flatten, rmsprop, sgd
from dezero.autodiff.trees import mapped

__all__ = [
    "adam",
    "check_grads",
    "checkpoint",
    "deriv",
    "dict",
    "elementwise_grad",
    "flatten",
    "grad",
    "grad_and_aux",
    "grad_named",
    "hessian",
    "hessian_tensor_product",
    "hessian_vector_product",
    "holomorphic_grad",
    "isinstance",
    "jacobian",
    "list",
    "make_ggnvp",
    "make_hvp",
    "make_jvp",
    "make_jvp_reversemode",
    "make_vjp",
    "multigrad_dict",
    "rmsprop",
    "sgd",
    "tensor_jacobian_product",
    "tuple",
    "type",
    "value_and_grad",
    "vector_jacobian_product",
]

Argnum = int | tuple[int, ...] | list[int]


def _conjugate(tree: Any) -> Any:
    return mapped(lambda x: np.conjugate(x) if np.iscomplexobj(x) else x, tree)


def _of_one(f: Callable[..., Any], argnum: Argnum, args: Any, kwargs: Any) -> tuple[Any, Any]:
    """Return ``f`` as a function of the arguments that are differentiated, and these."""
    numbers = (argnum,) if isinstance(argnum, int) else tuple(argnum)
    numbers = transforms.argument_numbers(numbers, args, getattr(f, "__name__", "the function"))

    def of_one(x: Any) -> Any:
        merged = list(args)
        for i, value in zip(numbers, (x,) if isinstance(argnum, int) else x, strict=True):
            merged[i] = value
        return f(*merged, **kwargs)

    chosen = tuple([args[i] for i in numbers])
    return of_one, chosen[0] if isinstance(argnum, int) else chosen


def _transformation(make: Callable[..., Any]) -> Callable[..., Any]:
    """Turn ``make(f, x)``, for a function of one argument, into ``make(f, argnum)(*args)``."""

    @functools.wraps(make)
    def transformation(
        fun: Callable[..., Any], argnum: Argnum = 0, *options: Any, **named: Any
    ) -> Callable[..., Any]:
        @functools.wraps(fun, updated=())
        def transformed(*args: Any, **kwargs: Any) -> Any:
            of_one, x = _of_one(fun, argnum, args, kwargs)
            return make(of_one, x, *options, **named)

        return transformed

    return transformation


@_transformation
def grad(f: Any, x: Any) -> Any:
    """Return a function that computes the gradient of ``f``, whose value is one real number.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.autodiff.compat import grad
    >>> grad(lambda x, y: x * y**2, argnum=1)(2.0, 3.0)
    np.float64(12.0)
    """
    return _conjugate(transforms.grad(f)(x))


@_transformation
def value_and_grad(f: Any, x: Any) -> Any:
    """Return a function that computes the value and the gradient of ``f``."""
    y, gx = transforms.value_and_grad(f)(x)
    return y, _conjugate(gx)


@_transformation
def grad_and_aux(f: Any, x: Any) -> Any:
    """Return a function that computes the gradient of the first result, and the second."""
    gx, aux = transforms.grad(f, has_aux=True)(x)
    return _conjugate(gx), aux


@_transformation
def elementwise_grad(f: Any, x: Any) -> Any:
    """Return the derivative of an element-by-element function: the gradient of its sum."""
    return _conjugate(transforms.elementwise_grad(f)(x))


@_transformation
def holomorphic_grad(f: Any, x: Any) -> Any:
    """Return the derivative of a holomorphic function.

    Examples
    --------
    >>> from dezero.autodiff.compat import holomorphic_grad
    >>> holomorphic_grad(lambda z: z**2)(1 + 1j)
    np.complex128(2+2j)
    """
    return _conjugate(transforms.grad(lambda z: np.real(f(z)))(x))


def grad_named(fun: Callable[..., Any], argname: str) -> Callable[..., Any]:
    """Return :func:`grad` with respect to the argument of that name."""
    return grad(fun, list(inspect.signature(fun).parameters).index(argname))


def multigrad_dict(fun: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that computes the gradients of all arguments, by their names.

    Examples
    --------
    >>> from dezero.autodiff.compat import multigrad_dict
    >>> gradients = multigrad_dict(lambda x, y: x * y)(2.0, 3.0)
    >>> float(gradients["x"]), float(gradients["y"])
    (3.0, 2.0)
    """
    signature = inspect.signature(fun)

    def of_dict(arguments: dict[str, Any]) -> Any:
        bound = inspect.BoundArguments(signature, arguments)
        return fun(*bound.args, **bound.kwargs)

    def gradients(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return grad(of_dict)(dict(bound.arguments))

    return gradients


@_transformation
def jacobian(f: Any, x: Any) -> Any:
    """Return a function that computes the Jacobian, of shape ``y.shape + x.shape``."""
    return jacobians.jacobian(f)(x)


@_transformation
def hessian(f: Any, x: Any) -> Any:
    """Return a function that computes the Jacobian of the Jacobian."""
    return jacobians.jacobian(jacobians.jacobian(f))(x)


@_transformation
def deriv(f: Any, x: Any) -> Any:
    """Return the derivative along ones, in forward mode."""
    return transforms.jvp(f, (x,), (mapped(np.ones_like, x),))[1]


@_transformation
def make_vjp(f: Any, x: Any) -> Any:
    """Return a function of the point that gives ``(vjp, value)``.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.autodiff.compat import make_vjp
    >>> vjp, y = make_vjp(np.square)(np.array([1.0, 2.0]))
    >>> vjp(np.ones(2))
    array([2., 4.])
    """
    y, pullback = transforms.vjp(f, x)
    return lambda gy: _conjugate(pullback(_conjugate(gy))[0]), y


@_transformation
def make_jvp(f: Any, x: Any) -> Any:
    """Return a function of the point that gives ``jvp``, with ``jvp(v) = (value, J v)``."""
    y, push = transforms.linearize(f, x)
    return lambda v: (y, push(v))


@_transformation
def make_jvp_reversemode(f: Any, x: Any) -> Any:
    """Return a function of the point that gives ``jvp(v) = J v`` (by forward rules here)."""
    return transforms.linearize(f, x)[1]


@_transformation
def make_hvp(f: Any, x: Any) -> Any:
    """Return a function of the point that gives ``(hvp, gradient)``.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.autodiff.compat import make_hvp
    >>> hvp, gradient = make_hvp(lambda x: np.sum(x**3))(np.array([1.0, 2.0]))
    >>> hvp(np.array([1.0, 10.0]))
    array([  6., 120.])
    """
    return make_vjp(grad(f))(x)


def make_ggnvp(
    f: Callable[..., Any], g: Callable[[Any], Any] | None = None, f_argnum: Argnum = 0
) -> Callable[..., Any]:
    """Return a function of the point that gives products with ``J^T H J``.

    ``J`` is the Jacobian of ``f``, ``H`` the Hessian of ``g`` at its value; by default ``g`` is
    half the sum of squares.
    """
    loss = g or (lambda y: 0.5 * np.sum(y**2))

    def at(*args: Any, **kwargs: Any) -> Any:
        of_one, x = _of_one(f, f_argnum, args, kwargs)
        return lambda v: jacobians.ggnvp(of_one, loss, x, v)

    return at


def hessian_tensor_product(fun: Callable[..., Any], argnum: int = 0) -> Callable[..., Any]:
    """Return a function of the arguments and a tensor: the Hessian contracted with it.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.autodiff.compat import hessian_tensor_product
    >>> hessian_tensor_product(lambda x: np.sum(x**3))(np.array([1.0, 2.0]), np.ones(2))
    array([ 6., 12.])
    """

    def product(*args: Any, **kwargs: Any) -> Any:
        of_one, x = _of_one(fun, argnum, args[:-1], kwargs)
        return jacobians.hvp(of_one, x, args[-1])

    return product


def tensor_jacobian_product(fun: Callable[..., Any], argnum: int = 0) -> Callable[..., Any]:
    """Return a function of the arguments and a tensor: the tensor contracted with the Jacobian.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.autodiff.compat import tensor_jacobian_product
    >>> tensor_jacobian_product(lambda x: x**2)(np.array([1.0, 2.0]), np.ones(2))
    array([2., 4.])
    """

    def product(*args: Any, **kwargs: Any) -> Any:
        of_one, x = _of_one(fun, argnum, args[:-1], kwargs)
        tensor = args[-1]
        return jacobians.jacobian(lambda x: np.tensordot(tensor, of_one(x), np.ndim(tensor)))(x)

    return product


hessian_vector_product = hessian_tensor_product
vector_jacobian_product = tensor_jacobian_product


@_transformation
def check_grads(f: Any, x: Any, modes: Any = ("fwd", "rev"), order: int = 2) -> None:
    """Return a function of the point that compares derivatives with differences.

    Raises
    ------
    AssertionError
        Where they differ.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.autodiff.compat import check_grads
    >>> check_grads(np.sin, modes=["rev"], order=2)(1.0)
    """
    names = {"fwd": "forward", "rev": "reverse"}
    try:
        checks.gradcheck(f, x, order=order, modes=tuple([names[mode] for mode in modes]))
    except ArithmeticError as error:
        raise AssertionError(str(error)) from error
