"""NumPy's protocols: its own functions on Variables record, compare, or say that they cannot."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import dezero.functions as F
from dezero.core import Variable, dispatched, implements, no_grad
from dezero.core.protocols import plain, table


def vector(*values: float, dtype: type = np.float64) -> Variable:
    return Variable(np.array(values, dtype))


@pytest.mark.parametrize(
    ("numpy_call", "own_call"),
    [
        (np.sin, F.sin),
        (np.negative, F.neg),
        (np.absolute, F.absolute),
        (lambda v: np.sum(v, axis=0), lambda v: F.sum(v, axis=0)),
        (lambda v: np.sum(v, axis=1, keepdims=True), lambda v: F.sum(v, 1, True)),
        (lambda v: np.mean(v, 0), lambda v: F.mean(v, 0)),
        (lambda v: np.max(v, axis=-1), lambda v: F.max(v, axis=-1)),
        (lambda v: np.add(np.ones(3), v), lambda v: F.add(np.ones(3), v)),
        (lambda v: np.ones(3) * v, lambda v: F.mul(np.ones(3), v)),
        (lambda v: np.ones((2, 3)) - v, lambda v: F.sub(np.ones((2, 3)), v)),
        (lambda v: np.ones(3) / v, lambda v: F.div(np.ones(3), v)),
        (lambda v: np.full(3, 2.0) ** v, lambda v: F.pow(np.full(3, 2.0), v)),
        (lambda v: np.matmul(v, np.ones((3, 2))), lambda v: F.matmul(v, np.ones((3, 2)))),
        (lambda v: np.ones((4, 2)) @ v, lambda v: F.matmul(np.ones((4, 2)), v)),
        (lambda v: v @ np.ones(3), lambda v: F.matmul(v, np.ones(3))),
        (lambda v: [[1.0, 2.0]] @ v, lambda v: F.matmul(np.array([[1.0, 2.0]]), v)),
        (lambda v: [1.0, 2.0, 3.0] * v, lambda v: F.mul(np.array([1.0, 2.0, 3.0]), v)),
        (lambda v: np.float64(2.0) * v, lambda v: F.mul(2.0, v)),
        (lambda v: np.float64(2.0) - v, lambda v: F.sub(2.0, v)),
        (lambda v: np.float64(2.0) ** v, lambda v: F.pow(2.0, v)),
        (lambda v: np.array(2.0) / v, lambda v: F.div(2.0, v)),
        (lambda v: np.int64(3) + v, lambda v: F.add(3, v)),
        (
            lambda v: np.concatenate([v, np.ones((1, 3))]),
            lambda v: F.concatenate([v, np.ones((1, 3))]),
        ),
        (
            lambda v: np.concatenate([v, v], axis=None),
            lambda v: F.concatenate([v.reshape(-1)] * 2),
        ),
        (lambda v: np.stack((v, v)), lambda v: F.stack((v, v))),
        (lambda v: np.where(v.data > 1, v, 0.0), lambda v: F.where(v.data > 1, v, 0.0)),
        (lambda v: np.where(v > 1, v, -v), lambda v: F.where(v.data > 1, v, F.neg(v))),
        (lambda v: np.clip(v, 0.0, 1.2), lambda v: F.clip(v, 0.0, 1.2)),
        (lambda v: np.einsum("ij->j", v), lambda v: F.einsum("ij->j", v)),
        (lambda v: np.add.reduce(v), lambda v: F.sum(v, 0)),
        (lambda v: np.maximum.reduce(v, axis=1), lambda v: F.max(v, 1)),
        (lambda v: np.average(v), lambda v: F.average(v)),
        (lambda v: np.pad(v, 1), lambda v: F.pad(v, 1)),
        (lambda v: np.squeeze(np.expand_dims(v, 0)), lambda v: F.squeeze(F.expand_dims(v, 0))),
    ],
)
def test_numpys_own_functions_record_the_same(numpy_call, own_call, rng):
    results = []
    for call in (numpy_call, own_call):
        x = Variable(np.linspace(0.5, 2.0, 6).reshape(2, 3))
        y = call(x)
        assert type(y) is Variable
        y.grad = Variable(np.asarray(np.random.default_rng(0).random(y.shape)))
        y.backward()
        results.append((type(y.creator), y.data, x.grad.data))
    (kind, value, gradient), (own_kind, own_value, own_gradient) = results
    assert kind is own_kind
    assert_array_equal(value, own_value)
    assert_array_equal(gradient, own_gradient)


def test_positive_is_the_variable_itself():
    x = vector(1.0, -2.0)
    assert np.positive(x) is x
    assert +x is x


@pytest.mark.parametrize("scalar", [np.float32(2), np.float16(2), np.int8(2), np.bool_(True)])
def test_numpy_numbers_on_the_left_give_variables(scalar):
    x = vector(1.0, 2.0, dtype=np.float32)
    for y in (
        scalar * x,
        scalar + x,
        x * scalar,
        x - scalar if scalar.dtype != bool else x + scalar,
    ):
        assert type(y) is Variable
        assert y.dtype == np.float32
        y.backward()
        assert x.grad.dtype == np.float32


def test_arrays_on_the_left_give_variables_not_arrays_of_objects():
    x = Variable(np.array(2.0))
    for y in (np.ones(3) + x, np.ones(3) * x, np.ones((3, 1)) / x, np.ones(3) ** x):
        assert type(y) is Variable
        assert y.dtype == np.float64
    assert_array_equal((np.arange(3.0) * x).data, [0.0, 2.0, 4.0])


def test_comparisons_give_plain_arrays():
    x, a = vector(1.0, 2.0, 3.0), np.array([3.0, 2.0, 1.0])
    for got, expected in [
        (x == a, [False, True, False]),
        (a == x, [False, True, False]),
        (x != a, [True, False, True]),
        (a != x, [True, False, True]),
        (x < a, [True, False, False]),
        (a < x, [False, False, True]),
        (x <= 2, [True, True, False]),
        (2 >= x, [True, True, False]),
        (x > x, [False, False, False]),
        (np.float64(2.0) >= x, [True, True, False]),
        (np.greater(x, 1.5), [False, True, True]),
        (np.equal(a, x), [False, True, False]),
        (np.isclose(x, a), [False, True, False]),
        (x == [1, 0, 3], [True, False, True]),
    ]:
        assert type(got) is np.ndarray
        assert got.dtype == bool
        assert_array_equal(got, expected)


def test_comparing_with_something_else_is_python_s_business():
    x = vector(1.0)
    assert (x == None) is False  # noqa: E711
    assert (x != "a") is True
    with pytest.raises(TypeError, match="not supported between"):
        _ = x < "a"


def test_functions_without_a_derivative_give_plain_values():
    x = vector(1.0, 3.0, 2.0)
    assert np.argmax(x) == 1
    assert x.argmax() == 1
    assert x.argmin() == 0
    assert_array_equal(np.argsort(x), [0, 2, 1])
    assert_array_equal(np.sign(x), [1.0, 1.0, 1.0])
    assert_array_equal(np.floor(x), x.data)
    assert_array_equal(np.isnan(x), [False] * 3)
    assert np.shape(x) == (3,)
    assert np.ndim(x) == 1
    assert np.size(x) == 3
    assert np.all(x)
    assert np.allclose(x, x.data)
    assert np.array_equal(x, x)
    assert np.result_type(x, np.float32) == np.float64
    for like in (np.zeros_like, np.ones_like):
        assert type(like(x)) is np.ndarray
        assert like(x).shape == (3,)
    assert_array_equal(np.nonzero(x)[0], [0, 1, 2])
    assert_array_equal(np.searchsorted(np.array([0.0, 2.5]), x), [1, 2, 1])


@pytest.mark.parametrize(
    "lose",
    [
        lambda v, w: np.array(v),
        lambda v, w: np.asarray(v),
        lambda v, w: np.array([v, w]),
        lambda v, w: np.asarray([[v], [w]]),
        lambda v, w: np.array(v, dtype=np.float32),
        lambda v, w: np.full(3, v),
        lambda v, w: np.zeros((2, 3)).__setitem__(slice(None), v),
        lambda v, w: np.random.default_rng(0).permutation(v),
    ],
)
def test_turning_variables_into_arrays_is_refused(lose):
    lesson = r"lose its gradient in silence.*v\.data.*dezero\.numpy\.array"
    with pytest.raises(TypeError, match=lesson):
        lose(vector(1.0, 2.0, 3.0), vector(1.0, 2.0, 3.0))


def test_a_variable_that_wants_no_gradient_is_an_array_on_request():
    t = Variable(np.array([1, 2, 3]), requires_grad=False)
    assert_array_equal(np.array(t), [1, 2, 3])
    assert np.asarray(t).dtype == t.dtype
    assert np.array(t, dtype=np.float32).dtype == np.float32
    with no_grad():
        y = vector(1.0) * 2.0
    assert_array_equal(np.asarray(y), [2.0])
    assert np.asarray(y) is y.data
    assert not np.may_share_memory(np.array(t), t.data)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (np.frompyfunc(float, 1, 1), r"float \(vectorized\)"),
        (lambda v: np.subtract.accumulate(v), "subtract.accumulate"),
        (lambda v: np.multiply.reduceat(v, [0]), "multiply.reduceat"),
        (lambda v: np.add.at(np.zeros(3), [0, 1, 2], v), "add.at"),
    ],
)
def test_a_function_without_a_rule_names_itself(call, name):
    with pytest.raises(
        TypeError, match=rf"np\.{name} has no gradient rule for Variables; use v\.data"
    ):
        call(vector(1.0, 2.0, 3.0))


def test_keywords_of_ufuncs():
    x, condition = vector(1.0, 4.0, 9.0), np.array([True, False, True])
    assert np.sqrt(x, dtype=np.float32).dtype == np.float32
    assert np.sqrt(x, casting="same_kind", order="K").dtype == np.float64
    out = Variable(np.full(3, 7.0), requires_grad=False)
    y = np.sqrt(x, out=out, where=condition)
    assert y is out
    assert_array_equal(y.data, [1.0, 7.0, 3.0])
    np.sum(y).backward()
    assert_allclose(x.grad.data, [0.5, 0.0, 1 / 6])
    assert_array_equal(np.greater(x, 2.0, out=np.zeros(3, bool)), [False, True, True])
    with pytest.raises(TypeError, match=r"np\.sqrt: where= leaves .*np\.where\(condition"):
        np.sqrt(x, where=condition)
    with pytest.raises(TypeError, match=r"np\.add on a Variable: .*'signature'"):
        np.add(x, 1.0, signature="dd->d")


def test_writing_variables_into_an_array_in_place_is_refused():
    a, x = np.ones(2), vector(1.0, 2.0)
    with pytest.raises(TypeError, match=r"np\.multiply: .*lose its gradient"):
        a *= x
    with pytest.raises(TypeError, match=r"np\.add: .*lose its gradient"):
        np.add(x, 1.0, out=a)
    with pytest.raises(RuntimeError, match="a leaf that wants a gradient"):
        np.add(a, x, out=x)
    with pytest.raises(TypeError, match="lose its gradient"):
        a[:] = x
    assert_array_equal(a, [1.0, 1.0])
    assert_array_equal(x.data, [1.0, 2.0])


def test_writing_gradients_into_an_array_in_place_is_what_an_update_does():
    x = vector(1.0, 2.0)
    (x * x).backward()
    a = np.ones(2)
    a -= 0.5 * x.grad
    assert_array_equal(a, [0.0, -1.0])
    x.data -= 0.5 * x.grad
    assert_array_equal(x.data, [0.0, 0.0])


def test_adding_to_a_variable_in_place_makes_a_new_one():
    x = vector(1.0, 2.0)
    y = x
    y += 1.0
    assert y is not x
    assert y.creator is not None
    assert_array_equal(x.data, [1.0, 2.0])


def test_a_program_written_for_numpy_is_differentiated():
    def norm(a):
        return np.sqrt(np.sum(np.square(a), axis=0, keepdims=True))

    def program(a, w):
        h = np.tanh(a @ w / norm(w))
        return np.mean(np.exp(h - np.max(h)) * np.where(h > 0, h, 0.1 * h))

    a, w = np.linspace(-1, 1, 6).reshape(2, 3), np.linspace(0.2, 1, 9).reshape(3, 3)
    x = Variable(w)
    y = program(a, x)
    assert type(y) is Variable
    assert_allclose(y.data, program(a, w))
    y.backward()
    d, h = np.cos(np.arange(9.0)).reshape(3, 3), 1e-5
    slope = (program(a, w + h * d) - program(a, w - h * d)) / (2 * h)
    assert_allclose(np.sum(x.grad.data * d), slope, rtol=1e-7)


def test_functions_that_want_arrays_and_their_own_version_for_variables():
    calls = []

    @dispatched
    def kernel(x, scale=1.0):
        """Scale an array."""
        calls.append(type(x))
        return x * scale

    assert kernel.__doc__ == "Scale an array."
    assert_array_equal(kernel(np.ones(2), 3.0), [3.0, 3.0])
    x = vector(1.0, 2.0)
    with pytest.raises(TypeError, match=r"kernel has no gradient rule"):
        kernel(x)
    try:
        implements(kernel)(lambda x, scale=1.0: F.mul(x, scale))
        y = kernel(x, scale=2.0)
        assert type(y) is Variable
        y.backward()
        assert_array_equal(x.grad.data, [2.0, 2.0])
    finally:
        del table[kernel]
    assert calls == [np.ndarray]


def test_dispatched_functions_look_at_every_argument():
    @dispatched
    def kernel(a, b=None, *, c=None):
        return a if b is None else a + b

    seen = []
    implements(kernel)(lambda *args, **kwargs: seen.append((args, kwargs)) or "own")
    try:
        x = vector(1.0)
        assert kernel(np.ones(1), x) == "own"
        assert kernel(np.ones(1), b=x) == "own"
        assert kernel(np.ones(1), c=x) == "own"
        assert len(seen) == 3
    finally:
        del table[kernel]


def test_dispatched_functions_take_subclasses_of_arrays(tmp_path):
    @dispatched
    def kernel(a):
        return a + 1.0

    mapped = np.memmap(tmp_path / "a", np.float64, "w+", shape=(3,))
    assert_array_equal(kernel(mapped), np.ones(3))


def test_a_foreign_array_gets_its_own_version():
    class Recorded:
        def __array_function__(self, function, types, args, kwargs):
            return function.__name__, len(args), kwargs

    @dispatched
    def kernel(a, b):
        raise AssertionError("the array's own version goes first")

    assert kernel(np.ones(2), Recorded()) == ("kernel", 2, {})


def test_no_function_is_both_recorded_and_plain():
    assert not set(table) & plain
