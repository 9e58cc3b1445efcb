"""Functions given with their derivative: the second one comes from the equation they solve.

Parabolic cylinder, Mathieu and spheroidal functions (DLMF, chapters 12, 28 and 30).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special as sp

from dezero.core import Variadic
from dezero.scipy.rules.enter import enter_several, wide


def wave(
    ufunc: Any, constants: tuple[str, ...], second: Callable[..., Any], unit: float = 1.0
) -> None:
    """Enter a ufunc ``f(..., x)`` that gives ``(w, w')``.

    ``second(..., x, w, w')`` is ``w''``; ``unit`` is what ``x`` is measured in.
    """
    compute = wide(ufunc)

    class _Wave(Variadic):
        _broadcasts = True

        def forward(self, *xs: Any) -> Any:
            return compute(*xs)

        def gradient(self, gys: Any, xs: Any) -> Any:
            w, slope = compute(*xs)
            gx = unit * (gys[0] * slope + gys[1] * second(*xs, w, slope))
            return (*(None for _ in constants), gx)

    enter_several(ufunc, _Wave, constants)


for _f in (sp.pbdv, sp.pbvv):
    wave(_f, ("v",), lambda v, x, w, slope: (0.25 * x * x - v - 0.5) * w)
wave(sp.pbwa, ("a",), lambda a, x, w, slope: (a - 0.25 * x * x) * w)

_DEGREE = math.pi / 180


def _mathieu(value: Any) -> Callable[..., Any]:
    return lambda m, q, x, w, slope: (2 * q * np.cos(2 * _DEGREE * x) - value(m, q)) * w


def _modified_mathieu(value: Any) -> Callable[..., Any]:
    return lambda m, q, x, w, slope: (value(m, q) - q * (np.exp(2 * x) + np.exp(-2 * x))) * w


wave(sp.mathieu_cem, ("m", "q"), _mathieu(sp.mathieu_a), _DEGREE)
wave(sp.mathieu_sem, ("m", "q"), _mathieu(sp.mathieu_b), _DEGREE)
for _f in (sp.mathieu_modcem1, sp.mathieu_modcem2):
    wave(_f, ("m", "q"), _modified_mathieu(sp.mathieu_a))
for _f in (sp.mathieu_modsem1, sp.mathieu_modsem2):
    wave(_f, ("m", "q"), _modified_mathieu(sp.mathieu_b))


def _prolate(m: Any, n: Any, c: Any, x: Any, w: Any, slope: Any) -> Any:
    return _prolate_cv(m, n, c, sp.pro_cv(m, n, c), x, w, slope)


def _prolate_cv(m: Any, n: Any, c: Any, cv: Any, x: Any, w: Any, slope: Any) -> Any:
    gap = 1 - x * x
    return (2 * x * slope - (cv - (c * x) ** 2 - m * m / gap) * w) / gap


def _oblate(m: Any, n: Any, c: Any, x: Any, w: Any, slope: Any) -> Any:
    return _oblate_cv(m, n, c, sp.obl_cv(m, n, c), x, w, slope)


def _oblate_cv(m: Any, n: Any, c: Any, cv: Any, x: Any, w: Any, slope: Any) -> Any:
    gap = 1 - x * x
    return (2 * x * slope - (cv + (c * x) ** 2 - m * m / gap) * w) / gap


def _oblate_radial(m: Any, n: Any, c: Any, x: Any, w: Any, slope: Any) -> Any:
    return _oblate_radial_cv(m, n, c, sp.obl_cv(m, n, c), x, w, slope)


def _oblate_radial_cv(m: Any, n: Any, c: Any, cv: Any, x: Any, w: Any, slope: Any) -> Any:
    gap = 1 + x * x
    return ((cv - (c * x) ** 2 - m * m / gap) * w - 2 * x * slope) / gap


# (1 - x^2) w'' - 2 x w' + (cv - c^2 x^2 - m^2/(1 - x^2)) w = 0 for prolate functions, angular
# and radial; the oblate equations have i c for c, the radial one also i x for x.
_ORDERS, _ORDERS_CV = ("m", "n", "c"), ("m", "n", "c", "cv")
for _f in (sp.pro_ang1, sp.pro_rad1):
    wave(_f, _ORDERS, _prolate)
for _f in (sp.pro_ang1_cv, sp.pro_rad1_cv):
    wave(_f, _ORDERS_CV, _prolate_cv)
wave(sp.obl_ang1, _ORDERS, _oblate)
wave(sp.obl_ang1_cv, _ORDERS_CV, _oblate_cv)
wave(sp.obl_rad1, _ORDERS, _oblate_radial)
wave(sp.obl_rad1_cv, _ORDERS_CV, _oblate_radial_cv)
