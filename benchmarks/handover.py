"""What it costs to hand a job to a second thread: ``python benchmarks/handover.py``.

A kernel of some 2 to 200 µs runs alone and on two threads in turns: right after other Python
code, after a pause in which nothing runs, and after a matrix product of NumPy's, which empties the
caches of what Python needs. Medians; half the time alone is what two threads could reach.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

import dezero
from dezero.kernels.cpu.jit import share_of
from dezero.kernels.cpu.shared import shared, spread

SIZES = (1 << 6, 1 << 12, 1 << 15, 1 << 17)
PRODUCT = np.ones((512, 512), np.float32)


@shared
def work(x: Any, out: Any, t: int, n: int) -> None:
    """Add up squares, one after the other: somewhat more than a nanosecond each."""
    start, stop = share_of(x.size, t, n)
    total = 0.0
    for value in x[start:stop]:
        total = total * 0.5 + value
    out[8 * t] = total


def wait(microseconds: float) -> None:
    """Keep the interpreter busy for so long."""
    end = time.perf_counter() + microseconds * 1e-6
    while time.perf_counter() < end:
        pass


BEFORE: dict[str, Callable[[], Any]] = {
    "50 µs of Python": lambda: wait(50),
    "a pause of 2 ms": lambda: time.sleep(2e-3),
    "a product": lambda: PRODUCT @ PRODUCT,
}


def measure(size: int, before: Callable[[], Any], rounds: int) -> tuple[float, float]:
    """Medians in microseconds of the kernel alone and on two threads."""
    x, out = np.ones(size), np.zeros(16)
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for kind in (0, 1):
            before()
            start = time.perf_counter()
            spread(work, x, out, threads=kind + 1)
            times[kind].append((time.perf_counter() - start) * 1e6)
    return statistics.median(times[0]), statistics.median(times[1])


def main(arguments: list[str] | None = None) -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, prog="benchmarks/handover.py")
    parser.add_argument("--rounds", type=int, default=400, help="default: %(default)s")
    rounds = parser.parse_args(arguments).rounds
    dezero.set_num_threads(2)
    for size in SIZES:
        measure(size, BEFORE["50 µs of Python"], 20)  # compiles, starts the thread
    print(f"{'µs, median':>12} {'after':<16} {'alone':>7} {'two threads':>12}")
    for size in SIZES:
        for name, before in BEFORE.items():
            alone, two = measure(size, before, rounds)
            print(f"{size:>12,} {name:<16} {alone:>7.0f} {two:>12.0f}")


if __name__ == "__main__":
    main()
