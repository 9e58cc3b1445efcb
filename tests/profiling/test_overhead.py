"""The benchmark of the profile's own cost still runs; what it costs is not judged here."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_benchmark_runs() -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "profile_overhead.py")]
    done = subprocess.run(
        [*command, "--small", "--rounds", "2"],
        capture_output=True, text=True, timeout=120, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert re.fullmatch(r"MLP: [\d.]+ ms a step, [+-][\d.]+ % with the profile", first)
    assert re.fullmatch(r"sin of .*: [\d.]+ us, [+-][\d.]+ us with the profile", second)
