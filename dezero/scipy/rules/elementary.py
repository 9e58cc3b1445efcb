"""Elementary ufuncs that SciPy adds to NumPy's: logistic, entropy, Box-Cox, degrees."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as sp

from dezero.scipy.rules.enter import enter

_DEGREE = math.pi / 180

enter(sp.cbrt, gx=lambda gy, y: gy / (3 * y * y))
enter(sp.exp2, gx=lambda gy, y: gy * math.log(2) * y)
enter(sp.exp10, gx=lambda gy, y: gy * math.log(10) * y)
enter(sp.expm1, gx=lambda gy, x: gy * np.exp(x))
enter(sp.log1p, gx=lambda gy, x: gy / (1 + x))
enter(sp.cosm1, gx=lambda gy, x: -gy * np.sin(x))
enter(sp.exprel, gx=lambda gy, x: gy * slope_of_exprel(x))
enter(sp.sindg, gx=lambda gy, x: gy * _DEGREE * sp.cosdg(x))
enter(sp.cosdg, gx=lambda gy, x: -gy * _DEGREE * sp.sindg(x))
enter(sp.tandg, gx=lambda gy, y: gy * _DEGREE * (1 + y * y))
enter(sp.cotdg, gx=lambda gy, y: -gy * _DEGREE * (1 + y * y))
enter(
    sp.radian,
    gd=lambda gy: gy * _DEGREE,
    gm=lambda gy: gy * (_DEGREE / 60),
    gs=lambda gy: gy * (_DEGREE / 3600),
)


def slope_of_exprel(x: Any) -> Any:
    """Return the derivative of ``(exp(x) - 1) / x``, as a series that is exact around 0."""
    return 0.5 * sp.hyp1f1(2, 3, x)


enter(sp.expit, gx=lambda gy, x, y: gy * y * sp.expit(-x))
enter(sp.logit, gx=lambda gy, x: gy / (x * (1 - x)))
enter(sp.log_expit, gx=lambda gy, x: gy * sp.expit(-x))


def _ratio(x: Any, y: Any) -> Any:
    """Return ``x / y``, and 0 for 0 / 0: ``x log(y)`` is 0 for every y where x is 0."""
    return x / np.where((x == 0) & (y == 0), 1, y)


enter(
    sp.xlogy,
    gx0=lambda gy, x1: gy * np.log(x1),
    gx1=lambda gy, x0, x1: gy * _ratio(x0, x1),
)
enter(
    sp.xlog1py,
    gx0=lambda gy, x1: gy * sp.log1p(x1),
    gx1=lambda gy, x0, x1: gy * _ratio(x0, 1 + x1),
)
enter(sp.entr, gx=lambda gy, x: -gy * (np.log(x) + 1))
enter(
    sp.rel_entr,
    gx0=lambda gy, x0, x1: gy * (np.log(x0 / x1) + 1),
    gx1=lambda gy, x0, x1: -gy * _ratio(x0, x1),
)
enter(
    sp.kl_div,
    gx0=lambda gy, x0, x1: gy * np.log(x0 / x1),
    gx1=lambda gy, x0, x1: gy * (1 - _ratio(x0, x1)),
)
enter(
    sp.powm1,
    gx0=lambda gy, x0, x1: gy * x1 * x0 ** (x1 - 1),
    gx1=lambda gy, x0, y: gy * sp.xlogy(y + 1, x0),
)

enter(
    sp.huber,
    gdelta=lambda gy, delta, r: gy * np.maximum(np.abs(r) - delta, 0),
    gr=lambda gy, delta, r: gy * np.where(np.abs(r) <= delta, r, delta * np.sign(r)),
)


def _length(delta: Any, r: Any) -> Any:
    square = delta * delta + r * r
    return np.sqrt(np.where(square == 0, 1, square))


def _slope_of_delta(gy: Any, delta: Any, r: Any) -> Any:
    h = _length(delta, r)
    return gy * (r * (r / (h + delta))) ** 2 / h


enter(
    sp.pseudo_huber,
    gdelta=_slope_of_delta,
    gr=lambda gy, delta, r: gy * delta * (r / _length(delta, r)),
)


def _slope_of_boxcox(gy: Any, x: Any, power: Any) -> Any:
    """Gradient of ``(x**p - 1) / p`` for the power, also where it is 0, and at ``x = 0``."""
    zero = x == 0
    log_x = np.log(np.where(zero, 1, x))
    at_zero = 1 / np.where(zero, power, 1) ** 2
    return gy * np.where(zero, at_zero, log_x**2 * slope_of_exprel(power * log_x))


def _slope_of_inverse(gy: Any, x: Any, power: Any, inverse: Any) -> Any:
    """Gradient of ``(1 + p x)**(1/p)`` for the power, also where it is 0."""
    return gy * inverse * x * x * -0.5 * sp.hyp2f1(2, 2, 3, -power * x)


enter(
    sp.boxcox,
    gx0=lambda gy, x0, x1: gy * x0 ** (x1 - 1),
    gx1=lambda gy, x0, x1: _slope_of_boxcox(gy, x0, x1),
)
enter(
    sp.boxcox1p,
    gx0=lambda gy, x0, x1: gy * (1 + x0) ** (x1 - 1),
    gx1=lambda gy, x0, x1: gy * sp.log1p(x0) ** 2 * slope_of_exprel(x1 * sp.log1p(x0)),
)
enter(
    sp.inv_boxcox,
    gx0=lambda gy, x0, x1, y: gy * y / (1 + x1 * x0),
    gx1=lambda gy, x0, x1, y: _slope_of_inverse(gy, x0, x1, y),
)
enter(
    sp.inv_boxcox1p,
    gx0=lambda gy, x0, x1, y: gy * (1 + y) / (1 + x1 * x0),
    gx1=lambda gy, x0, x1, y: _slope_of_inverse(gy, x0, x1, 1 + y),
)

enter(sp.wrightomega, gx=lambda gy, y: gy * y / (1 + y))
enter(
    sp._ufuncs._lambertw,
    gz=lambda gy, y: gy * np.exp(-y) / (1 + y),
    gk=None,
    gtol=None,
)
