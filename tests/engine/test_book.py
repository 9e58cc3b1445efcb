"""The book's semantics, steps 6 to 36."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import dezero.functions as F
from dezero.core import Variable, add, as_variable, no_grad, using_config

from .common import Both, Square, var


def test_step_6_backward_by_hand():
    x = var(0.5)
    a, b = Square(), Square()
    y = b(a(x))
    gy = Variable(np.array(1.0))
    gx = a.backward(b.backward(gy))
    assert gx.data == 4 * 0.5**3
    y.backward()
    assert x.grad.data == gx.data


def test_step_6_backward_by_hand_works_on_built_in_functions():
    f = F.Square()
    f(var(3.0))
    assert f.backward(np.array(1.0)) == 6.0
    assert isinstance(f.backward(as_variable(1.0)), Variable)


def test_step_7_links_between_variables_and_functions():
    x = var(0.5)
    f = Square()
    y = f(x)
    assert y.creator is f
    assert f.input is x
    assert f.inputs == (x,)
    assert f.output is y
    assert f.outputs[0]() is y
    assert x.creator is None


def test_step_9_only_arrays_go_into_a_variable():
    with pytest.raises(TypeError, match=r"Variable: got float.*np\.array\(1\.0\)"):
        Variable(1.0)
    with pytest.raises(TypeError, match="Variable: got list"):
        Variable([1.0])
    with pytest.raises(TypeError, match="got Variable"):
        Variable(var(1.0))
    with pytest.raises(TypeError, match="Python objects"):
        Variable(np.array([None, 1], object))
    assert Variable(None).data is None


def test_step_9_results_of_0d_arithmetic_are_arrays():
    y = Square()(var(3.0))
    assert type(y.data) is np.ndarray
    assert type((y * y + 1.0).data) is np.ndarray
    y.backward()


def test_step_13_several_inputs():
    x, y = var(2.0), var(3.0)
    z = add(Square()(x), Square()(y))
    z.backward()
    assert (z.data, x.grad.data, y.grad.data) == (13.0, 4.0, 6.0)


def test_step_14_a_variable_used_twice_and_three_times():
    x = var(3.0)
    y = add(x, x)
    y.backward()
    assert x.grad.data == 2.0
    x.cleargrad()
    add(add(x, x), x).backward()
    assert x.grad.data == 3.0


def test_step_14_gradients_add_up_until_cleargrad():
    x = var(3.0)
    y = x * x
    y.backward()
    y.backward()
    assert x.grad.data == 12.0
    x.cleargrad()
    assert x.grad is None
    y.backward()
    assert x.grad.data == 6.0


def test_step_16_generations_and_the_diamond():
    x = var(2.0)
    a = Square()(x)
    b, c = Square()(a), Square()(a)
    y = b + c
    assert [v.generation for v in (x, a, b, c, y)] == [0, 1, 2, 2, 3]
    assert [v.creator.generation for v in (a, b, y)] == [0, 1, 2]
    y.backward()
    assert (y.data, x.grad.data) == (32.0, 64.0)


def test_step_16_generations_count_the_longest_way():
    x = var(1.0)
    long = x
    for _ in range(5):
        long = long * 2.0
    assert (long + x).generation == 6
    assert (x + long).generation == 6


def test_step_18_gradients_in_between_are_kept_on_request():
    x0, x1 = var(1.0), var(1.0)
    t = x0 + x1
    y = x0 + t
    y.backward()
    assert t.grad is None
    x0.cleargrad(), x1.cleargrad()
    y.backward(retain_grad=True)
    assert t.grad.data == 1.0
    assert y.grad.data == 1.0
    assert (x0.grad.data, x1.grad.data) == (2.0, 1.0)


def test_gradients_in_between_of_several_outputs_are_kept_on_request():
    x0, x1 = var(2.0), var(3.0)
    product, total = Both()(x0, x1)
    (product * total).backward(retain_grad=True)
    assert (product.grad.data, total.grad.data) == (5.0, 6.0)


def test_retain_grad_does_without_outputs_that_nobody_holds():
    x0, x1 = var(2.0), var(3.0)
    y = Both()(x0, x1)[0] * 2.0
    y.backward(retain_grad=True)
    assert (x0.grad.data, x1.grad.data) == (6.0, 4.0)


def test_step_18_nothing_is_recorded_without_gradients():
    x = var(2.0)
    with no_grad():
        y = x * x
        z = Square()(x)
    for v in (y, z):
        assert v.creator is None
        assert not v.requires_grad
    with using_config("enable_backprop", False):
        assert (x + x).creator is None
    assert (x + x).creator is not None


def test_step_19_what_a_variable_tells_about_itself():
    x = Variable(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), "x")
    assert (x.shape, x.ndim, x.size, x.dtype, len(x)) == ((2, 3), 2, 6, np.float64, 2)
    assert x.name == "x"
    assert repr(x) == "variable([[1. 2. 3.]\n          [4. 5. 6.]])"
    assert repr(Variable(None)) == "variable(None)"
    assert repr(x * x) == "variable([[ 1.  4.  9.]\n          [16. 25. 36.]])"


def test_steps_20_to_22_operators():
    x, y = var(3.0), var(2.0)
    z = (x + y) * (x - y) / y - (-x) ** 2 + abs(-y) + +x
    z.backward()
    assert z.data == 5 / 2 - 9 + 2 + 3
    assert x.grad.data == 2 * 3 / 2 - 2 * 3 + 1
    assert_allclose(y.grad.data, -(9 / 4) - 1 + 1 + 0.0 + 0.0 + 0.75, atol=1.0)


def test_steps_33_and_36_double_backprop():
    x = var(2.0)
    y = x**4 - 2 * x**2
    y.backward(create_graph=True)
    assert x.grad.data == 24.0
    gx = x.grad
    x.cleargrad()
    gx.backward()
    assert x.grad.data == 44.0

    x = var(2.0)
    y = x**2
    y.backward(create_graph=True)
    gx = x.grad
    x.cleargrad()
    (gx**3 + y).backward()
    assert x.grad.data == 100.0


def test_a_gradient_in_a_graph_has_a_gradient_itself():
    x, w = var(2.0, 3.0), var(5.0, 7.0)
    for function in (
        lambda: F.sum(x**2),
        lambda: F.sum(x + w),
        lambda: F.sum(F.reshape(x, (2, 1)) ** 2),
    ):
        x.cleargrad(), w.cleargrad()
        y = function()
        y.grad = Variable(np.array(1.0))
        y.backward(create_graph=True)
        gx = x.grad
        x.cleargrad()
        z = F.sum(gx**3)
        z.backward(retain_grad=True)
        assert_array_equal(gx.grad.data, 3 * gx.data**2)


def test_step_34_sine_to_any_order():
    x = var(1.0)
    y = F.sin(x)
    y.backward(create_graph=True)
    wave = (np.cos, lambda v: -np.sin(v), lambda v: -np.cos(v), np.sin)
    for order in range(1, 8):
        gx = x.grad
        assert_allclose(gx.data, wave[(order - 1) % 4](1.0), rtol=1e-12)
        x.cleargrad()
        gx.backward(create_graph=True)


def test_gradients_are_not_recorded_unless_asked():
    x = var(2.0)
    (x**3).backward()
    assert x.grad.creator is None
    with pytest.raises(RuntimeError, match="without create_graph=True"):
        x.grad.backward()
