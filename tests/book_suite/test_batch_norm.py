import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import Variable, test_mode

from .check import check, check_float32, values

EPS = 2e-5


def params(c, seed=1):
    rng = np.random.default_rng(seed)
    return (rng.standard_normal(c), rng.standard_normal(c), rng.standard_normal(c),
            np.abs(rng.standard_normal(c)) + 0.1)  # fmt: skip


def plain(x, gamma, beta, mean=None, var=None):
    axes = (0,) if x.ndim == 2 else (0, 2, 3)
    shape = (1, -1) if x.ndim == 2 else (1, -1, 1, 1)
    mean = x.mean(axis=axes) if mean is None else mean
    var = x.var(axis=axes) if var is None else var
    norm = (x - mean.reshape(shape)) / np.sqrt(var.reshape(shape) + EPS)
    return gamma.reshape(shape) * norm + beta.reshape(shape)


@pytest.mark.parametrize("shape", [(8, 3), (2, 3, 2, 2)], ids=str)
def test_training(shape):
    x = values(2, shape)
    gamma, beta, mean, var = params(3)
    check(lambda x, g, b: F.batch_nrom(x, g, b, mean.copy(), var.copy()), plain, x, gamma, beta,
          rtol=1e-4, atol=1e-6)  # fmt: skip


@pytest.mark.parametrize("shape", [(8, 3), (2, 3, 2, 2)], ids=str)
def test_testing(shape):
    x = values(3, shape)
    gamma, beta, mean, var = params(3)
    with test_mode():
        check(lambda x, g, b: F.batch_nrom(x, g, b, mean, var),
              lambda x, g, b: plain(x, g, b, mean, var), x, gamma, beta)  # fmt: skip


@pytest.mark.parametrize("shape", [(20, 4), (5, 4, 3, 3)], ids=str)
def test_running_statistics_move_towards_those_of_the_batch(shape):
    x = values(4, shape)
    gamma, beta, mean, var = params(4)
    axes = (0,) if x.ndim == 2 else (0, 2, 3)
    m = x.size // 4
    expected_mean = 0.9 * mean + 0.1 * x.mean(axis=axes)
    expected_var = 0.9 * var + 0.1 * x.var(axis=axes) * m / (m - 1)
    F.batch_nrom(x, gamma, beta, mean, var)
    assert np.allclose(mean, expected_mean)
    assert np.allclose(var, expected_var)
    with test_mode():
        F.batch_nrom(x, gamma, beta, mean, var)
    assert np.allclose(mean, expected_mean), "testing must not move them"


def test_the_layer():
    x = values(5, (30, 4)).astype(np.float32) * 3 + 2
    layer = L.BatchNorm()
    y = layer(x)
    assert y.dtype == np.float32
    assert np.allclose(y.data.mean(axis=0), 0, atol=1e-5)
    assert np.allclose(y.data.std(axis=0), 1, atol=1e-3)
    assert np.allclose(layer.avg_mean.data, 0.1 * x.mean(axis=0), rtol=1e-4)
    assert np.allclose(layer.avg_var.data, 0.9 + 0.1 * x.var(axis=0) * 30 / 29, rtol=1e-4)
    assert all(p.dtype == np.float32 for p in layer.params())
    F.sum(y * y).backward()
    assert layer.gamma.grad.shape == layer.beta.grad.shape == (4,)
    for _ in range(300):
        layer(x)
    with test_mode():
        assert np.allclose(layer(x).data, y.data, atol=0.1)


def test_float32():
    gamma, beta, mean, var = (a.astype(np.float32) for a in params(3))
    check_float32(lambda x, g, b: F.batch_nrom(x, g, b, mean, var), values(6, (8, 3)), gamma, beta)


def test_the_right_spelling_too():
    x = Variable(values(7, (8, 3)))
    gamma, beta, mean, var = params(3)
    a = F.batch_nrom(x, gamma, beta, mean.copy(), var.copy())
    b = F.batch_norm(x, gamma, beta, mean.copy(), var.copy())
    assert np.array_equal(a.data, b.data)
