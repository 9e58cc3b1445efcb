"""Where in the user's program something happens: the line outside this package that runs."""

from __future__ import annotations

import linecache
import os
import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a program.

    Attributes
    ----------
    file : str
        The file, as Python names it: ``<stdin>`` or a notebook's cell too.
    line : int
        The number of the line, from 1.
    function : str
        The function that the line belongs to.
    """

    file: str
    line: int
    function: str

    @property
    def code(self) -> str:
        """The text of the line, without indentation; empty where Python cannot find it."""
        return linecache.getline(self.file, self.line).strip()

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def place() -> Place:
    """Return the line of the program, outside this package, that is running."""
    return places(1)[0]


def places(limit: int) -> tuple[Place, ...]:
    """Return up to ``limit`` lines of the program that led here, the innermost first.

    Lines of this package are left out, unless there are no others.
    """
    frame = sys._getframe(1)
    last = frame
    found: list[Place] = []
    at = frame.f_back
    while at is not None and len(found) < limit:
        code = at.f_code
        if not in_package(code.co_filename):
            found.append(Place(code.co_filename, at.f_lineno, code.co_name))
        last, at = at, at.f_back
    return tuple(found) or (Place(last.f_code.co_filename, last.f_lineno, last.f_code.co_name),)


def in_package(file: str) -> bool:
    """Whether a file belongs to this package, and not to a program that uses it."""
    return file.startswith(_PACKAGE)


_PACKAGE = os.path.dirname(os.path.dirname(__file__)) + os.sep
