"""Orthogonal polynomials at a point (DLMF, chapter 18): the degree is a constant.

The derivative of a classical polynomial is one of the next family, of a degree lower.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as sp

from dezero.scipy.rules.enter import enter


def _lower(n: Any) -> Any:
    """Return ``n - 1``; 0 for ``n = 0``, whose derivative is a factor 0 times something finite."""
    return np.where(n == 0, 0, n - 1)[()] if isinstance(n, np.ndarray) else n - 1 if n else n


def _some(n: Any) -> Any:
    """Return 1, or 0 where the degree is 0."""
    return np.where(n == 0, 0.0, 1.0)[()] if isinstance(n, np.ndarray) else float(n != 0)


def _jacobi(n: Any, a: Any, b: Any, x: Any) -> Any:
    return _some(n) * (n + a + b + 1) / 2 * sp.eval_jacobi(_lower(n), a + 1, b + 1, x)


def _gegenbauer(n: Any, alpha: Any, x: Any) -> Any:
    return _some(n) * 2 * alpha * sp.eval_gegenbauer(_lower(n), alpha + 1, x)


def _laguerre(n: Any, alpha: Any, x: Any) -> Any:
    return -_some(n) * sp.eval_genlaguerre(_lower(n), alpha + 1, x)


enter(
    sp.eval_jacobi, gn=None, ga=None, gb=None, gx=lambda gy, n, a, b, x: gy * _jacobi(n, a, b, x)
)
enter(
    sp.eval_sh_jacobi,
    gn=None,
    gp=None,
    gq=None,
    gx=lambda gy, n, p, q, x: gy * n * sp.eval_sh_jacobi(_lower(n), p + 2, q + 1, x),
)
enter(sp.eval_gegenbauer, gn=None, ga=None, gx=lambda gy, n, a, x: gy * _gegenbauer(n, a, x))
enter(sp.eval_legendre, gn=None, gx=lambda gy, n, x: gy * _jacobi(n, 0, 0, x))
enter(sp.eval_sh_legendre, gn=None, gx=lambda gy, n, x: gy * 2 * _jacobi(n, 0, 0, 2 * x - 1))
enter(sp.eval_chebyt, gn=None, gx=lambda gy, n, x: gy * n * sp.eval_chebyu(_lower(n), x))
enter(sp.eval_chebyu, gn=None, gx=lambda gy, n, x: gy * _gegenbauer(n, 1, x))
enter(sp.eval_chebyc, gn=None, gx=lambda gy, n, x: gy * n * sp.eval_chebys(_lower(n), x))
enter(sp.eval_chebys, gn=None, gx=lambda gy, n, x: gy * 0.5 * _gegenbauer(n, 1, 0.5 * x))
enter(sp.eval_sh_chebyt, gn=None, gx=lambda gy, n, x: gy * 2 * n * sp.eval_sh_chebyu(_lower(n), x))
enter(sp.eval_sh_chebyu, gn=None, gx=lambda gy, n, x: gy * 2 * _gegenbauer(n, 1, 2 * x - 1))
enter(sp.eval_hermite, gn=None, gx=lambda gy, n, x: gy * 2 * n * sp.eval_hermite(_lower(n), x))
enter(sp.eval_hermitenorm, gn=None, gx=lambda gy, n, x: gy * n * sp.eval_hermitenorm(_lower(n), x))
enter(sp.eval_laguerre, gn=None, gx=lambda gy, n, x: gy * _laguerre(n, 0, x))
enter(sp.eval_genlaguerre, gn=None, ga=None, gx=lambda gy, n, a, x: gy * _laguerre(n, a, x))
enter(
    sp.lpmv,
    gm=None,
    gv=None,
    gx=lambda gy, m, v, x, y: gy * (v * x * y - (v + m) * sp.lpmv(m, v - 1, x)) / (x * x - 1),
)
