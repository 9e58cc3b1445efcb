"""Write the tables of docs/numpy.md: what each function of NumPy's does with Variables.

``python scripts/numpy_page.py`` rewrites what lies between the marks of the page.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import scipy.special

sys.path.insert(0, str(Path(__file__).parent))
import peers

from dezero.core import protocols
from dezero.numpy import coverage

PAGE = Path(__file__).parents[1] / "docs" / "numpy.md"
MARKS = ("<!-- functions:begin -->", "<!-- functions:end -->")
MODULES = {
    "numpy": np,
    "numpy.linalg": np.linalg,
    "numpy.fft": np.fft,
    "numpy.emath": np.emath,
    "scipy.special": scipy.special,
}
STATES = (
    coverage.DIFFERENTIABLE,
    coverage.IN_DEZERO_NUMPY,
    coverage.PLAIN,
    coverage.NUMPYS_OWN,
    coverage.UNCOVERED,
)


def counts() -> Iterator[str]:
    """Give the table of how many functions are in which state, and of how many peers have."""
    yield f"Counted with NumPy {np.__version__} and SciPy {scipy.__version__}:"
    yield ""
    yield f"| module | {' | '.join(STATES)} | autograd | MyGrad |"
    yield "|---|" + "---:|" * (len(STATES) + 2)
    for name, module in MODULES.items():
        found = Counter(coverage.state(f)[0] for _, f in coverage.functions(module))
        numbers = [found[state] for state in STATES]
        numbers += [len(peers.names(peer, name)) for peer in (peers.AUTOGRAD, peers.MYGRAD)]
        yield f"| {name} | " + " | ".join(map(str, numbers)) + " |"


def table(name: str, module: Any) -> Iterator[str]:
    """Give the lines about a module, a row a function."""
    yield f"### {name}"
    yield ""
    yield "| function | state | | also in |"
    yield "|---|---|---|---|"
    for function, f in coverage.functions(module):
        yield row(name, function, f)


def row(module: str, name: str, function: Any) -> str:
    """Return the line of a function."""
    state, note = coverage.state(function)
    also = [
        title
        for title, peer in (("autograd", peers.AUTOGRAD), ("MyGrad", peers.MYGRAD))
        if name in peers.names(peer, module)
    ]
    note = note.replace("``", "`").replace(":math:", "").replace("|", "\\|")
    return f"| `{name}` | {state} | {note} | {', '.join(also)} |"


def tables() -> str:
    """Return the generated part of the page."""
    protocols._load_late()
    lines = [*counts()]
    for name, module in MODULES.items():
        lines += ["", *table(name, module)]
    return "\n".join(lines)


def main() -> None:
    """Rewrite the page."""
    before, _, rest = PAGE.read_text().partition(MARKS[0])
    after = rest.partition(MARKS[1])[2]
    PAGE.write_text(f"{before}{MARKS[0]}\n{tables()}\n{MARKS[1]}{after}")


if __name__ == "__main__":
    main()
