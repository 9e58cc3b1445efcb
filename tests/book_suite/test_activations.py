import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable

from .check import check, check_float32, values


def plain_sigmoid(a):
    return 1 / (1 + np.exp(-a))


def plain_softmax(a, axis=1):
    e = np.exp(a - a.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


@pytest.mark.parametrize("f", [F.sigmoid, F.sigmoid_simple], ids=["sigmoid", "sigmoid_simple"])
def test_sigmoid(f):
    check(f, plain_sigmoid, values(1, (3, 4)))
    check_float32(f, values(1, (3, 4)))
    expected = [0.5, 0.7310585786300049, 0.11920292202211755]
    assert np.allclose(f(np.array([0.0, 1.0, -2.0])).data, expected, rtol=1e-14)


def test_sigmoid_far_out():
    y = F.sigmoid(np.array([-1000.0, -50.0, 50.0, 1000.0])).data
    assert np.allclose(y, [0.0, np.exp(-50.0), 1.0, 1.0], rtol=0, atol=1e-15)
    for value in (-1000.0, 1000.0):
        x = Variable(np.array(value))
        F.sigmoid(x).backward()
        assert x.grad.data == 0.0


def test_relu():
    check(F.relu, lambda a: np.maximum(a, 0), values(2, (10, 3)))
    check(lambda v: F.relu(v) ** 2, lambda a: np.maximum(a, 0) ** 2, values(2, (10, 3)))
    check_float32(F.relu, values(2, (3, 4)))
    x = Variable(np.array([[-1.0, 0.0], [2.0, -3.0]]))
    y = F.relu(x)
    y.backward()
    assert np.array_equal(y.data, [[0, 0], [2, 0]])
    assert np.array_equal(x.grad.data, [[0, 0], [1, 0]])


def test_leaky_relu():
    for slope in (0.2, 0.01):

        def f(v, slope=slope):
            return F.leaky_relu(v, slope)

        def plain(a, slope=slope):
            return np.where(a > 0, a, slope * a)

        check(f, plain, values(3, (4, 3)))
    assert np.allclose(F.leaky_relu(np.array([-1.0, 2.0])).data, [-0.2, 2.0])
    check_float32(F.leaky_relu, values(3, (4, 3)))


@pytest.mark.parametrize("f", [F.softmax, F.softmax_simple], ids=["softmax", "softmax_simple"])
def test_softmax(f):
    check(f, plain_softmax, values(4, (4, 3)))
    check_float32(f, values(4, (4, 3)))
    x = np.array([[0, 1, 2], [0, 2, 4]], dtype=np.float64)
    expected = [0.09003057317038046, 0.24472847105479767, 0.6652409557748219]
    assert np.allclose(f(x).data[0], expected, rtol=1e-14)


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_softmax_along_an_axis(axis):
    x = values(5, (2, 3, 4))
    check(lambda v: F.softmax(v, axis=axis), lambda a: plain_softmax(a, axis), x)
    check(lambda v: F.log_softmax(v, axis=axis), lambda a: np.log(plain_softmax(a, axis)), x)


def test_softmax_far_out():
    y = F.softmax(np.array([[1000.0, 0.0, -1000.0]])).data
    assert np.array_equal(y, [[1.0, 0.0, 0.0]])


def test_log_softmax():
    check(F.log_softmax, lambda a: np.log(plain_softmax(a)), values(6, (4, 3)))
    check_float32(F.log_softmax, values(6, (4, 3)))
    y = F.log_softmax(np.array([[1000.0, 0.0]])).data
    assert np.array_equal(y, [[0.0, -1000.0]])
