"""``scipy.special`` on Variables.

SciPy's ufuncs take Variables as they are. This module adds what SciPy writes as ordinary
functions of plain arrays, and hands every other name on: ``from dezero.scipy.special import
gammaln, logsumexp`` serves a program that wrote ``from scipy.special import ...``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as sp

import dezero.functions as F
from dezero.core import Variable, no_grad
from dezero.scipy.rules import NOT_COVERED
from dezero.scipy.rules.integrals import sin_over

__all__ = [
    "NOT_COVERED",
    "comb",
    "factorial",
    "log_softmax",
    "logsumexp",
    "multigammaln",
    "polygamma",
    "sinc",
    "softmax",
    "spherical_in",
    "spherical_jn",
    "spherical_kn",
    "spherical_yn",
]


def __getattr__(name: str) -> Any:
    return getattr(sp, name)


def logsumexp(
    a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False
) -> Any:
    r"""Return :math:`\log \sum b e^a` along axes, without overflow.

    Parameters
    ----------
    a : Variable or array
        The exponents.
    axis : int or tuple of int, optional
        All by default.
    b : Variable or array, optional
        Weights, of a shape that broadcasts with ``a``; ones by default. May be negative.
    keepdims : bool, default False
        Whether the axes stay, of length 1.
    return_sign : bool, default False
        Whether to return the logarithm of the sum's size, and the sum's sign (a plain array);
        without it a negative sum gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> from dezero.scipy.special import logsumexp
    >>> x = Variable(np.array([1000.0, 1000.0]))
    >>> y = logsumexp(x, b=np.array([0.25, 0.75]))
    >>> y.backward()
    >>> x.grad
    variable([0.25 0.75])
    """
    if not _recorded(a, b):
        return sp.logsumexp(a, axis, b, keepdims, return_sign)
    if b is None and not return_sign:
        return F.logsumexp(a, axis, keepdims)
    weights = np.ones(a.shape, a.dtype) if b is None else b
    used = np.ones(np.shape(weights), bool) if isinstance(b, Variable) else weights != 0
    with no_grad():
        largest = np.max(np.where(used, a, -np.inf), axis, keepdims=True)
        largest = np.where(np.isfinite(largest), largest, 0)
    exponents = np.where(used, a - largest, 0)
    total = np.sum(weights * np.exp(exponents), axis, keepdims=True)
    y = np.log(np.abs(total) if return_sign else total) + largest
    sign = np.sign(total)
    if not keepdims:
        y, sign = _without(y, axis), _without(sign, axis)
    return (y, sign) if return_sign else y


def log_softmax(x: Any, axis: Any = None) -> Any:
    """Return the logarithm of :func:`softmax`, along all axes by default.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> from dezero.scipy.special import log_softmax
    >>> log_softmax(Variable(np.array([0.0, 0.0])))
    variable([-0.69314718 -0.69314718])
    """
    if not _recorded(x):
        return sp.log_softmax(x, axis)
    return x - F.logsumexp(x, axis, keepdims=True)


def softmax(x: Any, axis: Any = None) -> Any:
    r"""Return :math:`e^x / \sum e^x`, along all axes by default.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> from dezero.scipy.special import softmax
    >>> softmax(Variable(np.array([0.0, 0.0])))
    variable([0.5 0.5])
    """
    return np.exp(log_softmax(x, axis)) if _recorded(x) else sp.softmax(x, axis)


def polygamma(n: Any, x: Any) -> Any:
    r"""Return :math:`\psi^{(n)}(x)`, the derivative of order ``n`` of ``psi``.

    Parameters
    ----------
    n : int or array of int
        The order, a constant, not negative.
    x : Variable or array
        Real.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> from dezero.scipy.special import polygamma
    >>> print(f"{polygamma(1, Variable(np.array(1.0))).data:.6f}")  # pi**2 / 6
    1.644934
    """
    if not _recorded(n, x):
        return sp.polygamma(n, x)
    if isinstance(n, Variable):
        n = n.data
    if np.any(np.asarray(n) != np.floor(n)) or np.any(np.asarray(n) < 0):
        raise ValueError(f"polygamma: the order n is {n}; it wants whole numbers, 0 or more")
    order = np.asarray(n, x.dtype)
    higher = np.maximum(order, 1)
    factor = np.where(higher % 2 == 0, -1, 1).astype(x.dtype) * sp.gamma(higher + 1)
    y = factor * sp.zeta(higher + 1, x)
    return np.where(order == 0, sp.psi(x), y) if np.any(order == 0) else y


def multigammaln(a: Any, d: int) -> Any:
    r"""Return the logarithm of the multivariate gamma function of dimension ``d``.

    :math:`\frac{d (d - 1)}{4} \log \pi + \sum_{j=0}^{d-1} \log \Gamma(a - j / 2)`, for
    ``a > (d - 1) / 2``.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> from dezero.scipy.special import multigammaln
    >>> print(f"{multigammaln(Variable(np.array(2.0)), 1).data:.4f}")
    0.0000
    """
    if not _recorded(a):
        return sp.multigammaln(a, d)
    if int(d) != d or d < 1 or np.any(a.data <= 0.5 * (d - 1)):
        raise ValueError(
            f"multigammaln: got d = {d} and a smallest a of {np.min(a.data)}; it wants a whole d "
            "of 1 or more, and a > (d - 1) / 2"
        )
    y = sp.gammaln(a) + 0.25 * d * (d - 1) * float(np.log(np.pi))
    for j in range(1, int(d)):
        y = y + sp.gammaln(a - 0.5 * j)
    return y


def sinc(x: Any) -> Any:
    r"""Return :math:`\sin(\pi x) / (\pi x)`, 1 at 0, with derivatives of all orders there.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> from dezero.scipy.special import sinc
    >>> sinc(Variable(np.array(0.0)))
    variable(1.0)
    """
    return sin_over(np.pi * x) if _recorded(x) else sp.sinc(x)


def factorial(n: Any, exact: bool = False, **kwargs: Any) -> Any:
    r"""Return :math:`n! = \Gamma(n + 1)`.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> from dezero.scipy.special import factorial
    >>> factorial(Variable(np.array(3.0)))
    variable(6.0)
    """
    return sp.gamma(n + 1) if _recorded(n) else sp.factorial(n, exact, **kwargs)


def comb(N: Any, k: Any, *, exact: bool = False, repetition: bool = False) -> Any:
    """Return the number of combinations of ``k`` out of ``N`` things: the ufunc ``binom``.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> from dezero.scipy.special import comb
    >>> comb(Variable(np.array(4.0)), 2)
    variable(6.0)
    """
    if not _recorded(N, k):
        return sp.comb(N, k, exact=exact, repetition=repetition)
    return sp.binom(N + k - 1, k) if repetition else sp.binom(N, k)


def spherical_jn(n: Any, z: Any, derivative: bool = False) -> Any:
    """Return the spherical Bessel function of the first kind, or its derivative.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> from dezero.scipy.special import spherical_jn
    >>> print(f"{spherical_jn(0, Variable(np.array(1.0))).data:.6f}")  # sin(1)
    0.841471
    """
    return _spherical("jn", n, z, derivative)


def spherical_yn(n: Any, z: Any, derivative: bool = False) -> Any:
    """Return the spherical Bessel function of the second kind, or its derivative."""
    return _spherical("yn", n, z, derivative)


def spherical_in(n: Any, z: Any, derivative: bool = False) -> Any:
    """Return the modified spherical Bessel function of the first kind, or its derivative."""
    return _spherical("in", n, z, derivative)


def spherical_kn(n: Any, z: Any, derivative: bool = False) -> Any:
    """Return the modified spherical Bessel function of the second kind, for ``z > 0``."""
    return _spherical("kn", n, z, derivative)


def _spherical(kind: str, n: Any, z: Any, derivative: bool) -> Any:
    if not _recorded(n, z):
        return getattr(sp, f"spherical_{kind}")(n, z, derivative)
    f = getattr(sp._ufuncs, f"_spherical_{kind}" + ("_d" if derivative else ""))
    if kind == "kn" or z.dtype.kind == "c" or not np.any(z < 0):
        return f(n, z)
    even = np.asarray(n) % 2 == (1 if kind == "yn" else 0)
    if derivative:
        even = ~even
    left = z < 0
    return f(n, np.where(left, -z, z)) * np.where(left & ~even, -1.0, 1.0).astype(z.dtype)


def _without(x: Any, axis: Any) -> Any:
    return np.reshape(x, np.squeeze(np.empty(x.shape), axis=axis).shape)


def _recorded(*xs: Any) -> bool:
    return any(isinstance(x, Variable) for x in xs)
