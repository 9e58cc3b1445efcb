"""The record of a profile: what ran, when, on how many bytes, and for which line and layer."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterable
from functools import cache
from time import perf_counter_ns as clock
from types import CodeType, FrameType
from typing import Any
from weakref import ref

import numpy as np

from dezero import tracing
from dezero.core import Variable
from dezero.core.places import Place
from dezero.core.watch import Watcher, pull_watched, start, stop
from dezero.layers import Layer
from dezero.layers.path import name_in

FORWARD, BACKWARD, UPDATE, OUTSIDE = "forward", "backward", "update", "outside"
PHASES = (FORWARD, BACKWARD, UPDATE, OUTSIDE)


class Path:
    """Where a layer is in its model: the names on the way to it, the outermost first."""

    __slots__ = ("_inside", "_layer", "names")

    def __init__(self, names: tuple[str, ...] = (), layer: Layer | None = None) -> None:
        self.names = names
        self._layer = None if layer is None else ref(layer)
        self._inside: dict[int, Path] = {}

    def into(self, layer: Layer) -> Path:
        """Return the path of ``layer``, called inside this one: looked up once, then known."""
        found = self._inside.get(id(layer))
        if found is None or found._layer is None or found._layer() is not layer:
            outer = None if self._layer is None else self._layer()
            name = None if outer is None else name_in(outer, layer)
            found = Path((*self.names, name or type(layer).__name__), layer)
            self._inside[id(layer)] = found
        return found


class Span:
    """A time in which one thing ran.

    Attributes
    ----------
    kind : str
        ``function``, ``gradient`` (of a function), ``layer``, ``walk`` (a backward pass),
        ``update`` (an optimizer), or ``root``: the whole profile.
    name : str
        The class.
    parent : Span or None
        What it ran inside of.
    path : Path
        The layer it belongs to; of a gradient, that of the function's call.
    place : tuple of code and line, Place, or None
        The line of the program; of a gradient, that of the function's call.
    phase : str
        One of :data:`PHASES`.
    asked, start, end, left : int
        Nanoseconds: the profile heard of it, it began, it ended, the profile had noted it.
    moved : int
        Bytes of the arrays that were read and written.
    source : Span or None
        Of a gradient, the call of the function.
    """

    __slots__ = (
        "asked",
        "end",
        "kind",
        "known",
        "left",
        "moved",
        "name",
        "parent",
        "path",
        "phase",
        "place",
        "source",
        "start",
    )

    def __init__(
        self, kind: str, name: str, parent: Span | None, path: Path, place: Any, phase: str
    ) -> None:
        self.kind = kind
        self.name = name
        self.parent = parent
        self.path = path
        self.place = place
        self.phase = phase
        self.start = self.end = self.left = self.moved = 0
        self.asked = 0
        self.source: Span | None = None
        self.known: Any = ()  # ids of what the function held before its call


class _Alive(ref[Any]):
    """A weak reference to an array that is counted; knows whose it is when it dies."""

    __slots__ = ("key", "maker", "nbytes")

    key: int
    maker: Span
    nbytes: int


class Record(Watcher):
    """Notes everything that its thread runs; others read it when the run is over.

    What is called for every function does as little as it can: it looks at the clock, finds the
    line, and adds up bytes. Sums are made afterwards.
    """

    def __init__(self) -> None:
        self.root = Span("root", "profile", None, Path(), None, OUTSIDE)
        self.spans: list[Span] = []  # in the order in which they began
        self.memory: list[tuple[int, int, Span]] = []  # time, bytes (less than 0: freed), maker
        self.marks: list[int] = []  # where steps ended
        self.thread = 0
        self._now: Span | None = None  # what is running
        self._made: dict[int, tuple[ref[Any], Span]] = {}
        self._alive: dict[int, _Alive] = {}

    def begin(self) -> None:
        """Record from now on."""
        self.thread = threading.get_native_id()
        self.root.asked = self.root.start = clock()
        self._now = self.root
        start(self)

    def finish(self) -> None:
        """Record no more, and hold nothing of the run."""
        stop(self)
        now = clock()
        span, self._now = self._now, None
        while span is not None:  # left open where the block ends inside of something
            span.start = span.start or now
            span.end = span.left = now
            span = span.parent
        self._made.clear()
        self._alive.clear()

    def mark(self) -> None:
        """Note that a step has ended."""
        self.marks.append(clock())

    def before(self, function: Any, xs: list[Any]) -> None:
        """Note which line calls the function."""
        asked = clock()
        outer = self._now
        if outer is None:
            return
        place = _place(sys._getframe(1), outer)
        phase = FORWARD if outer.phase is OUTSIDE else outer.phase
        span = Span("function", type(function).__name__, outer, outer.path, place, phase)
        held = getattr(function, "__dict__", None)
        if held:
            span.known = [*map(id, held.values())]
        self._made[id(function)] = ref(function), span
        self._begin(span, asked)

    def after(self, function: Any, xs: list[Any], ys: Any) -> None:
        """Note how long it took, what it read and wrote, and what it made."""
        end = clock()
        span = self._now
        if span is None:
            return
        ys = ys if ys.__class__ is tuple else (ys,)
        span.moved = _bytes(xs) + _bytes(ys)
        for y in ys:
            self._count(y, xs, span, end)
        held = getattr(function, "__dict__", None)
        if held:
            for value in held.values():
                if value.__class__ is np.ndarray and id(value) not in span.known:
                    self._count(value, xs, span, end)
        self._end(span, end)

    def before_gradient(self, function: Any, gy: Any) -> None:
        """Note whose gradient it is: the line and the layer are those of the forward call."""
        asked = clock()
        outer = self._now
        if outer is None:
            return
        source = self._source(function)
        path, place = (source.path, source.place) if source else _traced(function, outer)
        span = Span("gradient", type(function).__name__, outer, path, place, BACKWARD)
        span.source = source
        for g in gy if gy.__class__ is list else (gy,):
            self._count(g, (), span, asked)  # sums that the walk has made
        self._begin(span, asked)

    def after_gradient(self, function: Any, gy: Any, gxs: Any) -> None:
        """Note how long it took, what it read and wrote, and what it made."""
        end = clock()
        span = self._now
        if span is None:
            return
        read: dict[int, Any] = {}
        _read(function._saved, read)
        for g in gy if gy.__class__ is list else (gy,):
            read[id(g)] = g
        span.moved = _bytes(read.values()) + _bytes(gxs or ())
        for gx in gxs or ():
            self._count(gx, read.values(), span, end)
        self._end(span, end)

    def enter(self, part: Any, inputs: tuple[Any, ...]) -> None:
        """Go into a layer, a backward pass, or an update."""
        asked = clock()
        outer = self._now
        if outer is None:
            return
        path, place, phase = outer.path, outer.place, outer.phase
        if isinstance(part, Layer):
            kind, path = "layer", path.into(part)
            phase = FORWARD if phase is OUTSIDE else phase
        else:
            kind, phase = ("walk", BACKWARD) if part == "backward" else ("update", UPDATE)
            place = _place(sys._getframe(1), outer)
        name = part if kind == "walk" else type(part).__name__
        self._begin(Span(kind, name, outer, path, place, phase), asked)

    def leave(self, part: Any, outputs: Any) -> None:
        """Come out of it."""
        end = clock()
        if self._now is not None:
            self._end(self._now, end)

    def _begin(self, span: Span, asked: int) -> None:
        self.spans.append(span)
        self._now = span
        span.asked = asked
        span.start = clock()

    def _end(self, span: Span, end: int) -> None:
        self._now = span.parent
        span.end = end
        span.left = clock()

    def _source(self, function: Any) -> Span | None:
        """Return the call that made a node, if it was heard of: an id alone may be used again."""
        found = self._made.get(id(function))
        return found[1] if found is not None and found[0]() is function else None

    def _count(self, x: Any, given: Iterable[Any], maker: Span, now: int) -> None:
        """Count the memory of ``x`` until it is freed, unless it is that of a given array."""
        owner = _owner(x)
        if owner is None or id(owner) in self._alive:
            return
        for other in given:
            if _owner(other) is owner:
                return
        try:
            alive = _Alive(owner, self._freed)
        except TypeError:  # an array that cannot be held weakly
            return
        alive.key, alive.maker, alive.nbytes = id(owner), maker, owner.nbytes
        self._alive[alive.key] = alive
        self.memory.append((now, alive.nbytes, maker))

    def _freed(self, dead: Any) -> None:
        if self._alive.pop(dead.key, None) is not None:
            self.memory.append((clock(), -dead.nbytes, dead.maker))


def place_of(span: Span) -> Place | None:
    """Return the line that a span belongs to."""
    place = span.place
    if isinstance(place, tuple):
        code, line = place
        return _line(code.co_filename, line, code.co_name)
    return place


_line = cache(Place)


def _place(frame: FrameType | None, outer: Span) -> tuple[CodeType, int] | Place | None:
    """Return the code and line, outside this package, that runs.

    What a built-in gradient rule runs belongs to the line that the gradient belongs to.
    """
    while frame is not None:
        code = frame.f_code
        if not code.co_filename.startswith(_OURS):
            return code, frame.f_lineno
        if code is _PULL:
            break
        frame = frame.f_back
    return outer.place


def _traced(function: Any, outer: Span) -> tuple[Path, Any]:
    """Return the layer and line of a node that was made before the profile, if it was traced."""
    known = tracing.origin(function)
    return (outer.path, None) if known is None else (Path(known.layers), known.place)


@cache
def _kind(of: type) -> str:
    """Return what values of a type are to the record; what vmap runs on is nothing."""
    if issubclass(of, Variable):
        return "variable"
    if issubclass(of, np.generic):
        return "number"
    is_array = issubclass(of, np.ndarray) or of.__module__.partition(".")[0] == "cupy"
    return "array" if is_array else ""


def _owner(x: Any) -> Any:
    """Return the array whose memory ``x`` looks at; ``None`` for a number."""
    kind = _kind(x.__class__)
    if kind == "variable":
        x = x._data
        kind = _kind(x.__class__)
    if kind != "array":
        return None
    base = x.base
    while base is not None and _kind(base.__class__) == "array":
        x, base = base, base.base
    return x


def _bytes(values: Iterable[Any]) -> int:
    total = 0
    for x in values:
        kind = _kind(x.__class__)
        if kind == "variable":
            x = x._data
            kind = _kind(x.__class__)
        if kind:
            total += x.nbytes
    return total


def _read(saved: Any, found: dict[int, Any]) -> None:
    """Find what a node keeps for its gradient rules: tuples of arrays, for each input one."""
    for item in saved or ():
        kind = item.__class__
        if kind is tuple:
            _read(item, found)
        elif _kind(kind) == "array":
            found[id(item)] = item


_PULL = pull_watched.__code__
_OURS = (os.path.dirname(os.path.dirname(__file__)) + os.sep, contextlib.__file__)
