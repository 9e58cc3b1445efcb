"""Special functions that NumPy lacks."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.core import dispatched

# Rational approximations, by ranges of |x|, with the coefficients of W. J. Cody's kind published
# in FreeBSD's msun (Sun Microsystems, 1993), highest power first.
_SMALL = (
    (-2.37630166566501626084e-05, -5.77027029648944159157e-03, -2.84817495755985104766e-02,
     -3.25042107247001499370e-01, 1.28379167095512558561e-01),
    (-3.96022827877536812320e-06, 1.32494738004321644526e-04, 5.08130628187576562776e-03,
     6.50222499887672944485e-02, 3.97917223959155352819e-01, 1.0),
)  # fmt: skip
_MIDDLE = (
    (-2.16637559486879084300e-03, 3.54783043256182359371e-02, -1.10894694282396677476e-01,
     3.18346619901161753674e-01, -3.72207876035701323847e-01, 4.14856118683748331666e-01,
     -2.36211856075265944077e-03),
    (1.19844998467991074170e-02, 1.36370839120290507362e-02, 1.26171219808761642112e-01,
     7.18286544141962662868e-02, 5.40397917702171048937e-01, 1.06420880400844228286e-01, 1.0),
)  # fmt: skip
_LARGE = (
    (-9.81432934416914548592e00, -8.12874355063065934246e01, -1.84605092906711035994e02,
     -1.62396669462573470355e02, -6.23753324503260060396e01, -1.05586262253232909814e01,
     -6.93858572707181764372e-01, -9.86494403484714822705e-03),
    (-6.04244152148580987438e-02, 6.57024977031928170135e00, 1.08635005541779435134e02,
     4.29008140027567833386e02, 6.45387271733267880336e02, 4.34565877475229228821e02,
     1.37657754143519042600e02, 1.96512716674392571292e01, 1.0),
)  # fmt: skip
_LARGEST = (
    (-4.83519191608651397019e02, -1.02509513161107724954e03, -6.37566443368389627722e02,
     -1.60636384855821916062e02, -1.77579549177547519889e01, -7.99283237680523006574e-01,
     -9.86494292470009928597e-03),
    (-2.24409524465858183362e01, 4.74528541206955367215e02, 2.55305040643316442583e03,
     3.19985821950859553908e03, 1.53672958608443695994e03, 3.25792512996573918826e02,
     3.03380607434824582924e01, 1.0),
)  # fmt: skip
_ERF_AT_1 = 8.45062911510467529297e-01


@dispatched
def erf(x: Any) -> Any:
    """Return the error function of an array, to the last digit or two of its dtype."""
    x = x if hasattr(x, "dtype") else np.asarray(x)
    a = np.abs(x)
    small = a < 0.84375
    y = np.where(small, x + x * _ratio(_SMALL, np.where(small, x * x, 0)), 0)
    middle = (a >= 0.84375) & (a < 1.25)
    if middle.any():
        s = np.where(middle, a - 1, 0)
        y = np.where(middle, np.copysign(_ERF_AT_1 + _ratio(_MIDDLE, s), x), y)
    large = a >= 1.25
    if large.any():
        b = np.minimum(np.where(large, a, 1.25), 6)  # beyond 6, 1 - erf is below 1e-16
        s = 1 / (b * b)
        ratio = np.where(b < 1 / 0.35, _ratio(_LARGE, s), _ratio(_LARGEST, s))
        y = np.where(large, np.copysign(1 - np.exp(-b * b - 0.5625 + ratio) / b, x), y)
    return np.where(np.isnan(x), x, y).astype(x.dtype if x.dtype.kind == "f" else float)


@dispatched
def sigmoid(x: Any) -> Any:
    """Return ``1 / (1 + exp(-x))`` of an array: no overflow, and exact far below 0 too."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], x: Any) -> Any:
    above, below = (_horner(c, x) for c in coefficients)
    return above / below


def _horner(coefficients: tuple[float, ...], x: Any) -> Any:
    y = coefficients[0]
    for c in coefficients[1:]:
        y = y * x + c
    return y
