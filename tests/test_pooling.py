"""Max and average pooling: values, padding, ties, gradients of any order, lessons."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dezero
import dezero.functions as F
from dezero import Variable
from dezero import functions_conv as FC
from dezero.kernels import pooling as kernels
from tests.test_convolution import check_orders

# (H, W), kernel, stride, pad
CASES = [
    ((4, 6), (2, 2), (2, 2), (0, 0)),
    ((7, 5), (3, 3), (2, 2), (1, 1)),
    ((5, 6), (3, 2), (1, 1), (2, 1)),
    ((6, 7), (2, 3), (3, 1), (1, 0)),
    ((4, 5), (4, 5), (1, 1), (0, 0)),
    ((5, 5), (1, 1), (2, 3), (0, 0)),
    ((3, 3), (2, 2), (4, 4), (1, 1)),
]


def draw(size, dtype=np.float64, seed=0):
    """Distinct values, far enough apart for differences: a maximum is smooth away from ties."""
    rng = np.random.default_rng(seed)
    count = 2 * 3 * size[0] * size[1]
    return (rng.permutation(count) / 16 - 6).reshape(2, 3, *size).astype(dtype)


def naive(x, kernel, stride, pad, border, reduce):
    (kh, kw), (sh, sw), (ph, pw) = kernel, stride, pad
    x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=border)
    size = (x.shape[2] - kh) // sh + 1, (x.shape[3] - kw) // sw + 1
    y = np.empty((*x.shape[:2], *size))
    for i, j in np.ndindex(size):
        y[:, :, i, j] = reduce(x[:, :, i * sh : i * sh + kh, j * sw : j * sw + kw], axis=(2, 3))
    return y


@pytest.mark.parametrize(("size", "kernel", "stride", "pad"), CASES)
def test_values(size, kernel, stride, pad):
    x = draw(size) - 20  # negative: a padding of zeros would win
    want = naive(x, kernel, stride, pad, -np.inf, np.max)
    np.testing.assert_array_equal(F.pooling(x, kernel, stride, pad).data, want)
    np.testing.assert_array_equal(F.pooling_simple(x, kernel, stride, pad).data, want)
    want = naive(x, kernel, stride, pad, 0, np.mean)
    np.testing.assert_allclose(F.average_pooling(x, kernel, stride, pad).data, want)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_values_and_adjoints_of_any_geometry(data):
    kernel, stride = (tuple(data.draw(st.integers(1, 4)) for _ in range(2)) for _ in range(2))
    pad = tuple(data.draw(st.integers(0, k - 1)) for k in kernel)
    size = tuple(
        data.draw(st.integers(max(1, k - 2 * p), 8)) for k, p in zip(kernel, pad, strict=True)
    )
    x = draw(size) - 20
    window = kernel, stride, pad
    y = F.pooling(x, *window).data
    np.testing.assert_array_equal(y, naive(x, *window, -np.inf, np.max))
    mean = F.average_pooling(x, *window).data
    np.testing.assert_allclose(mean, naive(x, *window, 0, np.mean))
    g = np.random.default_rng(1).standard_normal(y.shape)
    spread = kernels.average_pooling_grad(g, size, *window)
    np.testing.assert_allclose(np.sum(mean * g), np.sum(x * spread), atol=1e-9)
    winners = kernels.max_pooling_with_winners(x, *window)[1]
    np.testing.assert_array_equal(kernels.pool_gather(x, winners, *window), y)
    written = kernels.pool_scatter(g, winners, size, *window)
    np.testing.assert_allclose(np.sum(y * g), np.sum(x * written), atol=1e-9)


@pytest.mark.parametrize(("size", "kernel", "stride", "pad"), CASES)
@pytest.mark.parametrize("function", [F.pooling, F.average_pooling, F.pooling_simple])
def test_gradients_to_fourth_order(function, size, kernel, stride, pad):
    """Third order raised NotImplementedError in the original."""
    x = draw(size) / 4
    orders = 2 if function is F.pooling_simple else 4
    check_orders(lambda x: function(x, kernel, stride, pad), [x], orders)


def test_average_pooling_takes_height_before_width():
    """The original exchanged them: other means, or a crash."""
    x = np.arange(12.0).reshape(1, 1, 3, 4)
    x = Variable(x)
    y = F.average_pooling(x, (3, 2), stride=(1, 2))
    np.testing.assert_array_equal(y.data, [[[[4.5, 6.5]]]])
    y.grad = Variable(np.array([[[[6.0, 12.0]]]]))
    y.backward()
    np.testing.assert_array_equal(x.grad.data[0, 0], [[1, 1, 2, 2]] * 3)


def test_the_first_of_equal_values_gets_the_whole_gradient():
    x = Variable(np.array([[[[0.0, 1.0, 1.0], [1.0, 1.0, 0.0]]]]))
    y = F.pooling(x, (2, 3))
    y.grad = Variable(np.array([[[[3.0]]]]))
    y.backward()
    np.testing.assert_array_equal(x.grad.data[0, 0], [[0, 3, 0], [0, 0, 0]])


def test_overlapping_windows_add_up():
    x = Variable(np.array([[[[0.0, 5.0, 1.0]]]]))
    y = F.pooling(x, (1, 2))
    y.grad = Variable(np.array([[[[3.0, 4.0]]]]))
    y.backward()
    np.testing.assert_array_equal(x.grad.data[0, 0], [[0, 7, 0]])


def test_minus_infinity_wins_over_padding():
    x = Variable(np.full((1, 1, 2, 2), -np.inf))
    y = F.pooling(x, 2, stride=2, pad=1)
    y.grad = Variable(np.arange(1.0, 5.0).reshape(1, 1, 2, 2))
    y.backward()
    assert np.all(np.isneginf(y.data))
    np.testing.assert_array_equal(x.grad.data[0, 0], [[1, 2], [3, 4]])


def test_nan_is_not_hidden():
    x = np.arange(9.0).reshape(1, 1, 3, 3)
    x[0, 0, 1, 1] = np.nan
    x = Variable(x)
    y = F.pooling(x, 2)
    assert np.isnan(y.data).all()
    y.backward()
    assert x.grad.data.sum() == 4
    x = Variable(np.full((1, 1, 2, 2), np.nan))
    F.pooling(x, 2, pad=1).backward()
    assert x.grad.data.sum() == 9, "no gradient falls into the padding"


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_infinite_gradients_reach_the_winners_alone(dtype):
    x = Variable(np.arange(9).reshape(1, 1, 3, 3).astype(dtype))
    y = F.pooling(x, 2)
    y.grad = Variable(np.full((1, 1, 2, 2), np.inf, dtype))
    y.backward()
    np.testing.assert_array_equal(np.isinf(x.grad.data), np.isin(x.data, [4, 5, 7, 8]))
    assert not np.isnan(x.grad.data).any()


def test_large_windows_have_room_for_their_places():
    x = np.zeros((1, 1, 17, 16))
    x[0, 0, 16, 15] = 1.0  # place 271
    x = Variable(x)
    F.pooling(x, (17, 16)).backward()
    assert x.grad.data[0, 0, 16, 15] == 1.0
    assert x.grad.data.sum() == 1.0


@pytest.mark.parametrize(("size", "kernel", "stride", "pad"), CASES)
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("function", [F.pooling, F.average_pooling, F.pooling_simple])
def test_dtype_stays(function, dtype, size, kernel, stride, pad):
    x = Variable(draw(size, dtype))
    y = function(x, kernel, stride, pad)
    y.backward(create_graph=True)
    assert y.dtype == x.grad.dtype == dtype
    s = F.sum(x.grad * x.grad * y.data.dtype.type(2))
    assert s.dtype == dtype


@pytest.mark.parametrize(("size", "kernel", "stride", "pad"), CASES)
def test_contiguous_results_from_any_layout(size, kernel, stride, pad):
    x = draw(size)
    window = kernel, stride, pad
    views = (
        x.transpose(3, 2, 1, 0).copy().transpose(3, 2, 1, 0),
        np.repeat(x, 2, axis=3)[:, :, :, ::2],
        x[:, :, ::-1, ::-1].copy()[:, :, ::-1, ::-1],
    )
    y, mean = F.pooling(x, *window).data, F.average_pooling(x, *window).data
    gx = kernels.average_pooling_grad(mean, size, *window)
    for view in views:
        a, b = F.pooling(view, *window).data, F.average_pooling(view, *window).data
        np.testing.assert_array_equal(a, y)
        np.testing.assert_allclose(b, mean)
        v = Variable(view)
        F.pooling(v, *window).backward()
        for array in (a, b, v.grad.data, gx):
            assert array.flags.c_contiguous


@pytest.mark.parametrize(("size", "kernel", "stride", "pad"), CASES)
@pytest.mark.parametrize("function", [F.pooling, F.average_pooling, F.pooling_simple])
def test_empty_batch(function, size, kernel, stride, pad):
    x = Variable(draw(size)[:0])
    y = function(x, kernel, stride, pad)
    assert y.shape[:2] == (0, 3)
    y.backward()
    assert x.grad.shape == x.shape


def test_integers_and_booleans_have_maxima():
    x = np.array([[[[-5, -7], [-9, -6]]]])
    for dtype in (np.int8, np.int64):
        y = F.pooling(x.astype(dtype), 2, stride=2, pad=1)
        assert y.dtype == dtype
        np.testing.assert_array_equal(y.data, x)
        np.testing.assert_array_equal(F.pooling_simple(x.astype(dtype), 2, 2, 1).data, x)
    np.testing.assert_array_equal(F.pooling(x < -8, 2, stride=2, pad=1).data, x < -8)
    y = F.average_pooling(x, 2)
    assert y.dtype == np.float64
    assert y.data.item() == -6.75


def test_classes_of_the_book_read_and_write_at_the_winners():
    x = np.arange(16.0).reshape(1, 1, 4, 4)
    pool = FC.Pooling(2, stride=2)
    y = pool(Variable(x))
    gx = FC.Pooling2DGrad(pool)(y)
    np.testing.assert_array_equal(gx.data[0, 0, 1], [0, 5, 0, 7])
    np.testing.assert_array_equal(FC.Pooling2DWithIndexes(pool)(10 * x).data, 10 * y.data)
    np.testing.assert_array_equal(
        FC.AveragePooling(2, stride=2)(x).data[0, 0], [[2.5, 4.5], [10.5, 12.5]]
    )


def test_nothing_extra_is_computed_without_a_graph(monkeypatch):
    def fail(*args):
        raise AssertionError("winners were looked for")

    monkeypatch.setattr(kernels, "max_pooling_with_winners", fail)
    with dezero.no_grad():
        assert F.pooling(Variable(draw((4, 4))), 2).creator is None
    with pytest.raises(AssertionError, match="winners"):
        F.pooling(Variable(draw((4, 4))), 2)


def test_neither_input_nor_output_is_kept_for_max_pooling():
    """A byte for each window is enough."""
    x = Variable(draw((4, 4)))
    y = F.pooling(x * 2, 2, stride=2)
    assert y.creator._saved == ((),)
    assert y.creator.indexes.dtype == np.uint8


X = np.ones((2, 3, 5, 6))


@pytest.mark.parametrize("name", ["pooling", "average_pooling", "pooling_simple"])
@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((X[0], 2), r"x has shape \(3, 5, 6\); it wants four axes \(N, C, H, W\)"),
        ((X, 7), r"a window of \(7, 7\) is larger than images of \(5, 6\) with pad \(0, 0\)"),
        ((X, 0), r"kernel_size is 0; it wants .* 1 or more"),
        ((X, (2, 2, 2)), r"kernel_size is \(2, 2, 2\); it wants an integer or a pair"),
        ((X, 2, 0), r"stride is 0; it wants .* 1 or more"),
        ((X, 2, 2, -1), r"pad is -1; it wants .* 0 or more"),
        ((X, (3, 2), 2, 2), r"pad \(2, 2\) is not less than kernel_size \(3, 2\): some windows"),
    ],
)
def test_lessons(name, args, message):
    with pytest.raises(ValueError, match=f"{name}: {message}"):
        getattr(F, name)(*args)


def test_type_lessons():
    for name in ("pooling", "average_pooling", "pooling_simple"):
        with pytest.raises(TypeError, match=f"{name}: x is NoneType; it wants a Variable or"):
            getattr(F, name)(None, 2)
        with pytest.raises(TypeError, match=f"{name}: x is complex128; it wants real numbers"):
            getattr(F, name)(X.astype(complex), 2)


def test_a_nan_gets_the_gradient_of_its_window():
    x = Variable(np.array([[[[1.0, 5.0], [np.nan, np.nan]]]]))
    y = F.pooling(x, 2)
    y.backward()
    np.testing.assert_array_equal(x.grad.data[0, 0], [[0, 0], [1, 0]])


def test_signals_are_images_of_one_row():
    x = draw((1, 9))
    for name in ("pooling", "average_pooling"):
        f, g = getattr(F, name + "1d"), getattr(F, name)
        want = g(x, (1, 3), (1, 2), (0, 1)).data[:, :, 0]
        np.testing.assert_array_equal(f(x[:, :, 0], 3, 2, 1).data, want)
        check_orders(lambda x, f=f: f(x, 3, 2, 1), [x[:, :, 0] / 4], orders=3)


def test_global_average_pooling():
    x = draw((3, 4))
    y = F.global_average_pooling(x)
    np.testing.assert_allclose(y.data, F.average_pooling(x, (3, 4)).data[:, :, 0, 0])
    assert F.global_average_pooling(x.astype(np.float32)).dtype == np.float32
    assert F.global_average_pooling(x[:, :, 0]).shape == (2, 3)
    assert F.global_average_pooling(np.ones((1, 1, 2, 2), np.uint8)).dtype == np.float64
    check_orders(F.global_average_pooling, [x / 4], orders=3)


@pytest.mark.parametrize(
    ("name", "args", "message"),
    [
        ("pooling1d", (X, 2), r"x has shape \(2, 3, 5, 6\); it wants three axes \(N, C, L\)"),
        ("pooling1d", (X[0], (2, 2)), r"kernel_size is \(2, 2\); it wants an integer, 1 or more"),
        ("average_pooling1d", (X[0], 7), r"a window of \(7,\) is larger than images of \(6,\)"),
        ("average_pooling1d", (X[0], 2, 1, 2), r"pad \(2,\) is not less than kernel_size \(2,\)"),
        ("global_average_pooling", (X[0, 0],), r"x has shape \(5, 6\); it wants four axes"),
        ("global_average_pooling", (X[..., :0],), r"x has shape .* hold no pixel"),
    ],
)
def test_lessons_of_signals_and_whole_images(name, args, message):
    with pytest.raises(ValueError, match=f"^{name}: {message}"):
        getattr(F, name)(*args)
