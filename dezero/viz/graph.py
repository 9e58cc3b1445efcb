"""The graph behind a Variable as plain data: what every picture of it is drawn from."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["variable", "function", "constant"]
Role = Literal["function", "constant", "parameter", "output", "input", "intermediate"]


@dataclass(frozen=True, slots=True)
class GraphNode:
    """One variable, function or constant of a graph.

    Attributes
    ----------
    id : str
        Unique in its graph, and the same in every run of the same program.
    kind : {'variable', 'function', 'constant'}
        What it is.
    label : str
        The class name of a function, the name of a variable, the value of a constant number.
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


def collect(output: Any) -> Graph:
    """Return the graph that computed ``output``, back to its leaves.

    Parameters
    ----------
    output : Variable or list of Variables
        Where to start. What does not lead to it is not part of the graph.

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
    nodes: list[GraphNode] = []
    ids: dict[tuple[int, int], str] = {}
    for (_, is_function), item in steps:
        key = (id(item), -1) if is_function else _key(item)
        ids[key] = f"{'f' if is_function else 'v'}{len(nodes)}"
        build = _function_node if is_function else _variable_node
        nodes.append(build(ids[key], item, key in wanted))
    edges: list[tuple[str, str]] = []
    for (_, is_function), item in steps:
        if is_function:
            edges += [(ids[_key(v)], ids[id(item), -1]) for v in functions[id(item)][1]]
        elif (creator := getattr(item, "creator", None)) is not None:
            edges.append((ids[id(creator), -1], ids[_key(item)]))
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
    return () if freed else tuple(f.inputs)


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


def _function_node(node_id: str, f: Any, _: bool) -> GraphNode:
    return GraphNode(node_id, "function", type(f).__name__, generation=int(f.generation))


def _variable_node(node_id: str, v: Any, is_output: bool) -> GraphNode:
    if not hasattr(v, "creator"):
        return GraphNode(node_id, "constant", str(v), is_leaf=True)
    empty = v.data is None
    shape = None if empty else tuple(v.shape)
    dtype = None if empty else str(v.dtype)
    if v.creator is None and not (is_output or v.name or getattr(v, "requires_grad", True)):
        # The engine keeps the value of a number, of an array perhaps only a read-only stand-in.
        known = shape == () and getattr(v.data.flags, "writeable", True)
        value = str(v.data) if known else ""
        return GraphNode(node_id, "constant", value, shape=shape, dtype=dtype, is_leaf=True)
    return GraphNode(
        node_id,
        "variable",
        v.name or "",
        generation=_depth(v),
        shape=shape,
        dtype=dtype,
        name=v.name,
        is_parameter=any(base.__name__ == "Parameter" for base in type(v).__mro__),
        is_leaf=v.creator is None,
        is_output=is_output,
    )


def array_text(node: GraphNode) -> str:
    """Return shape and dtype, ``(2, 3) float32``; empty where there is no array or no need."""
    number = node.kind == "constant" and node.label
    return "" if node.shape is None or number else f"{node.shape} {node.dtype}"


def plain_label(node: GraphNode) -> str:
    """Return the name of a variable, a function or a constant."""
    return clean(node.label)


def full_label(node: GraphNode) -> str:
    """Return the name or value and, below it, shape and dtype."""
    return f"{clean(node.label)}\n{array_text(node)}"


def describe(node: GraphNode) -> str:
    """Return all there is to say about a node, a line each: the tooltip of a picture."""
    if node.kind == "function":
        return f"function {node.label}\ngeneration {node.generation}"
    title = f"{node.role} {node.label}".rstrip()
    depth = f"generation {node.generation}" if node.kind == "variable" else ""
    return "\n".join(filter(None, [title, array_text(node), depth]))


def clean(text: str) -> str:
    """Return ``text`` in one line, without characters that no XML file and no font can show."""
    text = re.sub(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", "\ufffd", text)
    return " ".join(text.split())
