"""The profile as text."""

from __future__ import annotations

import os

from dezero.profiling.rows import Peak, Row

HEAD = ("calls", "grads", "forward", "backward", "total", "self", "%", "moved", "at peak")
LEGEND = (
    "grads: calls of its gradient; self, and % of all: without what ran inside",
    "moved: bytes read and written; at peak: bytes of it alive when most were",
)
WIDTH = 100  # columns, as far as the numbers leave _NAME of them
_NAME = 24


def heading(wall: float, phases: dict[str, float], peak: Peak, steps: int) -> str:
    """Return the first lines: the whole time, where it went, and the peak of memory."""
    marked = f", {steps} step{'s' * (steps > 1)} of {milliseconds(wall / steps)}" if steps else ""
    names = {"outside": "outside layers and functions", "profile": "the profile itself"}
    parts = [
        f"{names.get(phase, phase)} {milliseconds(seconds)} ({_percent(seconds, wall)} %)"
        for phase, seconds in phases.items()
    ]
    lines = [f"profile of {milliseconds(wall)}{marked}", *(f"  {part}" for part in parts)]
    if peak.bytes:
        where = [peak.function, peak.layer, "" if peak.place is None else short(str(peak.place))]
        lines.append(f"  most memory {size(peak.bytes)}, in {', '.join(filter(None, where))}")
    return "\n".join([*lines, "", *LEGEND])


def table(kind: str, rows: list[Row], wall: float, top: int) -> str:
    """Return a table of the first ``top`` rows; times in milliseconds."""
    cells = [_cells(row, wall) for row in rows[:top]]
    widths = [max(map(len, column)) + 1 for column in zip(HEAD, *cells, strict=True)]
    lines = [_line(f"by {kind}, ms", HEAD, widths)]
    for row, texts in zip(rows, cells, strict=False):
        name = short(row.name) if row.place is not None else row.name
        lines.append(_line(name, texts, widths))
        if row.place is not None and row.place.code:
            lines.append(f"    {row.place.code[: WIDTH - 4]}")
    left = rows[top:]
    if left:
        rest = sum(row.self_time for row in left)
        lines.append(f"... and {len(left)} more, self {milliseconds(rest)}")
    return "\n".join(lines)


def _cells(row: Row, wall: float) -> tuple[str, ...]:
    return (
        str(row.calls or ""),
        str(row.gradients or ""),
        _time(row.forward),
        _time(row.backward),
        _time(row.total),
        _time(row.self_time),
        _percent(row.self_time, wall),
        size(row.moved) if row.moved else "",
        size(row.memory) if row.memory else "",
    )


def _line(name: str, cells: tuple[str, ...], widths: list[int]) -> str:
    room = max(_NAME, WIDTH - sum(widths))
    if len(name) > room:
        name = "..." + name[3 - room :]
    numbers = (f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
    return (f"{name:{room}}" + "".join(numbers)).rstrip()


def short(place: str) -> str:
    """Return ``file:line`` without the folders, where that is a path."""
    return os.path.basename(place)


def milliseconds(seconds: float) -> str:
    """Return a time in milliseconds.

    Examples
    --------
    >>> milliseconds(0.0123456)
    '12.35 ms'
    """
    return f"{seconds * 1e3:,.2f} ms"


def size(count: int) -> str:
    """Return a number of bytes in a unit that suits it.

    Examples
    --------
    >>> size(999), size(3_140_000)
    ('999 B', '3.14 MB')
    """
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 999.5:
            break
        amount, unit = amount / 1000, "TB"
    return f"{amount:.3g} {unit}"


def _time(seconds: float) -> str:
    return f"{seconds * 1e3:,.2f}" if seconds else ""


def _percent(seconds: float, wall: float) -> str:
    return f"{100 * seconds / wall:.1f}" if wall else "0.0"
