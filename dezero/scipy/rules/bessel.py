"""Bessel functions and their kin (DLMF, chapters 9 to 11): the order is a constant."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as sp

from dezero.core import Primitive
from dezero.scipy.rules.enter import enter, enter_several


def _half_difference(f: Any, v: Any, x: Any) -> Any:
    """Return the derivative of a cylinder function: its neighbours have no pole at 0."""
    return 0.5 * (f(v - 1, x) - f(v + 1, x))


def _half_sum(f: Any, v: Any, x: Any) -> Any:
    return 0.5 * (f(v - 1, x) + f(v + 1, x))


def _scaled(gy: Any, slope: Any, scale: Any, y: Any) -> Any:
    """Gradient of ``f(z) exp(-|Re(c z)|)``: along the real part alone the factor changes.

    ``slope`` is that of ``f`` times the factor; ``scale`` is ``(c, z)``.
    """
    c, z = scale
    if z.dtype.kind != "c":
        return gy * slope if c == 1j else gy * (slope - np.sign(z) * y)
    return gy * slope - c * np.sign(np.real(c * z)) * np.real(gy * y)


enter(sp.j0, gx=lambda gy, x: -gy * sp.j1(x))
enter(sp.j1, gx=lambda gy, x: gy * 0.5 * (sp.j0(x) - sp.jv(2, x)))
enter(sp.jv, gv=None, gx=lambda gy, v, x: gy * _half_difference(sp.jv, v, x))
enter(
    sp.jve,
    gv=None,
    gx=lambda gy, v, x, y: _scaled(gy, _half_difference(sp.jve, v, x), (1j, x), y),
)
enter(sp.y0, gx=lambda gy, x: -gy * sp.y1(x))
enter(sp.y1, gx=lambda gy, x: gy * 0.5 * (sp.y0(x) - sp.yn(2, x)))
enter(sp.yn, gn=None, gx=lambda gy, n, x: gy * _half_difference(sp.yn, n, x))
enter(sp.yv, gv=None, gx=lambda gy, v, x: gy * _half_difference(sp.yv, v, x))
enter(
    sp.yve,
    gv=None,
    gx=lambda gy, v, x, y: _scaled(gy, _half_difference(sp.yve, v, x), (1j, x), y),
)
enter(sp.i0, gx=lambda gy, x: gy * sp.i1(x))
enter(sp.i1, gx=lambda gy, x: gy * 0.5 * (sp.i0(x) + sp.iv(2, x)))
enter(sp.i0e, gx=lambda gy, x, y: gy * (sp.i1e(x) - np.sign(x) * y))
enter(sp.i1e, gx=lambda gy, x, y: gy * (0.5 * (sp.i0e(x) + sp.ive(2, x)) - np.sign(x) * y))
enter(sp.iv, gv=None, gx=lambda gy, v, x: gy * _half_sum(sp.iv, v, x))
enter(
    sp.ive,
    gv=None,
    gx=lambda gy, v, x, y: _scaled(gy, _half_sum(sp.ive, v, x), (1.0, x), y),
)
enter(sp.k0, gx=lambda gy, x: -gy * sp.k1(x))
enter(sp.k1, gx=lambda gy, x: -gy * 0.5 * (sp.k0(x) + sp.kn(2, x)))
enter(sp.k0e, gx=lambda gy, x, y: gy * (y - sp.k1e(x)))
enter(sp.k1e, gx=lambda gy, x, y: gy * (y - 0.5 * (sp.k0e(x) + sp.kve(2, x))))
enter(sp.kn, gn=None, gx=lambda gy, n, x: -gy * _half_sum(sp.kn, n, x))
enter(sp.kv, gv=None, gx=lambda gy, v, x: -gy * _half_sum(sp.kv, v, x))
enter(sp.kve, gv=None, gx=lambda gy, v, x, y: gy * (y - _half_sum(sp.kve, v, x)))
enter(sp.hankel1, gv=None, gx=lambda gy, v, x: gy * _half_difference(sp.hankel1, v, x))
enter(sp.hankel2, gv=None, gx=lambda gy, v, x: gy * _half_difference(sp.hankel2, v, x))
enter(
    sp.hankel1e,
    gv=None,
    gx=lambda gy, v, x, y: gy * (_half_difference(sp.hankel1e, v, x) - 1j * y),
)
enter(
    sp.hankel2e,
    gv=None,
    gx=lambda gy, v, x, y: gy * (_half_difference(sp.hankel2e, v, x) + 1j * y),
)


def _struve_term(v: Any, x: Any) -> Any:
    return (0.5 * x) ** v * (sp.rgamma(v + 1.5) / (2 * math.sqrt(math.pi)))


enter(
    sp.struve,
    gv=None,
    gx=lambda gy, v, x: gy * (_half_difference(sp.struve, v, x) + _struve_term(v, x)),
)
enter(
    sp.modstruve,
    gv=None,
    gx=lambda gy, v, x: gy * (_half_sum(sp.modstruve, v, x) + _struve_term(v, x)),
)
enter(
    sp.besselpoly,
    ga=lambda gy, a, lmb, nu, y: gy * (sp.jv(nu, 2 * a) - (lmb + 1) * y) / a,
    glmb=None,
    gnu=None,
)


class _Airy(Primitive):
    def forward(self, z: Any) -> Any:
        return sp.airy(z)

    def gz(self, gys: Any, z: Any) -> Any:
        ai, aip, bi, bip = sp.airy(z)
        return gys[0] * aip + gys[1] * z * ai + gys[2] * bip + gys[3] * z * bi


class _Airye(Primitive):
    """Airy functions times ``exp(+-2/3 z sqrt(z))``: real arguments alone have a derivative."""

    def forward(self, z: Any) -> Any:
        return sp.airye(z)

    def gz(self, gys: Any, z: Any) -> Any:
        if z.dtype.kind == "c":
            raise TypeError(
                "scipy.special.airye is not holomorphic, so it has no derivative at complex "
                "Variables; use scipy.special.airy"
            )
        ai, aip, bi, bip = sp.airye(z)
        root = _root(z)
        decaying = gys[0] * (aip + root * ai) + gys[1] * (z * ai + root * aip)
        growing = gys[2] * (bip - root * bi) + gys[3] * (z * bi - root * bip)
        return np.where(z < 0, 0, decaying) + growing


def _root(z: Any) -> Any:
    """Return the root of positive numbers, 0 for others, with a finite derivative."""
    return np.where(z > 0, np.sqrt(np.where(z > 0, z, 1)), 0)


enter_several(sp.airy, _Airy)
enter_several(sp.airye, _Airye)

enter(sp.ber, gx=lambda gy, x: gy * sp.berp(x))
enter(sp.bei, gx=lambda gy, x: gy * sp.beip(x))
enter(sp.ker, gx=lambda gy, x: gy * sp.kerp(x))
enter(sp.kei, gx=lambda gy, x: gy * sp.keip(x))


def _over(slope: Any, x: Any, at_zero: complex) -> Any:
    """Return ``slope / x``, with its limit at 0."""
    return np.where(x == 0, at_zero, slope / np.where(x == 0, 1, x))


# Kelvin's equation: x**2 w'' + x w' = i x**2 w for w = ber + i bei and w = ker + i kei.
enter(sp.berp, gx=lambda gy, x, y: -gy * (sp.bei(x) + _over(y, x, 0)))
enter(sp.beip, gx=lambda gy, x, y: gy * (sp.ber(x) - _over(y, x, 0.5)))
enter(sp.kerp, gx=lambda gy, x, y: -gy * (sp.kei(x) + y / x))
enter(sp.keip, gx=lambda gy, x, y: gy * (sp.ker(x) - y / x))


class _Kelvin(Primitive):
    def forward(self, x: Any) -> Any:
        return sp.kelvin(x)

    def gx(self, gys: Any, x: Any) -> Any:
        be, ke, bep, kep = sp.kelvin(x)
        return (
            gys[0] * bep
            + gys[1] * kep
            + gys[2] * (1j * be - _over(bep, x, 0.5j))
            + gys[3] * (1j * ke - kep / x)
        )


enter_several(sp.kelvin, _Kelvin)


def _spherical(f: Any, slope: Any, sign: int) -> None:
    """Enter ``f`` and its derivative: ``f'' = -2 f'/x - (sign - n (n + 1)/x**2) f``."""
    enter(f, gn=None, gx=lambda gy, n, x: gy * slope(n, x))
    enter(
        slope,
        gn=None,
        gx=lambda gy, n, x, y: -gy * (2 * y / x + (sign - n * (n + 1) / (x * x)) * f(n, x)),
    )


_spherical(sp._ufuncs._spherical_jn, sp._ufuncs._spherical_jn_d, 1)
_spherical(sp._ufuncs._spherical_yn, sp._ufuncs._spherical_yn_d, 1)
_spherical(sp._ufuncs._spherical_in, sp._ufuncs._spherical_in_d, -1)
_spherical(sp._ufuncs._spherical_kn, sp._ufuncs._spherical_kn_d, -1)
