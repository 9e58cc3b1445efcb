import numpy as np

import dezero.functions as F
import dezero.layers as L

from .check import check, check_float32, values


def test_rows_are_looked_up():
    W = values(1, (5, 3))
    ids = np.array([0, 4, 4, 2])
    check(lambda W: F.embed_id(ids, W), lambda W: W[ids], W)
    check(lambda W: F.embed_id(ids, W) ** 2, lambda W: W[ids] ** 2, W)
    check_float32(lambda W: F.embed_id(ids, W), W)


def test_a_batch_of_sequences():
    W = values(2, (6, 2))
    ids = np.array([[1, 5, 1], [0, 0, 3]])
    check(lambda W: F.embed_id(ids, W), lambda W: W[ids], W)


def test_the_layer():
    layer = L.EmbedID(7, 3)
    assert layer.W.shape == (7, 3)
    assert layer.W.dtype == np.float32
    y = layer(np.array([6, 0, 6]))
    assert np.array_equal(y.data, layer.W.data[[6, 0, 6]])
    y.backward()
    expected = np.zeros((7, 3))
    expected[6], expected[0] = 2, 1
    assert np.array_equal(layer.W.grad.data, expected)
