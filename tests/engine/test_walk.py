"""The backward walk, and what it computes."""

from __future__ import annotations

import weakref

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from dezero.core import Function, Parameter, Pow, Variable, add, no_grad

from .common import Both, Halves, Logged, Square, var


def test_each_function_is_visited_once_the_latest_generation_first():
    visits = []

    class Noted(Function):
        def forward(self, *xs):
            return sum(xs) * 1.0

        def backward(self, gy):
            visits.append(self.generation)
            return tuple(gy for _ in self.inputs)

    x = var(1.0)
    y = x
    for _ in range(20):  # a chain of diamonds: 2**20 paths
        y = Noted()(Noted()(y), Noted()(y))
    y.backward()
    assert x.grad.data == 2.0**20
    assert len(visits) == 60
    assert visits == sorted(visits, reverse=True)


def test_a_walk_may_start_in_the_middle_of_a_graph():
    x = var(2.0)
    y = x * x
    z = y * y
    y.backward()
    assert x.grad.data == 4.0
    z.backward()
    assert x.grad.data == 4.0 + 32.0


def test_a_deep_chain_is_built_walked_and_freed_without_recursion(no_gc):
    x = var(1.0)
    y = x
    for _ in range(1_000_000):
        y = y + 0.0
    y.backward()
    assert x.grad.data == 1.0
    assert y.generation == 1_000_000
    gone = weakref.ref(y.creator)
    del y
    assert gone() is None


def test_a_deep_chain_of_users_functions_and_outputs(no_gc):
    class Same(Function):
        def forward(self, x):
            return x + 0.0, x

        def backward(self, gy, gz):
            return gy + gz

    x = var(1.0)
    y = x
    for _ in range(20_000):
        y, _ = Same()(y)
    y.backward(create_graph=True)
    assert x.grad.data == 1.0
    gone = weakref.ref(y.creator)
    del y, _
    assert gone() is None


def test_a_deep_recorded_backward_pass_is_walked_and_freed(no_gc):
    x = var(1.0)
    y = x
    for _ in range(50_000):
        y = y * 1.0
    y.backward(create_graph=True)
    gx = x.grad
    assert gx.data == 1.0
    with pytest.raises(RuntimeError, match="no graph|leaf"):
        gx.backward()  # the gradient of a linear chain depends on nothing


def test_unchain_backward_cuts_the_graph_and_says_so_later():
    x = var(2.0)
    a = x * x
    b = a * 3.0
    b.unchain_backward()
    assert a.creator is None
    with pytest.raises(RuntimeError, match=r"backward through Mul: its graph was freed"):
        b.backward()
    assert x.grad is None


def test_unchain_makes_a_leaf():
    x = var(2.0)
    y = x * x
    y.unchain()
    z = y * 3.0
    z.backward()
    assert x.grad is None
    assert y.creator is None
    assert z.creator is not None


def test_truncated_backpropagation_leaves_later_steps_alone():
    w = var(0.5)
    h = var(1.0)
    for _ in range(3):
        h = h * w
    h.unchain_backward()
    h.unchain()
    (h * w).backward()
    assert w.grad.data == 0.125


def test_seed_of_the_users_choice(rng):
    x = Variable(rng.random((2, 3)))
    y = x * x
    seed = rng.random((2, 3))
    y.grad = Variable(seed)
    y.backward()
    assert_allclose(x.grad.data, seed * 2 * x.data)
    assert y.grad.data is seed


def test_seed_of_the_wrong_shape_is_refused():
    x = var(1.0, 2.0)
    y = x * x
    y.grad = Variable(np.ones(3))
    with pytest.raises(ValueError, match=r"backward: y\.grad .*\(3,\).*\(2,\)"):
        y.backward()
    assert x.grad is None


def test_gradients_that_the_user_sets_to_plain_arrays_are_added_to():
    x = var(1.0, 2.0)
    x.grad = np.array([10.0, 20.0])
    (x * x).backward()
    assert_array_equal(x.grad.data, [12.0, 24.0])
    y = x * x
    y.grad = np.array([1.0, 0.0])
    x.cleargrad()
    y.backward()
    assert_array_equal(x.grad.data, [2.0, 0.0])


def test_backward_of_a_leaf_or_an_unrecorded_result_says_what_is_missing():
    with pytest.raises(RuntimeError, match="backward: this variable is a leaf"):
        var(1.0).backward()
    with no_grad():
        y = var(1.0) * 2.0
    with pytest.raises(RuntimeError, match="backward: no graph was recorded"):
        y.backward()
    with pytest.raises(RuntimeError, match="no graph was recorded"):
        add(1.0, 2.0).backward()


def test_orders_that_would_be_mixed_are_warned_about():
    x = var(3.0)
    (x**3).backward(create_graph=True)
    with pytest.warns(UserWarning, match=r"cleargrad\(\) before the second backward"):
        x.grad.backward()


@pytest.mark.parametrize(
    "constant", [np.array(3.0), 3.0, Variable(np.array(3.0), requires_grad=False)]
)
def test_no_rule_runs_for_a_constant(constant):
    diary = []
    x = var(2.0)
    Logged(diary)(x, constant).backward()
    assert diary == ["x"]
    assert x.grad.data == 3.0
    Logged(diary)(constant, x).backward()
    assert diary == ["x", "w"]
    Logged(diary)(constant, x * 2.0).backward(create_graph=True)
    assert diary == ["x", "w", "w"]


def test_a_frozen_parameter_gets_no_gradient():
    diary = []
    x, w = Variable(np.array(2.0), requires_grad=False), Parameter(np.array(3.0))
    y = Logged(diary)(x, w)
    y.backward()
    assert diary == ["w"]
    assert x.grad is None
    w.requires_grad = False
    z = Logged(diary)(x, w)
    assert z.creator is None
    assert diary == ["w"]


def test_users_functions_are_not_called_back_for_constants():
    class Loud(Function):
        def forward(self, x):
            return x

        def backward(self, gy):
            raise AssertionError("nobody wants this gradient")

    constant = Loud()(Variable(np.array(1.0), requires_grad=False))
    x = var(2.0)
    (x * constant).backward()
    assert constant.creator is None
    assert x.grad.data == 1.0


def test_gradients_of_users_functions_for_constants_are_dropped():
    x = Variable(np.array(2.0), requires_grad=False)
    w = var(3.0)
    product, _ = Both()(x, w)
    product.backward()
    assert x.grad is None
    assert w.grad.data == 2.0


def test_outputs_that_nobody_used_arrive_as_zeros():
    x0, x1 = var(2.0), var(3.0)
    _, total = Both()(x0, x1)
    total.backward()
    assert (x0.grad.data, x1.grad.data) == (1.0, 1.0)
    x = Variable(np.arange(5.0, dtype=np.float32))
    _, second = Halves()(x)
    second.backward()
    assert_array_equal(x.grad.data, [0, 0, 1, 1, 1])
    assert x.grad.dtype == np.float32


def test_zeros_for_unused_outputs_when_the_pass_is_recorded():
    x0, x1 = var(2.0), var(3.0)
    product, _ = Both()(x0, x1)
    product.backward(create_graph=True)
    g = x0.grad
    x0.cleargrad(), x1.cleargrad()
    g.backward()
    assert x1.grad.data == 1.0


def test_both_outputs_of_one_function_come_together_before_its_visit():
    calls = []

    class Pair(Function):
        def forward(self, x):
            return x * 2.0, x * 3.0

        def backward(self, g0, g1):
            calls.append((float(g0), float(g1)))
            return 2.0 * g0 + 3.0 * g1

    x = var(1.0)
    a, b = Pair()(x)
    c = a
    for _ in range(3):
        c = c * 10.0
    (c + b).backward()
    assert calls == [(1000.0, 1.0)]
    assert x.grad.data == 2003.0


def test_one_instance_called_twice_makes_two_nodes():
    for function in (Square(), Pow(2)):
        x, y = var(3.0), var(5.0)
        a, b = function(x), function(y)
        assert a.creator is not b.creator
        a.backward()
        assert (x.grad.data, y.grad) == (6.0, None)
        b.backward()
        assert y.grad.data == 10.0
        z = function(function(x))
        x.cleargrad()
        z.backward()
        assert x.grad.data == 4 * 27.0


def test_one_instance_with_state_keeps_the_state_of_each_call():
    class Scaled(Function):
        def forward(self, x):
            self.scale = float(x)
            return x * self.scale

        def backward(self, gy):
            return gy * 2.0 * self.scale

    f = Scaled()
    x, y = var(3.0), var(5.0)
    a, b = f(x), f(y)
    b.backward()
    a.backward()
    assert (x.grad.data, y.grad.data) == (6.0, 10.0)


def test_unchain_backward_cuts_every_output_of_a_function():
    """The cell state of an LSTM, beside the output that the loss was made of."""

    class Two(Function):
        def forward(self, x):
            return x * 2, x * 3

        def backward(self, ga, gb):
            return ga * 2 + gb * 3

    x = Variable(np.array(1.0))
    state = x
    for _ in range(3):
        out, state = Two()(state)
        loss = out * 1.0 + state
        x.cleargrad()
        loss.backward()
        loss.unchain_backward()
        assert state.creator is None
    assert state.data == 27
