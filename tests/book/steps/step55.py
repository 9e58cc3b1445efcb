"""Step 55: how a convolution slides, and how large its output is."""

import numpy as np

from dezero.utils import get_conv_outsize, get_deconv_outsize, pair

image = np.array([[1, 2, 3, 0], [0, 1, 2, 3], [3, 0, 1, 2], [2, 3, 0, 1]])
kernel = np.array([[2, 0, 1], [0, 1, 2], [1, 0, 2]])


def slide(image, kernel, stride=1, pad=0):
    image = np.pad(image, pad)
    size = [
        get_conv_outsize(n - 2 * pad, k, stride, pad)
        for n, k in zip(image.shape, kernel.shape, strict=True)
    ]
    out = np.zeros(size)
    for i in range(size[0]):
        for j in range(size[1]):
            window = image[i * stride : i * stride + 3, j * stride : j * stride + 3]
            out[i, j] = np.sum(window * kernel)
    return out


print(slide(image, kernel))
assert np.array_equal(slide(image, kernel), [[15, 16], [6, 15]])
assert slide(image, kernel, pad=1).shape == (4, 4)
assert slide(image, kernel, stride=2, pad=1).shape == (2, 2)

H, W = 4, 4
KH, KW = 3, 3
SH, SW = 1, 1
PH, PW = 1, 1
OH = get_conv_outsize(H, KH, SH, PH)
OW = get_conv_outsize(W, KW, SW, PW)
print(OH, OW)
assert (OH, OW) == (4, 4)
assert get_conv_outsize(7, 3, 2, 0) == 3
assert get_conv_outsize(28, 5, 1, 2) == 28
assert get_deconv_outsize(3, 3, 2, 0) == 7
assert pair(3) == (3, 3)
assert pair((1, 2)) == (1, 2)
