"""``import dezero.numpy as np``: NumPy, whose arrays may be Variables."""

from __future__ import annotations

import itertools
import subprocess
import sys

import numpy
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import dezero.numpy as np
import dezero.numpy.linalg as npl
import dezero.numpy.random as npr
from dezero import Variable


def scalar(value: float, dtype: type = float) -> Variable:
    return Variable(numpy.array(value, dtype))


def test_every_public_name_of_numpy_is_there():
    for name in numpy.__all__:
        assert hasattr(np, name), name
    assert np.sin is numpy.sin
    assert np.pi == numpy.pi
    assert np.newaxis is None
    assert set(numpy.__all__) <= set(dir(np))
    with pytest.raises(AttributeError, match="nothing_of_that_name"):
        np.nothing_of_that_name


@pytest.mark.parametrize("room", ["linalg", "fft", "random"])
def test_rooms_of_numpy(room):
    ours, theirs = getattr(np, room), getattr(numpy, room)
    for name in theirs.__all__:
        assert getattr(ours, name) is getattr(theirs, name)
    assert set(theirs.__all__) <= set(dir(ours))
    with pytest.raises(AttributeError, match="nothing_of_that_name"):
        ours.nothing_of_that_name
    assert npr.rand is numpy.random.rand
    assert npl.norm is numpy.linalg.norm


def test_the_real_numpy_is_not_shadowed():
    code = (
        "import dezero, numpy, sys; assert numpy.ndarray; "
        "assert dezero.core.variable.np is numpy; assert dezero.numpy is not numpy; "
        "assert dezero.numpy.creation.np is numpy; print(numpy.__name__, dezero.numpy.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["numpy", "dezero.numpy"]


@pytest.mark.parametrize(
    "make",
    [
        lambda m: m.array([1.0, 2.0]),
        lambda m: m.array([[1, 2], [3, 4]], dtype=m.float32),
        lambda m: m.array(5, ndmin=2),
        lambda m: m.asarray([1, 2], float),
        lambda m: m.asanyarray(3.0),
        lambda m: m.ascontiguousarray(3.0),
        lambda m: m.asfortranarray([[1.0, 2.0]]),
        lambda m: m.require([1, 2], float, ["C", "W"]),
        lambda m: m.full((2, 2), 3),
        lambda m: m.full(2, [1, 2], dtype=float),
        lambda m: m.zeros_like(m.ones(3)),
        lambda m: m.ones_like([1, 2], dtype=float),
        lambda m: m.empty_like(m.ones(3)).shape,
        lambda m: m.full_like(m.ones(3), 2),
        lambda m: m.array([]),
        lambda m: m.array("text"),
        lambda m: m.array([None, 1], dtype=object),
    ],
)
def test_without_variables_it_is_numpy(make):
    ours, theirs = make(np), make(numpy)
    assert type(ours) is type(theirs)
    assert_array_equal(ours, theirs)
    assert getattr(ours, "dtype", None) == getattr(theirs, "dtype", None)


def test_lists_of_variables_become_one():
    a, b = scalar(2.0), scalar(3.0)
    y = np.array([[a, 1.0], [b, a * b]])
    assert y.shape == (2, 2)
    (y * numpy.array([[1.0, 5.0], [10.0, 100.0]])).sum().backward()
    assert_array_equal(a.grad.data, 301.0)
    assert_array_equal(b.grad.data, 210.0)
    assert np.array([a, 1], dtype=numpy.float32).dtype == numpy.float32
    assert np.asarray([a, b], dtype=complex).dtype == complex
    with pytest.raises(ValueError, match=r"array: got sequences of shapes .*side by side"):
        np.array([[a, b], [a]])


def test_numbers_next_to_variables_are_weak():
    v = scalar(2.0, numpy.float32)
    assert np.array([v, 1.5]).dtype == numpy.float32
    assert np.array([v, numpy.float64(1.5)]).dtype == numpy.float64
    assert np.array([Variable(numpy.array(1)), 1.5]).dtype == numpy.float64


def test_sequences_next_to_variables():
    v = Variable(numpy.array([3.0, 4.0], numpy.float32))
    y = np.array([[1.0, 2.0], v, (v[0], 5)])
    assert y.dtype == numpy.float32
    assert_array_equal(y.data, [[1.0, 2.0], [3.0, 4.0], [3.0, 5.0]])
    y.sum().backward()
    assert_array_equal(v.grad.data, [2.0, 1.0])
    joined = np.concatenate([v, [1.0, v[1]], [7]])
    assert_array_equal(joined.data, [3.0, 4.0, 1.0, 4.0, 7.0])


def test_variables_are_not_written_into_plain_arrays():
    a, v = np.zeros(2), Variable(numpy.ones(2))
    with pytest.raises(TypeError, match=r"lose its gradient.*Variable\(a, requires_grad=False\)"):
        a[:] = v


def test_copies_and_no_copies():
    x = Variable(numpy.ones((2, 3)))
    assert np.asarray(x) is x
    assert np.asanyarray(x) is x
    assert np.ascontiguousarray(x) is x
    y = np.array(x)
    assert y is not x
    assert not numpy.may_share_memory(x.data, y.data)
    assert np.asfortranarray(x).data.flags.f_contiguous
    assert np.ascontiguousarray(x.T).data.flags.c_contiguous
    assert np.require(x, requirements="F").data.flags.f_contiguous
    assert np.require(x.T, requirements=["C"]).data.flags.c_contiguous
    assert np.asarray(x, copy=True) is not x


def test_arrays_like_a_variable_can_be_assigned_to():
    x = Variable(numpy.array([1.0, 2.0, 3.0]))
    for y in (np.zeros_like(x), np.ones_like(x), np.empty_like(x), np.full_like(x, 2)):
        assert type(y) is Variable
        assert not y.requires_grad
        y[:] = x * x
        y.sum().backward()
        assert_array_equal(x.grad.data, [2.0, 4.0, 6.0])
        x.cleargrad()
    assert np.full_like(x, 2).dtype == float
    np.full_like(numpy.ones(3), x[1]).sum().backward()
    assert_array_equal(x.grad.data, [0.0, 3.0, 0.0])


def test_a_program_written_for_numpy():
    def rosenbrock_gradient_flow(x, steps):
        path = np.zeros_like(x, shape=(steps, 2))
        path[0] = x
        for i in range(1, steps):
            a, b = path[i - 1]
            slope = np.array([-2 * (1 - a) - 40 * a * (b - a**2), 20 * (b - a**2)])
            path[i] = path[i - 1] - 0.01 * slope
        return path

    start = numpy.array([-1.0, 0.5])
    x = Variable(start)
    path = rosenbrock_gradient_flow(x, 8)
    assert_allclose(path.data, rosenbrock_gradient_flow(start, 8), rtol=1e-13)
    path[-1, 0].backward()
    h = 1e-6
    slopes = [
        (
            rosenbrock_gradient_flow(start + d, 8)[-1, 0]
            - rosenbrock_gradient_flow(start - d, 8)[-1, 0]
        )
        / (2 * h)
        for d in h * numpy.eye(2)
    ]
    assert_allclose(x.grad.data, slopes, rtol=1e-6)


def test_a_program_written_for_autograd():
    def predictions(weights, inputs):
        for W, b in weights:
            outputs = np.dot(inputs, W) + b
            inputs = np.tanh(outputs)
        return outputs

    rs = npr.RandomState(0)
    sizes = [2, 3, 1]
    weights = [
        (Variable(rs.randn(m, n)), Variable(rs.randn(n))) for m, n in itertools.pairwise(sizes)
    ]
    inputs = np.stack([np.linspace(-1, 1, 5), np.ones(5)], axis=1)
    loss = np.mean((predictions(weights, inputs) - np.sin(inputs[:, :1])) ** 2)
    loss.backward()
    assert all(v.grad is not None for pair in weights for v in pair)
