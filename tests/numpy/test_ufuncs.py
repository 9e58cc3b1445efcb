"""NumPy's elementwise functions on Variables: far out, at kinks and poles, their errors."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import dezero.functions as F
from dezero import Variable
from dezero.autodiff import grad, jvp, vmap
from dezero.core.protocols import plain, table

X = [-1.5, 0.25, 2.0]


def variable(*values, dtype=np.float64):
    return Variable(np.array(values, dtype))


def gradient(function, *xs, order=1):
    """Return the derivative of some order of a function of one array, element by element."""
    (x,) = xs
    x = Variable(np.array(x))
    y = function(x)
    for _ in range(order):
        x.cleargrad()
        F.sum(y).backward(create_graph=True)
        y = x.grad
    return y.data


# Far from 0, near poles and branch points: values from the formulas' expansions there.


@pytest.mark.parametrize(
    ("function", "x", "expected"),
    [
        (np.arctan, [1e200, -1e150, 1e-200], [0, 1e-300, 1]),
        (np.arctan, [1e100, 1e8], [1e-200, 1e-16]),
        (np.arcsinh, [1e200, -1e300, 1e-200], [1e-200, 1e-300, 1]),
        (np.arccosh, [1e200, 1 + 2.0**-50], [1e-200, 2.0**24.5]),
        (np.arcsin, [1 - 2.0**-50, -1 + 2.0**-50], [2.0**24.5, 2.0**24.5]),
        (np.arccos, [1 - 2.0**-50, 0.0], [-(2.0**24.5), -1]),
        (np.arctanh, [1 - 2.0**-50, -1 + 2.0**-50], [2.0**49, 2.0**49]),
        (np.expm1, [-50.0, 1e-300, -np.inf], [np.exp(-50), 1, 0]),
        (np.log1p, [-1 + 2.0**-50, 1e-300, 1e300], [2.0**50, 1, 1e-300]),
        (np.log2, [2.0**-1000, 2.0**1000], np.array([2.0**1000, 2.0**-1000]) / np.log(2)),
        (np.reciprocal, [1e-100, -1e100], [-1e200, -1e-200]),
        (np.cbrt, [1e-300, -1e300], [1e200 / 3, 1e-200 / 3]),
        (lambda x: np.hypot(x, 3e300), [4e300, -4e300], [0.8, -0.8]),
        (lambda x: np.hypot(x, 3e-300), [4e-300, 0.0], [0.8, 0]),
        (lambda x: np.hypot(x, 1.0), [np.inf, -np.inf, 0.0], [1, -1, 0]),
        (lambda x: np.hypot(x, np.inf), [1.0, -3.0], [0, 0]),
        (lambda x: np.arctan2(x, np.inf), [1.0, -1e300], [0, 0]),
        (lambda x: np.arctan2(1.0, x), [np.inf, -np.inf, 1.0], [0, 0, -0.5]),
        (lambda x: np.arctan2(x, 1e200), [1e200, 0], [5e-201, 1e-200]),
        (lambda x: np.arctan2(1e-200, x), [1e-200, 0.0], [-5e199, -1e200]),
        (lambda x: np.logaddexp(x, -np.inf), [0.0, -1e300, np.inf], [1, 1, 1]),
        (lambda x: np.logaddexp(x, np.inf), [0.0, -np.inf, np.inf], [0, 0, 0.5]),
        (lambda x: np.logaddexp(-np.inf, x), [-np.inf, 0.0], [0.5, 1]),
        (lambda x: np.logaddexp(x, 0.0), [-700.0, 1e300], [np.exp(-700), 1]),
        (lambda x: np.logaddexp2(x, 0.0), [-1000.0, 1.0], [2.0**-1000, 2 / 3]),
        (lambda x: np.remainder(x, np.inf), [1.0, -1.0], [1, 1]),
        (np.i0, [0.0, 1e-300], [0, 5e-301]),
        (np.sinc, [0.0, 1.0, -2.0], [0, -1, -0.5]),
    ],
    ids=lambda x: getattr(x, "__name__", None) if callable(x) else None,
)
def test_gradients_are_right_far_out(function, x, expected):
    with np.errstate(over="ignore", under="ignore"):
        assert_allclose(gradient(function, x), expected, rtol=1e-12, atol=0)


def test_large_float32_numbers_do_not_overflow():
    for function in (np.arctan, np.arcsinh, lambda x: np.hypot(x, x), lambda x: np.arctan2(x, 1)):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            x = variable(1e30, dtype=np.float32)
            function(x).backward()
            assert np.isfinite(x.grad.data)
            assert x.grad.dtype == np.float32


@pytest.mark.parametrize("order", range(9))
def test_sinc_is_exact_at_0_in_all_orders(order):
    wanted = 0 if order % 2 else (-1) ** (order // 2) / (order + 1)
    got = gradient(np.sinc, [0.0, 1e-9], order=order) / np.pi**order
    assert_allclose(got[0], wanted, rtol=1e-14)
    assert_allclose(got[1], wanted, rtol=1e-14, atol=1e-8)


@pytest.mark.parametrize("order", range(1, 6))
def test_sinc_derivatives_are_integrals_of_cosines(order):
    """``sin(t) / t`` is the integral of ``cos(s t)`` over s from 0 to 1 (Gauss, 40 nodes)."""
    x = np.concatenate([np.linspace(-4, 4, 161), np.geomspace(1e-8, 1, 50)])
    nodes, weights = np.polynomial.legendre.leggauss(40)
    s = (nodes[:, np.newaxis] + 1) / 2
    wanted = (weights / 2) @ (s**order * np.cos(s * np.pi * x + order * np.pi / 2))
    assert_allclose(gradient(np.sinc, x, order=order) / np.pi**order, wanted, 0, 1e-13)


@pytest.mark.parametrize("order", range(1, 6))
def test_bessel_derivatives_are_means_over_angles(order):
    """``i0(x)`` is the mean of ``exp(x cos a)``: derivatives bring down powers of ``cos a``."""
    x = np.array([-80.0, -29.9, -0.5, 0.0, 1e-3, 3.0, 30.1, 45.0, 300.0])
    a = np.linspace(0, 2 * np.pi, 512, endpoint=False)[:, np.newaxis]
    wanted = np.mean(np.cos(a) ** order * np.exp(x * np.cos(a) - np.abs(x)), 0)
    got = gradient(np.i0, x, order=order) / np.exp(np.abs(x))
    assert_allclose(got, wanted, rtol=1e-10, atol=1e-16)


@pytest.mark.parametrize("function", [np.hypot, np.arctan2])
def test_no_gradient_at_the_origin_in_any_order(function):
    x, y = variable(0.0), variable(0.0)
    z = function(x, y)
    for _ in range(3):
        x.cleargrad()
        y.cleargrad()
        F.sum(z).backward(create_graph=True)
        z = x.grad + y.grad
        assert_array_equal(z.data, 0)


@pytest.mark.parametrize(
    "function",
    [
        np.arctan,
        np.arcsinh,
        np.tanh,
        lambda x: np.hypot(x, 2.0),
        lambda x: np.arctan2(x, 2.0),
        lambda x: np.arctan2(2.0, x),
        lambda x: np.logaddexp(x, 2.0),
        lambda x: np.logaddexp2(x, 2.0),
    ],
)
def test_second_derivatives_vanish_at_infinity(function):
    for x in (np.inf, -np.inf):
        assert gradient(function, x, order=2) == 0


def test_second_derivative_of_logaddexp_at_a_tie():
    assert_allclose(gradient(lambda x: np.logaddexp(x, 1.5), [1.5], order=2), 0.25)


def test_fmod_at_a_quotient_just_below_a_whole_number():
    x0, x1 = np.nextafter(0.9, 0), variable(0.3)  # x0 / x1 is rounded to 3; there are 2 in it
    np.fmod(x0, x1).backward()
    assert (x0 - np.fmod(x0, 0.3)) / 0.3 == pytest.approx(-x1.grad.data)


# Two outputs.


def test_modf_gives_a_variable_and_a_plain_array():
    x = variable(*X)
    fraction, whole = np.modf(x)
    for got, wanted in zip((fraction.data, whole), np.modf(np.array(X)), strict=True):
        assert_array_equal(got, wanted)
        assert_array_equal(np.signbit(got), np.signbit(wanted))
    assert type(whole) is np.ndarray
    F.sum(fraction).backward()
    assert_array_equal(x.grad.data, 1)


def test_frexp_gives_a_variable_and_plain_exponents():
    values = np.array([*X, 0.0, 5e-324, 1e308, -np.inf])
    x = Variable(values)
    mantissa, exponent = np.frexp(x)
    wanted = np.frexp(values)
    assert_array_equal(mantissa.data, wanted[0])
    assert_array_equal(exponent, wanted[1])
    assert exponent.dtype == wanted[1].dtype
    F.sum(mantissa[:3]).backward()
    assert_array_equal(x.grad.data[:3], 0.5 ** exponent[:3])


def test_divmod_gives_a_plain_array_and_a_variable():
    x, y = variable(*X), variable(0.7, -0.7, 0.7)
    quotient, rest = np.divmod(x, y)
    wanted = np.divmod(x.data, y.data)
    assert_array_equal(quotient, wanted[0])
    assert_array_equal(rest.data, wanted[1])
    assert type(quotient) is np.ndarray
    F.sum(rest).backward()
    assert_array_equal(x.grad.data, 1)
    assert_array_equal(y.grad.data, -quotient)


def test_operators_of_division_with_a_rest():
    x, y = variable(*X), np.array([0.7, -0.7, 0.7])
    a = x.data
    assert_array_equal((x % y).data, a % y)
    assert_array_equal((y % x).data, y % a)
    assert_array_equal((7 % x).data, 7 % a)
    assert_array_equal(x // y, a // y)
    assert_array_equal(7 // x, 7 // a)
    for got, wanted in ((divmod(x, 2), divmod(a, 2)), (divmod(7, x), divmod(7, a))):
        assert_array_equal(got[0], wanted[0])
        assert_array_equal(got[1].data, wanted[1])
    (x % 2).backward()
    assert_array_equal(x.grad.data, 1)
    assert (variable(1.0, dtype=np.float32) % 2).dtype == np.float32


@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.uint8, np.bool_])
@pytest.mark.parametrize(
    "function",
    [np.modf, np.frexp, np.fabs, np.cbrt, np.sinc, np.i0, np.angle, np.imag, np.real, np.arctan],
)
def test_dtypes_are_those_of_numpy(function, dtype):
    for a in (np.array([0, 1, 2], dtype), np.array(1, dtype)):
        got, wanted = function(Variable(a)), function(a)
        pairs = zip(got, wanted, strict=True) if isinstance(wanted, tuple) else [(got, wanted)]
        for y, z in pairs:
            assert y.dtype == np.asarray(z).dtype
            assert y.shape == np.shape(z)


# Plain arrays.


@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated:DeprecationWarning")  # from 2.5 on
@pytest.mark.parametrize(
    "call",
    [
        np.sign, np.floor, np.ceil, np.rint, np.trunc, np.fix, np.round, np.around, np.spacing,
        np.signbit, np.isposinf, np.isneginf, np.isreal, np.iscomplex, np.isfinite,
        lambda v: np.round(v, 1), lambda v: np.floor_divide(v, 0.4),
    ],
)  # fmt: skip
def test_piecewise_constant_functions_give_plain_arrays(call):
    got, wanted = call(variable(*X)), call(np.array(X))
    assert type(got) is np.ndarray
    assert got.dtype == wanted.dtype
    assert_array_equal(got, wanted)


@pytest.mark.parametrize(
    "function",
    [np.gcd, np.lcm, np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.left_shift, np.right_shift],
)
def test_functions_of_whole_numbers_give_plain_arrays(function):
    a, b = np.array([12, 7, 5]), np.array([2, 3, 1])
    got = function(Variable(a), b)
    assert type(got) is np.ndarray
    assert_array_equal(got, function(a, b))


def test_no_ufunc_is_forgotten():
    ufuncs = {f for f in vars(np).values() if isinstance(f, np.ufunc)}
    elsewhere = {"matmul", "matvec", "vecdot", "vecmat"}  # of arrays, not of elements
    missing = {f.__name__ for f in ufuncs - set(table) - plain} - elsewhere
    reasons = {
        "nextafter": "differs from its argument by rounding alone: a derivative means nothing",
        "isnat": "of dates, which a Variable does not hold",
    }
    assert missing == set(reasons)


def test_new_names_of_the_array_api_are_the_same_functions():
    for name in ("acos", "acosh", "asin", "asinh", "atan", "atanh", "atan2", "pow", "conj", "abs"):
        assert getattr(np, name) in table
    y = np.atan2(variable(1.0), np.pow(variable(2.0), 2))
    assert_allclose(y.data, np.arctan2(1.0, 4.0))


# Errors.


def test_nan_to_num_on_variables_is_told_what_it_cannot_do():
    with pytest.raises(TypeError, match=r"copy=False, but a Variable cannot be written"):
        np.nan_to_num(variable(1.0), copy=False)
    with pytest.raises(TypeError, match=r"plain numbers; .*np\.where\(np\.isfinite"):
        np.nan_to_num(variable(1.0), nan=variable(1.0))


def test_nan_to_num_passes_no_gradient_where_it_replaced():
    x = variable(np.nan, np.inf, -np.inf, 2.0)
    assert_array_equal(np.nan_to_num(x).data, np.nan_to_num(x.data))
    y = np.nan_to_num(x, True, 5.0, 6.0, -7.0)
    assert_array_equal(y.data, [5, 6, -7, 2])
    F.sum(y * y).backward()
    assert_array_equal(x.grad.data, [0, 0, 0, 4])


def test_nan_to_num_looks_at_each_part_of_a_complex_number():
    z = Variable(np.array([complex(np.nan, 2), complex(1, -np.inf)]))
    y = np.nan_to_num(z, neginf=-3.0)
    assert_array_equal(y.data, np.nan_to_num(z.data, neginf=-3.0))
    F.sum(np.real(y * y)).backward()  # of a^2 - b^2
    assert_array_equal(z.grad.data, [-4j, 2])


def test_a_rule_less_argument_has_no_gradient():
    x, n = variable(1.0, 2.0), variable(3.0, -1.0)
    np.copysign(x, n).sum().backward()
    assert_array_equal(x.grad.data, [1, -1])
    assert n.grad is None


# Clip.


def test_clip_gives_the_gradient_to_what_was_taken():
    x, low, high = variable(-1.0, 0.5, 9.0, 0.0), variable(0.0, 0.0, 0.0, 0.0), variable(2.0)
    y = np.clip(x, low, high)
    assert_array_equal(y.data, [0, 0.5, 2, 0])
    (y * np.array([1.0, 10.0, 100.0, 1000.0])).backward()
    assert_array_equal(x.grad.data, [0, 10, 0, 1000])
    assert_array_equal(low.grad.data, [1, 0, 0, 0])
    assert_array_equal(high.grad.data, [100])


def test_clip_takes_the_upper_bound_where_the_bounds_cross():
    x, low, high = variable(-1.0, 1.5, 5.0), variable(2.0, 2.0, 2.0), variable(1.0, 1.0, 1.0)
    y = np.clip(x, low, high)
    assert_array_equal(y.data, 1)
    y.sum().backward()
    assert_array_equal(high.grad.data, 1)
    assert_array_equal(x.grad.data, 0)
    assert_array_equal(low.grad.data, 0)


def test_clip_with_numpys_own_names_and_without_bounds():
    x = variable(-1.0, 5.0)
    assert_array_equal(np.clip(x, min=0.0).data, [0, 5])
    assert_array_equal(np.clip(x, max=np.array([0.0, 7.0])).data, [-1, 5])
    np.clip(x, None, None).sum().backward()
    assert_array_equal(x.grad.data, 1)
    assert np.clip(Variable(np.array([1, 5])), 2, None).dtype == int
    with pytest.raises(TypeError, match=r"np\.clip on a Variable: .*'casting'"):
        np.clip(x, 0.0, 1.0, casting="no")


def test_a_clip_that_is_used_twice_keeps_both_graphs():
    clip = F.Clip(0.0, 1.0)
    x, y = variable(0.5), variable(3.0)
    a, b = clip(x), clip(y)
    (a + b).backward()
    assert (x.grad.data, y.grad.data) == (1, 0)


# Complex numbers: dL/dRe + i dL/dIm (the table's rows compare with differences).


@pytest.mark.parametrize(
    ("function", "z", "wanted"),
    [
        (np.absolute, 3 + 4j, 0.6 + 0.8j),
        (np.absolute, 0j, 0j),
        (np.real, 3 + 4j, 1),
        (np.imag, 3 + 4j, 1j),
        (np.angle, 3 + 4j, (-4 + 3j) / 25),
        (np.angle, 0j, 0j),
    ],
)
def test_gradients_of_real_functions_point_uphill(function, z, wanted):
    x = Variable(np.array(z))
    function(x).backward()
    assert_allclose(x.grad.data, wanted)
    assert x.grad.dtype == np.complex128


def test_parts_are_attributes_as_numpys_arrays_have_them():
    z = Variable(np.array([3 + 4j, -1j]))
    assert_array_equal(z.real.data, [3, 0])
    assert_array_equal(z.imag.data, [4, -1])
    assert_array_equal(z.conj().data, z.conjugate().data)
    ((z * z.conj()).real + z.imag).sum().backward()
    assert_array_equal(z.grad.data, [6 + 9j, -1j])


def test_a_python_complex_number_on_either_side_of_a_single_number():
    for x in (variable(2.0)[0], Variable(np.array(2.0))):
        for y in (x * 1j, 1j * x, 1j + x, 1j - x, 1j / x, 1j**x):
            assert y.dtype == np.complex128
            x.cleargrad()
            np.imag(y).backward(retain_grad=True)
            assert x.grad.dtype == np.float64


def test_complex64_stays():
    x = Variable(np.array([0.5 + 0.25j], np.complex64))
    for function in (np.tan, np.arcsinh, np.arctan, np.arccosh, np.log1p, np.sinc, np.sign):
        y = function(x)
        assert y.dtype == np.complex64
        x.cleargrad()
        np.real(y).sum().backward()
        assert x.grad.dtype == np.complex64


def test_arctan_and_arcsinh_of_complex_numbers_near_their_branch_points():
    z = 1j * (1 - 2.0**-40)  # 1 + z^2 = 2^-39 (1 - 2^-41)
    assert_allclose(gradient(lambda x: np.real(np.arctan(x)), z), 2.0**39, rtol=1e-10)
    assert_allclose(gradient(lambda x: np.real(np.arcsinh(x)), z), 2.0**19.5, rtol=1e-10)


def test_arctan_and_arcsinh_of_complex_numbers_far_from_0():
    z = 2e200 + 2e200j
    assert_allclose(gradient(lambda x: np.real(np.arcsinh(x)), z).conj(), 1 / z)
    z = 1e-10 - 1j  # where 1 + z^2 = -2e-10 i + 1e-20
    assert_allclose(gradient(lambda x: np.real(np.arctan(x)), z).conj(), 5e9j, rtol=1e-9)
    z = 1e-10 + (1 - 1e-10) * 1j
    w = 1 - z.imag  # as it is rounded
    slope = 1 / ((1e-10 - w * 1j) * (1e-10 + (2 - w) * 1j))
    assert_allclose(gradient(lambda x: np.real(np.arctan(x)), z).conj(), slope, rtol=1e-14)


def test_the_derivative_of_tan_far_from_the_real_axis():
    z = 0.3 + 25j  # 1 + tan^2 would be rounding errors alone
    assert_allclose(gradient(lambda x: np.real(np.tan(x)), z).conj(), 1 / np.cos(z) ** 2)


def test_real_if_close_keeps_what_is_not():
    near, far = Variable(np.array([1 + 1e-15j])), Variable(np.array([1 + 1e-3j]))
    assert np.real_if_close(near).dtype == np.float64
    assert np.real_if_close(far) is far
    assert np.real_if_close(far, tol=1e14).dtype == np.float64


def test_sign_of_0_has_no_gradient():
    z = Variable(np.array([0j, 3 + 4j]))
    y = np.sign(z)
    assert_allclose(y.data, [0, 0.6 + 0.8j])
    np.imag(y).sum().backward()
    assert_allclose(z.grad.data, [0, -0.096 + 0.072j])  # -ab / r^3 + i a^2 / r^3


# Transformations.


@pytest.mark.parametrize(
    "function",
    [
        lambda v: F.clip(v, -1.0, 1.0),
        lambda v: np.clip(v, -1.0, v * v),
        lambda v: F.pow(v, 2),
        lambda v: v % 0.7,
        lambda v: np.frexp(v)[0],
        lambda v: np.logaddexp(v, 0.3),
        lambda v: np.angle(v + 1j * v * v),
        lambda v: np.real(np.sign(v + 1j) * np.conj(v - 2j)),
        np.nan_to_num,
        np.sinc,
        np.i0,
        np.tan,
    ],
)
def test_tangents_and_examples_agree_with_gradients(function):
    def loss(v):
        return np.sum(function(v) * function(v))

    x = np.linspace(-2.0, 2.1, 6).reshape(3, 2)
    assert_allclose(vmap(function)(x), function(Variable(x)).data)
    gx = grad(loss)(x)
    assert_allclose(vmap(grad(loss))(x), gx)
    assert_allclose(grad(lambda v: np.sum(vmap(loss)(v)))(x), gx)
    t = np.cos(x)
    assert_allclose(jvp(loss, (x,), (t,))[1], np.sum(gx * t))


def test_clip_under_vmap_has_the_same_gradient_on_its_bounds():
    x = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])

    def clipped(v):
        return np.clip(v, -1.0, np.array(1.0))

    assert_array_equal(vmap(grad(clipped))(x), [0, 1, 1, 1, 0])
    assert_array_equal(grad(lambda v: np.sum(vmap(clipped)(v)))(x), [0, 1, 1, 1, 0])
    low = np.zeros(5)
    assert_array_equal(vmap(lambda v, a: np.clip(v, a, None))(x, low), np.maximum(x, 0))
    assert_array_equal(vmap(grad(lambda a, v: np.clip(v, a, 1.5)))(low, x), [1, 1, 0, 0, 0])
