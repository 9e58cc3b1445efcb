"""Compiled softmax and cross entropies against their NumPy references."""

import numpy as np
import pytest

import dezero
from dezero import using_config
from dezero.kernels import softmax as kernels
from dezero.kernels.table import has_numba

pytestmark = pytest.mark.skipif(not has_numba(), reason="Numba is not installed")

SHAPES = [(3, 1), (4, 10), (5, 33), (7, 1024), (3, 1025), (2, 5000), (2, 3, 50)]


def cpu():
    from dezero.kernels.cpu import softmax

    return softmax


def odd_rows(rng):
    """Rows over several blocks with infinities and NaN in places that matter."""
    x = rng.standard_normal((12, 3000)).astype(np.float32)
    x[0] = -np.inf
    x[1, 5] = np.nan
    x[2, 2500] = np.inf
    x[3, :1500] = -np.inf
    x[3, 1500:] -= 500
    x[4, 2000] = -np.float32(np.nan)
    x[5, [3, 2999]] = np.inf
    x[6] *= 200
    x[7, [3, 2500]] = np.inf, np.nan
    x[8, 1200:] += 300
    x[9] = 3e38
    x[10, :] = -np.inf
    x[10, 2999] = -1e30
    x[11, 2000:] = -np.inf
    return x


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax(rng, name, shape):
    x, gy = (3 * rng.standard_normal(shape).astype(np.float32) for _ in range(2))
    for axis in (-1, 0, 1):
        y = getattr(cpu(), name)(x, axis)
        wanted = getattr(kernels, name).reference(x.astype(np.float64), axis)
        assert y.dtype == np.float32 and y.flags.c_contiguous
        np.testing.assert_allclose(y, wanted, rtol=2e-6, atol=1e-6)
        gx = getattr(cpu(), name + "_grad")(gy, y, axis)
        exact = getattr(kernels, name + "_grad").reference(gy.astype(np.float64), wanted, axis)
        np.testing.assert_allclose(gx, exact, rtol=1e-5, atol=3e-6 * np.abs(exact).max())


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_infinity_and_nan(rng, name):
    x = odd_rows(rng)
    with np.errstate(all="ignore"):
        fast, slow = getattr(cpu(), name)(x, 1), getattr(kernels, name).reference(x, 1)
    np.testing.assert_allclose(fast, slow, rtol=3e-5, atol=1e-37)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("shape", [s for s in SHAPES if len(s) == 2], ids=str)
def test_cross_entropy(rng, shape, smoothing):
    x = (5 * rng.standard_normal(shape) + 30).astype(np.float32)
    t = rng.integers(0, shape[1], shape[0])
    t[0] = -1
    losses, log_z = cpu().cross_entropy(x, t, smoothing)
    wanted = kernels.cross_entropy.reference(x.astype(np.float64), t, smoothing)
    assert losses.dtype == log_z.dtype == np.float64 and losses[0] == 0
    np.testing.assert_allclose(losses, wanted[0], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(log_z, wanted[1], rtol=1e-7)
    gx = cpu().cross_entropy_grad(x, t.astype(np.int32), log_z, 0.5, smoothing)
    args = (x.astype(np.float64), t, wanted[1], 0.5, smoothing)
    np.testing.assert_allclose(gx, kernels.cross_entropy_grad.reference(*args), atol=1e-6)
    assert not gx[0].any()


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy_of_infinity_and_nan(rng, smoothing):
    x = odd_rows(rng)
    t = np.array([0, 1, 2, 3, 4, 2999, 6, 7, 8, 9, 2999, 2500])
    with np.errstate(all="ignore"):
        fast = cpu().cross_entropy(x, t, smoothing)
        slow = kernels.cross_entropy.reference(x, t, smoothing)
        for a, b in zip(fast, slow, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e32)  # what 3e38 leaves of digits
            np.testing.assert_allclose(a[:9], b[:9], rtol=1e-6)
        args = (x, t, slow[1], 0.5, smoothing)
        gx, wanted = cpu().cross_entropy_grad(*args), kernels.cross_entropy_grad.reference(*args)
    np.testing.assert_allclose(gx, wanted, rtol=3e-5, atol=1e-7)


@pytest.mark.parametrize("compiled", [True, False])
def test_tiny_probabilities_are_zeros(compiled):
    """Products of such numbers are denormal, and several times as slow."""
    x = np.zeros((2, 5000), np.float32)
    x[0, 7] = 80  # the others have exp(-80) = 2e-35
    x[1, 7] = 60  # 9e-27 is kept
    t = np.array([7, 7])
    with using_config("compiled", compiled):
        gx = kernels.cross_entropy_grad(x, t, kernels.cross_entropy(x, t, 0.0)[1], 1e-3, 0.0)
    assert not gx[0].any()
    assert (gx[1] != 0).sum() >= 4999


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_layouts_and_dtypes(rng, name):
    x = rng.standard_normal((40, 70)).astype(np.float32)
    function = getattr(cpu(), name)
    for view in (x.T, x[::2, ::3], np.broadcast_to(x[:1], x.shape)):
        np.testing.assert_array_equal(function(view, 1), function(view.copy(), 1))
    assert function(x.astype(np.float64), 1) is NotImplemented
    assert function(x.astype(np.float16), 1) is NotImplemented


@pytest.mark.parametrize("shape", [(1,), (1023,), (3, 1025), (40, 50)], ids=str)
def test_sigmoid_cross_entropy(rng, shape):
    x = (10 * rng.standard_normal(shape)).astype(np.float32)
    t = rng.random(shape).astype(np.float32)
    exact = [a.astype(np.float64) for a in (x, t)]
    got = cpu().sigmoid_cross_entropy(x, t)
    np.testing.assert_allclose(got, kernels.sigmoid_cross_entropy.reference(*exact), rtol=1e-6)
    gx = cpu().sigmoid_cross_entropy_grad(x, t, 0.5)
    wanted = kernels.sigmoid_cross_entropy_grad.reference(*exact, 0.5)
    np.testing.assert_allclose(gx, wanted, rtol=1e-5, atol=1e-6)


def test_sigmoid_cross_entropy_far_out():
    far = np.array([0, 1e4, -1e4, 100, -100, 88.8, -88.8, 1e-20], np.float32)
    for t in (0.0, 1.0):
        labels = np.full_like(far, t)
        for i in range(far.size):
            one = slice(i, i + 1)
            got = cpu().sigmoid_cross_entropy(far[one], labels[one])
            exact = kernels.sigmoid_cross_entropy.reference(far[one].astype(float), labels[one])
            np.testing.assert_allclose(got, exact, rtol=1e-6, atol=1e-38)
    bad = np.array([np.nan], np.float32)
    assert np.isnan(cpu().sigmoid_cross_entropy(bad, bad))


def test_results_do_not_depend_on_threads(rng, nothing_is_small):
    x, gy = (rng.standard_normal((300, 701)).astype(np.float32) for _ in range(2))
    t = rng.integers(0, 701, 300)

    def run():
        losses, log_z = cpu().cross_entropy(x, t, 0.1)
        y = cpu().softmax(x, 0)
        return (
            losses, cpu().cross_entropy_grad(x, t, log_z, 0.1, 0.1), y,
            cpu().softmax_grad(gy, y, 1), cpu().log_softmax(x, 1),
            cpu().sigmoid_cross_entropy(x, gy), cpu().sigmoid_cross_entropy_grad(x, gy, 1.0),
        )  # fmt: skip

    before = dezero.get_num_threads()
    results = []
    try:
        for count in (1, 2, 5):
            dezero.set_num_threads(count)
            results.append(run())
    finally:
        dezero.set_num_threads(before)
    for other in results[1:]:
        for a, b in zip(other, results[0], strict=True):
            np.testing.assert_array_equal(a, b)
