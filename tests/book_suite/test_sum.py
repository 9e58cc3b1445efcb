import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable

from .check import check, check_float32, values

AXES = [None, 0, 1, -1, (0, 1), (0, 2), (-1, 0), (0, 1, 2)]


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", AXES, ids=str)
def test_sum(axis, keepdims):
    x = values(1, (2, 3, 4))
    check(lambda v: F.sum(v, axis=axis, keepdims=keepdims),
          lambda a: a.sum(axis=axis, keepdims=keepdims), x)  # fmt: skip
    check(lambda v: F.sum(v**2, axis, keepdims), lambda a: (a**2).sum(axis, keepdims=keepdims), x)


def test_sum_of_a_number_and_of_nothing():
    check(F.sum, np.sum, values(2, ()))
    assert F.sum(np.zeros((0, 3)), axis=0).shape == (3,)
    assert F.sum(np.zeros((0, 3))).data == 0.0


def test_sum_as_a_method():
    x = Variable(np.arange(6.0).reshape(2, 3))
    assert x.sum().data == 15.0
    assert np.array_equal(x.sum(axis=0).data, [3, 5, 7])
    assert x.sum(axis=1, keepdims=True).shape == (2, 1)
    check_float32(F.sum, values(3, (10,)))


@pytest.mark.parametrize("f", [F.mean, F.average], ids=["mean", "average"])
@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 2)], ids=str)
def test_mean(f, axis):
    x = values(4, (2, 3, 4))
    check(lambda v: f(v, axis=axis), lambda a: a.mean(axis=axis), x)
    check(lambda v: f(v**2, axis, True), lambda a: (a**2).mean(axis=axis, keepdims=True), x)
    check_float32(lambda v: f(v, axis), x)
