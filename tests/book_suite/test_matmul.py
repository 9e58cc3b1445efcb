import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable

from .check import check, check_float32, values


@pytest.mark.parametrize(
    "shapes", [((2, 3), (3, 4)), ((1, 3), (3, 1)), ((3, 3), (3, 3)), ((5, 1), (1, 2))], ids=str
)
def test_matmul(shapes):
    check(F.matmul, np.matmul, *values(1, *shapes))
    check_float32(F.matmul, *values(1, *shapes))


def test_matmul_with_itself():
    check(lambda x: F.matmul(x, x), lambda a: a @ a, values(2, (3, 3)))


def test_matmul_as_methods():
    x, W = values(3, (2, 3), (3, 4))
    for y in (Variable(x).matmul(W), Variable(x).dot(W), Variable(x).dot(Variable(W))):
        assert np.allclose(y.data, x @ W)


def test_matmul_of_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match=r"\(2, 3\).*\(2, 3\)"):
        F.matmul(Variable(np.zeros((2, 3))), Variable(np.zeros((2, 3))))


@pytest.mark.parametrize("f", [F.linear, F.linear_simple], ids=["linear", "linear_simple"])
def test_linear(f):
    x, W, b = values(4, (5, 3), (3, 4), (4,))
    check(f, lambda x, W, b: x @ W + b, x, W, b)
    check(f, lambda x, W: x @ W, x, W)
    check_float32(f, x, W, b)


def test_linear_by_known_numbers():
    x = Variable(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    W = x.T
    assert np.array_equal(F.linear(x, W).data, [[14, 32], [32, 77]])
    assert np.array_equal(F.linear(x, W, np.array([1.0, -1.0])).data, [[15, 31], [33, 76]])
