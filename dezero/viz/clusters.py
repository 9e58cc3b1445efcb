"""Layers as boxes around the nodes of a graph: which node stands in which, box in box.

A box is one call of a layer. Seen from outside it must be one step of the computation: nothing
that it computes may come back into it from outside. :func:`place` sees to that, so whoever draws
boxes, open or folded, never draws a circle that is not in the graph.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar


class Scope(NamedTuple):
    """A call of a layer: its name in the layer around it, its class, and which call it was."""

    name: str
    kind: str
    call: int


Path = tuple[Scope, ...]
"""The calls of layers around a node, the outermost first."""

Edges = Sequence[tuple[str, str]]


def place(
    functions: Mapping[str, Path], edges: Edges, outputs: Collection[str], given: Collection[str]
) -> dict[str, Path]:
    """Return the boxes around each node, given where the functions of a graph were called.

    A variable stands beside the function that computed it, or further out, where its users are;
    a parameter or constant stands in the innermost box that has all its users; other leaves,
    ``given`` from outside, and outputs that were not computed stand outside of all.
    """
    creator = {end: start for start, end in edges if start in functions}
    links = [(creator[start], end) for start, end in edges if start in creator]
    found: dict[str, Path] = sound(functions, links)
    users: dict[str, list[Path]] = defaultdict(list)
    for start, end in edges:
        if end in found:
            users[start].append(found[end])
    for variable, paths in {**dict.fromkeys(creator, ()), **users}.items():
        if variable in creator:
            home = found[creator[variable]]
            depth = max((len(common(home, user)) for user in users[variable]), default=0)
            found[variable] = home[:depth]
        elif variable not in given and variable not in outputs:
            shared = paths[0]
            for path in paths[1:]:
                shared = common(shared, path)
            found[variable] = shared
    return found


def common(a: Path, b: Path) -> Path:
    """Return what two paths begin with."""
    if a is b:
        return a
    length = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        length += 1
    return a[:length]


def sound(paths: Mapping[str, Path], links: Edges) -> dict[str, Path]:
    """Return ``paths`` without the boxes that a way leads out of and back into.

    A layer's call is one stretch of time, so there are none, unless parts of the run were not
    traced, or happened in several threads.
    """
    result = dict(paths)
    todo: list[tuple[int, list[str], Edges]] = [(0, list(paths), links)]
    while todo:
        depth, members, inner = todo.pop()
        while True:
            item = {m: _item(result[m], depth, m) for m in members}
            wrong = on_cycles((item[a], item[b]) for a, b in inner)
            wrong = {box for box in wrong if isinstance(box, Scope)}
            if not wrong:
                break
            for m in members:
                if item[m] in wrong:
                    result[m] = result[m][:depth] + result[m][depth + 1 :]
        boxes: dict[Any, list[str]] = defaultdict(list)
        for m in members:
            boxes[item[m]].append(m)
        ways: dict[Any, list[tuple[str, str]]] = defaultdict(list)
        for a, b in inner:
            if item[a] == item[b]:
                ways[item[a]].append((a, b))
        todo += [
            (depth + 1, inside, ways[box])
            for box, inside in boxes.items()
            if isinstance(box, Scope) and len(inside) > 1
        ]
    return result


def _item(path: Path, depth: int, node: str) -> Any:
    return path[depth] if len(path) > depth else node


def on_cycles(pairs: Iterable[tuple[Any, Any]]) -> set[Any]:
    """Return what lies on a cycle, or between two: what neither end of the graph can peel off."""
    edges = {(a, b) for a, b in pairs if a != b}
    for turned in (False, True):
        ahead: dict[Any, list[Any]] = defaultdict(list)
        waiting: dict[Any, int] = {}
        for pair in edges:
            a, b = pair[::-1] if turned else pair
            ahead[a].append(b)
            waiting[b] = waiting.get(b, 0) + 1
            waiting.setdefault(a, 0)
        ready = [v for v, count in waiting.items() if not count]
        for v in ready:  # grows while it is walked
            for w in ahead[v]:
                waiting[w] -= 1
                if not waiting[w]:
                    ready.append(w)
        done = set(ready)
        edges = {(a, b) for a, b in edges if a not in done and b not in done}
    return {v for edge in edges for v in edge}


Node = TypeVar("Node")


@dataclass(slots=True)
class Cluster(Generic[Node]):
    """A box and what is directly in it: nodes, and boxes. The outermost is the whole picture."""

    path: Path
    items: list[Node | Cluster[Node]] = field(default_factory=list)

    @property
    def scope(self) -> Scope:
        """The call of the layer."""
        return self.path[-1]


def nest(nodes: Iterable[Any]) -> Cluster[Any]:
    """Return ``nodes``, which have ``scopes``, in their boxes, in order of first appearance."""
    boxes: dict[Path, Cluster[Any]] = {(): Cluster(())}
    for node in nodes:
        for depth in range(1, len(node.scopes) + 1):
            path = node.scopes[:depth]
            if path not in boxes:
                boxes[path] = Cluster(path)
                boxes[path[:-1]].items.append(boxes[path])
        boxes[node.scopes].items.append(node)
    return boxes[()]
