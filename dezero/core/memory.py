"""Memory: keep freed blocks for the next array instead of giving them back to the system.

A training step frees and allocates the same arrays again and again. The C library hands blocks of
some megabytes back to the system at once, and each new page then costs a page fault: a quarter of
the step of a convolutional network. Told to keep them, it reuses pages that are there already.
"""

from __future__ import annotations

import ctypes
import os
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # numbers of glibc's mallopt
KEPT = 1 << 30
"""How many freed bytes the process may keep, at the end of its heap."""
LARGEST = 1 << 25
"""Blocks larger than this are always given back: glibc sets no higher limit."""


def keep_freed_memory() -> bool:
    """Ask the C library to keep freed memory; return whether it does.

    Only glibc (Linux) can be asked. The environment variable ``DEZERO_KEEP_MEMORY=0`` forbids it,
    and the C library's own variables (``MALLOC_TRIM_THRESHOLD_``) go before.
    """
    own = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")
    if os.environ.get("DEZERO_KEEP_MEMORY") == "0" or any(name in os.environ for name in own):
        return False
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # another C library
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, LARGEST) and mallopt(_M_TRIM_THRESHOLD, KEPT))
