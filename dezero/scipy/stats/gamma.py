"""The gamma distribution, ``scipy.stats.gamma``, on Variables."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as sp
import scipy.stats

from dezero.scipy import rules  # noqa: F401
from dezero.scipy.stats.common import on_support, standard, weak


def __getattr__(name: str) -> Any:
    return getattr(scipy.stats.gamma, name)


def logpdf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the logarithm of the density of shape ``a``."""
    z = standard(x, loc, scale)

    def formula(z: Any) -> Any:
        return sp.xlogy(a - 1, z) - z - weak(sp.gammaln, a)

    return on_support(z >= 0, formula, z, 1.0) - weak(np.log, scale)


def pdf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the density."""
    return np.exp(logpdf(x, a, loc, scale))


def cdf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the probability of a value below ``x``; the shape is a constant."""
    z = standard(x, loc, scale)
    return sp.gammainc(a, np.where(z > 0, z, 0))


def sf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the probability of a value above ``x``; the shape is a constant."""
    z = standard(x, loc, scale)
    return sp.gammaincc(a, np.where(z > 0, z, 0))


def logcdf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the logarithm of the probability of a value below ``x``."""
    return np.log(cdf(x, a, loc, scale))


def logsf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the logarithm of the probability of a value above ``x``."""
    return np.log(sf(x, a, loc, scale))


def ppf(q: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the value below which the probability is ``q``; the shape is a constant."""
    return loc + scale * sp.gammaincinv(a, q)


def isf(q: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the value above which the probability is ``q``; the shape is a constant."""
    return loc + scale * sp.gammainccinv(a, q)
