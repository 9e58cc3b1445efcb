"""Compiled pooling against its NumPy reference: any window, any values, any layout."""

import threading

import numpy as np
import pytest

import dezero
import dezero.functions as F
from dezero import Variable, using_config
from dezero.kernels import pooling as kernels
from dezero.kernels.table import has_numba

if not has_numba():
    pytest.skip("Numba is not installed", allow_module_level=True)

from dezero.kernels.cpu import pooling as compiled

# (H, W), kernel, stride, pad: each path, with rows shorter and longer than a vector
WINDOWS = [
    ((8, 32), (2, 2), (2, 2), (0, 0)),  # pairs
    ((7, 19), (2, 2), (2, 2), (0, 0)),  # with a row and a column left over
    ((6, 8), (2, 2), (2, 2), (0, 0)),  # narrow
    ((5, 5), (2, 2), (2, 2), (0, 0)),  # too narrow for vectors
    ((15, 33), (3, 3), (2, 2), (1, 1)),
    ((9, 12), (3, 3), (2, 2), (0, 1)),
    ((9, 21), (3, 3), (1, 1), (1, 1)),
    ((9, 30), (2, 1), (1, 2), (1, 0)),  # one column, stride 2
    ((12, 31), (3, 4), (3, 3), (2, 3)),
    ((12, 30), (3, 3), (3, 3), (0, 0)),
    ((7, 7), (7, 7), (7, 7), (0, 0)),  # the whole image
    ((7, 7), (7, 7), (1, 1), (0, 0)),
    ((1, 40), (1, 3), (1, 2), (0, 1)),  # signals
]
IDS = [f"{h}x{w}-{k}-{s}-{p}".replace(" ", "") for (h, w), k, s, p in WINDOWS]
windows = pytest.mark.parametrize(("size", "kernel", "stride", "pad"), WINDOWS, ids=IDS)


def images(size, seed=0, n=3, c=2):
    """Values with many ties."""
    return np.random.default_rng(seed).integers(-4, 4, (n, c, *size)).astype(np.float32)


def spoiled(x, what, share):
    x[np.random.default_rng(9).random(x.shape) < share] = what
    return x


@windows
@pytest.mark.parametrize(
    ("what", "share"), [(0, 0), (np.nan, 0.2), (np.inf, 0.2), (-np.inf, 0.8), (-0.0, 0.5)]
)
def test_maxima_and_winners(size, kernel, stride, pad, what, share):
    x = spoiled(images(size), what, share)
    y, winners = compiled.max_pooling_with_winners(x, kernel, stride, pad)
    want, places = kernels.max_pooling_with_winners.reference(x, kernel, stride, pad)
    np.testing.assert_array_equal(y, want)
    np.testing.assert_array_equal(winners, places)
    assert (y.dtype, winners.dtype) == (np.float32, places.dtype)
    np.testing.assert_array_equal(compiled.max_pooling(x, kernel, stride, pad), want)


@windows
def test_gradients_and_means(size, kernel, stride, pad):
    window = kernel, stride, pad
    rng = np.random.default_rng(1)
    x = images(size) + rng.random((3, 2, *size), np.float32)
    y, winners = compiled.max_pooling_with_winners(x, *window)
    gy = rng.standard_normal(y.shape).astype(np.float32)
    gy.flat[0] = np.inf
    for name, args in [
        ("pool_scatter", (gy, winners, size, *window)),
        ("pool_gather", (x, winners, *window)),
        ("average_pooling", (x, *window)),
        ("average_pooling_grad", (gy, size, *window)),
    ]:
        got = getattr(compiled, name)(*args)
        want = getattr(kernels, name).reference(*args)
        np.testing.assert_allclose(got, want, rtol=2e-6, atol=2e-6, err_msg=name)
        assert got.dtype == np.float32
        assert got.flags.c_contiguous


def test_any_geometry():
    rng = np.random.default_rng(0)
    for _ in range(300):
        kernel, stride = (tuple(int(a) for a in rng.integers(1, 5, 2)) for _ in range(2))
        pad = tuple(int(rng.integers(0, k)) for k in kernel)
        size = tuple(
            int(rng.integers(max(1, k - 2 * p), 26)) for k, p in zip(kernel, pad, strict=True)
        )
        x = images(size, n=int(rng.integers(0, 3)))
        window = kernel, stride, pad
        y, winners = compiled.max_pooling_with_winners(x, *window)
        want, places = kernels.max_pooling_with_winners.reference(x, *window)
        np.testing.assert_array_equal(y, want)
        np.testing.assert_array_equal(winners, places)
        np.testing.assert_array_equal(compiled.pool_gather(x, winners, *window), y)
        np.testing.assert_array_equal(
            compiled.pool_scatter(y, winners, size, *window),
            kernels.pool_scatter.reference(y, winners, size, *window),
        )


def test_layouts():
    x = images((10, 22))
    window = 3, 2, 1
    want = kernels.max_pooling_with_winners.reference(x, *window)
    views = [
        x.transpose(3, 2, 1, 0).copy().transpose(3, 2, 1, 0),
        np.repeat(x, 2, axis=3)[..., ::2],
        x[:, ::-1, ::-1].copy()[:, ::-1, ::-1],
    ]
    for view in views:
        for got, expected in zip(
            compiled.max_pooling_with_winners(view, *window), want, strict=True
        ):
            np.testing.assert_array_equal(got, expected)
        np.testing.assert_array_equal(
            compiled.average_pooling(view, *window), compiled.average_pooling(x, *window)
        )


def test_what_is_left_to_the_reference():
    x = images((8, 8))
    y, winners = compiled.max_pooling_with_winners(x, 2, 2, 0)
    for call in (
        lambda: compiled.max_pooling_with_winners(x.astype(np.float64), 2, 2, 0),
        lambda: compiled.max_pooling(x.astype(np.float16), 2, 2, 0),
        lambda: compiled.max_pooling_with_winners(np.zeros((1, 1, 16, 16), "f"), 16, 1, 0),
        lambda: compiled.pool_scatter(y.astype(np.float64), winners, (8, 8), 2, 2, 0),
        lambda: compiled.pool_scatter(y, winners.astype(np.uint16), (8, 8), 2, 2, 0),
        lambda: compiled.pool_scatter(y, winners, (20, 20), 2, 2, 0),  # another image
        lambda: compiled.pool_scatter(y[:1], winners, (8, 8), 2, 2, 0),
        lambda: compiled.pool_gather(x[..., :4], winners, 2, 2, 0),
        lambda: compiled.average_pooling(x.astype(np.int64), 2, 2, 0),
        lambda: compiled.average_pooling_grad(y, (20, 20), 2, 2, 0),
    ):
        assert call() is NotImplemented


@pytest.mark.parametrize("function", [F.pooling, F.average_pooling])
@pytest.mark.parametrize(("kernel", "stride", "pad"), [(2, 2, 0), (3, 2, 1), (3, 1, 1)])
def test_functions_run_compiled_and_agree(function, kernel, stride, pad, monkeypatch):
    x = np.random.default_rng(0).standard_normal((32, 16, 16, 16)).astype(np.float32)
    calls = []
    launch = compiled.launch
    monkeypatch.setattr(compiled, "launch", lambda *a, **k: calls.append(1) or launch(*a, **k))
    results = []
    for on in (True, False):
        with using_config("compiled", on):
            v = Variable(x)
            y = function(v, kernel, stride, pad)
            F.sum(y * y).backward(create_graph=True)
            gx = v.grad
            v.cleargrad()
            F.sum(gx * gx * gx).backward()
            results.append([y.data, gx.data, v.grad.data])
            assert len(calls) >= 3
    for a, b in zip(*results, strict=True):
        assert a.dtype == np.float32
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


def test_the_number_of_threads_changes_nothing(nothing_is_small):
    x = np.random.default_rng(0).standard_normal((5, 7, 63, 63)).astype(np.float32)
    before = dezero.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 5, 2):
            dezero.set_num_threads(threads)
            y, winners = kernels.max_pooling_with_winners(x, 3, 2, 1)
            results.append(
                [
                    y,
                    winners,
                    kernels.pool_scatter(y, winners, (63, 63), 3, 2, 1),
                    kernels.pool_gather(x, winners, 3, 2, 1),
                    kernels.average_pooling(x, 3, 2, 1),
                    kernels.average_pooling_grad(y, (63, 63), 3, 2, 1),
                ]
            )
    finally:
        dezero.set_num_threads(before)
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_several_callers_at_once():
    xs = [images((64, 64), seed) for seed in range(4)]
    want = [kernels.max_pooling_with_winners.reference(x, 2, 2, 0) for x in xs]
    wrong = []

    def work(i):
        for _ in range(10):
            y, winners = kernels.max_pooling_with_winners(xs[i], 2, 2, 0)
            if not (np.array_equal(y, want[i][0]) and np.array_equal(winners, want[i][1])):
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
