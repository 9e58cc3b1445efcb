"""Products of matrices that are shared by rows or columns."""

import ctypes
import glob
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

pytest.importorskip("numba")

from dezero.core import threads
from dezero.kernels import products as reference
from dezero.kernels.cpu import products

served = pytest.mark.skipif(
    not products._function(), reason="NumPy has no OpenBLAS with cblas_sgemm_batch"
)
SHAPES = [  # by columns, by rows, and sizes that no unit divides
    (100, 784, 1000), (37, 1000, 555), (128, 300, 4001), (784, 100, 1000), (1000, 33, 999),
    (1001, 128, 200), (517, 16, 2050), (128, 1030, 130),
]  # fmt: skip


@pytest.fixture
def two_threads(monkeypatch):
    monkeypatch.setattr(threads, "_count", 2)


def matrices(rng, m, k, n, a_turned=False, b_turned=False):
    a = rng.standard_normal((k, m) if a_turned else (m, k)).astype("f")
    b = rng.standard_normal((n, k) if b_turned else (k, n)).astype("f")
    return a.T if a_turned else a, b.T if b_turned else b


def exact(a, b):
    return a.astype("d") @ b.astype("d")


def close(got, want, terms):
    assert got.dtype == np.float32
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=0, atol=2e-6 * terms**0.75)


@served
@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("turned", [(False, False), (False, True), (True, False), (True, True)])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_products_of_every_layout(rng, monkeypatch, shape, turned, count):
    monkeypatch.setattr(threads, "_count", count)
    a, b = matrices(rng, *shape, *turned)
    bias = rng.standard_normal(shape[2]).astype("f")
    y, z = products.product(a, b), products.affine(a, b, bias)
    if shape[0] < count * products.UNIT:
        assert y is z is NotImplemented
        return
    close(y, exact(a, b), shape[1])
    close(z, exact(a, b) + bias, shape[1])


@served
def test_who_serves(rng, two_threads, monkeypatch):
    def serves(m, k, n, function=products.product, change=lambda x: x):
        a, b = matrices(rng, m, k, n)
        rest = (np.zeros(n, "f"),) if function is products.affine else ()
        return function(a, change(b), *rest) is not NotImplemented

    assert serves(100, 784, 1000)
    assert serves(784, 100, 1000)
    assert not serves(1024, 1024, 256)  # NumPy is as fast
    assert serves(1024, 1024, 256, products.affine)
    assert not serves(100, 100, 100)
    assert not serves(16, 2000, 1000)
    assert not serves(100, 784, 1000, change=lambda b: b.astype("d"))
    assert not serves(100, 784, 2000, change=lambda b: b[:, ::2])
    for count in (1, products.MOST + 1):
        monkeypatch.setattr(threads, "_count", count)
        assert not serves(100, 784, 1000)


@pytest.mark.parametrize("count", range(2, products.MOST + 1))
def test_no_part_is_small_for_openblas(count):
    # of less than a million multiplications: OpenBLAS 0.3.31 ends the process there
    unit = products.UNIT
    for size in range(count * unit, 2000):
        units = -(-size // unit)
        ends = [min(units * (t + 1) // count * unit, size) for t in range(count)]
        least = min(stop - start for start, stop in zip([0, *ends], ends, strict=False))
        assert products.LEAST * least / size > 2_000_000


@served
def test_whatever_else_goes_to_numpy(rng, two_threads):
    a, b = matrices(rng, 100, 784, 1000)
    for bias in (np.float32(2) * np.ones(1, "f"), np.ones((1, 1000), "f"), np.ones(1000)):
        np.testing.assert_allclose(reference.affine(a, b, bias), a @ b + bias, 1e-4, 1e-3)
    np.testing.assert_array_equal(reference.product(a[None], b), a[None] @ b)
    with pytest.raises(ValueError, match="matmul"):
        reference.product(a, b.T)
    assert reference.product(a[:0], b).shape == (0, 1000)


@served
def test_arrays_that_may_not_be_written(rng, two_threads):
    a, b = matrices(rng, 100, 784, 1000, b_turned=True)
    want = products.product(a, b)
    for x in (a, b.base):
        x.flags.writeable = False
    np.testing.assert_array_equal(products.product(a, b), want)


@served
def test_nan_and_infinity_stay_in_their_places(rng, two_threads):
    a, b = matrices(rng, 100, 784, 1000)
    a[3, 5], b[7, 11] = np.nan, np.inf
    with np.errstate(invalid="ignore"):
        y, want = products.product(a, b), a @ b
    np.testing.assert_array_equal(np.isnan(y), np.isnan(want))
    np.testing.assert_array_equal(np.isinf(y), np.isinf(want))
    bias = np.zeros(1000, "f")
    bias[2] = np.nan
    y = products.affine(np.ones((100, 784), "f"), np.ones((784, 1000), "f"), bias)
    assert np.isnan(y[:, 2]).all()
    assert np.isnan(y).sum() == 100


@served
def test_the_same_bits_from_many_threads(rng, two_threads):
    pairs = [matrices(rng, *shape) for shape in SHAPES]
    want = [products.product(a, b) for a, b in pairs]

    def work(_):
        for _ in range(20):
            for (a, b), y in zip(pairs, want, strict=True):
                np.testing.assert_array_equal(products.product(a, b), y)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))


@served
def test_within_a_job_of_the_pool_numpy_serves(rng, two_threads):
    a, b = matrices(rng, 100, 784, 1000)
    results = [None, None]

    def work(t, n):
        results[t] = threads._local.inside, products.product(a, b) is NotImplemented

    threads.share(work)
    assert all(inside == numpys for inside, numpys in results)


@served
@pytest.mark.parametrize("turned", [(False, False), (True, True)])
def test_openblas_with_integers_of_32_bits(rng, two_threads, monkeypatch, turned):
    scipy = pytest.importorskip("scipy")
    path = glob.glob(os.path.join(os.path.dirname(scipy.__file__), "../scipy.libs/*openblas*"))
    function = getattr(ctypes.CDLL(path[0]), "scipy_cblas_sgemm_batch", None) if path else None
    if function is None:
        pytest.skip("this SciPy brings no such OpenBLAS")
    address = ctypes.cast(function, ctypes.c_void_p).value
    monkeypatch.setattr(products, "_function", lambda: address)
    for shape in SHAPES[:4]:
        a, b = matrices(rng, *shape, *turned)
        close(products.product(a, b), exact(a, b), shape[1])


@served
def test_on_openblas_own_threads():
    """Without our workers for OpenBLAS's jobs, in a process where nothing else has run."""
    program = (
        "import numpy as np, dezero; dezero.set_num_threads(2)\n"
        "from dezero.kernels.cpu import products\n"
        "a, b = np.ones((100, 784), 'f'), np.ones((784, 1000), 'f')\n"
        "assert all((products.product(a, b) == 784).all() for _ in range(50))\n"
        "dezero.set_num_threads(1)\n"
        "assert products.product(a, b) is NotImplemented\n"
    )
    env = os.environ | {"DEZERO_TUNE": "0"}
    subprocess.run([sys.executable, "-c", program], check=True, env=env, timeout=120)
