"""What the tests of this folder share: derivatives checked against central differences.

Independent of ``dezero.utils.gradient_check``: the differences are taken of a reference written
in plain NumPy, and the seed is random, so that a gradient that is right only in its sum fails.
"""

from __future__ import annotations

import numpy as np

import dezero.functions as F
from dezero import Variable


def values(seed, *shapes):
    """Return float64 arrays of normal numbers, none of them near zero."""
    rng = np.random.default_rng(seed)
    arrays = []
    for shape in shapes:
        x = rng.standard_normal(shape)
        arrays.append(np.asarray(x + 0.2 * np.sign(x)))
    return arrays if len(arrays) > 1 else arrays[0]


def numeric(f, arrays, weight, eps=1e-6):
    """Return the gradient of ``sum(weight * f(*arrays))`` for each array, by differences."""
    grads = []
    for k, x in enumerate(arrays):
        grad = np.zeros(x.shape)
        for index in np.ndindex(*x.shape):
            ends = []
            for step in (eps, -eps):
                moved = [a.copy() for a in arrays]
                moved[k][index] += step
                ends.append(np.sum(weight * f(*moved)))
            grad[index] = (ends[0] - ends[1]) / (2 * eps)
        grads.append(grad)
    return grads


def first(f, arrays, weight):
    """Return the gradients of ``sum(weight * f)`` that backward leaves."""
    xs = [Variable(a) for a in arrays]
    y = f(*xs)
    y.grad = Variable(weight)
    y.backward()
    return [np.zeros(x.shape) if x.grad is None else x.grad.data for x in xs]


def second(f, arrays, weight, directions):
    """Return the gradients of ``sum_i directions_i * (gradient i)`` for each array."""
    xs = [Variable(a) for a in arrays]
    total = F.sum(f(*xs) * weight)
    total.backward(create_graph=True)
    mixed = F.sum(xs[0].grad * directions[0])
    for x, d in zip(xs[1:], directions[1:], strict=True):
        mixed = mixed + F.sum(x.grad * d)
    for x in xs:
        x.cleargrad()
    if mixed.creator is None:
        return [np.zeros(x.shape) for x in xs]
    mixed = mixed + sum(F.sum(x**2) * 0.0 for x in xs)
    mixed.backward()
    return [x.grad.data for x in xs]


def check(f, reference, *arrays, order=2, rtol=1e-5, atol=1e-7):
    """Assert value, gradient and (``order=2``) second derivative of ``f``."""
    arrays = [np.asarray(a, dtype=np.float64) for a in arrays]
    before = [a.copy() for a in arrays]
    y = f(*[Variable(a) for a in arrays])
    expected = reference(*arrays)
    assert isinstance(y, Variable)
    assert y.shape == np.shape(expected)
    np.testing.assert_allclose(y.data, expected, rtol=1e-10, atol=1e-12)

    rng = np.random.default_rng(99)
    weight = rng.standard_normal(y.shape)
    got = first(f, arrays, weight)
    for g, right, a in zip(got, numeric(reference, arrays, weight), arrays, strict=True):
        assert g.shape == a.shape
        np.testing.assert_allclose(g, right, rtol=rtol, atol=max(atol, 1e-7))

    if order == 2:
        directions = [rng.standard_normal(a.shape) for a in arrays]

        def slope(*moved):
            grads = first(f, moved, weight)
            return sum(np.sum(g * d) for g, d in zip(grads, directions, strict=True))

        right = numeric(slope, arrays, 1.0)
        for g, r in zip(second(f, arrays, weight, directions), right, strict=True):
            np.testing.assert_allclose(g, r, rtol=rtol, atol=1e-6)

    for a, old in zip(arrays, before, strict=True):
        assert np.array_equal(a, old), "the caller's array was changed"


def check_float32(f, *arrays):
    """Assert that float32 stays float32, in the value and in the gradients."""
    xs = [Variable(np.asarray(a, dtype=np.float32)) for a in arrays]
    y = f(*xs)
    assert y.dtype == np.float32
    F.sum(y * y).backward()
    for x in xs:
        assert x.grad.dtype == np.float32
        assert x.grad.shape == x.shape
