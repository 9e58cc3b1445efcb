"""The process in which one peer runs one workload; the runner drives it with lines of JSON.

``python -m benchmarks.worker PEER`` reads one request a line from standard input and writes
one answer a line. Whatever the peer itself prints goes to standard error.
"""

from __future__ import annotations

import gc
import importlib
import inspect
import json
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable
from types import ModuleType
from typing import Any

from benchmarks.workloads import Workload

Answer = dict[str, Any]
_ATTEMPTS = 3
_WARM_STEPS = 10


def pin(cpus: list[int]) -> None:
    """Keep the process on ``cpus``: the one limit that every thread pool obeys."""
    if cpus and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cpus)


def peak_bytes() -> int:
    """The most memory the process has had resident."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def resident_bytes() -> int:
    """The memory resident now where the system says, else the peak so far."""
    try:
        with open("/proc/self/statm") as f:
            return int(f.read().split()[1]) * resource.getpagesize()
    except OSError:
        return peak_bytes()


def workload_names(module: ModuleType) -> list[str]:
    """The public functions that the module itself defines, in its order."""
    return [
        name
        for name, f in vars(module).items()
        if inspect.isfunction(f) and f.__module__ == module.__name__ and name[0] != "_"
    ]


class Session:
    """One peer, and at most one workload of it."""

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.module: ModuleType | None = None
        self.workload: Workload | None = None
        self.resident_before = 0

    def hello(self, threads: int, cpus: list[int]) -> Answer:
        """Import the peer; its version and workloads, or why it is missing."""
        pin(cpus)
        try:
            self.module = importlib.import_module(f"benchmarks.workloads.{self.peer}")
            version = self.module._set_up(threads)
        except ImportError as error:
            return {"missing": str(error)}
        return {"version": version, "workloads": workload_names(self.module)}

    def prepare(self, workload: str, small: bool, collect: bool) -> Answer:
        """Build the workload, compute its check, and warm up; how many kernels it compiled."""
        if not collect:
            gc.disable()
        self.resident_before = resident_bytes()
        self.workload = getattr(self.module, workload)(small)
        check = self.workload.check()
        self._warm_up()
        _, compiled = self._kernels()
        return {
            "description": self.workload.description,
            "check": check,
            "compiled": compiled,
        }

    def calibrate(self, seconds: float) -> Answer:
        """How many steps fill ``seconds``."""
        steps = 1
        while True:
            elapsed = self._time(steps)
            if elapsed >= seconds / 4:
                return {"steps": max(1, round(steps * seconds / elapsed))}
            steps = max(2 * steps, int(steps * seconds / 2 / max(elapsed, 1e-6)))

    def turn(self, steps: int) -> Answer:
        """Seconds a step over ``steps`` steps, after a few that are not timed."""
        for _ in range(_ATTEMPTS):
            before = self._kernels()
            self._time(0 if steps == 1 else max(1, steps // 20))
            gc.collect()
            seconds = self._time(steps) / steps
            if self._kernels() == before:
                return {"seconds": seconds}
        raise RuntimeError(f"a kernel was compiled or loaded in each of {_ATTEMPTS} turns")

    def memory(self) -> Answer:
        """Peak memory of the process, and how much of it came with the workload."""
        peak = peak_bytes()
        return {"peak": peak, "growth": max(0, peak - self.resident_before)}

    def _kernels(self) -> tuple[int, int]:
        """How many compiled kernels are ready, and how many of them were not on disk."""
        count: Callable[[], tuple[int, int]] | None = getattr(self.module, "_kernels", None)
        return (0, 0) if count is None else count()

    def _warm_up(self) -> None:
        """Run steps until one of them has neither compiled nor loaded a kernel."""
        for _ in range(_WARM_STEPS):
            before = self._kernels()
            self._time(1)
            if self._kernels() == before:
                return

    def _time(self, steps: int) -> float:
        assert self.workload is not None
        step: Callable[[], object] = self.workload.step
        start = time.perf_counter()
        for _ in range(steps):
            step()
        return time.perf_counter() - start


def main() -> None:
    """Answer requests until standard input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    session = Session(sys.argv[1])
    commands: dict[str, Callable[..., Answer]] = {
        "hello": session.hello,
        "prepare": session.prepare,
        "calibrate": session.calibrate,
        "turn": session.turn,
        "memory": session.memory,
    }
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = commands[request.pop("command")](**request)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
