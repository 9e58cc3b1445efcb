import numpy as np
import pytest

import dezero
import dezero.functions as F
from dezero import Variable, test_mode


def test_zero_or_scaled():
    y = F.dropout(np.ones((100, 100)), 0.75).data
    assert set(np.unique(y)) == {0.0, 4.0}
    assert abs(np.mean(y == 0) - 0.75) < 0.05


def test_the_gradient_takes_the_same_path():
    x = Variable(np.full((50, 50), 3.0))
    y = F.dropout(x, 0.5)
    y.backward()
    assert np.array_equal(x.grad.data, y.data / 3.0)
    assert 0 < np.count_nonzero(x.grad.data) < x.size


@pytest.mark.parametrize("ratio", [0.0, 0.3, 0.9])
def test_nothing_happens_in_test_mode(ratio):
    x = Variable(np.random.randn(10, 10))
    with test_mode():
        y = F.dropout(x, dropout_ratio=ratio)
        F.sum(y * y).backward()
    assert np.array_equal(y.data, x.data)
    assert np.allclose(x.grad.data, 2 * x.data)


def test_ratio_zero_keeps_everything():
    x = np.random.randn(10, 10)
    assert np.allclose(F.dropout(x, dropout_ratio=0.0).data, x)


def test_two_calls_drop_different_elements():
    x = np.ones(1000)
    assert not np.array_equal(F.dropout(x).data, F.dropout(x).data)


def test_float32_stays():
    assert F.dropout(np.ones(5, np.float32)).dtype == np.float32
    assert dezero.Config.train is True
