import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable

from .check import check, check_float32, values


@pytest.mark.parametrize(("f", "plain"), [(F.max, np.max), (F.min, np.min)], ids=["max", "min"])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [None, 0, 1, 2, -1, -3, (0, 1), (1, -1)], ids=str)
def test_max_and_min(f, plain, axis, keepdims):
    x = values(1, (2, 3, 4))
    check(lambda v: f(v, axis=axis, keepdims=keepdims),
          lambda a: plain(a, axis=axis, keepdims=keepdims), x)  # fmt: skip
    check(lambda v: f(v, axis) ** 2, lambda a: plain(a, axis=axis) ** 2, x)
    check_float32(lambda v: f(v, axis), x)


def test_as_methods():
    x = Variable(np.array([[1.0, 5.0], [7.0, 3.0]]))
    assert x.max().data == 7.0
    assert np.array_equal(x.max(axis=1).data, [5.0, 7.0])
    assert np.array_equal(x.min(axis=0, keepdims=True).data, [[1.0, 3.0]])


@pytest.mark.parametrize("f", [F.max, F.min], ids=["max", "min"])
def test_equal_elements_share_the_gradient(f):
    x = Variable(np.array([[2.0, 2.0, 2.0], [1.0, 1.0, 1.0]]))
    f(x, axis=1).backward()
    assert np.allclose(x.grad.data, np.full((2, 3), 1 / 3))


def test_clip():
    x = np.array([-2.0, -0.4, 0.3, 0.9, 3.0])
    check(lambda v: F.clip(v, -1.0, 0.5), lambda a: np.clip(a, -1.0, 0.5), x)
    check(lambda v: F.clip(v, -1.0, 0.5) ** 3, lambda a: np.clip(a, -1.0, 0.5) ** 3, x)
    check_float32(lambda v: F.clip(v, -1.0, 0.5), x)
    v = Variable(x)
    F.clip(v, -1.0, 0.5).backward()
    assert np.array_equal(v.grad.data, [0, 1, 1, 0, 0])
