"""Mistakes that passed in silence."""

from __future__ import annotations

import copy
import os
import pickle
import stat
import threading

import numpy as np
import pytest

import dezero
import dezero.functions as F
import dezero.layers as L
from dezero import Function, Layer, Model, Parameter, Variable, optimizers
from dezero.models import MLP, Sequential
from dezero.utils import plot_dot_graph

from .common import leaf, rng, saved_mlp


def test_backward_on_a_leaf_teaches():
    with pytest.raises(RuntimeError, match="leaf"):
        Variable(np.array(1.0)).backward()


def test_backward_on_what_was_never_recorded_teaches():
    x = Variable(np.array(1.0))
    with dezero.no_grad():
        y = x * 2
    with pytest.raises(RuntimeError, match="no_grad"):
        y.backward()
    with pytest.raises(RuntimeError, match="graph"):
        F.sin(np.array(1.0)).backward()


def test_backward_on_a_freed_graph_teaches():
    x = Variable(np.array(1.0))
    a = x * 2
    y = a * a
    y.unchain_backward()
    with pytest.raises(RuntimeError, match=r"freed|unchain"):
        y.backward()
    assert x.grad is None


def test_mean_squared_error_refuses_to_broadcast():
    with pytest.raises(ValueError, match=r"mean_squared_error.*\(4, 1\).*\(4,\)"):
        F.mean_squared_error(leaf(4, 1), np.zeros(4))


def test_mean_squared_error_divides_by_the_number_of_elements():
    a = leaf(4, 5)
    loss = F.mean_squared_error(a, np.zeros((4, 5)))
    assert np.isclose(loss.data, np.mean(a.data**2))
    loss.backward()
    assert np.allclose(a.grad.data, a.data / 10)


CROSS_ENTROPIES = [F.softmax_cross_entropy, F.softmax_cross_entropy_simple]


@pytest.mark.parametrize("bad", [-1, 3, 100])
@pytest.mark.parametrize("f", CROSS_ENTROPIES, ids=["fast", "simple"])
def test_a_label_out_of_range_is_refused(f, bad):
    with pytest.raises(ValueError, match=f"label.*{bad}|{bad}.*label"):
        f(leaf(2, 3), np.array([0, bad]))


@pytest.mark.parametrize("f", CROSS_ENTROPIES, ids=["fast", "simple"])
def test_labels_that_are_not_whole_numbers_are_refused(f):
    with pytest.raises(TypeError, match=r"integer|int"):
        f(leaf(2, 3), np.array([0.0, 1.0]))


@pytest.mark.parametrize("labels", [np.array([0, 1, 2]), np.array([[1, 0, 0], [0, 1, 0]])])
def test_labels_of_the_wrong_shape_are_refused(labels):
    with pytest.raises(ValueError, match="label"):
        F.softmax_cross_entropy(leaf(2, 3), labels)


def test_an_id_out_of_range_is_refused():
    layer = L.EmbedID(5, 2)
    for bad in (-1, 5):
        with pytest.raises((ValueError, IndexError), match=str(bad)):
            layer(np.array([0, bad]))


def test_numpy_functions_on_variables_record_the_graph():
    x = leaf(3)
    y = np.sin(x)
    assert type(y) is Variable
    y.backward()
    assert np.allclose(x.grad.data, np.cos(x.data))
    x.cleargrad()
    y = np.add(np.ones(3), x)
    assert type(y) is Variable
    assert y.dtype == np.float64
    y = np.sum(np.exp(x) * np.tanh(x))
    y.backward()
    t = np.tanh(x.data)
    assert np.allclose(x.grad.data, np.exp(x.data) * (t + 1 - t**2))


def test_numpy_reductions_and_shapes_on_variables_record_the_graph():
    x = leaf(2, 3)
    for y in (np.mean(x), np.max(x), np.reshape(x, (3, 2)), np.transpose(x), np.matmul(x, x.T)):
        assert type(y) is Variable
        assert y.creator is not None
    joined = np.concatenate([x, x])
    assert type(joined) is Variable
    assert joined.shape == (4, 3)
    F.sum(joined**2).backward()
    assert np.allclose(x.grad.data, 4 * x.data)


@pytest.mark.parametrize(
    "convert",
    [lambda v: np.array(v), lambda v: np.asarray(v), lambda v: np.array([v, v]),
     lambda v: np.array([v, v * 2.0]), lambda v: np.asarray([v], dtype=np.float32)],
)  # fmt: skip
def test_turning_variables_into_a_plain_array_is_refused(convert):
    for x in (Variable(np.array(2.0)), leaf(3)):
        with pytest.raises(TypeError, match="gradient"):
            convert(x)


def test_an_array_of_variables_is_refused():
    box = np.empty(2, object)
    box[0], box[1] = Variable(np.array(1.0)), Variable(np.array(2.0))
    with pytest.raises(TypeError, match="object"):
        Variable(box)


def test_adding_a_variable_into_a_plain_array_is_refused():
    total = np.zeros(3)
    x = leaf(3)
    with pytest.raises(TypeError, match="gradient"):
        total += x * 2.0
    assert np.array_equal(total, np.zeros(3))


def test_comparisons_give_plain_booleans():
    a = np.array([1.0, 2.0, 3.0])
    x = Variable(a)
    for result, expected in [
        (a == x, [True] * 3), (x == a, [True] * 3), (x > 2, [False, False, True]),
        (x >= 2, [False, True, True]), (x != 2.0, [True, False, True]), (a < x + 1, [True] * 3),
        (x == x, [True] * 3),
    ]:  # fmt: skip
        assert type(result) is np.ndarray
        assert result.dtype == bool
        assert np.array_equal(result, expected)


def test_variables_can_still_be_keys():
    x, y = Variable(np.array(1.0)), Variable(np.array(1.0))
    assert len({x: 1, y: 2}) == 2


@pytest.mark.parametrize(("value", "truth"), [(0, False), (0.0, False), (1, True), (-2.5, True)])
def test_truth_of_a_variable_is_that_of_its_value(value, truth):
    assert bool(Variable(np.array(value))) is truth


def test_truth_of_many_values_is_refused():
    with pytest.raises(ValueError, match="ambiguous"):
        bool(Variable(np.array([1.0, 0.0])))


class Stack(Model):
    def __init__(self, as_dict=False):
        super().__init__()
        layers = [L.Linear(4), L.Linear(4), L.Linear(1)]
        self.layers = dict(zip("abc", layers, strict=True)) if as_dict else layers

    def forward(self, x):
        layers = self.layers.values() if isinstance(self.layers, dict) else self.layers
        for layer in layers:
            x = layer(x)
        return x


@pytest.mark.parametrize("as_dict", [False, True], ids=["list", "dict"])
def test_layers_in_a_list_or_a_dict_are_trained_and_saved(as_dict, tmp_path):
    model = Stack(as_dict)
    x = rng.standard_normal((3, 2))
    model(x)
    assert len(list(model.params())) == 6
    before = [p.data.copy() for p in model.params()]
    optimizer = optimizers.SGD(0.1).setup(model)
    F.sum(model(x)).backward()
    optimizer.update()
    assert any(
        not np.array_equal(p.data, old) for p, old in zip(model.params(), before, strict=True)
    )
    model.cleargrads()
    assert all(p.grad is None for p in model.params())
    path = str(tmp_path / "w.npz")
    model.save_weights(path)
    other = Stack(as_dict)
    other.load_weights(path)
    assert np.array_equal(other(x).data, model(x).data)


def test_layers_appended_later_are_found_too():
    model = Model()
    model.layers = []
    model.layers.append(L.Linear(2, in_size=3))
    assert len(list(model.params())) == 2


def test_a_shared_layer_is_updated_once():
    model = Model()
    model.first = L.Linear(3, in_size=3)
    model.second = model.first
    params = list(model.params())
    assert len(params) == 2
    before = model.first.W.data.copy()
    optimizer = optimizers.SGD(0.5).setup(model)
    F.sum(model.second(model.first(np.ones((1, 3), np.float32)))).backward()
    g = model.first.W.grad.data.copy()
    optimizer.update()
    assert np.allclose(model.first.W.data, before - 0.5 * g)


def test_a_parameter_set_to_none_or_deleted_is_gone():
    layer = L.Linear(3, in_size=2)
    layer.b = None
    assert [p is layer.W for p in layer.params()] == [True]
    layer.cleargrads()
    del layer.W
    assert list(layer.params()) == []
    layer.cleargrads()


def test_parameters_come_in_the_order_they_were_made(tmp_path):
    model = Model()
    names = [f"p{i}" for i in range(20)][::-1]
    for name in names:
        setattr(model, name, Parameter(np.array(0.0), name))
    assert [p.name for p in model.params()] == names
    path = str(tmp_path / "w.npz")
    model.save_weights(path)
    with np.load(path) as saved:
        assert saved.files == names


def test_a_layer_takes_keywords_and_any_argument():
    class Scaled(Layer):
        def forward(self, x, factor, names=(), *, shift=0.0):
            return [x * factor + shift], len(names)

    (y,), count = Scaled()(Variable(np.array(2.0)), 3, names=["a", "b"], shift=1.0)
    assert y.data == 7.0
    assert count == 2


def test_saving_weights_that_do_not_exist_yet_is_refused(tmp_path):
    path = tmp_path / "w.npz"
    model = MLP((3, 2))
    with pytest.raises(ValueError, match="l0/W"):
        model.save_weights(str(path))
    assert not path.exists()


def test_loading_weights_of_another_shape_is_refused(tmp_path):
    model, path = saved_mlp(tmp_path, **{"l0/W": np.zeros((5, 3), np.float32)})
    before = [p.data.copy() for p in model.params()]
    with pytest.raises(ValueError, match=r"l0/W.*(\(5, 3\).*\(4, 3\)|\(4, 3\).*\(5, 3\))"):
        model.load_weights(path)
    for p, old in zip(model.params(), before, strict=True):
        assert np.array_equal(p.data, old), "nothing may be half loaded"


def test_loading_weights_with_one_missing_is_refused(tmp_path):
    model, path = saved_mlp(tmp_path, **{"l1/b": None})
    with pytest.raises(ValueError, match="l1/b"):
        model.load_weights(path)


def test_loading_weights_with_one_too_many_is_refused(tmp_path):
    model, path = saved_mlp(tmp_path, **{"l2/b": np.zeros(3)})
    with pytest.raises(ValueError, match="l2/b"):
        model.load_weights(path)


def test_loading_weights_with_a_misspelt_name_says_which_is_near(tmp_path):
    model, path = saved_mlp(tmp_path, **{"l1/b": None, "l1/bb": np.zeros(2)})
    with pytest.raises(ValueError, match=r"l1/b.*l1/bb|l1/bb.*l1/b"):
        model.load_weights(path)


def test_saving_does_not_change_the_model(tmp_path):
    model, path = saved_mlp(tmp_path)
    arrays = [p.data for p in model.params()]
    model.save_weights(path)
    assert all(p.data is a for p, a in zip(model.params(), arrays, strict=True))


def test_no_grad_in_one_thread_leaves_the_others_alone():
    inside, done = threading.Event(), threading.Event()
    seen = {}

    def other():
        with dezero.no_grad(), dezero.test_mode():
            inside.set()
            done.wait(10)
            seen["other"] = (dezero.Config.enable_backprop, dezero.Config.train)

    thread = threading.Thread(target=other)
    thread.start()
    assert inside.wait(10)
    x = Variable(np.array(3.0))
    (x * x).backward()
    seen["here"] = (dezero.Config.enable_backprop, dezero.Config.train)
    done.set()
    thread.join()
    assert x.grad.data == 6.0
    assert seen == {"here": (True, True), "other": (False, False)}


def test_settings_are_restored_after_an_error():
    with pytest.raises(KeyError), dezero.no_grad(), dezero.test_mode():
        raise KeyError
    assert dezero.Config.enable_backprop is True
    assert dezero.Config.train is True


def test_an_unknown_setting_is_refused():
    with (
        pytest.raises(AttributeError, match="enable_backprop"),
        dezero.using_config("enable_backprob", False),
    ):
        pass


CALLED = {
    "MLP": lambda: (MLP((4, 2)), np.ones((2, 3), np.float32)),
    "LSTM": lambda: (L.LSTM(4), np.ones((2, 3), np.float32)),
    "RNN": lambda: (L.RNN(4), np.ones((2, 3), np.float32)),
    "Conv2d": lambda: (L.Conv2d(2, 3), np.ones((1, 2, 5, 5), np.float32)),
    "Sequential": lambda: (Sequential(L.Linear(2), F.relu), np.ones((2, 3), np.float32)),
}


@pytest.mark.parametrize("name", CALLED)
def test_a_model_can_be_pickled_after_a_call(name):
    model, x = CALLED[name]()
    model(x)
    again = pickle.loads(pickle.dumps(model))
    for p, q in zip(model.params(), again.params(), strict=True):
        assert type(q) is Parameter
        assert np.array_equal(p.data, q.data)
    for m in (model, again):
        if hasattr(m, "reset_state"):
            m.reset_state()
    assert np.array_equal(again(x).data, model(x).data)


@pytest.mark.parametrize("name", CALLED)
def test_a_model_can_be_copied_after_a_call(name):
    model, x = CALLED[name]()
    y = model(x)
    twin = copy.deepcopy(model)
    for p, q in zip(model.params(), twin.params(), strict=True):
        assert p is not q
        assert not np.may_share_memory(p.data, q.data)
    F.sum(twin(x)).backward()
    assert all(p.grad is None for p in model.params())
    optimizers.SGD(1.0).setup(twin).update()
    F.sum(y).backward()
    assert any(p.grad is not None for p in model.params())


def test_a_variable_can_be_pickled():
    x = Variable(np.array([1.0, 2.0]), name="x")
    y = x * 2.0
    again = pickle.loads(pickle.dumps(y))
    assert np.array_equal(again.data, [2.0, 4.0])
    assert pickle.loads(pickle.dumps(x)).name == "x"


def test_adam_rate_before_the_first_update():
    optimizer = optimizers.Adam(alpha=0.01)
    assert np.isfinite(optimizer.lr)
    assert 0 < optimizer.lr <= 0.01


def test_optimizer_state_does_not_pass_to_another_parameter():
    layer = Layer()
    layer.p = Parameter(np.array([1.0]))
    optimizer = optimizers.MomentumSGD(0.1, 0.9).setup(layer)
    for _ in range(200):
        layer.p.grad = Variable(np.array([1.0]))
        optimizer.update()
        layer.p = Parameter(np.array([1.0]))  # may get the id of the one before
    layer.p.grad = Variable(np.array([1.0]))
    optimizer.update()
    assert np.allclose(layer.p.data, 0.9)


def test_optimizer_state_can_be_saved():
    def trained(steps, state=None):
        layer = Layer()
        layer.p = Parameter(np.array([1.0, 2.0]) if state is None else state[0].copy())
        optimizer = optimizers.Adam(0.1).setup(layer)
        if state is not None:
            optimizer.load_state_dict(state[1])
        for _ in range(steps):
            layer.cleargrads()
            F.sum(layer.p**2).backward()
            optimizer.update()
        return layer.p.data, optimizer.state_dict()

    whole, _ = trained(5)
    resumed, _ = trained(2, trained(3))
    assert np.array_equal(whole, resumed)


def test_updating_before_setup_is_refused():
    with pytest.raises(Exception, match="setup"):
        optimizers.SGD().update()


@pytest.mark.parametrize(
    ("f", "expected"),
    [(lambda x: F.reshape(x, (6,)), 1), (F.transpose, 1), (F.sum, 1), (lambda x: x + x, 2),
     (lambda x: x - x, 0), (lambda x: -x, -1), (lambda x: F.broadcast_to(x, (4, 2, 3)), 4),
     (lambda x: x[np.array([0, 1, 1, 0])], 2)],
)  # fmt: skip
def test_integer_variables_count_uses_as_in_the_book(f, expected):
    x = Variable(np.array([[1, 2, 3], [4, 5, 6]]))
    f(x).backward()
    assert np.array_equal(x.grad.data, np.full((2, 3), expected))
    assert x.grad.dtype == x.dtype


@pytest.mark.parametrize(
    "f",
    [lambda x: x * x, lambda x: x * 2, lambda x: x**2, F.sin, F.exp, F.sigmoid, F.mean,
     lambda x: x / 2, lambda x: F.matmul(x, x.T), lambda x: x * 0.5, F.tanh,
     lambda x: F.softmax(x), lambda x: F.sum(x * x)],
)  # fmt: skip
def test_other_gradients_of_integer_variables_are_refused(f):
    x = Variable(np.array([[1, 2, 3], [4, 5, 6]]))
    with pytest.raises(TypeError, match="integer"):
        f(x).backward()
    assert x.grad is None


def test_backward_of_a_user_function_with_a_wrong_shape_is_refused():
    class Wrong(Function):
        def forward(self, x):
            return x.sum(axis=0)

        def backward(self, gy):
            return gy

    x = leaf(2, 3)
    y = Wrong()(x)
    with pytest.raises(ValueError, match=r"Wrong.*\(3,\).*\(2, 3\)"):
        y.backward()


def test_backward_of_a_user_function_with_a_gradient_too_few_is_refused():
    class Wrong(Function):
        def forward(self, x0, x1):
            return x0 * x1

        def backward(self, gy):
            return gy

    with pytest.raises(ValueError, match=r"Wrong.*1.*2"):
        Wrong()(leaf(2), leaf(2)).backward()


@pytest.mark.parametrize(
    ("f", "name"),
    [(lambda: F.matmul(leaf(2, 3), leaf(2, 3)), "matmul"),
     (lambda: F.linear(leaf(2, 3), leaf(4, 5)), "linear"),
     (lambda: F.conv2d(leaf(1, 3, 5, 5), leaf(2, 4, 3, 3)), "conv2d"),
     (lambda: F.conv2d(leaf(3, 5, 5), leaf(2, 3, 3, 3)), "conv2d"),
     (lambda: F.conv2d(leaf(1, 3, 2, 2), leaf(2, 3, 3, 3)), "conv2d"),
     (lambda: F.deconv2d(leaf(1, 3, 5, 5), leaf(2, 4, 3, 3)), "deconv2d"),
     (lambda: F.pooling(leaf(1, 3, 2, 2), 3), "pooling"),
     (lambda: F.reshape(leaf(2, 3), (4, 2)), "reshape"),
     (lambda: F.transpose(leaf(2, 3), (0, 2)), "transpose"),
     (lambda: F.broadcast_to(leaf(2, 3), (2, 4)), "broadcast"),
     (lambda: leaf(2, 3) + leaf(4), "add")],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_wrong_shapes_are_named(f, name):
    with pytest.raises(ValueError, match=f"(?i){name}.*\\("):
        f()


@pytest.fixture
def failing_dot(tmp_path, monkeypatch):
    """A program called dot that always fails."""
    dot = tmp_path / "bin" / "dot"
    dot.parent.mkdir()
    dot.write_text("#!/bin/sh\necho no layout today >&2\nexit 1\n")
    dot.chmod(dot.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{dot.parent}{os.pathsep}{os.environ['PATH']}")


def test_a_picture_that_cannot_be_drawn_is_not_passed_over(failing_dot, tmp_path):
    y = leaf(2) * 2.0
    target = tmp_path / "graph.png"
    try:
        plot_dot_graph(y, to_file=str(target))
    except Exception as error:
        told = "dot" in str(error)
    else:
        told = False
    assert told or target.stat().st_size > 0


def test_a_picture_of_an_unknown_kind_is_refused(tmp_path):
    with pytest.raises(ValueError, match="xyz"):
        plot_dot_graph(leaf(2) * 2.0, to_file=str(tmp_path / "graph.xyz"))
