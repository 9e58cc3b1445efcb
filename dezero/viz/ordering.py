"""In which order the vertices of each rank stand, so that few edges cross, and how far apart."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from math import inf

Segment = tuple[int, int]
Rows = list[list[int]]


def order(ranks: Sequence[int], segments: Sequence[Segment]) -> Rows:
    """Return the vertices of each rank from left to right.

    ``segments`` join vertices of one rank to vertices of the next. Where :func:`barycentre`
    leaves crossings, igraph may find a better order if it is installed (``pip install igraph``).
    """
    rows = barycentre(ranks, segments)
    if not crossings(rows, segments):
        return rows
    try:
        import igraph
    except ImportError:
        return rows
    graph = igraph.Graph(len(ranks), list(segments), directed=True)
    places = graph.layout_sugiyama(layers=list(ranks), maxiter=100)
    other = _rows(ranks, [places[v][0] for v in range(len(ranks))])
    return min(other, rows, key=lambda rows: crossings(rows, segments))


def barycentre(ranks: Sequence[int], segments: Sequence[Segment]) -> Rows:
    """Return an order found by sorting each rank by the mean place of its neighbours.

    Sweeps down and up in turn, and keeps the best order seen. Source: K. Sugiyama,
    S. Tagawa, M. Toda, Methods for visual understanding of hierarchical system structures, 1981.
    """
    above: dict[int, list[int]] = defaultdict(list)
    below: dict[int, list[int]] = defaultdict(list)
    for u, v in segments:
        below[u].append(v)
        above[v].append(u)
    rows = _rows(ranks, _first_seen(ranks, above, below))
    best, fewest = rows, crossings(rows, segments)
    for sweep in range(max(2, min(8, 80_000 // len(ranks)))):
        if not fewest:
            break
        down = sweep % 2 == 0
        rows = _sweep(rows if down else rows[::-1], above if down else below)
        rows = rows if down else rows[::-1]
        count = crossings(rows, segments)
        if count < fewest:
            best, fewest = rows, count
    return best


def _rows(ranks: Sequence[int], places: Sequence[float]) -> Rows:
    rows: Rows = [[] for _ in range(max(ranks) + 1)]
    for vertex in sorted(range(len(ranks)), key=places.__getitem__):
        rows[ranks[vertex]].append(vertex)
    return rows


def _first_seen(
    ranks: Sequence[int], above: dict[int, list[int]], below: dict[int, list[int]]
) -> list[float]:
    """Return when a walk from the last rank upwards meets each vertex: a good first order."""
    places = [-1.0] * len(ranks)
    stack = sorted(range(len(ranks)), key=ranks.__getitem__)
    clock = 0
    while stack:
        vertex = stack.pop()
        if places[vertex] < 0:
            places[vertex] = clock = clock + 1
            stack += reversed(above[vertex])
    return places


def _sweep(rows: Rows, neighbours: dict[int, list[int]]) -> Rows:
    place = {v: float(i) for i, v in enumerate(rows[0])}
    result = [rows[0]]
    for row in rows[1:]:
        want = {}
        for i, v in enumerate(row):
            near = [place[u] for u in neighbours[v]]
            want[v] = sum(near) / len(near) if near else float(i)
        result.append(sorted(row, key=want.__getitem__))
        place = {v: float(i) for i, v in enumerate(result[-1])}
    return result


def crossings(rows: Rows, segments: Sequence[Segment]) -> int:
    """Return how many pairs of segments cross."""
    place = {v: i for row in rows for i, v in enumerate(row)}
    below: dict[int, list[int]] = defaultdict(list)
    for u, v in segments:
        below[u].append(place[v])
    count = 0
    for row in rows:
        seen: list[int] = []
        for end in (end for u in row if u in below for end in sorted(below[u])):
            count += len(seen) - bisect_right(seen, end)
            insort(seen, end)
    return count


class Straightener:
    """Finds the x of every vertex: the order of a row is kept, what may be straight is straight.

    Vertices joined by segments that do not cross form a block, a vertical line; the heaviest
    segments choose first. Blocks then move towards the mean of their other neighbours, as far
    as the blocks beside them leave room. A segment may leave and enter beside the middles of its
    vertices, by ``shifts``, and one of negative weight belongs to no line. Compare U. Brandes
    and B. Koepf, Fast and simple horizontal coordinate assignment, 2001, whose blocks these are.
    """

    def __init__(
        self,
        rows: Rows,
        widths: Sequence[float],
        segments: Sequence[Segment],
        weights: Sequence[int],
        gap: float,
        shifts: Sequence[tuple[float, float]] | None = None,
    ) -> None:
        self.shifts = shifts or [(0.0, 0.0)] * len(segments)
        self.off: dict[int, float] = {}  # of each vertex from the line of its block
        self.widths = widths
        self.gap = gap
        self.segments = segments
        self.weights = weights
        self.place = {v: i for row in rows for i, v in enumerate(row)}
        self.rank = {v: r for r, row in enumerate(rows) for v in row}
        self.block = self._blocks(rows)
        self.right = self._room(rows)
        self.left: dict[int, dict[int, float]] = defaultdict(dict)
        for a, row in self.right.items():
            for b, room in row.items():
                self.left[b][a] = room

    def _blocks(self, rows: Rows) -> dict[int, int]:
        """Return the block of each vertex, named after the vertex at its top."""
        taken: dict[int, list[tuple[int, int]]] = defaultdict(list)  # by rank, never crossing
        up: dict[int, tuple[int, float]] = {}
        used: set[int] = set()
        for i in sorted(range(len(self.segments)), key=lambda i: -self.weights[i]):
            u, v = self.segments[i]
            row, pair = taken[self.rank[u]], (self.place[u], self.place[v])
            at = bisect_left(row, pair)
            crosses = (at > 0 and row[at - 1][1] > pair[1]) or (
                at < len(row) and row[at][1] < pair[1]
            )
            if self.weights[i] >= 0 and u not in used and v not in up and not crosses:
                row.insert(at, pair)
                used.add(u)
                up[v] = u, self.shifts[i][0] - self.shifts[i][1]
        block: dict[int, int] = {}
        for v in (v for row in rows for v in row):
            u, shift = up.get(v, (v, 0.0))
            block[v] = block[u] if v in up else v
            self.off[v] = self.off[u] + shift if v in up else 0.0
        return block

    def _room(self, rows: Rows) -> dict[int, dict[int, float]]:
        """Return how far apart the middles of neighbouring blocks must be."""
        room: dict[int, dict[int, float]] = {self.block[v]: {} for row in rows for v in row}
        for a, b in ((a, b) for row in rows for a, b in pairwise(row)):
            near = room[self.block[a]]
            need = (self.widths[a] + self.widths[b]) / 2 + self.gap + self.off[a] - self.off[b]
            near[self.block[b]] = max(near.get(self.block[b], -inf), need)
        return room

    def _left_to_right(self) -> list[int]:
        waiting = {b: len(self.left[b]) for b in self.right}
        ready = [b for b in self.right if not waiting[b]]
        for b in ready:  # grows while it is walked
            for other in self.right[b]:
                waiting[other] -= 1
                if not waiting[other]:
                    ready.append(other)
        return ready

    def run(self) -> list[float]:
        """Return the x of every vertex, by its number."""
        blocks = self._left_to_right()
        low: dict[int, float] = {}
        for b in blocks:
            low[b] = max((low[a] + room for a, room in self.left[b].items()), default=0.0)
        limit = max(low.values())
        high: dict[int, float] = {}
        for b in reversed(blocks):
            high[b] = min((high[c] - room for c, room in self.right[b].items()), default=limit)
        x = {b: (low[b] + high[b]) / 2 for b in blocks}
        pulls: dict[int, list[tuple[int, int, float]]] = defaultdict(list)
        for (u, v), weight, (out, into) in zip(
            self.segments, self.weights, self.shifts, strict=True
        ):
            a, b = self.block[u], self.block[v]
            if a != b:
                away = self.off[v] + into - self.off[u] - out
                pulls[a].append((b, abs(weight) + 1, away))
                pulls[b].append((a, abs(weight) + 1, -away))
        sweeps = max(4, min(30, 100_000 // len(self.place)))
        for sweep in range(sweeps):
            for b in blocks if sweep % 2 else reversed(blocks):
                self._move(b, x, pulls[b])
        return [x[self.block[v]] + self.off[v] for v in range(len(self.place))]

    def _move(self, b: int, x: dict[int, float], pulls: list[tuple[int, int, float]]) -> None:
        if not pulls:
            return
        total = sum(weight for _, weight, _ in pulls)
        want = sum((x[other] + away) * weight for other, weight, away in pulls) / total
        low = max((x[a] + room for a, room in self.left[b].items()), default=-inf)
        high = min((x[c] - room for c, room in self.right[b].items()), default=inf)
        x[b] = min(max(want, low), high)
