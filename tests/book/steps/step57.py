"""Step 57: convolution as one product of matrices: im2col."""

import numpy as np

import dezero.functions as F
from dezero import Variable

x1 = np.random.rand(1, 3, 7, 7)
col1 = F.im2col(x1, kernel_size=5, stride=1, pad=0, to_matrix=True)
print(col1.shape)
assert col1.shape == (9, 75)
assert np.allclose(col1.data[4], x1[0, :, 1:6, 1:6].ravel())

x2 = np.random.rand(10, 3, 7, 7)
kernel_size = (5, 5)
stride = (1, 1)
pad = (0, 0)
col2 = F.im2col(x2, kernel_size, stride, pad, to_matrix=True)
print(col2.shape)
assert col2.shape == (90, 75)
assert F.im2col(x2, kernel_size, to_matrix=False).shape == (10, 3, 5, 5, 3, 3)
back = F.col2im(col2, x2.shape, kernel_size, stride, pad, to_matrix=True)
counts = F.col2im(np.ones(col2.shape), x2.shape, kernel_size)
assert np.allclose(back.data, x2 * counts.data)

N, C, H, W = 1, 5, 15, 15
OC, (KH, KW) = 8, (3, 3)
x = Variable(np.random.randn(N, C, H, W))
W = np.random.randn(OC, C, KH, KW)
y = F.conv2d_simple(x, W, b=None, stride=1, pad=1)
y.backward()
print(y.shape, x.grad.shape)
assert y.shape == (1, 8, 15, 15)
assert x.grad.shape == (1, 5, 15, 15)
simple = x.grad.data.copy()
assert np.allclose(simple[0, :, 7, 7], W.sum(axis=(0, 2, 3))), "in the middle all taps meet"

x.cleargrad()
y2 = F.conv2d(x, W, b=None, stride=1, pad=1)
y2.backward()
assert np.allclose(y2.data, y.data)
assert np.allclose(x.grad.data, simple)

x.cleargrad()
p = F.pooling_simple(x, 3, stride=2, pad=0)
p.backward()
assert p.shape == (1, 5, 7, 7)
assert np.isclose(x.grad.data.sum(), p.size)
simple = x.grad.data.copy()
x.cleargrad()
F.pooling(x, 3, stride=2, pad=0).backward()
assert np.allclose(x.grad.data, simple)
