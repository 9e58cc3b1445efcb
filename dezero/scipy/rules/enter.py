"""How a rule for a ufunc of SciPy is entered: a line for each, as with ``elementwise``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dezero.core import Config, Primitive, Variable, elementwise, implements
from dezero.core.elementwise import binary, unary
from dezero.numpy.arguments import gradients_for


def enter(ufunc: Any, **rules: Any) -> None:
    """Enter the rules of a ufunc with one output: ``gx=lambda gy, x: ...``, as ``elementwise``.

    ``None`` stands for an argument without a derivative in closed form (an order, a degree, a
    parameter): constants alone are accepted there.
    """
    cls = elementwise(ufunc.__name__, ufunc if len(rules) == 1 else wide(ufunc), **rules)
    fixed = [i for i, rule in enumerate(rules.values()) if rule is None]
    if len(rules) == 1:

        def apply(x: Any) -> Any:
            return unary(cls, x)

    elif len(rules) == 2:

        def apply(x0: Any, x1: Any) -> Any:  # type: ignore[misc]
            return binary(cls, x0, x1)

    else:

        def apply(*xs: Any) -> Any:  # type: ignore[misc]
            return cls()(*xs)

    _enter(ufunc, cls._names, fixed, apply)


def enter_several(ufunc: Any, cls: type[Primitive], constants: tuple[str, ...] = ()) -> None:
    """Enter a ufunc with several outputs, as a Primitive that has its rules.

    ``constants`` names the leading arguments that have no derivative in closed form.
    """
    cls.__name__ = cls.__qualname__ = ufunc.__name__
    names = (*constants, "x") if constants else cls._names
    _enter(ufunc, names, list(range(len(constants))), lambda *xs: cls()(*xs))


def wide(ufunc: Any) -> Callable[..., Any]:
    """Compute float32 in float64 and round: SciPy has no float32 loop for a number beside it.

    Some of its float32 loops give NaN, too. Variables go the ufunc's own way.
    """

    def compute(*xs: Any) -> Any:
        if any(isinstance(x, Variable) for x in xs):
            return ufunc(*xs)
        if np.result_type(*xs) != np.float32:
            return ufunc(*xs)
        y = ufunc(*(x.astype(float) if _is_float32(x) else x for x in xs))
        if isinstance(y, tuple):
            return tuple(part.astype(_NARROW[part.dtype.char]) for part in y)
        return y.astype(_NARROW[y.dtype.char])

    return compute


_NARROW = {"d": np.float32, "D": np.complex64, "f": np.float32, "F": np.complex64}


def _is_float32(x: Any) -> bool:
    return getattr(x, "dtype", None) == np.float32


def _enter(
    ufunc: Any, names: tuple[str, ...], fixed: list[int], apply: Callable[..., Any]
) -> None:
    name = ufunc.__name__

    def call(*xs: Any, **kwargs: Any) -> Any:
        if kwargs:
            raise TypeError(
                f"scipy.special.{name} on a Variable takes no {', '.join(kwargs)}=; use v.data "
                "for the plain value, np.where for a mask, .astype for a dtype"
            )
        for i in fixed:
            if wants_gradient(xs[i]):
                raise TypeError(
                    f"scipy.special.{name} has no derivative in closed form for argument {i} "
                    f"({names[i]}); pass it as a constant: {names[i]}.data"
                )
        return apply(*xs)

    call.__name__ = name
    call.__doc__ = gradients_for(names, [i in fixed for i in range(len(names))])
    implements(ufunc)(call)


def wants_gradient(x: Any) -> bool:
    """Whether a gradient would be lost if ``x`` were taken for a constant."""
    recorded = isinstance(x, Variable) and x.requires_grad and Config.enable_backprop
    return recorded and x.dtype.kind in "fc"
