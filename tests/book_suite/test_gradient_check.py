import numpy as np
import pytest

import dezero.functions as F
from dezero import Function, Variable
from dezero.utils import array_allclose, array_equal, gradient_check, numerical_grad


def test_array_helpers():
    a = np.array([1.0, 2.0])
    assert array_equal(a, a.copy())
    assert array_equal(Variable(a), a)
    assert not array_equal(a, a + 1e-6)
    assert array_allclose(a, a + 1e-6)
    assert array_allclose(Variable(a), Variable(a + 1e-6))
    assert not array_allclose(a, a + 1e-3)
    assert array_allclose(a, a + 1e-3, rtol=1e-2)


def test_numerical_grad():
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert np.allclose(np.asarray(numerical_grad(lambda v: v**3, x)), 3 * x**2, rtol=1e-5)
    assert np.allclose(np.asarray(numerical_grad(F.sin, x)), np.cos(x), rtol=1e-5)
    assert np.array_equal(x, [[1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x**3, lambda x: 1 / x, F.sin, F.tanh, F.sigmoid, F.softmax, F.log_softmax,
        lambda x: F.sum(x, axis=0), lambda x: F.matmul(x, x.T), lambda x: x[:, 1], F.transpose,
        lambda x: F.max(x, axis=1), lambda x: F.clip(x, -0.5, 0.5),
    ],
)  # fmt: skip
def test_right_gradients_pass(f):
    x = np.random.default_rng(0).standard_normal((3, 4)) + 0.05
    assert gradient_check(f, x) is True


def test_arguments_are_handed_on():
    x, W = np.random.rand(2, 3), np.random.rand(3, 2)
    assert gradient_check(F.matmul, x, W)
    assert gradient_check(F.sum, x, axis=1, keepdims=True)
    assert gradient_check(F.linear, x, W, np.zeros(2), rtol=1e-3, atol=1e-3)


class WrongSquare(Function):
    def forward(self, x):
        return x**2

    def backward(self, gy):
        return 2.1 * self.inputs[0] * gy


def test_a_wrong_gradient_fails():
    assert not gradient_check(lambda x: WrongSquare()(x), np.random.rand(3) + 1)
