"""Rows: the ufuncs of scipy.special. SciPy's own values are the reference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.special as sp

import dezero.scipy.rules  # noqa: F401  (enters the rules)
from dezero.core.protocols import table

from .cases import Case, Row, interval

_SHAPES: dict[int, list[tuple[tuple[int, ...], ...]]] = {
    1: [((2, 3),), ((),), ((0, 2),)],
    2: [((2, 3), (2, 3)), ((2, 1), (3,)), ((), ()), ((0, 1), (2,))],
    3: [((2, 2), (2, 2), (2, 2)), ((2, 1), (3,), ()), ((), (), ())],
    4: [((2, 2), (2, 2), (2, 2), (2, 2)), ((2, 1), (3,), (), ())],
}


def row(name: str, *intervals: Any, constants: Any = ((),), **kwargs: Any) -> Row:
    """Return the row of a ufunc: constants (a tuple for each set) come first, then arrays.

    An interval ``None`` stands for an argument whose value is among the constants.
    """
    ufunc = getattr(sp, name, None)
    if not isinstance(ufunc, np.ufunc):
        ufunc = getattr(sp._ufuncs, name)
    places = [i for i, bounds in enumerate(intervals) if bounds is None]
    open_ = [bounds for bounds in intervals if bounds is not None]

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        for number, fixed in enumerate(constants):
            shapes = _SHAPES[len(open_)] if number == 0 else _SHAPES[len(open_)][:1]
            for shape in shapes:
                arrays = [interval(rng, *b, s) for b, s in zip(open_, shape, strict=True)]
                for place, value in zip(places, fixed, strict=True):
                    arrays.insert(place, value)
                yield Case(*arrays)

    name = kwargs.pop("as_", ufunc.__name__)
    return Row(name, ufunc, cases, call=table[ufunc], numpy=(ufunc,), **kwargs)


ANY = (-2.0, 2.0)
PLUS = (0.4, 3.0)
UNIT = (0.1, 0.9)
ORDERS = [(0.5,), (0,), (1,), (2,), (-1.25,)]
WHOLE = [(2,), (0,), (1,), (np.array([0, 1, 3], np.int8),)]

GAMMA = [
    row("gamma", PLUS),
    row("gammaln", PLUS),
    row("loggamma", PLUS),
    row("psi", PLUS),
    row("rgamma", (-3.0, 3.0)),
    row("_zeta", None, PLUS, constants=[(2.5,), (4.0,)]),
    row("beta", PLUS, PLUS),
    row("betaln", PLUS, PLUS),
    row("binom", (4.2, 6.0), PLUS),
    row("poch", PLUS, PLUS),
    row("gammainc", None, PLUS, constants=[(1.5,), (1.0,), (0.5,), (3.0,)]),
    row("gammaincc", None, PLUS, constants=[(1.5,), (1.0,), (0.5,), (3.0,)]),
    row("gammaincinv", None, UNIT, constants=[(1.5,), (3.0,)]),
    row("gammainccinv", None, UNIT, constants=[(1.5,), (3.0,)]),
    row("betainc", None, None, UNIT, constants=[(1.5, 2.5), (0.5, 1.0), (2.0, 3.0)]),
    row("betaincc", None, None, UNIT, constants=[(1.5, 2.5), (0.5, 1.0), (2.0, 3.0)]),
    row("betaincinv", None, None, UNIT, constants=[(1.5, 2.5), (2.0, 3.0)]),
    row("betainccinv", None, None, UNIT, constants=[(1.5, 2.5), (2.0, 3.0)]),
]

ELEMENTARY = [
    row("cbrt", PLUS),
    row("exp2", ANY),
    row("exp10", ANY),
    row("expm1", ANY),
    row("log1p", (-0.5, 2.0)),
    row("cosm1", ANY),
    row("exprel", ANY),
    row("sindg", (-180, 180)),
    row("cosdg", (-180, 180)),
    row("tandg", (-80, 80)),
    row("cotdg", (10, 170)),
    row("radian", ANY, ANY, ANY),
    row("expit", (-6, 6)),
    row("logit", UNIT),
    row("log_expit", (-6, 6)),
    row("xlogy", ANY, PLUS),
    row("xlog1py", ANY, PLUS),
    row("entr", PLUS),
    row("rel_entr", PLUS, PLUS),
    row("kl_div", PLUS, PLUS),
    row("powm1", PLUS, ANY),
    row("huber", PLUS, (3.5, 4.0)),
    row("pseudo_huber", PLUS, ANY),
    row("boxcox", PLUS, ANY),
    row("boxcox1p", PLUS, ANY),
    row("inv_boxcox", PLUS, UNIT),
    row("inv_boxcox1p", PLUS, UNIT),
    row("wrightomega", ANY),
]

ERROR = [
    row("erf", ANY, as_="scipy erf"),
    row("erfc", ANY),
    row("erfi", ANY),
    row("erfcx", ANY),
    row("dawsn", ANY),
    row("erfinv", (-0.9, 0.9)),
    row("erfcinv", (0.1, 1.9)),
    row("ndtr", ANY),
    row("ndtri", UNIT),
    row("log_ndtr", (-6, 3)),
    row("ndtri_exp", (-5, -0.1)),
    row("owens_t", ANY, ANY),
    row("voigt_profile", ANY, PLUS, PLUS),
]

HYPERGEOMETRIC = [
    row("hyp0f1", None, ANY, constants=[(1.5,), (0.25,)]),
    row("hyp1f1", None, None, ANY, constants=[(1.5, 2.5), (-2.0, 0.75)]),
    row("hyp2f1", None, None, None, (-0.8, 0.7), constants=[(1.5, 2.5, 0.75), (1, 1, 2)]),
    row("hyperu", None, None, PLUS, constants=[(1.5, 2.5), (0.5, 0.25)], tolerance=1e-5),
    row("wright_bessel", None, None, PLUS, constants=[(1.0, 2.5)]),
    row("log_wright_bessel", None, None, PLUS, constants=[(1.0, 2.5)]),
]

BESSEL = [
    row("j0", ANY),
    row("j1", ANY),
    row("jv", None, PLUS, constants=ORDERS),
    row("jve", None, PLUS, constants=ORDERS),
    row("y0", PLUS),
    row("y1", PLUS),
    row("yn", None, PLUS, constants=WHOLE),
    row("yv", None, PLUS, constants=ORDERS),
    row("yve", None, PLUS, constants=ORDERS),
    row("i0", ANY),
    row("i1", ANY),
    row("i0e", PLUS),
    row("i1e", PLUS),
    row("iv", None, PLUS, constants=ORDERS),
    row("ive", None, PLUS, constants=ORDERS),
    row("k0", PLUS),
    row("k1", PLUS),
    row("k0e", PLUS),
    row("k1e", PLUS),
    row("kn", None, PLUS, constants=WHOLE),
    row("kv", None, PLUS, constants=ORDERS),
    row("kve", None, PLUS, constants=ORDERS),
    row("struve", None, PLUS, constants=ORDERS),
    row("modstruve", None, PLUS, constants=ORDERS),
    row("besselpoly", PLUS, None, None, constants=[(1.0, 2.0), (0.5, 0.0)]),
    row("airy", ANY),
    row("airye", PLUS),
    row("ber", PLUS),
    row("bei", PLUS),
    row("ker", PLUS),
    row("kei", PLUS),
    row("berp", PLUS),
    row("beip", PLUS),
    row("kerp", PLUS),
    row("keip", PLUS),
    *(
        row(f"_spherical_{kind}{d}", None, PLUS, constants=[(2,), (0,), (1,)])
        for kind in ("jn", "yn", "in", "kn")
        for d in ("", "_d")
    ),
]

ELLIPTIC = [
    row("elliprc", PLUS, PLUS),
    row("elliprf", PLUS, PLUS, PLUS),
    row("elliprd", PLUS, PLUS, PLUS),
    row("elliprg", PLUS, PLUS, PLUS),
    row("elliprj", PLUS, PLUS, PLUS, PLUS),
    row("ellipk", (-2.0, 0.9)),
    row("ellipkm1", (0.1, 2.0)),
    row("ellipe", (-2.0, 0.9)),
    row("ellipkinc", (-6.0, 6.0), (-2.0, 0.8)),
    row("ellipeinc", (-6.0, 6.0), (-2.0, 0.8)),
    row("ellipj", ANY, UNIT),
    row("agm", PLUS, PLUS),
]

INTEGRALS = [
    row("spence", PLUS),
    row("expi", PLUS),
    row("exp1", PLUS),
    row("expn", None, PLUS, constants=WHOLE),
    row("sici", PLUS),
    row("shichi", PLUS),
    row("fresnel", ANY),
    row("itj0y0", PLUS),
    row("iti0k0", PLUS),
    row("it2j0y0", PLUS),
    row("it2i0k0", PLUS),
    row("itairy", PLUS, tolerance=1e-5),
    row("itstruve0", PLUS),
    row("itmodstruve0", PLUS),
    row("it2struve0", PLUS),
]

SHAPE = [(1.5,), (3.0,)]
COUNTS = [(2.0, 5), (0.0, 3), (3.0, 7)]

DISTRIBUTIONS = [
    row("gdtr", PLUS, None, PLUS, constants=SHAPE),
    row("gdtrc", PLUS, None, PLUS, constants=SHAPE),
    row("gdtrix", PLUS, None, UNIT, constants=SHAPE),
    row("gdtria", UNIT, None, PLUS, constants=SHAPE),
    row("chdtr", None, PLUS, constants=SHAPE),
    row("chdtrc", None, PLUS, constants=SHAPE),
    row("chdtri", None, UNIT, constants=SHAPE),
    row("pdtr", None, PLUS, constants=WHOLE),
    row("pdtrc", None, PLUS, constants=WHOLE),
    row("pdtri", None, UNIT, constants=WHOLE),
    row("bdtr", None, None, UNIT, constants=COUNTS),
    row("bdtrc", None, None, UNIT, constants=COUNTS),
    row("bdtri", None, None, UNIT, constants=COUNTS),
    row("nbdtr", None, None, UNIT, constants=COUNTS),
    row("nbdtrc", None, None, UNIT, constants=COUNTS),
    row("nbdtri", None, None, UNIT, constants=COUNTS),
    row("fdtr", None, None, PLUS, constants=[(2.5, 3.5)]),
    row("fdtrc", None, None, PLUS, constants=[(2.5, 3.5)]),
    row("fdtri", None, None, UNIT, constants=[(2.5, 3.5)]),
    row("stdtr", None, ANY, constants=SHAPE),
    row("stdtrit", None, UNIT, constants=SHAPE, tolerance=1e-5),
    row("chndtr", PLUS, None, PLUS, constants=SHAPE),
    row("chndtrix", UNIT, None, PLUS, constants=SHAPE),
    row("nrdtrimn", UNIT, PLUS, ANY),
    row("nrdtrisd", ANY, (0.6, 0.9), PLUS),
    row("tklmbda", (-0.5, 0.5), (0.2, 1.5)),
]

POLYNOMIALS = [
    *(
        row(f"eval_{name}", None, UNIT, constants=WHOLE)
        for name in (
            *("legendre", "sh_legendre", "chebyt", "chebyu", "chebyc", "chebys", "sh_chebyt"),
            *("sh_chebyu", "hermite", "hermitenorm", "laguerre"),
        )
    ),
    *(
        row(f"eval_{name}", None, None, UNIT, constants=[(3, 1.5), (0, 1.5), (2.5, 0.5)])
        for name in ("gegenbauer", "genlaguerre")
    ),
    row("eval_jacobi", None, None, None, UNIT, constants=[(3, 1.5, 0.5), (0, 1.5, 2.5)]),
    row("eval_sh_jacobi", None, None, None, UNIT, constants=[(3, 2.5, 1.5), (0, 3.5, 2.5)]),
    row("lpmv", None, None, UNIT, constants=[(1, 2.0), (0, 3.5), (2, 4.0)]),
]

WAVES = [
    *(row(name, None, PLUS, constants=[(1.5,), (0.0,)]) for name in ("pbdv", "pbvv")),
    row("pbwa", None, ANY, constants=[(1.5,)]),
    *(row(f"mathieu_{f}", None, None, (10, 80), constants=[(2, 1.5)]) for f in ("cem", "sem")),
    *(
        row(f"mathieu_mod{f}", None, None, UNIT, constants=[(2, 1.5)])
        for f in ("cem1", "cem2", "sem1", "sem2")
    ),
    *(
        row(f"{f}", None, None, None, bounds, constants=[(1, 2, 1.5)])
        for f, bounds in (
            ("pro_ang1", UNIT), ("pro_rad1", (1.2, 3.0)), ("obl_ang1", UNIT), ("obl_rad1", UNIT),
        )
    ),
    *(
        row(f"{f}_cv", None, None, None, None, bounds, constants=[(1, 2, 1.5, cv)])
        for f, bounds, cv in (
            ("pro_ang1", UNIT, float(sp.pro_cv(1, 2, 1.5))),
            ("pro_rad1", (1.2, 3.0), float(sp.pro_cv(1, 2, 1.5))),
            ("obl_ang1", UNIT, float(sp.obl_cv(1, 2, 1.5))),
            ("obl_rad1", UNIT, float(sp.obl_cv(1, 2, 1.5))),
        )
    ),
]  # fmt: skip

ROWS = [
    *GAMMA, *ELEMENTARY, *ERROR, *HYPERGEOMETRIC, *BESSEL, *ELLIPTIC, *INTEGRALS, *DISTRIBUTIONS,
    *POLYNOMIALS, *WAVES,
]  # fmt: skip

COMPLEX = {
    sp.wofz, sp.hankel1, sp.hankel2, sp.hankel1e, sp.hankel2e, sp.kelvin, sp.modfresnelp,
    sp.modfresnelm, sp._ufuncs._lambertw,
}  # fmt: skip
"""Of complex values, which the table's checks are not for: tests/scipy/test_special.py."""
