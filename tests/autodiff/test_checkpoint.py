"""checkpoint: memory, random draws, running statistics, parameters, second order."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import dezero
import dezero.functions as F
from dezero import Config, Parameter, Variable, no_grad, test_mode
from dezero.autodiff import checkpoint, grad, hessian, jvp, stop_gradient, vmap
from dezero.layers import BatchNorm, Linear


def chain(x, count):
    for _ in range(count):
        x = np.sin(x)
    return x


def segments(x, count, size):
    for _ in range(count // size):
        x = checkpoint(lambda x: chain(x, size))(x)
    return x


def peak(function):
    gc.collect()
    tracemalloc.start()
    x = Variable(np.full(20_000, 0.5))
    y = np.sum(function(x))
    y.backward()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / x.data.nbytes, x.grad.data


def test_a_deep_chain_takes_the_root_of_the_memory():
    plain, expected = peak(lambda x: chain(x, 144))
    again, found = peak(lambda x: segments(x, 144, 12))
    assert_allclose(found, expected)
    assert plain > 140
    assert again < 12 + 12 + 8


def test_nested_checkpoints_take_less():
    def nested(x):
        for _ in range(4):
            x = checkpoint(lambda x: segments(x, 36, 6))(x)
        return x

    found, g = peak(nested)
    assert found < 4 + 6 + 6 + 9
    assert_allclose(g, peak(lambda x: chain(x, 144))[1])


@pytest.mark.parametrize("seed", [None, 3])
def test_dropout_draws_the_same_mask_again(seed):
    if seed is not None:
        dezero.seed(seed)
    x = Variable(np.arange(1.0, 101.0))
    y = checkpoint(lambda x: F.dropout(x, 0.5))(x)
    np.sum(y).backward()
    assert_array_equal(x.grad.data, np.where(y.data == 0, 0.0, 2.0))
    assert 20 < np.count_nonzero(y.data) < 80


def test_draws_go_on_as_without_a_checkpoint():
    def draws(wrap):
        dezero.seed(5)
        x = Variable(np.ones(50))
        y = wrap(lambda x: F.dropout(x, 0.5))(x)
        first = F.dropout(np.ones(50), 0.5).data
        np.sum(y).backward()
        return y.data, first, F.dropout(np.ones(50), 0.5).data, x.grad.data

    for a, b in zip(draws(lambda f: f), draws(checkpoint), strict=True):
        assert_array_equal(a, b)


def test_running_statistics_move_once():
    x = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)

    def run(wrap):
        layer = BatchNorm()
        v = Variable(x.copy())
        y = F.sum(wrap(layer)(v) ** 3)
        after_forward = layer.avg_mean.data.copy(), layer.avg_var.data.copy()
        y.backward()
        return after_forward, (layer.avg_mean.data, layer.avg_var.data), v, layer

    plain, again = run(lambda f: f), run(checkpoint)
    for a, b in zip(plain[1], again[1], strict=True):
        assert_allclose(b, a)
    for before, after in zip(again[0], again[1], strict=True):
        assert_array_equal(before, after)
    assert_allclose(again[2].grad.data, plain[2].grad.data, rtol=1e-5, atol=1e-6)
    assert_allclose(again[3].gamma.grad.data, plain[3].gamma.grad.data, rtol=1e-5)


def test_the_mode_of_the_forward_pass():
    x = Variable(np.ones(100))
    with test_mode():
        y = checkpoint(lambda x: F.dropout(x, 0.5) * x)(x)
    np.sum(y).backward()
    assert_array_equal(x.grad.data, np.full(100, 2.0))
    assert Config.train


def test_gradients_of_parameters():
    x = np.ones((2, 3), np.float32)
    one, two = Linear(4), Linear(1)
    model = lambda x: two(np.tanh(one(x)))
    F.sum(model(x)).backward()
    expected = [p.grad.data for m in (one, two) for p in m.params()]
    for m in (one, two):
        m.cleargrads()
    F.sum(checkpoint(model)(x)).backward()
    found = [p.grad.data for m in (one, two) for p in m.params()]
    for a, b in zip(found, expected, strict=True):
        assert_allclose(a, b, rtol=1e-6)


def test_parameters_shared_by_several_checkpoints():
    w, x = Parameter(np.array(0.9)), Variable(np.array(0.3))
    step = checkpoint(lambda x: np.sin(w * x))
    y = step(step(step(x)))
    y.backward()

    def plain(w, x):
        for _ in range(3):
            x = np.sin(w * x)
        return x

    gw, gx = grad(plain, argnums=(0, 1))(0.9, 0.3)
    assert_allclose(w.grad.data, gw)
    assert_allclose(x.grad.data, gx)


def test_computed_values_from_outside():
    a = Variable(np.array(2.0))
    b = a * a
    y = checkpoint(lambda x: x * b + b)(Variable(np.array(3.0)))
    y.backward()
    assert_allclose(a.grad.data, 4 * 2 * 2.0)


def test_what_is_computed_inside_from_parameters_alone():
    v, x = Parameter(np.array([3.0, 4.0])), np.array([1.0, 2.0])
    normed = lambda x: np.sum(v / np.sqrt(np.sum(v * v)) * x)
    normed(x).backward()
    expected = v.grad.data
    for argument in (x, Variable(x)):
        v.cleargrad()
        checkpoint(normed)(argument).backward()
        assert_allclose(v.grad.data, expected)
    assert_allclose(grad(lambda w: checkpoint(lambda x: np.sum(w * w * x))(x))(np.ones(2)), 2 * x)


def test_a_parameter_or_outer_value_that_is_returned():
    w = Parameter(np.array(2.0))
    u = w * w
    a, b, c = checkpoint(lambda x: (w, u, x * w))(Variable(np.array(3.0)))
    (a + 10 * b + 100 * c).backward()
    assert_allclose(w.grad.data, 1 + 40 + 300)


def test_a_gradient_inside_a_checkpoint():
    w, x = Parameter(np.array(0.7)), Variable(np.array(0.3))
    checkpoint(lambda x: grad(lambda y: np.sin(w * y))(x))(x).backward()
    assert_allclose(w.grad.data, np.cos(0.21) - 0.21 * np.sin(0.21))
    assert_allclose(x.grad.data, -(0.7**2) * np.sin(0.21))


def test_second_order():
    f = lambda x: np.sum(np.sin(x) ** 3 * x[0])
    x = np.array([0.3, 0.6])
    assert_allclose(hessian(checkpoint(f))(x), hessian(f)(x))
    _, dy = jvp(checkpoint(f), (x,), (np.array([1.0, 2.0]),))
    assert_allclose(dy, grad(f)(x) @ [1.0, 2.0])
    v = Variable(x)
    y = checkpoint(f)(v)
    y.backward(create_graph=True)
    g = v.grad
    v.cleargrad()
    np.sum(g).backward()
    assert_allclose(v.grad.data, hessian(f)(x).sum(0))


def test_structures_constants_and_several_results():
    def f(p, n, *, scale):
        return {"a": p["x"] * n, "b": (p["y"] ** 2 * scale, p["x"] * 1.0)}

    x, y = Variable(np.ones(2)), Variable(np.array([3.0, 4.0]))
    out = checkpoint(f)({"x": x, "y": y}, 5, scale=2.0)
    assert list(out) == ["a", "b"]
    (np.sum(out["a"]) + np.sum(out["b"][0])).backward()
    assert_allclose(x.grad.data, [5.0, 5.0])
    assert_allclose(y.grad.data, [12.0, 16.0])


def test_an_argument_that_is_returned():
    x = Variable(np.array(2.0))
    a, b = checkpoint(lambda x: (x, x * x))(x)
    (a + b).backward()
    assert_allclose(x.grad.data, 5.0)


def test_without_recording_and_without_variables():
    calls = []

    def f(x):
        calls.append(1)
        return np.sin(x)

    with no_grad():
        assert checkpoint(f)(Variable(np.ones(2))).creator is None
    assert len(calls) == 1
    assert_allclose(checkpoint(f)(np.ones(2)), np.sin(np.ones(2)))
    y = checkpoint(f)(Variable(np.ones(2)))
    assert len(calls) == 3
    np.sum(y).backward()
    assert len(calls) == 4


def test_an_error_of_the_function_passes():
    def f(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        checkpoint(f)(Variable(np.ones(2)))
    assert Config.enable_backprop


def test_inside_vmap():
    x = np.arange(3.0)
    assert_allclose(vmap(grad(checkpoint(lambda x: np.sin(x) * x)))(x), np.sin(x) + x * np.cos(x))
    g = grad(lambda x: np.sum(vmap(checkpoint(np.sin))(x)))(x)
    assert_allclose(g, np.cos(x))


def test_stop_gradient_inside():
    x = Variable(np.array(2.0))
    checkpoint(lambda x: x * stop_gradient(x))(x).backward()
    assert_allclose(x.grad.data, 2.0)


def test_backward_twice():
    x = Variable(np.array(0.5))
    y = checkpoint(np.sin)(x)
    y.backward()
    y.cleargrad()
    y.backward()
    assert_allclose(x.grad.data, 2 * np.cos(0.5))
