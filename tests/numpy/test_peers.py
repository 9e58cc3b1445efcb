"""docs/numpy.md is what the code says, and what peers have rules for has one here."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

import dezero.scipy
from dezero.core import protocols
from dezero.numpy import coverage

ROOT = Path(__file__).parents[2]


def script(name: str):
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


before = list(sys.path)
page = script("numpy_page")
sys.path[:] = before
peers = page.peers
protocols._load_late()


def rows(text: str) -> dict[tuple[str, str], str]:
    """Return the lines of the tables by module and function."""
    found, module = {}, ""
    for line in text.splitlines():
        if line.startswith("### "):
            module = line[4:]
        elif line.startswith("| `"):
            found[module, line.split("`")[1]] = line
    return found


def test_the_page_says_what_the_code_says():
    # Versions of NumPy and SciPy differ in the names they have: what both have is compared, and
    # what the page alone has must be missing here.
    written, made = rows((ROOT / "docs" / "numpy.md").read_text()), rows(page.tables())
    assert len(made) > 600
    for key in written.keys() & made.keys():
        assert written[key] == made[key], "run: python scripts/numpy_page.py"
    for module, name in written.keys() - made.keys():
        assert not hasattr(page.MODULES[module], name)
    if f"NumPy {np.__version__} " in (ROOT / "docs" / "numpy.md").read_text():
        assert made.keys() <= written.keys(), "run: python scripts/numpy_page.py"


def names(peer):
    return [(module, name) for module in peer for name in sorted(peers.names(peer, module))]


PIECEWISE_CONSTANT = {("scipy.special", "gammasgn")}


@pytest.mark.parametrize(
    ("module", "name"), sorted({*names(peers.AUTOGRAD), *names(peers.MYGRAD)}), ids=str
)
def test_what_peers_differentiate_is_differentiated(module, name):
    if module.startswith("scipy.") and _own(module, name):
        return
    theirs = importlib.import_module(module)
    if not hasattr(theirs, name):
        pytest.skip(f"no {module}.{name} in this version")
    kind, _ = coverage.state(getattr(theirs, name))
    expected = {coverage.DIFFERENTIABLE, coverage.IN_DEZERO_NUMPY}
    if (module, name) in PIECEWISE_CONSTANT:
        expected = {coverage.PLAIN}
    assert kind in expected


def _own(module, name) -> bool:
    """Whether dezero.scipy has a function of its own under that name."""
    ours = dezero
    for part in module.split("."):
        ours = getattr(ours, part)
    function = getattr(ours, name, None)
    return getattr(function, "__module__", "").startswith("dezero")


def test_the_lists_of_names_are_complete():
    counts = {module: len(peers.names(peers.AUTOGRAD, module)) for module in peers.AUTOGRAD}
    assert counts["numpy"] == 111 + 7  # seven of them composed
    assert (counts["numpy.linalg"], counts["numpy.fft"]) == (10, 14)
    assert counts["scipy.special"] == 30
    assert sum(n for module, n in counts.items() if module.startswith("scipy.stats")) == 27


def test_autograd_itself_has_no_more():
    pytest.importorskip("autograd")
    from autograd.core import primitive_vjps

    apart = {"array_from_args", "concatenate_args", "make_diagonal", "truncate_pad"}
    for module in ("numpy", "numpy.linalg", "numpy.fft", "scipy.special", "scipy.linalg"):
        theirs = vars(importlib.import_module(f"autograd.{module}"))
        found = {
            name
            for name, f in theirs.items()
            if callable(f)
            and getattr(f, "__hash__", None)
            and f in primitive_vjps
            and not name.startswith("_")
        }
        known = {getattr(np, name, None) for name in peers.names(peers.AUTOGRAD, module)}
        aliases = {name for name in found if getattr(np, name, 0) in known}
        assert found - aliases - apart <= peers.names(peers.AUTOGRAD, module)
