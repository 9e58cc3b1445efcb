"""What every test can ask for."""

from __future__ import annotations

import gc
import os
import shutil
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
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


_NAMES = ("chromium", "chromium-browser", "google-chrome")
_OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_WANTED = (
    "the interactive page is tested in a browser: install Chromium (apt install chromium) and "
    "playwright (pip install playwright)"
)


def _missing() -> None:
    """Fail where a browser is a must, in CI; skip elsewhere: the summary says so."""
    if os.environ.get("DEZERO_BROWSER_REQUIRED"):
        pytest.fail(_WANTED)
    pytest.skip(_WANTED)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A real browser: Chromium of the system."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        program = None
    if program is None:
        _missing()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Open a page in a window of its own, with no motion unless it is asked for.

    What a page logs, or asks of a network, fails its test.
    """
    contexts: list[Any] = []
    complaints: list[str] = []

    def opened(page: Any, width: int = 1280, height: int = 800, **settings: Any) -> Any:
        settings = {"locale": "en-US", "reduced_motion": "reduce", **settings}
        context = browser.new_context(viewport={"width": width, "height": height}, **settings)
        contexts.append(context)
        tab = context.new_page()
        file = tmp_path / f"page{len(contexts)}.html"
        file.write_text(getattr(page, "html", page), encoding="utf-8")
        tab.on("console", lambda message: complaints.append(f"console: {message.text}"))
        tab.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        tab.on(
            "request",
            lambda request: request.url == file.as_uri() or complaints.append(request.url),
        )
        tab.set_default_timeout(10_000)
        tab.goto(file.as_uri())
        return tab

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say in one line if the page was not tested for want of a browser (tests/page)."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = {str(report.longrepr[2]) for report in skipped if isinstance(report.longrepr, tuple)}
    for reason in sorted(reasons):
        if "install Chromium" in reason:
            terminalreporter.write_line(f"The browser tests did not run: {reason[9:]}")
