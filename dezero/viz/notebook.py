"""What a notebook shows of a Variable and of a Layer."""

from __future__ import annotations

import html
from typing import Any

from dezero.core import Variable
from dezero.layers import Layer
from dezero.viz.plot import get_svg_graph
from dezero.viz.summary import count_params, memory_text


def params_html(layer: Layer) -> str:
    """Return what a notebook shows of a layer: its parameters, and how many numbers they have."""
    rows = []
    for name, param in layer.named_params():
        known = param.data is not None
        cells = (
            [name, str(param.shape), str(param.dtype)] if known else [name, "waits for data", ""]
        )
        cells.append("" if param.requires_grad else "not trained")
        rows.append("".join(f"<td>{html.escape(cell)}</td>" for cell in cells))
    table = f"<table><tr>{'</tr><tr>'.join(rows)}</tr></table>" if rows else ""
    count, trainable, size = count_params(layer)
    head = f"<b>{html.escape(type(layer).__name__)}</b>"
    return (
        f"<details><summary>{head}: {count:,} parameters, {trainable:,} trainable, "
        f"{memory_text(size)}</summary>{table}</details>"
    )


def variable_html(v: Variable) -> str:
    """Return what a notebook shows of a Variable: its value and, small enough, its graph."""
    text = f"<pre>{html.escape(repr(v))}</pre>"
    if v._data is None or v.creator is None:
        return text
    kind = html.escape(f"{v.shape} {v.dtype}")
    drawn = f"<details><summary>graph</summary>{get_svg_graph(v)}</details>" if _small(v) else ""
    return f"{text}<div>{kind}, computed by {html.escape(type(v.creator).__name__)}</div>{drawn}"


_SMALL_GRAPH = 150


def _small(v: Variable) -> bool:
    """Whether the graph behind a Variable is small enough to draw unasked."""
    seen: set[int] = set()
    stack = [v.creator]
    while stack and len(seen) <= _SMALL_GRAPH:
        function: Any = stack.pop()
        if function is None or id(function) in seen:
            continue
        seen.add(id(function))
        edges = function._edges or ()
        stack += [getattr(edge, "_function", None) for edge in edges]
    return len(seen) <= _SMALL_GRAPH
