"""scipy.integrate.odeint on Variables: gradients by differences of SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.integrate
from numpy.testing import assert_allclose

from dezero import Variable
from dezero.scipy.integrate import odeint

Y0, T = np.array([1.0, 0.5]), np.array([0.1, 0.4, 1.0, 1.7])
ARGS = (np.array(1.3), np.array([0.4, 0.2]))
EXACT = {"rtol": 1e-11, "atol": 1e-11}


def slope(y, t, rate, coupling):
    return [y[1] * rate + np.sin(t) * coupling[0], -np.sin(y[0]) - coupling[1] * y[1]]


def whole(y, t, rate, coupling):
    return -rate * y * y + coupling * t


@pytest.mark.parametrize("func", [slope, whole])
def test_odeint(func):
    inputs = [Variable(x) for x in (Y0, T, *ARGS)]
    y = odeint(func, inputs[0], inputs[1], tuple(inputs[2:]), **EXACT)
    seed = np.cos(1 + np.arange(y.size)).reshape(y.shape)
    assert_allclose(y.data, scipy.integrate.odeint(func, Y0, T, ARGS, **EXACT))
    np.sum(y * seed).backward()
    h = 1e-4
    for i, x in enumerate(inputs):
        for index in np.ndindex(x.shape):

            def value(t, i=i, index=index):
                points = [np.array(p) for p in (Y0, T, *ARGS)]
                points[i][index] += t
                y = scipy.integrate.odeint(func, *points[:2], tuple(points[2:]), **EXACT)
                return np.sum(y * seed)

            got = x.grad.data[index]
            assert_allclose(got, (value(h) - value(-h)) / (2 * h), rtol=1e-5, atol=1e-6)


def test_plain_arrays_and_errors():
    y = odeint(slope, Y0, T, ARGS)
    assert type(y) is np.ndarray
    with pytest.raises(TypeError, match="tfirst"):
        odeint(slope, Variable(Y0), T, ARGS, tfirst=True)
    y0 = Variable(Y0)
    with pytest.raises(NotImplementedError, match="create_graph"):
        odeint(slope, y0, T, ARGS).backward(create_graph=True)
