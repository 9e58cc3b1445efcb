"""Step 56: channels, filters and batches in a convolution, and pooling."""

import numpy as np

import dezero.functions as F
import dezero.layers as L

rng = np.random.default_rng(0)
N, C, H, W = 2, 3, 5, 6
OC, KH, KW = 4, 3, 2
x = rng.standard_normal((N, C, H, W))
filters = rng.standard_normal((OC, C, KH, KW))
bias = rng.standard_normal(OC)

expected = np.zeros((N, OC, H - KH + 1, W - KW + 1))
for n, oc, i, j in np.ndindex(*expected.shape):
    expected[n, oc, i, j] = np.sum(x[n, :, i : i + KH, j : j + KW] * filters[oc]) + bias[oc]
y = F.conv2d(x, filters, bias)
print(y.shape)
assert y.shape == (2, 4, 3, 5)
assert np.allclose(y.data, expected)

picture = np.array([[1, 2, 1, 0], [0, 1, 2, 3], [3, 0, 1, 2], [2, 4, 0, 1]], dtype=float)
pooled = F.pooling(picture.reshape(1, 1, 4, 4), 2, stride=2)
assert np.array_equal(pooled.data[0, 0], [[2, 3], [4, 2]])
assert F.pooling(x, kernel_size=3, stride=2, pad=1).shape == (2, 3, 3, 3), "channels stay"

layer = L.Conv2d(8, kernel_size=3, stride=1, pad=1)
assert layer(x.astype(np.float32)).shape == (2, 8, 5, 6)
assert layer.W.shape == (8, 3, 3, 3)
assert layer.b.shape == (8,)
