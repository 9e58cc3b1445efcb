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


KERNELS = """
import sys
import numpy as np
from llvmlite import binding
wide = dict(feature.split("=") for feature in sys.argv[1:])
if wide:  # the CPU that code is made for is the one there is
    binding.get_host_cpu_name = lambda name=wide["cpu"]: name
    binding.get_host_cpu_features = lambda: {wide["feature"]: True}
import dezero
import dezero.kernels.cpu.shared as jit
kernels = {}
original = jit.launch
def launch(kernel, *args, work):
    import numba
    kernel.compile((*(numba.typeof(a) for a in args), numba.int64, numba.int64))
    kernels[kernel] = kernel.overloads[kernel.signatures[0]].library.get_llvm_str()
    if not COMPILE_ONLY:
        original(kernel, *args, work=work)
jit.launch = launch
from dezero.kernels import attention, convolution, normalization, recurrent, softmax
dezero.set_num_threads(1)
r = np.random.default_rng(0)
def array(*shape):
    return r.standard_normal(shape, np.float32)
def check(got, want):
    if not isinstance(want, tuple):
        got, want = (got,), (want,)
    for a, b in zip(got, want, strict=True):
        if not callable(b) and not COMPILE_ONLY:
            np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-3)
def same(kernel, *args):
    check(kernel(*args), kernel.reference(*args))
for c, o, k in ((16, 20, 3), (8, 8, 5)):  # Winograd's algorithm, the direct one
    x, W, gy = array(2, c, 16, 16), array(o, c, k, k), array(2, o, 16, 16)
    same(convolution.conv2d, x, W, None, 1, k // 2)
    same(convolution.conv2d_input_grad, gy, W, (16, 16), 1, k // 2)
    same(convolution.conv2d_weight_grad, x, gy, (k, k), 1, k // 2)
q, k, v, gy = (array(2, 2, 64, 32) for _ in range(4))
y, lse = attention.attention.reference(q, k, v, None, True)
same(attention.attention, q, k, v, None, True)
same(attention.attention_grad, gy, q, k, v, None, True, y, lse)
W, x, h, c = array(41, 80), array(8, 8, 20), array(8, 20), array(8, 20)
run = W, x, h, c, {}, False, True
same(recurrent.lstm, *run)
pulls = recurrent.lstm(*run)[-1], recurrent.lstm.reference(*run)[-1]
check(*(pull(array(8, 8, 20) * 0 + 1, h, c, (True,) * 3) for pull in pulls))
x, p, s = array(64, 512), array(512), abs(array(64, 1))
same(softmax.softmax, x, 1)
same(normalization.layer_norm, x, p, p, 1e-5)
same(normalization.layer_norm_grad, x, x, p, s, s)
images, p = array(4, 16, 16, 16), array(16)
same(normalization.batch_norm, images, p, p, 1e-5, None, None)
from dezero.kernels.cpu.vectors import WIDTH
"""

NEON = """
import re
binding.initialize_all_targets()
binding.initialize_all_asmprinters()
triple = "aarch64-linux-gnu"
machine = binding.Target.from_triple(triple).create_target_machine(opt=2)
for kernel, code in kernels.items():
    lines = [line for line in code.splitlines() if not line.startswith("target ")]
    code = "\\n".join(lines)  # Numba's own counting of references is x86's by now
    counting = re.compile(r"define [^\\n]*@NRT_decref.*?\\n}", re.S)
    code = counting.sub("declare void @NRT_decref(ptr)", code)
    code = machine.emit_assembly(binding.parse_assembly(code))
    assert "ret" in code, kernel
    products = "fmla" in code or products
print(WIDTH, len(kernels), products)
"""


def machine_is_x86():
    import platform

    return platform.machine() in ("x86_64", "AMD64")


def test_the_plainest_processor(tmp_path):
    if not machine_is_x86():
        pytest.skip("names of x86 processors")
    assert answer(run(tmp_path, NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES=""))[0] == 0


def test_other_processors(tmp_path):
    """Each in a process of its own, all at once: they spend their time in the compiler.

    SSE and AVX2 run, AVX-512 is compiled; of the code for SSE assembly for NEON is made as well.
    """
    if not machine_is_x86():
        pytest.skip("names of x86 processors")
    import llvmlite.binding as binding

    run_it, compile_it = ("COMPILE_ONLY = False\n" + KERNELS, "COMPILE_ONLY = True\n" + KERNELS)
    width = "print(WIDTH, len(kernels))"
    wide = ["cpu=skylake-avx512", "feature=avx512f"]
    work = [
        ("nehalem", "products = False\n" + run_it + NEON, [], ["4", "14", "True"]),
        ("skylake-avx512", compile_it + width, wide, ["16", "14"]),
    ]
    if binding.get_host_cpu_features().get("avx2"):
        wide = ["cpu=haswell", "feature=avx2"]
        work.append(("haswell", run_it + width, wide, ["8", "14"]))
    processes = []
    for i, (cpu, program, arguments, _) in enumerate(work):
        env = {"NUMBA_CACHE_DIR": str(tmp_path / str(i)), "NUMBA_CPU_NAME": cpu}
        processes.append(
            subprocess.Popen(
                [sys.executable, "-c", program, *arguments],
                env={**os.environ, **env, "NUMBA_CPU_FEATURES": ""},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    for process, (cpu, *_, expected) in zip(processes, work, strict=True):
        out, err = process.communicate(timeout=300)
        assert out.split() == expected, (cpu, out, err[-3000:])


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
