"""Gradients: whose they are, their dtypes, and arrays written in place."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import dezero.functions as F
from dezero.core import Parameter, Variable, no_grad

from .common import Square, var


def test_gradients_never_share_memory():
    a, b = var(1.0, 2.0), var(3.0, 4.0)
    y = a + b
    for create_graph in (False, True):
        a.cleargrad(), b.cleargrad(), y.cleargrad()
        y.backward(create_graph=create_graph)
        grads = [a.grad.data, b.grad.data, y.grad.data]
        for i, g in enumerate(grads):
            assert g.base is None
            assert g.flags.writeable
            assert not any(np.may_share_memory(g, h) for h in grads[:i])


def test_gradients_in_between_never_share_memory():
    a = var(1.0, 2.0)
    b = a + 0.0
    c = b + 0.0
    c.backward(retain_grad=True)
    grads = [v.grad.data for v in (a, b, c)]
    for i, g in enumerate(grads):
        assert not any(np.may_share_memory(g, h) for h in grads[:i])


def test_a_gradient_never_is_the_users_seed():
    x = var(1.0, 2.0)
    y = x + 0.0
    seed = np.array([1.0, 2.0])
    y.grad = Variable(seed)
    y.backward()
    assert not np.may_share_memory(x.grad.data, seed)
    x.cleargrad()
    y.backward(create_graph=True)
    assert not np.may_share_memory(x.grad.data, seed)


def test_an_in_place_step_on_one_gradient_leaves_the_other_alone():
    a, b = Parameter(np.ones(2)), Parameter(np.ones(2))
    (a + b).backward()
    a.grad.data *= 10.0
    assert_array_equal(b.grad.data, [1.0, 1.0])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (3,)])
@pytest.mark.parametrize(
    "compute",
    [
        lambda x: x + 1,
        lambda x: 1.5 + x,
        lambda x: x - 2.5,
        lambda x: 2 - x,
        lambda x: x * 2.0,
        lambda x: 2.0 * x,
        lambda x: x / 3,
        lambda x: 3.0 / x,
        lambda x: x**2,
        lambda x: x**0.5,
        lambda x: 2**x,
        lambda x: 2.0**x,
        lambda x: -x,
        lambda x: abs(x),
        lambda x: x * True,
        lambda x: np.add(x, 1.0),
        lambda x: x + dtype_of(x).type(1.0),
        lambda x: dtype_of(x).type(2.0) * x,
    ],
)
def test_python_numbers_are_weak(dtype, shape, compute):
    x = Variable(np.full(shape, 0.75, dtype))
    for create_graph in (False, True):
        x.cleargrad()
        y = compute(x)
        y.backward(create_graph=create_graph)
        assert type(y) is Variable
        assert y.dtype == dtype
        assert x.grad.dtype == dtype
        assert y.grad.dtype == dtype


def dtype_of(x):
    return np.dtype(x.dtype)


def test_a_gradient_has_the_dtype_of_its_own_variable():
    a = Variable(np.ones(3, np.float32))
    b = Variable(np.ones(3, np.float64))
    for create_graph in (False, True):
        a.cleargrad(), b.cleargrad()
        y = a * b
        y.backward(create_graph=create_graph)
        assert (y.dtype, a.grad.dtype, b.grad.dtype) == (np.float64, np.float32, np.float64)


def test_a_seed_of_another_dtype_takes_the_dtype_of_the_result():
    x = Variable(np.ones(3, np.float32))
    y = x * 2.0
    y.grad = Variable(np.ones(3))
    y.backward()
    assert x.grad.dtype == np.float32


def test_functions_that_count_have_integer_gradients():
    x = Variable(np.arange(6).reshape(2, 3))
    y = x + x - Variable(np.arange(3)) + (-x)
    y.backward()
    assert_array_equal(x.grad.data, np.ones((2, 3), int))
    assert x.grad.dtype == x.dtype
    x.cleargrad()
    F.sum(F.transpose(F.reshape(x, (3, 2)))).backward()
    assert_array_equal(x.grad.data, np.ones((2, 3), int))


@pytest.mark.parametrize(
    "compute",
    [lambda x: x * x, lambda x: x**2, lambda x: x / 2, lambda x: x * 0.5, lambda x: F.sin(x)],
)
def test_other_functions_of_integers_have_none(compute):
    x = Variable(np.array([1, 2, 3]))
    y = compute(x)
    with pytest.raises(TypeError, match=r"backward through \w+.*integer.*float"):
        y.backward()
    assert x.grad is None


def test_writing_to_a_leaf_between_forward_and_backward_is_noticed():
    for function in (lambda x: x * x, lambda x: x**3, Square(), F.sin, F.exp):
        x = Variable(np.array([1.0, 2.0]), "x")
        y = function(x)
        x.data += 1.0
        if function is F.exp:  # keeps its output: nothing is lost
            y.backward()
        else:
            with pytest.raises(
                RuntimeError,
                match=r"variable 'x' .* changed in place, at .*test_gradients\.py:\d+",
            ):
                y.backward()
            assert x.grad is None


def test_writing_where_no_rule_needs_the_value_is_allowed():
    x = var(1.0, 2.0)
    y = x + 1.0
    x.data *= 5.0
    y.backward()
    assert_array_equal(x.grad.data, [1.0, 1.0])


def test_writing_to_a_computed_variable_is_refused():
    y = var(1.0, 2.0) * 2.0
    with pytest.raises(RuntimeError, match=r"in-place write .* y\.data = y\.data \+ 1"):
        y.data += 1.0


def test_assigning_a_new_array_is_allowed():
    x = var(1.0, 2.0)
    y = x * x
    x.data = x.data + 10.0
    y.backward()
    assert_array_equal(x.grad.data, [2.0, 4.0])
    with no_grad():
        for _ in range(3):
            x.data -= 0.1 * x.grad.data
    z = x * x
    z.backward()
    z.backward(create_graph=True)


def test_training_with_in_place_updates_works():
    w = Parameter(np.array([1.0, 2.0]))
    for _ in range(5):
        w.cleargrad()
        (w * w).backward()
        w.data -= 0.1 * w.grad.data
    assert_allclose(w.data, np.array([1.0, 2.0]) * 0.8**5)
