"""Layers drawn as one box: which, and the graph that is left."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import partial

from dezero.viz.clusters import Path
from dezero.viz.graph import Graph, GraphNode
from dezero.viz.repeats import abbreviate, is_rest

Fold = bool | int | str | Iterable[str] | None
"""What to fold: ``None`` for what is too large, a depth, or names or classes of layers."""

READABLE = 120  # nodes; of larger graphs layers are folded unless it is said which


def fold_layers(graph: Graph, what: Fold = None) -> Graph:
    """Return ``graph`` with layers folded into one node each.

    Parameters
    ----------
    graph : Graph
        Of a computation that was traced: others know of no layers, and stay as they are.
    what : None, bool, int, str or iterable of str, default None
        ``None``: as far as it takes for about a hundred nodes, nothing in small graphs. Where
        that is not enough, of a layer called more than twelve times, as in a loop over a
        sequence, the first three calls and the last are drawn, and those between as one box.
        ``False``: nothing. A number: layers inside that many others, so that 0 leaves one node
        for the model, and 1 one for each layer directly inside it. Strings: layers
        of that name, path or class, ``"fc"``, ``"blocks/*"``, ``"Linear"``, with the wildcards
        of :mod:`fnmatch`.

    Returns
    -------
    Graph
        Parameters that only folded calls of one layer use are counted in its nodes; a variable
        that leaves a folded layer stays.

    Raises
    ------
    ValueError
        If a name fits no layer, or nothing was traced.

    Examples
    --------
    >>> import numpy as np, dezero
    >>> from dezero.viz import collect, fold_layers
    >>> model = dezero.models.MLP((3, 1))
    >>> with dezero.trace():
    ...     y = model(np.ones((2, 4), np.float32))
    >>> [node.label for node in fold_layers(collect(y), 1).nodes if node.kind != "variable"]
    ['l0', 'Sigmoid', 'l1']
    """
    if what is None:
        return _fold_to_size(graph)
    if what is False:
        return graph
    if isinstance(what, int):
        depth = int(what)
        return _folded(graph, lambda path: len(path) > depth)
    names = [what] if isinstance(what, str) else list(what)
    _check_names(graph, names)
    return _folded(graph, lambda path: any(_fits(path, name) for name in names))


def _fold_to_size(graph: Graph) -> Graph:
    found = _fold_by_depth(graph)
    return found if len(found.nodes) <= READABLE else _fold_by_depth(abbreviate(graph))


def _fold_by_depth(graph: Graph) -> Graph:
    deepest = max((len(node.scopes) for node in graph.nodes), default=0)
    found = graph
    for depth in range(deepest, 0, -1):
        found = _folded(graph, partial(_is_hidden, depth=depth))
        if len(found.nodes) <= READABLE:
            break
    return found


def _is_hidden(path: Path, depth: int) -> bool:
    return len(path) > depth or is_rest(path)


def _fits(path: Path, name: str) -> bool:
    full = [scope.name for scope in path]
    spelled = (full[-1], path[-1].kind, "/".join(full), "/".join(full[1:]))
    return any(fnmatchcase(text, name) for text in spelled)


def _check_names(graph: Graph, names: list[str]) -> None:
    paths = {node.scopes[:i] for node in graph.nodes for i in range(1, len(node.scopes) + 1)}
    for name in names:
        if not paths:
            raise ValueError(
                f"fold={name!r}: no layer is known, since this graph was not traced; compute it "
                "inside `with dezero.trace():`, or give the model and its inputs"
            )
        if not any(_fits(path, name) for path in paths):
            outer_first = sorted(paths, key=lambda path: (len(path), path[-1].call))
            known = list(dict.fromkeys(path[-1].name for path in outer_first))
            shown = ", ".join(known[:12]) + (" ..." if len(known) > 12 else "")
            raise ValueError(f"fold={name!r}: no layer has that name or class; there are {shown}")


def _folded(graph: Graph, is_folded: Callable[[Path], bool]) -> Graph:
    inside = _boxes(graph, is_folded)
    if not any(inside.values()):
        return graph
    creator = {end: start for start, end in graph.edges if end not in inside}
    box_of = {node.id: inside.get(node.id, ()) for node in graph.nodes}
    users: dict[str, list[Path]] = defaultdict(list)
    for start, end in graph.edges:
        users[start].append(box_of[end])
    counted: dict[Path, int] = defaultdict(int)
    home: dict[str, Path] = {}
    for node in graph.nodes:
        if node.kind in ("function", "layer"):
            home[node.id] = box_of[node.id]
        elif node.is_leaf:
            home[node.id] = _leaf_home(node, users[node.id], counted)
        else:
            made_in = box_of[creator[node.id]] if node.id in creator else ()
            stays = not node.is_output and all(user == made_in for user in users[node.id])
            home[node.id] = made_in if stays else ()
    return _contracted(graph, home, counted)


def _boxes(graph: Graph, is_folded: Callable[[Path], bool]) -> dict[str, Path]:
    """Return the outermost folded layer around each function, ``()`` where there is none."""
    known: dict[Path, Path] = {}
    for node in graph.nodes:
        if node.scopes not in known:
            path = node.scopes
            depths = range(1, len(path) + 1)
            known[path] = next((path[:d] for d in depths if is_folded(path[:d])), ())
    return {n.id: known[n.scopes] for n in graph.nodes if n.kind in ("function", "layer")}


def _leaf_home(node: GraphNode, users: list[Path], counted: dict[Path, int]) -> Path:
    """Return the box that a leaf vanishes into; what many calls of a layer use, into each."""
    boxes = dict.fromkeys(users)
    layers = {tuple(scope.name for scope in box) for box in boxes if not is_rest(box)}
    own = len(boxes) == 1 or (len(layers) <= 1 and node.is_parameter)
    if not own or () in boxes or node.is_output or not (node.is_parameter or node.scopes):
        return ()
    if node.is_parameter and node.shape is not None:
        for box in boxes:
            counted[box] += math.prod(node.shape)
    return next(iter(boxes))


def _contracted(graph: Graph, home: dict[str, Path], counted: dict[Path, int]) -> Graph:
    """Return the graph of the nodes whose home is nowhere, and of one node for each other home."""
    ids: dict[Path, str] = {}
    functions: dict[Path, int] = defaultdict(int)
    for node in graph.nodes:
        if home[node.id] and node.kind == "function":
            ids.setdefault(home[node.id], f"l{len(ids)}")
            functions[home[node.id]] += 1
    boxes = {name: path for path, name in ids.items()}
    name = {node.id: ids.get(home[node.id], node.id) for node in graph.nodes}
    made = {end: name[start] for start, end in graph.edges if end[0] == "v"}
    nodes: dict[str, GraphNode] = {}
    for node in graph.nodes:
        path = home[node.id]
        if path:
            nodes[ids[path]] = GraphNode(
                ids[path],
                "layer",
                path[-1].name,
                scopes=path[:-1],
                layer=path[-1].kind,
                functions=functions[path],
                parameters=counted[path],
            )
        elif made.get(node.id) in boxes:  # what leaves a folded layer stands beside it
            depth = len(boxes[made[node.id]]) - 1
            nodes[node.id] = replace(node, scopes=node.scopes[:depth])
        else:
            nodes[node.id] = node
    edges = _edges_between(graph, name, made, boxes)
    return Graph(_sorted(nodes, edges), edges)


def _edges_between(
    graph: Graph, name: dict[str, str], made: dict[str, str], boxes: dict[str, Path]
) -> list[tuple[str, str]]:
    """Return the edges between what is left; what a folded layer takes twice has one."""
    edges: list[tuple[str, str]] = []
    into_boxes: set[tuple[str, str]] = set()
    for start, end in graph.edges:
        a, b = name[start], name[end]
        gone = a == b or (a in boxes and start[0] == "v")  # inside, or a parameter counted there
        back = made.get(start) == b  # what the layer computed, used by itself too
        if gone or back or (a, b) in into_boxes:
            continue
        edges.append((a, b))
        if b in boxes:
            into_boxes.add((a, b))
    return edges


def _sorted(nodes: dict[str, GraphNode], edges: list[tuple[str, str]]) -> list[GraphNode]:
    """Return the nodes, inputs before what is computed from them, else in their order."""
    ahead: dict[str, list[str]] = defaultdict(list)
    rank = dict.fromkeys(nodes, 0)
    waiting = dict.fromkeys(nodes, 0)
    for start, end in edges:
        ahead[start].append(end)
        waiting[end] += 1
    ready = [name for name, number in waiting.items() if not number]
    for name in ready:  # grows while it is walked
        for end in ahead[name]:
            rank[end] = max(rank[end], rank[name] + 1)
            waiting[end] -= 1
            if not waiting[end]:
                ready.append(end)
    place = {name: i for i, name in enumerate(nodes)}
    return [nodes[name] for name in sorted(nodes, key=lambda name: (rank[name], place[name]))]
