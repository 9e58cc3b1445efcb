"""The beta distribution, ``scipy.stats.beta``, on Variables."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as sp
import scipy.stats

from dezero.scipy import rules  # noqa: F401
from dezero.scipy.stats.common import on_support, standard, weak


def __getattr__(name: str) -> Any:
    return getattr(scipy.stats.beta, name)


def logpdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the logarithm of the density of shapes ``a`` and ``b``."""
    z = standard(x, loc, scale)

    def formula(z: Any) -> Any:
        return sp.xlogy(a - 1, z) + sp.xlog1py(b - 1, -z) - weak(sp.betaln, a, b)

    return on_support((z >= 0) & (z <= 1), formula, z, 0.5) - weak(np.log, scale)


def pdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the density."""
    return np.exp(logpdf(x, a, b, loc, scale))


def cdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the probability of a value below ``x``; the shape is a constant."""
    z = standard(x, loc, scale)
    return sp.betainc(a, b, _between(z))


def sf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the probability of a value above ``x``; the shape is a constant."""
    z = standard(x, loc, scale)
    return sp.betaincc(a, b, _between(z))


def logcdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the logarithm of the probability of a value below ``x``."""
    return np.log(cdf(x, a, b, loc, scale))


def logsf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the logarithm of the probability of a value above ``x``."""
    return np.log(sf(x, a, b, loc, scale))


def ppf(q: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the value below which the probability is ``q``; the shape is a constant."""
    return loc + scale * sp.betaincinv(a, b, q)


def isf(q: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the value above which the probability is ``q``; the shape is a constant."""
    return loc + scale * sp.betainccinv(a, b, q)


def _between(z: Any) -> Any:
    return np.where(z < 0, 0, np.where(z > 1, 1, z))
