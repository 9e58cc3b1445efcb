"""Rows added at given places: compiled against NumPy."""

import numpy as np
import pytest

import dezero
import dezero.functions as F
from dezero import Variable
from dezero.kernels.indexing import add_rows
from dezero.kernels.table import has_numba

needs_numba = pytest.mark.skipif(not has_numba(), reason="Numba is not installed")


def expected(values, rows, shape):
    result = np.zeros(shape, np.float64)
    np.add.at(result, rows, values.astype(np.float64))
    return result


SHAPES = [(5,), (1, 1), (7, 3), (50, 16), (3, 100), (20, 2, 5), (1000, 257)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("count", [0, 1, 300])
def test_add_rows(rng, shape, count):
    values = rng.standard_normal((count, *shape[1:])).astype(np.float32)
    rows = rng.integers(-shape[0], shape[0], count)
    wanted = expected(values, rows, shape)
    got = add_rows.reference(values, rows, shape)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-4)


@needs_numba
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8])
def test_compiled(rng, shape, dtype):
    from dezero.kernels.cpu import indexing

    values = rng.standard_normal((300, *shape[1:])).astype(np.float32)
    low = 0 if dtype == np.uint8 else -shape[0]
    rows = rng.integers(low, min(shape[0], 256), 300).astype(dtype)
    wanted = expected(values, rows.astype(int), shape)
    for given in (values, np.repeat(values, 2, axis=0)[::2]):
        got = indexing.add_rows(given, rows, shape)
        assert got.dtype == np.float32 and got.shape == shape
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-4)


@needs_numba
def test_compiled_never_writes_outside():
    from dezero.kernels.cpu import indexing

    values = np.ones((2, 4), np.float32)
    for rows in ([0, 5], [-6, 0]):
        assert indexing.add_rows(values, np.array(rows), (5, 4)) is NotImplemented
    assert indexing.add_rows(values, np.array([0, 1, 2]), (5, 4)) is NotImplemented
    with pytest.raises(IndexError):
        add_rows(np.ones((2000, 4), np.float32), np.full(2000, 5), (5, 4))


@needs_numba
def test_nan_stays_in_its_row(rng):
    values = np.ones((2000, 8), np.float32)
    values[77] = np.nan, np.inf, *[1] * 6
    rows = rng.integers(0, 9, 2000)
    got = add_rows(values, rows, (9, 8))
    assert np.isnan(got[rows[77], 0]) and np.isposinf(got[rows[77], 1])
    assert np.isfinite(got).sum() == got.size - 2


@needs_numba
def test_results_do_not_depend_on_threads(rng, nothing_is_small):
    values = rng.standard_normal((3000, 100)).astype(np.float32)
    rows = rng.integers(0, 11, 3000)
    before = dezero.get_num_threads()
    try:
        results = []
        for count in (1, 2, 5):
            dezero.set_num_threads(count)
            results.append(add_rows(values, rows, (50, 100)))
    finally:
        dezero.set_num_threads(before)
    for other in results[1:]:
        np.testing.assert_array_equal(other, results[0])


def test_embedding_of_a_large_table(rng):
    """More rows than are set to 0 here: the system's fresh memory is."""
    W = Variable(np.zeros((1 << 15, 257), np.float32))
    ids = rng.integers(0, len(W), (20, 50))
    ids[0] = 7
    gy = rng.standard_normal((20, 50, 257)).astype(np.float32)
    for _ in range(2):  # also with memory that was used before
        W.cleargrad()
        F.sum(F.embed_id(ids, W) * gy).backward()
        np.testing.assert_allclose(W.grad.data, expected(gy, ids, W.shape), rtol=1e-4, atol=1e-4)


def test_second_derivative_of_a_large_gather(rng):
    W = Variable(rng.standard_normal((60, 100)).astype(np.float32))
    ids = rng.integers(0, 60, 500)
    F.sum(F.embed_id(ids, W) ** 3).backward(create_graph=True)
    g = W.grad
    W.cleargrad()
    F.sum(g * g).backward()
    counts = np.bincount(ids, minlength=60)[:, None]
    np.testing.assert_allclose(W.grad.data, 36 * counts**2 * W.data**3, rtol=1e-4)
