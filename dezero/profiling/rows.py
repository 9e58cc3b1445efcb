"""Sums of a record: by function, by layer, by line, by step; and what was alive at the peak."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from dezero.core.places import Place
from dezero.profiling.record import OUTSIDE, PHASES, Record, Span, place_of

PYTHON = "(Python in layers)"
WALK = "(walk)"
USER = "(outside)"
OWN = "(the profile itself)"
NO_LAYER = "(in no layer)"
UNKNOWN = "(line not known)"
KINDS = ("function", "layer", "line", "step")


@dataclass(frozen=True, slots=True)
class Row:
    """What one function, layer, line or step took. Times are in seconds.

    Attributes
    ----------
    name : str
        ``"Linear"``; ``"Net > blocks/2"``; ``"train.py:12"``; in brackets what is none of these.
    place : Place or None
        Of a line: its file, number, function and text.
    calls, gradients : int
        How often it was called, and how often a gradient was pulled back through it.
    self_time : float
        Without the functions and layers inside, each of which has its own row. Over all rows of
        a kind it adds up to the time of the profile. To a gradient belongs what the backward
        pass does with it: shaping it, adding it to others.
    forward, backward, update, outside : float
        Time with what is inside, by what it was for.
    moved : int
        Bytes of arrays read and written, of layers with what is inside: the inputs and the
        output of a function; of a gradient what arrives, what was kept, and what leaves.
    memory : int
        Bytes that it had made, of those that were alive when most were: of layers with what is
        inside.
    """

    name: str
    place: Place | None
    calls: int
    gradients: int
    self_time: float
    forward: float
    backward: float
    update: float
    outside: float
    moved: int
    memory: int

    @property
    def total(self) -> float:
        """Seconds, with what is inside."""
        return self.forward + self.backward + self.update + self.outside


class Peak(NamedTuple):
    """When the most bytes were alive, and what ran then.

    Attributes
    ----------
    bytes : int
        How many.
    function, layer : str
        What had just made an array.
    place : Place or None
        Its line.
    phase : str
        ``"forward"``, ``"backward"``, ``"update"`` or ``"outside"``.
    """

    bytes: int
    function: str
    layer: str
    place: Place | None
    phase: str


class _Sums:
    """A row that is being added up, in nanoseconds."""

    def __init__(self) -> None:
        self.calls = self.gradients = self.own = self.moved = self.memory = 0
        self.phases = dict.fromkeys(PHASES, 0)


def self_times(record: Record) -> dict[Span, int]:
    """Return nanoseconds for each span, the root too, without what ran inside of it.

    What the profile took to note a span belongs to neither that nor its parent. What a backward
    pass does after a gradient, it does with that gradient: shaping it, adding it to others.
    """
    own = {span: span.end - span.start for span in (record.root, *record.spans)}
    latest: dict[Span, tuple[Span, int]] = {}  # of each walk: a gradient, and since when
    for span in record.spans:
        outer = span.parent
        if outer is None:
            continue
        own[outer] -= span.left - span.asked
        if outer.kind == "walk":
            _hand_on(own, outer, latest, span.asked)
            if span.kind == "gradient" or outer in latest:
                gradient = span if span.kind == "gradient" else latest[outer][0]
                latest[outer] = gradient, span.left
    for walk in latest:
        _hand_on(own, walk, latest, walk.end)
    return own


def _hand_on(
    own: dict[Span, int], walk: Span, latest: dict[Span, tuple[Span, int]], now: int
) -> None:
    """Give the time of a walk since its latest gradient to that."""
    if walk in latest:
        gradient, since = latest[walk]
        own[gradient] += now - since
        own[walk] -= now - since


def profiles_own(record: Record) -> int:
    """Return the nanoseconds in which the profile took notes."""
    return sum(s.left - s.asked - (s.end - s.start) for s in record.spans)


def phases(record: Record) -> dict[str, float]:
    """Return seconds by phase, and those of the profile itself; they add up to its time."""
    found = dict.fromkeys(PHASES, 0)
    for span, own in self_times(record).items():
        found[span.phase] += own
    found["profile"] = profiles_own(record)
    return {phase: ns * 1e-9 for phase, ns in found.items()}


def rows(record: Record, kind: str) -> list[Row]:
    """Return the rows of a kind, the longest self time first; layers by total, steps in order."""
    if kind not in KINDS:
        wanted = ", ".join(map(repr, KINDS))
        raise ValueError(f"profile.by: got {kind!r}; it wants one of {wanted}")
    if kind == "step":
        return _steps(record)
    sums: dict[Any, _Sums] = defaultdict(_Sums)
    keys: dict[Span, tuple[Any, ...]] = {}
    alive = alive_at_peak(record)
    keys_of = _KEYS[kind]
    for span, own in self_times(record).items():
        keys[span] = keys_of(span, _around(span.parent, keys))
        _add(sums, keys[span], span, own, alive.get(span, 0), inside=kind == "layer")
    notes = profiles_own(record)
    if notes:
        sums[OWN].own = sums[OWN].phases[OUTSIDE] = notes
    found = [_row(key, s) for key, s in sums.items()]
    return sorted(found, key=lambda row: -(row.total if kind == "layer" else row.self_time))


def _add(
    sums: dict[Any, _Sums], keys: tuple[Any, ...], span: Span, own: int, memory: int, inside: bool
) -> None:
    """Add a span: its own time to its row; its total to each row that it is inside of."""
    mine = sums[keys[0]]
    mine.own += own
    for key in keys:
        sums[key].phases[span.phase] += own
    counted = "layer" if inside and span.path.names else "function"
    mine.calls += span.kind in (counted, "walk", "update")
    for key in keys if inside else keys[:1]:
        sums[key].moved += span.moved
        sums[key].memory += memory
        sums[key].gradients += span.kind == "gradient"


def _around(outer: Span | None, keys: dict[Span, tuple[Any, ...]]) -> tuple[Any, ...]:
    """Return the rows that what runs in ``outer`` counts to: those of functions, not of Python."""
    if outer is None:
        return ()
    return keys[outer] if outer.kind in ("function", "gradient", "update") else keys[outer][1:]


def _by_function(span: Span, around: tuple[Any, ...]) -> tuple[Any, ...]:
    name = {"layer": PYTHON, "walk": WALK, "root": USER}.get(span.kind, span.name)
    return _nested(name, around)


def _by_line(span: Span, around: tuple[Any, ...]) -> tuple[Any, ...]:
    if span.kind == "layer":
        return _nested(PYTHON, around)
    if span.kind == "root":
        return (USER,)
    return _nested(place_of(span) or UNKNOWN, around)


def _nested(key: Any, around: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the key of a row and those it is inside of, each once."""
    return (key, *(k for k in around if k != key))


def _by_layer(span: Span, around: tuple[Any, ...]) -> tuple[Any, ...]:
    names = span.path.names
    if names:
        return tuple(names[:i] for i in range(len(names), 0, -1))
    outside = {"walk": WALK, "root": USER, "update": span.name}
    return (outside.get(span.kind, NO_LAYER),)


_KEYS: dict[str, Callable[[Span, tuple[Any, ...]], tuple[Any, ...]]] = {
    "function": _by_function,
    "layer": _by_layer,
    "line": _by_line,
}


def _row(key: Any, sums: _Sums) -> Row:
    times = {phase: ns * 1e-9 for phase, ns in sums.phases.items()}
    return Row(
        name=" > ".join(key) if isinstance(key, tuple) else str(key),
        place=key if isinstance(key, Place) else None,
        calls=sums.calls,
        gradients=sums.gradients,
        self_time=sums.own * 1e-9,
        moved=sums.moved,
        memory=sums.memory,
        **times,
    )


def _steps(record: Record) -> list[Row]:
    """Return a row for each marked step, and one for functions after the last, if any ran."""
    begins = [record.root.start, *record.marks]
    ends = [*record.marks, record.root.end]
    steps = [_Sums() for _ in begins]
    alive: list[int] = [0] * len(begins)
    for span, own in self_times(record).items():
        if span.kind != "root":
            at = bisect_right(record.marks, span.asked)
            steps[at].phases[span.phase] += own
            steps[at].own += own
            steps[at].calls += span.kind == "function"
            steps[at].gradients += span.kind == "gradient"
            steps[at].moved += span.moved
    total = 0
    for time, size, _ in record.memory:
        total += size
        at = bisect_right(record.marks, time)
        alive[at] = max(alive[at], total)
    for step, most, begin, end in zip(steps, alive, begins, ends, strict=True):
        step.memory = most
        step.phases[OUTSIDE] += end - begin - step.own
        step.own = end - begin
    if not steps[-1].calls and not steps[-1].gradients and record.marks:
        steps.pop()
    named = [
        (f"step {i}" if i <= len(record.marks) else "after", s) for i, s in enumerate(steps, 1)
    ]
    return [_row(name, step) for name, step in named]


def _most(record: Record) -> int:
    """Return the number of the event after which the most bytes were alive; -1 for none."""
    total = most = 0
    found = -1
    for i, (_, size, _) in enumerate(record.memory):
        total += size
        if total > most:
            most, found = total, i
    return found


def alive_at_peak(record: Record) -> dict[Span, int]:
    """Return how many bytes each function had made of those alive when most were."""
    found: dict[Span, int] = defaultdict(int)
    for _, size, maker in record.memory[: _most(record) + 1]:
        found[maker] += size
    return found


def peak(record: Record) -> Peak:
    """Return when the most bytes were alive."""
    at = _most(record)
    if at < 0:
        return Peak(0, "", "", None, OUTSIDE)
    total = sum(size for _, size, _ in record.memory[: at + 1])
    span = record.memory[at][2]
    return Peak(total, span.name, " > ".join(span.path.names), place_of(span), span.phase)
