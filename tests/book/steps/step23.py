"""Step 23: everything so far as a package."""

import numpy as np

import dezero
from dezero import Variable

x = Variable(np.array(1.0))
y = (x + 3) ** 2
y.backward()
print(y)
print(x.grad)
assert y.data == 16.0
assert isinstance(x.grad, Variable)
assert x.grad.data == 8.0

assert dezero.is_simple_core is False
for name in ("Function", "using_config", "no_grad", "as_array", "as_variable", "setup_variable"):
    assert hasattr(dezero, name), name
