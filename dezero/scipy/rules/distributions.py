"""Distribution functions and their inverses: the derivative is a density (DLMF, chapter 8).

Numbers of trials, degrees of freedom and shapes have no derivative in closed form.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as sp

from dezero.scipy.rules.enter import enter
from dezero.scipy.rules.gamma_functions import beta_density, gamma_density

enter(
    sp.gdtr,
    ga=lambda gy, a, b, x: gy * x * gamma_density(b, a * x),
    gb=None,
    gx=lambda gy, a, b, x: gy * a * gamma_density(b, a * x),
)
enter(
    sp.gdtrc,
    ga=lambda gy, a, b, x: -gy * x * gamma_density(b, a * x),
    gb=None,
    gx=lambda gy, a, b, x: -gy * a * gamma_density(b, a * x),
)
enter(
    sp.gdtrix,
    ga=lambda gy, a, y: -gy * y / a,
    gb=None,
    gp=lambda gy, a, b, y: gy / (a * gamma_density(b, a * y)),
)
enter(
    sp.gdtria,
    gp=lambda gy, b, x, y: gy / (x * gamma_density(b, x * y)),
    gb=None,
    gx=lambda gy, x, y: -gy * y / x,
)
enter(sp.chdtr, gv=None, gx=lambda gy, v, x: gy * 0.5 * gamma_density(0.5 * v, 0.5 * x))
enter(sp.chdtrc, gv=None, gx=lambda gy, v, x: gy * -0.5 * gamma_density(0.5 * v, 0.5 * x))
enter(sp.chdtri, gv=None, gp=lambda gy, v, y: gy * -2 / gamma_density(0.5 * v, 0.5 * y))
enter(sp.pdtr, gk=None, gm=lambda gy, k, m: -gy * gamma_density(np.floor(k) + 1, m))
enter(sp.pdtrc, gk=None, gm=lambda gy, k, m: gy * gamma_density(np.floor(k) + 1, m))
enter(sp.pdtri, gk=None, gp=lambda gy, k, y: -gy / gamma_density(np.floor(k) + 1, y))


def _binomial(k: Any, n: Any, p: Any) -> Any:
    k = np.floor(k)
    return beta_density(k + 1, n - k, p)


def _negative_binomial(k: Any, n: Any, p: Any) -> Any:
    return beta_density(n, np.floor(k) + 1, p)


enter(sp.bdtr, gk=None, gn=None, gp=lambda gy, k, n, p: -gy * _binomial(k, n, p))
enter(sp.bdtrc, gk=None, gn=None, gp=lambda gy, k, n, p: gy * _binomial(k, n, p))
enter(sp.bdtri, gk=None, gn=None, gp=lambda gy, k, n, y: -gy / _binomial(k, n, y))
enter(sp.nbdtr, gk=None, gn=None, gp=lambda gy, k, n, p: gy * _negative_binomial(k, n, p))
enter(sp.nbdtrc, gk=None, gn=None, gp=lambda gy, k, n, p: -gy * _negative_binomial(k, n, p))
enter(sp.nbdtri, gk=None, gn=None, gp=lambda gy, k, n, y: gy / _negative_binomial(k, n, y))


def _fisher(n: Any, d: Any, x: Any) -> Any:
    """Return the density of the F distribution."""
    total = n * x + d
    return beta_density(0.5 * n, 0.5 * d, n * x / total) * (n * d / (total * total))


def _student(df: Any, t: Any) -> Any:
    """Return the density of Student's t distribution."""
    scale = np.sqrt(df) * sp.beta(0.5 * df, 0.5)
    return np.exp(sp.xlog1py(-0.5 * (df + 1), t * t / df)) / scale


enter(sp.fdtr, gn=None, gd=None, gx=lambda gy, n, d, x: gy * _fisher(n, d, x))
enter(sp.fdtrc, gn=None, gd=None, gx=lambda gy, n, d, x: -gy * _fisher(n, d, x))
enter(sp.fdtri, gn=None, gd=None, gp=lambda gy, n, d, y: gy / _fisher(n, d, y))
enter(sp.stdtr, gdf=None, gt=lambda gy, df, t: gy * _student(df, t))
enter(sp.stdtrit, gdf=None, gp=lambda gy, df, y: gy / _student(df, y))


def _noncentral(x: Any, df: Any, nc: Any) -> Any:
    """Return the density of the noncentral chi-squared distribution."""
    weight = np.exp(-0.5 * nc) * sp.hyp0f1(0.5 * df, 0.25 * nc * x)
    return 0.5 * gamma_density(0.5 * df, 0.5 * x) * weight


def _slope_of_noncentrality(x: Any, df: Any, nc: Any, y: Any) -> Any:
    return 0.5 * (sp.chndtr(x, df + 2, nc) - y)


enter(
    sp.chndtr,
    gx=lambda gy, x, df, nc: gy * _noncentral(x, df, nc),
    gdf=None,
    gnc=lambda gy, x, df, nc, y: gy * _slope_of_noncentrality(x, df, nc, y),
)
enter(
    sp.chndtrix,
    gp=lambda gy, df, nc, y: gy / _noncentral(y, df, nc),
    gdf=None,
    gnc=lambda gy, p, df, nc, y: (
        -gy * _slope_of_noncentrality(y, df, nc, p) / _noncentral(y, df, nc)
    ),
)
enter(
    sp.nrdtrimn,
    gp=lambda gy, p, std: -gy * std * _slope_of_ndtri(p),
    gstd=lambda gy, p: -gy * sp.ndtri(p),
    gx=lambda gy: gy,
)
enter(
    sp.nrdtrisd,
    gmn=lambda gy, p: -gy / sp.ndtri(p),
    gp=lambda gy, p, y: -gy * y * _slope_of_ndtri(p) / sp.ndtri(p),
    gx=lambda gy, p: gy / sp.ndtri(p),
)


def _slope_of_ndtri(p: Any) -> Any:
    return np.sqrt(2 * np.pi) * np.exp(0.5 * sp.ndtri(p) ** 2)


def _slope_of_tukey(shape: Any, y: Any) -> Any:
    """Return the density of Tukey's lambda distribution, where its function is ``y``."""
    return 1 / (y ** (shape - 1) + (1 - y) ** (shape - 1))


def _tukey_in_shape(gy: Any, shape: Any, y: Any) -> Any:
    def slope(p: Any) -> Any:
        log_p = np.log(p)
        return log_p**2 * 0.5 * sp.hyp1f1(2, 3, shape * log_p)

    return -gy * (slope(y) - slope(1 - y)) * _slope_of_tukey(shape, y)


enter(
    sp.tklmbda,
    gx=lambda gy, shape, y: gy * _slope_of_tukey(shape, y),
    gshape=_tukey_in_shape,
)
