"""Step 54: dropout while training, everything while testing."""

import numpy as np

import dezero.functions as F
from dezero import Config, test_mode

dropout_ratio = 0.6
np.random.seed(0)
x = np.ones(10)
mask = np.random.rand(10) > dropout_ratio
by_hand = x * mask / (1 - dropout_ratio)
assert set(np.round(by_hand, 12)) <= {0.0, 2.5}

x = np.ones(5)
y = F.dropout(x)
print(y)
assert set(y.data) <= {0.0, 2.0}
with test_mode():
    assert Config.train is False
    y = F.dropout(x)
    print(y)
    assert np.array_equal(y.data, np.ones(5))
assert Config.train is True

x = np.ones((300, 300))
for ratio in (0.1, 0.5, 0.9):
    y = F.dropout(x, ratio).data
    assert abs(np.mean(y == 0) - ratio) < 0.02
    assert np.allclose(y[y != 0], 1 / (1 - ratio))
    assert abs(y.mean() - 1.0) < 0.05, "the expected value stays"
