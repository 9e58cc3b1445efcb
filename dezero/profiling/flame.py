"""The flame graph: a page of which each box is as wide as what it stands for took time."""

from __future__ import annotations

import json
import os
from importlib import resources
from typing import Any

from dezero.profiling.record import PHASES, Record, Span, place_of
from dezero.profiling.rows import self_times

Frame = tuple[str, str, str, str]  # kind, name, line, text of the line


def write_flame(record: Record, path: str | os.PathLike[str]) -> None:
    """Write the page: data, style and program in one file."""
    page = _resource("flame.html")
    data = json.dumps(tree(record), separators=(",", ":")).replace("<", "\\u003c")
    for mark, text in (
        ("/*STYLE*/", _resource("flame.css")),
        ("/*PROGRAM*/", _resource("flame.js")),
        ("/*DATA*/", data),
    ):
        page = page.replace(mark, text, 1)
    with open(path, "w", encoding="utf-8") as file:
        file.write(page)


def tree(record: Record) -> dict[str, Any]:
    """Return what ran inside of what, calls of the same line added up.

    Each node has its ``kind``, ``name``, ``line`` and ``code``, ``self`` (nanoseconds without what
    is inside), ``calls``, ``moved`` (bytes) and ``children``. The root's children are the phases.
    """
    root = _node(("root", "all", "", ""))
    frames: dict[Span, tuple[Frame, ...]] = {}
    for span, own in self_times(record).items():
        frames[span] = _frames(span, frames)
        node = root
        for frame in frames[span]:
            node = node["children"].get(frame) or _inside(node, frame)
        node["self"] += max(own, 0)
        node["calls"] += 1
        node["moved"] += span.moved
    _as_lists(root)
    return root


def _frames(span: Span, known: dict[Span, tuple[Frame, ...]]) -> tuple[Frame, ...]:
    """Return the boxes that a span is in, the outermost, its phase, first."""
    phase: Frame = ("phase", span.phase, "", "")
    around = known[span.parent] if span.parent is not None else (phase,)
    if around[0] != phase:  # what begins a phase: a walk, an update, a layer, a function
        around = (phase,)
    if span.kind == "root" or (span.kind == "walk" and around == (phase,)):
        return around
    if span.kind == "gradient":
        layers = tuple(frame[1] for frame in around if frame[0] == "layer")
        names = span.path.names
        new = names[len(layers) :] if names[: len(layers)] == layers else names
        around += tuple(("layer", name, "", "") for name in new)
    return (*around, _frame(span))


def _frame(span: Span) -> Frame:
    place = None if span.kind == "layer" else place_of(span)
    name = span.path.names[-1] if span.kind == "layer" else span.name
    if place is None:
        return span.kind, name, "", ""
    return span.kind, name, str(place), place.code


def _inside(node: dict[str, Any], frame: Frame) -> dict[str, Any]:
    node["children"][frame] = made = _node(frame)
    return made


def _node(frame: Frame) -> dict[str, Any]:
    kind, name, line, code = frame
    return {
        "kind": kind,
        "name": name,
        "line": line,
        "code": code,
        "self": 0,
        "calls": 0,
        "moved": 0,
        "children": {},
    }


def _as_lists(root: dict[str, Any]) -> None:
    """Make the children lists, in the order in which they first ran; phases in that of PHASES."""
    phases = sorted(root["children"].items(), key=lambda item: PHASES.index(item[0][1]))
    root["children"] = dict(phases)
    stack = [root]
    while stack:
        node = stack.pop()
        node["children"] = list(node["children"].values())
        stack += node["children"]


def _resource(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
