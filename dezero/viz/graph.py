"""The graph behind a Variable as plain data: what every picture of it is drawn from."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from dezero.core.places import Place
from dezero.tracing import origin
from dezero.viz.clusters import Path, Scope, place

Kind = Literal["variable", "function", "constant", "layer"]
Role = Literal["function", "constant", "layer", "parameter", "output", "input", "intermediate"]


@dataclass(frozen=True, slots=True)
class GraphNode:
    """One variable, function or constant of a graph, or a layer that was folded into one box.

    Attributes
    ----------
    id : str
        Unique in its graph, and the same in every run of the same program.
    kind : {'variable', 'function', 'constant', 'layer'}
        What it is.
    label : str
        The class name of a function, the name of a variable, the value of a constant number, the
        name of a layer in the layer around it.
    generation : int
        0 for a leaf; a function has the largest generation of its inputs.
    shape : tuple of int, optional
        Of a variable or constant; ``None`` where it has no array yet.
    dtype : str, optional
        Of a variable or constant; ``None`` where it has no array yet.
    name : str, optional
        The name that the user gave a variable.
    is_parameter, is_leaf, is_output : bool
        Whether a variable is a Parameter, was made by no function, is what was asked for.
    value : str, optional
        The numbers in a variable, shortened; ``None`` where they are not asked for or not kept.
    place : Place, optional
        The line of the program that called a function, if it was traced.
    scopes : tuple of Scope
        The layers around it, the outermost first, if it was traced.
    order : int
        Which of the functions of its trace a function was, from 0; -1 if it was not traced.
    layer : str
        The class of a layer; empty where several calls were folded into one box.
    functions, parameters : int
        How many functions a folded layer stands for, and how many numbers its parameters have.
    """

    id: str
    kind: Kind
    label: str
    generation: int = 0
    shape: tuple[int, ...] | None = None
    dtype: str | None = None
    name: str | None = None
    is_parameter: bool = False
    is_leaf: bool = False
    is_output: bool = False
    value: str | None = None
    place: Place | None = None
    scopes: Path = ()
    order: int = -1
    layer: str = ""
    functions: int = 0
    parameters: int = 0

    @property
    def role(self) -> Role:
        """What a picture tells apart: parameters, inputs, constants, outputs, functions."""
        if self.kind != "variable":
            return self.kind
        if self.is_parameter:
            return "parameter"
        if self.is_output:
            return "output"
        return "input" if self.is_leaf else "intermediate"


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes, inputs before what is computed from them, and edges as pairs of node ids.

    A variable that a function takes twice has two edges to it.
    """

    nodes: list[GraphNode]
    edges: list[tuple[str, str]]


Label = Callable[[GraphNode], str]
"""Gives the text in a node. The first line is its title, further lines are set smaller."""


def collect(output: Any, values: bool = False) -> Graph:
    """Return the graph that computed ``output``, back to its leaves.

    Parameters
    ----------
    output : Variable or list of Variables
        Where to start. What does not lead to it is not part of the graph.
    values : bool, default False
        Whether nodes of variables have a ``value``.

    Raises
    ------
    TypeError
        If ``output`` is not a Variable or a list of them.
    ValueError
        If the list is empty.

    Notes
    -----
    A loop, not a recursion: a chain of 100,000 functions is ordinary. Two Variable objects are
    one node if they are the same output of the same function, so it does not matter whether the
    object that the program once held is still alive.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> from dezero.viz import collect
    >>> x = Variable(np.array(3.0), name="x")
    >>> graph = collect(x * x)
    >>> [(node.id, node.label) for node in graph.nodes]
    [('v0', 'x'), ('f1', 'Mul'), ('v2', '')]
    >>> graph.edges
    [('v0', 'f1'), ('v0', 'f1'), ('f1', 'v2')]
    """
    outputs = _as_outputs(output)
    found: dict[tuple[int, int], Any] = {}  # keeps every object alive: an id stays taken
    functions: dict[int, Any] = {}
    stack = list(reversed(outputs))
    while stack:
        v = stack.pop()
        found.setdefault(_key(v), v)
        f = getattr(v, "creator", None)
        if f is not None and id(f) not in functions:
            functions[id(f)] = (f, _inputs(f))
            stack.extend(reversed(functions[id(f)][1]))
    wanted = {_key(v) for v in outputs}
    steps: list[tuple[tuple[int, int], Any]] = [((_depth(v), 0), v) for v in found.values()]
    steps += [((f.generation, 1), f) for f, _ in functions.values()]
    steps.sort(key=lambda step: step[0])
    ids: dict[tuple[int, int], str] = {}
    for (_, is_function), item in steps:
        key = (id(item), -1) if is_function else _key(item)
        ids[key] = f"{'f' if is_function else 'v'}{len(ids)}"
    edges: list[tuple[str, str]] = []
    for (_, is_function), item in steps:
        if is_function:
            edges += [(ids[_key(v)], ids[id(item), -1]) for v in functions[id(item)][1]]
        elif (creator := getattr(item, "creator", None)) is not None:
            edges.append((ids[id(creator), -1], ids[_key(item)]))
    numbers: dict[int, int] = {}
    called = {
        ids[key]: _scopes(item, numbers)
        for ((_, is_f), item), key in zip(steps, ids, strict=True)
        if is_f
    }
    scopes: dict[str, Path] = {}
    if any(called.values()):
        given = {ids[key] for key, v in found.items() if _is_given(v)}
        scopes = place(called, edges, {ids[key] for key in wanted}, given)
    nodes: list[GraphNode] = []
    for ((_, is_function), item), (key, node_id) in zip(steps, ids.items(), strict=True):
        inside = scopes.get(node_id, ())
        if is_function:
            nodes.append(_function_node(node_id, item, inside))
        else:
            nodes.append(_variable_node(node_id, item, key in wanted, inside, values))
    return Graph(nodes, edges)


def _as_outputs(output: Any) -> list[Any]:
    outputs = list(output) if isinstance(output, (list, tuple)) else [output]
    if not outputs:
        raise ValueError("graph: got an empty list, wants at least one Variable")
    for v in outputs:
        if not hasattr(v, "creator"):
            raise TypeError(
                f"graph: got {type(v).__name__}, wants a Variable or a list of Variables: "
                "give it the result of the computation, such as y in y = f(x)"
            )
    return outputs


def _inputs(f: Any) -> tuple[Any, ...]:
    freed = getattr(f, "_edges", ()) is None  # by unchain_backward
    return () if freed else tuple(v for v in f.inputs if not _is_none(v))


def _is_none(v: Any) -> bool:
    """Whether an input is a place left empty, such as that of a bias."""
    data: Any = getattr(v, "data", None)
    kind = getattr(getattr(data, "dtype", None), "kind", "")
    return kind == "O" and data.shape == () and data.item() is None


def _key(v: Any) -> tuple[int, int]:
    creator = getattr(v, "creator", None)
    if creator is None:
        return id(v), 0
    index = getattr(getattr(v, "_node", None), "index", None)
    if index is None:
        index = next((i for i, ref in enumerate(creator.outputs) if ref() is v), 0)
    return id(creator), index


def _depth(v: Any) -> int:
    return int(getattr(v, "generation", 0))


def _scopes(f: Any, numbers: dict[int, int]) -> Path:
    """Return the layers around a function; their calls are numbered as they come up."""
    called = origin(f)
    if called is None:
        return ()
    calls = [numbers.setdefault(call, len(numbers)) for call in called.call]
    return tuple(map(Scope, called.layers, called.kinds, calls))


def _is_given(v: Any) -> bool:
    """Whether a variable is a leaf that came from outside: neither parameter nor constant."""
    if getattr(v, "creator", v) is not None or _is_parameter(v):
        return False
    return bool(v.name or getattr(v, "requires_grad", True))


def _is_parameter(v: Any) -> bool:
    return any(base.__name__ == "Parameter" for base in type(v).__mro__)


def _function_node(node_id: str, f: Any, scopes: Path) -> GraphNode:
    called = origin(f)
    where = None if called is None else called.place
    name, generation = type(f).__name__, int(f.generation)
    order = -1 if called is None else called.order
    return GraphNode(
        node_id, "function", name, generation, place=where, scopes=scopes, order=order
    )


def _variable_node(node_id: str, v: Any, is_output: bool, scopes: Path, values: bool) -> GraphNode:
    if not hasattr(v, "creator"):
        return GraphNode(node_id, "constant", str(v), is_leaf=True, scopes=scopes)
    empty = v.data is None
    shape = None if empty else tuple(v.shape)
    dtype = None if empty else str(v.dtype)
    constant = v.creator is None and not (is_output or v.name or getattr(v, "requires_grad", True))
    number = constant and shape == () and is_known(v.data)
    return GraphNode(
        node_id,
        "constant" if constant else "variable",
        str(v.data) if number else v.name or "",
        generation=0 if constant else _depth(v),
        shape=shape,
        dtype=dtype,
        name=v.name,
        is_parameter=_is_parameter(v),
        is_leaf=v.creator is None,
        is_output=is_output,
        value=value_text(v.data) if values and not number and is_known(v.data) else None,
        scopes=scopes,
    )


def is_known(data: Any) -> bool:
    """Whether an array has its numbers.

    The engine keeps those that a gradient needs; of others it has a read-only stand-in.
    """
    if data is None:
        return False
    writeable = getattr(getattr(data, "flags", None), "writeable", True)
    return bool(writeable or any(getattr(data, "strides", ())))


def value_text(data: Any) -> str:
    """Return the numbers in an array on one line, the first and last of a large one.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.viz.graph import value_text
    >>> value_text(np.array([[1.0, 2.0], [3.0, 4.5]]))
    '[[1, 2], [3, 4.5]]'
    >>> value_text(np.arange(100))
    '[0, 1, 2, …, 99]'
    """
    from dezero import cuda

    if data.size <= _SMALL_ARRAY:
        return _listed(cuda.as_numpy(data).tolist())
    flat = data.reshape(-1)
    ends = [_listed(cuda.as_numpy(part).tolist()) for part in (flat[:3], flat[-1:])]
    return f"{ends[0][:-1]}, …, {ends[1][1:]}"


_SMALL_ARRAY = 6


def _listed(x: Any) -> str:
    if isinstance(x, list):
        return f"[{', '.join(map(_listed, x))}]"
    return f"{x:.4g}" if isinstance(x, float | complex) else str(x)


def array_text(node: GraphNode) -> str:
    """Return shape and dtype, ``(2, 3) float32``; empty where there is no array or no need."""
    number = node.kind == "constant" and node.label
    return "" if node.shape is None or number else f"{node.shape} {node.dtype}"


def plain_label(node: GraphNode) -> str:
    """Return the name of a variable, a function or a constant."""
    return clean(node.label)


def full_label(node: GraphNode) -> str:
    """Return the name or value and, below it, shape and dtype."""
    return label_of(node, ("shape", "dtype"))


def describe(node: GraphNode) -> str:
    """Return all there is to say about a node, a line each: the tooltip of a picture."""
    path = " > ".join(scope.name for scope in node.scopes)
    inside = f"in {path}" if path and node.kind in ("function", "layer") else ""
    line = place_text(node, code=True)
    if node.kind == "layer":
        title = f"layer {node.label} ({node.layer})" if node.layer else node.label
        return "\n".join(filter(None, [title, counts_text(node), inside]))
    if node.kind == "function":
        title = f"function {node.label}\ngeneration {node.generation}"
        return "\n".join(filter(None, [title, inside, line]))
    title = f"{node.role} {node.label}".rstrip()
    depth = f"generation {node.generation}" if node.kind == "variable" else ""
    return "\n".join(filter(None, [title, array_text(node), node.value, depth]))


def counts_text(node: GraphNode) -> str:
    """Return how much a folded layer stands for: ``2 functions, 1,024 parameters``."""
    functions = f"{node.functions} function{'s' if node.functions > 1 else ''}"
    return f"{functions}, {node.parameters:,} parameters" if node.parameters else functions


def place_text(node: GraphNode, code: bool = False) -> str:
    """Return the line that called a function, ``net.py:12``; with ``code`` its text too."""
    if node.place is None:
        return ""
    where = f"{os.path.basename(node.place.file)}:{node.place.line}"
    return f"{where}  {node.place.code}".rstrip() if code else where


SHOWN = ("shape", "dtype", "value", "generation", "line")
"""What a picture can say of a node besides its name."""


def label_of(node: GraphNode, show: tuple[str, ...]) -> str:
    """Return the text in a node: its name or value and, in further lines, what ``show`` names."""
    rows = [clean(node.label)]
    if node.kind == "layer":
        rows += [node.layer if node.layer != node.label else "", counts_text(node)]
    array = array_text(node) and " ".join(
        [str(node.shape)] * ("shape" in show) + [str(node.dtype)] * ("dtype" in show)
    )
    rows.append(array)
    if "value" in show and node.value is not None:
        rows.append(node.value)
    if "generation" in show and node.kind in ("function", "variable"):
        rows.append(f"generation {node.generation}")
    if "line" in show:
        rows.append(place_text(node))
    return "\n".join([rows[0], *filter(None, rows[1:])])


def clean(text: str) -> str:
    """Return ``text`` in one line, without characters that no XML file and no font can show."""
    text = re.sub(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", "\ufffd", text)
    return " ".join(text.split())
