"""The graph as text for a terminal: a tree that hangs from the result."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from dezero.viz.fold import Fold
from dezero.viz.graph import Graph, GraphNode, Label
from dezero.viz.options import Show, graph_of, labels, shown


def get_text_graph(
    output: Any,
    verbose: bool = True,
    label: Label | None = None,
    *,
    show: Show = None,
    fold: Fold = None,
    inputs: Any = None,
) -> str:
    """Return the graph behind ``output`` as text, from the result back to what it came from.

    A line is a variable and the function that computed it. The inputs of a function stand below
    it; the one with the most behind it goes on without indentation, so that the text of n nodes
    is never indented more than log2(n) times. A variable that is used again is written out once,
    where it was used first, and gets a number; elsewhere the number stands for it. Layers are
    named at the right of what they computed. Arguments and errors are those of
    :func:`get_dot_graph`.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> from dezero.viz import get_text_graph
    >>> x = Variable(np.array(3.0), name="x")
    >>> y = x**2 * x
    >>> y.name = "y"
    >>> print(get_text_graph(y, show="value"))
    ● y  27 ← Mul
    ├─ x  #1
    ● 9 ← Pow
    ├─ x  3  #1
    └─ 2
    """
    names = shown(verbose, show)
    return to_text(graph_of(output, names, fold, inputs), labels(names, label))


def to_text(graph: Graph, label: Label) -> str:
    """Return ``graph`` as text."""
    return "\n".join(_Tree(graph, label).lines())


class _Tree:
    """Each node hangs from the first function that used it."""

    def __init__(self, graph: Graph, label: Label) -> None:
        self.nodes = {node.id: node for node in graph.nodes}
        self.label = label
        place = {node.id: i for i, node in enumerate(graph.nodes)}
        self.inputs: dict[str, list[str]] = defaultdict(list)
        users: dict[str, list[str]] = defaultdict(list)
        for start, end in graph.edges:
            self.inputs[end].append(start)
            users[start].append(end)
        self.first_user = {v: min(ends, key=place.__getitem__) for v, ends in users.items()}
        self.roots = [node.id for node in reversed(graph.nodes) if node.id not in users]
        outputs: dict[str, list[str]] = defaultdict(list)
        for node in graph.nodes:
            if self._maker(node.id) not in ("", node.id):
                outputs[self._maker(node.id)].append(node.id)
        last = len(place)
        self.main = {  # of the outputs of a function the one below which its inputs stand
            f: min(ys, key=lambda y: place.get(self.first_user.get(y, ""), last))
            for f, ys in outputs.items()
        }
        self.size = dict.fromkeys(self.nodes, 1)  # of what hangs from a node
        for node in graph.nodes:
            if node.id in self.main:
                self.size[self.main[node.id]] += self.size[node.id]
            elif node.id in self.first_user:
                self.size[self.first_user[node.id]] += self.size[node.id]
        self.numbers: dict[str, int] = {}
        for node in graph.nodes:
            uses = outputs if node.kind in ("function", "layer") else users
            if len(uses[node.id]) > 1:
                self.numbers[node.id] = len(self.numbers) + 1

    def lines(self) -> list[str]:
        """Return the lines of the text, one tree for each result that nothing uses."""
        found: list[str] = []
        stack = [("", "", root, False) for root in reversed(self.roots)]
        while stack:
            first, rest, name, again = stack.pop()
            if again:
                found.append(first + self._name(name))
                continue
            found.append(f"{first}{'● ' if first == rest else ''}{self._line(name)}")
            stack += reversed(self._below(rest, name))
        return found

    def _below(self, rest: str, name: str) -> list[tuple[str, str, str, bool]]:
        """Return what comes below a node: side branches, then the largest without indentation.

        Each is the beginning of its first line, that of further ones, the node, and whether it
        stands elsewhere already.
        """
        maker = self._maker(name)
        inputs = self.inputs[maker] if self.main.get(maker, name) == name else []
        own = [v for v in inputs if self.first_user[v] == maker and self._hangs(v)]
        trunk = max(own, key=self.size.__getitem__, default="")
        branches = list(inputs)
        if trunk:
            branches.remove(trunk)
        found: list[tuple[str, str, str, bool]] = []
        for i, v in enumerate(branches):
            end = not trunk and i == len(branches) - 1
            again = self.first_user[v] != maker or v == trunk or v in branches[:i]
            lead, below = ("└─ ", "   ") if end else ("├─ ", "│  ")
            found.append((rest + lead, rest + below, v, again))
        return [*found, (rest, rest, trunk, False)] if trunk else found

    def _hangs(self, name: str) -> bool:
        """Whether something stands below a variable."""
        maker = self._maker(name)
        return bool(maker) and self.main[maker] == name

    def _maker(self, name: str) -> str:
        """Return the function that computed a node, the node itself if it is one, or ``""``."""
        node = self.nodes[name]
        if node.kind in ("function", "layer"):
            return name
        return next(iter(self.inputs[name]), "")

    def _line(self, name: str) -> str:
        node = self.nodes[name]
        maker = self._maker(name)
        parts = [self._words(node)] if maker != name else []
        if name in self.numbers:
            parts.append(f"#{self.numbers[name]}")
        text = "  ".join(filter(None, parts))
        if maker:
            path = self.nodes[maker].scopes
            where = f"    in {' > '.join(scope.name for scope in path)}" if path else ""
            number = f"  #{self.numbers[maker]}" if maker in self.numbers else ""
            text = f"{text} ← {self._words(self.nodes[maker])}{number}{where}".lstrip()
        return text or "·"

    def _name(self, name: str) -> str:
        """Return what stands for a node that is written out elsewhere."""
        number = f"#{self.numbers[name]}" if name in self.numbers else ""
        return "  ".join(filter(None, [self.nodes[name].label, number]))

    def _words(self, node: GraphNode) -> str:
        return "  ".join(filter(None, self.label(node).split("\n")))
