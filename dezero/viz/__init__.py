"""Pictures of the graph behind a Variable as DOT text, SVG or PNG; no system package needed."""

from dezero.viz.dot import get_dot_graph
from dezero.viz.graph import Graph, GraphNode, collect
from dezero.viz.plot import get_svg_graph, plot_dot_graph

__all__ = [
    "Graph",
    "GraphNode",
    "collect",
    "get_dot_graph",
    "get_svg_graph",
    "plot_dot_graph",
]
