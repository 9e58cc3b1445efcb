"""Step 9: functions called as functions, a seed not typed, a box that checks its contents."""

import numpy as np

from dezero.core_simple import Function, Variable, as_array


class Square(Function):
    def forward(self, x):
        return x**2

    def backward(self, gy):
        return 2 * self.inputs[0].data * gy


class Exp(Function):
    def forward(self, x):
        return np.exp(x)

    def backward(self, gy):
        return np.exp(self.inputs[0].data) * gy


def square(x):
    return Square()(x)


def exp(x):
    return Exp()(x)


x = Variable(np.array(0.5))
y = square(exp(square(x)))
y.backward()
print(x.grad)
assert np.isclose(x.grad, 3.297442541400256, rtol=1e-14)

x = Variable(np.array([1.0, 2.0, 3.0]))
y = square(x)
y.backward()
assert np.array_equal(x.grad, [2.0, 4.0, 6.0]), "the seed has the shape of y"

Variable(np.array(1.0))
Variable(None)
try:
    Variable(1.0)
except TypeError as error:
    message = str(error)
else:
    message = "nothing was refused"
print(message)
assert "float" in message

assert isinstance(as_array(np.float64(3.0)), np.ndarray)
assert isinstance(as_array(1.5), np.ndarray)
a = np.ones(2)
assert as_array(a) is a
x = Variable(np.array(3.0))
assert isinstance(square(x).data, np.ndarray), "0-d results stay arrays"
