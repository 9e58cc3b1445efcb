"""The compiled dropout against its NumPy reference, and the masks."""

import numpy as np
import pytest

import dezero
import dezero.functions as F
from dezero import Variable, using_config
from dezero.functions.dropout import keep_mask
from dezero.kernels.dropout import dropped
from dezero.kernels.table import has_numba


@pytest.fixture(autouse=True)
def same_generator_after():
    state = dezero.random.get_state()
    yield
    dezero.random.set_state(state)


@pytest.mark.skipif(not has_numba(), reason="Numba is not installed")
@pytest.mark.parametrize("shape", [(1,), (100, 333), (7, 5, 3), (2, 40_001)], ids=str)
def test_dropped(rng, shape):
    from dezero.kernels.cpu.dropout import dropped as compiled

    x = rng.standard_normal(shape).astype(np.float32)
    x.reshape(-1)[:: max(1, x.size // 3)] = (
        np.nan,
        *[np.inf] * (min(x.size, 3) - 1),
        *([-np.inf] if x.size // max(1, x.size // 3) >= 3 and x.size % 3 else []),
    )
    mask = rng.random(shape) < 0.7
    with np.errstate(invalid="ignore"):
        wanted = dropped.reference(x, mask, 2.5)
    np.testing.assert_array_equal(compiled(x, mask, 2.5), wanted)
    np.testing.assert_array_equal(compiled(x.T, mask.T, 2.5), wanted.T)
    assert compiled(x.astype(np.float64), mask, 2.5) is NotImplemented
    assert compiled(x, mask.astype(np.float32), 2.5) is NotImplemented


@pytest.mark.parametrize("ratio", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("seeded", [True, False])
def test_share_that_is_kept(ratio, seeded):
    if seeded:
        dezero.seed(3)
    kept = keep_mask(np.empty((400, 501)), ratio)
    assert kept.dtype == bool and kept.shape == (400, 501)
    assert abs(kept.mean() - (1 - ratio)) < 5 * np.sqrt(ratio * (1 - ratio) / kept.size)
    # neighbours are independent: four of them come from one draw of the generator
    for lag in (1, 2, 4, 501):
        both = (kept.reshape(-1)[lag:] & kept.reshape(-1)[:-lag]).mean()
        assert abs(both - (1 - ratio) ** 2) < 6e-3


def test_limits_of_the_share():
    dezero.seed(0)
    x = np.empty(70_000)
    assert not keep_mask(x, 1.0).any()
    assert not keep_mask(x, 1 - 1e-9).any()
    assert keep_mask(x, 1e-9).all()
    assert keep_mask(np.empty((0, 3)), 0.5).shape == (0, 3)
    assert keep_mask(np.empty(()), 0.5).shape == ()


def test_same_seed_same_mask_compiled_or_not(rng):
    x = Variable(rng.standard_normal((200, 301)).astype(np.float32))
    results = []
    for compiled in (True, False, True):
        dezero.seed(11)
        with using_config("compiled", compiled):
            y = F.dropout(x, 0.3)
            F.sum(y * y).backward()
        results.append((y.data, x.grad.data))
        x.cleargrad()
    for y, gx in results:
        assert y.dtype == gx.dtype == np.float32
        np.testing.assert_array_equal(y, results[0][0])
        np.testing.assert_allclose(gx, results[0][1], rtol=1e-6)
    kept = y != 0
    np.testing.assert_allclose(y[kept], x.data[kept] / np.float32(0.7), rtol=1e-6)


def test_the_numbers_of_the_book():
    np.random.seed(0)
    dezero.random._generator = None
    kept = keep_mask(np.empty((3, 4)), 0.5)
    np.random.seed(0)
    np.testing.assert_array_equal(kept, np.random.rand(3, 4) > 0.5)
