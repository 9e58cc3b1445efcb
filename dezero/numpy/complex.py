"""Real and imaginary parts, angles, signs of complex Variables.

Inside the walk a gradient ``g`` of a complex ``z`` means ``dL = Re(g dz)`` (core/backward.py), so
the rule of a real-valued function is read off its differential: ``d Im z = Re(-i dz)``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.core import Variable, as_array, elementwise, implements
from dezero.core.elementwise import unary
from dezero.core.operators import absolute, real
from dezero.core.variable import make
from dezero.functions.math import where
from dezero.numpy.ufuncs import arctan2, degrees

Imag = elementwise("Imag", lambda x: np.copy(np.imag(x)), gx=lambda gy: gy * -1j)


@implements(np.imag)
def imag(z: Any) -> Variable:
    """Return the imaginary part."""
    return unary(Imag, z)


@implements(np.angle)
def angle(z: Any, deg: bool = False) -> Variable:
    """Return the angle of a complex number, in radians or degrees; the gradient at 0 is 0."""
    radians = arctan2(imag(z), real(z)) if np.iscomplexobj(z) else arctan2(0, z)
    return degrees(radians) if deg else radians


@implements(np.real_if_close)
def real_if_close(a: Any, tol: float = 100) -> Variable:
    """Return the real part if all imaginary parts are within ``tol`` epsilons of 0, else ``a``."""
    values = a.data if isinstance(a, Variable) else a
    if np.isrealobj(np.real_if_close(values, tol)):
        return real(a)
    return a if isinstance(a, Variable) else make(as_array(a), None)


@implements(np.sign)
def sign(x: Any) -> Any:
    """Return ``x / |x|`` and 0 at 0 for complex Variables; a plain array for real ones."""
    values = x.data if isinstance(x, Variable) else np.asarray(x)
    if values.dtype.kind != "c":
        return np.sign(values)
    nonzero = where(values == 0, 1, x)
    return where(values == 0, 0, nonzero / absolute(nonzero))
