"""NumPy's statistics, sorting, calculus and polynomials on Variables: conventions and errors."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from dezero import Variable

X = np.array([3.0, 1.0, 2.0])
MASK = np.array([[True, False, True], [False, True, True]])


def gradient(function, *arrays):
    xs = [Variable(np.array(a, float)) for a in arrays]
    np.sum(function(*xs)).backward()
    return xs[0].grad.data if len(xs) == 1 else [x.grad.data for x in xs]


@pytest.mark.parametrize(
    ("call", "lesson"),
    [
        (lambda v: np.quantile(v, 1.5), r"np\.quantile: got 1\.5; quantiles are from 0 to 1"),
        (lambda v: np.percentile(v, -1), r"np\.percentile: .* from 0 to 100"),
        (lambda v: np.quantile(v, 0.5, method="best"), r"got method 'best'; it wants one of inv"),
        (lambda v: np.median(v[:0]), r"np\.median: got no elements"),
        (lambda v: np.convolve(v, v[:0]), r"np\.convolve: got shapes \(3,\) and \(0,\)"),
        (lambda v: np.convolve(v, v, "most"), r"np\.convolve: got mode 'most'; it wants 'full'"),
        (lambda v: np.diff(v, -1), r"np\.diff: got n=-1"),
        (lambda v: np.diff(v[0]), r"np\.diff: got a number"),
        (lambda v: np.gradient(v[:2], edge_order=2), r"np\.gradient: axis 0 has 2 elements"),
        (lambda v: np.gradient(v, edge_order=3), r"np\.gradient: got edge_order=3"),
        (lambda v: np.gradient(v, np.ones(2)), r"got coordinates of shape \(2,\) for axis 0"),
        (lambda v: np.interp(v, X, X[:2]), r"np\.interp: got xp of shape \(3,\) and fp"),
        (lambda v: np.interp(v, X, X, period=0), r"np\.interp: got period=0"),
        (lambda v: np.cov(v.reshape(1, 1, 3)), r"np\.cov: got an array of shape \(1, 1, 3\)"),
        (lambda v: np.cov(v, aweights=X[:2]), r"np\.cov: got weights of shape \(2,\) for 3"),
        (lambda v: np.bincount([0, 1], v), r"np\.bincount: got weights of shape \(3,\) for \(2,"),
        (lambda v: np.polyfit(v, v, 3), r"np\.polyfit: got x of shape \(3,\), .* and degree 3"),
        (lambda v: np.polyder(v, -1), r"np\.polyder: got m=-1.*np\.polyint"),
        (lambda v: np.polyint(v, -1), r"np\.polyint: got m=-1.*np\.polyder"),
        (lambda v: np.apply_along_axis(np.sum, 1, v.reshape(3, 1)[:0]), r"has no vector along"),
    ],
)
def test_a_wrong_value_is_explained(call, lesson):
    with pytest.raises(ValueError, match=lesson):
        call(Variable(X.copy()))


@pytest.mark.parametrize(
    ("call", "lesson"),
    [
        (lambda v: np.quantile(v, v[1] / 2), r"np\.quantile: .*a gradient for q=.*q=v\.data"),
        (
            lambda v: np.quantile(v, 0.5, method="inverted_cdf", weights=X),
            r"weights= have no grad",
        ),
        (lambda v: np.median(v, out=np.zeros(())), r"np\.median: a result that records its grad"),
        (lambda v: np.polyfit(v, v, 1, cov=True), r"np\.polyfit: full= and cov= have no grad"),
        (lambda v: np.gradient(v, 1.0, 2.0), r"np\.gradient: got 2 spacings for 1 axes"),
        (lambda v: np.interp(v, X, X, period=v[0]), r"np\.interp: .*a gradient for period="),
    ],
)
def test_an_argument_that_does_not_fit_is_explained(call, lesson):
    with pytest.raises(TypeError, match=lesson):
        call(Variable(X.copy()))


def test_quantiles_of_what_is_no_number():
    x = np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, np.nan]])
    assert_array_equal(np.median(Variable(x), axis=1).data, [np.nan, np.nan])
    assert_array_equal(np.nanmedian(Variable(x), axis=1).data, [2.0, np.nan])
    assert_array_equal(
        gradient(lambda v: np.nanmedian(v, axis=1), x), [[0.5, 0.0, 0.5], [0.0, 0.0, 0.0]]
    )


def test_quantiles_beside_infinity():
    x = np.array([1.0, 2.0, np.inf])
    assert np.median(Variable(x)).data == 2.0
    assert_array_equal(gradient(np.median, x), [0.0, 1.0, 0.0])


def test_quantiles_have_the_type_that_numpy_gives():
    for dtype in (np.float32, np.float64, np.int64):
        x = np.arange(4).astype(dtype)
        for q in (0.5, [0.2, 0.3], np.array(0.5), np.float64(0.5), np.float32(0.5)):
            assert np.quantile(Variable(x), q).dtype == np.quantile(x, q).dtype


def test_ties_follow_the_permutation():
    x = [2.0, 1.0, 2.0, 1.0]
    assert_array_equal(gradient(lambda v: np.sort(v, kind="stable")[:1], x), [0, 1, 0, 0])
    assert_array_equal(gradient(np.unique, x), [1, 1, 0, 0])


def test_partition_puts_the_kth_element_in_its_place():
    x = np.array([5.0, 2.0, 9.0, 1.0, 7.0])
    v = Variable(x.copy())
    y = np.partition(v, 2)
    assert y.data[2] == 5.0
    assert_array_equal(np.sort(y.data), np.sort(x))
    y[2].backward()
    assert_array_equal(v.grad.data, [1.0, 0.0, 0.0, 0.0, 0.0])


def test_unique_returns_plain_indices_and_counts():
    x = np.array([3.0, 1.0, 3.0])
    got = np.unique(Variable(x), True, True, True)
    for a, b in zip(got, np.unique(x, True, True, True), strict=True):
        assert_array_equal(a.data if isinstance(a, Variable) else a, b)
    assert [type(a) is np.ndarray for a in got] == [False, True, True, True]


def test_functions_of_order_and_counting_are_plain():
    x = np.array([2.4, 1.0, 2.6])
    v = Variable(x)
    for call in [
        lambda x: np.argpartition(x, 1),
        lambda x: np.lexsort((x, np.ones(3))),
        lambda x: np.digitize(x, np.array([1.5, 2.5])),
        lambda x: np.flatnonzero(x),
        lambda x: np.argwhere(x),
        lambda x: np.nanargmax(x),
        lambda x: np.nanargmin(x),
        lambda x: np.count_nonzero(x),
        lambda x: np.histogram_bin_edges(x, 3),
        lambda x: np.histogram(x, 3)[0],
        lambda x: np.histogram(x, 3)[1],
        lambda x: np.bincount(np.array([0, 2]), minlength=len(x)),
    ]:
        assert not isinstance(call(v), Variable)
        assert_array_equal(call(v), call(x))


def test_interpolation_at_a_point_has_the_slope_on_its_right():
    xp, fp = np.array([0.0, 1.0, 3.0]), np.array([0.0, 2.0, 8.0])
    x = np.array([0.0, 1.0, 3.0, 4.0])
    assert_array_equal(np.interp(Variable(x), xp, fp).data, np.interp(x, xp, fp))
    assert_array_equal(gradient(lambda v: np.interp(v, xp, fp), x), [2.0, 3.0, 3.0, 0.0])


def test_gradient_gives_one_array_for_one_axis_and_a_tuple_for_several():
    f = Variable(np.arange(12.0).reshape(3, 4))
    assert isinstance(np.gradient(f, axis=0), Variable)
    assert isinstance(np.gradient(f), tuple)
    assert len(np.gradient(f, axis=(0, 1))) == 2


def test_convolution_and_correlation_of_complex_numbers():
    a, v = np.array([1 + 2j, 3.0, -1j]), np.array([2 - 1j, 0.5j])
    for function in (np.convolve, np.correlate):
        for mode in ("full", "same", "valid"):
            for x, w in [(a, v), (v, a)]:
                assert_allclose(function(Variable(x), w, mode).data, function(x, w, mode))


@pytest.mark.parametrize(
    "function",
    [
        np.sum,
        np.prod,
        lambda z: np.mean(z, 1, where=MASK),
        lambda z: np.var(z, 0),
        lambda z: np.std(z, 1, ddof=1),
        lambda z: np.average(z, 1, weights=z * z),
        lambda z: np.cumsum(z, 1),
        lambda z: np.cumprod(z, 1),
        lambda z: np.diff(z, 2, append=z[:, :1]),
        lambda z: np.gradient(z, axis=1, edge_order=2),
        lambda z: np.trapezoid(z, z[:, ::-1]),
        lambda z: np.convolve(z[0], z[1]),
        lambda z: np.correlate(z[0], z[1, :2]),
        lambda z: np.cov(z),
        lambda z: np.corrcoef(z)[0, 1],
        lambda z: np.polyval(z[0], z[1]),
        lambda z: np.polyfit(z[0], z[1], 1),
        lambda z: np.interp(np.array([0.5, 1.7]), np.arange(3.0), z[0]),
        lambda z: np.sort(z),
        lambda z: np.add.reduceat(z, [0, 1], axis=1),
        lambda z: np.multiply.outer(z, z[0]),
    ],
)
def test_gradients_of_complex_numbers(function, rng):
    """The gradient of a real number is the slope along the real axis, plus i times the other."""
    z, step = rng.normal(size=(2, 3)) + 1j * rng.normal(size=(2, 3)), 1e-6
    weights = rng.normal(size=function(z).shape) + 1j * rng.normal(size=function(z).shape)
    x = Variable(z.copy())
    np.real(np.sum(function(x) * weights)).backward()
    slopes = np.zeros_like(z)
    for i in np.ndindex(z.shape):
        for unit in (1, 1j):
            there, here = z.copy(), z.copy()
            there[i] += step * unit
            here[i] -= step * unit
            change = np.sum(function(there) * weights) - np.sum(function(here) * weights)
            slopes[i] += unit * np.real(change) / (2 * step)
    assert_allclose(x.grad.data, slopes, rtol=1e-6, atol=1e-8)


def test_a_correlation_with_itself_is_one():
    x = Variable(np.array([1.0, 2.0, 4.0]))
    y = np.corrcoef(x)
    assert y.data == 1.0
    y.backward()
    assert_allclose(x.grad.data, 0.0, atol=1e-15)


def test_apply_along_axis_takes_functions_of_variables():
    x = np.arange(6.0).reshape(2, 3)
    assert_array_equal(gradient(lambda v: np.apply_along_axis(np.max, 1, v), x), [[0, 0, 1]] * 2)
    y = np.apply_along_axis(lambda v: 1.0, 0, Variable(x))
    assert_array_equal(y.data, np.ones(3))


def test_integers_become_floats_where_numpy_makes_them_so():
    x = Variable(np.array([1, 2, 4]))
    assert np.cov(x).dtype == np.float64
    assert np.polyint(x).dtype == np.float64
    assert_array_equal(np.polyder(x).data, np.polyder(x.data))
    assert_array_equal(np.gradient(x).data, np.gradient(x.data))
    assert_array_equal(np.diff(x).data, [1, 2])
    assert_allclose(np.unwrap(x * 4).data, np.unwrap(x.data * 4))


def test_division_of_a_short_polynomial_leaves_it():
    u, v = np.array([1.0, 2.0]), np.array([1.0, 0.0, 3.0])
    for got, expected in zip(np.polydiv(Variable(u), v), np.polydiv(u, v), strict=True):
        assert_array_equal(got.data, expected)


def test_division_drops_what_vanishes_of_the_remainder():
    u, v = np.array([1.0, -3.0, 2.0]), np.array([1.0, -1.0])
    for got, expected in zip(np.polydiv(Variable(u), v), np.polydiv(u, v), strict=True):
        assert_array_equal(got.data, expected)


def test_roots_that_are_complex_follow_real_coefficients():
    p = np.array([2.0, -4.0, 10.0])  # 1 +- 2i
    x = Variable(p.copy())
    np.sum(np.real(np.roots(x) ** 2)).backward()
    # the sum of squared roots is (p1 / p0)^2 - 2 p2 / p0
    expected = [-2 * p[1] ** 2 / p[0] ** 3 + 2 * p[2] / p[0] ** 2, 2 * p[1] / p[0] ** 2, -2 / p[0]]
    assert_allclose(x.grad.data, expected, rtol=1e-12)


def test_roots_beside_zeros():
    for p in ([0.0, 0.0, 1.0, -2.0], [1.0, -3.0, 2.0, 0.0], [5.0]):
        assert_allclose(np.roots(Variable(np.array(p))).data, np.roots(p))
    with pytest.raises(ValueError, match=r"np\.poly: got .* \(2, 2\).*np\.linalg\.eigvals"):
        np.poly(Variable(np.eye(2)))


def test_sets_of_values():
    a, b = np.array([3.0, 1.0, 2.0, 1.0]), np.array([[2.0, 5.0], [3.0, 9.0]])
    for function in (np.union1d, np.intersect1d, np.setdiff1d):
        x, z = Variable(a.copy()), Variable(b.copy())
        y = function(x, z)
        assert_array_equal(y.data, function(a, b))
        assert_array_equal(function(x, b).data, y.data)
        np.sum(y * np.arange(1.0, 1 + len(y))).backward()
        slopes = dict(zip(y.data.tolist(), np.arange(1.0, 1 + len(y)), strict=True))
        assert_array_equal(x.grad.data, [slopes.pop(v, 0.0) for v in a.tolist()])
    assert_array_equal(np.isin(Variable(a), b), np.isin(a, b))


def test_sets_return_plain_indices():
    a, b = np.array([3.0, 1.0, 2.0]), np.array([2.0, 3.0])
    got = np.intersect1d(Variable(a), b, return_indices=True)
    for x, expected in zip(got, np.intersect1d(a, b, return_indices=True), strict=True):
        assert_array_equal(x.data if isinstance(x, Variable) else x, expected)


def test_histograms_of_several_dimensions_without_weights_are_plain():
    x, y = np.array([0.0, 1.0, 1.5]), np.array([1.0, 2.0, 2.0])
    for got, expected in [
        (np.histogram2d(Variable(x), y, 2), np.histogram2d(x, y, 2)),
        (np.histogramdd((Variable(x), y), 2), np.histogramdd((x, y), 2)),
    ]:
        assert not isinstance(got[0], Variable)
        assert_array_equal(got[0], expected[0])
