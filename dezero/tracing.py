"""The record of a run: which line of the program, and which layer, made each node of a graph.

The pictures, the page and the tools that find bugs all read it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Any

from dezero.core.places import Place, places
from dezero.core.watch import Watcher, origins, start, stop
from dezero.layers import Layer
from dezero.layers.path import path_of


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a function was called.

    Attributes
    ----------
    places : tuple of Place
        The lines of the program that led to the call, the innermost first.
    layers : tuple of str
        The path of layers around it, the outermost first: ``("Net", "blocks/2", "attention")``.
    kinds : tuple of str
        Their classes.
    call : tuple of int
        A number for each of those layers: which call it was, since a layer may be called often.
        No two calls of a process have the same.
    order : int
        Which of the functions of its trace this was, from 0.
    """

    places: tuple[Place, ...]
    layers: tuple[str, ...]
    kinds: tuple[str, ...]
    call: tuple[int, ...]
    order: int

    @property
    def place(self) -> Place:
        """The line of the program that called the function."""
        return self.places[0]


_calls = count(1)


def origin(function: Any) -> Origin | None:
    """Return where ``function``, a node of a graph, was called; ``None`` if nobody traced it.

    Examples
    --------
    >>> import numpy as np, dezero
    >>> from dezero.tracing import origin
    >>> x = dezero.Variable(np.array(2.0))
    >>> with dezero.trace():
    ...     y = x * x
    >>> origin(y.creator).place.function
    '<module>'
    """
    return origins.get(function)


class trace(Watcher):
    """Remember, inside a ``with`` block, which line and layer each node of a graph came from.

    It costs some microseconds a function; what was traced shows its lines in pictures, on the
    page and in errors for as long as its graph lives.

    Parameters
    ----------
    depth : int, default 1
        How many lines of the program to remember: the one that called the function, the one
        that called that one's function, and so on.

    Examples
    --------
    >>> import numpy as np, dezero, dezero.layers as L
    >>> from dezero.tracing import origin
    >>> model = dezero.models.MLP((3, 1))
    >>> with dezero.trace():
    ...     y = model(np.ones((2, 4), np.float32))
    >>> origin(y.creator).layers
    ('MLP', 'l1')
    """

    def __init__(self, depth: int = 1) -> None:
        self.depth = depth
        self.layers: list[Layer] = []
        self._path: tuple[tuple[str, ...], tuple[str, ...], tuple[int, ...]] = ((), (), ())
        self._outer: list[tuple[tuple[str, ...], tuple[str, ...], tuple[int, ...]]] = []
        self._order = 0

    def __enter__(self) -> Any:
        start(self)
        return self

    def __exit__(self, *exc: object) -> None:
        stop(self)

    def before(self, function: Any, xs: list[Any]) -> None:
        """Remember where ``function`` is called."""
        origins[function] = Origin(places(self.depth), *self._path, self._order)
        self._order += 1

    def enter(self, part: Any, inputs: tuple[Any, ...]) -> None:
        """Go into a layer."""
        if isinstance(part, Layer):
            self.layers.append(part)
            self._outer.append(self._path)
            _, kinds, call = self._path
            kinds = (*kinds, type(part).__name__)
            self._path = path_of(self.layers), kinds, (*call, next(_calls))

    def leave(self, part: Any, outputs: Any) -> None:
        """Come out of it."""
        if isinstance(part, Layer) and self.layers:
            self.layers.pop()
            self._path = self._outer.pop()
