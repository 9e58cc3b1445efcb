"""Layers that are called many times, as in a loop over a sequence: the middle calls as one box."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from dezero.viz.clusters import Path, Scope, place
from dezero.viz.graph import Graph, GraphNode

MOST_CALLS = 12
_FIRST = 3  # calls before the gap; one stands after it

_Run = tuple[Path, str, str]
"""The box around the calls, and the name and class of the layer."""


def is_rest(path: Path) -> bool:
    """Whether a box stands for calls that were left out."""
    return bool(path) and not path[-1].kind


def abbreviate(graph: Graph) -> Graph:
    """Return ``graph`` with the middle of many calls of a layer in a box of its own.

    In the box is all that ran, beside the calls, from the fourth call of the layer until its last
    one: also other layers and functions of the same loop. What ran in one stretch of time depends
    on nothing that depends on it, so no circle arises; where one would, since calls were in
    several traces or threads, they are left as they are. Of many variables that leave the box for
    the same functions, in one shape, one is left.
    """
    done: set[_Run] = set()
    while calls := {run: begins for run, begins in _calls(graph).items() if run not in done}:
        run = min(calls, key=lambda run: (len(run[0]), min(calls[run].values())))
        done.add(run)
        graph = _without_middle(graph, run, calls[run])
    return graph


def _calls(graph: Graph) -> dict[_Run, dict[Scope, int]]:
    """Return the layers called too often, and when each of their calls began."""
    found: dict[_Run, dict[Scope, int]] = defaultdict(dict)
    for node in graph.nodes:
        if node.kind != "function":
            continue
        for depth, scope in enumerate(node.scopes):
            if is_rest(node.scopes[: depth + 1]):
                break
            begins = found[node.scopes[:depth], scope.name, scope.kind]
            begins[scope] = min(node.order, begins.get(scope, node.order))
    return {run: calls for run, calls in found.items() if len(calls) > MOST_CALLS}


def _without_middle(graph: Graph, run: _Run, calls: dict[Scope, int]) -> Graph:
    """Return the graph with a box around the middle calls, unless that makes a circle."""
    around, name, _ = run
    begins = sorted(calls.values())
    first, last = begins[_FIRST], begins[-1]
    rest = Scope(f"… {len(calls) - _FIRST - 1} more calls of {name}", "", min(calls).call)
    box = (*around, rest)
    paths = {node.id: node.scopes for node in graph.nodes if node.kind == "function"}
    for node in graph.nodes:
        inside = node.id in paths and node.scopes[: len(around)] == around
        if inside and first <= node.order < last:
            paths[node.id] = box + node.scopes[len(around) :]
    given = {
        n.id for n in graph.nodes if n.kind == "variable" and n.is_leaf and not n.is_parameter
    }
    outputs = {n.id for n in graph.nodes if n.is_output}
    scopes = place(paths, graph.edges, outputs, given)
    if any(scopes[f] != path for f, path in paths.items()):
        return graph
    users: dict[str, set[str]] = defaultdict(set)
    for start, end in graph.edges:
        users[start].add(end)
    for leaf in (
        given - outputs
    ):  # inputs of these calls alone, such as x of each step, are left out too
        if users[leaf] and all(paths[f][: len(box)] == box for f in users[leaf]):
            scopes[leaf] = box
    nodes = [replace(node, scopes=scopes.get(node.id, ())) for node in graph.nodes]
    return _with_one_exit(Graph(nodes, graph.edges), box, users)


def _with_one_exit(graph: Graph, box: Path, users: dict[str, set[str]]) -> Graph:
    """Return the graph with one variable for those that leave a box for the same functions."""
    inside = {n.id for n in graph.nodes if n.kind == "function" and n.scopes[: len(box)] == box}
    made = {end for start, end in graph.edges if start in inside}
    exits: dict[tuple[object, ...], list[GraphNode]] = defaultdict(list)
    for node in graph.nodes:
        outside = frozenset(users[node.id] - inside)
        if node.id in made and outside and not node.is_output:
            exits[outside, node.shape, node.dtype].append(node)
    changed: dict[str, GraphNode | None] = {}
    for nodes in exits.values():
        if len(nodes) > MOST_CALLS:
            changed.update((node.id, None) for node in nodes)
            title = f"{len(nodes)} variables"
            changed[nodes[0].id] = replace(nodes[0], label=title, name=None, value=None)
    kept = [found for n in graph.nodes if (found := changed.get(n.id, n)) is not None]
    gone = {name for name, node in changed.items() if node is None}
    return Graph(kept, [(a, b) for a, b in graph.edges if a not in gone and b not in gone])
