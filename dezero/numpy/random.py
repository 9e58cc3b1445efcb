"""The names of ``numpy.random``, for programs that import them from here."""

from typing import Any

import numpy.random


def __getattr__(name: str) -> Any:
    return getattr(numpy.random, name)


def __dir__() -> list[str]:
    return dir(numpy.random)
