"""The normal distribution, ``scipy.stats.norm``, on Variables."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as sp
import scipy.stats

from dezero.scipy import rules  # noqa: F401
from dezero.scipy.rules.error_functions import normal_density
from dezero.scipy.stats.common import standard, weak


def __getattr__(name: str) -> Any:
    return getattr(scipy.stats.norm, name)


def pdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the density of the normal distribution of mean ``loc`` and deviation ``scale``.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> from dezero.scipy.stats import norm
    >>> x = Variable(np.array(1.0))
    >>> y = norm.logpdf(x, loc=3.0)
    >>> y.backward()
    >>> x.grad
    variable(2.0)
    """
    return normal_density(standard(x, loc, scale)) / scale


def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the logarithm of the density."""
    z = standard(x, loc, scale)
    return -0.5 * z * z - weak(np.log, scale) - 0.5 * math.log(2 * math.pi)


def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the probability of a value below ``x``."""
    return sp.ndtr(standard(x, loc, scale))


def logcdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the logarithm of the probability of a value below ``x``, exact far below."""
    return sp.log_ndtr(standard(x, loc, scale))


def sf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the probability of a value above ``x``."""
    return sp.ndtr(-standard(x, loc, scale))


def logsf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the logarithm of the probability of a value above ``x``, exact far above."""
    return sp.log_ndtr(-standard(x, loc, scale))


def ppf(q: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the value below which the probability is ``q``."""
    return loc + scale * sp.ndtri(q)


def isf(q: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the value above which the probability is ``q``."""
    return loc - scale * sp.ndtri(q)
