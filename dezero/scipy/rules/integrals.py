"""Integral functions: exponential, sine, Fresnel, and integrals of Bessel functions."""

from __future__ import annotations

import cmath
import math
from typing import Any

import numpy as np
import scipy.special as sp

from dezero.core import Primitive
from dezero.scipy.rules.enter import enter, enter_several


def sin_over(x: Any, sign: int = 1) -> Any:
    """Return ``sin(x) / x``, or ``sinh(x) / x`` for sign -1, exact to all orders at 0."""
    small = np.abs(x) < 1
    a = np.where(small, x, 0)
    b = np.where(small, 1, x)
    far = np.sin(b) if sign > 0 else 0.5 * (np.exp(b) - np.exp(-b))
    return np.where(small, sp.hyp0f1(1.5, -0.25 * sign * a * a), far / b)


def _slope_of_spence(z: Any) -> Any:
    """Return ``log(z) / (1 - z)``; around 1, where that is 0 / 0, by its series."""
    left = np.real(z) < 0.5
    a = np.where(left, z, 0.5)
    b = np.where(left, 1, z)
    return np.where(left, np.log(a) / (1 - a), -sp.hyp2f1(1, 1, 2, 1 - b))


enter(sp.spence, gz=lambda gy, z: gy * _slope_of_spence(z))
enter(sp.expi, gx=lambda gy, x: gy * np.exp(x) / x)
enter(sp.exp1, gx=lambda gy, x: -gy * np.exp(-x) / x)


def _slope_of_expn(n: Any, x: Any) -> Any:
    """Return the derivative of ``expn``; order 0 is ``exp(-x) / x``, and the next below it."""
    if np.all(n != 0):
        return -sp.expn(n - 1, x)
    below = sp.expn(np.where(n == 0, 0, n - 1)[()], x)
    return -below * np.where(n == 0, 1 + 1 / x, 1)


enter(sp.expn, gn=None, gx=lambda gy, n, x: gy * _slope_of_expn(n, x))


def _product(gy: Any, slope: Any, x: Any) -> Any:
    """Return ``gy * slope(x)``; 0 for an output that nobody used, infinite slope at 0 or not."""
    unused = (gy == 0) & (x == 0)
    return np.where(unused, 0, gy * slope(np.where(unused, 1, x)))


def integral(ufunc: Any, *slopes: Any) -> None:
    """Enter a ufunc of one argument by the derivatives of its outputs."""

    class _Integral(Primitive):
        def forward(self, x: Any) -> Any:
            return ufunc(x)

        def gx(self, gys: Any, x: Any) -> Any:
            return sum(_product(gy, slope, x) for gy, slope in zip(gys, slopes, strict=True))

    enter_several(ufunc, _Integral)


integral(sp.sici, sin_over, lambda x: np.cos(x) / x)
integral(
    sp.shichi,
    lambda x: sin_over(x, -1),
    lambda x: 0.5 * (np.exp(x) + np.exp(-x)) / x,
)
integral(
    sp.fresnel,
    lambda x: np.sin(0.5 * math.pi * (x * x)),
    lambda x: np.cos(0.5 * math.pi * (x * x)),
)


def _modified_fresnel(ufunc: Any, sign: int) -> None:
    """Enter ``F(x)``, the integral of ``exp(+-i t**2)`` from x on, and its scaled form ``K``."""
    unit = 1j * sign
    start = cmath.exp(-unit * math.pi / 4) / math.sqrt(math.pi)

    class _ModifiedFresnel(Primitive):
        def forward(self, x: Any) -> Any:
            return ufunc(x)

        def gx(self, gys: Any, x: Any) -> Any:
            scaled = ufunc(x)[1]
            return -gys[0] * np.exp(x * x * unit) - gys[1] * (x * (2 * unit) * scaled + start)

    enter_several(ufunc, _ModifiedFresnel)


_modified_fresnel(sp.modfresnelp, 1)
_modified_fresnel(sp.modfresnelm, -1)


def _over(numerator: Any, x: Any) -> Any:
    return numerator / x


def _bessel_defect(x: Any, sign: int) -> Any:
    """Return ``(1 - j0(x)) / x`` (sign 1) or ``(i0(x) - 1) / x`` (sign -1), also around 0."""
    small = np.abs(x) < 0.1
    a = np.where(small, x, 0)
    b = np.where(small, 1, x)
    t = -0.25 * sign * a * a
    series = 0.25 * a * (1 + t / 4 * (1 + t / 9 * (1 + t / 16 * (1 + t / 25))))
    return np.where(small, series, (1 - sp.j0(b) if sign > 0 else sp.i0(b) - 1) / b)


integral(sp.itj0y0, sp.j0, sp.y0)
integral(sp.iti0k0, sp.i0, sp.k0)
integral(sp.it2j0y0, lambda x: _bessel_defect(x, 1), lambda x: -_over(sp.y0(x), x))
integral(sp.it2i0k0, lambda x: _bessel_defect(x, -1), lambda x: -_over(sp.k0(x), x))
integral(
    sp.itairy,
    lambda x: sp.airy(x)[0],
    lambda x: sp.airy(x)[2],
    lambda x: sp.airy(-x)[0],
    lambda x: sp.airy(-x)[2],
)
enter(sp.itstruve0, gx=lambda gy, x: gy * sp.struve(0, x))
enter(sp.itmodstruve0, gx=lambda gy, x: gy * sp.modstruve(0, x))
enter(sp.it2struve0, gx=lambda gy, x: -gy * sp.struve(0, x) / x)
