"""What holds for every test and every example in the documentation."""

from __future__ import annotations

import importlib.util
import zlib

import numpy as np
import pytest

import dezero.random as dezero_random

# Without Numba the references do all the work, and there is nothing compiled to look at.
collect_ignore_glob = [] if importlib.util.find_spec("numba") else ["dezero/kernels/cpu/*"]
if not importlib.util.find_spec("cupy"):
    collect_ignore_glob += ["dezero/kernels/cuda/*"]


@pytest.fixture(autouse=True)
def _same_draws(request: pytest.FixtureRequest) -> None:
    """Start each from the same draws of NumPy's global generator, in whatever order they run."""
    dezero_random._generator = None
    np.random.seed(zlib.crc32(request.node.name.encode()))
