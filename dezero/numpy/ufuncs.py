"""NumPy's elementwise functions on Variables: a line each, its value and its rule.

Those that the rest of the package uses are in ``core/operators.py`` and ``functions/math.py``.
Where a function is piecewise constant in an argument, that argument has no rule (``None``);
functions that are so in all arguments (floor, sign, round ...) give plain arrays
(``core/protocols.py``).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from dezero.core import Primitive, Variable, dispatched, elementwise, implements
from dezero.core.elementwise import binary, unary
from dezero.functions.math import where
from dezero.kernels.special import sigmoid
from dezero.numpy.arguments import gradients_for

_LOG_2 = math.log(2)
_LOG_10 = math.log(10)
_DEGREE = math.pi / 180


def ufunc(function: Any, **rules: Any) -> Callable[..., Variable]:
    """Declare what stands for a ufunc of NumPy's on Variables, by a rule for each argument.

    Parameters
    ----------
    function : numpy.ufunc
        What computes the value, and what the result is entered for.
    **rules : callable
        ``gx=lambda gy, x: ...`` for one argument, ``gx0=..., gx1=...`` for two: as in
        :func:`dezero.core.elementwise`.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> x = Variable(np.array(0.0))
    >>> y = np.tan(x)
    >>> y.backward()
    >>> x.grad
    variable(1.0)
    """
    name = function.__name__
    cls = elementwise(name.capitalize(), function, **rules)
    if len(rules) == 1:

        def apply(x: Any) -> Variable:
            return unary(cls, x)

    else:

        def apply(x0: Any, x1: Any) -> Variable:  # type: ignore[misc]
            return binary(cls, x0, x1)

    apply.__name__ = apply.__qualname__ = name
    apply.__doc__ = gradients_for(cls._names, [r is None for r in rules.values()])
    return implements(function)(apply)


def _root(x: Any) -> Any:
    """Return ``sqrt(1 + x**2)`` where ``x**2`` may overflow, or be near -1."""
    if x.dtype.kind == "c":
        return np.sqrt(1 + 1j * x) * np.sqrt(1 - 1j * x)
    return np.hypot(1, x)


def _over(x: Any, y: Any) -> Any:
    """Return ``x / y``, where ``|x| <= y`` are lengths: 0 / 0 is 0, and ``inf / inf`` is 1."""
    limit = (y == 0) | np.isinf(y)
    ratio = np.where(limit, 0, x) / np.where(limit, 1, y)
    return np.where(limit, np.isinf(x) * np.sign(x), ratio)


def _share(gy: Any, ahead: Any, x0: Any, x1: Any) -> Any:
    """Return the gradient for ``x0``: where ``ahead``, or ``x1`` is NaN; half of it at ties."""
    tie = (x0 == x1) | (np.isnan(x0) & np.isnan(x1))
    return gy * np.where(tie, 0.5, ahead | np.isnan(x1)).astype(gy.dtype)


def _gap(x0: Any, x1: Any) -> Any:
    """Return ``x0 - x1``; 0 where both are the same infinity."""
    apart = np.isfinite(x0) | (x0 != x1)
    return np.where(apart, x0, 0) - np.where(apart, x1, 0)


def _same_sign(x0: Any, x1: Any) -> Any:
    """Return the derivative of ``|x0|`` with the sign of ``x1``: 1 or -1, and 0 at 0."""
    return np.sign(x0) * np.where(np.signbit(x1), -1, 1)


tan = ufunc(np.tan, gx=lambda gy, x: gy * (1 / np.cos(x)) ** 2)
arcsin = ufunc(np.arcsin, gx=lambda gy, x: gy / (np.sqrt(1 - x) * np.sqrt(1 + x)))
arccos = ufunc(np.arccos, gx=lambda gy, x: -gy / (np.sqrt(1 - x) * np.sqrt(1 + x)))
arctan = ufunc(np.arctan, gx=lambda gy, x: gy * (1 / _root(x)) ** 2)
arctan2 = ufunc(
    np.arctan2,
    gx0=lambda gy, x0, x1: _over(gy * _over(x1, np.hypot(x0, x1)), np.hypot(x0, x1)),
    gx1=lambda gy, x0, x1: _over(-gy * _over(x0, np.hypot(x0, x1)), np.hypot(x0, x1)),
)
hypot = ufunc(
    np.hypot, gx0=lambda gy, x0, y: gy * _over(x0, y), gx1=lambda gy, x1, y: gy * _over(x1, y)
)
sinh = ufunc(np.sinh, gx=lambda gy, x: gy * np.cosh(x))
cosh = ufunc(np.cosh, gx=lambda gy, x: gy * np.sinh(x))
arcsinh = ufunc(np.arcsinh, gx=lambda gy, x: gy / _root(x))
arccosh = ufunc(np.arccosh, gx=lambda gy, x: gy / (np.sqrt(x - 1) * np.sqrt(x + 1)))
arctanh = ufunc(np.arctanh, gx=lambda gy, x: gy / ((1 - x) * (1 + x)))
deg2rad = ufunc(np.deg2rad, gx=lambda gy: gy * _DEGREE)
radians = ufunc(np.radians, gx=lambda gy: gy * _DEGREE)
rad2deg = ufunc(np.rad2deg, gx=lambda gy: gy / _DEGREE)
degrees = ufunc(np.degrees, gx=lambda gy: gy / _DEGREE)

exp2 = ufunc(np.exp2, gx=lambda gy, y: gy * (_LOG_2 * y))
expm1 = ufunc(np.expm1, gx=lambda gy, x: gy * np.exp(x))  # y + 1 loses digits below 0
log2 = ufunc(np.log2, gx=lambda gy, x: gy / (_LOG_2 * x))
log10 = ufunc(np.log10, gx=lambda gy, x: gy / (_LOG_10 * x))
log1p = ufunc(np.log1p, gx=lambda gy, x: gy / (1 + x))
logaddexp = ufunc(
    np.logaddexp,
    gx0=lambda gy, x0, x1: gy * sigmoid(_gap(x0, x1)),
    gx1=lambda gy, x0, x1: gy * sigmoid(_gap(x1, x0)),
)
logaddexp2 = ufunc(
    np.logaddexp2,
    gx0=lambda gy, x0, x1: gy * sigmoid(_LOG_2 * _gap(x0, x1)),
    gx1=lambda gy, x0, x1: gy * sigmoid(_LOG_2 * _gap(x1, x0)),
)

reciprocal = ufunc(np.reciprocal, gx=lambda gy, y: -gy * y * y)
cbrt = ufunc(np.cbrt, gx=lambda gy, y: gy / (3 * y * y))
fabs = ufunc(np.fabs, gx=lambda gy, x: gy * np.sign(x))
fmax = ufunc(
    np.fmax,
    gx0=lambda gy, x0, x1: _share(gy, x0 > x1, x0, x1),
    gx1=lambda gy, x0, x1: _share(gy, x1 > x0, x1, x0),
)
fmin = ufunc(
    np.fmin,
    gx0=lambda gy, x0, x1: _share(gy, x0 < x1, x0, x1),
    gx1=lambda gy, x0, x1: _share(gy, x1 < x0, x1, x0),
)
remainder = ufunc(
    np.remainder, gx0=lambda gy: gy, gx1=lambda gy, x0, x1: -gy * np.floor_divide(x0, x1)
)
fmod = ufunc(  # rint: the quotient alone might be rounded up to the next whole number
    np.fmod, gx0=lambda gy: gy, gx1=lambda gy, x0, x1, y: -gy * np.rint((x0 - y) / x1)
)
ldexp = ufunc(np.ldexp, gx0=lambda gy, x1: np.ldexp(gy, x1), gx1=None)
copysign = ufunc(np.copysign, gx0=lambda gy, x0, x1: gy * _same_sign(x0, x1), gx1=None)
heaviside = ufunc(np.heaviside, gx0=None, gx1=lambda gy, x0: gy * (x0 == 0))

Fraction = elementwise("Fraction", lambda x: np.modf(x)[0], gx=lambda gy: gy)


@implements(np.modf)
def modf(x: Any) -> tuple[Variable, Any]:
    """Return the fractional part of ``x``, and the whole part as a plain array."""
    return unary(Fraction, x), np.modf(x.data if isinstance(x, Variable) else x)[1]


@implements(np.frexp)
def frexp(x: Any) -> tuple[Variable, Any]:
    """Return the mantissa of ``x``, and the exponent of 2 as a plain array of integers."""
    exponent = np.frexp(x.data if isinstance(x, Variable) else x)[1]
    return ldexp(x, -exponent), exponent


@implements(np.divmod)
def divmod(x0: Any, x1: Any) -> tuple[Any, Variable]:
    """Return the whole quotient as a plain array, and the remainder."""
    return np.floor_divide(x0, x1), remainder(x0, x1)


@implements(np.nan_to_num)
def nan_to_num(
    x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Variable:
    """Return ``x`` with numbers for NaN and infinities; these pass no gradient.

    Raises
    ------
    TypeError
        If ``copy`` is false, or a replacement is a Variable.
    """
    if not copy:
        raise TypeError(
            "np.nan_to_num on a Variable: got copy=False, but a Variable cannot be written into; "
            "leave copy out and use what is returned"
        )
    if any(isinstance(number, Variable) for number in (nan, posinf, neginf)):
        raise TypeError(
            "np.nan_to_num on a Variable: nan, posinf and neginf want plain numbers; for a "
            "replacement with a gradient write np.where(np.isfinite(x), x, replacement)"
        )
    if getattr(x, "dtype", None) is not None and x.dtype.kind == "c":
        parts = (nan_to_num(part, True, nan, posinf, neginf) for part in (np.real(x), np.imag(x)))
        real, imag = parts
        return real + 1j * imag
    numbers = np.nan_to_num(
        x.data if isinstance(x, Variable) else x, nan=nan, posinf=posinf, neginf=neginf
    )
    return where(np.isfinite(x), x, numbers)


class SincDerivative(Primitive):
    """The derivative of some order of ``sin(pi x) / (pi x)``; order 0 is the function itself."""

    def __init__(self, order: int) -> None:
        self.order = order

    def forward(self, x: Any) -> Any:
        """Return the derivative of that order."""
        return sinc_derivative(x, self.order)

    def gx(self, gy: Any, x: Any) -> Any:
        """Return the next order, times ``gy``."""
        return gy * sinc_derivative(x, self.order + 1)


@implements(np.sinc)
def sinc(x: Any) -> Variable:
    """Return ``sin(pi x) / (pi x)``, 1 at 0; derivatives of all orders are exact there too."""
    return SincDerivative(0)(x)


@dispatched
def sinc_derivative(x: Any, order: int) -> Any:
    """Return the derivative of some order of ``np.sinc``, for an array."""
    if order == 0:
        return np.sinc(x)
    t = math.pi * x
    near = np.abs(t) < order + 1
    close = _sinc_close(np.where(near, t, 0), order)
    return math.pi**order * np.where(near, close, _sinc_far(np.where(near, order + 1, t), order))


@implements(sinc_derivative)
def _sinc_derivative(x: Any, order: int) -> Variable:
    return SincDerivative(order)(x)


def _sinc_close(t: Any, order: int) -> Any:
    """Sum the Taylor series of ``sin(t) / t``, differentiated term by term."""
    power = t if order % 2 else np.ones_like(t)
    total = np.zeros_like(t)
    for m in range(order % 2, 4 * order + 24, 2):  # power is t**m / m!
        total = total + power * ((-1) ** ((m + order) // 2) / (m + order + 1))
        power = power * t * t / ((m + 1) * (m + 2))
    return total


def _sinc_far(t: Any, order: int) -> Any:
    """Differentiate ``t f = sin t`` again and again: ``t f' + f = cos t``, and so on."""
    slopes = (np.sin(t), np.cos(t))
    f = slopes[0] / t
    for n in range(1, order + 1):
        slope = slopes[n % 2] if n % 4 < 2 else -slopes[n % 2]
        f = (slope - n * f) / t
    return f


class BesselI(Primitive):
    """The modified Bessel function of the first kind, of a whole order from 0."""

    def __init__(self, order: int) -> None:
        self.order = order

    def forward(self, x: Any) -> Any:
        """Return the function of that order."""
        return bessel_i(x, self.order)

    def gx(self, gy: Any, x: Any) -> Any:
        """Return the mean of the neighbouring orders, times ``gy``."""
        after = bessel_i(x, self.order + 1)
        return gy * ((bessel_i(x, self.order - 1) + after) / 2 if self.order else after)


@implements(np.i0)
def i0(x: Any) -> Variable:
    """Return the modified Bessel function of order 0."""
    return BesselI(0)(x)


@dispatched
def bessel_i(x: Any, order: int) -> Any:
    """Return the modified Bessel function of a whole order, for an array."""
    if order == 0:
        return np.i0(x)
    a = np.abs(x)
    limit = 30 + order**2
    near = a < limit
    close = _bessel_close(np.where(near, a, 0), order)
    y = np.where(near, close, _bessel_far(np.where(near, limit, a), order))
    return y * np.sign(x) if order % 2 else y


@implements(bessel_i)
def _bessel_i(x: Any, order: int) -> Variable:
    return BesselI(order)(x)


def _bessel_close(x: Any, order: int) -> Any:
    """Sum the power series at 0 (DLMF 10.25.2): all its terms are positive."""
    term = (x / 2) ** order / math.factorial(order)
    total, k = term, 0
    while np.any(term > np.finfo(term.dtype).eps / 4 * total):
        k += 1
        term = term * (x / 2) ** 2 / (k * (k + order))
        total = total + term
    return total


def _bessel_far(x: Any, order: int) -> Any:
    """Sum the asymptotic series (DLMF 10.40.1)."""
    term = total = np.ones_like(x)
    for k in range(1, 31):
        term = term * ((2 * k - 1) ** 2 - 4 * order**2) / (8 * k * x)
        total = total + term
    half = np.exp(x / 2)  # the square root is taken in between, so that nothing overflows early
    return half / np.sqrt(2 * math.pi * x) * half * total
