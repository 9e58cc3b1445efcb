"""NumPy's polynomials as vectors of coefficients, the highest power first."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.core import Variable, implements
from dezero.functions import shapes
from dezero.numpy.arguments import typed
from dezero.numpy.calculus import convolve


@implements(np.polyval)
def polyval(p: Any, x: Any) -> Variable:
    """Return a polynomial at ``x``, by Horner's rule; both may be Variables.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.polyval(np.array([3.0, 0.0, 1.0]), Variable(np.array(2.0)))  # 3 x^2 + 1
    variable(13.0)
    """
    p, x = p if isinstance(p, list | tuple) else typed(p), typed(x)
    y = x * 0
    for coefficient in p:
        y = y * x + coefficient
    return y


@implements(np.vander)
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Variable:
    """Return the powers of a vector as columns, the highest first unless ``increasing``."""
    x = typed(x)
    if x.ndim != 1:
        raise ValueError(f"np.vander: got x of shape {x.shape}; it wants a vector")
    count = len(x) if N is None else N
    if count == 0:
        return shapes.expand_dims(x, 1)[:, :0]
    columns = [x * 0 + 1]
    for _ in range(1, count):
        columns.append(columns[-1] * x)
    return shapes.stack(columns if increasing else columns[::-1], 1)


@implements(np.polyder)
def polyder(p: Any, m: int = 1) -> Variable:
    """Return the coefficients of the ``m``-th derivative."""
    p = typed(p)
    if m < 0:
        raise ValueError(f"np.polyder: got m={m}; it wants 0 or more (np.polyint integrates)")
    for _ in range(m):
        powers = np.arange(len(p) - 1, 0, -1)
        p = p[:-1] * (powers.astype(p.dtype) if p.dtype.kind in "fc" else powers)
    return p


@implements(np.polyint)
def polyint(p: Any, m: int = 1, k: Any = None) -> Variable:
    """Return the coefficients of the ``m``-th integral; ``k`` are its constants, 0 by default."""
    p = typed(p)
    if m < 0:
        raise ValueError(f"np.polyint: got m={m}; it wants 0 or more (np.polyder differentiates)")
    p = p if p.dtype.kind in "fc" else shapes.astype(p, np.float64)
    numbers = k is None or isinstance(k, int | float | list | tuple)
    constants = typed(np.asarray(0 if k is None else k, p.dtype) if numbers else k)
    constants = shapes.broadcast_to(shapes.reshape(constants, (-1,)), (m,))
    for i in range(m):
        powers = np.arange(len(p), 0, -1).astype(p.dtype)
        p = shapes.concatenate([p / powers, constants[i : i + 1]])
    return p


@implements(np.polyadd)
def polyadd(a1: Any, a2: Any) -> Variable:
    """Return the coefficients of the sum of two polynomials."""
    a1, a2 = _same_length(a1, a2)
    return a1 + a2


@implements(np.polysub)
def polysub(a1: Any, a2: Any) -> Variable:
    """Return the coefficients of the difference of two polynomials."""
    a1, a2 = _same_length(a1, a2)
    return a1 - a2


@implements(np.polymul)
def polymul(a1: Any, a2: Any) -> Variable:
    """Return the coefficients of the product of two polynomials; leading zeros are dropped."""
    return convolve(_trimmed(a1), _trimmed(a2))


def _vector(p: Any) -> Variable:
    p = typed(p)
    return shapes.reshape(p, (1,)) if p.ndim == 0 else p


def _same_length(a1: Any, a2: Any) -> list[Variable]:
    """Return both with zeros before the shorter one."""
    both = [_vector(a1), _vector(a2)]
    longest = max(len(p) for p in both)
    return [
        p if len(p) == longest else shapes.concatenate([np.zeros(longest - len(p), p.dtype), p])
        for p in both
    ]


def _trimmed(p: Any) -> Variable:
    p = _vector(p)
    nonzero = np.flatnonzero(p.data)
    return p[nonzero[0] :] if len(nonzero) else p[-1:]
