import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import Variable, as_variable
from dezero.utils import get_conv_outsize, get_deconv_outsize, pair

from .check import check, check_float32, values


def plain_conv(x, W, b=None, stride=1, pad=0):
    (sy, sx), (py, px) = pair(stride), pair(pad)
    x = np.pad(x, ((0, 0), (0, 0), (py, py), (px, px)))
    kh, kw = W.shape[2:]
    oh, ow = (x.shape[2] - kh) // sy + 1, (x.shape[3] - kw) // sx + 1
    y = np.zeros((len(x), len(W), oh, ow))
    for i in range(oh):
        for j in range(ow):
            patch = x[:, :, i * sy : i * sy + kh, j * sx : j * sx + kw]
            y[:, :, i, j] = np.einsum("nchw,ochw->no", patch, W)
    return y if b is None else y + b.reshape(1, -1, 1, 1)


def plain_deconv(x, W, b=None, stride=1, pad=0, outsize=None):
    (sy, sx), (py, px) = pair(stride), pair(pad)
    n, _, h, w = x.shape
    _, oc, kh, kw = W.shape
    if outsize is None:
        outsize = (sy * (h - 1) + kh - 2 * py, sx * (w - 1) + kw - 2 * px)
    full = np.zeros((n, oc, outsize[0] + 2 * py + sy, outsize[1] + 2 * px + sx))
    for i in range(h):
        for j in range(w):
            patch = np.einsum("nc,cohw->nohw", x[:, :, i, j], W)
            full[:, :, i * sy : i * sy + kh, j * sx : j * sx + kw] += patch
    y = full[:, :, py : py + outsize[0], px : px + outsize[1]]
    return y if b is None else y + b.reshape(1, -1, 1, 1)


GEOMETRY = [
    ((2, 2, 5, 5), (3, 2, 3, 3), 1, 0),
    ((1, 2, 5, 4), (2, 2, 3, 2), 1, 1),
    ((1, 1, 6, 7), (2, 1, 3, 3), 2, 1),
    ((1, 2, 7, 5), (2, 2, 2, 3), (3, 1), (0, 2)),
    ((2, 3, 3, 4), (2, 3, 1, 1), 1, 0),
    ((1, 2, 4, 4), (2, 2, 4, 4), 1, 0),
    ((1, 1, 6, 6), (1, 1, 3, 3), 2, 0),
]


@pytest.mark.parametrize(("x", "W", "stride", "pad"), GEOMETRY)
def test_conv2d(x, W, stride, pad):
    b = values(9, (W[0],))
    x, W = values(1, x, W)
    f = lambda x, W, b: F.conv2d(x, W, b, stride, pad)
    check(f, lambda x, W, b: plain_conv(x, W, b, stride, pad), x, W, b)
    check_float32(f, x, W, b)
    y = F.conv2d(x, W, stride=stride, pad=pad)
    assert np.allclose(y.data, plain_conv(x, W, None, stride, pad))


@pytest.mark.parametrize(("x", "W", "stride", "pad"), GEOMETRY)
def test_conv2d_simple(x, W, stride, pad):
    b = values(9, (W[0],))
    x, W = values(2, x, W)
    check(lambda x, W, b: F.conv2d_simple(x, W, b, stride, pad),
          lambda x, W, b: plain_conv(x, W, b, stride, pad), x, W, b)  # fmt: skip


@pytest.mark.parametrize(("x", "W", "stride", "pad"), GEOMETRY)
def test_deconv2d(x, W, stride, pad):
    channels = W[0]
    n, oc = x[0], W[1]
    (sy, sx), (py, px) = pair(stride), pair(pad)
    size = (get_conv_outsize(x[2], W[2], sy, py), get_conv_outsize(x[3], W[3], sx, px))
    small, W, b = values(3, (n, channels, *size), W, (oc,))
    f = lambda x, W, b: F.deconv2d(x, W, b, stride, pad)
    check(f, lambda x, W, b: plain_deconv(x, W, b, stride, pad), small, W, b)
    check_float32(f, small, W, b)
    outsize = x[2:]
    check(lambda x, W: F.deconv2d(x, W, None, stride, pad, outsize),
          lambda x, W: plain_deconv(x, W, None, stride, pad, outsize), small, W)  # fmt: skip


def test_deconv2d_is_the_transpose_of_conv2d():
    x, W = values(4, (2, 3, 8, 9), (4, 3, 3, 2))
    y = F.conv2d(x, W, stride=2, pad=1).data
    g = values(5, y.shape)
    back = F.deconv2d(g, W, stride=2, pad=1, outsize=(8, 9)).data
    assert np.isclose(np.sum(y * g), np.sum(x * back))


def test_wrong_channels_are_named():
    with pytest.raises(ValueError, match="conv2d"):
        F.conv2d(np.zeros((1, 3, 5, 5)), np.zeros((2, 4, 3, 3)))


def plain_im2col(x, kh, kw, s, p):
    x = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    oh, ow = (x.shape[2] - kh) // s + 1, (x.shape[3] - kw) // s + 1
    col = np.empty((len(x), x.shape[1], kh, kw, oh, ow))
    for i in range(kh):
        for j in range(kw):
            col[:, :, i, j] = x[:, :, i : i + s * oh : s, j : j + s * ow : s]
    return col


@pytest.mark.parametrize(("stride", "pad"), [(1, 0), (1, 1), (2, 1)])
def test_im2col(stride, pad):
    x = values(6, (2, 2, 4, 5))
    check(lambda v: F.im2col(v, (3, 2), stride, pad, to_matrix=False),
          lambda a: plain_im2col(a, 3, 2, stride, pad), x)  # fmt: skip

    def rows(a):
        col = plain_im2col(a, 3, 2, stride, pad)
        return col.transpose(0, 4, 5, 1, 2, 3).reshape(-1, 2 * 3 * 2)

    check(lambda v: F.im2col(v, (3, 2), stride, pad), rows, x)


@pytest.mark.parametrize("to_matrix", [True, False])
def test_col2im_is_the_transpose_of_im2col(to_matrix):
    x = values(7, (2, 3, 6, 5))
    col = F.im2col(x, 3, 2, 1, to_matrix)
    g = values(8, col.shape)
    back = F.col2im(g, x.shape, 3, 2, 1, to_matrix)
    assert back.shape == x.shape
    assert np.isclose(np.sum(col.data * g), np.sum(x * back.data))
    v = Variable(g)
    y = F.col2im(v, x.shape, 3, 2, 1, to_matrix)
    F.sum(y * x).backward()
    assert np.allclose(v.grad.data, col.data)


def test_sizes():
    assert get_conv_outsize(15, 3, 1, 1) == 15
    assert get_conv_outsize(7, 3, 2, 0) == 3
    assert get_deconv_outsize(7, 3, 1, 1) == 7
    assert get_deconv_outsize(3, 4, 2, 1) == 6
    assert pair(2) == (2, 2)
    assert pair((2, 3)) == (2, 3)


def test_layers():
    x = values(10, (2, 3, 8, 8)).astype(np.float32)
    conv = L.Conv2d(4, 3, stride=2, pad=1)
    y = conv(x)
    assert y.shape == (2, 4, 4, 4)
    assert y.dtype == np.float32
    assert np.allclose(y.data, plain_conv(x, conv.W.data, conv.b.data, 2, 1), atol=1e-5)
    deconv = L.Deconv2d(5, 4, stride=2, pad=1, nobias=True)
    z = deconv(y)
    assert z.shape == (2, 5, 8, 8)
    assert z.dtype == np.float32
    assert deconv.W.shape == (4, 5, 4, 4)
    assert len(list(deconv.params())) == 1
    assert np.allclose(z.data, plain_deconv(y.data, deconv.W.data, None, 2, 1), atol=1e-5)
    known = L.Conv2d(4, (3, 2), in_channels=6)
    assert known.W.shape == (4, 6, 3, 2)
    assert as_variable(known.W) is known.W
