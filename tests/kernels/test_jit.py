"""Compiling: from cold, from the disk, where the disk is read-only, by several at once."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from dezero.kernels import table

pytestmark = pytest.mark.skipif(not table.has_numba(), reason="Numba is not installed")

PROGRAM = """
import sys, time
import numpy as np
from dezero.kernels import activations
import dezero.kernels.cpu.activations as cpu
x = np.linspace(-4, 4, 1 << 16, dtype=np.float32)
start = time.perf_counter()
y = activations.gelu(x, "tanh")
seconds = time.perf_counter() - start
want = 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
assert abs(y - want).max() < 1e-5, abs(y - want).max()
print(cpu._gelu.stats.cache_hits.total(), round(seconds, 2))
"""


def run(cache, **env):
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "NUMBA_CACHE_DIR": str(cache), **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def answer(process):
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    hits, seconds = out.split()
    return int(hits), float(seconds)


def test_machine_code_is_kept_on_disk(tmp_path):
    assert answer(run(tmp_path))[0] == 0
    assert answer(run(tmp_path))[0] == 1


def test_machine_code_of_another_version_of_the_kernels_is_not_used(tmp_path):
    answer(run(tmp_path))
    changed = PROGRAM.replace(
        "import dezero.kernels.cpu.activations",
        "from dezero.kernels.cpu import jit\njit._fingerprint = lambda: 'another version'\n"
        "import dezero.kernels.cpu.activations",
    )
    env = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    out = subprocess.run(
        [sys.executable, "-c", changed], env=env, capture_output=True, text=True, timeout=120
    )
    assert out.stdout.split()[0] == "0", out.stderr


def test_two_processes_compile_at_once(tmp_path):
    first, second = run(tmp_path), run(tmp_path)
    answer(first)
    answer(second)
    assert answer(run(tmp_path))[0] == 1


def test_a_cache_folder_that_cannot_be_written(tmp_path):
    """Root may write anywhere, so the folder is a file here: nobody can write into that."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    answer(run(blocked / "cache"))


def test_no_folder_at_all_for_the_cache(monkeypatch):
    from dezero.kernels.cpu import jit

    def without_folder(function, cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return "compiled for this process"

    monkeypatch.setattr(jit, "njit", without_folder)
    assert jit.compiled(lambda: None) == "compiled for this process"


@pytest.mark.parametrize("cpu", ["generic", "nehalem", "haswell"])
def test_older_processors(tmp_path, cpu):
    import platform

    if platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("names of x86 processors")
    assert answer(run(tmp_path, NUMBA_CPU_NAME=cpu, NUMBA_CPU_FEATURES=""))[0] == 0


def test_two_threads_meet_a_kernel_for_the_first_time(tmp_path):
    program = """
import threading
import numpy as np
from dezero.kernels import activations
x = np.linspace(-4, 4, 1 << 17, dtype=np.float32)
results = [None] * 4
def work(i):
    results[i] = activations.silu(x)
workers = [threading.Thread(target=work, args=(i,)) for i in range(4)]
[w.start() for w in workers]
[w.join() for w in workers]
print(all(np.array_equal(results[0], r) for r in results))
"""
    env = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    out = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, timeout=120
    )
    assert out.stdout.strip() == "True", out.stderr


def test_aligned_scratch_belongs_to_the_call():
    from dezero.kernels.cpu.jit import aligned

    arrays = [aligned((3, 17)) for _ in range(50)]
    assert all(a.ctypes.data % 64 == 0 and a.shape == (3, 17) for a in arrays)
    for i, a in enumerate(arrays):
        a[:] = i
    assert all((a == i).all() for i, a in enumerate(arrays))


def test_the_switch_belongs_to_the_thread():
    import dezero
    from dezero.kernels import elementwise

    served = []

    def elsewhere():
        served.append(table._module_for(np.zeros(1 << 20, np.float32), table.TABLE["exp"]))

    with dezero.using_config("compiled", False):
        assert table._module_for(np.zeros(1 << 20, np.float32), table.TABLE["exp"]) is None
        worker = threading.Thread(target=elsewhere)
        worker.start()
        worker.join()
    assert served[0] is not None
    assert elementwise.exp.reference is not None
