"""A clock that only moves when it is told to, and functions that tell it."""

from __future__ import annotations

from typing import Any

import pytest

from dezero import Function
from dezero.profiling import record

MS = 1_000_000  # nanoseconds


class Clock:
    def __init__(self) -> None:
        self.now = 5 * MS

    def __call__(self) -> int:
        return self.now

    def run(self, milliseconds: int) -> None:
        self.now += milliseconds * MS


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the profile."""
    clock = Clock()
    monkeypatch.setattr(record, "clock", clock)
    return clock


@pytest.fixture
def slow(clock: Clock) -> Any:
    """The class of a function that takes 10 ms, its gradient 30 ms."""

    class Slow(Function):
        def forward(self, x: Any) -> Any:
            clock.run(10)
            return x * 2

        def backward(self, gy: Any) -> Any:
            clock.run(30)
            return gy

    return Slow
