"""Step 20: * and + between variables."""

import numpy as np

from dezero.core_simple import Variable, add, mul, setup_variable

setup_variable()

a = Variable(np.array(3.0))
b = Variable(np.array(2.0))
c = Variable(np.array(1.0))

y = add(mul(a, b), c)
y.backward()
print(y, a.grad, b.grad, c.grad)
assert (y.data, a.grad, b.grad, c.grad) == (7.0, 2.0, 3.0, 1.0)

for v in (a, b, c):
    v.cleargrad()
y = a * b + c
y.backward()
assert (y.data, a.grad, b.grad, c.grad) == (7.0, 2.0, 3.0, 1.0)
