"""The Dirichlet distribution, ``scipy.stats.dirichlet``, on Variables."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as sp
import scipy.stats

from dezero.scipy import rules  # noqa: F401


def __getattr__(name: str) -> Any:
    return getattr(scipy.stats.dirichlet, name)


def logpdf(x: Any, alpha: Any) -> Any:
    r"""Return the logarithm of the density at ``x`` for concentrations ``alpha``.

    Parameters
    ----------
    x : Variable or array
        Of shape ``(K,)`` or ``(K, N)``; positive, adding up to 1 along the first axis. The last
        of the K entries may be left out.
    alpha : Variable or array
        Of shape ``(K,)``, positive.

    Raises
    ------
    ValueError
        If the entries of ``x`` are no point of the simplex.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> from dezero.scipy.stats import dirichlet
    >>> alpha = Variable(np.array([1.0, 1.0, 1.0]))
    >>> print(f"{dirichlet.pdf(np.array([0.2, 0.3, 0.5]), alpha).data:.4f}")
    2.0000
    """
    x = x if hasattr(x, "dtype") else np.asarray(x)
    alpha = alpha if hasattr(alpha, "dtype") else np.asarray(alpha)
    if x.shape[0] == alpha.shape[0] - 1:
        x = np.concatenate([x, 1 - np.sum(x, 0, keepdims=True)], 0)
    if x.shape[0] != alpha.shape[0]:
        raise ValueError(
            f"dirichlet: got x of shape {x.shape} for alpha of shape {alpha.shape}; x has as many "
            "rows as alpha has entries, or one less"
        )
    if np.any(x < 0) or np.any(np.abs(np.sum(x, 0) - 1) > 1e-6):
        raise ValueError(
            "dirichlet: the entries of x are negative or do not add up to 1 along the first axis"
        )
    powers = np.reshape(alpha - 1, (-1, *(1 for _ in x.shape[1:])))
    constant = sp.gammaln(np.sum(alpha)) - np.sum(sp.gammaln(alpha))
    return np.sum(sp.xlogy(powers, x), 0) + constant


def pdf(x: Any, alpha: Any) -> Any:
    """Return the density at ``x`` for concentrations ``alpha``."""
    return np.exp(logpdf(x, alpha))
