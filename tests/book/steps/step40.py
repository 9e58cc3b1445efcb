"""Step 40: broadcasting, and the sum that undoes it."""

import numpy as np

import dezero.functions as F
from dezero import Variable
from dezero.utils import sum_to

x = np.array([[1, 2, 3], [4, 5, 6]])
assert np.array_equal(sum_to(x, (1, 3)), [[5, 7, 9]])
assert np.array_equal(sum_to(x, (2, 1)), [[6], [15]])
assert np.array_equal(sum_to(x, (1, 1)), [[21]])
assert np.array_equal(sum_to(x, (3,)), [5, 7, 9])

v = Variable(np.array([1.0, 2.0, 3.0]))
y = F.broadcast_to(v, (2, 3))
y.backward()
assert np.array_equal(y.data, [[1, 2, 3], [1, 2, 3]])
assert np.array_equal(v.grad.data, [2, 2, 2])

v = Variable(np.array([[1.0, 2.0], [3.0, 4.0]]))
y = F.sum_to(v, (2, 1))
y.backward()
assert np.array_equal(y.data, [[3], [7]])
assert np.array_equal(v.grad.data, np.ones((2, 2)))

x0 = Variable(np.array([1, 2, 3]))
x1 = Variable(np.array([10]))
y = x0 + x1
print(y)
y.backward()
print(x0.grad, x1.grad)
assert np.array_equal(y.data, [11, 12, 13])
assert np.array_equal(x0.grad.data, [1, 1, 1])
assert np.array_equal(x1.grad.data, [3])

row = np.array([[1.0, 2.0, 3.0]])
column = np.array([[4.0], [5.0]])
for f, by_row, by_column in [
    (lambda a, b: a - b, [[2, 2, 2]], [[-3], [-3]]),
    (lambda a, b: a * b, [[9, 9, 9]], [[6], [6]]),
    (lambda a, b: a / b, [[1 / 4 + 1 / 5] * 3], [[-6 / 16], [-6 / 25]]),
]:
    a, b = Variable(row), Variable(column)
    f(a, b).backward()
    assert np.allclose(a.grad.data, by_row)
    assert a.grad.shape == (1, 3)
    assert np.allclose(b.grad.data, by_column)
    assert b.grad.shape == (2, 1)
