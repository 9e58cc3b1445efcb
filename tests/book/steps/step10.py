"""Step 10: tests, with values known beforehand and with gradients from differences."""

import unittest

import numpy as np

from dezero.core_simple import Function, Variable


class Square(Function):
    def forward(self, x):
        return x**2

    def backward(self, gy):
        return 2 * self.inputs[0].data * gy


class WrongSquare(Square):
    def backward(self, gy):
        return self.inputs[0].data * gy


def numerical_diff(f, x, eps=1e-4):
    left = f(Variable(x.data - eps))
    right = f(Variable(x.data + eps))
    return (right.data - left.data) / (2 * eps)


def gradient_agrees(make, x):
    y = make()(x)
    y.backward()
    return np.allclose(x.grad, numerical_diff(make(), x))


class SquareTest(unittest.TestCase):
    def test_forward(self):
        y = Square()(Variable(np.array(2.0)))
        assert y.data == np.array(4.0)

    def test_backward(self):
        x = Variable(np.array(3.0))
        y = Square()(x)
        y.backward()
        assert x.grad == np.array(6.0)

    def test_gradient_check(self):
        assert gradient_agrees(Square, Variable(np.random.rand(1)))

    def test_gradient_check_sees_a_mistake(self):
        assert not gradient_agrees(WrongSquare, Variable(np.random.rand(1) + 0.5))


suite = unittest.defaultTestLoader.loadTestsFromTestCase(SquareTest)
result = unittest.TextTestRunner(verbosity=0).run(suite)
assert result.testsRun == 4
assert result.wasSuccessful()
