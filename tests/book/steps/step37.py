"""Step 37: whole arrays at once: element by element, the gradients keep the shape."""

import numpy as np

import dezero.functions as F
from dezero import Variable

x = Variable(np.array([[1, 2, 3], [4, 5, 6]]))
assert np.allclose(F.sin(x).data, np.sin([[1, 2, 3], [4, 5, 6]]), rtol=1e-15)

c = Variable(np.array([[10, 20, 30], [40, 50, 60]]))
y = x + c
assert np.array_equal(y.data, [[11, 22, 33], [44, 55, 66]])

t = x + c
y = F.sum(t)
y.backward(retain_grad=True)
print(y.grad, t.grad, x.grad, c.grad)
assert y.data == 231
assert y.grad.data == 1
for v in (t, x, c):
    assert v.grad.shape == v.shape == (2, 3)
    assert np.array_equal(v.grad.data, np.ones((2, 3)))
