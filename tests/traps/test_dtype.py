"""Float32 that silently became float64."""

from __future__ import annotations

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import Variable
from dezero.models import MLP

from .common import leaf

LAYERS = {
    "Linear": lambda: (L.Linear(3), (2, 4)),
    "Conv2d": lambda: (L.Conv2d(3, 3, pad=1), (2, 4, 5, 5)),
    "Deconv2d": lambda: (L.Deconv2d(3, 3), (2, 4, 5, 5)),
    "RNN": lambda: (L.RNN(3), (2, 4)),
    "LSTM": lambda: (L.LSTM(3), (2, 4)),
    "BatchNorm": lambda: (L.BatchNorm(), (4, 4)),
    "MLP": lambda: (MLP((5, 3)), (2, 4)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_fed_float32_compute_in_float32(name):
    layer, shape = LAYERS[name]()
    x = leaf(*shape, dtype=np.float32)
    layer(x)
    y = layer(x)
    assert y.dtype == np.float32
    F.sum(y * y).backward()
    assert x.grad.dtype == np.float32
    for p in layer.params():
        assert p.dtype == np.float32
        assert p.grad is None or p.grad.dtype == np.float32


def test_embedding_is_float32():
    layer = L.EmbedID(5, 3)
    y = layer(np.array([1, 2]))
    assert layer.W.dtype == y.dtype == np.float32


EXPRESSIONS = {
    "x * 2.0": lambda x: x * 2.0,
    "2 * x": lambda x: 2 * x,
    "1 / x": lambda x: 1 / x,
    "x / 3.0": lambda x: x / 3.0,
    "x + 1": lambda x: x + 1,
    "1.5 - x": lambda x: 1.5 - x,
    "x ** 2": lambda x: x**2,
    "x ** 0.5": lambda x: x**0.5,
    "2 ** x": lambda x: 2**x,
    "mean": F.mean,
    "average": lambda x: F.average(x, axis=0),
    "sigmoid": F.sigmoid,
    "softmax": lambda x: F.softmax(x, axis=-1),
    "leaky_relu": lambda x: F.leaky_relu(x, 0.1),
    "clip": lambda x: F.clip(x, 0.6, 0.9),
    "dropout": F.dropout,
    "mse": lambda x: F.mean_squared_error(x, np.ones(x.shape, x.dtype)),
    "binary_cross_entropy": lambda x: F.binary_cross_entropy(x, np.array([0, 1, 0])),
    "sigmoid_cross_entropy": lambda x: F.sigmoid_cross_entropy(x, np.array([0, 1, 0])),
}


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("name", EXPRESSIONS)
def test_python_numbers_do_not_turn_an_array_into_float64(name, dtype):
    x = Variable(np.array([0.5, 0.7, 0.95], dtype))
    y = EXPRESSIONS[name](x)
    assert y.dtype == dtype
    y.backward()
    assert x.grad.dtype == dtype


def test_python_numbers_do_not_turn_a_0d_array_into_float64():
    for f in (lambda x: x * 2.0, lambda x: x**2, lambda x: 1 / x, lambda x: x + 1):
        x = Variable(np.array(0.5, np.float32))
        y = f(x)
        assert y.dtype == y.data.dtype == np.float32
        y.backward()
        assert x.grad.dtype == np.float32


def test_second_derivatives_stay_float32():
    x = leaf(3, dtype=np.float32)
    y = F.sum(x**3 * 2.0 + F.tanh(x) / 3.0)
    y.backward(create_graph=True)
    gx = x.grad
    x.cleargrad()
    F.sum(gx * gx).backward()
    assert gx.dtype == x.grad.dtype == np.float32


@pytest.mark.parametrize("labels", [np.int64, np.int32, np.uint8])
def test_cross_entropy_gradient_stays_float32(labels):
    x = leaf(4, 3, dtype=np.float32)
    loss = F.softmax_cross_entropy(x, np.array([0, 2, 1, 1], labels))
    loss.backward()
    assert loss.dtype == x.grad.dtype == np.float32
