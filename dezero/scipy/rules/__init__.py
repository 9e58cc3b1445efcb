"""The gradient rules of SciPy's ufuncs, a file a theme; importing this enters them all.

The engine imports it when a program calls a ufunc that it does not know and has SciPy loaded.
"""

from dezero.scipy.rules import (
    bessel,
    distributions,
    elementary,
    elliptic,
    error_functions,
    gamma_functions,
    hypergeometric,
    integrals,
    polynomials,
    wave_functions,
)
from dezero.scipy.rules.not_covered import NOT_COVERED

__all__ = [
    "NOT_COVERED",
    "bessel",
    "distributions",
    "elementary",
    "elliptic",
    "error_functions",
    "gamma_functions",
    "hypergeometric",
    "integrals",
    "polynomials",
    "wave_functions",
]
