"""The names of layers: where in a model a layer is, as in ``Net > blocks/2 > attention``."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from itertools import pairwise
from types import FrameType
from typing import Any

from dezero.core.function import describe


def name_in(parent: Any, child: Any) -> str | None:
    """Return the name of the layer ``child`` inside ``parent``: ``out``, ``blocks/2``.

    ``None`` where it is not an attribute, nor in lists, tuples and dicts of one.
    """
    return _find(vars(parent).items(), child)


def _find(items: Any, child: Any) -> str | None:
    for key, value in items:
        if value is child:
            return str(key)
        found = None
        if isinstance(value, dict):
            found = _find(value.items(), child)
        elif isinstance(value, list | tuple):
            found = _find(enumerate(value), child)
        if found is not None:
            return f"{key}/{found}"
    return None


def path_of(layers: Sequence[Any]) -> tuple[str, ...]:
    """Return the names of ``layers``, each called inside the one before it.

    The first is known by its class, others by the attribute that holds them, where one does.
    """
    names = [type(layers[0]).__name__] if layers else []
    for parent, child in pairwise(layers):
        names.append(name_in(parent, child) or type(child).__name__)
    return tuple(names)


def note_layer(
    error: Exception, layer: Any, inputs: tuple[Any, ...], named: dict[str, Any]
) -> None:
    """Say in a note of ``error`` that it passed through ``layer``: called by each, from within.

    There is one note, of the whole path, with the inputs of the innermost layer. An error whose
    message says where it happened has ``_layers = None``.
    """
    known = getattr(error, "_layers", ((), "", "", math.inf))
    if known is None:
        return
    layers, got, old, inner = known
    depth = _depth()
    if not layers or depth >= inner:  # an error object may be raised again, elsewhere
        layers, got = (), _described(inputs, named)
    layers = (layer, *layers)
    kind = type(layers[-1]).__name__
    path = path_of(layers)
    note = f"in layer {' > '.join(path)}" + (f" ({kind})" if path[-1] != kind else "")
    note += f", called on {got}"
    notes = getattr(error, "__notes__", [])
    if old in notes:
        notes[notes.index(old)] = note
    else:
        error.add_note(note)
    error._layers = (layers, got, note, depth)  # type: ignore[attr-defined]


def _depth() -> int:
    """Return how many calls are running."""
    frame: FrameType | None = sys._getframe(1)
    depth = 0
    while frame is not None:
        depth += 1
        frame = frame.f_back
    return depth


def _described(inputs: tuple[Any, ...], named: dict[str, Any]) -> str:
    given = [_shown(x) for x in inputs]
    return ", ".join([*given, *(f"{name}={_shown(x)}" for name, x in named.items())]) or "nothing"


def _shown(x: Any) -> str:
    """Return the shapes of what a layer got; what is in lists too, as far as it is short."""
    if isinstance(x, list | tuple) and len(x) <= 3:
        return f"{type(x).__name__} of {', '.join(map(_shown, x))}" if x else repr(x)
    if x is None or isinstance(x, bool | int | float):
        return repr(x)
    return describe(getattr(x, "_data", x))
