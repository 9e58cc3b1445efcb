"""Pictures of the graph behind a Variable: text, DOT, SVG and PNG; no system package needed."""

from dezero.viz.dot import get_dot_graph
from dezero.viz.fold import fold_layers
from dezero.viz.graph import Graph, GraphNode, collect
from dezero.viz.page import Page, get_html_page, show
from dezero.viz.plot import get_svg_graph, plot_dot_graph
from dezero.viz.text import get_text_graph

__all__ = [
    "Graph",
    "GraphNode",
    "Page",
    "collect",
    "fold_layers",
    "get_dot_graph",
    "get_html_page",
    "get_svg_graph",
    "get_text_graph",
    "plot_dot_graph",
    "show",
]
