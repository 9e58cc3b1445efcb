"""The graph as DOT text, and Graphviz where it is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import count
from typing import Any

from dezero.viz.clusters import Cluster, nest
from dezero.viz.fold import Fold
from dezero.viz.graph import Graph, GraphNode, Label, label_of
from dezero.viz.layout import frame_title
from dezero.viz.options import Show, graph_of, shown

_STYLES = {
    "function": "color=lightblue, style=filled, shape=box",
    "constant": "color=lightgray, style=filled",
    "parameter": "color=orange, style=filled, peripheries=2",
    "output": "fillcolor=orange, style=filled, penwidth=3",
    "input": "color=orange, style=filled",
    "intermediate": "color=orange, style=filled",
    "layer": "color=lavender, style=filled, shape=box3d",
}


def get_dot_graph(
    output: Any,
    verbose: bool = True,
    label: Label | None = None,
    *,
    show: Show = None,
    fold: Fold = None,
    inputs: Any = None,
) -> str:
    """Return the graph behind ``output`` in the DOT language.

    Variables are orange ellipses, functions are light blue boxes; a parameter has a double
    outline, an output a thick one, and a constant is grey. Layers are boxes (clusters) around
    what they computed, if it was traced. Nodes are numbered in the order of the computation, so
    that the same program gives the same text in every run.

    Parameters
    ----------
    output : Variable, list of Variables, or Layer
        Where the graph ends; a layer or model with ``inputs`` is run.
    verbose : bool, default True
        Whether variables show shape and dtype besides their names.
    label : callable, optional
        Takes a :class:`GraphNode`, returns its text, instead of the above.
    show : str or iterable of str, optional
        What nodes show besides names, instead of ``verbose``: any of ``"shape"``, ``"dtype"``,
        ``"value"`` (the numbers, where the graph keeps them), ``"generation"`` and ``"line"``
        (of the program that called a function, if that was traced: :class:`dezero.trace`).
    fold : None, bool, int, str or iterable of str, default None
        Which layers are drawn as one box, see :func:`dezero.viz.fold_layers`: by default those
        that make a graph too large to read; ``False`` for none, a depth, or names.
    inputs : tuple or array, optional
        What to run a model on.

    Returns
    -------
    str
        DOT text.

    Raises
    ------
    TypeError
        If ``output`` is not a Variable or a list of them.
    ValueError
        If ``show`` or ``fold`` names what is not there.

    Notes
    -----
    Source: step 26 of the book; https://graphviz.org/doc/info/lang.html.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> from dezero.utils import get_dot_graph
    >>> x = Variable(np.array(3.0), name="x")
    >>> print(get_dot_graph(x + x))
    digraph g {
    v0 [label="x: () float64", color=orange, style=filled]
    f1 [label="Add", color=lightblue, style=filled, shape=box]
    v2 [label="() float64", fillcolor=orange, style=filled, penwidth=3]
    v0 -> f1
    v0 -> f1
    f1 -> v2
    }
    """
    names = shown(verbose, show)
    return to_dot(graph_of(output, names, fold, inputs), label or _labels(names))


def to_dot(graph: Graph, label: Label) -> str:
    """Return ``graph`` in the DOT language."""
    edges = [f"{start} -> {end}" for start, end in graph.edges]
    return "\n".join(["digraph g {", *_inside(nest(graph.nodes), label, count()), *edges, "}"])


def _inside(cluster: Cluster[GraphNode], label: Label, number: Iterator[int]) -> list[str]:
    lines: list[str] = []
    for item in cluster.items:
        if isinstance(item, Cluster):
            lines.append(f"subgraph cluster{next(number)} {{")
            lines.append(f"label={quote(frame_title(item.scope))}")
            lines.append('style="rounded,filled"; color=gray70; fillcolor="#5b6b8010"')
            lines += [*_inside(item, label, number), "}"]
        else:
            lines.append(f"{item.id} [label={quote(label(item))}, {_STYLES[item.role]}]")
    return lines


def quote(text: str) -> str:
    r"""Return ``text`` as a DOT string that shows it letter by letter.

    Graphviz gives a meaning to backslashes (``\N`` is the name of the node) and to HTML
    entities even inside quotes, so both are escaped.
    """
    text = re.sub(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]", "\ufffd", text)
    text = re.sub(r"&(?=#?\w+;)", "&amp;", text)
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'


def _labels(show: tuple[str, ...]) -> Label:
    """Return what writes name, shape and dtype in one line, ``x: (2, 3) float32``."""

    def label(node: GraphNode) -> str:
        name, *rows = label_of(node, show).split("\n")
        array = [rows.pop(0)] if rows and node.shape is not None and {*show} & _ARRAY else []
        return "\n".join(filter(None, [": ".join(filter(None, [name, *array])), *rows]))

    return label


_ARRAY = {"shape", "dtype"}


class GraphvizError(RuntimeError):
    """Graphviz is installed, but made no picture; the message has what it said."""


def find_graphviz() -> str | None:
    """Return the path of Graphviz's ``dot`` program, ``None`` where it is not installed."""
    return shutil.which("dot")


def run_graphviz(program: str, text: str, file_format: str, timeout: float = 60.0) -> bytes:
    """Return the picture that Graphviz makes of DOT text.

    The text goes in and the picture comes out through pipes: no shell and no file name is
    involved, so no name can be taken for an option or a command.

    Raises
    ------
    GraphvizError
        If the program cannot be started, fails, or takes longer than ``timeout`` seconds.
    """
    try:
        done = subprocess.run(
            [program, f"-T{file_format}"],
            input=text.encode(),
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise GraphvizError(f"{program} took longer than {timeout:g} s") from None
    except OSError as error:
        raise GraphvizError(f"{program} did not start: {error}") from error
    if done.returncode != 0 or not done.stdout:
        said = done.stderr.decode(errors="replace").strip() or "it said nothing"
        raise GraphvizError(f"{program} ended with exit code {done.returncode}: {said}")
    return done.stdout
