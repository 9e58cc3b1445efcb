"""LSTM and GRU over time: the compiled versions against the reference."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import dezero
from dezero.core import threads
from dezero.kernels import recurrent as kernels
from dezero.kernels.table import has_numba

pytestmark = pytest.mark.skipif(not has_numba(), reason="Numba is not installed")

CELLS = {"lstm": (kernels.lstm, 4, 2, 1), "gru": (kernels.gru, 3, 1, 2)}
SHAPES = [(1, 30, 1, 100), (4, 5, 3, 17), (3, 1, 40, 8), (2, 2, 2, 33), (5, 7, 1, 64)]


@pytest.fixture
def two_threads(monkeypatch):
    monkeypatch.setattr(threads, "_count", 2)


def problem(rng, name, shape, state=True, dtype=np.float32):
    """Return the arguments of a kernel, and gradients of its results."""
    _, gates, states, biases = CELLS[name]
    T, N, C, H = shape

    def draw(*shape):
        return rng.normal(size=shape).astype(dtype)

    W = draw(C + biases + H, gates * H) / dtype(np.sqrt(H))
    start = [draw(N, H) if state else None for _ in range(states)]
    return [W, draw(T, N, C), *start], [draw(T, N, H), *(draw(N, H) for _ in range(states))]


def run(name, args, grads, reverse=False, kernel=None):
    """Return all results of a kernel, and all gradients."""
    *results, pull = (kernel or CELLS[name][0])(*args, {}, reverse, True)
    return [*results, *pull(*grads, (True,) * (len(args) - 1))]


def reference(name, args, grads, reverse=False):
    """Return what the reference gives in float64."""
    wide = [[None if a is None else a.astype(np.float64) for a in some] for some in (args, grads)]
    return run(name, *wide, reverse, CELLS[name][0].reference)


def close(got, wanted):
    assert len(got) == len(wanted)
    for a, b in zip(got, wanted, strict=True):
        assert a.dtype == np.float32
        assert a.shape == b.shape
        assert np.abs(a - b).max() <= 2e-6 * max(1, np.abs(b).max())


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("state", [False, True])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", CELLS)
def test_results_and_gradients_are_those_of_the_reference(rng, name, shape, state, reverse):
    args, grads = problem(rng, name, shape, state)
    close(run(name, args, grads, reverse), reference(name, args, grads, reverse))


@pytest.mark.parametrize("shape", [(6, 67, 9, 160), (2, 15, 3, 17), (1, 3, 2, 40)], ids=str)
@pytest.mark.parametrize("name", CELLS)
def test_two_threads_give_the_same(rng, name, shape, two_threads, nothing_is_small):
    args, grads = problem(rng, name, shape)
    got = run(name, args, grads)
    close(got, reference(name, args, grads))
    again = run(name, args, grads)
    assert all(np.array_equal(a, b) for a, b in zip(got, again, strict=True))


@pytest.mark.parametrize(
    ("name", "given"), [("lstm", 0), ("lstm", 1), ("lstm", 2), ("gru", 0), ("gru", 1)]
)
def test_gradients_of_single_results(rng, name, given):
    args, grads = problem(rng, name, (3, 4, 2, 24))
    grads = [g if i == given else None for i, g in enumerate(grads)]
    close(run(name, args, grads), reference(name, args, grads))


@pytest.mark.parametrize("name", CELLS)
def test_without_keeping_the_results_are_the_same(rng, name):
    args, _ = problem(rng, name, (6, 5, 3, 40))
    for reverse in (False, True):
        kept = CELLS[name][0](*args, {}, reverse, True)
        light = CELLS[name][0](*args, {}, reverse, False)
        states = len(args) - 2
        for a, b in zip(kept[:states], light[:states], strict=True):
            assert np.array_equal(a, b)


@pytest.mark.parametrize("name", CELLS)
def test_panels_are_made_once(rng, name):
    args, grads = problem(rng, name, (2, 4, 3, 40))
    panels = {}
    first = CELLS[name][0](*args, panels, False, True)
    first[-1](*grads, (True,) * (len(args) - 1))
    made = dict(panels)
    assert len(made) == 2
    CELLS[name][0](*args, panels, False, True)[-1](*grads, (True,) * (len(args) - 1))
    assert all(panels[key] is made[key] for key in made)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_stay_within_their_row(rng, name, value):
    args, grads = problem(rng, name, (3, 8, 4, 36))
    args[1][1, 2, 0] = value
    got = run(name, args, grads)
    with np.errstate(all="ignore"):
        wanted = run(name, args, grads, kernel=CELLS[name][0].reference)
    for a, b in zip(got, wanted, strict=True):
        assert np.array_equal(np.isnan(a), np.isnan(b))
        finite = np.isfinite(b)
        assert np.allclose(a[finite], b[finite], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", CELLS)
def test_arrays_in_another_order(rng, name):
    args, grads = problem(rng, name, (3, 8, 4, 36))
    wanted = run(name, args, grads)
    turned = [a.T.copy().T for a in args], [g[..., ::-1].copy()[..., ::-1] for g in grads]
    for a, b in zip(run(name, *turned), wanted, strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("name", CELLS)
def test_large_gates_do_not_overflow(rng, name):
    args, grads = problem(rng, name, (4, 8, 4, 36))
    args[1] *= 1e4
    got = run(name, args, grads)
    assert all(np.isfinite(a).all() for a in got[:1])
    with np.errstate(over="ignore"):
        wanted = reference(name, args, grads)
    assert np.abs(got[0] - wanted[0]).max() < 1e-3  # sums of 1e4, rounded


@pytest.mark.parametrize("name", CELLS)
def test_float64_and_mixtures_run_as_the_reference(rng, name):
    args, grads = problem(rng, name, (2, 3, 4, 20), dtype=np.float64)
    for a, b in zip(run(name, args, grads), reference(name, args, grads), strict=True):
        assert a.dtype == np.float64
        assert np.array_equal(a, b)
    args[0] = args[0].astype(np.float32)
    assert run(name, args, grads)[0].dtype == np.float64


@pytest.mark.parametrize("name", CELLS)
def test_several_python_threads_at_once(rng, name):
    args, grads = problem(rng, name, (4, 20, 8, 64))
    wanted = run(name, args, grads)
    panels: dict = {}
    failures = []

    def work():
        for _ in range(10):
            *results, pull = CELLS[name][0](*args, panels, False, True)
            got = [*results, *pull(*grads, (True,) * (len(args) - 1))]
            if not all(np.array_equal(a, b) for a, b in zip(got, wanted, strict=True)):
                failures.append(1)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not failures


@pytest.mark.parametrize("name", CELLS)
def test_going_back_after_the_switch_was_turned(rng, name):
    args, grads = problem(rng, name, (3, 4, 2, 24))
    for before, after in [(True, False), (False, True)]:
        with dezero.using_config("compiled", before):
            *results, pull = CELLS[name][0](*args, {}, False, True)
        with dezero.using_config("compiled", after):
            got = [*results, *pull(*grads, (True,) * (len(args) - 1))]
        close(got, reference(name, args, grads))


@pytest.mark.parametrize("name", CELLS)
def test_the_compiled_version_is_what_ran(rng, name, monkeypatch):
    from dezero.kernels.cpu import recurrent as cpu

    args, _ = problem(rng, name, (2, 3, 4, 20))
    calls = []
    monkeypatch.setattr(cpu, name, lambda *args: calls.append(1) or NotImplemented)
    CELLS[name][0](*args, {}, False, True)
    assert calls
