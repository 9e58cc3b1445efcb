"""Dropout: a random mask, and a scale.

Masks are drawn on the GPU, but from the package's one generator: it gives a key, and each element
hashes the key and its own number. The hash is splitmix64: G. Steele, D. Lea and C. Flood, "Fast
splittable pseudorandom number generators", 2014.
"""

from __future__ import annotations

from typing import Any

import cupy

from dezero import random
from dezero.kernels.cuda.fused import elementwise, served

_dropped = elementwise("T x, bool mask, T scale", "T y", "y = x * mask * scale", "dropped")

_keep = elementwise(
    "uint64 key, uint64 least",
    "bool kept",
    """
    uint64 z = key + (i + 1) * 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    kept = ((z ^ (z >> 31)) >> 32) >= least""",
    "keep_mask",
)


def keep_mask(x: Any, dropout_ratio: float) -> Any:
    """Return a random array of booleans of the shape of ``x``: what dropout keeps."""
    key = int.from_bytes(random.generator().bytes(8), "little") >> 1
    mask = cupy.empty(x.shape, bool)
    _keep(key, round(float(dropout_ratio) * (1 << 32)), mask)
    return mask


def dropped(x: Any, mask: Any, scale: float) -> Any:
    """Return ``x`` times a mask of booleans and a number."""
    return _dropped(x, mask, scale) if served(x) and mask.dtype == bool else NotImplemented
