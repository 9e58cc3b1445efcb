"""Where the nodes and edges of a graph go: a layered layout from top to bottom, box in box.

A node stands in the rank below its inputs, and a leaf just above its first user. The inside of a
layer's box is laid out first; in the level around it the box is one vertex, and edges go through
its border at ports.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from dezero.viz.clusters import Cluster, Path, Scope, common, nest
from dezero.viz.graph import Graph, GraphNode, Label, clean
from dezero.viz.lanes import Lanes, Link
from dezero.viz.ordering import Rows, Straightener, order

TITLE_SIZE = 13.0
DETAIL_SIZE = 11.0
_LINE = 15.0  # from one line of text to the next
_PAD_X, _PAD_Y = 11.0, 7.0
_GAP = 16.0  # between neighbours in a rank
_LANE_WIDTH = 2.0
_RANK_GAP = 26.0
_PORT_GAP = 16.0  # between edges that enter one box
_MARGIN = 16.0
_FRAME_PAD = 14.0  # between a layer's border and what is in it
_FRAME_TITLE = 22.0
ARROW = 6.0
_WIDE = 2400.0
_MAX_TEXT = 44  # letters in a line; a tooltip has the rest

Point = tuple[float, float]


@dataclass(slots=True)
class Text:
    """A line of text in a box, the middle of its baseline, and its size."""

    text: str
    x: float
    y: float
    size: float


@dataclass(slots=True)
class Box:
    """A node and the rectangle it fills; ``x`` and ``y`` are the middle."""

    node: GraphNode
    width: float
    height: float
    lines: list[tuple[str, float]]
    x: float = 0.0
    y: float = 0.0

    def texts(self) -> list[Text]:
        """Return the lines of the label where they belong."""
        top = self.y - _LINE * len(self.lines) / 2
        return [
            Text(line, self.x, top + _LINE * (i + 0.5) + 0.36 * size, size)
            for i, (line, size) in enumerate(self.lines)
        ]


@dataclass(slots=True)
class Frame:
    """The box around what a layer computed; ``x`` and ``y`` are the middle."""

    path: Path
    width: float
    height: float
    inner: Layout
    x: float = 0.0
    y: float = 0.0

    @property
    def title(self) -> str:
        """The name of the layer, and its class."""
        return frame_title(self.path[-1])

    def corner(self) -> Point:
        """Return where the title stands, the left end of its baseline: where no edge enters."""
        width = text_width(self.title, DETAIL_SIZE)
        edges = [self.width / 2 + x for x in self.inner.ins.values()]
        for left in (9.0, *(x + 7.0 for x in sorted(edges))):
            free = all(x < left - 4.0 or x > left + width for x in edges)
            if free and left + width < self.width:
                break
        else:
            left = 9.0
        return self.x - self.width / 2 + left, self.y - self.height / 2 + 16.0


@dataclass(slots=True)
class Layout:
    """A graph with coordinates, y pointing down.

    Every curve is a list of points, and passes each of them vertically; ``arrows`` are the
    points where one ends at a box. ``ins`` and ``outs`` say at which x the edges from a node
    come through the border, where the layout is that of the inside of a layer.
    """

    width: float = 0.0
    height: float = 0.0
    boxes: list[Box] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)  # outer ones before those inside
    curves: list[list[Point]] = field(default_factory=list)
    arrows: list[Point] = field(default_factory=list)
    ins: dict[str, float] = field(default_factory=dict)
    outs: dict[str, float] = field(default_factory=dict)


def frame_title(scope: Scope) -> str:
    """Return the name and class of a layer, ``blocks/2 · Block``."""
    name = clean(scope.name)
    return name if name == scope.kind else f"{name} \u00b7 {scope.kind}"


def text_width(text: str, size: float) -> float:
    """Return about how wide ``text`` is in a sans-serif font of that size, rather too much."""
    return size * sum(_letter_width(letter) for letter in text)


def _letter_width(letter: str) -> float:
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.0
    if letter in "iljtfrI.,:;'|!()[] ":
        return 0.38
    if letter in "mwMW@%":
        return 0.92
    return 0.72 if letter.isupper() else 0.6


def _box(node: GraphNode, label: Label) -> Box:
    title, *details = label(node).split("\n")
    rows = [(clean(title), TITLE_SIZE)] + [(clean(row), DETAIL_SIZE) for row in details]
    lines = [
        (text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + "\u2026", size)
        for text, size in rows
        if text
    ]
    height = _LINE * max(1, len(lines)) + 2 * _PAD_Y
    width = max((text_width(*line) for line in lines), default=0.0) + 2 * _PAD_X
    if node.kind == "variable":
        width = max(width + 6.0, height) if lines else _LINE
        height = height if lines else _LINE
    return Box(node, width, height, lines)


@dataclass(slots=True)
class _Port:
    """Where the edges from one node come through the border of the box."""

    width: float = _LANE_WIDTH
    height: float = 0.0
    x: float = 0.0
    y: float = 0.0


_Vertex = Box | Frame | _Port


def lay_out(graph: Graph, label: Label) -> Layout:
    """Return where to draw ``graph``, with ``label`` giving the text of each node."""
    crossing: dict[Path, list[tuple[str, str]]] = defaultdict(list)
    scopes = {node.id: node.scopes for node in graph.nodes}
    for edge in graph.edges:
        start, end = scopes[edge[0]], scopes[edge[1]]
        shared = len(common(start, end))
        crossing[start[:shared]].append(edge)
        for path in (start, end):
            for depth in range(shared + 1, len(path) + 1):
                crossing[path[:depth]].append(edge)
    layout = _lay_out_level(nest(graph.nodes), crossing, scopes, label)
    place = {node.id: i for i, node in enumerate(graph.nodes)}
    layout.boxes.sort(key=lambda box: place[box.node.id])
    return layout


def _lay_out_level(
    cluster: Cluster[GraphNode],
    crossing: dict[Path, list[tuple[str, str]]],
    scopes: dict[str, Path],
    label: Label,
) -> Layout:
    level = _Level(cluster.path, scopes)
    for item in cluster.items:
        if isinstance(item, Cluster):
            inner = _lay_out_level(item, crossing, scopes, label)
            level.add(item.path, Frame(item.path, inner.width, inner.height, inner))
        else:
            level.add(item.id, _box(item, label))
    for start, end in crossing[cluster.path]:
        level.link(start, end)
    return level.layout()


class _Level:
    """The inside of one box: vertices and the edges between them."""

    def __init__(self, path: Path, scopes: dict[str, Path]) -> None:
        self.path = path
        self.scopes = scopes
        self.vertices: list[_Vertex] = []
        self.number: dict[Any, int] = {}  # by a node's id, a box's path, a port's side and source
        self.links: list[Link] = []
        self._joined: set[tuple[str, int]] = set()

    def add(self, key: Any, vertex: _Vertex) -> int:
        """Add a vertex."""
        self.number[key] = len(self.vertices)
        self.vertices.append(vertex)
        return self.number[key]

    def link(self, source: str, end: str) -> None:
        """Add an edge of the graph; what goes to one place in a box, or out of it, goes once."""
        u = self._vertex(source, ("in", source))
        v = self._vertex(end, ("out", source))
        if not isinstance(self.vertices[v], Box):
            if (source, v) in self._joined:
                return
            self._joined.add((source, v))
        start, stop = self.vertices[u], self.vertices[v]
        out = start.inner.outs[source] if isinstance(start, Frame) else 0.0
        into = stop.inner.ins[source] if isinstance(stop, Frame) else 0.0
        self.links.append(Link(u, v, source, out, into))

    def _vertex(self, node: str, port: tuple[str, str]) -> int:
        path, depth = self.scopes[node], len(self.path)
        if path[:depth] != self.path:
            return self.number[port] if port in self.number else self.add(port, _Port())
        return self.number[node if len(path) == depth else path[: depth + 1]]

    def _ports(self, side: str) -> dict[str, int]:
        return {k[1]: i for k, i in self.number.items() if isinstance(k, tuple) and k[0] == side}

    def layout(self) -> Layout:
        """Return where everything goes."""
        ins, outs = self._ports("in"), self._ports("out")
        lanes = Lanes(len(self.vertices), self.links, set(ins.values()), set(outs.values()))
        segments = list(lanes.segments)
        rows = _facing(order(lanes.ranks, segments), lanes)
        widths = [vertex.width for vertex in self.vertices]
        widths += [_LANE_WIDTH] * (len(lanes.ranks) - len(widths))
        paths = lanes.paths()  # of equals the one that most depends on is straight
        segments.sort(key=lambda segment: -paths[segment[1]])
        weights = [1 if u in lanes.simple else self._weight(u, v) for u, v in segments]
        shifts = [lanes.segments[segment] for segment in segments]
        xs = Straightener(rows, widths, segments, weights, _GAP, shifts).run()
        if max(xs) - min(xs) > _WIDE:  # side branches that bend need less room
            main = lanes.main_way(paths)
            weights = [
                -w if w == 4 and v not in main else w
                for w, (_, v) in zip(weights, segments, strict=True)
            ]
            xs = Straightener(rows, widths, segments, weights, _GAP, shifts).run()
        layout = Layout()
        xs = self._sized(layout, xs, widths)
        bands = self._bands(rows, xs, lanes)
        layout.height = bands[-1][1] + (_FRAME_PAD if self.path else _MARGIN)
        for i, vertex in enumerate(self.vertices):
            vertex.x, vertex.y = xs[i], self._height_in(bands[lanes.ranks[i]], vertex)
        middle = layout.width / 2
        layout.ins = {source: xs[i] - middle for source, i in ins.items()}
        layout.outs = {source: xs[i] - middle for source, i in outs.items()}
        _Drawing(layout, self.vertices, lanes, xs, bands).run()
        return layout

    def _sized(self, layout: Layout, xs: list[float], widths: list[float]) -> list[float]:
        """Set the width, and return the places moved so that they begin at the left margin."""
        margin = _FRAME_PAD if self.path else _MARGIN
        left = min(x - w / 2 for x, w in zip(xs, widths, strict=True))
        right = max(x + w / 2 for x, w in zip(xs, widths, strict=True))
        title = text_width(frame_title(self.path[-1]), DETAIL_SIZE) + 18.0 if self.path else 0.0
        layout.width = max(right - left + 2 * margin, title)
        move = layout.width / 2 - (left + right) / 2
        return [x + move for x in xs]

    def _height_in(self, band: tuple[float, float], vertex: _Vertex) -> float:
        """Return the y of a vertex: the middle of its rank, for a leaf beside a tall box low."""
        top, bottom = band
        leaf = isinstance(vertex, Box) and vertex.node.is_leaf
        if leaf and bottom - top > 3 * vertex.height:
            return bottom - vertex.height / 2
        return (top + bottom) / 2

    def _weight(self, u: int, v: int) -> int:
        """Return how much the segment from ``u`` to ``v`` should be straight."""
        count = len(self.vertices)
        if u >= count or v >= count:
            return 3 if u >= count and v >= count else 0
        start = self.vertices[u]
        if not isinstance(start, Box):
            return 4
        if not start.node.is_leaf:
            return 4 if start.node.kind == "variable" else 5
        return 2 if start.node.role == "input" else 1

    def _bands(self, rows: Rows, xs: list[float], lanes: Lanes) -> list[tuple[float, float]]:
        """Return top and bottom of each rank; wide swings between two ranks get more height."""
        swing = [0.0] * len(rows)
        for (u, v), (out, into) in lanes.segments.items():
            reach = abs(xs[u] + out - xs[v] - into)
            swing[lanes.ranks[v]] = max(swing[lanes.ranks[v]], reach)
        bands: list[tuple[float, float]] = []
        y = _FRAME_TITLE + 6.0 if self.path else _MARGIN
        for row, reach in zip(rows, swing, strict=True):
            boxes = [self.vertices[v].height for v in row if v < len(self.vertices)]
            height = max(boxes, default=0.0)
            empty = height == 0.0 or (len(bands) == 1 and bands[0][0] == bands[0][1])
            gap = _FRAME_PAD / 2 if empty and self.path else _RANK_GAP  # beside ports alone
            y += min(gap + 0.06 * reach, 4 * _RANK_GAP) if bands else 0.0
            bands.append((y, y + height))
            y += height
        return bands


def _facing(rows: Rows, lanes: Lanes) -> Rows:
    """Return the rows, mirrored if functions then have more of their inputs from left to right."""
    place = {v: i for row in rows for i, v in enumerate(row)}
    inputs: dict[int, list[int]] = defaultdict(list)
    for link, hop in zip(lanes.links, lanes.last_hop, strict=True):
        inputs[link.end].append(place[hop])
    pairs = [pair for places in inputs.values() for pair in pairwise(places)]
    turns = sum((a > b) - (a < b) for a, b in pairs)
    return [row[::-1] for row in rows] if turns > 0 else rows


class _Drawing:
    """The edges of a level, and the insides of its boxes, drawn into its layout."""

    def __init__(
        self,
        layout: Layout,
        vertices: list[_Vertex],
        lanes: Lanes,
        xs: list[float],
        bands: list[tuple[float, float]],
    ) -> None:
        self.layout = layout
        self.vertices = vertices
        self.lanes = lanes
        self.xs = xs
        self.bands = bands

    def run(self) -> None:
        """Draw all."""
        layout = self.layout
        for vertex in self.vertices:
            if isinstance(vertex, Box):
                layout.boxes.append(vertex)
            elif isinstance(vertex, Frame):
                _embed(layout, vertex)
        for lane, out in self.lanes.shared():
            points = self._leave(lane[0], out)
            points += [point for vertex in lane[1:] for point in self._leave(vertex)]
            layout.curves.append(_simplify(points))
        for link, hop, x in self._entries():
            points = self._leave(hop, link.out) if hop == link.start else self._leave(hop)[1:]
            layout.curves.append(_simplify([*points, *self._enter(link.end, x)]))

    def _leave(self, vertex: int, out: float = 0.0) -> list[Point]:
        """Return the way of an edge out of a vertex, or along a lane, down through its rank."""
        top, bottom = self.bands[self.lanes.ranks[vertex]]
        x = self.xs[vertex] + out
        if vertex < len(self.vertices):
            part = self.vertices[vertex]
            top = 0.0 if isinstance(part, _Port) else part.y + part.height / 2
        return [(x, top), (x, bottom)]

    def _enter(self, vertex: int, x: float) -> list[Point]:
        """Return the way of an edge from the rank above into a vertex, and draw its arrow."""
        top = self.bands[self.lanes.ranks[vertex]][0]
        part = self.vertices[vertex]
        if isinstance(part, _Port):
            return [(x, top), (x, self.layout.height)]
        tip = part.y - part.height / 2
        if isinstance(part, Frame):
            return [(x, top), (x, tip)]
        self.layout.arrows.append((x, tip))
        return [(x, top - ARROW), (x, tip - ARROW)]

    def _entries(self) -> list[tuple[Link, int, float]]:
        """Return for each edge its last hop, and the x where it enters.

        What comes from right above goes on straight; the others keep to their side of it.
        """
        xs = self.xs
        entering: dict[int, list[tuple[Link, int]]] = defaultdict(list)
        for link, hop in zip(self.lanes.links, self.lanes.last_hop, strict=True):
            entering[link.end].append((link, hop))
        found: list[tuple[Link, int, float]] = []
        for end, edges in entering.items():
            part = self.vertices[end]
            if not isinstance(part, Box):
                found += [(link, hop, xs[end] + link.into) for link, hop in edges]
                continue
            places = [xs[hop] + (link.out if hop == link.start else 0.0) for link, hop in edges]
            turn = sorted(range(len(edges)), key=places.__getitem__)
            above = [i for i, k in enumerate(turn) if abs(places[k] - xs[end]) < 0.01]
            middle = sum(above) / len(above) if above else (len(edges) - 1) / 2
            furthest = max(middle, len(edges) - 1 - middle, 0.5)
            step = min(_PORT_GAP, 0.4 * part.width / furthest)
            found += [(*edges[k], xs[end] + (i - middle) * step) for i, k in enumerate(turn)]
        return found


def _embed(layout: Layout, frame: Frame) -> None:
    """Put a box and what is inside into the layout around it."""
    dx, dy = frame.x - frame.width / 2, frame.y - frame.height / 2
    inner = frame.inner
    parts: list[Box | Frame] = [*inner.boxes, *inner.frames]
    for part in parts:
        part.x += dx
        part.y += dy
    layout.frames += [frame, *inner.frames]
    layout.boxes += inner.boxes
    layout.curves += [[(x + dx, y + dy) for x, y in curve] for curve in inner.curves]
    layout.arrows += [(x + dx, y + dy) for x, y in inner.arrows]
    inner.boxes, inner.frames, inner.curves, inner.arrows = [], [], [], []


def _simplify(points: list[Point]) -> list[Point]:
    """Drop repeated points, and those inside a straight vertical line."""
    result: list[Point] = []
    for point in points:
        if result and point == result[-1]:
            continue
        if len(result) > 1 and result[-2][0] == result[-1][0] == point[0]:
            result.pop()
        result.append(point)
    return result
