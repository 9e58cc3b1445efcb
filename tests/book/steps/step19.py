"""Step 19: a variable that looks like the array in it."""

import numpy as np

import dezero
from dezero import core_simple

for Variable in (core_simple.Variable, dezero.Variable):
    x = Variable(np.array([[1, 2, 3], [4, 5, 6]]), name="x")
    assert x.name == "x"
    x.name = "renamed"
    assert x.name == "renamed"
    assert Variable(np.array(1.0)).name is None
    assert x.shape == (2, 3)
    assert x.ndim == 2
    assert x.size == 6
    assert x.dtype == np.array([1]).dtype
    assert len(x) == 2
    print(x)
    assert repr(x) == "variable([[1 2 3]\n          [4 5 6]])"
    assert repr(Variable(np.array([1, 2, 3]))) == "variable([1 2 3])"
    assert repr(Variable(None)) == "variable(None)"
