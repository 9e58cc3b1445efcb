"""Step 35: higher derivatives of tanh, and how fast their graphs grow."""

import os

import numpy as np
from numpy.polynomial import Polynomial

import dezero.functions as F
from dezero import Variable
from dezero.utils import get_dot_graph, plot_dot_graph

x = Variable(np.array(1.0))
y = F.tanh(x)
x.name = "x"
y.name = "y"
y.backward(create_graph=True)

t = np.tanh(1.0)
# The derivatives of tanh are polynomials in t = tanh: d/dx p(t) = p'(t) (1 - t^2).
inner = Polynomial([1.0, 0.0, -1.0])
derivative = inner
assert np.isclose(x.grad.data, derivative(t), rtol=1e-14)

edges = []
iters = 5
for i in range(iters):
    gx = x.grad
    x.cleargrad()
    gx.backward(create_graph=True)
    derivative = derivative.deriv() * inner
    edges.append(get_dot_graph(x.grad, verbose=False).count("->"))
    print("order", i + 2, x.grad.data, "edges", edges[-1])
    assert np.isclose(x.grad.data, derivative(t), rtol=1e-11)
assert edges == sorted(set(edges)), "each order needs a larger graph"

x = Variable(np.array(1.0), name="x")
y = F.tanh(x)
y.backward(create_graph=True)
gx = x.grad
x.cleargrad()
gx.backward(create_graph=True)
gx = x.grad
gx.name = "gx2"
plot_dot_graph(gx, verbose=False, to_file="tanh.png")
assert os.path.getsize("tanh.png") > 0
