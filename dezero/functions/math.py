"""Elementary functions, element by element: one line each."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dezero.core import Elementwise, Variable, elementwise, implements
from dezero.core.elementwise import binary, unary
from dezero.kernels import elementwise as kernels
from dezero.kernels.special import erf as erf_array

Sin = elementwise("Sin", np.sin, gx=lambda gy, x: gy * np.cos(x))
Cos = elementwise("Cos", np.cos, gx=lambda gy, x: -gy * np.sin(x))
Tanh = elementwise(
    "Tanh",
    np.tanh,
    gx=lambda gy, y: gy * (1 - y * y),
    large=(kernels.tanh, kernels.tanh_grad),
)
Exp = elementwise("Exp", np.exp, gx=lambda gy, y: gy * y, large=(kernels.exp, np.multiply))
Log = elementwise("Log", np.log, gx=lambda gy, x: gy / x)
Sqrt = elementwise("Sqrt", np.sqrt, gx=lambda gy, y: gy / (2 * y))
Square = elementwise("Square", np.square, gx=lambda gy, x: gy * (2 * x))
Erf = elementwise(
    "Erf", erf_array, gx=lambda gy, x: gy * (2 / math.sqrt(math.pi) * np.exp(-x * x))
)


def _share(gy: Any, x0: Any, x1: Any) -> Any:
    """Gradient of the larger of two for the first: half of it where they are equal."""
    return gy * ((x0 > x1) + 0.5 * (x0 == x1)).astype(gy.dtype)


Maximum = elementwise(
    "Maximum",
    np.maximum,
    gx0=_share,
    gx1=lambda gy, x0, x1: _share(gy, x1, x0),
)
Minimum = elementwise(
    "Minimum",
    np.minimum,
    gx0=lambda gy, x0, x1: _share(gy, x1, x0),
    gx1=_share,
)
Where = elementwise(
    "Where",
    np.where,
    gcondition=None,
    gx0=lambda gy, condition: np.where(condition, gy, 0),
    gx1=lambda gy, condition: np.where(condition, 0, gy),
)


def _above(x: Any, x_min: Any, x_max: Any) -> Any:
    """Where the upper bound is taken: also where the bounds are in the wrong order."""
    if x_max is None:
        return np.False_
    return x > x_max if x_min is None else (x > x_max) | (x_min > x_max)


def _below(x: Any, x_min: Any, x_max: Any) -> Any:
    """Where the lower bound is taken."""
    return np.False_ if x_min is None else (x < x_min) & ~_above(x, x_min, x_max)


def _limited(x: Any, x_min: Any, x_max: Any) -> Any:
    return np.positive(x) if x_min is None and x_max is None else np.clip(x, x_min, x_max)


class Clip(
    elementwise(  # type: ignore[misc]
        "Clip",
        _limited,
        gx=lambda gy, x, x_min, x_max: gy * ~(_below(x, x_min, x_max) | _above(x, x_min, x_max)),
        gx_min=lambda gy, x, x_min, x_max: gy * _below(x, x_min, x_max),
        gx_max=lambda gy, x, x_min, x_max: gy * _above(x, x_min, x_max),
    )
):
    """Values limited to ``[x_min, x_max]``; ``Clip(x_min, x_max)(x)`` is the book's form.

    The gradient goes to what was taken: to ``x`` inside, bounds included.
    """

    __slots__ = ("x_max", "x_min")

    def __init__(self, x_min: Any, x_max: Any) -> None:
        self.x_min = x_min
        self.x_max = x_max

    def __call__(self, x: Any, *bounds: Any) -> Variable:
        """Return ``x`` limited."""
        node = Clip(self.x_min, self.x_max) if hasattr(self, "_edges") else self
        return Elementwise.__call__(node, x, *(bounds or (self.x_min, self.x_max)))


@implements(np.sin)
def sin(x: Any) -> Variable:
    r"""Return the sine of ``x`` (radians), element by element; :math:`dy/dx = \cos x`.

    Source: step 27 of the book.

    Examples
    --------
    >>> import dezero.functions as F
    >>> F.sin(0.0)
    variable(0.0)
    """
    return unary(Sin, x)


@implements(np.cos)
def cos(x: Any) -> Variable:
    r"""Return the cosine of ``x`` (radians), element by element; :math:`dy/dx = -\sin x`.

    Source: step 34 of the book.

    Examples
    --------
    >>> import dezero.functions as F
    >>> F.cos(0.0)
    variable(1.0)
    """
    return unary(Cos, x)


@implements(np.tanh)
def tanh(x: Any) -> Variable:
    r"""Return the hyperbolic tangent of ``x``; :math:`dy/dx = 1 - y^2`.

    Source: step 35 of the book.

    Examples
    --------
    >>> import dezero.functions as F
    >>> F.tanh(0.0)
    variable(0.0)
    """
    return unary(Tanh, x)


@implements(np.exp)
def exp(x: Any) -> Variable:
    r"""Return :math:`e^x`, element by element; :math:`dy/dx = y`.

    Source: step 3 of the book.

    Examples
    --------
    >>> import dezero.functions as F
    >>> F.exp(0.0)
    variable(1.0)
    """
    return unary(Exp, x)


@implements(np.log)
def log(x: Any) -> Variable:
    r"""Return the natural logarithm of ``x``; :math:`dy/dx = 1/x`.

    Source: step 47 of the book.

    Examples
    --------
    >>> import dezero.functions as F
    >>> F.log(1.0)
    variable(0.0)
    """
    return unary(Log, x)


@implements(np.sqrt)
def sqrt(x: Any) -> Variable:
    r"""Return the square root of ``x``; :math:`dy/dx = 1/(2y)`.

    Examples
    --------
    >>> import dezero.functions as F
    >>> F.sqrt(4.0)
    variable(2.0)
    """
    return unary(Sqrt, x)


@implements(np.square)
def square(x: Any) -> Variable:
    r"""Return :math:`x^2`, element by element; :math:`dy/dx = 2x`.

    Source: step 2 of the book.

    Examples
    --------
    >>> import dezero.functions as F
    >>> F.square(3.0)
    variable(9.0)
    """
    return unary(Square, x)


@implements(erf_array)
def erf(x: Any) -> Variable:
    r"""Return the error function of ``x``; :math:`dy/dx = \frac{2}{\sqrt\pi} e^{-x^2}`.

    Examples
    --------
    >>> import dezero.functions as F
    >>> print(f"{F.erf(1.0):.6f}")
    0.842701
    """
    return unary(Erf, x)


@implements(np.maximum)
def maximum(x0: Any, x1: Any) -> Variable:
    """Return the larger of two, element by element; where equal, each gets half the gradient.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.maximum(np.array([1.0, 5.0]), 3.0)
    variable([3. 5.])
    """
    return binary(Maximum, x0, x1)


@implements(np.minimum)
def minimum(x0: Any, x1: Any) -> Variable:
    """Return the smaller of two, element by element; where equal, each gets half the gradient.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.minimum(np.array([1.0, 5.0]), 3.0)
    variable([1. 3.])
    """
    return binary(Minimum, x0, x1)


def where(condition: Any, x0: Any, x1: Any) -> Variable:
    """Return ``x0`` where ``condition`` holds, ``x1`` elsewhere, with broadcasting.

    Parameters
    ----------
    condition : array of bool
        Not differentiated.
    x0, x1 : Variable, array or number
        The gradient goes to the one that was taken.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.where(np.array([True, False]), np.array([1.0, 2.0]), 0.0)
    variable([1. 0.])
    """
    return Where()(condition, x0, x1)


def clip(x: Any, x_min: Any, x_max: Any) -> Variable:
    """Return ``x`` limited to ``[x_min, x_max]``; the gradient goes to what was taken.

    Parameters
    ----------
    x : Variable or array
        Any shape.
    x_min, x_max : number, array, Variable or None
        The bounds, which broadcast with ``x``; ``None`` for no bound. Where ``x`` was cut off it
        has no gradient, and the bound has; where it lies on a bound, ``x`` has it.

    Raises
    ------
    ValueError
        If both are numbers and ``x_min > x_max``. In arrays, ``x_max`` is taken there.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.clip(np.array([-2.0, 0.5, 2.0]), 0.0, 1.0)
    variable([0.  0.5 1. ])
    """
    x_min, x_max = _bound(x_min), _bound(x_max)
    if isinstance(x_min, int | float) and isinstance(x_max, int | float) and x_min > x_max:
        raise ValueError(f"clip: got x_min {x_min} > x_max {x_max}; swap the two")
    return Clip(x_min, x_max)(x)


def _bound(x: Any) -> Any:
    """Return a bound; a NumPy number or 0-d array as Python's, which does not widen float32."""
    plain = isinstance(x, np.generic | np.ndarray) and x.ndim == 0
    return x.item() if plain else x


@implements(np.clip)
def _numpy_clip(
    a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None
) -> Variable:
    """Return ``a`` limited to an interval, with gradients for the limits too."""
    return clip(a, a_min if min is None else min, a_max if max is None else max)
