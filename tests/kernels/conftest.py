"""What tests of kernels share."""

import importlib

import pytest

from dezero.kernels.table import has_numba


@pytest.fixture
def nothing_is_small(monkeypatch):
    """Let kernels run on all threads, however little there is to do."""
    if has_numba():
        for name in ("jit", "batch_norm", "optimizers", "recurrent"):
            monkeypatch.setattr(importlib.import_module(f"dezero.kernels.cpu.{name}"), "SMALL", 0)
