"""Student's t distribution, ``scipy.stats.t``, on Variables."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as sp
import scipy.stats

from dezero.scipy import rules  # noqa: F401
from dezero.scipy.stats.common import standard, weak


def __getattr__(name: str) -> Any:
    return getattr(scipy.stats.t, name)


def logpdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the logarithm of the density for ``df`` degrees of freedom."""
    z = standard(x, loc, scale)
    constant = -weak(sp.betaln, 0.5 * df, 0.5) - 0.5 * weak(np.log, df)
    return constant - 0.5 * (df + 1) * sp.log1p(z * z / df) - weak(np.log, scale)


def pdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the density."""
    return np.exp(logpdf(x, df, loc, scale))


def cdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the probability of a value below ``x``; the shape is a constant."""
    z = standard(x, loc, scale)
    return sp.stdtr(df, z)


def sf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the probability of a value above ``x``; the shape is a constant."""
    z = standard(x, loc, scale)
    return sp.stdtr(df, -z)


def logcdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the logarithm of the probability of a value below ``x``."""
    return np.log(cdf(x, df, loc, scale))


def logsf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the logarithm of the probability of a value above ``x``."""
    return np.log(sf(x, df, loc, scale))


def ppf(q: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the value below which the probability is ``q``; the shape is a constant."""
    return loc + scale * sp.stdtrit(df, q)


def isf(q: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the value above which the probability is ``q``; the shape is a constant."""
    return loc + scale * -sp.stdtrit(df, q)
