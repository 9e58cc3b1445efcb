"""Checks of gradients that could not fail."""

from __future__ import annotations

import numpy as np
import pytest

import dezero.functions as F
from dezero import Function, Variable
from dezero.utils import gradient_check

from .common import rng


class ZeroSoftmax(Function):
    def forward(self, x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def backward(self, gy):
        return gy * 0.0


class SwappedColumns(Function):
    """y = x; the Jacobian has right row sums and column sums, and wrong entries."""

    def forward(self, x):
        return x + 0.0

    def backward(self, gy):
        return gy[:, ::-1]


@pytest.mark.parametrize("wrong", [ZeroSoftmax, SwappedColumns])
def test_gradient_check_sees_a_wrong_gradient_whose_sums_are_right(wrong):
    x = rng.random((2, 3))
    assert gradient_check(lambda v: wrong()(v), x) is False


def test_gradient_check_passes_the_right_one():
    assert gradient_check(F.softmax, rng.random((2, 3))) is True
    assert gradient_check(F.softmax, rng.random((2, 3)).astype(np.float32)) is True


def test_gradient_check_leaves_its_argument_alone():
    a = rng.random(3).astype(np.float32)
    x = Variable(a)
    old = a.copy()
    x.grad = Variable(np.full(3, 7.0, np.float32))
    assert gradient_check(F.sin, x)
    assert x.data is a
    assert x.dtype == np.float32
    assert np.array_equal(a, old)
    assert np.array_equal(x.grad.data, [7.0, 7.0, 7.0])
