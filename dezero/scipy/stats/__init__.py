"""Distributions of ``scipy.stats`` on Variables; every other name is SciPy's own."""

from __future__ import annotations

from typing import Any

import scipy.stats

from dezero.scipy.stats import (
    beta,
    chi2,
    dirichlet,
    gamma,
    multivariate_normal,
    norm,
    poisson,
    t,
)

__all__ = ["beta", "chi2", "dirichlet", "gamma", "multivariate_normal", "norm", "poisson", "t"]


def __getattr__(name: str) -> Any:
    return getattr(scipy.stats, name)
