import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable
from dezero.utils import pair

from .check import check, check_float32, values


def windows(x, kernel, stride, pad, fill):
    (kh, kw), (sy, sx), (py, px) = pair(kernel), pair(stride), pair(pad)
    x = np.pad(x, ((0, 0), (0, 0), (py, py), (px, px)), constant_values=fill)
    oh, ow = (x.shape[2] - kh) // sy + 1, (x.shape[3] - kw) // sx + 1
    out = np.empty((*x.shape[:2], oh, ow, kh, kw))
    for i in range(oh):
        for j in range(ow):
            out[:, :, i, j] = x[:, :, i * sy : i * sy + kh, j * sx : j * sx + kw]
    return out


def plain_max(x, kernel, stride=1, pad=0):
    return windows(x, kernel, stride, pad, -np.inf).max(axis=(4, 5))


def plain_average(x, kernel, stride=1, pad=0):
    return windows(x, kernel, stride, pad, 0.0).mean(axis=(4, 5))


GEOMETRY = [
    ((2, 2, 6, 6), 2, 2, 0),
    ((1, 2, 5, 6), 3, 1, 1),
    ((1, 1, 7, 5), (2, 3), 1, 0),
    ((1, 2, 7, 6), (3, 2), (2, 1), (1, 0)),
    ((1, 1, 5, 5), 3, 2, 1),
    ((1, 1, 6, 6), 2, 3, 0),
]
BOTH = [(F.pooling, plain_max), (F.average_pooling, plain_average)]


@pytest.mark.parametrize(("shape", "kernel", "stride", "pad"), GEOMETRY)
@pytest.mark.parametrize(("f", "plain"), BOTH, ids=["max", "average"])
def test_pooling(f, plain, shape, kernel, stride, pad):
    x = values(1, shape)
    check(lambda v: f(v, kernel, stride, pad), lambda a: plain(a, kernel, stride, pad), x)
    check(lambda v: f(v, kernel, stride, pad) ** 2,
          lambda a: plain(a, kernel, stride, pad) ** 2, x)  # fmt: skip
    check_float32(lambda v: f(v, kernel, stride, pad), x)


@pytest.mark.parametrize(("shape", "kernel", "stride", "pad"), GEOMETRY)
def test_pooling_simple(shape, kernel, stride, pad):
    x = np.abs(values(2, shape))
    check(lambda v: F.pooling_simple(v, kernel, stride, pad),
          lambda a: plain_max(a, kernel, stride, pad), x)  # fmt: skip


def test_known():
    x = Variable(np.arange(16.0).reshape(1, 1, 4, 4))
    y = F.pooling(x, 2, 2)
    y.backward()
    assert np.array_equal(y.data[0, 0], [[5, 7], [13, 15]])
    assert x.grad.data.sum() == 4
    assert x.grad.data[0, 0, 1, 1] == 1
    x.cleargrad()
    y = F.average_pooling(x, 2, 2)
    y.backward()
    assert np.array_equal(y.data[0, 0], [[2.5, 4.5], [10.5, 12.5]])
    assert np.array_equal(x.grad.data, np.full((1, 1, 4, 4), 0.25))


def test_overlapping_windows_add_their_gradients():
    x = Variable(np.zeros((1, 1, 3, 3)))
    x.data[0, 0, 1, 1] = 5.0
    F.pooling(x, 2, 1).backward()
    assert x.grad.data[0, 0, 1, 1] == 4.0
    assert x.grad.data.sum() == 4.0
