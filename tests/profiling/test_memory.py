"""Bytes moved, exactly; and the peak of memory against Python's own count."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dezero
import dezero.functions as F
import dezero.layers as L
from dezero import Function, Parameter, Variable

N = 1000
KB = 8 * N  # bytes of an array


def _row(p: dezero.profile, kind: str, name: str) -> Any:
    (found,) = [row for row in p.by(kind) if row.name == name]
    return found


def _x() -> Variable:
    return Variable(np.linspace(0.1, 1, N))


def test_bytes_moved_forward() -> None:
    with dezero.profile() as p, dezero.no_grad():
        F.sin(_x())
        _x() * _x()
        _x() + 1.0
        F.sum(_x())
    assert _row(p, "function", "Sin").moved == 2 * KB
    assert _row(p, "function", "Mul").moved == 3 * KB
    assert _row(p, "function", "Add").moved == 2 * KB
    assert _row(p, "function", "Sum").moved == KB + 8


def test_bytes_moved_backward() -> None:
    x = _x()
    y, z = F.sin(x), x * x
    with dezero.profile() as p:
        y.backward()
        z.backward()
    assert _row(p, "function", "Sin").moved == 3 * KB, "gy and x, and gx"
    assert _row(p, "function", "Mul").moved == 4 * KB, "gy and x, once, and two gradients"


def test_bytes_of_a_matrix_product() -> None:
    layer = L.Linear(5, in_size=3, dtype=np.float32)
    x = Variable(np.ones((7, 3), np.float32))
    with dezero.profile() as p:
        layer(x).backward()
    xs, W, b, y = 7 * 3, 3 * 5, 5, 7 * 5
    forward, backward = xs + W + b + y, y + xs + W + (xs + W + b)
    assert _row(p, "function", "Linear").moved == 4 * (forward + backward)
    assert _row(p, "layer", "Linear").moved == 4 * (forward + backward)


def test_bytes_of_a_function_in_the_books_form() -> None:
    class Square(Function):
        def forward(self, x: Any) -> Any:
            return x**2

        def backward(self, gy: Any) -> Any:
            return gy

    x = _x()
    with dezero.profile() as p:
        Square()(x).backward()
    assert _row(p, "function", "Square").moved == (2 + 4) * KB, "gy, x and y kept, gx"


def test_views_are_counted_once_and_freed_arrays_no_more() -> None:
    x = _x()
    with dezero.profile() as p, dezero.no_grad():
        for _ in range(5):
            y = F.sin(x)
            z = y.reshape(10, 100)[2:]
            del y, z
        x.reshape(10, 100)
        Variable(np.ones(N)).T
    assert p.peak.bytes == KB
    assert [size for _, size, _ in p._record.memory] == [KB, -KB] * 5


def test_the_peak_knows_its_place_and_what_was_alive() -> None:
    class Wide(L.Layer):
        def forward(self, x: Any) -> Any:
            return F.sum(F.concatenate((x, x, x)))

    x = _x()
    with dezero.profile() as p, dezero.no_grad():
        y = F.exp(x)
        Wide()(y)
        F.cos(x)
    assert p.peak.bytes == 4 * KB
    assert p.peak.layer == "Wide"
    assert p.peak.phase == "forward"
    assert p.peak.place is not None and "F.concatenate" in p.peak.place.code
    rows = {row.name: row.memory for row in p.by("function")}
    assert (rows["Exp"], rows["Cos"]) == (KB, 0)
    assert sum(rows.values()) == p.peak.bytes
    assert _row(p, "layer", "Wide").memory == p.peak.bytes - KB
    assert sum(row.memory for row in p.by("line")) == p.peak.bytes


def test_what_a_function_keeps_for_its_gradient_is_counted() -> None:
    class Keeps(Function):
        def __init__(self) -> None:
            self.given = np.ones(N)

        def forward(self, x: Any) -> Any:
            self.mask = x > 0.5
            return x * self.mask

    x = _x()
    with dezero.profile() as p:
        y = Keeps()(x)
    assert p.peak.bytes == KB + N
    del y


def test_gradients_are_counted() -> None:
    x = _x()
    y = F.sin(F.exp(x))
    with dezero.profile() as p:
        y.backward()
    assert p.peak.bytes == 3 * KB, "the seed, and the gradients of sin and of exp"
    assert p.peak.phase == "backward"
    assert p.peak.function == "Exp"


def test_an_array_that_lives_on_is_not_held() -> None:
    with dezero.profile() as p:
        y = F.sin(_x())
    memory = list(p._record.memory)
    del y
    assert p._record.memory == memory, "nothing is noted once the profile is over"
    assert not p._record._alive and not p._record._made


def _network() -> Callable[[], None]:
    """Return a step whose memory is that of the results of its functions alone."""
    rng = np.random.default_rng(0)
    W1, W2 = (Parameter(rng.standard_normal((300, 300))) for _ in range(2))
    x = rng.standard_normal((400, 300))

    def step() -> None:
        y = F.matmul(F.tanh(F.matmul(x, W1)), W2)
        F.sum(y * y).backward()
        W1.cleargrad()
        W2.cleargrad()

    return step


def _traced(step: Callable[[], None]) -> int:
    """Return the most bytes that Python allocated in a step, beyond what was there before."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        step()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


@pytest.mark.usefixtures("no_gc")
def test_the_peak_is_that_of_tracemalloc() -> None:
    step = _network()
    found: list[dezero.profile] = []

    def profiled() -> None:
        with dezero.profile() as p:
            step()
        found.append(p)

    profiled()
    peak = found[0].peak.bytes
    assert peak == pytest.approx(_traced(profiled), rel=0.01)
    alone, results = _traced(step), 400 * 300 * 8
    assert 0.99 * alone <= peak <= alone + results, "gradients are held a little longer"


@pytest.mark.usefixtures("no_gc")
def test_the_peak_of_a_forward_pass_is_that_of_tracemalloc() -> None:
    x = np.ones((400, 300))

    def step() -> None:
        with dezero.no_grad():
            F.sum(F.tanh(F.exp(x) * 2.0) + F.sin(x))

    step()
    with dezero.profile() as p:
        step()
    assert p.peak.bytes == pytest.approx(_traced(step), rel=0.01)
