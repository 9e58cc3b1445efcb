"""Elliptic integrals and functions, by Carlson's symmetric forms (DLMF, chapter 19).

In Legendre's own formulas differences of nearly equal numbers are divided by the parameter m,
which may be 0; Carlson's ``elliprd`` is the same quantity without the quotient.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as sp

from dezero.core import Primitive
from dezero.scipy.rules.enter import enter, enter_several

_NEAR = 1e-5  # nearer than that, a difference quotient is taken as the derivative half way


def _safe_difference(a: Any, b: Any) -> tuple[Any, Any]:
    """Return where two numbers nearly agree, and elsewhere their difference (1 there)."""
    near = np.abs(b - a) <= _NEAR * (np.abs(a) + np.abs(b))
    return near, np.where(near, 1, b - a)


def _rd_in_x(x: Any, y: Any, z: Any) -> Any:
    """Return the derivative of ``elliprd(x, y, z)`` for ``x``, by partial fractions."""
    near, difference = _safe_difference(x, z)
    quotient = -0.5 * (sp.elliprd(y, z, np.where(near, z, x)) - sp.elliprd(x, y, z)) / difference
    a = np.where(near, 0.5 * (x + z), 1)
    if np.iscomplexobj(x) or np.iscomplexobj(y) or np.iscomplexobj(z):
        return quotient
    limit = -0.3 * a**-2.5 * sp.hyp2f1(2.5, 0.5, 3.5, 1 - y / a)
    return np.where(near, limit, quotient)


def _times(slope: Any, x: Any, *rest: Any) -> Any:
    """Return ``x * slope(x, ...)``: 0 at ``x = 0``, where the slope is infinite."""
    zero = x == 0
    return np.where(zero, 0, x * slope(np.where(zero, 1, x), *rest))


def _rd_in_z(x: Any, y: Any, z: Any) -> Any:
    """Return the derivative for ``z``: the function is homogeneous of degree -3/2."""
    rest = _times(_rd_in_x, x, y, z) + _times(_rd_in_x, y, x, z)
    return (-1.5 * sp.elliprd(x, y, z) - rest) / z


def _rj_in_x(x: Any, y: Any, z: Any, p: Any) -> Any:
    near, difference = _safe_difference(x, p)
    apart = np.where(near, p + np.abs(p), x)  # the quotient is not used where they agree
    quotient = -0.5 * (sp.elliprd(y, z, apart) - sp.elliprj(x, y, z, p)) / difference
    middle = np.where(near, (1.5 * x + p) / 2.5, 1)
    return np.where(near, _rd_in_z(y, z, middle) / 3, quotient)


def _rj_in_p(x: Any, y: Any, z: Any, p: Any, rj: Any) -> Any:
    rest = _times(_rj_in_x, x, y, z, p) + _times(_rj_in_x, y, x, z, p)
    return (-1.5 * rj - rest - _times(_rj_in_x, z, x, y, p)) / p


def _rc_in_x(x: Any, y: Any, rc: Any) -> Any:
    """Return the derivative of ``elliprc``; its ``y`` may be negative (a principal value)."""
    if np.iscomplexobj(y):
        return -sp.elliprd(y, y, x) / 6
    positive = np.where(y > 0, y, 1)
    gap = np.where(y > 0, 1, y - x)
    value = (rc - 1 / np.sqrt(x)) / (2 * gap)
    return np.where(y > 0, -sp.elliprd(positive, positive, x) / 6, value)


enter(
    sp.elliprc,
    gx=lambda gy, x, z, y: gy * _rc_in_x(x, z, y),
    gz=lambda gy, x, z, y: gy * _rc_in_y(x, z, y),
)


def _rc_in_y(x: Any, y: Any, rc: Any) -> Any:
    if np.iscomplexobj(y):
        return -sp.elliprd(x, y, y) / 3
    positive = np.where(y > 0, y, 1)
    gap = np.where(y > 0, 1, y - x)
    value = (np.sqrt(x) / y - rc) / (2 * gap)
    return np.where(y > 0, -sp.elliprd(x, positive, positive) / 3, value)


enter(
    sp.elliprf,
    gx0=lambda gy, x0, x1, x2: -gy * sp.elliprd(x1, x2, x0) / 6,
    gx1=lambda gy, x0, x1, x2: -gy * sp.elliprd(x2, x0, x1) / 6,
    gx2=lambda gy, x0, x1, x2: -gy * sp.elliprd(x0, x1, x2) / 6,
)
enter(
    sp.elliprd,
    gx0=lambda gy, x0, x1, x2: gy * _rd_in_x(x0, x1, x2),
    gx1=lambda gy, x0, x1, x2: gy * _rd_in_x(x1, x0, x2),
    gx2=lambda gy, x0, x1, x2: gy * _rd_in_z(x0, x1, x2),
)


def _rg_in_x(x: Any, y: Any, z: Any) -> Any:
    return 0.25 * (sp.elliprf(x, y, z) - x * sp.elliprd(y, z, x) / 3)


enter(
    sp.elliprg,
    gx0=lambda gy, x0, x1, x2: gy * _rg_in_x(x0, x1, x2),
    gx1=lambda gy, x0, x1, x2: gy * _rg_in_x(x1, x2, x0),
    gx2=lambda gy, x0, x1, x2: gy * _rg_in_x(x2, x0, x1),
)
enter(
    sp.elliprj,
    gx0=lambda gy, x0, x1, x2, p: gy * _rj_in_x(x0, x1, x2, p),
    gx1=lambda gy, x0, x1, x2, p: gy * _rj_in_x(x1, x2, x0, p),
    gx2=lambda gy, x0, x1, x2, p: gy * _rj_in_x(x2, x0, x1, p),
    gp=lambda gy, x0, x1, x2, p, y: gy * _rj_in_p(x0, x1, x2, p, y),
)

enter(sp.ellipk, gm=lambda gy, m: gy * sp.elliprd(0, 1, 1 - m) / 6)
enter(sp.ellipkm1, gp=lambda gy, p: -gy * sp.elliprd(0, 1, p) / 6)
enter(sp.ellipe, gm=lambda gy, m: -gy * sp.elliprd(0, 1 - m, 1) / 6)


def _first_in_m(phi: Any, m: Any) -> Any:
    """Return the derivative of ``ellipkinc`` for m, of an angle reduced to +-pi/2."""
    turns = np.rint(phi / math.pi)
    s, c = np.sin(phi - turns * math.pi), np.cos(phi - turns * math.pi)
    part = s**3 * sp.elliprd(c * c, 1, 1 - m * s * s)
    return (part + np.where(turns == 0, 0, 2 * turns * sp.elliprd(0, 1, _outside(turns, m)))) / 6


def _second_in_m(phi: Any, m: Any) -> Any:
    """Return the derivative of ``ellipeinc`` for m."""
    turns = np.rint(phi / math.pi)
    s, c = np.sin(phi - turns * math.pi), np.cos(phi - turns * math.pi)
    part = s**3 * sp.elliprd(c * c, 1 - m * s * s, 1)
    return -(part + np.where(turns == 0, 0, 2 * turns * sp.elliprd(0, _outside(turns, m), 1))) / 6


def _outside(turns: Any, m: Any) -> Any:
    """Return ``1 - m`` where whole turns count, a harmless 1 elsewhere."""
    return np.where(turns == 0, 1, 1 - m)


def _delta(phi: Any, m: Any) -> Any:
    s = np.sin(phi)
    return np.sqrt(1 - m * s * s)


enter(
    sp.ellipkinc,
    gphi=lambda gy, phi, m: gy / _delta(phi, m),
    gm=lambda gy, phi, m: gy * _first_in_m(phi, m),
)
enter(
    sp.ellipeinc,
    gphi=lambda gy, phi, m: gy * _delta(phi, m),
    gm=lambda gy, phi, m: gy * _second_in_m(phi, m),
)


class _Ellipj(Primitive):
    """Jacobi's sn, cn, dn and the amplitude: the inverse of ``ellipkinc``."""

    _broadcasts = True

    def forward(self, u: Any, m: Any) -> Any:
        return sp.ellipj(u, m)

    def gradient(self, gys: Any, u: Any, m: Any) -> Any:
        sn, cn, dn, phi = sp.ellipj(u, m)
        along_phi = gys[0] * cn - gys[1] * sn - gys[2] * m * sn * cn / dn + gys[3]
        in_m = -0.5 * gys[2] * sn * sn / dn
        if self.needs[1]:
            in_m = in_m - along_phi * dn * _first_in_m(phi, m)
        return along_phi * dn, in_m


enter_several(sp.ellipj, _Ellipj)


def _agm_in(gy: Any, a: Any, b: Any, y: Any) -> Any:
    return gy * (2 / (3 * math.pi)) * y * y * np.abs(a) * sp.elliprd(0, b * b, a * a)


enter(
    sp.agm,
    ga=lambda gy, a, b, y: _agm_in(gy, a, b, y),
    gb=lambda gy, a, b, y: _agm_in(gy, b, a, y),
)
