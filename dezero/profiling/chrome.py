"""Chrome's trace format: a list of events that chrome://tracing and Perfetto show."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import cache
from typing import Any

from dezero.core.places import Place
from dezero.profiling.record import Record, Span, place_of


def write_chrome(record: Record, path: str | os.PathLike[str]) -> None:
    """Write the events of a record to a JSON file."""
    found = {"traceEvents": list(events(record)), "displayTimeUnit": "ms"}
    with open(path, "w", encoding="utf-8") as file:
        file.write(json.dumps(found, separators=(",", ":")))  # ten times faster than dump


def events(record: Record) -> Iterator[dict[str, Any]]:
    """Give the events: spans (``X``), memory (``C``), forward to gradient (``s``, ``f``).

    Times are in microseconds from the beginning of the profile.
    """
    zero = record.root.start
    at = {"pid": os.getpid(), "tid": record.thread}
    yield {"ph": "M", "name": "process_name", "ts": 0, "args": {"name": "dezero.profile"}} | at
    for span in (record.root, *record.spans):
        yield _complete(span, zero) | at
    pulled = [span for span in record.spans if span.source is not None]
    for i, span in enumerate(pulled):
        link = {"cat": "gradient", "name": "gradient", "id": i} | at
        begin = span.source.start if span.source is not None else 0
        yield {"ph": "s", "ts": (begin - zero) / 1e3} | link
        yield {"ph": "f", "bp": "e", "ts": (span.start - zero) / 1e3} | link
    total = 0
    for time, size, _ in record.memory:
        total += size
        yield {
            "ph": "C",
            "name": "memory",
            "ts": (time - zero) / 1e3,
            "args": {"bytes": total},
        } | at
    for i, time in enumerate(record.marks, 1):
        yield {"ph": "i", "s": "t", "name": f"end of step {i}", "ts": (time - zero) / 1e3} | at


@cache
def text_of(place: Place) -> str:
    """Return the text of a line, looked up once."""
    return place.code


def _complete(span: Span, zero: int) -> dict[str, Any]:
    place = place_of(span)
    args: dict[str, Any] = {}
    if span.path.names:
        args["layer"] = " > ".join(span.path.names)
    if place is not None:
        args |= {"line": str(place), "code": text_of(place)}
    if span.moved:
        args["bytes moved"] = span.moved
    name = span.path.names[-1] if span.kind == "layer" else span.name
    return {
        "ph": "X",
        "name": f"{name} gradient" if span.kind == "gradient" else name,
        "cat": f"{span.phase},{span.kind}",
        "ts": (span.start - zero) / 1e3,
        "dur": (span.end - span.start) / 1e3,
        "args": args,
    }
