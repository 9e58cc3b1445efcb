"""Error functions, the normal distribution's, and what is made of them (DLMF, chapter 7)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as sp

from dezero.scipy.rules.enter import enter

_SLOPE = 2 / math.sqrt(math.pi)
_ROOT_2_PI = math.sqrt(2 * math.pi)
_ROOT_HALF = math.sqrt(0.5)
_FAR = 50.0  # from here on the difference would lose digits, and the series has them all


def _far(x: Any) -> tuple[Any, Any]:
    """Return where a real ``x`` is large, and ``1 / (2 x**2)`` there."""
    far = np.abs(x) > _FAR if x.dtype.kind == "f" else np.zeros(x.shape, bool)
    return far, 0.5 / np.where(far, x, _FAR) ** 2


def _slope_of_erfcx(gy: Any, x: Any, y: Any) -> Any:
    """Gradient ``2 x erfcx(x) - 2 / sqrt(pi)``; for large x by the asymptotic series."""
    far, t = _far(x)
    far = far & (x > 0)
    series = -t * (1 - t * (3 - t * (15 - t * (105 - t * 945))))
    return gy * np.where(far, _SLOPE * series, 2 * np.where(far, 0, x) * y - _SLOPE)


def _slope_of_dawsn(gy: Any, x: Any, y: Any) -> Any:
    """Gradient ``1 - 2 x D(x)``; for large x by the asymptotic series."""
    far, t = _far(x)
    series = -t * (1 + t * (3 + t * (15 + t * (105 + t * 945))))
    return gy * np.where(far, series, 1 - 2 * np.where(far, 0, x) * y)


def normal_density(x: Any) -> Any:
    """Return the density of the standard normal distribution."""
    return np.exp(-0.5 * x * x) / _ROOT_2_PI


enter(sp.erf, gx=lambda gy, x: gy * _SLOPE * np.exp(-x * x))
enter(sp.erfc, gx=lambda gy, x: -gy * _SLOPE * np.exp(-x * x))
enter(sp.erfi, gx=lambda gy, x: gy * _SLOPE * np.exp(x * x))
enter(sp.erfcx, gx=_slope_of_erfcx)
enter(sp.dawsn, gx=_slope_of_dawsn)
enter(sp.wofz, gx=lambda gy, x, y: gy * (_SLOPE * 1j - 2 * x * y))
enter(sp.erfinv, gx=lambda gy, y: gy * np.exp(y * y) / _SLOPE)
enter(sp.erfcinv, gx=lambda gy, y: -gy * np.exp(y * y) / _SLOPE)
enter(sp.ndtr, gx=lambda gy, x: gy * normal_density(x))
enter(sp.ndtri, gx=lambda gy, y: gy * _ROOT_2_PI * np.exp(0.5 * y * y))


def _slope_of_log_ndtr(x: Any) -> Any:
    """Return density / ndtr, without a quotient of two numbers that vanish."""
    return math.sqrt(2 / math.pi) / sp.erfcx(-_ROOT_HALF * x)


enter(sp.log_ndtr, gx=lambda gy, x: gy * _slope_of_log_ndtr(x))
enter(sp.ndtri_exp, gx=lambda gy, y: gy / _slope_of_log_ndtr(y))
enter(
    sp.owens_t,
    gh=lambda gy, h, a: -0.5 * gy * normal_density(h) * sp.erf(a * h * _ROOT_HALF),
    ga=lambda gy, h, a: gy * np.exp(-0.5 * h * h * (1 + a * a)) / (2 * math.pi * (1 + a * a)),
)


def _voigt(x: Any, sigma: Any, gamma: Any) -> tuple[Any, Any, Any]:
    """Return ``z``, the derivative of ``wofz`` there, and the factor of the profile."""
    z = (x + gamma * 1j) * (_ROOT_HALF / sigma)
    return z, _SLOPE * 1j - 2 * z * sp.wofz(z), 1 / (sigma * _ROOT_2_PI)


def _slope_of_voigt(gy: Any, x: Any, sigma: Any, gamma: Any, direction: complex) -> Any:
    _, slope, factor = _voigt(x, sigma, gamma)
    return gy * factor / sigma * _ROOT_HALF * np.real(direction * slope)


def _slope_of_sigma(gy: Any, x: Any, sigma: Any, gamma: Any, y: Any) -> Any:
    z, slope, factor = _voigt(x, sigma, gamma)
    return -gy / sigma * (y + factor * np.real(slope * z))


enter(
    sp.voigt_profile,
    gx=lambda gy, x, sigma, gamma: _slope_of_voigt(gy, x, sigma, gamma, 1.0),
    gsigma=_slope_of_sigma,
    ggamma=lambda gy, x, sigma, gamma: _slope_of_voigt(gy, x, sigma, gamma, 1j),
)
