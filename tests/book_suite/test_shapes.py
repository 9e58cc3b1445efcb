import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable
from dezero.utils import sum_to

from .check import check, check_float32, values


@pytest.mark.parametrize("shape", [(6,), (3, 2), (1, 6), (2, 1, 3), -1, (-1, 2), (2, -1)], ids=str)
def test_reshape(shape):
    x = values(1, (2, 3))
    check(lambda v: F.reshape(v, shape), lambda a: a.reshape(shape), x)
    check(lambda v: F.reshape(v, shape) ** 2, lambda a: a.reshape(shape) ** 2, x)


def test_reshape_as_a_method():
    x = Variable(values(1, (2, 3)))
    for y in (x.reshape(3, 2), x.reshape((3, 2)), x.reshape([3, 2]), x.reshape(-1, 2)):
        assert np.array_equal(y.data, x.data.reshape(3, 2))


def test_reshape_to_another_size_is_refused():
    with pytest.raises(ValueError, match=r"reshape|Reshape"):
        F.reshape(Variable(np.zeros((2, 3))), (4, 2))


@pytest.mark.parametrize("axes", [None, (0, 1, 2), (2, 0, 1), (1, 0, 2), (-1, 0, 1)], ids=str)
def test_transpose(axes):
    x = values(2, (2, 3, 4))
    check(lambda v: F.transpose(v, axes), lambda a: a.transpose(axes), x)
    check(lambda v: F.transpose(v, axes) ** 2, lambda a: a.transpose(axes) ** 2, x)


def test_transpose_as_a_method():
    x = Variable(values(3, (2, 3, 4)))
    for y in (x.transpose(2, 0, 1), x.transpose((2, 0, 1)), x.transpose([2, 0, 1])):
        assert np.array_equal(y.data, x.data.transpose(2, 0, 1))
    for y in (x.T, x.transpose(), x.transpose(None)):
        assert np.array_equal(y.data, x.data.T)
    check_float32(lambda v: v.T, x.data)


def test_expand_dims_and_flatten():
    x = values(4, (2, 3, 4))
    check(lambda v: F.expand_dims(v, 1), lambda a: np.expand_dims(a, 1), x)
    check(lambda v: F.expand_dims(v, -1), lambda a: np.expand_dims(a, -1), x)
    check(F.flatten, lambda a: a.reshape(2, 12), x)


SLICES = [
    1, -1, np.s_[:], np.s_[0:2], np.s_[::2], np.s_[::-1], np.s_[:, 1], np.s_[1, :, 2],
    np.s_[..., 0], np.s_[:, None, 1:], (0, 2, 3), np.array([0, 0, 2]), np.array([[0, 1], [2, 2]]),
    (np.array([0, 1, 0]), np.array([1, 2, 1])), np.s_[:, [0, 0, 2]], np.s_[0, :, [1, 1]],
]  # fmt: skip


@pytest.mark.parametrize("index", SLICES, ids=str)
def test_get_item(index):
    x = values(5, (3, 3, 4))
    check(lambda v: F.get_item(v, index), lambda a: a[index], x)
    check(lambda v: v[index] ** 2, lambda a: a[index] ** 2, x)
    check_float32(lambda v: v[index], x)


def test_get_item_by_a_mask():
    x = values(6, (3, 4))
    check(lambda v: v[x > 0] ** 2, lambda a: a[x > 0] ** 2, x)


def test_get_item_outside():
    with pytest.raises(IndexError):
        Variable(np.zeros((2, 3)))[5]


BROADCASTS = [((3,), (2, 3)), ((1, 3), (4, 3)), ((2, 1), (2, 5)), ((), (2, 2)),
              ((1, 2, 1), (3, 2, 4))]  # fmt: skip


@pytest.mark.parametrize(("small", "large"), BROADCASTS, ids=str)
def test_broadcast_to(small, large):
    x = values(7, small)
    check(lambda v: F.broadcast_to(v, large), lambda a: np.broadcast_to(a, large), x)
    check(lambda v: F.broadcast_to(v, large) ** 2, lambda a: np.broadcast_to(a, large) ** 2, x)


def test_to_the_same_shape():
    x = Variable(values(7, (2, 3)))
    for f in (F.broadcast_to, F.sum_to):
        x.cleargrad()
        y = f(x, (2, 3))
        assert np.array_equal(y.data, x.data)
        F.sum(y * 3.0).backward()
        assert np.array_equal(x.grad.data, np.full((2, 3), 3.0))


def test_broadcast_to_a_wrong_shape():
    with pytest.raises(ValueError, match=r"\(2, ?4\)"):
        F.broadcast_to(Variable(np.zeros((2, 3))), (2, 4))


def plain_sum_to(a, shape):
    lead = a.ndim - len(shape)
    axes = tuple(range(lead)) + tuple(i + lead for i, n in enumerate(shape) if n == 1)
    return a.sum(axis=axes, keepdims=True).reshape(shape)


@pytest.mark.parametrize(("small", "large"), BROADCASTS, ids=str)
def test_sum_to(small, large):
    x = values(8, large)
    check(lambda v: F.sum_to(v, small), lambda a: plain_sum_to(a, small), x)
    check(lambda v: F.sum_to(v, small) ** 2, lambda a: plain_sum_to(a, small) ** 2, x)
    assert np.allclose(sum_to(x, small), plain_sum_to(x, small))
