"""Compiled normalisations against their NumPy references."""

import numpy as np
import pytest

import dezero
from dezero.kernels import normalization as reference
from dezero.kernels import reductions
from dezero.kernels.table import has_numba

pytestmark = pytest.mark.skipif(not has_numba(), reason="Numba is not installed")

ROWS = [(5, 7), (1, 1), (3, 33), (2, 3, 130), (4, 1025), (9, 2500), (64,)]
IMAGES = [
    (3, 5, 4, 3),  # columns
    (2, 3, 31),
    (6, 1),
    (7, 1100),
    (200, 3),
    (2, 130, 3, 3),
    (2, 3, 8, 9),  # planes
    (3, 2, 40, 41),
    (1, 4, 100),
]

GROUPS = [((2, 6, 4, 5), 3), ((3, 4, 17), 1), ((1, 5, 99), 5)]


def modules():
    from dezero.kernels.cpu import batch_norm, normalization

    return batch_norm, normalization


def compiled(name):
    return next(getattr(m, name) for m in modules() if hasattr(m, name))


def wide(args):
    return [a.astype(np.float64) if isinstance(a, np.ndarray) else a for a in args]


def check(name, *args, atol=3e-6):
    """Compare with the reference in float64; return the compiled result."""
    got = compiled(name)(*args)
    wanted = getattr(reference, name).reference(*wide(args))
    assert got is not NotImplemented
    for i, (a, b) in enumerate(zip(got, wanted, strict=True)):
        assert a.dtype == np.float32, f"{name}: result {i}"
        scale = np.abs(b).max(initial=1e-3)
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=atol * scale, err_msg=f"{name} {i}")
    return got


def drawn(rng, shape, channels):
    x, gy = (rng.standard_normal(shape).astype(np.float32) for _ in range(2))
    gamma, beta = (rng.standard_normal(channels).astype(np.float32) for _ in range(2))
    return x * 2 + 1, gy, gamma, beta


@pytest.mark.parametrize("shape", ROWS, ids=str)
def test_layer_norm(rng, shape):
    x, gy, gamma, beta = drawn(rng, shape, shape[-1])
    eps = 0.1 if shape[-1] == 1 else 1e-5
    _, mean, inv_std = check("layer_norm", x, gamma, beta, eps)
    assert mean.shape == (*shape[:-1], 1)
    check("layer_norm_grad", gy, x, gamma, mean, inv_std)


@pytest.mark.parametrize("shape", ROWS, ids=str)
def test_rms_norm(rng, shape):
    x, gy, gamma, _ = drawn(rng, shape, shape[-1])
    eps = 0.1 if shape[-1] == 1 else 1e-6
    _, inv_rms = check("rms_norm", x, gamma, eps)
    check("rms_norm_grad", gy, x, gamma, inv_rms)


@pytest.mark.parametrize("shape", IMAGES, ids=str)
def test_batch_norm(rng, shape):
    x, gy, gamma, beta = drawn(rng, shape, shape[1])
    _, mean, var = check("batch_norm", x, gamma, beta, 1e-3, None, None)
    inv_std = 1 / np.sqrt(var + np.float32(1e-3))
    check("batch_norm_grad", gy, x, gamma, mean, inv_std, False)
    check("batch_norm_grad", gy, x, gamma, mean, inv_std, True)
    given = rng.uniform(0.5, 2, (2, shape[1])).astype(np.float32)
    check("batch_norm", x, gamma, beta, 1e-5, *given)


@pytest.mark.parametrize(("shape", "groups"), GROUPS)
def test_group_norm(rng, shape, groups):
    x, gy, gamma, beta = drawn(rng, shape, shape[1])
    _, mean, inv_std = check("group_norm", x, gamma, beta, groups, 1e-5)
    check("group_norm_grad", gy, x, gamma, mean, inv_std)


@pytest.mark.parametrize("shape", [(50, 400), (8, 6, 3, 5), (8, 6, 20, 20)], ids=str)
def test_a_large_mean_does_not_lose_the_variance(rng, shape):
    x = (rng.standard_normal(shape) + 1e4).astype(np.float32)
    exact = x.astype(np.float64)
    ones, zeros = np.ones(shape[1], np.float32), np.zeros(shape[1], np.float32)
    batch_norm, rows = modules()
    axes, _ = reference.batch_axes(x)
    _, mean, var = batch_norm.batch_norm(x, ones, zeros, 0.0, None, None)
    np.testing.assert_allclose(mean, exact.mean(axis=axes), rtol=1e-7)
    np.testing.assert_allclose(var, exact.var(axis=axes), rtol=1e-5)
    if x.ndim == 2:
        _, mean, inv_std = rows.layer_norm(x, ones, zeros, 0.0)
        np.testing.assert_allclose(mean[:, 0], exact.mean(axis=1), rtol=1e-7)
        np.testing.assert_allclose(inv_std[:, 0], 1 / exact.std(axis=1), rtol=1e-5)
    else:
        _, _, inv_std = rows.group_norm(x, ones, zeros, 2, 0.0) if shape[2] > 3 else (0, 0, None)
        if inv_std is not None:
            wanted = 1 / exact.reshape(8, 2, -1).std(axis=2)
            np.testing.assert_allclose(inv_std[:, :, 0], wanted, rtol=1e-5)


def test_a_batch_whose_first_image_is_far_off(rng):
    x = rng.standard_normal((16, 3, 10, 10)).astype(np.float32)
    x[0] += 1000
    ones, zeros = np.ones(3, np.float32), np.zeros(3, np.float32)
    _, mean, var = modules()[0].batch_norm(x, ones, zeros, 1e-5, None, None)
    exact = x.astype(np.float64)
    np.testing.assert_allclose(mean, exact.mean(axis=(0, 2, 3)), rtol=1e-6)
    np.testing.assert_allclose(var, exact.var(axis=(0, 2, 3)), rtol=1e-5)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("shape", [(4, 50), (3, 4, 2, 2), (3, 4, 9, 9)], ids=str)
def test_nan_and_infinity_go_where_they_do_in_the_reference(rng, bad, shape):
    x, gy, gamma, beta = drawn(rng, shape, shape[1])
    x[1, 2] = bad
    batch_norm, rows = modules()
    with np.errstate(all="ignore"):
        results = [
            (m, r)
            for m, r in (
                (
                    batch_norm.batch_norm(x, gamma, beta, 1e-5, None, None),
                    reference.batch_norm.reference(x, gamma, beta, 1e-5, None, None),
                ),
                (
                    batch_norm.batch_norm_grad(gy, x, gamma, beta, gamma, True),
                    reference.batch_norm_grad.reference(gy, x, gamma, beta, gamma, True),
                ),
            )
        ]
        if x.ndim == 2:
            fast = rows.layer_norm(x, gamma, beta, 1e-5)
            results.append((fast, reference.layer_norm.reference(x, gamma, beta, 1e-5)))
            fast = rows.rms_norm(x, gamma, 1e-5)
            results.append((fast, reference.rms_norm.reference(x, gamma, 1e-5)))
    for fast, slow in results:
        np.testing.assert_array_equal(np.isnan(fast[0]), np.isnan(slow[0]))
        for a, b in zip(fast, slow, strict=True):
            there = np.isfinite(b)
            np.testing.assert_array_equal(np.isfinite(a), there)
            np.testing.assert_allclose(a[there], b[there], rtol=1e-4, atol=1e-5)


def test_layouts(rng):
    x, _, gamma, beta = drawn(rng, (6, 5, 8, 9), 5)
    turned = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    assert not turned.flags.c_contiguous
    for name, args in (
        ("batch_norm", (gamma, beta, 1e-5, None, None)),
        ("group_norm", (gamma, beta, 5, 1e-5)),
        ("layer_norm", (*(np.ones((2, 9), np.float32)), 1e-5)),
    ):
        for a, b in zip(compiled(name)(turned, *args), compiled(name)(x, *args), strict=True):
            np.testing.assert_array_equal(a, b)
    spread = np.broadcast_to(np.float32(2), x.shape)
    check("batch_norm_grad", spread, turned, gamma, beta, gamma, False)


def test_what_is_left_to_the_reference(rng):
    x, _, gamma, beta = drawn(rng, (6, 4), 4)
    batch_norm, rows = modules()
    assert rows.layer_norm(x.astype(np.float64), gamma, beta, 1e-5) is NotImplemented
    assert rows.layer_norm(x, gamma.astype(np.float64), beta, 1e-5) is NotImplemented
    assert rows.group_norm(x, gamma, beta, 2, 1e-5) is NotImplemented
    assert batch_norm.batch_norm(x.astype(np.float16), gamma, beta, 1e-5, None, None) is (
        NotImplemented
    )


@pytest.fixture
def threads():
    before = dezero.get_num_threads()
    yield dezero.set_num_threads
    dezero.set_num_threads(before)


@pytest.mark.parametrize("shape", [(300, 257), (30, 70, 5, 7), (30, 7, 20, 21)], ids=str)
def test_results_do_not_depend_on_threads(rng, threads, shape, nothing_is_small):
    x, gy, gamma, beta = drawn(rng, shape, shape[1])
    last, ones = np.ones(shape[-1], np.float32), np.ones((*shape[:-1], 1), np.float32)
    groups = (np.ones((shape[0], 1, 1), np.float32),) * 2
    batch_norm, rows = modules()

    def run():
        results = [
            *batch_norm.batch_norm(x, gamma, beta, 1e-5, None, None),
            *batch_norm.batch_norm_grad(gy, x, gamma, beta, beta, False),
            *rows.layer_norm(x, last, last, 1e-5),
            *rows.layer_norm_grad(gy, x, last, ones, ones),
            reductions.sum_rows(x),
        ]
        if x.ndim > 2:
            results += rows.group_norm(x, gamma, beta, 1, 1e-5)
            results += rows.group_norm_grad(gy, x, gamma, *groups)
        return results

    threads(1)
    alone = run()
    for count in (2, 3, 5):
        threads(count)
        for a, b in zip(run(), alone, strict=True):
            np.testing.assert_array_equal(a, b)


SUMS = [(1, 1), (3, 5), (100, 10), (7, 300), (1000, 17), (64, 1000), (5, 6, 7), (900, 257)]


@pytest.mark.parametrize("shape", SUMS, ids=str)
def test_sum_rows(rng, shape):
    from dezero.kernels.cpu.reductions import sum_rows

    x = rng.standard_normal(shape).astype(np.float32) + 3
    got = sum_rows(x)
    assert got.dtype == np.float32 and got.shape == shape[-1:]
    wanted = x.sum(axis=tuple(range(x.ndim - 1)), dtype=np.float64)
    np.testing.assert_allclose(got, wanted, rtol=1e-6)
    np.testing.assert_allclose(sum_rows(x[..., ::-1]), wanted[::-1], rtol=1e-6)


def test_sum_rows_of_many_rows_keeps_digits():
    from dezero.kernels.cpu.reductions import sum_rows

    x = np.full((300_000, 3), 1.1, np.float32)
    np.testing.assert_allclose(sum_rows(x), x.sum(axis=0, dtype=np.float64), rtol=1e-6)


def test_sum_rows_leaves_the_rest_to_the_reference():
    x = np.arange(1 << 15).reshape(-1, 4)
    np.testing.assert_array_equal(reductions.sum_rows(x), x.sum(axis=0))
    np.testing.assert_array_equal(reductions.sum_rows(np.ones((0, 3), np.float32)), np.zeros(3))
    nan = np.zeros((1 << 12, 8), np.float32)
    nan[77, 3] = np.nan
    np.testing.assert_array_equal(np.isnan(reductions.sum_rows(nan)), np.arange(8) == 3)
