import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable
from dezero.utils import logsumexp

from .check import check, check_float32, values


def plain_cross_entropy(x, t):
    m = x.max(axis=1, keepdims=True)
    log_p = x - m - np.log(np.exp(x - m).sum(axis=1, keepdims=True))
    return -np.mean(log_p[np.arange(len(t)), t])


CROSS_ENTROPIES = [F.softmax_cross_entropy, F.softmax_cross_entropy_simple]
MSE = [F.mean_squared_error, F.mean_squared_error_simple]


@pytest.mark.parametrize("f", CROSS_ENTROPIES, ids=["fast", "simple"])
@pytest.mark.parametrize(("n", "c"), [(1, 2), (4, 3), (7, 11)])
def test_softmax_cross_entropy(f, n, c):
    x = values(1, (n, c))
    t = np.random.default_rng(0).integers(0, c, n)
    check(lambda v: f(v, t), lambda a: plain_cross_entropy(a, t), x)
    check_float32(lambda v: f(v, t), x)


def test_softmax_cross_entropy_known():
    x = np.array([[-1, 0, 1, 2], [2, 0, 1, -1]], np.float32)
    t = np.array([3, 0]).astype(np.int32)
    y = F.softmax_cross_entropy(x, t)
    assert np.isclose(y.data, 0.44018972, rtol=1e-6)


def test_softmax_cross_entropy_far_out():
    x = Variable(np.array([[1000.0, 0.0], [0.0, -1000.0]]))
    loss = F.softmax_cross_entropy(x, np.array([1, 0]))
    loss.backward()
    assert loss.data == 500.0
    assert np.array_equal(x.grad.data, [[0.5, -0.5], [0.0, 0.0]])


@pytest.mark.parametrize("f", MSE, ids=["fast", "simple"])
def test_mean_squared_error(f):
    for shape in [(4,), (3, 1)]:
        a, b = values(2, shape, shape)
        check(f, lambda x0, x1: np.mean((x0 - x1) ** 2), a, b)
        check_float32(f, a, b)
    x0 = np.array([0.0, 1.0, 2.0])
    assert f(x0, x0).data == 0.0
    assert f(x0, np.array([1.0, 1.0, 4.0])).data == 5 / 3


def test_mean_squared_error_counts_every_element():
    a, b = values(3, (4, 5), (4, 5))
    check(F.mean_squared_error, lambda x0, x1: np.mean((x0 - x1) ** 2), a, b)


def test_sigmoid_cross_entropy():
    x = values(4, (6,))
    t = np.array([0, 1, 1, 0, 1, 0])

    def plain(a):
        p = 1 / (1 + np.exp(-a))
        return -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p))

    check(lambda v: F.sigmoid_cross_entropy(v, t), plain, x)
    check_float32(lambda v: F.sigmoid_cross_entropy(v, t), x)


def test_binary_cross_entropy():
    p = np.array([0.1, 0.5, 0.9, 0.3])
    t = np.array([0, 1, 1, 1])
    check(lambda v: F.binary_cross_entropy(v, t),
          lambda a: -np.mean(t * np.log(a) + (1 - t) * np.log(1 - a)), p)  # fmt: skip


def test_accuracy():
    y = np.array([[0.2, 0.8, 0], [0.1, 0.9, 0], [0.8, 0.1, 0.1]])
    assert np.isclose(float(F.accuracy(y, np.array([1, 2, 0])).data), 2 / 3)
    assert F.accuracy(Variable(y), np.array([1, 1, 0])).data == 1.0


def test_logsumexp():
    x = values(5, (3, 4))
    for axis in (0, 1):
        expected = np.log(np.exp(x).sum(axis=axis, keepdims=True))
        got = logsumexp(x, axis=axis)
        assert np.allclose(got, expected)
        assert got.shape == expected.shape
    assert np.allclose(logsumexp(np.array([[1000.0, 1000.0]])), 1000 + np.log(2))
