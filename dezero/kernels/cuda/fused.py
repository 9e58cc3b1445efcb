"""What the kernels share."""

from __future__ import annotations

from typing import Any

import cupy


def served(*arrays: Any) -> bool:
    """Whether arrays are floating, of one dtype that CUDA C knows, and the first is not empty."""
    dtype = arrays[0].dtype
    return dtype.char in "fd" and arrays[0].size > 0 and all(a.dtype == dtype for a in arrays)


def elementwise(inputs: str, outputs: str, operation: str, name: str) -> Any:
    """Return a kernel that runs ``operation`` for each element; inputs broadcast."""
    return cupy.ElementwiseKernel(inputs, outputs, operation, f"dezero_{name}")


def summed(inputs: str, output: str, term: str, name: str) -> Any:
    """Return a kernel that adds up ``term`` along axes."""
    return cupy.ReductionKernel(inputs, output, term, "a + b", "y = a", "0", f"dezero_{name}")
