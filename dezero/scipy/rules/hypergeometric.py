"""Hypergeometric functions and Wright's function (DLMF, chapters 13, 15 and 16)."""

from __future__ import annotations

import numpy as np
import scipy.special as sp

from dezero.scipy.rules.enter import enter

enter(sp.hyp0f1, gv=None, gz=lambda gy, v, z: gy * sp.hyp0f1(v + 1, z) / v)
enter(
    sp.hyp1f1,
    ga=None,
    gb=None,
    gx=lambda gy, a, b, x: gy * (a / b) * sp.hyp1f1(a + 1, b + 1, x),
)
enter(
    sp.hyp2f1,
    ga=None,
    gb=None,
    gc=None,
    gz=lambda gy, a, b, c, z: gy * (a * b / c) * sp.hyp2f1(a + 1, b + 1, c + 1, z),
)
enter(
    sp.hyperu,
    ga=None,
    gb=None,
    gx=lambda gy, a, b, x: -gy * a * sp.hyperu(a + 1, b + 1, x),
)
enter(
    sp.wright_bessel,
    ga=None,
    gb=None,
    gx=lambda gy, a, b, x: gy * sp.wright_bessel(a, a + b, x),
)
enter(
    sp.log_wright_bessel,
    ga=None,
    gb=None,
    gx=lambda gy, a, b, x, y: gy * np.exp(sp.log_wright_bessel(a, a + b, x) - y),
)
