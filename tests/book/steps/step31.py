"""Step 31: with create_graph the backward pass is a graph too."""

import numpy as np

import dezero.functions as F
from dezero import Variable

x = Variable(np.array(1.0), name="x")
y = F.sin(x)
y.backward(create_graph=True)
gx = x.grad
assert np.isclose(gx.data, np.cos(1.0), rtol=1e-15)
assert gx.creator is not None

leaves = set()
waiting = [gx]
while waiting:
    v = waiting.pop()
    if v.creator is None:
        leaves.add(v)
    else:
        waiting.extend(v.creator.inputs)
print([leaf.name for leaf in leaves])
assert x in leaves, "the graph of the gradient reaches back to x"

x.cleargrad()
gx.backward()
assert np.isclose(x.grad.data, -np.sin(1.0), rtol=1e-15)
