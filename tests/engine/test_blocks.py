"""Large arrays, block by block on all threads: the same numbers as all at once."""

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable, using_config
from dezero.core import blocks, threads

N = blocks.PARALLEL


def draw(*shape, dtype=np.float32, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


@pytest.fixture(autouse=True)
def two_threads(monkeypatch):
    monkeypatch.setattr(threads, "_count", 2)


CASES = {
    "flat": lambda: (draw(N + 3), draw(N + 3, seed=1)),
    "square": lambda: (draw(1024, N // 1024 + 1), draw(1024, N // 1024 + 1, seed=1)),
    "number": lambda: (draw(N + 3), 2.5),
    "number first": lambda: (2.5, draw(N + 3)),
    "0-d array": lambda: (draw(N + 3), np.array(2.5, np.float32)),
    "row": lambda: (draw(N // 64 + 1, 64), draw(64, seed=1)),
    "rows of a matrix": lambda: (draw(N // 256 + 1, 16, 16), draw(16, 16, seed=1)),
    "one constant": lambda: (np.broadcast_to(np.float32(3), (N + 3,)), draw(N + 3)),
    "two constants": lambda: (np.broadcast_to(np.float32(3), (N,)), 2.0),
    "column": lambda: (draw(N // 64 + 1, 64), draw(N // 64 + 1, 1, seed=1)),
    "transposed": lambda: (draw(600, 700).T, draw(700, 600, seed=1)),
    "long rows": lambda: (draw(2, N), draw(N, seed=1)),
    "mixed dtypes": lambda: (draw(N + 3), draw(N + 3, dtype=np.float64)),
    "integers": lambda: (np.arange(N + 3), np.arange(N + 3) % 7),
    "strided": lambda: (draw(2 * N)[::2], draw(N)),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    "function", [np.multiply, lambda a, b: a * (1 - b * b)], ids=["ufunc", "formula"]
)
def test_blocks_give_what_the_whole_gives(case, function):
    args = CASES[case]()
    want = function(*args)
    got = blocks.in_blocks(function, *args)
    assert got.dtype == want.dtype
    assert got.shape == want.shape
    np.testing.assert_array_equal(got, want)


def test_what_does_not_broadcast_raises_as_numpy_does():
    with pytest.raises(ValueError, match="broadcast"):
        blocks.in_blocks(np.multiply, draw(N + 1), draw(N))


def test_a_formula_that_hands_its_argument_on_copies_nothing():
    x = draw(N)
    assert blocks.in_blocks(lambda gy: gy, x) is x


def test_results_own_their_memory():
    y = blocks.in_blocks(np.multiply, draw(8, N // 8), draw(8, N // 8))
    assert y.base is None


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_total_does_not_depend_on_the_number_of_threads(dtype, monkeypatch):
    x = draw(N + 1234, dtype=dtype)
    two = blocks.total(x)
    monkeypatch.setattr(threads, "_count", 1)
    assert blocks.total(x) == two
    assert two.dtype == dtype
    np.testing.assert_allclose(two, x.astype(np.float64).sum(), rtol=1e-2, atol=1)


@pytest.mark.parametrize("compiled", [True, False])
def test_gradients_of_large_arrays(compiled):
    x, y = Variable(draw(8, N // 8)), Variable(draw(8, N // 8, seed=1))
    with using_config("compiled", compiled):
        F.sum(F.exp(F.tanh(x * y + x)) - F.relu(x) / 2 + F.sigmoid(y)).backward()
    a, b = (v.data.astype(np.float64) for v in (x, y))
    t = np.tanh(a * b + a)
    slope = np.exp(t) * (1 - t * t)
    s = 1 / (1 + np.exp(-b))
    np.testing.assert_allclose(x.grad.data, slope * (b + 1) - (a > 0) / 2, atol=2e-6, rtol=2e-5)
    np.testing.assert_allclose(y.grad.data, slope * a + s * (1 - s), atol=2e-6, rtol=2e-5)
    assert x.grad.dtype == np.float32


def test_gradients_that_add_up_in_place_leave_others_alone():
    x = Variable(draw(4, 5))
    a = x + 1
    y = F.sum(a) + F.sum(a * 2) + F.sum(a * 3) + F.sum(x)
    y.backward(retain_grad=True)
    np.testing.assert_allclose(a.grad.data, 6)
    np.testing.assert_allclose(x.grad.data, 7)
