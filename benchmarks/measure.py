"""Workers in alternating turns, medians, and ratios round by round."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import machine, suite

Json = dict[str, Any]


class WorkerError(RuntimeError):
    """A worker's answer was a traceback, or it died."""


@dataclass(frozen=True)
class Settings:
    """How much is measured."""

    threads: int
    cpus: list[int]
    rounds: int
    turn_seconds: float
    pause: float  # before a turn, until the other's threads have gone to sleep
    small: bool


class Worker:
    """One peer in a process of its own."""

    def __init__(self, peer: str, settings: Settings, root: Path = machine.ROOT) -> None:
        self.peer = peer
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", peer],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=root,
            env=machine.environment(settings.threads, root),
            text=True,
        )
        try:
            self.hello = self.ask("hello", threads=settings.threads, cpus=settings.cpus)
        except WorkerError:
            self.close()
            raise

    def ask(self, command: str, **arguments: Any) -> Json:
        """Send one request and wait for its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = ""
        try:
            self._process.stdin.write(json.dumps({"command": command, **arguments}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            pass
        if not line:
            raise WorkerError(f"{self.peer}: the process died in {command!r} {arguments}")
        answer: Json = json.loads(line)
        if "error" in answer:
            raise WorkerError(f"{self.peer}: {answer['error']}\n{answer['trace']}")
        return answer

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@dataclass
class Entry:
    """One peer's part in one workload."""

    peer: str
    function: str
    collector: bool = True  # False: Python's garbage collector is off
    root: Path = machine.ROOT  # the checkout whose programs it runs
    worker: Worker | None = None
    description: str = ""
    check: dict[str, list[float]] = field(default_factory=dict)
    steps: int = 0
    times: list[float] = field(default_factory=list)
    memory: Json = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The name in tables: ``JAX eager``."""
        _, _, form = self.function.partition("__")
        return " ".join(filter(None, [suite.TITLES[self.peer], form]))

    def start(self, settings: Settings) -> None:
        """Start the process, build the workload, compute the check, warm up.

        A process that had to compile kernels is started once more: then they are on disk, and
        the compiler's memory is not taken for the workload's.
        """
        answer = self._prepare(settings)
        if answer["compiled"] and not settings.small:
            self.finish()
            answer = self._prepare(settings)
        self.description, self.check = answer["description"], answer["check"]

    def _prepare(self, settings: Settings) -> Json:
        self.worker = Worker(self.peer, settings, self.root)
        if "missing" in self.worker.hello:
            raise WorkerError(f"{self.peer}: {self.worker.hello['missing']}")
        return self.worker.ask(
            "prepare", workload=self.function, small=settings.small, collect=self.collector
        )

    def calibrate(self, settings: Settings) -> None:
        """Choose the number of steps of a turn."""
        assert self.worker is not None
        self.steps = self.worker.ask("calibrate", seconds=settings.turn_seconds)["steps"]

    def turn(self, settings: Settings) -> None:
        """Take one turn."""
        assert self.worker is not None
        time.sleep(settings.pause)
        self.times.append(self.worker.ask("turn", steps=self.steps)["seconds"])

    def finish(self) -> None:
        """Read the peak memory and end the process."""
        if self.worker is not None:
            try:
                if self.times:
                    self.memory = self.worker.ask("memory")
            finally:
                self.worker.close()
                self.worker = None

    def results(self) -> Json:
        """What goes into the JSON file."""
        return {
            "peer": self.peer,
            "label": self.label,
            "description": self.description,
            "collector": self.collector,
            "seconds": statistics.median(self.times),
            "times": self.times,
            "steps": self.steps,
            "memory": self.memory,
            "check": self.check,
            "ratio": None,
        }


def start(entries: list[Entry], settings: Settings) -> tuple[list[Entry], list[str]]:
    """Start every entry; those that run, and what went wrong with the others."""
    running, failures = [], []
    for entry in entries:
        try:
            entry.start(settings)
            running.append(entry)
        except WorkerError as error:
            entry.finish()
            failures.append(f"{entry.function}: {error}")
    return running, failures


def take_turns(entries: list[Entry], settings: Settings) -> list[str]:
    """Calibrate, then A B C A B C ...; ends the workers. Returns what went wrong."""
    try:
        for entry in entries:
            entry.calibrate(settings)
        for _ in range(settings.rounds):
            for entry in entries:
                entry.turn(settings)
    except WorkerError as error:
        return [str(error)]
    finally:
        for entry in entries:
            entry.finish()
    return []


def ratio(numerators: list[float], denominators: list[float]) -> dict[str, float]:
    """Median, least and greatest of the ratios of each round."""
    ratios = [a / b for a, b in zip(numerators, denominators, strict=True)]
    return {"median": statistics.median(ratios), "min": min(ratios), "max": max(ratios)}


def import_once(module: str, settings: Settings) -> tuple[float, int]:
    """Seconds from starting ``python -c "import module"`` to its end, and its peak memory."""
    start_time = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", f"import {module}"],
        cwd=machine.ROOT,
        env=machine.environment(settings.threads),
    )
    _, status, usage = os.wait4(process.pid, 0)
    elapsed = time.perf_counter() - start_time
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise WorkerError(f"import_time: 'import {module}' ended with {process.returncode}")
    return elapsed, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def import_times(rounds: int, settings: Settings) -> Json:
    """``import dezero`` and ``import numpy`` in turns, each in a fresh process."""
    modules = ("dezero", "numpy")
    times: dict[str, list[float]] = {module: [] for module in modules}
    peaks: dict[str, int] = {}
    for module in modules:  # writes the bytecode and fills the page cache
        import_once(module, settings)
    for _ in range(rounds):
        for module in modules:
            elapsed, peak = import_once(module, settings)
            times[module].append(elapsed)
            peaks[module] = max(peak, peaks.get(module, 0))
    seconds = {module: statistics.median(times[module]) for module in modules}
    by_round = ratio(times["dezero"], times["numpy"])
    return {
        "seconds": seconds,
        "times": times,
        "peak": peaks,
        "ratio": by_round | {"median": seconds["dezero"] / seconds["numpy"]},
    }
