"""Where in the user's program something happens: the line of it that runs.

The program is what its author can change: neither this package, nor NumPy and other libraries
that call functions they were given, nor Python's own modules and a notebook's machinery.
"""

from __future__ import annotations

import linecache
import os
import sys
from dataclasses import dataclass
from functools import cache
from types import FrameType


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

    @property
    def quoted(self) -> str:
        """``FILE:LINE: the text of the line``, as far as that is known."""
        return f"{self}: {self.code}" if self.code else str(self)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def place() -> Place:
    """Return the line of the program that is running."""
    return places(1)[0]


def places(limit: int) -> tuple[Place, ...]:
    """Return up to ``limit`` lines of the program that led here, the innermost first.

    Where none are, as in a library's own thread, it is the outermost line of all.
    """
    last = frame = sys._getframe(1)
    found: list[Place] = []
    at = frame.f_back
    while at is not None and len(found) < limit:
        if in_program(at.f_code.co_filename):
            found.append(_place_of(at))
        last, at = at, at.f_back
    return tuple(found) or (_place_of(last),)


def _place_of(frame: FrameType) -> Place:
    return Place(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)


def in_package(file: str) -> bool:
    """Whether a file belongs to this package, and not to a program that uses it."""
    return file.startswith(_PACKAGE)


@cache
def in_program(file: str) -> bool:
    """Whether a file is part of the user's program."""
    if in_package(file) or file.startswith("<frozen "):
        return False
    _, installed, name = file.replace(os.sep, "/").rpartition("-packages/")  # site-, dist-
    if installed:
        return name.partition("/")[0] not in _LIBRARIES
    return not file.startswith(_STANDARD)


_LIBRARIES = {"numpy", "scipy", "numba", "cupy", "IPython", "ipykernel", "pytest", "_pytest",
              "pluggy", "xdist", "execnet"}  # fmt: skip
_STANDARD = os.path.dirname(os.__file__) + os.sep
_PACKAGE = os.path.dirname(os.path.dirname(__file__)) + os.sep
