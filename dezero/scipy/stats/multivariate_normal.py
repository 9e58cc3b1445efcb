"""The multivariate normal distribution, ``scipy.stats.multivariate_normal``, on Variables."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.stats

from dezero.core import Variable


def __getattr__(name: str) -> Any:
    return getattr(scipy.stats.multivariate_normal, name)


def logpdf(x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
    r"""Return the logarithm of the density.

    :math:`-\frac12 (x - \mu)^T \Sigma^{-1} (x - \mu) - \frac12 \log \det (2 \pi \Sigma)`

    Parameters
    ----------
    x : Variable or array
        Of shape ``(..., K)``; of any shape for ``K = 1``.
    mean : Variable or array, optional
        Of shape ``(K,)``; zeros by default.
    cov : Variable, array or number, default 1
        The covariances of shape ``(K, K)``, their diagonal ``(K,)``, or one variance for all.
    allow_singular : bool, default False
        Only for plain arrays: a singular covariance has no derivative.
    """
    if not any(isinstance(v, Variable) for v in (x, mean, cov)):
        return scipy.stats.multivariate_normal.logpdf(x, mean, cov, allow_singular)
    if allow_singular:
        raise ValueError(
            "multivariate_normal: allow_singular=True is for plain arrays; a density on a "
            "subspace has no derivative for the covariance"
        )
    mean, cov = _parameters(x, mean, cov)
    size = cov.shape[0]
    x = x if hasattr(x, "dtype") else np.asarray(x, cov.dtype)
    columns = x.ndim == 0 or (x.ndim == 1 and size == 1)
    deviation = (np.reshape(x, (*x.shape, 1)) if columns else x) - mean
    flat = np.reshape(deviation, (-1, size))
    distance = np.sum(flat * np.transpose(np.linalg.solve(cov, np.transpose(flat))), 1)
    _, logdet = np.linalg.slogdet(cov)
    y = -0.5 * (distance + logdet + size * math.log(2 * math.pi))
    return np.reshape(y, deviation.shape[:-1])


def pdf(x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
    """Return the density."""
    return np.exp(logpdf(x, mean, cov, allow_singular))


def entropy(mean: Any = None, cov: Any = 1) -> Any:
    r"""Return the entropy :math:`\frac12 \log \det (2 \pi e \Sigma)`."""
    if not isinstance(cov, Variable):
        return scipy.stats.multivariate_normal.entropy(
            mean.data if isinstance(mean, Variable) else mean, cov
        )
    _, cov = _parameters(None, mean, cov)
    _, logdet = np.linalg.slogdet(cov)
    return 0.5 * (logdet + cov.shape[0] * math.log(2 * math.pi * math.e))


def _parameters(x: Any, mean: Any, cov: Any) -> tuple[Any, Any]:
    """Return the mean as a vector and the covariances as a matrix."""
    cov = cov if hasattr(cov, "dtype") else np.asarray(cov, float)
    mean = mean if mean is None or hasattr(mean, "dtype") else np.asarray(mean, float)
    if mean is not None:
        size = math.prod(mean.shape)
    elif cov.ndim > 0:
        size = cov.shape[0]
    else:
        size = 1 if x is None or not np.shape(x) else np.shape(x)[-1]
    if cov.ndim < 2:
        cov = np.eye(size, dtype=cov.dtype) * cov
    if cov.shape != (size, size):
        raise ValueError(
            f"multivariate_normal: got a covariance of shape {cov.shape} for a mean of {size} "
            f"entries; it wants ({size}, {size}), ({size},) or a number"
        )
    return np.zeros(size, cov.dtype) if mean is None else np.reshape(mean, (size,)), cov
