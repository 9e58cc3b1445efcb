"""What a bug report should say of the machine: ``python -m dezero info``."""

from __future__ import annotations

import importlib
import json
import os
import platform
import textwrap
from collections.abc import Callable, Iterable
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import dezero
from dezero.core import Config
from dezero.download import get_cache_dir

PACKAGES = (
    "numpy", "numba", "llvmlite", "threadpoolctl", "scipy", "cupy", "mpi4py", "matplotlib",
    "igraph", "pillow",
)  # fmt: skip
CUPY = ("cupy-cuda13x", "cupy-cuda12x", "cupy-cuda11x")  # names under which CuPy is installed
VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS", "NUMBA_CACHE_DIR", "NUMBA_DISABLE_JIT", "NUMBA_CPU_NAME",
    "NUMBA_CPU_FEATURES", "OPENBLAS_CORETYPE", "OPENBLAS_THREAD_TIMEOUT",
    "NPY_DISABLE_CPU_FEATURES", "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_",
    "GLIBC_TUNABLES", "CUDA_VISIBLE_DEVICES", "CUDA_PATH",
)  # fmt: skip
"""Environment variables that change results or speed, beside ``DEZERO_*``; no other is shown."""

VECTORS = ("sse4.2", "avx", "avx2", "fma", "avx512f", "avx512bw", "avx512vnni", "neon", "sve")
WIDTH = 98


def collect() -> dict[str, Any]:
    """Return what there is to say, by topic; what cannot be found out says why.

    Examples
    --------
    >>> from dezero.info import collect
    >>> collect()["dezero"] == dezero.__version__
    True
    """
    topics: dict[str, Callable[[], Any]] = {
        "dezero": lambda: dezero.__version__,
        "python": _python,
        "packages": _packages,
        "system": platform.platform,
        "cpu": _cpu,
        "memory": _memory,
        "blas": _blas,
        "threads": dezero.get_num_threads,
        "kernels": _kernels,
        "kernel cache": _kernel_cache,
        "data cache": lambda: _folder(get_cache_dir()),
        "gpu": _gpu,
        "environment": _environment,
    }
    return {topic: _guarded(ask) for topic, ask in topics.items()}


def as_text(found: dict[str, Any]) -> str:
    """Return the topics, a line or a few each."""
    lines = []
    for topic, value in found.items():
        text = "; ".join(map(_together, _phrases(value))) or "none"
        folded = textwrap.wrap(text, WIDTH - 14, break_long_words=False, break_on_hyphens=False)
        lines += [f"{topic if i == 0 else '':14}{line}" for i, line in enumerate(folded)]
    return "\n".join(lines).replace("\N{NO-BREAK SPACE}", " ")


def as_json(found: dict[str, Any]) -> str:
    """Return the topics as JSON."""
    return json.dumps(found, indent=2, default=str)


def _together(phrase: str) -> str:
    """Keep a short phrase, a name and its version, on one line."""
    return phrase.replace(" ", "\N{NO-BREAK SPACE}") if len(phrase) < 30 else phrase


def _phrases(value: Any) -> Iterable[str]:
    if isinstance(value, dict):
        return (f"{key} {_phrase(entry)}" for key, entry in value.items())
    return map(_phrase, value) if isinstance(value, list) else [str(value)]


def _phrase(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {entry}" for key, entry in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _guarded(ask: Callable[[], Any]) -> Any:
    """Return the answer, or why there is none: a report of a broken machine is wanted most."""
    try:
        return ask()
    except Exception as error:
        return f"unknown ({type(error).__name__}: {error})"


def _python() -> str:
    return f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}"


def _packages() -> dict[str, str]:
    return {name: _guarded(partial(_version, name)) for name in PACKAGES}


def _version(package: str) -> str:
    for name in (package, *(CUPY if package == "cupy" else ())):
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return "-"


def _cpu() -> dict[str, Any]:
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else "?"
    return {
        "model": _guarded(_cpu_model),
        "CPUs": f"{os.cpu_count()} ({allowed} for this process)",
        "kernels are made for": _guarded(_cpu_of_kernels),
    }


def _cpu_model() -> str:
    if Path("/proc/cpuinfo").exists():  # Linux's platform.processor() names the architecture alone
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        if names:
            return names[0]
    return platform.processor() or platform.machine()


def _cpu_of_kernels() -> str:
    from llvmlite import binding

    features = binding.get_host_cpu_features()
    vectors = [name for name in VECTORS if features.get(name)]
    return f"{binding.get_host_cpu_name()} with {', '.join(vectors)}"


def _memory() -> str:
    page = os.sysconf("SC_PAGE_SIZE") / 2**30
    free, total = os.sysconf("SC_AVPHYS_PAGES") * page, os.sysconf("SC_PHYS_PAGES") * page
    return f"{free:.1f} of {total:.1f} GiB unused"


def _blas() -> list[str]:
    from threadpoolctl import threadpool_info

    found = []
    for library in threadpool_info():
        known = (library.get(key) for key in ("internal_api", "version", "architecture"))
        words = " ".join(str(word) for word in known if word)
        layer = library.get("threading_layer")
        threads = f"{library.get('num_threads')} threads" + (f" ({layer})" if layer else "")
        found.append(f"{words}, {threads}")
    return list(dict.fromkeys(found))


def _kernels() -> str:
    from dezero.kernels.table import TABLE, has_numba

    if os.environ.get("DEZERO_COMPILED") == "0":
        return "NumPy's alone: DEZERO_COMPILED=0"
    if not has_numba():
        return "NumPy's alone: Numba is not installed"
    if not Config.compiled:
        return 'NumPy\'s alone: the setting "compiled" is False'
    modules = sorted({row.cpu for row in TABLE.values() if row.cpu is not None})
    failed = []
    for name in modules:
        try:
            importlib.import_module(f"dezero.kernels.cpu.{name}")
        except Exception as error:
            failed.append(f"{name} ({type(error).__name__}: {error})")
    served = [row for row in TABLE.values() if row.cpu is not None]
    but = f"; these cannot be loaded: {', '.join(failed)}" if failed else ""
    return f"{len(served)} compiled by Numba, in {', '.join(modules)}{but}"


def _kernel_cache() -> str:
    from dezero.kernels.table import has_numba

    if not has_numba():
        return "none: no kernels are compiled"
    from dezero.kernels.cpu import workers

    dispatcher: Any = workers.look
    folder = dispatcher.stats.cache_path
    return (
        _folder(folder, "*.nb?")
        if folder
        else "none: no folder can be written, each process compiles"
    )


def _folder(path: str, pattern: str = "*") -> str:
    """Return the folder, with ~ for the user's own, and how much of a kind is in it."""
    folder = Path(path)
    name = str(folder)
    home = os.path.expanduser("~")
    if home != os.sep and name.startswith(home + os.sep):
        name = "~" + name[len(home) :]
    if not folder.exists():
        return f"{name}, not there yet"
    sizes = [file.stat().st_size for file in folder.rglob(pattern) if file.is_file()]
    writable = "" if os.access(folder, os.W_OK) else ", cannot be written"
    return f"{name}, {len(sizes)} files, {sum(sizes) / 1e6:.1f} MB{writable}"


def _gpu() -> Any:
    try:
        cupy = importlib.import_module("cupy")
    except ModuleNotFoundError:
        return "none: CuPy is not installed"
    except Exception as error:
        return f"none: CuPy cannot be loaded ({type(error).__name__}: {error})"
    runtime = cupy.cuda.runtime
    try:
        count = runtime.getDeviceCount()
    except Exception as error:
        return f"none: CuPy finds no device ({error})"
    devices = [_guarded(partial(_device, cupy, i)) for i in range(count)]
    return {
        "devices": devices or "none",
        "driver": _guarded(lambda: _cuda_version(runtime.driverGetVersion())),
        "runtime": _guarded(lambda: _cuda_version(runtime.runtimeGetVersion())),
    }


def _device(cupy: Any, index: int) -> str:
    name = cupy.cuda.runtime.getDeviceProperties(index)["name"]
    with cupy.cuda.Device(index):
        free, total = cupy.cuda.runtime.memGetInfo()
    name = name.decode() if isinstance(name, bytes) else name
    return f"{name} ({free / 2**30:.1f} of {total / 2**30:.1f} GiB free)"


def _cuda_version(number: int) -> str:
    """Return CUDA's number of a version as people write it.

    Examples
    --------
    >>> _cuda_version(12040)
    'CUDA 12.4'
    """
    return f"CUDA {number // 1000}.{number % 1000 // 10}"


def _environment() -> list[str]:
    names = sorted(name for name in os.environ if name.startswith("DEZERO_") or name in VARIABLES)
    return [f"{name}={os.environ[name]}" for name in names]
