"""Variables: copies, numbers, configuration."""

from __future__ import annotations

import copy
import pickle
import threading

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from dezero.core import (
    Add,
    Config,
    Mul,
    Parameter,
    Variable,
    as_array,
    as_variable,
    no_grad,
    test_mode,
    using_config,
)

from .common import Square, var


def test_configuration_comes_back_after_an_error():
    with pytest.raises(KeyError), no_grad(), test_mode():
        assert (Config.enable_backprop, Config.train) == (False, False)
        raise KeyError
    assert (Config.enable_backprop, Config.train) == (True, True)


def test_configuration_nests():
    with no_grad():
        with using_config("enable_backprop", True):
            assert (var(1.0) * 2.0).creator is not None
        assert (var(1.0) * 2.0).creator is None


def test_configuration_belongs_to_the_thread():
    seen = []
    inside, done = threading.Event(), threading.Event()

    def other():
        seen.append((Config.enable_backprop, Config.train))
        with no_grad(), test_mode():
            inside.set()
            done.wait(10)

    with no_grad():
        thread = threading.Thread(target=other)
        thread.start()
        assert inside.wait(10)
    assert (Config.enable_backprop, Config.train) == (True, True)
    done.set()
    thread.join()
    assert seen == [(True, True)]


def test_an_unknown_switch_is_named():
    with pytest.raises(
        AttributeError, match=r"using_config: .*'enable_backprob'.*enable_backprop"
    ):
        with using_config("enable_backprob", False):
            pass


@pytest.mark.parametrize("kind", [Variable, Parameter])
def test_copies_and_pickles_are_leaves(kind):
    x = kind(np.array([1.0, 2.0]), "x", requires_grad=False)
    for twin in (copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert type(twin) is kind
        assert_array_equal(twin.data, x.data)
        assert twin.name == "x"
        assert twin.requires_grad is False
    assert copy.copy(x).data is x.data
    assert not np.may_share_memory(copy.deepcopy(x).data, x.data)


def test_a_deep_copy_has_a_gradient_of_its_own_and_no_graph():
    x = var(3.0)
    y = x * x
    y.backward()
    twin, result = copy.deepcopy([x, y])
    assert twin.grad.data == 6.0
    assert not np.may_share_memory(twin.grad.data, x.grad.data)
    assert result.creator is None
    assert y.creator is not None
    (twin * twin).backward()
    assert x.grad.data == 6.0


def test_a_deep_copy_keeps_what_was_shared():
    x = var(3.0)
    first, second = copy.deepcopy([x, x])
    assert first is second


def test_computed_variables_can_be_pickled():
    y = pickle.loads(pickle.dumps(var(3.0) * 2.0))
    assert y.data == 6.0
    assert y.creator is None


def test_a_variable_converts_to_python_numbers():
    x = var(2.5)
    assert (float(x), int(x), bool(x), complex(x), x.item()) == (2.5, 2, True, 2.5 + 0j, 2.5)
    assert not bool(var(0.0))
    assert [10, 20, 30][Variable(np.array(1))] == 20
    assert f"{x:.3f} {x}" == "2.500 variable(2.5)"
    with pytest.raises(ValueError, match="ambiguous"):
        bool(var(1.0, 2.0))


def test_a_variable_is_iterated_over_with_gradients():
    x = Variable(np.array([1.0, 2.0, 3.0]))
    first, *_, last = x
    (first * last).backward()
    assert_array_equal(x.grad.data, [3.0, 0.0, 1.0])
    with pytest.raises(TypeError, match="0-d"):
        iter(var(1.0))


def test_variables_are_keys_by_identity():
    x, y = var(1.0), var(1.0)
    assert len({x, y}) == 2
    assert {x: 1}[x] == 1


def test_as_array_and_as_variable():
    assert type(as_array(1.5)) is np.ndarray
    assert type(as_array(np.float32(1.5))) is np.ndarray
    assert as_array(np.float32(1.5)).dtype == np.float32
    x = var(1.0)
    assert as_variable(x) is x
    assert type(as_variable(1.0)) is Variable
    a = np.ones(2)
    assert as_variable(a).data is a


def test_functions_of_the_book_are_classes_too():
    x = var(3.0)
    y = Add()(Mul()(x, x), 2.0)
    y.backward()
    assert (y.data, x.grad.data) == (11.0, 6.0)
    assert type(y.creator) is Add


def test_set_creator_links_by_hand():
    x = var(3.0)
    f = Square()
    y = Variable(np.array(9.0))
    y.set_creator(f)
    assert y.creator is f
    assert y.generation == 1
    y.creator = None
    assert y.creator is None
    assert x.creator is None
