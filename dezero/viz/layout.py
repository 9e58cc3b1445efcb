"""Where the nodes and edges of a graph go: a layered layout from top to bottom.

A function stands at rank 2g + 1 and a variable at rank 2g, where g is the generation; a leaf
stands just above its first user. An edge that passes ranks keeps a lane free in each of them (a
vertex without a box), so it never runs through a box; the edges that leave one variable share
its lanes, which keeps a weight shared by a thousand steps as cheap as one used once.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise

from dezero.viz.graph import Graph, GraphNode, Label, clean
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
ARROW = 6.0
_MAX_TEXT = 44  # letters in a line; a tooltip has the rest
_LANES_PER_NODE = 6

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
class Layout:
    """A graph with coordinates, y pointing down.

    Every curve is a list of points, and passes each of them vertically; ``arrows`` are the
    points where one ends at a box.
    """

    width: float = 0.0
    height: float = 0.0
    boxes: list[Box] = field(default_factory=list)
    curves: list[list[Point]] = field(default_factory=list)
    arrows: list[Point] = field(default_factory=list)


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


class _Lanes:
    """The vertices to place, boxes first, then lanes, and the segments between their ranks."""

    def __init__(self, graph: Graph) -> None:
        index = {node.id: i for i, node in enumerate(graph.nodes)}
        self.edges = [(index[start], index[end]) for start, end in graph.edges]
        self.ranks = _ranks(graph.nodes, self.edges)
        self.boxes = len(self.ranks)
        self.segments: dict[tuple[int, int], None] = {}  # an ordered set
        self.last_hop: list[int] = []  # for each edge the vertex that it enters its end from
        self._lanes = lanes = self._open_lanes()
        for start, end in self.edges:
            lane = lanes.get(start, [start])
            hop = lane[min(self.ranks[end] - self.ranks[start], len(lane)) - 1]
            self.last_hop.append(hop)
            if self.ranks[end] == self.ranks[hop] + 1:
                self.segments[hop, end] = None

    def shared(self) -> list[list[int]]:
        """Return the start and the lanes of each variable whose edges pass ranks."""
        return [lane for lane in self._lanes.values() if len(lane) > 1]

    def _open_lanes(self) -> dict[int, list[int]]:
        reach: dict[int, int] = {}
        for start, end in self.edges:
            reach[start] = max(reach.get(start, 0), self.ranks[end] - self.ranks[start])
        budget = 1000 + _LANES_PER_NODE * self.boxes
        lanes: dict[int, list[int]] = {}
        for start, span in sorted(reach.items(), key=lambda item: item[1]):
            budget -= span - 1
            if budget < 0:
                break  # what is left are the longest edges of a huge graph: drawn straight
            first = len(self.ranks)
            self.ranks += range(self.ranks[start] + 1, self.ranks[start] + span)
            lanes[start] = [start, *range(first, len(self.ranks))]
            self.segments.update(dict.fromkeys(pairwise(lanes[start])))
        return lanes


def _ranks(nodes: list[GraphNode], edges: list[tuple[int, int]]) -> list[int]:
    ranks = [2 * node.generation + (node.kind == "function") for node in nodes]
    first_user: dict[int, int] = {}
    for start, end in edges:
        first_user[start] = min(first_user.get(start, ranks[end]), ranks[end])
    for i, node in enumerate(nodes):
        if node.is_leaf:
            ranks[i] = first_user.get(i, 1) - 1
    used = {rank: i for i, rank in enumerate(sorted(set(ranks)))}
    return [used[rank] for rank in ranks]


def _weight(nodes: list[GraphNode], u: int, v: int) -> int:
    """Return how much the segment from ``u`` to ``v`` should be straight."""
    if u >= len(nodes) or v >= len(nodes):
        return 3 if u >= len(nodes) and v >= len(nodes) else 0
    if not nodes[u].is_leaf:
        return 5 if nodes[u].kind == "function" else 4
    return 2 if nodes[u].role == "input" else 1


def lay_out(graph: Graph, label: Label) -> Layout:
    """Return where to draw ``graph``, with ``label`` giving the text of each node."""
    lanes = _Lanes(graph)
    segments = list(lanes.segments)
    rows = _facing(order(lanes.ranks, segments), lanes)
    boxes = [_box(node, label) for node in graph.nodes]
    widths = [box.width for box in boxes] + [_LANE_WIDTH] * (len(lanes.ranks) - len(boxes))
    weights = [_weight(graph.nodes, u, v) for u, v in segments]
    xs = Straightener(rows, widths, segments, weights, _GAP).run()
    left = min(x - w / 2 for x, w in zip(xs, widths, strict=True)) - _MARGIN
    xs = [x - left for x in xs]
    layout = Layout(boxes=boxes)
    layout.width = max(x + w / 2 for x, w in zip(xs, widths, strict=True)) + _MARGIN
    bands = _bands(rows, boxes, xs, lanes)
    layout.height = bands[-1][1] + _MARGIN
    for i, box in enumerate(boxes):
        box.x, box.y = xs[i], sum(bands[lanes.ranks[i]]) / 2
    _draw_edges(layout, lanes, xs, bands)
    return layout


def _facing(rows: Rows, lanes: _Lanes) -> Rows:
    """Return the rows, mirrored if functions then have more of their inputs from left to right."""
    place = {v: i for row in rows for i, v in enumerate(row)}
    inputs: dict[int, list[int]] = defaultdict(list)
    for (_, end), hop in zip(lanes.edges, lanes.last_hop, strict=True):
        inputs[end].append(place[hop])
    pairs = [pair for places in inputs.values() for pair in pairwise(places)]
    turns = sum((a > b) - (a < b) for a, b in pairs)
    return [row[::-1] for row in rows] if turns > 0 else rows


def _bands(
    rows: Rows, boxes: list[Box], xs: list[float], lanes: _Lanes
) -> list[tuple[float, float]]:
    """Return top and bottom of each rank; wide swings between two ranks get more height."""
    swing = [0.0] * len(rows)
    for u, v in lanes.segments:
        swing[lanes.ranks[v]] = max(swing[lanes.ranks[v]], abs(xs[u] - xs[v]))
    bands: list[tuple[float, float]] = []
    y = _MARGIN
    for row, reach in zip(rows, swing, strict=True):
        y += min(_RANK_GAP + 0.06 * reach, 4 * _RANK_GAP) if bands else 0.0
        height = max((boxes[v].height for v in row if v < len(boxes)), default=0.0)
        bands.append((y, y + height))
        y += height
    return bands


def _draw_edges(
    layout: Layout, lanes: _Lanes, xs: list[float], bands: list[tuple[float, float]]
) -> None:
    boxes, ranks = layout.boxes, lanes.ranks

    def leave(vertex: int) -> list[Point]:
        top, bottom = bands[ranks[vertex]]
        if vertex < len(boxes):
            top = boxes[vertex].y + boxes[vertex].height / 2
        return [(xs[vertex], top), (xs[vertex], bottom)]

    for lane in lanes.shared():
        layout.curves.append(_simplify([point for vertex in lane for point in leave(vertex)]))
    for hop, end, x in _ports(lanes, boxes, xs):
        tip = boxes[end].y - boxes[end].height / 2
        start = leave(hop) if hop < len(boxes) else leave(hop)[1:]
        path = [*start, (x, bands[ranks[end]][0] - ARROW), (x, tip - ARROW)]
        layout.curves.append(_simplify(path))
        layout.arrows.append((x, tip))


def _ports(lanes: _Lanes, boxes: list[Box], xs: list[float]) -> list[tuple[int, int, float]]:
    """Return for each edge its last hop, its end, and the x where it enters.

    What comes from right above goes on straight; the others keep to their side of it.
    """
    entering: dict[int, list[int]] = defaultdict(list)
    for (_, end), hop in zip(lanes.edges, lanes.last_hop, strict=True):
        entering[end].append(hop)
    ports: list[tuple[int, int, float]] = []
    for end, hops in entering.items():
        hops = sorted(hops, key=xs.__getitem__)
        above = [i for i, hop in enumerate(hops) if xs[hop] == xs[end]]
        middle = sum(above) / len(above) if above else (len(hops) - 1) / 2
        furthest = max(middle, len(hops) - 1 - middle, 0.5)
        step = min(_PORT_GAP, 0.4 * boxes[end].width / furthest)
        ports += [(hop, end, xs[end] + (i - middle) * step) for i, hop in enumerate(hops)]
    return ports


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
