"""What every test can ask for."""

from __future__ import annotations

import gc
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """A generator of the test's own: the same numbers in whatever order tests run."""
    return np.random.default_rng(zlib.crc32(request.node.name.encode()))


@pytest.fixture
def no_gc() -> Iterator[None]:
    """Only reference counting may free anything."""
    gc.collect()
    enabled = gc.isenabled()
    gc.disable()
    yield
    if enabled:
        gc.enable()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say in one line if the page was not tested for want of a browser (tests/page)."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = {str(report.longrepr[2]) for report in skipped if isinstance(report.longrepr, tuple)}
    for reason in sorted(reasons):
        if "install Chromium" in reason:
            terminalreporter.write_line(f"The browser tests did not run: {reason[9:]}")
