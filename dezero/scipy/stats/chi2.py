"""The chi-squared distribution, ``scipy.stats.chi2``, on Variables."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as sp
import scipy.stats

from dezero.scipy import rules  # noqa: F401
from dezero.scipy.stats.common import on_support, standard, weak


def __getattr__(name: str) -> Any:
    return getattr(scipy.stats.chi2, name)


def logpdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the logarithm of the density for ``df`` degrees of freedom."""
    z = standard(x, loc, scale)

    def formula(z: Any) -> Any:
        return sp.xlogy(0.5 * df - 1, 0.5 * z) - 0.5 * z - weak(sp.gammaln, 0.5 * df) - math.log(2)

    return on_support(z >= 0, formula, z, 1.0) - weak(np.log, scale)


def pdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the density."""
    return np.exp(logpdf(x, df, loc, scale))


def cdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the probability of a value below ``x``; the shape is a constant."""
    z = standard(x, loc, scale)
    return sp.gammainc(0.5 * df, 0.5 * np.where(z > 0, z, 0))


def sf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the probability of a value above ``x``; the shape is a constant."""
    z = standard(x, loc, scale)
    return sp.gammaincc(0.5 * df, 0.5 * np.where(z > 0, z, 0))


def logcdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the logarithm of the probability of a value below ``x``."""
    return np.log(cdf(x, df, loc, scale))


def logsf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the logarithm of the probability of a value above ``x``."""
    return np.log(sf(x, df, loc, scale))


def ppf(q: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the value below which the probability is ``q``; the shape is a constant."""
    return loc + scale * 2 * sp.gammaincinv(0.5 * df, q)


def isf(q: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the value above which the probability is ``q``; the shape is a constant."""
    return loc + scale * 2 * sp.gammainccinv(0.5 * df, q)
