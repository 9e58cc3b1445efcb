"""The names of ``numpy.linalg``, for programs that import them from here."""

from typing import Any

import numpy.linalg


def __getattr__(name: str) -> Any:
    return getattr(numpy.linalg, name)


def __dir__() -> list[str]:
    return dir(numpy.linalg)
