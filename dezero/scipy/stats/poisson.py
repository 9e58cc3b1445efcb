"""The Poisson distribution, ``scipy.stats.poisson``, on Variables: counts are constants."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as sp
import scipy.stats

from dezero.core import Variable
from dezero.scipy import rules  # noqa: F401
from dezero.scipy.stats.common import on_support


def __getattr__(name: str) -> Any:
    return getattr(scipy.stats.poisson, name)


def logpmf(k: Any, mu: Any, loc: Any = 0) -> Any:
    """Return the logarithm of the probability of ``k`` events where ``mu`` are expected.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> from dezero.scipy.stats import poisson
    >>> mu = Variable(np.array(2.0))
    >>> y = poisson.logpmf(3, mu)
    >>> y.backward()  # k / mu - 1
    >>> mu.grad
    variable(0.5)
    """
    k = _count(k, loc)
    inside = (k >= 0) & (k == np.floor(k))
    return on_support(inside, lambda k: sp.xlogy(k, mu) - sp.gammaln(k + 1) - mu, k, 0)


def pmf(k: Any, mu: Any, loc: Any = 0) -> Any:
    """Return the probability of ``k`` events where ``mu`` are expected."""
    return np.exp(logpmf(k, mu, loc))


def cdf(k: Any, mu: Any, loc: Any = 0) -> Any:
    """Return the probability of at most ``k`` events."""
    k = np.floor(_count(k, loc))
    return np.where(k < 0, 0, sp.pdtr(np.maximum(k, 0), mu))


def sf(k: Any, mu: Any, loc: Any = 0) -> Any:
    """Return the probability of more than ``k`` events."""
    k = np.floor(_count(k, loc))
    return np.where(k < 0, 1, sp.pdtrc(np.maximum(k, 0), mu))


def logcdf(k: Any, mu: Any, loc: Any = 0) -> Any:
    """Return the logarithm of the probability of at most ``k`` events."""
    return np.log(cdf(k, mu, loc))


def logsf(k: Any, mu: Any, loc: Any = 0) -> Any:
    """Return the logarithm of the probability of more than ``k`` events."""
    return np.log(sf(k, mu, loc))


def _count(k: Any, loc: Any) -> Any:
    k = k.data if isinstance(k, Variable) else np.asarray(k)
    return k - (loc.data if isinstance(loc, Variable) else loc)
