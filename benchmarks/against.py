"""Measure this checkout against an earlier revision of it: what a change cost, or brought.

``python benchmarks/against.py REVISION [--only goldstein_price,mlp] [--rounds 60]``

Both run in turns, in processes of their own, so that the machine's moods are shared; the figure
is the median of the ratios of the rounds, with its quartiles. ``--count`` counts instructions with
valgrind instead, on one thread: for differences that are smaller than the noise.
"""

from __future__ import annotations

import argparse
import compileall
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import machine, measure, suite


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, prog="benchmarks/against.py")
    parser.add_argument("revision", help="a commit, tag or branch of git's")
    parser.add_argument("--only", default="goldstein_price,mlp", help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=60, help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=0.15, help="a turn; default: %(default)s")
    parser.add_argument("--count", action="store_true", help="instructions, not time")
    parser.add_argument("--at-most", type=float, help="fail where a median ratio is above this")
    options = parser.parse_args(arguments)
    options.only = options.only.split(",")
    unknown = [name for name in options.only if name not in suite.NAMES]
    if unknown:
        parser.error(f"--only: {unknown} unknown; there are {', '.join(suite.NAMES)}")
    return options


def compare(name: str, earlier: Path, settings: measure.Settings) -> list[float]:
    """Ratios of the rounds of one workload, this checkout's time over the earlier one's."""
    entries = [measure.Entry("dezero", name), measure.Entry("dezero", name, root=earlier)]
    running, failures = measure.start(entries, settings)
    failures += measure.take_turns(running, settings)
    if failures:
        raise SystemExit("\n".join(failures))
    now, then = (entry.times for entry in entries)
    return [a / b for a, b in zip(now, then, strict=True)]


def instructions(name: str, root: Path, steps: int) -> int:
    """How many instructions a process takes that runs so many steps, and ten more."""
    program = (
        f"import gc; from benchmarks.workloads import dezero; step = dezero.{name}(False).step; "
        f"gc.disable(); [step() for _ in range({steps + 10})]"
    )
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    environment = machine.environment(1, root) | {"PYTHONHASHSEED": "0"}
    done = subprocess.run(
        [*command, sys.executable, "-c", program],
        capture_output=True, text=True, cwd=root, env=environment, check=True,
    )  # fmt: skip
    return int(done.stderr.partition("Collected :")[2].split()[0])


def counted(name: str, earlier: Path) -> float:
    """Instructions of a step of one workload, this checkout's over the earlier one's."""
    few, many = 50, 550
    for room in ("dezero", "benchmarks"):  # or Python's own compiler would be counted
        compileall.compile_dir(machine.ROOT / room, quiet=1)
        compileall.compile_dir(earlier / room, quiet=1)
    now, then = (
        instructions(name, root, many) - instructions(name, root, few)
        for root in (machine.ROOT, earlier)
    )
    return now / then


def main() -> None:
    """Check the revision out beside this one, and compare."""
    options = parse()
    cpus = machine.physical_cpus()
    settings = measure.Settings(len(cpus), cpus, options.rounds, options.seconds, 0.02, False)
    slower = []
    with tempfile.TemporaryDirectory() as folder:
        earlier = Path(folder) / "earlier"
        git = ["git", "-C", str(machine.ROOT), "worktree"]
        subprocess.run([*git, "add", "-q", "--detach", earlier, options.revision], check=True)
        try:
            what = "instructions" if options.count else "time: median (quartiles)"
            print(f"a step, this checkout / {options.revision}, {what}", flush=True)
            for name in options.only:
                if options.count:
                    median = counted(name, earlier)
                    print(f"  {name:20} {median:.4f}", flush=True)
                else:
                    ratios = compare(name, earlier, settings)
                    low, median, high = statistics.quantiles(ratios, n=4)
                    print(f"  {name:20} {median:.3f} ({low:.3f}-{high:.3f})", flush=True)
                slower += [name] if options.at_most and median > options.at_most else []
        finally:
            subprocess.run([*git, "remove", "--force", earlier], check=True)
    if slower:
        raise SystemExit(f"above {options.at_most}: {', '.join(slower)}")


if __name__ == "__main__":
    main()
