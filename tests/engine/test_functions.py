"""What users' functions may do, and the errors that teach; higher orders."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import dezero.functions as F
from dezero.core import Config, Function, Parameter, Variable, using_config

from .common import Both, Halves, Square, var


def test_a_users_backward_of_the_wrong_length_is_named():
    class Short(Function):
        def forward(self, x, y):
            return x + y

        def backward(self, gy):
            return gy

    x, y = var(1.0), var(2.0)
    with pytest.raises(ValueError, match=r"Short\.backward returned 1 gradients for 2 inputs"):
        Short()(x, y).backward()
    assert x.grad is y.grad is None


def test_a_users_backward_may_return_a_list():
    class Listed(Function):
        def forward(self, x, y):
            return x + y

        def backward(self, gy):
            return [gy, 2.0 * gy]

    x, y = var(1.0), var(2.0)
    Listed()(x, y).backward()
    assert (x.grad.data, y.grad.data) == (1.0, 2.0)


def test_a_users_gradient_of_the_wrong_shape_is_named():
    class Wide(Function):
        def forward(self, x):
            return x * 1.0

        def backward(self, gy):
            return F.broadcast_to(gy, (4, 3))

    x = Variable(np.ones(3))
    with pytest.raises(ValueError, match=r"Wide\.backward .*\(4, 3\).*\(3,\)"):
        Wide()(x).backward()
    assert x.grad is None


def test_a_users_gradient_of_another_dtype_is_converted():
    class Doubled(Function):
        def forward(self, x):
            return x * np.float32(2.0)

        def backward(self, gy):
            return np.full(gy.shape, 2.0)

    x = Variable(np.ones(3, np.float32))
    Doubled()(x).backward()
    assert x.grad.dtype == np.float32
    assert type(x.grad) is Variable


def test_functions_without_a_forward_or_backward_say_so():
    class Empty(Function):
        pass

    class Blind(Function):
        def forward(self, x):
            return x

    with pytest.raises(NotImplementedError, match="Empty has no forward"):
        Empty()(var(1.0))
    with pytest.raises(NotImplementedError, match="Blind has no backward"):
        Blind()(var(1.0)).backward()


def test_an_error_on_the_way_changes_no_gradient_and_no_configuration():
    class Broken(Function):
        def forward(self, x):
            return x * 1.0

        def backward(self, gy):
            raise ZeroDivisionError("by the test")

    x, w = var(1.0), var(2.0)
    x.grad = Variable(np.array(7.0))
    y = Broken()(x) + w
    for create_graph in (False, True):
        for before in (True, False):
            with using_config("enable_backprop", before):
                with pytest.raises(ZeroDivisionError):
                    y.backward(retain_grad=True, create_graph=create_graph)
                assert Config.enable_backprop is before
    assert x.grad.data == 7.0
    assert w.grad is None
    assert y.grad is None


def test_forward_gets_arrays_also_where_numpy_gave_a_number():
    kinds = []

    class Kind(Function):
        def forward(self, x):
            kinds.append(type(x))
            return x * 2.0

        def backward(self, gy):
            return 2.0 * gy

    Kind()(Kind()(var(1.0) * 2.0) * 3.0)
    Kind()(2.0)
    Kind()(np.float32(2.0))
    assert kinds == [np.ndarray] * 4


def test_backward_gets_variables_of_the_right_kind():
    seen = []

    class Kind(Function):
        def forward(self, x):
            return x * 2.0

        def backward(self, gy):
            seen.append((type(gy), type(gy.data), gy.creator is not None))
            return 2.0 * gy

    x = var(2.0)
    (Kind()(x) ** 2).backward()
    assert seen.pop() == (Variable, np.ndarray, False)
    (Kind()(x) ** 2).backward(create_graph=True)
    assert seen.pop() == (Variable, np.ndarray, True)


def test_wrong_shapes_name_the_function_and_what_it_got():
    with pytest.raises(ValueError, match=r"Add got float64 \(2,\), float64 \(3,\)"):
        Variable(np.ones(2)) + Variable(np.ones(3))
    with pytest.raises(ValueError, match=r"Both got float64 \(2,\), float64 \(3,\)"):
        Both()(np.ones(2), np.ones(3))
    with pytest.raises(TypeError, match="Add got str"):
        Variable(np.ones(2)) + "1"


def test_a_parameter_without_a_shape_says_so():
    p = Parameter(None, "W")
    for use in (lambda: p * 2.0, lambda: 2.0 - p, lambda: F.sin(p), lambda: Square()(p)):
        with pytest.raises(ValueError, match="'W' holds no array yet"):
            use()
    with pytest.raises(ValueError, match="'W' holds no array yet"):
        _ = p.shape


def test_users_functions_are_differentiated_to_any_order():
    class Cube(Function):
        def forward(self, x):
            return x**3

        def backward(self, gy):
            return gy * 3 * self.input**2

    x = var(2.0)
    y = Cube()(x)
    for expected in (12.0, 12.0, 6.0):
        y.backward(create_graph=True)
        y = x.grad
        x.cleargrad()
        assert y.data == expected


def test_a_users_rule_may_use_its_output():
    class Exp(Function):
        def forward(self, x):
            return np.exp(x)

        def backward(self, gy):
            return gy * self.output

    x = var(0.5)
    y = Exp()(x) * 1.0  # the output itself is dropped: the rule finds it all the same
    for _ in range(4):
        y.backward(create_graph=True)
        y = x.grad
        x.cleargrad()
        assert_allclose(y.data, np.exp(0.5), rtol=1e-12)


def test_a_users_rule_for_several_outputs_is_differentiated():
    x0, x1 = var(2.0), var(3.0)
    product, total = Both()(x0, x1)
    (product * total).backward(create_graph=True)  # x0**2 x1 + x0 x1**2
    g0 = x0.grad
    assert g0.data == 2 * 2 * 3 + 9
    x0.cleargrad(), x1.cleargrad()
    g0.backward()
    assert (x0.grad.data, x1.grad.data) == (2 * 3.0, 2 * 2.0 + 2 * 3.0)


def test_built_in_rules_with_numpy_calls_are_differentiated():
    x = Variable(np.array([1.0, 2.0, 3.0, 4.0]))
    a, b = Halves()(x)
    F.sum(a * a * b).backward(create_graph=True)
    gx = x.grad
    assert_array_equal(gx.data, [6.0, 16.0, 1.0, 4.0])
    x.cleargrad()
    F.sum(gx * gx).backward()
    assert_array_equal(
        x.grad.data, [2 * (6 * 6 + 1 * 2), 2 * (16 * 8 + 4 * 4), 2 * 6 * 2, 2 * 16 * 4]
    )


def test_the_gradient_for_the_seed_is_recorded():
    x, seed = var(3.0), var(2.0)
    y = x**2
    y.grad = seed
    y.backward(create_graph=True)
    gx = x.grad
    x.cleargrad()
    gx.backward()
    assert seed.grad.data == 6.0


def test_a_gradient_penalty():
    x, w = var(1.0, 2.0), var(3.0, 4.0)
    y = F.sum(x * w**2)
    y.backward(create_graph=True)
    gx = x.grad
    w.cleargrad()
    F.sum(gx**2).backward()
    assert_array_equal(w.grad.data, 4 * w.data**3)


def test_power_of_an_exponent_that_passes_zero():
    x0, x1 = var(2.0), var(0.0)
    (x0**x1).backward(create_graph=True)
    g0, g1 = x0.grad, x1.grad
    assert (g0.data, g1.data) == (0.0, np.log(2.0))
    x0.cleargrad(), x1.cleargrad()
    g0.backward()
    assert_allclose((x0.grad.data, x1.grad.data), (0.0, 0.5))
    x0.cleargrad(), x1.cleargrad()
    g1.backward()
    assert_allclose((x0.grad.data, x1.grad.data), (0.5, np.log(2.0) ** 2))


def test_power_at_zero():
    for exponent in (0, 0.0, np.zeros(1), np.zeros((), np.float32), 1, 2, 3.0, np.array([2.0])):
        x = Variable(np.zeros(1))
        (x**exponent).backward(create_graph=True)
        assert x.grad.data == (1.0 if np.all(np.equal(exponent, 1)) else 0.0)


@pytest.mark.parametrize("lead", [(), (2,)], ids=["matrix", "stack"])
def test_the_gradient_of_a_turned_matrix_lies_as_that_does(rng, lead):
    x, W = rng.normal(size=(*lead, 3, 4)), rng.normal(size=(5, 4))
    gy = rng.normal(size=(*lead, 3, 5))
    node = F.matmul(Variable(x), Variable(W).T)._node
    gW = node.gW(gy, x)
    assert gW.flags.f_contiguous
    assert_allclose(gW, x.reshape(-1, 4).T @ gy.reshape(-1, 5))
    turned = F.matmul(Variable(W).T, Variable(rng.normal(size=(*lead, 5, 6))))._node
    gy, right = rng.normal(size=(*lead, 4, 6)), turned._saved[0][0]
    gx = turned.gx(gy, right)
    assert gx.shape == (4, 5)
    assert gx.flags.f_contiguous
    assert_allclose(gx, (gy @ np.swapaxes(right, -1, -2)).reshape(-1, 4, 5).sum(axis=0))
