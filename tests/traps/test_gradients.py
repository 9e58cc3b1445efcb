"""Gradients that were wrong, or missing, or not to be had."""

from __future__ import annotations

import gc

import numpy as np
import pytest

import dezero
import dezero.functions as F
import dezero.layers as L
from dezero import Layer, Parameter, Variable, optimizers
from dezero.models import MLP, Sequential
from dezero.utils import logsumexp

from .common import Cube, Split, differences, leaf, rng


@pytest.mark.parametrize("f", [F.conv2d, F.deconv2d], ids=["conv2d", "deconv2d"])
def test_the_gradient_of_a_convolution_weight_can_be_differentiated(f):
    x, W, v = rng.standard_normal((3, 2, 2, 3, 3))

    def gradient(W_, x_=x):
        w = Variable(W_)
        F.sum(f(x_, w, pad=1) ** 3).backward(create_graph=True)
        return w, w.grad

    w, gw = gradient(W)
    w.cleargrad()
    F.sum(gw * v).backward()
    expected = differences(lambda a: np.sum(gradient(a)[1].data * v), W)
    assert np.allclose(w.grad.data, expected, rtol=1e-5, atol=1e-6)


def test_a_hessian_over_the_weights_of_a_small_network_with_a_convolution():
    model = Sequential(L.Conv2d(2, 3, in_channels=1, dtype=np.float64), F.tanh, F.flatten,
                       L.Linear(2, dtype=np.float64))  # fmt: skip
    x, t = rng.standard_normal((2, 1, 5, 5)), np.array([0, 1])
    loss = F.softmax_cross_entropy(model(x), t)
    loss.backward(create_graph=True)
    grads = [p.grad for p in model.params()]
    penalty = sum(F.sum(g * g) for g in grads)
    model.cleargrads()
    penalty.backward()
    for p in model.params():
        assert p.grad is not None
        assert np.all(np.isfinite(p.grad.data))


def test_batch_norm_second_derivative_is_right():
    x, v = rng.standard_normal((2, 6, 2))
    gamma, beta = rng.standard_normal((2, 2))

    def gradient(array):
        a = Variable(array)
        y = F.batch_nrom(a, gamma, beta, np.zeros(2), np.ones(2))
        F.sum(y**3).backward(create_graph=True)
        return a, a.grad

    a, ga = gradient(x)
    a.cleargrad()
    F.sum(ga * v).backward()
    expected = differences(lambda b: np.sum(gradient(b)[1].data * v), x)
    assert np.allclose(a.grad.data, expected, rtol=1e-4, atol=1e-5)


def test_batch_norm_in_test_mode_can_be_differentiated():
    x = leaf(4, 3)
    with dezero.test_mode():
        y = F.batch_nrom(x, np.full(3, 2.0), np.zeros(3), np.zeros(3), np.full(3, 4.0), eps=0.0)
        y.backward()
    assert np.allclose(x.grad.data, 1.0)


@pytest.mark.parametrize("f", [F.max, F.min], ids=["max", "min"])
@pytest.mark.parametrize("axis", [-1, -2, (0, -1), (-1, -2)], ids=str)
def test_max_and_min_along_a_negative_axis(f, axis):
    x = leaf(2, 3)
    y = f(x, axis=axis)
    y.backward()
    assert np.count_nonzero(x.grad.data) == y.size
    assert x.grad.data.sum() == y.size


@pytest.mark.parametrize(("f", "tied"), [(F.max, [0, 2.0, 2.0]), (F.min, [3.0, 2.0, 2.0])])
def test_equal_largest_elements_share_the_gradient(f, tied):
    x = Variable(np.array([tied]))
    f(x, axis=1).backward()
    assert np.array_equal(x.grad.data, [[0.0, 0.5, 0.5]])


def test_average_pooling_with_a_kernel_that_is_not_square():
    x = leaf(1, 1, 4, 6)
    y = F.average_pooling(x, (2, 3), stride=(2, 3))
    assert np.allclose(y.data[0, 0, 1, 1], x.data[0, 0, 2:, 3:].mean())
    F.sum(y * np.arange(4.0).reshape(1, 1, 2, 2)).backward()
    assert np.allclose(x.grad.data[0, 0, 2:, 3:], 3 / 6)
    assert np.allclose(x.grad.data[0, 0, :2, :3], 0)


def test_padded_max_pooling_of_negative_maps_is_not_zero():
    x = Variable(-1.0 - rng.random((1, 2, 4, 4)))
    y = F.pooling(x, 3, stride=1, pad=1)
    assert np.all(y.data <= -1.0)
    y.backward()
    assert x.grad.data.sum() == y.size


def test_third_derivative_through_max_pooling():
    x = Variable(np.arange(1.0, 17.0).reshape(1, 1, 4, 4))
    y = F.sum(F.pooling(x, 2, 2) ** 4)
    expected = x.data * 0
    expected[:, :, 1::2, 1::2] = 24 * x.data[:, :, 1::2, 1::2]
    for _ in range(2):
        y.backward(create_graph=True)
        y = F.sum(x.grad)
        x.cleargrad()
    y.backward()
    assert np.allclose(x.grad.data, expected)


def test_x_to_the_power_0_at_0_has_gradient_0():
    x = Variable(np.array([0.0, 2.0]))
    y = x**0
    assert np.array_equal(y.data, [1.0, 1.0])
    y.backward()
    assert np.array_equal(x.grad.data, [0.0, 0.0])


def test_variables_as_exponents():
    a, b = Variable(np.array([2.0, 3.0])), Variable(np.array([3.0, -1.0]))
    y = a**b
    y.backward()
    assert np.allclose(y.data, [8.0, 1 / 3])
    assert np.allclose(a.grad.data, [12.0, -1 / 9])
    assert np.allclose(b.grad.data, [8 * np.log(2), np.log(3) / 3])
    x = Variable(np.array(3.0))
    (2**x).backward()
    assert np.isclose(x.grad.data, 8 * np.log(2))
    x = Variable(np.array(3.0))
    (np.array(2.0) ** x).backward()
    assert np.isclose(x.grad.data, 8 * np.log(2))


@pytest.mark.parametrize(
    "shapes",
    [((2, 3), (3,)), ((3,), (3, 2)), ((3,), (3,)), ((4, 2, 3), (4, 3, 5)), ((4, 2, 3), (3, 5)),
     ((2, 1, 2, 3), (4, 3, 5))],
    ids=str,
)  # fmt: skip
def test_matmul_of_vectors_and_of_batches(shapes):
    a, b = (leaf(*shape) for shape in shapes)
    y = a @ b
    assert np.allclose(y.data, a.data @ b.data)
    weight = rng.standard_normal(y.shape)
    F.sum(y * weight).backward()
    assert np.allclose(a.grad.data, differences(lambda m: np.sum(m @ b.data * weight), a.data))
    assert np.allclose(b.grad.data, differences(lambda m: np.sum(a.data @ m * weight), b.data))
    assert np.allclose(F.matmul(a, b).data, y.data)


def test_the_matmul_operator_takes_arrays_on_both_sides():
    x, a = leaf(2, 3), rng.standard_normal((3, 2))
    assert type(a @ x) is Variable
    assert type(x @ a) is Variable
    assert np.allclose((a @ x).data, a @ x.data)


def test_rnn_with_in_size_runs_for_more_than_one_step():
    layer = L.RNN(4, in_size=2)
    for _ in range(3):
        h = layer(np.ones((1, 2), np.float32))
    assert h.shape == (1, 4)
    assert layer.h2h.W.shape == (4, 4)


def test_freeze_param_keeps_its_layers_and_trains_the_rest():
    model = MLP((4, 2))
    x, t = rng.standard_normal((5, 3)), np.array([0, 1, 0, 1, 1])
    model(x)
    before = [p.data.copy() for p in model.params()]
    optimizer = optimizers.SGD(0.5).setup(model)
    optimizer.add_hook(optimizers.FreezeParam(model.l0))
    for _ in range(2):
        loss = F.softmax_cross_entropy(model(x), t)
        model.cleargrads()
        loss.backward()
        optimizer.update()
    same = [np.array_equal(p.data, old) for p, old in zip(model.params(), before, strict=True)]
    assert same == [True, True, False, False]


def test_freeze_param_takes_single_parameters_too():
    model = MLP((4, 2))
    x, t = rng.standard_normal((5, 3)), np.array([0, 1, 0, 1, 1])
    model(x)
    before = [p.data.copy() for p in model.params()]
    optimizer = optimizers.MomentumSGD(0.5).setup(model)
    optimizer.add_hook(optimizers.FreezeParam(model.l0.W, model.l1))
    F.softmax_cross_entropy(model(x), t).backward()
    optimizer.update()
    same = [np.array_equal(p.data, old) for p, old in zip(model.params(), before, strict=True)]
    assert same == [True, False, True, True]


def two_parameters(hook):
    layer = Layer()
    layer.a = Parameter(np.array([1.0, 2.0]))
    layer.b = Parameter(np.array([3.0, -4.0]))
    optimizer = optimizers.SGD(1.0).setup(layer)
    optimizer.add_hook(hook)
    F.sum(layer.a + layer.b).backward()
    optimizer.update()
    return layer.a.data, layer.b.data


def test_weight_decay_of_two_parameters_with_equal_gradients():
    a, b = two_parameters(optimizers.WeightDecay(0.5))
    assert np.allclose(a, [1 - 1 - 0.5, 2 - 1 - 1])
    assert np.allclose(b, [3 - 1 - 1.5, -4 - 1 + 2])


def test_clip_grad_of_two_parameters_with_equal_gradients():
    a, b = two_parameters(optimizers.ClipGrad(1.0))
    assert np.allclose(a, [0.5, 1.5], atol=1e-5)
    assert np.allclose(b, [2.5, -4.5], atol=1e-5)


@pytest.mark.parametrize("hook", [optimizers.WeightDecay(0.5), optimizers.ClipGrad(0.1)])
def test_hooks_leave_other_peoples_arrays_alone(hook):
    seed = np.ones(2)
    layer = Layer()
    layer.a = Parameter(np.array([1.0, 2.0]))
    x = Variable(np.array([5.0, 6.0]))
    y = layer.a + x
    y.grad = Variable(seed)
    y.backward(retain_grad=True)
    hook(list(layer.params()))
    assert np.array_equal(seed, [1, 1])
    assert np.array_equal(x.grad.data, [1, 1])
    assert np.array_equal(y.grad.data, [1, 1])
    assert not np.array_equal(layer.a.grad.data, [1, 1])


def test_two_summands_do_not_share_one_gradient_array():
    a, b = leaf(3), leaf(3)
    y = a + b
    y.backward(retain_grad=True)
    for u, v in ((a, b), (a, y), (b, y)):
        assert not np.may_share_memory(u.grad.data, v.grad.data)


def test_a_gradient_is_not_a_view_of_another():
    a = leaf(2, 3)
    y = a.reshape(6).T
    y.backward(retain_grad=True)
    a.grad.data[...] = 7.0
    assert np.array_equal(y.grad.data, np.ones(6))
    a = leaf(3)
    y = F.broadcast_to(F.sum(a), (4,))
    y.backward()
    a.grad.data += 1.0
    assert np.array_equal(a.grad.data, [5.0, 5.0, 5.0])


def test_sigmoid_cross_entropy_of_a_confident_mistake_is_finite():
    x = Variable(np.array([100.0, -100.0, 1000.0]))
    loss = F.sigmoid_cross_entropy(x, np.array([0, 1, 1]))
    loss.backward()
    assert np.isclose(loss.data, 200 / 3)
    assert np.allclose(x.grad.data, [1 / 3, -1 / 3, 0.0])


def test_binary_cross_entropy_of_a_sure_answer_is_below_a_thousandth():
    p = Variable(np.array([0.9999, 0.0001]))
    loss = F.binary_cross_entropy(p, np.array([1, 0]))
    loss.backward()
    assert np.isclose(loss.data, -np.log(0.9999), rtol=1e-6)
    assert np.allclose(p.grad.data, [-0.5 / 0.9999, 0.5 / 0.9999])
    far = F.binary_cross_entropy(np.array([0.0, 1.0]), np.array([1, 0]))
    assert np.isfinite(far.data)


def test_logsumexp_of_a_row_of_minus_infinity():
    x = np.array([[-np.inf, -np.inf], [0.0, -np.inf], [np.inf, 0.0]])
    got = logsumexp(x, axis=1).ravel()
    assert np.array_equal(got, [-np.inf, 0.0, np.inf])


def test_dropout_of_everything_gives_zeros():
    x = Variable(np.ones(5, np.float32))
    y = F.dropout(x, 1.0)
    assert np.array_equal(y.data, np.zeros(5))
    y.backward()
    assert np.array_equal(x.grad.data, np.zeros(5))


@pytest.mark.parametrize("ratio", [-0.1, 1.1])
def test_dropout_of_more_than_everything_is_refused(ratio):
    with pytest.raises(ValueError, match="dropout"):
        F.dropout(np.ones(5), ratio)


def test_an_output_that_nobody_used_reaches_backward_as_zeros():
    x = Variable(np.array([3.0, 4.0]))
    double, square = Split()(x)
    square.backward()
    assert np.array_equal(x.grad.data, [6.0, 8.0])
    x.cleargrad()
    double.backward()
    assert np.array_equal(x.grad.data, [2.0, 2.0])


def test_an_output_that_nobody_holds_does_not_crash_backward():
    x = Variable(np.array(3.0))
    y = Split()(x)[1]
    gc.collect()
    y.backward(retain_grad=True)
    assert x.grad.data == 6.0


def test_a_function_object_called_twice_serves_both_graphs():
    f = Cube()
    a, b = Variable(np.array(2.0)), Variable(np.array(5.0))
    ya, yb = f(a), f(b)
    ya.backward()
    yb.backward()
    assert (ya.data, yb.data) == (8.0, 125.0)
    assert (a.grad.data, b.grad.data) == (12.0, 75.0)
    x = Variable(np.array(2.0))
    f(f(x)).backward()
    assert x.grad.data == 9 * 2.0**8
    relu = F.ReLU()
    a, b = Variable(np.array([1.0, -1.0])), Variable(np.array([-1.0, 1.0]))
    (relu(a) + relu(b)).backward()
    assert np.array_equal(a.grad.data, [1, 0])
    assert np.array_equal(b.grad.data, [0, 1])


@pytest.mark.parametrize(
    "f",
    [lambda x: x**2, lambda x: x * x, F.sin, F.exp, lambda x: Cube()(x), F.log,
     lambda x: F.sum(x * 3 * x), lambda x: F.matmul(x, x)],
)  # fmt: skip
def test_data_changed_in_place_after_forward_is_not_a_silent_wrong_gradient(f):
    x = Variable(np.array([3.0, 4.0]))
    y = f(x)
    x.data += 1
    if f is F.exp:  # its gradient needs only the result: right either way
        y.backward()
        assert np.allclose(x.grad.data, np.exp([3.0, 4.0]))
        return
    with pytest.raises(RuntimeError, match=r"in.place"):
        y.backward()


def test_data_of_a_result_changed_in_place_is_refused_at_once():
    x = Variable(np.array([3.0, 4.0]))
    y = x * 2.0
    with pytest.raises(RuntimeError, match=r"in.place"):
        y.data += 1


def test_data_replaced_after_forward_leaves_the_old_graph_right():
    x = Variable(np.array(3.0))
    y = x**2
    x.data = x.data + 1
    y.backward()
    assert x.grad.data == 6.0
    x.cleargrad()
    (x**2).backward()
    assert x.grad.data == 8.0


def test_data_changed_in_place_between_graphs_is_the_books_way_to_learn():
    x = Variable(np.array([3.0]))
    for expected in (3.0, 2.4, 1.92):
        assert np.allclose(x.data, expected)
        x.cleargrad()
        F.sum(x**2).backward()
        x.data -= 0.1 * x.grad.data


@pytest.mark.parametrize("seed", [np.ones(4), np.ones((2, 3)), np.array(1.0)])
def test_a_seed_of_the_wrong_shape_is_refused(seed):
    x = leaf(3)
    y = x * 2.0
    y.grad = Variable(seed)
    with pytest.raises(ValueError, match=r"\(3,\)"):
        y.backward()
    assert x.grad is None


def test_backward_keeps_the_gradient_of_its_root():
    x = Variable(np.array(3.0))
    y = x**2
    y.grad = Variable(np.array(10.0))
    y.backward()
    assert y.grad.data == 10.0
    assert x.grad.data == 60.0
    y = x**2
    y.backward()
    assert y.grad.data == 1.0


def test_backward_twice_adds_the_same_gradient_again():
    x = Variable(np.array(3.0))
    y = x**2
    y.backward()
    y.backward()
    assert y.grad.data == 1.0
    assert x.grad.data == 12.0


def test_a_second_derivative_without_cleargrad_warns():
    x = Variable(np.array(1.0), name="angle")
    y = x**3
    y.backward(create_graph=True)
    with pytest.warns(UserWarning, match="cleargrad"):
        x.grad.backward()


def test_a_second_derivative_with_cleargrad_does_not_warn():
    x = Variable(np.array(1.0))
    y = x**3
    y.backward(create_graph=True)
    gx = x.grad
    x.cleargrad()
    gx.backward()
    assert x.grad.data == 6.0
