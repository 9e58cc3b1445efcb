"""NumPy, whose arrays may be Variables: ``import dezero.numpy as np``.

Every name of NumPy is here. Most functions are NumPy's own: they find their differentiable
version through NumPy's protocols. Those that NumPy does not ask its arguments about, ``np.array``
of a list of Variables the first, are here in a version that does. So a program written for NumPy,
or for ``autograd.numpy``, is differentiated with its import changed.

Importing :mod:`dezero` enters the rules of this package in the tables of the protocols; with
plain ``import numpy as np`` all but the functions named below work on Variables as well.

Examples
--------
>>> import dezero.numpy as np
>>> from dezero import Variable
>>> x = Variable(np.array([1.0, 2.0, 3.0]))
>>> y = np.array([np.sum(x), x[0] * x[1]])
>>> np.sum(y).backward()
>>> x.grad
variable([3. 2. 1.])
"""

import importlib
from typing import Any

import numpy

from dezero.numpy import (  # noqa: F401
    calculus,
    complex,
    coverage,
    cumulative,
    fft,
    fft_rules,
    histograms,
    indexing,
    joining,
    linalg,
    linalg_rules,
    norms,
    padding,
    polynomials,
    products,
    quantiles,
    reductions,
    shapes,
    sorting,
    statistics,
    ufuncs,
    windows,
    without_nan,
)
from dezero.numpy.creation import (
    array,
    asanyarray,
    asarray,
    ascontiguousarray,
    asfortranarray,
    empty_like,
    full,
    full_like,
    ones_like,
    require,
    zeros_like,
)


def __getattr__(name: str) -> Any:
    if name == "random":  # NumPy's takes longer to load than this package
        return importlib.import_module("dezero.numpy.random")
    return getattr(numpy, name)


def __dir__() -> list[str]:
    return sorted({*dir(numpy), *__all__})


__all__ = [
    "array",
    "asanyarray",
    "asarray",
    "ascontiguousarray",
    "asfortranarray",
    "empty_like",
    "fft",
    "full",
    "full_like",
    "linalg",
    "ones_like",
    "random",
    "require",
    "zeros_like",
]
