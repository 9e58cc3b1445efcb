"""The command line: ``python -m dezero``."""

from __future__ import annotations

import argparse
import sys

from dezero import __version__
from dezero.info import as_json, as_text, collect


def main(arguments: list[str] | None = None) -> int:
    """Run a command; without one, show which there are."""
    parser = argparse.ArgumentParser(
        prog="python -m dezero", description=f"DeZero {__version__}, a deep-learning framework."
    )
    commands = parser.add_subparsers(dest="command", title="commands")
    info = commands.add_parser(
        "info",
        help="versions, CPU, BLAS, kernels, GPU: paste it into a bug report",
        description="Show what a bug report should say of this machine.",
    )
    info.add_argument("--json", action="store_true", help="for programs to read")
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help()
        return 0
    found = collect()
    print(as_json(found) if options.json else as_text(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
