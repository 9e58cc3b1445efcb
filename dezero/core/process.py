"""Two settings of the process that training needs, made when the package is imported.

**Memory.** A training step frees and allocates the same arrays again and again. The C library
hands blocks of some megabytes back to the system at once, and each new page then costs a page
fault: a quarter of the step of a convolutional network. Told to keep them, it reuses pages that
are there already.

**NumPy's matrix products.** After each, the threads of OpenBLAS go on looking for work for some
25 ms, in the way of every thread that has some. Half a millisecond is enough to be there when one
product follows another.

``DEZERO_TUNE=0`` in the environment leaves the process as it is.
"""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Any

import numpy as np

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # numbers of glibc's mallopt
KEPT = 1 << 30
"""How many freed bytes the process may keep, at the end of its heap."""
LARGEST = 1 << 25
"""Blocks larger than this are always given back: glibc sets no higher limit."""
BLAS_PATIENCE = 20
"""OpenBLAS's threads wait 2 to this power processor cycles for more work."""


def tune() -> None:
    """Make both settings, where nobody forbids it."""
    if tuned():
        keep_freed_memory()
        rest_blas_early()


def tuned() -> bool:
    """Return whether the process may be set up for training: ``DEZERO_TUNE`` is not 0."""
    return os.environ.get("DEZERO_TUNE") != "0"


def keep_freed_memory() -> bool:
    """Ask the C library to keep freed memory; return whether it does.

    Only glibc (Linux) can be asked, and its own variables (``MALLOC_TRIM_THRESHOLD_``) go before.
    """
    own = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")
    if any(name in os.environ for name in own):
        return False
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # another C library
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, LARGEST) and mallopt(_M_TRIM_THRESHOLD, KEPT))


def rest_blas_early() -> bool:
    """Let OpenBLAS's threads sleep soon after a product; return whether that could be set.

    OpenBLAS reads this setting from the environment, when it starts its threads: so they are
    stopped, and start again at the next product. Other BLAS libraries know nothing of it.
    """
    if "OPENBLAS_THREAD_TIMEOUT" in os.environ:
        return False
    read, stop = blas_function("openblas_read_env"), blas_function("blas_thread_shutdown_")
    if read is None or stop is None:
        return False
    os.environ["OPENBLAS_THREAD_TIMEOUT"] = str(BLAS_PATIENCE)
    read()
    del os.environ["OPENBLAS_THREAD_TIMEOUT"]
    stop()
    return True


def openblas() -> str:
    """Return how the OpenBLAS was built that NumPy multiplies with.

    Nothing if it is another library, or if its threads are OpenMP's and not its own.
    """
    config, parallel = blas_function("openblas_get_config"), blas_function("openblas_get_parallel")
    if config is None or parallel is None or parallel() != 1:
        return ""
    config.restype = ctypes.c_char_p
    return str(config().decode())


def blas_function(name: str) -> Any:
    """Return a function of the OpenBLAS that NumPy multiplies with, None if there is none.

    Builds of OpenBLAS differ in what they add to their public names.
    """
    module = getattr(getattr(np, "_core", None), "_multiarray_umath", None)
    path = getattr(module, "__file__", None)
    if path is None or sys.platform == "win32":
        return None
    try:
        numpy = ctypes.CDLL(path)  # finds the names of the libraries that NumPy is linked with
    except OSError:
        return None
    variants = (name, f"scipy_{name}64_", f"scipy_{name}", f"{name}64_")
    return next((getattr(numpy, v) for v in variants if hasattr(numpy, v)), None)
