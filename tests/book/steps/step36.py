"""Step 36: a gradient used inside another formula, and differentiated with it."""

import numpy as np

import dezero.functions as F
from dezero import Variable

x = Variable(np.array(2.0))
y = x**2
y.backward(create_graph=True)
gx = x.grad
x.cleargrad()

z = gx**3 + y
z.backward()
print(x.grad)
assert z.data == 68.0
assert x.grad.data == 100.0, "z = 8 x^3 + x^2"

A = np.array([[2.0, 1.0], [1.0, 4.0]])
v = np.array([[3.0], [-1.0]])
x = Variable(np.array([[1.0], [2.0]]))
y = F.sum(x * F.matmul(A, x)) / 2
y.backward(create_graph=True)
gx = x.grad
x.cleargrad()
z = F.sum(v * gx)
z.backward()
assert np.allclose(x.grad.data, A @ v), "a Hessian times a vector, without the Hessian"
