"""vmap: axes, structures, writes, indices, fallbacks, errors."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import dezero
import dezero.functions as F
from dezero import Function, Variable
from dezero.autodiff import grad, jvp, vjp, vmap
from dezero.layers import BatchNorm, Linear

X = np.arange(12.0).reshape(3, 4)


def test_axes_in_and_out():
    f = lambda a, b: np.sum(a * b)
    assert_allclose(vmap(f)(X, X), np.sum(X * X, 1))
    assert_allclose(vmap(f, (1, None))(X, np.ones(3)), X.sum(0))
    assert_allclose(vmap(f, in_axes=[0, None])(X, np.ones(4)), X.sum(1))
    assert_array_equal(vmap(lambda x: 2 * x, out_axes=1)(X), 2 * X.T)
    assert_array_equal(vmap(lambda x: 2 * x, in_axes=-1, out_axes=-1)(X), 2 * X)
    a, b = vmap(lambda x: (x, x[0]), out_axes=(1, 0))(X)
    assert_array_equal(a, X.T)
    assert_array_equal(b, X[:, 0])


def test_structures():
    out = vmap(lambda p, n: {"a": p["x"] + n, "b": [p["y"][0] * 2, 7.0]}, (0, None))(
        {"x": X, "y": (X[:, 0],)}, 1
    )
    assert_array_equal(out["a"], X + 1)
    assert_array_equal(out["b"][0], 2 * X[:, 0])
    assert_array_equal(out["b"][1], [7.0, 7.0, 7.0])


def test_shapes_that_a_function_sees():
    seen = []

    def f(x):
        seen.append((x.shape, x.ndim, x.size, x.dtype, len(x), np.shape(x), np.ndim(x)))
        return x.T

    vmap(f)(np.ones((5, 2, 3), np.float32))
    assert seen == [((2, 3), 2, 6, np.dtype(np.float32), 2, (2, 3), 2)]


@pytest.mark.parametrize(
    ("args", "axes", "message"),
    [
        ((X, np.ones(2)), 0, "same number"),
        ((2.0,), 0, "examples"),
        ((X,), (None,), "no examples"),
        ((X,), (0, 0), "2 entries for 1"),
        ((np.ones((0, 3)),), 0, "at least 1"),
    ],
)
def test_mistakes(args, axes, message):
    with pytest.raises(ValueError, match=message):
        vmap(lambda *xs: xs[0], axes)(*args)


def test_an_error_of_the_function_passes():
    with pytest.raises(ValueError, match="matmul"):
        vmap(lambda x: np.matmul(x, np.ones((3, 3))))(X)
    with pytest.raises(IndexError):
        vmap(lambda x: x[7])(X)
    with pytest.raises(np.exceptions.AxisError):
        vmap(lambda x: np.sum(x, axis=1))(X)


def test_writes_into_copies():
    def f(x):
        y = np.copy(x)
        y[0] = x[1]
        y[y > 5] = 0.0
        y[1:3] = x[0] * np.ones(2)
        y += 1
        return y

    before = X.copy()
    assert_array_equal(vmap(f)(X), np.stack([f(x) for x in X]))
    assert_array_equal(X, before)


@pytest.mark.parametrize(
    "write",
    [
        lambda a, x: a.__setitem__(slice(0, 2), x[:2]),
        lambda a, x: np.put(a, [0, 1], x[:2]),
        lambda a, x: np.add.at(a, [0, 0], x[:2]),
        lambda a, x: np.copyto(a, x),
        lambda a, x: np.add(a, x, out=a),
    ],
)
def test_writes_into_arrays_made_inside(write):
    def f(x):
        a = np.zeros(4)
        write(a, x)
        return a

    assert_array_equal(vmap(f)(X), np.stack([f(x) for x in X]))


def test_indices_of_every_example():
    i, W = np.array([0, 3, 1]), np.arange(10.0).reshape(5, 2)
    assert_array_equal(vmap(lambda x, i: x[i])(X, i), X[np.arange(3), i])
    slopes = vmap(grad(lambda x, i: x[i] ** 2))(X, i)
    assert_array_equal(slopes, 2 * X * (np.arange(4) == i[:, None]))
    assert_array_equal(vmap(lambda i: F.embed_id(i, W).data)(i), W[i])
    pairs = np.array([[0, 1], [2, 2], [3, 0]])
    assert_array_equal(vmap(lambda x, i: x[i])(X, pairs), np.take_along_axis(X, pairs, 1))
    g = vmap(grad(lambda x, i: np.sum(x[i])))(X, pairs)
    assert_array_equal(g, [[1, 1, 0, 0], [0, 0, 2, 0], [1, 0, 0, 1]])
    assert_array_equal(vmap(lambda x: x[x > 5][:1])(X + 6), (X + 6)[:, :1])


def test_log_likelihoods_of_labels():
    t = np.array([0, 3, 1])
    loss = lambda x, t: -F.log_softmax(x, axis=0)[t]
    expected = F.softmax_cross_entropy(X, t).data * 3
    assert_allclose(np.sum(vmap(lambda x, t: loss(x, t).data)(X, t)), expected)
    g = vmap(grad(loss))(X, t)
    assert_allclose(g, F.softmax(X).data - np.eye(4)[t], atol=1e-12)
    batched = lambda x: F.softmax_cross_entropy(F.reshape(x, (1, -1)), np.array([2]))
    assert_allclose(vmap(grad(batched))(X), F.softmax(X).data - np.eye(4)[[2, 2, 2]], atol=1e-12)


def test_constants_next_to_examples():
    c = Variable(np.ones(4), requires_grad=False)
    out = vmap(lambda x: np.concatenate([c, x * c, np.zeros(1)]))(X)
    assert_array_equal(np.asarray(out)[:, 4:8], X)


def test_outer_variables_next_to_examples():
    w = Variable(np.ones(4))
    y = vmap(lambda x: np.concatenate([w * x, x, w]))(X)
    np.sum(y).backward()
    assert_array_equal(w.grad.data, X.sum(0) + 3)


def test_gradients_of_what_vmap_computes():
    w = np.array([1.0, -1.0, 0.5, 2.0])
    f = lambda w: np.sum(vmap(lambda x: np.tanh(np.dot(w, x)))(X) ** 2)
    plain = lambda w: np.sum(np.tanh(X @ w) ** 2)
    assert_allclose(grad(f)(w), grad(plain)(w))
    assert_allclose(jvp(f, (w,), (w,))[1], jvp(plain, (w,), (w,))[1])
    assert_allclose(vjp(vmap(np.sin), X)[1](X)[0], np.cos(X) * X)


def test_a_layer_example_by_example():
    layer = Linear(2, in_size=4)
    x = X.astype(np.float32)
    out = vmap(lambda x: layer(F.reshape(x, (1, 4))))(x)
    assert_allclose(out.data[:, 0], layer(x).data, rtol=1e-5)
    F.sum(out).backward()
    assert_allclose(layer.b.grad.data, [3.0, 3.0])


def test_functions_of_a_user():
    class Half(Function):
        """Its gradient is not that of its value: a straight-through estimator."""

        def forward(self, x):
            return np.floor(x / 2)

        def backward(self, gy):
            return gy

    x = np.array([1.0, 4.0, 7.0])
    assert_array_equal(vmap(lambda x: Half()(x).data)(x), [0.0, 2.0, 3.0])
    assert_array_equal(vmap(grad(lambda x: Half()(x)))(x), np.ones(3))
    assert_array_equal(grad(lambda x: np.sum(vmap(lambda x: Half()(x))(x)))(x), np.ones(3))


def test_functions_that_know_plain_arrays_alone():
    f = lambda x: float(x[0]) + np.asarray(x).sum() + sum(x.tolist()) + x.flat[0]
    assert_allclose(vmap(f)(X), [f(x) for x in X])


def test_every_example_has_its_own_mask():
    dezero.seed(0)
    y = vmap(lambda x: F.dropout(x, 0.5))(np.ones((4, 50)))
    masks = np.asarray(y) != 0
    assert not np.array_equal(masks[0], masks[1])


def test_running_statistics_move_once_for_each_example():
    x = np.random.default_rng(0).normal(size=(2, 8, 3)).astype(np.float32)
    loop, together = BatchNorm(), BatchNorm()
    expected = [loop(v).data for v in x]
    found = vmap(together)(x)
    assert_allclose(getattr(found, "_data", found), expected, rtol=1e-5)
    assert_allclose(together.avg_mean.data, loop.avg_mean.data)
    assert_allclose(together.avg_var.data, loop.avg_var.data)


def test_images_of_every_example():
    rng = np.random.default_rng(0)
    x, W = rng.normal(size=(3, 2, 1, 5, 5)), rng.normal(size=(2, 1, 3, 3))
    f = lambda W, x: F.sum(F.pooling(F.relu(F.conv2d(x, W)), 2, 1) ** 2)
    gs = vmap(grad(f), (None, 0))(W, x)
    assert_allclose(gs, [grad(f)(W, v) for v in x])


def test_the_result_does_not_alias_the_batch():
    y = vmap(lambda x: x * 1.0)(X)
    assert not np.shares_memory(y, X)
