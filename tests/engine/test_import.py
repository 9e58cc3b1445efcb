"""What `import dezero` loads, and what waits until it is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "numba",
    "cupy",
    "scipy",
    "matplotlib",
    "PIL",
    "numpy.random",
    "numpy.fft",
    "threadpoolctl",
    "dezero.numpy",
    "dezero.layers",
    "dezero.autodiff",
    "dezero.viz",
)


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_import_loads_nothing_heavy():
    found = run(f"import sys, dezero; print([m for m in {HEAVY} if m in sys.modules])")
    assert found == "[]"


@pytest.mark.parametrize(
    ("call", "result"),
    [
        ("np.angle(v)", "variable([0.         3.14159265])"),  # __array_function__
        ("np.sinc(np.zeros(1) * v)", "variable([1. 1.])"),
        ("np.logaddexp(v, v) - v", "variable([0.69314718 0.69314718])"),  # __array_ufunc__
        ("np.sum(v)", "variable(-1.0)"),
        ("v.imag", "variable([0. 0.])"),
        ("v.std()", "variable(1.5)"),
    ],
)
def test_the_first_call_finds_the_rules(call, result):
    program = (
        f"import numpy as np, dezero; v = dezero.Variable(np.array([1.0, -2.0])); print({call})"
    )
    assert run(program) == result


def test_the_first_calls_of_two_threads_find_the_rules():
    program = """
import threading, numpy as np, dezero
v = dezero.Variable(np.array([1.0, -2.0]))
found, start = [], threading.Barrier(4)
def first():
    start.wait()
    found.append(np.cumsum(v).data[1] + np.logaddexp(v, v).data[0])
threads = [threading.Thread(target=first) for _ in range(4)]
for t in threads: t.start()
for t in threads: t.join()
print(len(found), len(set(found)))
"""
    assert run(program) == "4 1"
