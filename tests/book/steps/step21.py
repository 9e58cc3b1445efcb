"""Step 21: operators that take arrays and numbers, on either side."""

import numpy as np

from dezero.core_simple import Variable, as_variable, setup_variable

setup_variable()

x = Variable(np.array(2.0))
assert as_variable(x) is x
assert isinstance(as_variable(np.array(1.0)), Variable)

y = x + np.array(3.0)
assert isinstance(y, Variable)
assert y.data == 5.0
y = x + 3.0
assert y.data == 5.0
y = 3.0 * x + 1.0
print(y)
assert y.data == 7.0
y.backward()
assert x.grad == 3.0

v = Variable(np.array([1.0, 4.0]))
for y in (np.array([2.0, 3.0]) + v, v + np.array([2.0, 3.0])):
    assert isinstance(y, Variable), "the variable answers, not the array"
    assert np.array_equal(y.data, [3.0, 7.0])
for y in (np.array([2.0, 3.0]) * v, v * np.array([2.0, 3.0])):
    assert isinstance(y, Variable)
    assert np.array_equal(y.data, [2.0, 12.0])
y.backward()
assert np.array_equal(v.grad, [2.0, 3.0])
