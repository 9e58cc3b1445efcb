"""NumPy's polynomials as vectors of coefficients, the highest power first."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.core import Primitive, Variable, implements
from dezero.functions import reductions, shapes
from dezero.numpy.arguments import typed
from dezero.numpy.calculus import convolve


class Roots(Primitive):
    """The roots of a polynomial whose first coefficient is not 0."""

    def forward(self, p: Any) -> Any:
        """Return the roots."""
        return np.roots(p)

    def gp(self, gy: Any, p: Any, y: Any) -> Any:
        """Follow each root: ``p(y) = 0`` stays true as coefficients move."""
        degree = len(p) - 1
        slope, power, powers = 0 * y, 0 * y + 1, []
        for i in range(degree):
            slope = slope * y + p[i] * (degree - i)
        for _ in range(degree + 1):
            powers.append(power)
            power = power * y
        return np.stack([np.sum(-gy / slope * power) for power in powers[::-1]])


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
    p = _floating(p)
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


@implements(np.polydiv)
def polydiv(u: Any, v: Any) -> tuple[Variable, Variable]:
    """Return the coefficients of the quotient and of the remainder of two polynomials."""
    u, v = _floating(u), _floating(v)
    quotient, rest = [], u
    for _ in range(len(u) - len(v) + 1):
        factor = rest[:1] / v[:1]
        quotient.append(factor)
        rest = shapes.concatenate([rest[1 : len(v)] - factor * v[1:], rest[len(v) :]])
    if not quotient:
        return u[:1] * 0, u
    if len(rest) == 0:
        rest = u[:1] * 0
    vanishing = np.cumprod(np.isclose(rest.data, 0, rtol=1e-14))[:-1].sum()
    return shapes.concatenate(quotient), rest[vanishing:]


@implements(np.roots)
def roots(p: Any) -> Variable:
    """Return the roots of a polynomial; the gradient of a multiple root is infinite.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> p = Variable(np.array([1.0, -6.0]))  # x - 6
    >>> np.roots(p)[0].backward()
    >>> p.grad
    variable([-6. -1.])
    """
    p = _trimmed(p)
    return Roots()(p) if len(p) > 1 else p[:0]


@implements(np.poly)
def poly(seq_of_zeros: Any) -> Variable:
    """Return the coefficients of the polynomial with the given roots."""
    zeros = _floating(seq_of_zeros)
    if zeros.ndim != 1:
        raise ValueError(
            f"np.poly: got an array of shape {zeros.shape}; it wants a vector of roots: of a "
            "matrix, np.linalg.eigvals(a)"
        )
    one = np.ones(1, zeros.dtype)
    coefficients = typed(one)
    for i in range(len(zeros)):
        coefficients = convolve(coefficients, shapes.concatenate([one, -zeros[i : i + 1]]))
    return coefficients


@implements(np.polyfit)
def polyfit(
    x: Any,
    y: Any,
    deg: int,
    rcond: Any = None,
    full: bool = False,
    w: Any = None,
    cov: bool = False,
) -> Variable:
    """Return the polynomial of degree ``deg`` that is nearest to the points, by least squares.

    Points and weights may be Variables. ``rcond`` has no effect: points that do not determine
    the polynomial give infinite coefficients.

    Notes
    -----
    Source: modified Gram-Schmidt, Björck, "Solving linear least squares problems by
    Gram-Schmidt orthogonalization", 1967.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> x = np.array([0.0, 1.0, 2.0])
    >>> y = Variable(np.array([1.0, 3.0, 5.0]))
    >>> np.polyfit(x, y, 1)
    variable([2. 1.])
    """
    if full or cov:
        raise TypeError(
            "np.polyfit: full= and cov= have no gradient rule; use v.data for the plain values"
        )
    x, y = _floating(x), _floating(y)
    if x.ndim != 1 or y.ndim not in (1, 2) or len(x) != len(y) or not 0 <= deg < len(x):
        raise ValueError(
            f"np.polyfit: got x of shape {x.shape}, y of shape {y.shape} and degree {deg}; it "
            "wants a vector of more points than the degree, and a value, or a row, for each"
        )
    weights = typed(np.ones(len(x), x.dtype)) if w is None else _floating(w)
    heights = _least_squares(x, weights, shapes.reshape(y, (len(x), -1)), deg)
    return heights if y.ndim == 2 else shapes.reshape(heights, (-1,))


def _least_squares(x: Variable, weights: Variable, y: Variable, deg: int) -> Variable:
    """Return the coefficients, a row for each power of ``x``, the highest first."""
    weights = shapes.expand_dims(weights, 1)
    x = shapes.expand_dims(x, 1)
    power, rest = weights, weights * y
    basis: list[Variable] = []
    shares: list[list[Variable]] = []  # of each earlier direction in a power
    heights: list[Variable] = []
    for _ in range(deg + 1):
        direction, share = power, []
        for other in basis:
            share.append(_projection(other, direction))
            direction = direction - share[-1] * other
        heights.append(_projection(direction, rest))
        rest = rest - heights[-1] * direction
        basis.append(direction)
        shares.append(share)
        power = power * x
    for i in reversed(range(deg + 1)):
        for k in range(i):
            heights[k] = heights[k] - shares[i][k] * heights[i]
    return shapes.stack(heights[::-1])


def _projection(direction: Variable, of: Variable) -> Any:
    """Return how often ``direction`` is contained in each column."""
    other = np.conjugate(direction) if direction.dtype.kind == "c" else direction
    return reductions.sum(other * of, 0) / reductions.sum(other * direction)


def _floating(p: Any) -> Variable:
    p = _vector(p)
    return p if p.dtype.kind in "fc" else shapes.astype(p, np.float64)


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
