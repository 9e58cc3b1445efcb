"""One level of a layout before it has coordinates: ranks, and lanes for the edges that pass some.

A vertex is a node, a box with a layout of its own inside, or a port, where an edge comes through
the border of the box that the level is in. An edge that passes ranks keeps a lane free in each of
them (a vertex without a box), so it never runs through a box; the edges that leave one variable
share its lanes, which keeps a weight shared by a thousand steps as cheap as one used once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from math import log2
from typing import NamedTuple

_LANES_PER_NODE = 6
_LARGE = 150  # vertices of a level


class Link(NamedTuple):
    """An edge between vertices of a level: ``source`` is the id of the node that it comes from.

    ``out`` and ``into`` say how far from the middles of its ends it leaves and enters.
    """

    start: int
    end: int
    source: str
    out: float = 0.0
    into: float = 0.0


class Lanes:
    """The vertices to place, first those that are something, then lanes, and their segments.

    Parameters
    ----------
    count : int
        How many vertices there are.
    links : list of Link
        The edges.
    first, last : set of int
        Ports, which stand in the first and in the last rank.
    """

    def __init__(self, count: int, links: Sequence[Link], first: set[int], last: set[int]) -> None:
        self.links = links
        self.count = count
        self.ranks, self.simple = _ranks(count, links, first, last)
        self.segments: dict[tuple[int, int], tuple[float, float]] = {}  # and what they swerve by
        self.last_hop: list[int] = []  # for each edge the vertex that it enters its end from
        self._lanes = self._open_lanes()
        for link in links:
            lane = self._lanes.get(link.source, [link.start])
            span = self.ranks[link.end] - self.ranks[link.start]
            hop = lane[min(span, len(lane)) - 1]
            self.last_hop.append(hop)
            if self.ranks[link.end] == self.ranks[hop] + 1:
                out = link.out if hop == link.start else 0.0
                self.segments.setdefault((hop, link.end), (out, link.into))

    def shared(self) -> list[tuple[list[int], float]]:
        """Return start and lanes of each source whose edges pass ranks, and where they leave."""
        out = {link.source: link.out for link in self.links}
        return [(lane, out[source]) for source, lane in self._lanes.items() if len(lane) > 1]

    def paths(self) -> list[float]:
        """Return for each vertex log2 of how many ways lead from it to an end of the level."""
        below: dict[int, list[int]] = defaultdict(list)
        for u, v in self.segments:
            below[u].append(v)
        found = [0.0] * len(self.ranks)
        for u in sorted(below, key=self.ranks.__getitem__, reverse=True):
            most = max(found[v] for v in below[u])
            found[u] = most + log2(sum(2.0 ** (found[v] - most) for v in below[u]))
        return found

    def main_way(self, paths: list[float]) -> set[int]:
        """Return the vertices of the way that goes where most ways lead on."""
        below: dict[int, list[int]] = defaultdict(list)
        for u, v in self.segments:
            below[u].append(v)
        at = max(range(len(paths)), key=paths.__getitem__)
        found = {at}
        while below[at]:
            at = max(below[at], key=paths.__getitem__)
            found.add(at)
        return found

    def _open_lanes(self) -> dict[str, list[int]]:
        reach: dict[str, tuple[int, Link]] = {}
        for link in self.links:
            span = self.ranks[link.end] - self.ranks[link.start]
            if span > reach.get(link.source, (0, link))[0]:
                reach[link.source] = span, link
        budget = 1000 + _LANES_PER_NODE * self.count
        lanes: dict[str, list[int]] = {}
        for source, (span, link) in sorted(reach.items(), key=lambda item: item[1][0]):
            budget -= span - 1
            if budget < 0:
                break  # what is left are the longest edges of a huge graph: drawn straight
            first, rank = len(self.ranks), self.ranks[link.start]
            self.ranks += range(rank + 1, rank + span)
            lanes[source] = [link.start, *range(first, len(self.ranks))]
            for u, v in pairwise(lanes[source]):
                self.segments[u, v] = (link.out if u == link.start else 0.0, 0.0)
        return lanes


def _ranks(
    count: int, links: Sequence[Link], first: set[int], last: set[int]
) -> tuple[list[int], set[int]]:
    """Return the rank of each vertex: below its inputs, and a leaf just above its first user.

    In a large level what is computed from leaves alone for one user, such as ``xs[i]`` of a
    sequence, stands above that user as well: those vertices are returned too.
    """
    below: dict[int, list[int]] = defaultdict(list)
    waiting = [0] * count
    for link in links:
        below[link.start].append(link.end)
        waiting[link.end] += 1
    leaves = [v for v in range(count) if not waiting[v]]
    ranks = [0] * count
    ready = list(leaves)
    for u in ready:  # grows while it is walked
        for v in below[u]:
            ranks[v] = max(ranks[v], ranks[u] + 1)
            waiting[v] -= 1
            if not waiting[v]:
                ready.append(v)
    late = _simple(ready, below, links) if count > _LARGE else []
    for v in (*reversed(late), *leaves):
        if v not in first and below[v]:
            ranks[v] = min(ranks[w] for w in below[v]) - 1
    end = max((rank + (v not in last) for v, rank in enumerate(ranks)), default=0)
    for v in last:
        ranks[v] = end
    used = {rank: i for i, rank in enumerate(sorted(set(ranks)))}
    return [used[rank] for rank in ranks], set(late)


def _simple(vertices: list[int], below: dict[int, list[int]], links: Sequence[Link]) -> list[int]:
    """Return, inputs first, what is computed from leaves alone for one user."""
    inputs: dict[int, list[int]] = defaultdict(list)
    for link in links:
        inputs[link.end].append(link.start)
    simple: set[int] = set()
    for v in vertices:
        if not inputs[v] or (len(below[v]) == 1 and all(u in simple for u in inputs[v])):
            simple.add(v)
    return [v for v in vertices if v in simple and inputs[v]]
