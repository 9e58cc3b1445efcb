"""Convolution, transposed convolution, im2col: values, gradients of any order, layout, lessons."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dezero
import dezero.functions as F
import dezero.layers as L
from dezero import Variable
from dezero import functions_conv as FC
from dezero.functions import convolution as module
from dezero.kernels import convolution as kernels

# N, C, O, (H, W), kernel, stride, pad: every path of the kernels is among them
CASES = [
    (2, 3, 4, (5, 6), (3, 3), (1, 1), (1, 1)),  # whole rows of columns
    (2, 2, 3, (7, 5), (3, 2), (2, 1), (0, 1)),
    (2, 3, 2, (6, 7), (2, 3), (1, 3), (2, 0)),
    (3, 2, 4, (4, 5), (1, 1), (1, 1), (0, 0)),  # the images are their own columns
    (2, 3, 2, (5, 5), (1, 1), (2, 2), (0, 0)),
    (2, 2, 2, (4, 4), (1, 1), (1, 1), (1, 2)),  # a 1x1 kernel over padding
    (2, 4, 2, (4, 5), (4, 5), (1, 1), (0, 0)),  # one window: few columns are true ones
    (1, 2, 3, (3, 3), (2, 2), (3, 3), (3, 3)),  # windows that see padding alone
    (2, 1, 3, (3, 4), (3, 3), (1, 1), (3, 3)),  # more padding than the kernel covers
]


def draw(case, dtype=np.float64, seed=0):
    n, c, o, size, kernel, stride, pad = case
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, c, *size)).astype(dtype)
    W = rng.standard_normal((o, c, *kernel)).astype(dtype)
    b = rng.standard_normal(o).astype(dtype)
    return x, W, b, stride, pad


def naive_conv2d(x, W, b, stride, pad):
    (sh, sw), (ph, pw) = stride, pad
    x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    kh, kw = W.shape[2:]
    size = (x.shape[2] - kh) // sh + 1, (x.shape[3] - kw) // sw + 1
    y = np.empty((len(x), len(W), *size))
    for n, o, i, j in np.ndindex(y.shape):
        y[n, o, i, j] = np.sum(x[n, :, i * sh : i * sh + kh, j * sw : j * sw + kw] * W[o]) + b[o]
    return y


# N, C, O, (H, W), kernel, stride, pad, dilation, groups
GENERAL = [
    (2, 2, 3, (8, 9), (3, 3), (1, 1), (2, 2), (2, 2), 1),  # whole rows of columns
    (2, 3, 2, (7, 9), (2, 3), (2, 1), (0, 1), (3, 2), 1),
    (1, 2, 2, (9, 4), (3, 1), (1, 2), (1, 0), (3, 1), 2),
    (2, 4, 6, (5, 6), (3, 3), (1, 1), (1, 1), (1, 1), 2),
    (2, 6, 2, (6, 5), (3, 2), (2, 2), (1, 0), (1, 1), 2),
    (2, 3, 3, (5, 6), (3, 3), (1, 1), (1, 1), (1, 1), 3),  # depthwise
    (2, 2, 6, (6, 6), (3, 3), (1, 1), (2, 2), (2, 2), 2),  # depthwise, three filters each
    (2, 4, 2, (4, 5), (1, 1), (1, 2), (0, 0), (1, 1), 2),  # the images are their own columns
]


def draw_general(case, dtype=np.float64):
    *rest, stride, pad, dilation, groups = case
    n, c, o, size, kernel = rest
    x, W, b, *_ = draw((n, c // groups, o, size, kernel, stride, pad), dtype)
    x = np.random.default_rng(7).standard_normal((n, c, *size)).astype(dtype)
    return x, W, b, (stride, pad, dilation, groups)


def naive_general(x, W, b, stride, pad, dilation, groups):
    """The convolution with filters spread out by zeros, group by group."""
    (dh, dw), (o, c, kh, kw) = dilation, W.shape
    spread = np.zeros((o, c, dh * (kh - 1) + 1, dw * (kw - 1) + 1))
    spread[:, :, ::dh, ::dw] = W
    parts = zip(np.split(x, groups, 1), np.split(spread, groups), np.split(b, groups), strict=True)
    return np.concatenate([naive_conv2d(*part, stride, pad) for part in parts], axis=1)


def naive_deconv2d(x, W, b, stride, pad, size):
    (sh, sw), (ph, pw), (kh, kw) = stride, pad, W.shape[2:]
    y = np.zeros((len(x), W.shape[1], size[0] + 2 * ph, size[1] + 2 * pw))
    for n, c, i, j in np.ndindex(x.shape):
        y[n, :, i * sh : i * sh + kh, j * sw : j * sw + kw] += x[n, c, i, j] * W[c]
    return y[:, :, ph : ph + size[0], pw : pw + size[1]] + b.reshape(-1, 1, 1)


def directional(f, xs, rs):
    """The derivative of the scalar ``f`` at ``xs`` along ``rs``, recorded."""
    f(*xs).backward(create_graph=True)
    grads = [x.grad for x in xs]
    for x in xs:
        x.cleargrad()
    return sum(F.sum(g * r) for g, r in zip(grads, rs, strict=True) if g is not None)


def check_orders(f, arrays, orders, seed=1, eps=1e-5):
    """Hold derivatives of order 1, 2 ... against central differences of the one below.

    The scalar is a sum of fourth powers of ``f`` with random weights, so that no order vanishes.
    """
    rng = np.random.default_rng(seed)
    g = rng.standard_normal(f(*arrays).shape)

    def scalar(*xs):
        y = f(*xs)
        return F.sum(g * y * y * y * y)

    function = scalar
    for order in range(1, orders + 1):
        rs = [rng.standard_normal(a.shape) for a in arrays]

        def derivative(*xs, below=function, rs=rs):
            return directional(below, xs, rs)

        plus, minus = (
            function(*[Variable(a + s * eps * r) for a, r in zip(arrays, rs, strict=True)]).data
            for s in (1, -1)
        )
        got = derivative(*[Variable(a) for a in arrays]).data
        want = (plus - minus) / (2 * eps)
        np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-6, err_msg=f"order {order}")
        function = derivative


@pytest.mark.parametrize("case", CASES)
def test_conv2d_values(case):
    x, W, b, stride, pad = draw(case)
    want = naive_conv2d(x, W, b, stride, pad)
    np.testing.assert_allclose(F.conv2d(x, W, b, stride, pad).data, want)
    np.testing.assert_allclose(F.conv2d_simple(x, W, b, stride, pad).data, want)
    np.testing.assert_allclose(
        F.conv2d(x, W, None, stride, pad).data, want - b.reshape(-1, 1, 1), atol=1e-12
    )


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("extra", [0, 1])
def test_deconv2d_values(case, extra):
    n, c, o, _, kernel, stride, pad = case
    x = np.random.default_rng(0).standard_normal((n, c, 3, 4))
    W = np.random.default_rng(1).standard_normal((c, o, *kernel))
    b = np.random.default_rng(2).standard_normal(o)
    pad = tuple(min(p, 1) for p in pad)
    out = tuple(
        s * (m - 1) + k - 2 * p + extra * (s - 1)
        for m, k, s, p in zip((3, 4), kernel, stride, pad, strict=True)
    )
    y = F.deconv2d(x, W, b, stride, pad, outsize=out if extra else None)
    np.testing.assert_allclose(y.data, naive_deconv2d(x, W, b, stride, pad, out), atol=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_conv2d_gradients_to_third_order(case):
    x, W, b, stride, pad = draw(case)
    check_orders(lambda x, W, b: F.conv2d(x, W, b, stride, pad), [x, W, b], orders=3)


@pytest.mark.parametrize("case", CASES[:3])
def test_conv2d_simple_gradients(case):
    x, W, b, stride, pad = draw(case)
    check_orders(lambda x, W, b: F.conv2d_simple(x, W, b, stride, pad), [x, W, b], orders=2)


@pytest.mark.parametrize("case", [CASES[0], CASES[1], CASES[4]])
def test_deconv2d_gradients_to_third_order(case):
    _, W, _, stride, pad = draw(case)
    x = np.random.default_rng(3).standard_normal((2, len(W), 3, 4))
    b = np.random.default_rng(4).standard_normal(W.shape[1])
    check_orders(lambda x, W, b: F.deconv2d(x, W, b, stride, pad), [x, W, b], orders=3)


def test_hessian_vector_product_over_the_weights_alone():
    """Differentiating a weight gradient raised TypeError in the original."""
    x, W, b, stride, pad = draw(CASES[0])
    check_orders(lambda W: F.conv2d(x, W, b, stride, pad), [W], orders=3)
    spread = np.random.default_rng(2).standard_normal((2, 4, 3, 4))
    check_orders(lambda W: F.deconv2d(spread, W, None, 2, 1), [W], orders=3)


def test_the_classes_of_the_book():
    x, W, b, stride, pad = draw(CASES[1])
    conv = FC.Conv2d(stride, pad)
    y = conv(Variable(x), Variable(W), Variable(b))
    gy = np.random.default_rng(5).standard_normal(y.shape)
    gW = FC.Conv2DGradW(conv)(x, gy)
    np.testing.assert_allclose(gW.data, conv.backward(gy)[1])
    assert FC.Deconv2d(stride, pad, outsize=x.shape[2:])(gy, W).shape == x.shape
    col = FC.Im2col((3, 2), stride, pad, True)(x)
    assert FC.Col2im(x.shape, (3, 2), stride, pad, True)(col).shape == x.shape
    np.testing.assert_array_equal(col.data, FC.im2col_array(x, (3, 2), stride, pad))
    with pytest.raises(TypeError):
        FC.im2col_array(x)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_conv2d_and_deconv2d_are_adjoint(data):
    """<conv2d(x, W), g> = <x, deconv2d(g, W)>, and conv2d equals the loops."""
    n, c, o = (data.draw(st.integers(1, 3)) for _ in range(3))
    kernel, stride = (tuple(data.draw(st.integers(1, 4)) for _ in range(2)) for _ in range(2))
    pad = tuple(data.draw(st.integers(0, 4)) for _ in range(2))
    size = tuple(
        data.draw(st.integers(max(1, k - 2 * p), 9)) for k, p in zip(kernel, pad, strict=True)
    )
    x, W, b, stride, pad = draw((n, c, o, size, kernel, stride, pad))
    y = F.conv2d(x, W, b, stride, pad)
    np.testing.assert_allclose(y.data, naive_conv2d(x, W, b, stride, pad), atol=1e-10)
    g = np.random.default_rng(1).standard_normal(y.shape)
    left = np.sum(F.conv2d(x, W, None, stride, pad).data * g)
    back = F.deconv2d(g, W, None, stride, pad, outsize=size)
    assert back.shape == x.shape
    np.testing.assert_allclose(left, np.sum(x * back.data), atol=1e-9)
    gW = kernels.conv2d_weight_grad(x, g, kernel, stride, pad)
    np.testing.assert_allclose(left, np.sum(W * gW), atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_im2col_and_col2im_are_adjoint(data):
    kernel, stride, size = (
        tuple(data.draw(st.integers(*ends)) for _ in range(2)) for ends in ((1, 3), (1, 3), (3, 6))
    )
    pad = data.draw(st.integers(0, 2))
    matrix = data.draw(st.booleans())
    x = np.random.default_rng(0).standard_normal((2, 3, *size))
    col = F.im2col(x, kernel, stride, pad, matrix)
    g = np.random.default_rng(1).standard_normal(col.shape)
    back = F.col2im(g, x.shape, kernel, stride, pad, matrix)
    np.testing.assert_allclose(np.sum(col.data * g), np.sum(x * back.data), atol=1e-10)


def test_im2col_layouts():
    x = np.random.default_rng(0).standard_normal((2, 3, 5, 6))
    six = F.im2col(x, (2, 3), stride=(2, 1), pad=(1, 0), to_matrix=False)
    assert six.shape == (2, 3, 2, 3, 3, 4)
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (0, 0)))
    np.testing.assert_array_equal(six.data[1, 2, :, :, 2, 3], padded[1, 2, 4:6, 3:6])
    matrix = F.im2col(x, (2, 3), stride=(2, 1), pad=(1, 0))
    assert matrix.shape == (2 * 3 * 4, 3 * 2 * 3)
    np.testing.assert_array_equal(matrix.data[-1], padded[1, :, 4:6, 3:6].ravel())
    for to_matrix in (True, False):
        one = F.im2col(x[:1, :1], 1, to_matrix=to_matrix)
        assert not np.shares_memory(one.data, x), "columns are a copy that may be written"


def test_im2col_and_col2im_gradients():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 3, 5, 4))
    for matrix in (True, False):
        check_orders(lambda x, m=matrix: F.im2col(x, (3, 2), (2, 1), 1, m), [x], orders=3)
        col = F.im2col(x, (3, 2), (2, 1), 1, matrix).data
        check_orders(
            lambda c, m=matrix: F.col2im(c, x.shape, (3, 2), (2, 1), 1, m), [col], orders=3
        )


@pytest.mark.parametrize("case", CASES)
def test_float32_and_float16_stay(case):
    for dtype in (np.float32, np.float16):
        x, W, b, stride, pad = draw(case, dtype)
        x, W, b = Variable(x), Variable(W), Variable(b)
        y = F.conv2d(x, W, b, stride, pad)
        y.grad = Variable(np.random.default_rng(0).standard_normal(y.shape).astype(dtype))
        y.backward(create_graph=True)
        assert {a.dtype for a in (y, x.grad, W.grad, b.grad)} == {np.dtype(dtype)}
        z = F.deconv2d(y, W, None, stride, pad, x.shape[2:])
        assert z.dtype == dtype
        assert F.im2col(x, W.shape[2:], stride, pad).dtype == dtype


@pytest.mark.parametrize("case", CASES)
def test_empty_batch(case):
    x, W, b, stride, pad = draw(case)
    x, W, b = Variable(x[:0]), Variable(W), Variable(b)
    y = F.conv2d(x, W, b, stride, pad)
    assert y.shape == (0, *naive_conv2d(x.data, W.data, b.data, stride, pad).shape[1:])
    y.backward()
    assert x.grad.shape == x.shape
    assert not W.grad.data.any()
    assert not b.grad.data.any()
    assert F.deconv2d(y, W, None, stride, pad, x.shape[2:]).shape == x.shape
    assert F.im2col(x, W.shape[2:], stride, pad).shape[0] == 0


@pytest.mark.parametrize("case", CASES)
def test_non_contiguous_inputs(case):
    x, W, b, stride, pad = draw(case)
    want = naive_conv2d(x, W, b, stride, pad)
    gy = np.random.default_rng(1).standard_normal(want.shape)
    views = (
        lambda a: a.transpose(3, 2, 1, 0).copy().transpose(3, 2, 1, 0),
        lambda a: np.repeat(a, 2, axis=3)[:, :, :, ::2],
        lambda a: a[:, :, ::-1, ::-1].copy()[:, :, ::-1, ::-1],
    )
    want_gx = kernels.conv2d_input_grad(gy, W, x.shape[2:], stride, pad)
    want_gW = kernels.conv2d_weight_grad(x, gy, W.shape[2:], stride, pad)
    for view in views:
        X, K, G = view(x), view(W), view(gy)
        np.testing.assert_allclose(F.conv2d(X, K, b, stride, pad).data, want)
        gx = kernels.conv2d_input_grad(G, K, x.shape[2:], stride, pad)
        np.testing.assert_allclose(gx, want_gx)
        np.testing.assert_allclose(
            kernels.conv2d_weight_grad(X, G, W.shape[2:], stride, pad), want_gW
        )
    same = np.broadcast_to(x[:, :1, :1, :1], x.shape)
    np.testing.assert_allclose(
        F.conv2d(same, W, b, stride, pad).data, naive_conv2d(same, W, b, stride, pad)
    )


@pytest.mark.parametrize("case", CASES)
def test_results_are_contiguous(case):
    x, W, b, stride, pad = draw(case)
    y = F.conv2d(x, W, b, stride, pad).data
    gx = kernels.conv2d_input_grad(y, W, x.shape[2:], stride, pad)
    gW = kernels.conv2d_weight_grad(x, y, W.shape[2:], stride, pad)
    col = F.im2col(x, W.shape[2:], stride, pad)
    for a in (y, gx, gW, col.data, F.col2im(col, x.shape, W.shape[2:], stride, pad).data):
        assert a.flags.c_contiguous


@pytest.mark.parametrize("block", [1, 40, 300, 2000])
def test_blocks_of_images_and_of_rows_give_the_same(block, monkeypatch):
    for case in CASES:
        x, W, b, stride, pad = draw(case)
        y = F.conv2d(x, W, b, stride, pad).data
        gx = kernels.conv2d_input_grad(y, W, x.shape[2:], stride, pad)
        gW = kernels.conv2d_weight_grad(x, y, W.shape[2:], stride, pad)
        with monkeypatch.context() as patch:
            patch.setattr(kernels, "BLOCK", block)
            np.testing.assert_allclose(F.conv2d(x, W, b, stride, pad).data, y)
            np.testing.assert_allclose(
                kernels.conv2d_input_grad(y, W, x.shape[2:], stride, pad), gx, atol=1e-10
            )
            np.testing.assert_allclose(
                kernels.conv2d_weight_grad(x, y, W.shape[2:], stride, pad), gW, atol=1e-10
            )


@pytest.mark.parametrize("compiled", [False, True])
def test_memory_stays_near_that_of_the_images(compiled):
    """The original made KH*KW copies of the input, even for 1x1 kernels."""
    import tracemalloc

    x = np.ones((16, 32, 64, 64), np.float32)  # 8 MB; 9 times as many columns: 75 MB
    for size, pad in ((3, 1), (3, 0), (1, 0)):
        W = np.ones((32, 32, size, size), np.float32)
        with dezero.using_config("compiled", compiled):
            y = kernels.conv2d(x, W, None, 1, pad)  # what a compiler takes is not counted
            kernels.conv2d_input_grad(y, W, x.shape[2:], 1, pad)
            kernels.conv2d_weight_grad(x, y, (size, size), 1, pad)
            tracemalloc.start()
            y = kernels.conv2d(x, W, None, 1, pad)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.reset_peak()
            kernels.conv2d_input_grad(y, W, x.shape[2:], 1, pad)
            kernels.conv2d_weight_grad(x, y, (size, size), 1, pad)
            peak_back = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        budget = 4 * kernels.BLOCK * 4
        assert peak < y.nbytes + budget
        assert peak_back < y.nbytes + x.nbytes + budget


def test_no_padded_copy_without_padding():
    x, W, _, stride, pad = draw(CASES[6])
    g = kernels.geometry(x.shape[2:], W.shape[2:], stride, pad)
    assert kernels.with_pad(x, g) is x


def test_nothing_is_computed_for_data_that_wants_no_gradient(monkeypatch):
    x, W, b, stride, pad = draw(CASES[0])

    def fail(*args):
        raise AssertionError("the gradient of plain data was computed")

    monkeypatch.setattr(module.kernels, "conv2d_input_grad", fail)
    for data in (x, Variable(x, requires_grad=False)):
        weights = Variable(W)
        F.conv2d(data, weights, b, stride, pad).backward()
        assert weights.grad.shape == W.shape
    with pytest.raises(AssertionError, match="plain data"):
        F.conv2d(Variable(x), W, b, stride, pad).backward()


def test_integer_images_are_taken_in_the_dtype_of_the_weights():
    for size, dtype in [(1, np.uint8), (2, np.uint8), (1, np.int64), (2, np.int64)]:
        x = np.arange(16, dtype=dtype).reshape(1, 1, 4, 4)
        W = Variable(np.ones((1, 1, size, size), np.float32))
        y = F.conv2d(x, W)
        y.backward()
        want = naive_conv2d(x.astype(float), W.data, np.zeros(1), (1, 1), (0, 0))
        np.testing.assert_array_equal(y.data, want)
        z = F.deconv2d(x, W)
        z.backward()
        assert y.dtype == z.dtype == W.grad.dtype == np.float32
        assert z.data.sum() == x.sum() * size * size


def test_a_wider_bias_widens_the_result():
    x, W, b, _, _ = draw(CASES[0], np.float32)
    assert F.conv2d(x, W, b.astype(np.float64)).dtype == np.float64
    assert F.conv2d(x, W, b.astype(np.float16)).dtype == np.float32


def test_kernels_record_when_called_with_variables():
    x, W, _, stride, pad = draw(CASES[0])
    y = kernels.conv2d(Variable(x), W, None, stride, pad)
    assert isinstance(y.creator, FC.Conv2d)
    gx = kernels.conv2d_input_grad(y, W, x.shape[2:], stride, pad)
    assert isinstance(gx.creator, FC.Deconv2d)
    gW = kernels.conv2d_weight_grad(x, y, (3, 3), stride, pad)
    assert isinstance(gW.creator, FC.Conv2DGradW)
    assert isinstance(kernels.conv2d(x, Variable(W)).creator, FC.Conv2d)


def test_two_uses_of_one_function_object_keep_their_graphs():
    x, W, b, stride, pad = draw(CASES[0])
    conv = FC.Conv2d(stride, pad)
    first, second = Variable(x), Variable(x[:, :, :4, :4].copy())
    y0 = conv(first, W, b)
    y1 = conv(second, W, b)
    y0.backward()
    y1.backward()
    assert first.grad.shape == first.shape
    assert second.grad.shape == second.shape


IMAGES, FILTERS = np.ones((2, 3, 5, 6)), np.ones((4, 3, 3, 3))


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((IMAGES[0], FILTERS), {}, r"conv2d: x has shape \(3, 5, 6\); it wants four axes"),
        ((IMAGES, FILTERS[0]), {}, r"conv2d: W has shape \(3, 3, 3\); it wants filters of shape"),
        ((IMAGES[:, :2], FILTERS), {}, r"conv2d: x of shape .* has 2 channels, but W .* wants 3"),
        ((IMAGES[:, :, :2], FILTERS), {}, r"conv2d: a window of \(3, 3\) is larger than images"),
        ((IMAGES, FILTERS), {"stride": 0}, r"conv2d: stride is 0; it wants .* 1 or more"),
        ((IMAGES, FILTERS), {"stride": 1.5}, r"conv2d: stride is 1.5; it wants an integer"),
        ((IMAGES, FILTERS), {"pad": (0, -1)}, r"conv2d: pad is \(0, -1\); .* 0 or more"),
        ((IMAGES, FILTERS), {"pad": (1, 2, 3)}, r"conv2d: pad is \(1, 2, 3\); .* pair of"),
        ((IMAGES, FILTERS, np.ones(3)), {}, r"conv2d: b has shape \(3,\), but W .* makes 4"),
        ((IMAGES, FILTERS, np.ones((4, 1))), {}, r"conv2d: b has shape \(4, 1\)"),
        ((IMAGES[:, :, :, :0], FILTERS), {"pad": 3}, r"conv2d: x .* hold no pixel"),
        ((IMAGES, FILTERS[:, :, :0]), {}, r"conv2d: W has shape \(4, 3, 0, 3\)"),
    ],
)
def test_conv2d_lessons(args, kwargs, message):
    with pytest.raises(ValueError, match="^" + message):
        F.conv2d(*args, **kwargs)


def test_type_lessons():
    with pytest.raises(TypeError, match=r"^conv2d: W is int64; it wants floating-point filters"):
        F.conv2d(IMAGES, FILTERS.astype(np.int64))
    with pytest.raises(TypeError, match=r"^conv2d: x is NoneType; it wants a Variable or an"):
        F.conv2d(None, FILTERS)
    with pytest.raises(TypeError, match=r"^conv2d: W is NoneType"):
        F.conv2d(IMAGES, None)
    with pytest.raises(TypeError, match=r"^conv2d: x is complex128; it wants real numbers"):
        F.conv2d(IMAGES.astype(complex), FILTERS)
    with pytest.raises(TypeError, match=r"int64 \(2, 3, 5, 6\).*no gradient"):
        F.conv2d(Variable(IMAGES.astype(np.int64)), FILTERS).backward()


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((IMAGES, FILTERS), {}, r"deconv2d: x of shape .* has 3 channels, but W .* wants 4"),
        ((IMAGES, FILTERS[:3], np.ones(4)), {}, r"deconv2d: b has shape \(4,\), but W .* makes 3"),
        (
            (IMAGES, FILTERS[:3]),
            {"stride": 2, "outsize": 14},
            r"deconv2d: no convolution takes outsize \(14, 14\) to the input's \(5, 6\); with .* "
            r"outsize goes from \(11, 13\) to \(12, 14\)",
        ),
        ((IMAGES, FILTERS[:3]), {"pad": 4}, r"deconv2d: inputs of \(5, 6\) .* take less padding"),
        ((IMAGES, FILTERS[:3]), {"stride": -1}, r"deconv2d: stride is -1"),
        ((IMAGES, FILTERS[:3]), {"outsize": 0}, r"deconv2d: outsize is 0"),
    ],
)
def test_deconv2d_lessons(args, kwargs, message):
    with pytest.raises(ValueError, match="^" + message):
        F.deconv2d(*args, **kwargs)


def test_im2col_lessons():
    with pytest.raises(ValueError, match=r"^im2col: x has shape \(5, 6\); it wants four axes"):
        F.im2col(IMAGES[0, 0], 3)
    with pytest.raises(ValueError, match=r"^im2col: a window of \(7, 7\) is larger"):
        F.im2col(IMAGES, 7)
    with pytest.raises(ValueError, match=r"^im2col: kernel_size is 0; "):
        F.im2col(IMAGES, 0)
    with pytest.raises(ValueError, match=r"^col2im: x has shape \(3, 4\); .* wants \(24, 27\)"):
        F.col2im(np.ones((3, 4)), IMAGES.shape, 3)
    with pytest.raises(ValueError, match=r"^col2im: input_shape is \(5, 6\); it wants \(N, C"):
        F.col2im(np.ones((3, 4)), (5, 6), 3)


def test_conv2d_simple_lessons():
    with pytest.raises(ValueError, match=r"^conv2d_simple: x .* has 2 channels, but W"):
        F.conv2d_simple(IMAGES[:, :2], FILTERS)


def test_sizes_and_pairs():
    assert kernels.get_conv_outsize(7, 3, 2, 1) == 4
    assert kernels.get_deconv_outsize(4, 3, 2, 1) == 7
    assert kernels.pair(2) == (2, 2)
    assert kernels.pair((1, 3)) == kernels.pair([1, np.int64(3)]) == (1, 3)
    for bad in (1.5, "ab", (1, 2, 3), None):
        with pytest.raises(ValueError, match=r"^pair: got .*it wants an integer or a pair"):
            kernels.pair(bad)


def test_numpy_calls_inside_no_grad_leave_no_graph():
    x, W, b, stride, pad = draw(CASES[0])
    with dezero.no_grad():
        y = F.conv2d(Variable(x), Variable(W), b, stride, pad)
    assert y.creator is None


@pytest.mark.parametrize("case", GENERAL)
def test_dilated_and_grouped_values(case):
    x, W, b, window = draw_general(case)
    want = naive_general(x, W, b, *window)
    np.testing.assert_allclose(F.conv2d(x, W, b, *window).data, want, atol=1e-12)
    y = F.conv2d(x.astype(np.float32), W.astype(np.float32), b.astype(np.float32), *window)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y.data, want, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("case", GENERAL)
def test_dilated_and_grouped_gradients_to_third_order(case):
    x, W, b, window = draw_general(case)
    check_orders(lambda x, W, b: F.conv2d(x, W, b, *window), [x, W, b], orders=3)
    stride, pad, dilation, groups = window
    y = F.conv2d(x, W, b, *window).data
    bias = np.random.default_rng(5).standard_normal(x.shape[1])
    check_orders(
        lambda y, W, b: F.deconv2d(y, W, b, stride, pad, x.shape[2:], dilation, groups),
        [y, W, bias],
        orders=3,
    )


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_dilated_and_grouped_convolutions_are_adjoint(data):
    groups, c, o, n = (data.draw(st.integers(1, 3)) for _ in range(4))
    kernel, stride, dilation = (
        tuple(data.draw(st.integers(1, 3)) for _ in range(2)) for _ in range(3)
    )
    pad = tuple(data.draw(st.integers(0, 4)) for _ in range(2))
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    size = tuple(
        data.draw(st.integers(max(1, k - 2 * p), 9)) for k, p in zip(spans, pad, strict=True)
    )
    case = (n, c * groups, o * groups, size, kernel, stride, pad, dilation, groups)
    x, W, b, window = draw_general(case)
    y = F.conv2d(x, W, b, *window).data
    np.testing.assert_allclose(y, naive_general(x, W, b, *window), atol=1e-10)
    g = np.random.default_rng(1).standard_normal(y.shape)
    left = np.sum((y - b[:, None, None]) * g)
    back = F.deconv2d(g, W, None, stride, pad, size, dilation, groups).data
    np.testing.assert_allclose(left, np.sum(x * back), atol=1e-9)
    gW = kernels.conv2d_weight_grad(x, g, kernel, *window)
    np.testing.assert_allclose(left, np.sum(W * gW), atol=1e-9)


@pytest.mark.parametrize("block", [1, 100])
def test_blocks_of_groups(block, monkeypatch):
    for case in GENERAL:
        x, W, b, window = draw_general(case)
        want = naive_general(x, W, b, *window)
        with monkeypatch.context() as patch:
            patch.setattr(kernels, "BLOCK", block)
            np.testing.assert_allclose(kernels.conv2d(x, W, b, *window), want, atol=1e-12)


def test_channel_sum_is_the_gradient_of_a_bias():
    gy = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    np.testing.assert_allclose(kernels.channel_sum(gy), gy.sum((0, 2, 3)))
    check_orders(lambda g: kernels.channel_sum(g), [gy], orders=2)


@pytest.mark.parametrize(
    ("name", "shapes", "kwargs", "message"),
    [
        (
            "conv2d",
            ((2, 5, 6, 6), (4, 2, 3, 3)),
            {"groups": 2},
            r"x of shape .* has 5 channels, which 2 groups cannot share evenly; take a number",
        ),
        (
            "conv2d",
            ((2, 4, 6, 6), (3, 2, 3, 3)),
            {"groups": 2},
            r"the output that W of shape .* makes has 3 channels, which 2 groups cannot share",
        ),
        (
            "conv2d",
            ((2, 4, 6, 6), (4, 4, 3, 3)),
            {"groups": 2},
            r"x of shape .* has 4 channels, but W .* wants 8 \(2 groups\); filters have the "
            r"shape \(O, C/groups, KH, KW\)",
        ),
        ("conv2d", ((2, 4, 6, 6), (4, 4, 3, 3)), {"groups": 0}, r"groups is 0; it wants an int"),
        ("conv2d", ((2, 4, 6, 6), (4, 4, 3, 3)), {"groups": (1, 1)}, r"groups is \(1, 1\); "),
        ("conv2d", ((2, 4, 6, 6), (4, 4, 3, 3)), {"dilation": 0}, r"dilation is 0; it wants "),
        (
            "conv2d",
            ((2, 4, 6, 6), (4, 4, 3, 3)),
            {"dilation": 3},
            r"a window of \(3, 3\) spread by dilation \(3, 3\) to \(7, 7\) is larger",
        ),
        (
            "deconv2d",
            ((2, 5, 6, 6), (5, 2, 3, 3)),
            {"groups": 2},
            r"x of shape .* has 5 channels, which 2 groups",
        ),
        (
            "deconv2d",
            ((2, 4, 6, 6), (4, 2, 3, 3)),
            {"groups": 2, "dilation": 2, "outsize": 9},
            r"no convolution takes outsize \(9, 9\) .* dilation \(2, 2\), .* from \(10, 10\)",
        ),
        (
            "conv1d",
            ((2, 3, 1, 6), (2, 3, 3)),
            {},
            r"x has shape .* it wants three axes \(N, C, L\)",
        ),
        ("conv1d", ((2, 3, 6), (2, 3, 1, 3)), {}, r"W has shape .* of shape \(O, C, K\)"),
        ("conv1d", ((2, 3, 6), (2, 2, 3)), {}, r"x of shape .* has 3 channels, but W .* wants 2"),
        ("conv1d", ((2, 3, 6), (2, 3, 3)), {"stride": (1, 2)}, r"stride is \(1, 2\); .* integer"),
        ("conv1d", ((2, 3, 2), (2, 3, 3)), {}, r"a window of \(3,\) is larger than images of"),
        ("conv1d", ((2, 3, 0), (2, 3, 3)), {}, r"x has shape .* signals hold no sample"),
        (
            "deconv1d",
            ((2, 3, 4), (2, 3, 3)),
            {},
            r"x of shape .* has 3 channels, but W .* wants 2",
        ),
        (
            "deconv1d",
            ((2, 3, 4), (3, 2, 3)),
            {"outsize": 9},
            r"no convolution takes outsize \(9,\)",
        ),
        ("deconv1d", ((2, 3, 4), (3, 2, 3)), {"outsize": (6,)}, r"outsize is \(6,\); .* integer"),
    ],
)
def test_lessons_of_groups_dilation_and_signals(name, shapes, kwargs, message):
    x, W = (np.ones(shape) for shape in shapes)
    with pytest.raises(ValueError, match=f"^{name}: {message}"):
        getattr(F, name)(x, W, **kwargs)


def test_signals_are_images_of_one_row():
    x = np.random.default_rng(0).standard_normal((2, 4, 9))
    W = np.random.default_rng(1).standard_normal((4, 2, 3))
    b = np.arange(4.0)
    y = F.conv1d(x, W, b, 2, 1, 2, 2)
    row = F.conv2d(x[:, :, None], W[:, :, None], b, (1, 2), (0, 1), (1, 2), 2)
    np.testing.assert_array_equal(y.data, row.data[:, :, 0])
    z = F.deconv1d(y, W, None, 2, 1, 9, 2, 2)
    assert z.shape == x.shape
    check_orders(lambda x, W, b: F.conv1d(x, W, b, 2, 1, 2, 2), [x, W, b], orders=3)
    check_orders(lambda y, W: F.deconv1d(y, W, None, 2, 1, 9, 2, 2), [y.data, W], orders=3)


LAYERS = [
    (L.Conv2d, (2, 4, 6, 7), (3, 2), {}, (6, 4, 3, 2), 24),
    (L.Conv2d, (2, 4, 6, 7), 3, {"groups": 2, "dilation": 2}, (6, 2, 3, 3), 18),
    (L.Deconv2d, (2, 4, 6, 7), 3, {"groups": 2, "stride": 2}, (4, 3, 3, 3), 18),
    (L.Conv1d, (2, 4, 9), 3, {"pad": 1, "dilation": 2}, (6, 4, 3), 12),
    (L.Conv1d, (2, 4, 9), (3,), {"groups": 2}, (6, 2, 3), 6),
    (L.Deconv1d, (2, 4, 9), 4, {"stride": 2, "nobias": True}, (4, 6, 4), 16),
]


@pytest.mark.parametrize(("layer", "shape", "kernel", "kwargs", "weights", "fan_in"), LAYERS)
def test_layers_compute_what_their_functions_do(layer, shape, kernel, kwargs, weights, fan_in):
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    results = []
    for known in ({}, {"in_channels": 4}):  # the same draws, now or at the first call
        np.random.seed(0)
        made = layer(6, kernel, **kwargs, **known)
        y = made(x)
        np.random.seed(0)
        W = np.random.randn(*weights).astype(np.float32) * np.sqrt(1 / fan_in)
        np.testing.assert_allclose(made.W.data, W, rtol=1e-6)
        window = {k: v for k, v in kwargs.items() if k != "nobias"}
        want = getattr(F, layer.__name__.lower())(x, made.W, made.b, **window)
        np.testing.assert_array_equal(y.data, want.data)
        results.append(y.data)
    np.testing.assert_array_equal(*results)
    F.sum(y).backward()
    assert made.W.grad.shape == weights


def test_layers_lessons():
    with pytest.raises(ValueError, match="^Conv2d: 3 groups cannot share 4 out_channels evenly"):
        L.Conv2d(4, 3, groups=3)
    with pytest.raises(ValueError, match="^Conv1d: 2 groups cannot share 3 in_channels evenly"):
        L.Conv1d(4, 3, groups=2, in_channels=3)
    with pytest.raises(ValueError, match=r"^Conv1d: kernel_size is a whole number or one"):
        L.Conv1d(4, (3, 3), in_channels=3)
    layer = L.Conv1d(4, 3, groups=2)
    with pytest.raises(ValueError, match="^Conv1d: 2 groups cannot share 3 in_channels"):
        layer(np.ones((1, 3, 8), np.float32))
    assert layer.W.data is None and layer.in_channels is None
    assert layer(np.ones((1, 2, 8), np.float32)).shape == (1, 4, 6)
    with pytest.raises(ValueError, match=r"^Conv1d: got .* it wants signals of shape \(N, C, L\)"):
        L.Conv1d(4, 3)(np.ones((3, 8), np.float32))
    with pytest.raises(ValueError, match="^Deconv1d: groups is a whole number of at least 1"):
        L.Deconv1d(4, 3, groups=0)
