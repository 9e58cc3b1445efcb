"""Losses: exact over many rows and classes, labels to ignore, smoothing."""

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable, using_config

both = pytest.mark.parametrize("compiled", [True, False])


def exact(x, t):
    x = x.astype(np.float64)
    x = x - x.max(axis=1, keepdims=True)
    return np.log(np.exp(x).sum(axis=1)) - x[np.arange(len(t)), t]


@both
def test_float32_means_are_exact(rng, compiled):
    x = (rng.standard_normal((30_000, 7)) + 5).astype(np.float32)
    t = rng.integers(0, 7, len(x))
    with using_config("compiled", compiled):
        loss = F.softmax_cross_entropy(x, t)
    assert loss.dtype == np.float32
    np.testing.assert_allclose(loss.data, exact(x, t).mean(), rtol=1e-6)


@both
def test_large_vocabulary(rng, compiled):
    x = Variable((4 * rng.standard_normal((6, 50_257))).astype(np.float32))
    t = rng.integers(0, 50_257, 6)
    with using_config("compiled", compiled):
        loss = F.softmax_cross_entropy(x, t)
        loss.backward()
    np.testing.assert_allclose(loss.data, exact(x.data, t).mean(), rtol=1e-6)
    wide = Variable(x.data.astype(np.float64))
    F.softmax_cross_entropy(wide, t).backward()
    np.testing.assert_allclose(x.grad.data, wide.grad.data, rtol=2e-5, atol=1e-9)


def test_float16_does_not_overflow():
    x = np.zeros((60_000, 3), np.float16)
    loss = F.softmax_cross_entropy(x, np.zeros(len(x), int))
    assert loss.dtype == np.float16
    np.testing.assert_allclose(float(loss), np.log(3), rtol=1e-3)
    loss = F.sigmoid_cross_entropy(np.full(60_000, 5, np.float16), np.zeros(60_000, int))
    np.testing.assert_allclose(float(loss), 5.0067, rtol=1e-3)
    loss = F.binary_cross_entropy(np.full(60_000, 0.1, np.float16), np.ones(60_000, int))
    np.testing.assert_allclose(float(loss), 2.3026, rtol=1e-3)


@both
@pytest.mark.parametrize("dtype", [np.int64, np.int16])
def test_ignored_rows_do_not_count(rng, compiled, dtype):
    x = Variable(rng.standard_normal((500, 20)).astype(np.float32))
    t = rng.integers(0, 20, 500).astype(dtype)
    out = rng.random(500) < 0.3
    t[out] = -100
    x.data[out] = np.nan  # whatever is there
    with using_config("compiled", compiled), np.errstate(invalid="ignore"):
        loss = F.softmax_cross_entropy(x, t, ignore_label=-100)
        loss.backward()
        few = Variable(x.data[~out])
        F.softmax_cross_entropy(few, t[~out]).backward()
        np.testing.assert_allclose(loss.data, exact(x.data[~out], t[~out]).mean(), rtol=1e-6)
    assert not x.grad.data[out].any()
    np.testing.assert_allclose(x.grad.data[~out], few.grad.data, rtol=1e-6)


def test_all_rows_ignored():
    x = Variable(np.ones((3, 2)))
    loss = F.softmax_cross_entropy(x, np.zeros(3, int), ignore_label=0)
    loss.backward()
    assert float(loss) == 0
    assert not x.grad.data.any()


@both
def test_smoothing_is_the_cross_entropy_with_a_smooth_label(rng, compiled):
    x = Variable(rng.standard_normal((300, 40)).astype(np.float32))
    t = rng.integers(0, 40, 300)
    target = 0.9 * np.eye(40)[t] + 0.1 / 40
    with using_config("compiled", compiled):
        loss = F.softmax_cross_entropy(x, t, label_smoothing=0.1)
        loss.backward()
    p = F.softmax(x.data.astype(np.float64)).data
    np.testing.assert_allclose(loss.data, -(target * np.log(p)).sum(axis=1).mean(), rtol=1e-6)
    np.testing.assert_allclose(x.grad.data, (p - target) / 300, rtol=1e-5, atol=1e-8)


@both
def test_a_confident_row_has_a_gradient_of_zeros(compiled):
    """Not of numbers that become denormal in the next product and make it slow."""
    x = Variable(np.zeros((200, 50), np.float32))
    x.data[:, 3] = 75
    with using_config("compiled", compiled):
        F.softmax_cross_entropy(x, np.full(200, 3)).backward()
    assert not x.grad.data.any()


@both
def test_second_derivative_of_large_scores(rng, compiled):
    data = rng.standard_normal((200, 30))
    t = rng.integers(-1, 30, 200)
    results = []
    for dtype in (np.float32, np.float64):
        x = Variable(data.astype(dtype))
        with using_config("compiled", compiled):
            F.softmax_cross_entropy(x, t, -1, 0.1).backward(create_graph=True)
            g = x.grad
            x.cleargrad()
            F.sum(g * g).backward()
        results += [(g.data, x.grad.data)]
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (([0, 5],), "labels go from 0 to 2"),
        (([0, -100],), "labels go from 0 to 2"),
        (([0, 5], -100), "labels go from 0 to 2"),
        (([0, 1], None, 1.5), "label_smoothing"),
        (([0, 1], None, -0.1), "label_smoothing"),
        (([0],), "labels"),
    ],
)
def test_errors_say_what_is_wanted(args, words):
    t, *rest = args
    with pytest.raises(ValueError, match=words):
        F.softmax_cross_entropy(np.ones((2, 3)), np.array(t), *rest)


@both
def test_sigmoid_cross_entropy_of_large_arrays(rng, compiled):
    data, t = 5 * rng.standard_normal((200, 301)), rng.integers(0, 2, (200, 301))
    results = []
    for dtype in (np.float32, np.float64):
        x = Variable(data.astype(dtype))
        with using_config("compiled", compiled):
            loss = F.sigmoid_cross_entropy(x, t)
            loss.backward(create_graph=True)
            g = x.grad
            x.cleargrad()
            F.sum(g * g).backward()
        assert loss.dtype == g.dtype == dtype
        results.append((loss.data, g.data, x.grad.data))
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-8)


def test_empty_batch():
    x = Variable(np.ones((0, 3), np.float32))
    loss = F.softmax_cross_entropy(x, np.zeros(0, int))
    loss.backward()
    assert float(loss) == 0 and x.grad.shape == (0, 3)


@pytest.mark.parametrize("f", [F.softmax, F.log_softmax])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_second_derivative_of_a_large_softmax(rng, f, axis):
    data, w = (rng.standard_normal((90, 80)).astype(np.float32) for _ in range(2))
    results = []
    for dtype, compiled in ((np.float32, True), (np.float64, False)):
        x = Variable(data.astype(dtype))
        with using_config("compiled", compiled):
            F.sum(f(x, axis) * w.astype(dtype)).backward(create_graph=True)
            g = x.grad
            x.cleargrad()
            F.sum(g * g).backward()
        results.append((g.data, x.grad.data))
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6 * np.abs(b).max())
