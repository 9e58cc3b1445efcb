"""Put benchmarks/results/latest.md between the markers of the README.

``python benchmarks/readme.py`` writes; ``--check`` only says whether it would change anything.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BEGIN = "<!-- benchmarks:begin -->"
END = "<!-- benchmarks:end -->"
PICTURE = "benchmarks/results/ratios.png"


def replaced(readme: str, table: str) -> str:
    """``readme`` with ``table`` between its markers.

    Raises
    ------
    ValueError
        Unless there is one marker of each kind, the beginning first.
    """
    counts = readme.count(BEGIN), readme.count(END)
    if counts != (1, 1) or readme.index(BEGIN) > readme.index(END):
        raise ValueError(
            f"the README has {counts[0]} {BEGIN} and {counts[1]} {END}; it wants one of each, in "
            "this order, around the place of the table"
        )
    before, rest = readme.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{table.strip()}\n{END}{after}"


def main(arguments: list[str] | None = None) -> int:
    """Replace, or check; 1 where the check finds a difference."""
    parser = argparse.ArgumentParser(description=__doc__, prog="benchmarks/readme.py")
    parser.add_argument("--check", action="store_true", help="change nothing, fail if it would")
    parser.add_argument("--readme", type=Path, default=ROOT / "README.md")
    parser.add_argument("--table", type=Path, default=ROOT / "benchmarks/results/latest.md")
    options = parser.parse_args(arguments)
    table = options.table.read_text(encoding="utf-8")
    if options.table.with_name("ratios.png").exists():
        table += f"\n![DeZero's time divided by PyTorch's]({PICTURE})\n"
    old = options.readme.read_text(encoding="utf-8")
    try:
        new = replaced(old, table)
    except ValueError as error:
        print(f"{options.readme}: {error}", file=sys.stderr)
        return 1
    if options.check:
        if old != new:
            print(f"{options.readme} differs: run python benchmarks/readme.py", file=sys.stderr)
        return int(old != new)
    options.readme.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
