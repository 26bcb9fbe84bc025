"""Roads: routes along the edges of the blocks that join the villages and leave the scene."""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, field

import numpy as np
import shapely
from shapely.geometry import LineString, Polygon

Node = tuple[float, float]


@dataclass(slots=True)
class Network:
    """The edges of the blocks as a graph of local points."""

    links: dict[Node, dict[Node, float]] = field(default_factory=dict)

    @classmethod
    def along(cls, blocks: tuple[Polygon, ...]) -> Network:
        """Build the graph of all block edges; corners within 0.1 m are one node."""
        network = cls()
        for block in blocks:
            ring = [(round(x, 1), round(y, 1)) for x, y in block.exterior.coords]
            for a, b in itertools.pairwise(ring):
                network._link(a, b)
        return network

    def _link(self, a: Node, b: Node) -> None:
        length = float(np.hypot(a[0] - b[0], a[1] - b[1]))
        if length > 0:
            self.links.setdefault(a, {})[b] = length
            self.links.setdefault(b, {})[a] = length

    def nearest(self, x: float, y: float) -> Node:
        """Return the node closest to a point."""
        return min(self.links, key=lambda node: (node[0] - x) ** 2 + (node[1] - y) ** 2)

    def route(self, start: Node, end: Node) -> list[Node]:
        """Return the shortest way between two nodes (Dijkstra)."""
        best = {start: 0.0}
        before: dict[Node, Node] = {}
        queue = [(0.0, start)]
        while queue:
            cost, node = heapq.heappop(queue)
            if node == end:
                break
            for other, length in self.links[node].items():
                if cost + length < best.get(other, np.inf):
                    best[other] = cost + length
                    before[other] = node
                    heapq.heappush(queue, (cost + length, other))
        way = [end]
        while way[-1] != start:
            way.append(before[way[-1]])
        return way

    def edges(self) -> list[LineString]:
        """Return every edge once."""
        return [LineString([a, b]) for a, ends in self.links.items() for b in ends if a < b]


def join(network: Network, stops: list[Node], metres: float) -> list[LineString]:
    """Return the roads that join `stops` in a row and lead out of the scene on four sides."""
    middle = metres / 2
    # 200 m beyond the borders, so that roads lead out of the scene.
    gates = [(-200.0, middle), (metres + 200, middle), (middle, -200.0), (middle, metres + 200)]
    ends = [network.nearest(x, y) for x, y in gates]
    pairs = list(itertools.pairwise(stops))
    pairs += [(min(stops, key=lambda stop: far(stop, end)), end) for end in ends]
    used = {
        (min(a, b), max(a, b)) for start, end in pairs for a, b in _steps(network.route(start, end))
    }
    return [LineString(edge) for edge in sorted(used)]


def _steps(way: list[Node]) -> list[tuple[Node, Node]]:
    return list(itertools.pairwise(way))


def far(a: Node, b: Node) -> float:
    """Return the squared distance between two nodes."""
    return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2


def tracks(network: Network, roads: list[LineString]) -> list[LineString]:
    """Return the block edges no road runs along."""
    taken = {line.wkb for line in shapely.normalize(roads)}
    return [line for line in network.edges() if shapely.normalize(line).wkb not in taken]
