"""Compiled elementwise functions against their NumPy references."""

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable, using_config
from dezero.kernels import activations, elementwise, table

pytestmark = pytest.mark.skipif(not table.has_numba(), reason="Numba is not installed")

SPECIAL = np.array([0, -0.0, 1e-40, -1e-40, np.inf, -np.inf, np.nan, 88, -88, 1e30, -1e30], "f")
UNARY = {
    "exp": elementwise.exp,
    "tanh": elementwise.tanh,
    "sigmoid": elementwise.sigmoid,
    "relu": elementwise.relu,
    "silu": activations.silu,
    "gelu": lambda x: activations.gelu(x, "tanh"),
    "exact gelu": lambda x: activations.gelu(x, "none"),
}
GRADIENTS = {
    "tanh": elementwise.tanh_grad,
    "sigmoid": elementwise.sigmoid_grad,
    "relu": elementwise.relu_grad,
    "silu": activations.silu_grad,
    "gelu": lambda gy, x: activations.gelu_grad(gy, x, "tanh"),
    "exact gelu": lambda gy, x: activations.gelu_grad(gy, x, "none"),
}


def values(seed=0):
    x = np.random.default_rng(seed).standard_normal((1 << 16) + 77).astype(np.float32) * 3
    x[100 : 100 + SPECIAL.size] = SPECIAL
    return x


def both(function, *arrays):
    with np.errstate(all="ignore"):
        fast = function(*arrays)
        with using_config("compiled", False):
            slow = function(*arrays)
    return fast, slow


@pytest.mark.parametrize("name", UNARY)
def test_values(name):
    fast, slow = both(UNARY[name], values())
    assert fast.dtype == slow.dtype == np.float32
    np.testing.assert_allclose(fast, slow, rtol=3e-6, atol=2e-7)


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients(name):
    gy = np.random.default_rng(1).standard_normal(values().size).astype(np.float32)
    x = values() if name in ("silu", "gelu", "exact gelu") else np.tanh(values())
    usual = np.abs(x) < 1e3  # beyond, the reference itself gives inf * 0
    fast, slow = both(GRADIENTS[name], gy, x)
    np.testing.assert_allclose(fast[usual], slow[usual], rtol=1e-5, atol=5e-6)
    assert np.isnan(fast[np.isnan(slow) & np.isnan(x) & (name != "relu")]).all()


@pytest.mark.parametrize("name", UNARY)
def test_layouts(name):
    wide = values()[: 1 << 16].reshape(256, 256)
    for x in (wide.T, np.concatenate([wide, wide], 1)[:, ::2], wide[:, None]):
        fast, slow = both(UNARY[name], x)
        assert fast.shape == x.shape
        np.testing.assert_allclose(fast, slow, rtol=3e-6, atol=2e-7)


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_other_dtypes_stay_with_the_reference(dtype):
    x = np.linspace(-3, 3, 1 << 16).astype(dtype)
    np.testing.assert_array_equal(elementwise.tanh(x), np.tanh(x))


def test_relu_gradient_is_0_where_nothing_passed():
    y = np.zeros(1 << 17, np.float32)
    assert not elementwise.relu_grad(np.ones_like(y), y).any()


@pytest.mark.parametrize("function", [F.exp, F.tanh, F.sigmoid, F.relu, F.silu])
def test_second_derivative_of_large_arrays(function):
    data = np.random.default_rng(0).standard_normal(1 << 17).astype(np.float32)
    results = []
    for compiled in (True, False):
        x = Variable(data)
        with using_config("compiled", compiled):
            F.sum(function(x) ** 2).backward(create_graph=True)
            g = x.grad
            x.cleargrad()
            F.sum(g * g).backward()
        results.append(x.grad.data)
    np.testing.assert_allclose(results[0], results[1], rtol=1e-4, atol=1e-4)


def test_small_arrays_do_not_wait_for_a_compiler():
    import subprocess
    import sys

    code = (
        "import sys, numpy as np, dezero.functions as F, dezero\n"
        "x = dezero.Variable(np.ones((100, 100), np.float32))\n"
        "F.sum(F.gelu(F.relu(F.exp(x)), approximate='tanh')).backward()\n"
        "print('numba' in sys.modules)\n"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert out.stdout.strip() == "False", out.stderr
