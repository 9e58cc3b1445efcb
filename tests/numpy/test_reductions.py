"""NumPy's reductions and running functions on Variables: types, ties, infinities, errors."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from dezero import Variable

REDUCTIONS = [np.sum, np.prod, np.mean, np.var, np.std, np.nansum, np.nanprod, np.nanmean]
RUNNING = [np.cumsum, np.cumprod, np.nancumsum, np.nancumprod]


def gradient(function, *arrays):
    xs = [Variable(np.array(a, float)) for a in arrays]
    np.sum(function(*xs)).backward()
    return xs[0].grad.data if len(xs) == 1 else [x.grad.data for x in xs]


@pytest.mark.parametrize("function", [*REDUCTIONS, *RUNNING], ids=lambda f: f.__name__)
def test_dtype_is_what_is_computed_in_and_gradients_keep_theirs(function):
    x = Variable(np.array([[1.5, 2.0], [0.5, 3.0]], np.float32))
    y = function(x, axis=1, dtype=np.float64)
    assert y.dtype == np.float64
    assert_array_equal(y.data, function(x.data, axis=1, dtype=np.float64))
    np.sum(y).backward()
    assert x.grad.dtype == np.float32


@pytest.mark.parametrize("function", REDUCTIONS, ids=lambda f: f.__name__)
def test_whole_numbers_give_what_numpy_gives(function):
    x = np.array([[1, 2, 4], [3, 5, 6]])
    for kwargs in [{}, {"axis": 0}, {"axis": -1, "where": x > 1, "keepdims": True}]:
        y = function(Variable(x), **kwargs)
        assert y.dtype == function(x, **kwargs).dtype
        assert_allclose(y.data, function(x, **kwargs))


@pytest.mark.parametrize(
    "function",
    [*REDUCTIONS, *RUNNING, np.max, np.min, np.ptp, np.nanmax, np.nanmin, np.nanvar, np.nanstd],
    ids=lambda f: f.__name__,
)
def test_a_result_cannot_be_written_into_an_array(function):
    name = function.__name__
    with pytest.raises(TypeError, match=rf"np\.{name}: a result .* \(out=\); use y = np\.{name}"):
        function(Variable(np.ones(3)), out=np.zeros(()))


def test_where_must_fit_and_name_the_function():
    with pytest.raises(ValueError, match=r"np\.sum: got where= of shape \(2,\) for .* \(3,\)"):
        np.sum(Variable(np.ones(3)), where=[True, False])
    with pytest.raises(ValueError, match=r"np\.max: where= .* give initial= too"):
        np.max(Variable(np.ones(3)), where=[True, False, True])


def test_products_with_zeros_to_third_order():
    x = Variable(np.array([2.0, 0.0, 0.0, 5.0]))
    y = np.prod(x)
    y.backward(create_graph=True)
    assert_array_equal(x.grad.data, np.zeros(4))
    (g,) = (x.grad,)
    x.cleargrad()
    g[1].backward(create_graph=True)
    assert_array_equal(x.grad.data, [0.0, 0.0, 10.0, 0.0])
    (g,) = (x.grad,)
    x.cleargrad()
    g[2].backward()
    assert_array_equal(x.grad.data, [5.0, 0.0, 0.0, 2.0])


def test_products_neither_overflow_nor_divide():
    assert_array_equal(gradient(np.prod, [1e200, 1e-200, 3.0]), [3e-200, 3e200, 1.0])
    assert_array_equal(gradient(np.cumprod, [0.0, 0.0, 7.0]), [1.0, 0.0, 0.0])


def test_std_of_a_constant_has_gradient_zero_to_second_order():
    x = Variable(np.array([[2.0, 2.0], [1.0, 3.0]]))
    y = np.std(x, axis=1)
    assert_array_equal(y.data, [0.0, 1.0])
    y.backward(create_graph=True)
    assert_array_equal(x.grad.data, [[0.0, 0.0], [-0.5, 0.5]])
    g = x.grad
    x.cleargrad()
    np.sum(g * g).backward()
    assert np.isfinite(x.grad.data).all()


def test_extremes_with_an_initial_value_share_it():
    assert_array_equal(gradient(lambda x: np.max(x, initial=3.0), [1.0, 3.0]), [0.0, 0.5])
    assert_array_equal(gradient(lambda x: np.max(x, initial=5.0), [1.0, 3.0]), [0.0, 0.0])
    y = np.max(Variable(np.ones((2, 0))), axis=1, initial=4.0)
    assert_array_equal(y.data, [4.0, 4.0])


def test_extremes_leave_out_what_is_no_number():
    x = np.array([[np.nan, 1.0, 2.0], [np.nan, np.nan, np.nan]])
    assert_array_equal(np.nanmax(Variable(x), axis=1).data, [2.0, np.nan])
    assert_array_equal(gradient(lambda v: np.nanmin(v, axis=1), x), [[0, 1, 0], [0, 0, 0]])
    y = np.nanmax(Variable(x), axis=1, initial=-1.0)
    assert_array_equal(y.data, [2.0, -1.0])


def test_running_extremes_give_ties_to_the_first():
    x = [1.0, 1.0, 3.0, 2.0, 3.0, np.nan, 4.0]
    y = np.maximum.accumulate(Variable(np.array(x)))
    assert_array_equal(y.data, np.maximum.accumulate(x))
    assert_array_equal(gradient(np.maximum.accumulate, x), [2, 0, 3, 0, 0, 2, 0])
    assert_array_equal(gradient(np.minimum.accumulate, [2.0, 3.0, 1.0, 1.0]), [2, 0, 2, 0])


def test_weights_that_sum_to_zero_are_refused():
    x = Variable(np.ones(2))
    with pytest.raises(ZeroDivisionError, match=r"np\.average: the weights sum to 0"):
        np.average(x, weights=[1.0, -1.0])
    with pytest.raises(ValueError, match=r"np\.average: got weights of shape \(3,\)"):
        np.average(x, axis=0, weights=[1.0, 2.0, 3.0])


def test_average_returns_the_sum_of_the_weights():
    x = np.arange(6.0).reshape(2, 3)
    for weights in (None, [1.0, 2.0, 3.0]):
        ys = np.average(Variable(x), 1, weights, True)
        for y, expected in zip(ys, np.average(x, 1, weights, True), strict=True):
            assert_array_equal(y.data, expected)


def test_ddof_and_correction_are_one_argument():
    x = Variable(np.array([1.0, 2.0, 4.0]))
    assert_allclose(np.var(x, correction=1).data, np.var(x.data, ddof=1))
    with pytest.raises(ValueError, match=r"got ddof=1 and correction=1"):
        np.std(x, ddof=1, correction=1)


def test_variance_of_complex_numbers():
    z = np.array([1 + 2j, 3 - 1j, 0.5j])
    x = Variable(z)
    y = np.var(x)
    assert_allclose(y.data, np.var(z))
    y.backward()
    assert_allclose(x.grad.data, 2 * (z - z.mean()) / 3)


def test_methods_of_ufuncs():
    x, z = np.array([[3.0, 1.0], [2.0, 4.0]]), np.array([1.0, 2.0, 3.0])
    for ufunc in (np.add, np.multiply, np.maximum, np.minimum):
        for kwargs in [{}, {"axis": 1}]:
            assert_array_equal(
                ufunc.accumulate(Variable(x), **kwargs).data, ufunc.accumulate(x, **kwargs)
            )
            assert_array_equal(ufunc.reduce(Variable(x), **kwargs).data, ufunc.reduce(x, **kwargs))
        assert_array_equal(ufunc.reduce(Variable(x), axis=None).data, ufunc.reduce(x, axis=None))
    assert_array_equal(np.add.reduce(Variable(x), 1, None, None, True).data, [[4.0], [6.0]])
    assert_array_equal(np.add.reduceat(Variable(z), [0, 2]).data, [3.0, 3.0])
    with pytest.raises(ValueError, match=r"np\.add\.reduceat: got indices \[0, 3\]"):
        np.add.reduceat(Variable(z), [0, 3])


def test_methods_of_ufuncs_without_a_derivative_are_plain():
    x = np.array([[3.0, 0.0], [2.0, 4.0]])
    for call in (np.logical_and.reduce, np.logical_or.accumulate, np.logical_xor.reduce):
        got = call(Variable(x[::-1]), axis=1)
        assert not isinstance(got, Variable)
        assert_array_equal(got, call(x[::-1], axis=1))


def test_the_largest_number_by_its_ufunc():
    x = np.array([1.0, np.nan, 3.0])
    assert np.fmax.reduce(Variable(x)).data == 3.0
    assert np.fmin.reduce(Variable(x)).data == 1.0


def test_outer_is_the_ufunc_on_all_pairs():
    x, z = np.array([[3.0, 1.0], [2.0, 4.0]]), np.array([1.0, 2.0, 3.0])
    for ufunc in (np.add, np.multiply, np.divide, np.maximum):
        assert_array_equal(ufunc.outer(Variable(x), z).data, ufunc.outer(x, z))
        assert_array_equal(ufunc.outer(2.0, Variable(z)).data, ufunc.outer(2.0, z))
    grads = gradient(np.multiply.outer, x, z)
    assert_array_equal(grads[0], np.full((2, 2), 6.0))
    assert_array_equal(grads[1], np.full(3, 10.0))
    assert np.less.outer(Variable(z), z).dtype == bool


def test_at_says_what_to_write_instead():
    with pytest.raises(TypeError, match=r"np\.add\.at has no .* np\.bincount\(places, weights=v"):
        np.add.at(np.zeros(3), [0, 0], Variable(np.ones(2)))


def test_running_sums_of_several_dimensions_need_an_axis():
    if not hasattr(np, "cumulative_sum"):
        return
    with pytest.raises(ValueError, match=r"np\.cumulative_sum: got an array of 2 dim.* axis=0"):
        np.cumulative_sum(Variable(np.ones((2, 2))))


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (np.prod, "prod"),
        (np.median, "median"),
        (np.cumsum, "cumsum"),
        (np.sort, "sort"),
        (np.gradient, "gradient"),
        (np.trapezoid, "trapezoid"),
        (np.diff, "diff"),
        (np.maximum.accumulate, r"maximum\.accumulate"),
        (lambda v, axis: np.mean(v, axis, where=[True]), "mean|Sum"),
    ],
)
def test_an_axis_that_is_not_there_names_the_function(call, name):
    with pytest.raises(np.exceptions.AxisError, match=rf"({name}).*axis 5 is out of bounds"):
        call(Variable(np.ones(3)), axis=5)
