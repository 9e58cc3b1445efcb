"""What ``dezero.profile`` costs: on the step of an MLP, and for each call of a small function.

Rounds with and without the profile take turns, in pairs, so that whatever else the machine does
meets both; the figure is the median of the pairs' ratios.

    python benchmarks/profile_overhead.py [--rounds 41] [--threads 1] [--cpu] [--check]
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable
from contextlib import nullcontext
from time import perf_counter, process_time

import numpy as np

import dezero
import dezero.functions as F
from dezero import optimizers

BAR = 0.10  # of the MLP's step
Clock = Callable[[], float]


def mlp_step(small: bool = False) -> Callable[[], None]:
    """One step of SGD: 784-1000-1000-10 on a batch of 100."""
    *hidden, outputs = (16, 16, 4) if small else (1000, 1000, 10)
    rng = np.random.default_rng(0)
    model = dezero.models.MLP((*hidden, outputs), activation=F.relu)
    optimizer = optimizers.SGD(0.1).setup(model)
    x = rng.standard_normal((100, 784), np.float32)
    t = rng.integers(0, outputs, 100)

    def step() -> None:
        loss = F.softmax_cross_entropy(model(x), t)
        model.cleargrads()
        loss.backward()
        optimizer.update()

    return step


def chain(length: int = 200) -> Callable[[], None]:
    """Return functions of one number, forward and backward, so that nothing but Python counts."""
    x = dezero.Variable(np.array(0.5))

    def step() -> None:
        y = x
        for _ in range(length):
            y = F.sin(y)
        x.cleargrad()
        y.backward()

    return step


def seconds(step: Callable[[], None], repeat: int, profiled: bool, clock: Clock) -> float:
    """Return the time of one step; setting the profile up and down is not in it."""
    with dezero.profile() if profiled else nullcontext():
        begin = clock()
        for _ in range(repeat):
            step()
        return (clock() - begin) / repeat


def compare(
    step: Callable[[], None], rounds: int, repeat: int, clock: Clock
) -> tuple[float, float, float]:
    """Return the medians of the time without, of the extra time, and of their ratio."""
    step()
    seconds(step, repeat, True, clock)
    pairs = []
    for i in range(rounds):
        order = (False, True) if i % 2 else (True, False)
        found = {profiled: seconds(step, repeat, profiled, clock) for profiled in order}
        pairs.append((found[False], found[True]))
    return (
        statistics.median(off for off, _ in pairs),
        statistics.median(on - off for off, on in pairs),
        statistics.median(on / off - 1 for off, on in pairs),
    )


def main(arguments: list[str] | None = None) -> int:
    """Print both figures; with ``--check`` 1 where the MLP's is above the bar."""
    parser = argparse.ArgumentParser(description=__doc__, prog="benchmarks/profile_overhead.py")
    parser.add_argument("--rounds", type=int, default=41)
    parser.add_argument("--threads", type=int, help="of kernels and matrix products")
    parser.add_argument("--cpu", action="store_true", help="CPU time, for a busy machine")
    parser.add_argument("--small", action="store_true", help="a tiny network: see it run")
    parser.add_argument("--check", action="store_true", help="fail where the bar is missed")
    options = parser.parse_args(arguments)
    if options.threads:
        dezero.set_num_threads(options.threads)
    clock = process_time if options.cpu else perf_counter
    off, _, ratio = compare(mlp_step(options.small), options.rounds, 3, clock)
    print(f"MLP: {off * 1e3:.2f} ms a step, {100 * ratio:+.1f} % with the profile")
    length = 200
    off, extra, _ = compare(chain(length), options.rounds, 2, clock)
    off, extra = (seconds / length * 1e6 for seconds in (off, extra))
    print(f"sin of a number, and its gradient: {off:.2f} us, {extra:+.2f} us with the profile")
    return int(options.check and ratio > BAR)


if __name__ == "__main__":
    sys.exit(main())
