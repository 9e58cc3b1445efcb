"""Gamma and beta functions, and the incomplete ones (DLMF, chapters 5, 8 and 25)."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as sp

from dezero.core import elementwise
from dezero.core.protocols import plain
from dezero.scipy.rules.enter import enter


def trigamma(x: Any) -> Any:
    """Return the derivative of ``psi``; SciPy has it for real arguments alone."""
    if x.dtype.kind == "c":
        raise TypeError(
            "scipy.special.psi: its derivative at complex arguments is in no SciPy function; "
            "gamma and loggamma of complex Variables can be differentiated once"
        )
    return sp.zeta(2.0, x)


def _slope_of_rgamma(gy: Any, x: Any, y: Any) -> Any:
    """Gradient of ``1/gamma(x)``: by reflection left of 1/2, where ``gamma`` has its poles."""
    if x.dtype.kind == "c":
        return -gy * y * sp.psi(x)
    left = x < 0.5
    a = 1 - np.where(left, x, 0.5)
    reflected = np.cos(np.pi * a) + np.sin(np.pi * a) / np.pi * sp.psi(a)
    b = np.where(left, 1, x)
    return gy * np.where(left, -sp.gamma(a) * reflected, -sp.psi(b) * sp.rgamma(b))


def _zeta_slope(gy: Any, s: Any, q: Any) -> Any:
    return gy * -s * sp.zeta(s + 1, q)


enter(sp.gamma, gx=lambda gy, x, y: gy * y * sp.psi(x))
enter(sp.gammaln, gx=lambda gy, x: gy * sp.psi(x))
enter(sp.loggamma, gx=lambda gy, x: gy * sp.psi(x))
enter(sp.psi, gx=lambda gy, x: gy * trigamma(x))
enter(sp.rgamma, gx=_slope_of_rgamma)
enter(sp._ufuncs._zeta, gs=None, gq=_zeta_slope)
enter(
    sp.beta,
    ga=lambda gy, a, b, y: gy * y * (sp.psi(a) - sp.psi(a + b)),
    gb=lambda gy, a, b, y: gy * y * (sp.psi(b) - sp.psi(a + b)),
)
enter(
    sp.betaln,
    ga=lambda gy, a, b: gy * (sp.psi(a) - sp.psi(a + b)),
    gb=lambda gy, a, b: gy * (sp.psi(b) - sp.psi(a + b)),
)
enter(
    sp.binom,
    gn=lambda gy, n, k, y: gy * y * (sp.psi(n + 1) - sp.psi(n - k + 1)),
    gk=lambda gy, n, k, y: gy * y * (sp.psi(n - k + 1) - sp.psi(k + 1)),
)
enter(
    sp.poch,
    gz=lambda gy, z, m, y: gy * y * (sp.psi(z + m) - sp.psi(z)),
    gm=lambda gy, z, m, y: gy * y * sp.psi(z + m),
)
plain.update({sp.gammasgn, sp.round})  # steps: no derivative anywhere but at the jumps


def _gamma_density(a: Any, x: Any) -> Any:
    pole = np.isinf(sp.gammaln(a))
    b = np.where(pole, 1, a)
    density = sp.gammasgn(b) * np.exp(sp.xlogy(b - 1, x) - x - sp.gammaln(b))
    return np.where(pole, 0, density)


def _beta_density(a: Any, b: Any, x: Any) -> Any:
    pole = np.isinf(sp.gammaln(a)) | np.isinf(sp.gammaln(b))
    a, b = np.where(pole, 1, a), np.where(pole, 1, b)
    sign = sp.gammasgn(a) * sp.gammasgn(b) * sp.gammasgn(a + b)
    density = sign * np.exp(sp.xlogy(a - 1, x) + sp.xlog1py(b - 1, -x) - sp.betaln(a, b))
    return np.where(pole, 0, density)


# The derivative of a density is a difference of densities: finite at the ends of the domain,
# where the quotients (a - 1) / x and (b - 1) / (1 - x) are not.
_GammaDensity = elementwise(
    "GammaDensity",
    _gamma_density,
    ga=lambda gy, a, x, y: gy * y * (np.log(x) - sp.psi(a)),
    gx=lambda gy, a, x, y: gy * (gamma_density(a - 1, x) - y),
)
_BetaDensity = elementwise(
    "BetaDensity",
    _beta_density,
    ga=lambda gy, a, b, x, y: gy * y * (np.log(x) - sp.psi(a) + sp.psi(a + b)),
    gb=lambda gy, a, b, x, y: gy * y * (sp.log1p(-x) - sp.psi(b) + sp.psi(a + b)),
    gx=lambda gy, a, b, x: (
        gy * (a + b - 1) * (beta_density(a - 1, b, x) - beta_density(a, b - 1, x))
    ),
)


def gamma_density(a: Any, x: Any) -> Any:
    r"""Return :math:`x^{a-1} e^{-x} / \Gamma(a)`, of arrays or Variables."""
    return _on(_gamma_density, _GammaDensity, a, x)


def beta_density(a: Any, b: Any, x: Any) -> Any:
    r"""Return :math:`x^{a-1} (1-x)^{b-1} / B(a, b)`, of arrays or Variables."""
    return _on(_beta_density, _BetaDensity, a, b, x)


def _on(formula: Any, cls: Any, *xs: Any) -> Any:
    """Compute plain arrays plainly, Variables by their class."""
    return cls()(*xs) if any(hasattr(x, "requires_grad") for x in xs) else formula(*xs)


enter(sp.gammainc, ga=None, gx=lambda gy, a, x: gy * gamma_density(a, x))
enter(sp.gammaincc, ga=None, gx=lambda gy, a, x: -gy * gamma_density(a, x))
enter(sp.gammaincinv, ga=None, gp=lambda gy, a, y: gy / gamma_density(a, y))
enter(sp.gammainccinv, ga=None, gp=lambda gy, a, y: -gy / gamma_density(a, y))
enter(sp.betainc, ga=None, gb=None, gx=lambda gy, a, b, x: gy * beta_density(a, b, x))
enter(sp.betaincc, ga=None, gb=None, gx=lambda gy, a, b, x: -gy * beta_density(a, b, x))
enter(sp.betaincinv, ga=None, gb=None, gp=lambda gy, a, b, y: gy / beta_density(a, b, y))
enter(sp.betainccinv, ga=None, gb=None, gp=lambda gy, a, b, y: -gy / beta_density(a, b, y))
