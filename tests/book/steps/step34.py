"""Step 34: sin and its first three derivatives on one plot."""

import matplotlib.pyplot as plt
import numpy as np

import dezero.functions as F
from dezero import Variable

x = Variable(np.array(1.0))
y = F.sin(x)
y.backward(create_graph=True)
for _ in range(3):
    gx = x.grad
    x.cleargrad()
    gx.backward(create_graph=True)
    print(x.grad)
assert np.isclose(x.grad.data, np.sin(1.0), rtol=1e-14), "the fourth derivative is sin again"

x = Variable(np.linspace(-7, 7, 200))
y = F.sin(x)
y.backward(create_graph=True)
logs = [y.data]
for _ in range(3):
    logs.append(x.grad.data)
    gx = x.grad
    x.cleargrad()
    gx.backward(create_graph=True)

labels = ["y=sin(x)", "y'", "y''", "y'''"]
for log, label in zip(logs, labels, strict=True):
    plt.plot(x.data, log, label=label)
plt.legend(loc="lower right")
plt.show()

expected = [np.sin(x.data), np.cos(x.data), -np.sin(x.data), -np.cos(x.data)]
assert len(logs) == 4
for log, right in zip(logs, expected, strict=True):
    assert np.allclose(log, right, rtol=1e-13, atol=1e-13)
