"""Distributions on Variables: values of SciPy's, first and second derivatives by differences."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from numpy.testing import assert_allclose

from dezero import Variable
from dezero.core.protocols import table
from dezero.scipy import stats

CONTINUOUS = ("pdf", "logpdf", "cdf", "logcdf", "sf", "logsf")
X = np.array([[0.3, 0.9], [1.4, 2.2]])
Q = np.array([0.2, 0.7])

CASES = {
    "norm": (CONTINUOUS, X, (0.4, 1.7)),
    "t": (CONTINUOUS, X, (3.5, 0.4, 1.7)),
    "gamma": (CONTINUOUS, X, (2.5, -0.4, 1.7)),
    "chi2": (CONTINUOUS, X, (3.5, -0.4, 1.7)),
    "beta": (CONTINUOUS, X / 2, (2.5, 1.5, -0.4, 1.9)),
    "poisson": (("pmf", "logpmf", "cdf", "logcdf", "sf", "logsf"), np.array([0, 2, 5]), (1.7,)),
    "dirichlet": (
        ("pdf", "logpdf"),
        np.array([[0.2, 0.5], [0.3, 0.1]]),
        (np.array([1.5, 2.5, 0.7]),),
    ),
}
SHAPES = {"t": 1, "gamma": 1, "chi2": 1, "beta": 2}  # of which cdf has no derivative


def check(ours, reference, args, which):
    """Compare values, and the first and second derivative for each argument in ``which``."""
    wanted = reference(*args)
    seed = np.cos(1 + np.arange(np.size(wanted))).reshape(np.shape(wanted))
    for i in which:
        direction = np.sin(1.0 + np.arange(np.size(args[i]))).reshape(np.shape(args[i]))

        def slope(t, i=i, direction=direction):
            v = Variable(np.asarray(args[i] + t * direction, float))
            y = ours(*(v if j == i else a for j, a in enumerate(args)))
            np.sum(y * seed).backward(create_graph=True)
            return v, y, np.sum(v.grad * direction)

        def value(t, i=i, direction=direction):
            moved = args[i] + t * direction
            return np.sum(reference(*(moved if j == i else a for j, a in enumerate(args))) * seed)

        v, y, first = slope(0.0)
        assert_allclose(y.data, wanted, rtol=1e-10)
        assert y.shape == np.shape(wanted)
        assert_allclose(first.data, difference(value), rtol=1e-6, atol=1e-8)
        second = 0.0  # of what is linear
        if first.creator is not None:
            v.cleargrad()
            first.backward()
            second = np.sum(v.grad.data * direction)
        assert_allclose(second, difference(lambda t: slope(t)[2].data), rtol=1e-6, atol=1e-8)


def difference(f, h=1e-3):
    return (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h)


@pytest.mark.parametrize(
    ("name", "method"), [(n, m) for n, (methods, _, _) in CASES.items() for m in methods]
)
def test_distribution(name, method):
    _, x, parameters = CASES[name]
    args = (x, *parameters)
    differentiable = list(range(len(args)))
    if method in ("cdf", "logcdf", "sf", "logsf"):
        differentiable = [i for i in differentiable if not 0 < i <= SHAPES.get(name, 0)]
    if name == "poisson":
        differentiable = [1]
    ours, reference = (getattr(getattr(m, name), method) for m in (stats, scipy.stats))
    if name == "dirichlet":
        full = np.array([[0.2, 0.5], [0.3, 0.1], [0.5, 0.4]])
        assert_allclose(ours(full, Variable(parameters[0])).data, reference(full, *parameters))
    check(ours, reference, args, differentiable)
    assert_allclose(ours(*args), reference(*args), rtol=1e-10)


@pytest.mark.parametrize("name", ["norm", "t", "gamma", "chi2", "beta"])
@pytest.mark.parametrize("method", ["ppf", "isf"])
def test_inverse(name, method):
    parameters = CASES[name][2]
    args = (Q, *parameters)
    which = [i for i in range(len(args)) if not 0 < i <= SHAPES.get(name, 0)]
    check(getattr(getattr(stats, name), method), getattr(getattr(scipy.stats, name), method),
          args, which)  # fmt: skip


@pytest.mark.parametrize("name", ["gamma", "chi2", "beta"])
@pytest.mark.parametrize("method", ["pdf", "logpdf", "cdf", "sf"])
def test_outside_of_the_support(name, method):
    shapes = CASES[name][2][: SHAPES[name]]
    x = Variable(np.array([-1.0, 0.5, -0.1]))
    y = getattr(getattr(stats, name), method)(x, *shapes)
    assert_allclose(y.data, getattr(getattr(scipy.stats, name), method)(x.data, *shapes))
    y.backward()
    assert_allclose(x.grad.data[[0, 2]], 0.0)
    assert np.isfinite(x.grad.data[1])


def test_poisson_of_impossible_counts():
    mu = Variable(np.array(1.5))
    k = np.array([-1.0, 0.5, 2.0])
    y = stats.poisson.logpmf(k, mu)
    assert_allclose(y.data, scipy.stats.poisson.logpmf(k, 1.5))
    y[2].backward()
    assert_allclose(mu.grad.data, 2 / 1.5 - 1)
    assert_allclose(stats.poisson.cdf(-1, mu).data, 0.0)


def test_far_tails():
    x = Variable(np.array([-1e5]))
    y = stats.norm.logcdf(x)
    y.backward()
    assert_allclose(y.data, scipy.stats.norm.logcdf(-1e5))
    assert_allclose(x.grad.data, 1e5, rtol=1e-9)


def test_float32_stays():
    x = Variable(np.array([0.3, 0.9], np.float32))
    for name, (methods, _, parameters) in CASES.items():
        if name in ("poisson", "dirichlet"):
            continue
        for method in methods:
            x.cleargrad()
            y = getattr(getattr(stats, name), method)(x, *parameters)
            y.backward()
            assert y.dtype == x.grad.dtype == np.float32, (name, method)


def test_a_shape_of_a_distribution_function_is_a_constant():
    with pytest.raises(TypeError, match="gammainc has no derivative"):
        stats.gamma.cdf(X, Variable(np.array(2.0)))


def test_every_other_name_is_scipys():
    assert stats.norm.rvs == scipy.stats.norm.rvs
    assert stats.expon is scipy.stats.expon


def test_dirichlet_checks_its_points():
    alpha = Variable(np.ones(3))
    with pytest.raises(ValueError, match="add up to 1"):
        stats.dirichlet.logpdf(np.array([0.5, 0.5, 0.5]), alpha)
    with pytest.raises(ValueError, match="rows as alpha"):
        stats.dirichlet.logpdf(np.ones(5) / 5, alpha)


needs_linalg = pytest.mark.skipif(
    np.linalg.slogdet not in table, reason="np.linalg on Variables is not there"
)
COV = np.array([[2.0, 0.3], [0.3, 1.0]])


@needs_linalg
@pytest.mark.parametrize("method", ["pdf", "logpdf"])
@pytest.mark.parametrize(
    ("x", "mean", "cov"),
    [
        (X, np.array([0.5, 1.0]), COV),
        (X[0], np.array([0.5, 1.0]), COV),
        (X[0], np.array([0.5, 1.0]), np.array([0.7, 1.2])),
        (X, np.array([0.5, 1.0]), np.array(1.3)),
        (X[0], np.array(0.5), np.array(1.3)),
        (np.array(0.3), np.array(0.5), np.array(1.3)),
    ],
)
def test_multivariate_normal(method, x, mean, cov):
    ours, theirs = (getattr(m.multivariate_normal, method) for m in (stats, scipy.stats))

    def symmetric(f):
        if cov.ndim < 2:
            return f
        return lambda x, mean, cov: f(x, mean, (cov + np.transpose(cov)) * 0.5)

    check(symmetric(ours), symmetric(theirs), (x, mean, cov), range(3))


@needs_linalg
def test_multivariate_normal_entropy():
    cov = Variable(COV)
    y = stats.multivariate_normal.entropy(np.zeros(2), cov)
    y.backward()
    assert_allclose(y.data, scipy.stats.multivariate_normal.entropy(np.zeros(2), COV))
    assert_allclose(cov.grad.data, np.linalg.inv(COV).T / 2)


def test_multivariate_normal_on_plain_arrays_and_wrong_shapes():
    f = stats.multivariate_normal.logpdf
    assert_allclose(f(X, [0.0, 1.0], COV), scipy.stats.multivariate_normal.logpdf(X, [0, 1], COV))
    with pytest.raises(ValueError, match="covariance of shape"):
        f(Variable(X), np.zeros(2), np.eye(3))
    with pytest.raises(ValueError, match="allow_singular"):
        f(Variable(X), np.zeros(2), np.eye(2), allow_singular=True)
