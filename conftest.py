"""What holds for every test and every example in the documentation."""

from __future__ import annotations

import importlib.util
import zlib
from typing import Any

import numpy as np
import pytest

import dezero.random as dezero_random

# Without Numba the references do all the work, and there is nothing compiled to look at.
collect_ignore_glob = [] if importlib.util.find_spec("numba") else ["dezero/kernels/cpu/*"]
if not importlib.util.find_spec("cupy"):
    collect_ignore_glob += ["dezero/kernels/cuda/*"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--table-part``: the table of functions is half of the suite."""
    parser.addoption("--table-part", metavar="K/N", help="every Nth row alone, from the Kth")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the rows of the table that ``--table-part`` does."""
    part = config.getoption("--table-part")
    if part:
        k, n = map(int, part.split("/"))
        rows = {item: _row(item) for item in items}
        left_out = [item for item, row in rows.items() if row is not None and row % n != k - 1]
        config.hook.pytest_deselected(items=left_out)
        gone = set(left_out)
        items[:] = [item for item in items if item not in gone]


def _row(item: pytest.Item) -> Any:
    """Return the number of the row that a test is of, by its name; ``None`` for other tests."""
    row = getattr(item, "callspec", None) and item.callspec.params.get("row")
    return zlib.crc32(row.name.encode()) if hasattr(row, "name") else None


@pytest.fixture(autouse=True)
def _same_draws(request: pytest.FixtureRequest) -> None:
    """Start each from the same draws of NumPy's global generator, in whatever order they run."""
    dezero_random._generator = None
    np.random.seed(zlib.crc32(request.node.name.encode()))
