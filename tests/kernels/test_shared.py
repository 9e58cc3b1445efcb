"""Kernels that share themselves among threads."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

pytest.importorskip("numba")

from dezero.core import threads
from dezero.core.threads import share
from dezero.kernels.cpu.jit import claim, share_of
from dezero.kernels.cpu.shared import launch, shared, spread


@shared
def mark(out, scale, flags, pair, t, n):
    """Write into the place of each thread: arguments of several kinds arrive as they are."""
    if flags[0] and pair[0] == 3:
        out[t] += scale * n + pair[1].size


@shared
def squares(x, y, t, n):
    start, stop = share_of(x.size, t, n)
    for i in range(start, stop):
        y[i] = x[i] * x[i]


def times(factor):
    @shared
    def kernel(out, t, n):
        out[t] += factor

    return kernel


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_every_part_is_done_once(count):
    for _ in range(200):
        out = np.zeros(8)
        spread(mark, out, 10.0, (True, False), (3, np.zeros(2)), threads=count)
        assert out[:count].tolist() == [10.0 * count + 2] * count
        assert not out[count:].any()


def test_small_work_stays_on_one_thread(monkeypatch):
    monkeypatch.setattr(threads, "_count", 2)
    for work, want in ((1 << 10, [1.0, 0.0]), (1 << 30, [2.0, 2.0])):
        out = np.zeros(2)
        launch(mark, out, 1.0, (True, True), (3, np.zeros(0)), work=work)
        assert out.tolist() == want


def test_kernels_made_by_one_function_are_different_ones():
    one, two = times(1.0), times(2.0)
    out = np.zeros(4)
    spread(one, out, threads=4)
    spread(two, out, threads=4)
    assert out.tolist() == [3.0] * 4


def test_it_has_the_name_and_place_of_the_kernel():
    assert squares.__name__ == "squares"
    assert squares.py_func.__code__.co_filename == __file__
    assert squares.__module__ == __name__
    assert "place of each thread" in mark.__doc__


def test_within_a_job_of_the_pool_and_from_several_threads(monkeypatch):
    monkeypatch.setattr(threads, "_count", 3)
    x = np.arange(100_000.0)

    def compute(*_):
        for _ in range(50):
            y = np.zeros_like(x)
            spread(squares, x, y, threads=3)
            np.testing.assert_array_equal(y, x * x)

    share(compute)
    with ThreadPoolExecutor(4) as users:
        list(users.map(compute, range(4)))


@shared
def meet(counter, met, t, n):
    """Count on until another thread has counted too."""
    for k in range(1 << 20):
        if claim(counter) != k:
            met[t] = True
            break


def test_workers_take_part():
    for _ in range(100):
        counter, met = np.zeros(1, np.int64), np.zeros(2, bool)
        spread(meet, counter, met, threads=2)
        if met.all():  # one after the other, the first would meet nobody
            return
    raise AssertionError("no worker came")
