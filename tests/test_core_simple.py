"""The engine of the book's first two stages (steps 1 to 22): gradients are plain arrays."""

from __future__ import annotations

import sys
import weakref

import numpy as np
import pytest

from dezero import core_simple
from dezero.core_simple import (
    Config,
    Function,
    Variable,
    add,
    as_array,
    as_variable,
    div,
    mul,
    neg,
    no_grad,
    pow,
    setup_variable,
    sub,
    using_config,
)

setup_variable()


class Square(Function):
    def forward(self, x):
        return x**2

    def backward(self, gy):
        return 2 * self.inputs[0].data * gy


class Exp(Function):
    def forward(self, x):
        return np.exp(x)

    def backward(self, gy):
        return np.exp(self.inputs[0].data) * gy


class Both(Function):
    """Two outputs: the sum and the difference."""

    def forward(self, x0, x1):
        return x0 + x1, x0 - x1

    def backward(self, gsum, gdiff):
        return gsum + gdiff, gsum - gdiff


def square(x):
    return Square()(x)


def exp(x):
    return Exp()(x)


def test_a_variable_holds_the_array_it_was_given():
    a = np.array([1.0, 2.0])
    x = Variable(a, "x")
    assert x.data is a
    assert (x.name, x.grad, x.creator, x.generation) == ("x", None, None, 0)


@pytest.mark.parametrize("wrong", [1.0, 1, [1.0], (1.0,), "one", True])
def test_what_is_not_an_array_is_refused(wrong):
    with pytest.raises(TypeError, match=type(wrong).__name__):
        Variable(wrong)


def test_none_is_allowed_as_data():
    assert Variable(None).data is None


def test_a_function_without_forward_says_so():
    with pytest.raises(NotImplementedError):
        Function()(Variable(np.array(1.0)))


def test_a_function_without_backward_says_so():
    class Half(Function):
        def forward(self, x):
            return x

    y = Half()(Variable(np.array(1.0)))
    with pytest.raises(NotImplementedError):
        y.backward()


def test_creator_chain_leads_back_to_the_input():
    x = Variable(np.array(0.5))
    a = square(x)
    y = exp(a)
    assert isinstance(y.creator, Exp)
    assert y.creator.inputs[0] is a
    assert isinstance(a.creator, Square)
    assert a.creator.inputs[0] is x
    assert x.creator is None


def test_set_creator_makes_a_variable_the_result_of_a_function():
    x = Variable(np.array(3.0))
    f = Square()
    f(x)
    v = Variable(np.array(9.0))
    v.set_creator(f)
    assert v.creator is f
    assert v.generation == f.generation + 1


def test_backward_called_by_hand_takes_and_gives_plain_arrays():
    x = Variable(np.array(0.5))
    first, second = Square(), Exp()
    second(first(x))
    g = first.backward(second.backward(np.array(1.0)))
    assert not isinstance(g, Variable)
    assert np.isclose(g, 2 * 0.5 * np.exp(0.25), rtol=1e-15)


def test_gradients_are_plain_arrays():
    x = Variable(np.array(3.0))
    y = square(x)
    y.backward()
    assert not isinstance(x.grad, Variable)
    assert x.grad == 6.0
    x = Variable(np.ones(3))
    square(x).backward()
    assert type(x.grad) is np.ndarray


def test_zero_dimensional_results_stay_arrays():
    y = square(Variable(np.array(3.0)))
    assert type(y.data) is np.ndarray
    assert y.data.shape == ()


def test_the_seed_is_ones_of_the_shape_and_type_of_the_result():
    x = Variable(np.ones((2, 3), np.float32))
    y = square(x)
    y.backward(retain_grad=True)
    assert np.array_equal(y.grad, np.ones((2, 3)))
    assert y.grad.dtype == np.float32
    assert x.grad.dtype == np.float32


def test_a_seed_set_by_hand_is_used():
    x = Variable(np.array([1.0, 2.0]))
    y = square(x)
    y.grad = np.array([10.0, 100.0])
    y.backward()
    assert np.array_equal(x.grad, [20.0, 400.0])


def test_several_inputs():
    x, y = Variable(np.array(2.0)), Variable(np.array(3.0))
    z = add(square(x), square(y))
    z.backward()
    assert (z.data, x.grad, y.grad) == (13.0, 4.0, 6.0)


def test_several_outputs():
    x, y = Variable(np.array(5.0)), Variable(np.array(2.0))
    s, d = Both()(x, y)
    assert (s.data, d.data) == (7.0, 3.0)
    assert s.creator is d.creator
    mul(s, d).backward()
    assert (x.grad, y.grad) == (10.0, -4.0)


def test_an_output_that_nobody_used_counts_as_zero():
    x, y = Variable(np.array(5.0)), Variable(np.array(2.0))
    _, d = Both()(x, y)
    square(d).backward()
    assert (x.grad, y.grad) == (6.0, -6.0)
    x.cleargrad()
    y.cleargrad()
    square(Both()(x, y)[1]).backward()
    assert (x.grad, y.grad) == (6.0, -6.0)


def test_an_output_that_nobody_used_does_not_make_the_gradient_float64():
    x, y = Variable(np.ones(2, np.float32)), Variable(np.ones(2, np.float32))
    _, d = Both()(x, y)
    square(d).backward()
    assert x.grad.dtype == y.grad.dtype == np.float32


def test_backward_of_a_leaf_teaches():
    with pytest.raises(RuntimeError, match="nothing was recorded"):
        Variable(np.array(1.0)).backward()


def test_a_variable_used_twice_gets_both_gradients():
    x = Variable(np.array(3.0))
    add(x, x).backward()
    assert x.grad == 2.0


def test_gradients_add_up_over_graphs_until_cleared():
    x = Variable(np.array(3.0))
    add(x, x).backward()
    add(add(x, x), x).backward()
    assert x.grad == 5.0
    x.cleargrad()
    assert x.grad is None
    add(add(x, x), x).backward()
    assert x.grad == 3.0


def test_accumulation_leaves_other_gradients_alone():
    x = Variable(np.array([3.0]))
    y = add(x, x)
    y.backward(retain_grad=True)
    assert y.grad == 1.0
    a, b = Variable(np.array([1.0])), Variable(np.array([1.0]))
    add(a, b).backward()
    add(a, a).backward()
    assert (a.grad, b.grad) == (3.0, 1.0)


def test_generations_count_the_depth():
    x = Variable(np.array(2.0))
    a = square(x)
    b = square(a)
    y = add(x, b)
    assert (x.generation, a.generation, b.generation, y.generation) == (0, 1, 2, 3)
    assert [f.generation for f in (a.creator, b.creator, y.creator)] == [0, 1, 2]


def test_a_graph_that_splits_and_joins_visits_each_function_once():
    visited = []

    class Noted(Square):
        def backward(self, gy):
            visited.append(self)
            return super().backward(gy)

    x = Variable(np.array(2.0))
    a = Noted()(x)
    y = add(Noted()(a), Noted()(Noted()(a)))
    y.backward()
    assert len(visited) == len(set(map(id, visited))) == 4
    assert visited[-1] is a.creator
    assert x.grad == 4 * 2.0**3 + 8 * 2.0**7, "y = x^4 + x^8"


def test_a_ladder_of_splits_does_not_take_exponential_time():
    x = Variable(np.array(1.0))
    y = x
    for _ in range(200):
        y = add(y, y)
    y.backward()
    assert x.grad == 2.0**200


def test_depth_beyond_the_recursion_limit():
    x = Variable(np.array(1.0))
    y = x
    for _ in range(5 * sys.getrecursionlimit()):
        y = add(y, x)
    y.backward()
    assert x.grad == 5 * sys.getrecursionlimit() + 1


def test_a_graph_is_freed_without_the_garbage_collector(no_gc):
    x = Variable(np.array(2.0))
    a = square(x)
    y = square(a)
    dead = [weakref.ref(o) for o in (a, y, a.creator, y.creator)]
    del a, y
    assert [d() for d in dead] == [None] * 4


def test_a_graph_is_freed_after_backward_too(no_gc):
    x = Variable(np.array(2.0))
    y = square(square(x))
    y.backward(retain_grad=True)
    dead = [weakref.ref(y), weakref.ref(y.creator), weakref.ref(y.creator.inputs[0])]
    del y
    assert [d() for d in dead] == [None] * 3
    assert x.grad == 32.0


def test_outputs_are_weak_references():
    y = square(Variable(np.array(2.0)))
    assert isinstance(y.creator.outputs[0], weakref.ref)
    assert y.creator.outputs[0]() is y


def test_gradients_in_between_are_dropped_unless_retained():
    for retain in (False, True):
        x = Variable(np.array(2.0))
        a = square(x)
        y = square(a)
        y.backward(retain_grad=retain)
        assert x.grad == 32.0
        assert (a.grad is not None) is retain
    assert (a.grad, y.grad) == (8.0, 1.0)


def test_no_grad_records_nothing():
    x = Variable(np.array(2.0))
    with no_grad():
        y = square(x)
        assert Config.enable_backprop is False
    assert Config.enable_backprop is True
    assert y.creator is None
    assert y.data == 4.0


def test_using_config_puts_the_old_value_back():
    with using_config("enable_backprop", False):
        with using_config("enable_backprop", True):
            assert square(Variable(np.array(2.0))).creator is not None
        assert Config.enable_backprop is False
    assert Config.enable_backprop is True


def test_using_config_puts_the_old_value_back_after_an_error():
    with pytest.raises(ZeroDivisionError), no_grad():
        raise ZeroDivisionError
    assert Config.enable_backprop is True


def test_it_looks_like_the_array_inside():
    x = Variable(np.array([[1, 2, 3], [4, 5, 6]]))
    assert (x.shape, x.ndim, x.size, len(x)) == ((2, 3), 2, 6, 2)
    assert x.dtype == x.data.dtype
    assert repr(x) == "variable([[1 2 3]\n          [4 5 6]])"
    assert repr(Variable(None)) == "variable(None)"
    assert str(Variable(np.array(1.5))) == "variable(1.5)"


OPERATORS = [
    (lambda a, b: a + b, 1.0, 1.0),
    (lambda a, b: a - b, 1.0, -1.0),
    (lambda a, b: a * b, 2.0, 3.0),
    (lambda a, b: a / b, 1 / 2, -3 / 4),
]


@pytest.mark.parametrize(("f", "ga", "gb"), OPERATORS, ids="+-*/")
def test_operators_on_variables(f, ga, gb):
    a, b = Variable(np.array(3.0)), Variable(np.array(2.0))
    y = f(a, b)
    assert y.data == f(3.0, 2.0)
    y.backward()
    assert np.isclose(a.grad, ga, rtol=1e-15)
    assert np.isclose(b.grad, gb, rtol=1e-15)


@pytest.mark.parametrize("wrap", [float, np.array, np.float64], ids=["float", "array", "float64"])
@pytest.mark.parametrize(("f", "ga", "gb"), OPERATORS, ids="+-*/")
def test_operators_take_numbers_and_arrays_on_both_sides(f, ga, gb, wrap):
    a = Variable(np.array(3.0))
    y = f(a, wrap(2.0))
    assert isinstance(y, Variable)
    assert y.data == f(3.0, 2.0)
    y.backward()
    assert np.isclose(a.grad, ga, rtol=1e-15)

    b = Variable(np.array(2.0))
    y = f(wrap(3.0), b)
    assert isinstance(y, Variable)
    assert y.data == f(3.0, 2.0)
    y.backward()
    assert np.isclose(b.grad, gb, rtol=1e-15)


def test_an_array_on_the_left_gives_one_variable_not_an_array_of_variables():
    x = Variable(np.array([1.0, 2.0]))
    y = np.array([10.0, 20.0]) + x
    assert type(y) is Variable
    assert np.array_equal(y.data, [11.0, 22.0])


def test_negation_and_power():
    x = Variable(np.array(2.0))
    y = (-x) ** 3
    assert y.data == -8.0
    y.backward()
    assert x.grad == -12.0


def test_python_numbers_keep_float32():
    x = Variable(np.array([1.0, 2.0], np.float32))
    for y in (x + 1, x - 1.0, 1.0 - x, x * 2.0, x / 3.0, 3.0 / x, x**2, -x):
        assert y.dtype == np.float32
        x.cleargrad()
        y.backward()
        assert x.grad.dtype == np.float32


def test_the_functions_behind_the_operators():
    a, b = np.array(3.0), np.array(2.0)
    assert add(a, b).data == 5.0
    assert sub(a, b).data == 1.0
    assert mul(a, b).data == 6.0
    assert div(a, b).data == 1.5
    assert neg(a).data == -3.0
    assert pow(a, 2).data == 9.0


def test_as_array_and_as_variable():
    a = np.array(1.0)
    assert as_array(a) is a
    for number in (1.0, 2, np.float32(3)):
        assert type(as_array(number)) is np.ndarray
        assert as_array(number) == number
    x = Variable(a)
    assert as_variable(x) is x
    assert as_variable(a).data is a


def test_it_is_an_engine_of_its_own():
    import dezero

    assert core_simple.Variable is not dezero.Variable
    x = Variable(np.array(3.0))
    y = (x + 3.0) * x
    y.backward()
    assert not isinstance(x.grad, (Variable, dezero.Variable))
    assert x.grad == 9.0
