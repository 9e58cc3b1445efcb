"""The ufuncs of ``scipy.special`` without a gradient rule, and why; they raise saying so."""

from __future__ import annotations

import scipy.special as sp

from dezero.core.protocols import lessons

_INVERSE = (
    "it solves a distribution function for a shape, and the derivative of the function for that "
    "shape has no closed form"
)
_SERIES = "its derivative is an infinite series that is in no SciPy function"
_CHARACTERISTIC = (
    "a characteristic value is a root of a continued fraction; its derivative has no closed form"
)

_IMPRECISE = "SciPy's own values and slopes of it agree to two digits only"

_REASONS = {
    **dict.fromkeys(
        [
            "bdtrik", "bdtrin", "btdtria", "btdtrib", "chdtriv", "chndtridf", "chndtrinc",
            "fdtridfd", "gdtrib", "nbdtrik", "nbdtrin", "ncfdtri", "ncfdtridfd", "ncfdtridfn",
            "ncfdtrinc", "nctdtridf", "nctdtrinc", "nctdtrit", "pdtrik", "stdtridf",
        ],
        _INVERSE,
    ),
    **dict.fromkeys(
        ["kolmogi", "kolmogorov", "ncfdtr", "nctdtr", "smirnov", "smirnovi", "zetac"], _SERIES
    ),
    "_riemann_zeta": "the derivative of zeta(x) has no closed form; zeta(x, q) has one for q",
    **dict.fromkeys(["mathieu_a", "mathieu_b", "obl_cv", "pro_cv"], _CHARACTERISTIC),
    "sph_harm": "SciPy has removed it; write it with lpmv, np.cos and np.sin",
    **dict.fromkeys(["obl_rad2", "obl_rad2_cv", "pro_rad2", "pro_rad2_cv"], _IMPRECISE),
}  # fmt: skip

NOT_COVERED = {name: why for name, why in _REASONS.items() if hasattr(sp._ufuncs, name)}
"""Why each has no rule, by its name in ``scipy.special``; the names of this version of SciPy's."""

for _name, _reason in NOT_COVERED.items():
    lessons[getattr(sp._ufuncs, _name)] = f"scipy.special.{_name}: {_reason}"
