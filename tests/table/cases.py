"""Rows and cases: what the table says of a function, and at which points the checks look."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import dezero.functions as F


class Fixed:
    """An array argument that has no gradient; the function gets a fresh copy at every call."""

    def __init__(self, value: Any) -> None:
        self.value = np.asarray(value)


class Case:
    """One call of a function: every float array in it is an input that has a gradient."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args = args
        self.kwargs = kwargs

    def __repr__(self) -> str:
        shown = [_shown(x) for x in self.args]
        shown += [f"{name}={_shown(x)}" for name, x in self.kwargs.items()]
        return f"({', '.join(shown)})"

    def leaves(self) -> list[np.ndarray]:
        """Return the inputs that have a gradient, in the order of the call."""
        found: list[np.ndarray] = []
        self._map(lambda x: found.append(x) or x, np.float64)
        return found

    def call(self, function: Callable[..., Any], values: Iterable[Any]) -> tuple[Any, ...]:
        """Call ``function`` with ``values`` for the leaves; return its outputs as a tuple."""
        values = list(values)
        dtype = values[0].dtype if values else np.float64
        remaining = iter(values)
        args, kwargs = self._map(lambda x: next(remaining), dtype)
        result = function(*args, **kwargs)
        return tuple(result) if isinstance(result, tuple | list) else (result,)

    def _map(self, visit: Callable[[Any], Any], dtype: Any) -> tuple[Any, Any]:
        return _map(self.args, visit, dtype), _map(self.kwargs, visit, dtype)


@dataclass(frozen=True)
class Kink:
    """A point without a unique derivative, and the documented convention there."""

    case: Case
    seed: Any
    gradients: tuple[Any, ...]


@dataclass(frozen=True)
class Row:
    """A differentiable function, as the checks need to know it."""

    name: str
    reference: Callable[..., Any]
    cases: Callable[[np.random.Generator], Iterable[Case]]
    call: Callable[..., Any] | None = None
    """How to call it, where that is not ``F.name(...)``."""
    orders: int = 2
    """How many derivatives are checked; fewer than two need a reason."""
    reason: str = ""
    numpy: tuple[Any, ...] = ()
    """NumPy's functions that it stands for, called with the same arguments."""
    kinks: tuple[Kink, ...] = ()
    labels: bool = False
    """Whether it takes labels, masks or indices: arrays without a gradient."""
    through_views: bool = False
    """Whether it keeps views of its inputs: the engine does not see those written in place."""
    tolerance: float = 1e-6
    float32: float = 2e-5
    """Relative tolerance of float32 results."""

    def __post_init__(self) -> None:
        assert self.orders >= 2 or self.reason, f"{self.name}: say why there is no second order"

    @property
    def function(self) -> Callable[..., Any]:
        return self.call or getattr(F, self.name)

    def rng(self) -> np.random.Generator:
        return np.random.default_rng(zlib.crc32(self.name.encode()))

    def samples(self) -> list[Case]:
        return list(self.cases(self.rng()))


def interval(rng: np.random.Generator, low: float, high: float, shape: Any) -> np.ndarray:
    return np.asarray(rng.uniform(low, high, shape))


def elementwise_cases(*intervals: tuple[float, float]) -> Callable[..., Iterator[Case]]:
    """Return cases for a function that works element by element: shapes that broadcast too."""

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        for shapes in _SHAPES[len(intervals)]:
            yield Case(*(interval(rng, *i, s) for i, s in zip(intervals, shapes, strict=True)))

    return cases


_SHAPES: dict[int, list[tuple[tuple[int, ...], ...]]] = {
    1: [((2, 3),), ((),), ((1,),), ((0, 3),), ((2, 1, 2, 2),)],
    2: [
        ((2, 3), (2, 3)),
        ((2, 3), (3,)),
        ((2, 3), ()),
        ((), (3,)),
        ((2, 1, 3), (4, 1)),
        ((), ()),
        ((1,), ()),
        ((0, 3), (3,)),
        ((0, 1), (1, 2)),
        ((3,), (2, 1, 1)),
    ],
    3: [
        ((2, 3), (2, 3), (2, 3)),
        ((2, 1), (3,), ()),
        ((), (), ()),
        ((0, 2), (2,), (1, 1)),
    ],
}


def _map(tree: Any, visit: Callable[[Any], Any], dtype: Any) -> Any:
    if isinstance(tree, Fixed):
        value = tree.value
        return value.astype(dtype) if value.dtype.kind == "f" else value.copy()
    if isinstance(tree, np.ndarray) and tree.dtype.kind == "f":
        return visit(tree)
    if type(tree) in (tuple, list):
        return type(tree)(_map(item, visit, dtype) for item in tree)
    if type(tree) is dict:
        return {name: _map(item, visit, dtype) for name, item in tree.items()}
    return tree


def _shown(x: Any) -> str:
    if isinstance(x, Fixed):
        return f"fixed {x.value.shape}"
    if isinstance(x, np.ndarray):
        return f"{x.dtype}{list(x.shape)}"
    if type(x) in (list, tuple):
        return "[" + ", ".join(_shown(item) for item in x) + "]"
    return repr(x)
