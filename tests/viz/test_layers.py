"""Layers as boxes: which node is in which, what folds, and that no edge is wrong afterwards."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dezero
import dezero.functions as F
import dezero.layers as L
from dezero import Variable
from dezero.models import MLP
from dezero.viz import collect, fold_layers, get_dot_graph, get_svg_graph, plot_dot_graph
from dezero.viz.clusters import Scope, on_cycles, place, sound
from dezero.viz.fold import READABLE
from dezero.viz.graph import Graph, GraphNode, full_label
from dezero.viz.layout import lay_out
from dezero.viz.options import run
from dezero.viz.png import sample, to_png


class Block(L.Layer):
    def __init__(self, size):
        self.norm = L.LayerNorm(size)
        self.up = L.Linear(2 * size, in_size=size)
        self.down = L.Linear(size, in_size=2 * size)

    def forward(self, x):
        return x + self.down(F.relu(self.up(self.norm(x))))


class Net(dezero.Model):
    def __init__(self, size=4, count=3):
        self.blocks = [Block(size) for _ in range(count)]
        self.head = L.Linear(2, in_size=size)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.head(x)


class Unrolled(dezero.Model):
    def __init__(self, steps, cell=L.LSTM):
        self.steps = steps
        self.cell = cell(8)
        self.out = L.Linear(1)

    def forward(self, xs):
        y = 0.0
        for i in range(self.steps):
            y = y + F.sum(self.out(self.cell(xs[i])))
        return y


def graph_of(model, *inputs):
    return collect(run(model, inputs))


def net_graph(count=3):
    return graph_of(Net(count=count), np.ones((2, 4), np.float32))


def unrolled_graph(steps, cell=L.LSTM):
    return graph_of(Unrolled(steps, cell), np.ones((steps, 2, 3), np.float32))


def names(graph, kind):
    return [node.label for node in graph.nodes if node.kind == kind]


def ancestors(graph):
    """Return for each node the functions, variables and boxes that it depends on."""
    found = defaultdict(set)
    above = defaultdict(list)
    for start, end in graph.edges:
        above[end].append(start)
    for node in graph.nodes:
        for u in above[node.id]:
            found[node.id] |= {u} | found[u]
    return found


def test_functions_know_their_layers_and_variables_stand_where_they_are_used():
    nodes = {node.id: node for node in net_graph(1).nodes}
    paths = {n.label: [s.name for s in n.scopes] for n in nodes.values() if n.kind == "function"}
    assert paths["LayerNorm"] == ["Net", "blocks/0", "norm"]
    assert paths["ReLU"] == paths["Add"] == ["Net", "blocks/0"]
    kinds = {n.name: n.scopes[-1].kind for n in nodes.values() if n.is_parameter}
    assert kinds == {"gamma": "LayerNorm", "beta": "LayerNorm", "W": "Linear", "b": "Linear"}
    (x,) = [n for n in nodes.values() if n.name == "x"]
    (y,) = [n for n in nodes.values() if n.is_output]
    assert x.scopes == y.scopes == ()


def test_functions_know_their_lines():
    with dezero.trace():
        y = F.sin(Variable(np.array(1.0)))
    (node,) = [node for node in collect(y).nodes if node.kind == "function"]
    assert node.place.file == __file__ and node.place.code == "y = F.sin(Variable(np.array(1.0)))"
    assert re.search(r"test_layers\.py:\d+", get_dot_graph(y, show="line"))


def test_an_untraced_graph_has_no_boxes():
    y = Net()(np.ones((2, 4), np.float32))
    assert not any(node.scopes for node in collect(y).nodes)
    assert (
        "cluster" not in get_dot_graph(y) and "frame" not in get_svg_graph(y).split("</style>")[1]
    )


def test_calls_of_two_traces_are_not_one_box():
    model = L.Linear(4, in_size=4)
    with dezero.trace():
        h = model(Variable(np.ones((2, 4), np.float32)))
    h = F.tanh(h)
    with dezero.trace():
        y = model(h)
    graph = fold_layers(collect(y), 0)
    assert names(graph, "layer") == ["Linear", "Linear"]
    assert names(graph, "function") == ["Tanh"]


def test_fold_by_depth():
    graph = net_graph()
    assert names(fold_layers(graph, 0), "layer") == ["Net"]
    assert names(fold_layers(graph, 1), "layer") == ["blocks/0", "blocks/1", "blocks/2", "head"]
    assert names(fold_layers(graph, 2), "layer") == [
        *["norm", "up", "down"] * 3,
        "head",
    ] or sorted(names(fold_layers(graph, 2), "layer")) == sorted(["norm", "up", "down"] * 3)
    assert fold_layers(graph, False) is graph


@pytest.mark.parametrize(
    ("what", "folded"),
    [
        ("head", ["head"]),
        ("blocks/*", ["blocks/0", "blocks/1", "blocks/2"]),
        ("LayerNorm", ["norm"] * 3),
        (["blocks/1", "head"], ["blocks/1", "head"]),
        ("Net/blocks/0", ["blocks/0"]),
        ("blocks/0/up", ["up"]),
    ],
)
def test_fold_by_name(what, folded):
    assert names(fold_layers(net_graph(), what), "layer") == folded


def test_fold_names_what_is_not_there():
    with pytest.raises(ValueError, match=r"fold='heat'.*there are Net, blocks/0"):
        fold_layers(net_graph(), "heat")
    y = Net()(np.ones((2, 4), np.float32))
    with pytest.raises(ValueError, match=r"not traced.*with dezero\.trace\(\)"):
        fold_layers(collect(y), "head")


def test_a_folded_layer_counts_what_is_in_it():
    (box,) = [n for n in fold_layers(net_graph(1), "blocks/0").nodes if n.kind == "layer"]
    assert box.functions == 5 and box.layer == "Block"
    assert box.parameters == 2 * 4 + (4 * 8 + 8) + (8 * 4 + 4)
    assert "blocks/0" in full_label(box) and "5 functions, 84 parameters" in full_label(box)


def test_parameters_of_many_calls_vanish_into_each():
    graph = fold_layers(unrolled_graph(4, L.GRU), 1)
    assert not any(node.is_parameter for node in graph.nodes)
    outs = [node for node in graph.nodes if node.label == "out"]
    assert len(outs) == 4 and all(node.parameters == 9 for node in outs)


def test_a_parameter_used_outside_of_a_folded_layer_stays():
    class Tied(dezero.Model):
        def __init__(self):
            self.one = L.Linear(3, in_size=3, nobias=True)

        def forward(self, x):
            return F.matmul(self.one(x), self.one.W)

    graph = fold_layers(graph_of(Tied(), np.ones((2, 3), np.float32)), "one")
    (W,) = [node for node in graph.nodes if node.is_parameter]
    (box,) = [node for node in graph.nodes if node.kind == "layer"]
    assert (W.id, box.id) in graph.edges and box.parameters == 0
    assert sum(start == W.id for start, _ in graph.edges) == 2


def test_what_a_layer_uses_itself_and_returns_makes_no_circle():
    class Twice(L.Layer):
        def forward(self, x):
            h = F.tanh(x)
            return h, F.sin(h)

    class Outer(dezero.Model):
        def __init__(self):
            self.twice = Twice()

        def forward(self, x):
            h, s = self.twice(x)
            return F.exp(h) * s

    graph = fold_layers(graph_of(Outer(), np.ones(2)), "twice")
    (box,) = [node.id for node in graph.nodes if node.kind == "layer"]
    assert sum(end == box for _, end in graph.edges) == 1
    assert sum(start == box for start, _ in graph.edges) == 2
    assert not on_cycles(graph.edges)
    lay_out(graph_of(Outer(), np.ones(2)), full_label)


def test_boxes_that_a_way_leaves_and_enters_again_are_taken_apart():
    A, B = Scope("a", "A", 1), Scope("b", "B", 2)
    paths = {"f0": (A,), "f1": (), "f2": (A,), "f3": (B,)}
    found = sound(paths, [("f0", "f1"), ("f1", "f2"), ("f2", "f3")])
    assert found == {"f0": (), "f1": (), "f2": (), "f3": (B,)}
    crossed = {"f0": (A,), "f1": (B,), "f2": (B,), "f3": (A,)}
    assert set(sound(crossed, [("f0", "f1"), ("f2", "f3")]).values()) == {()}
    inner = {"f0": (B, A), "f1": (B,), "f2": (B, A)}
    assert set(sound(inner, [("f0", "f1"), ("f1", "f2")]).values()) == {(B,)}


def test_on_cycles():
    assert on_cycles([(1, 2), (2, 3)]) == set()
    assert on_cycles([(0, 1), (1, 2), (2, 1), (2, 3), (1, 1)]) == {1, 2}


@st.composite
def scoped_graphs(draw):
    """Random programs, traced at random: any calls around any functions, also impossible ones."""
    layers = [Scope(f"l{i}", "Layer", i) for i in range(4)]
    nodes = [GraphNode("v0", "variable", "x", is_leaf=True)]
    edges, called = [], {}
    for i in range(draw(st.integers(2, 14))):
        path = tuple(draw(st.lists(st.sampled_from(layers), max_size=3, unique=True)))
        variables = [node.id for node in nodes if node.kind == "variable"]
        f, y = f"f{i + 1}", f"v{i + 1}"
        picks = draw(st.lists(st.sampled_from(variables), min_size=1, max_size=3))
        edges += [(v, f) for v in picks]
        edges.append((f, y))
        called[f] = path
        nodes += [GraphNode(f, "function", f), GraphNode(y, "variable", y)]
    scopes = place(called, edges, {nodes[-1].id}, {"v0"})
    nodes = [
        GraphNode(n.id, n.kind, n.label, is_leaf=n.is_leaf, is_output=n.id == nodes[-1].id,
                  scopes=scopes.get(n.id, ()))
        for n in nodes
    ]  # fmt: skip
    return Graph(nodes, edges)


@settings(max_examples=100, deadline=None)
@given(graph=scoped_graphs(), what=st.sampled_from([0, 1, 2, "l1", ("l0", "l2")]))
def test_folding_never_makes_a_circle_nor_a_wrong_edge(graph, what):
    try:
        folded = fold_layers(graph, what)
    except ValueError:
        return  # no layer of that name is left
    assert not on_cycles(folded.edges)
    assert all(a != b for a, b in folded.edges)
    ids = {node.id for node in folded.nodes}
    assert {end for edge in folded.edges for end in edge} <= ids
    assert len(ids) == len(folded.nodes)
    before, after = ancestors(graph), ancestors(folded)
    made = {end: start for start, end in folded.edges}
    for name in ids & {node.id for node in graph.nodes}:
        kept = {v for v in before[name] if v in ids}
        beside = {v for v in kept if made.get(v) in after[name]}  # of the same folded layer
        assert kept <= after[name] | beside  # nothing that it depends on is lost


@settings(max_examples=40, deadline=None)
@given(graph=scoped_graphs())
def test_layout_of_any_boxes_is_clean(graph):
    assert_clean(lay_out(graph, full_label), graph)


@pytest.mark.parametrize("what", [False, 1, 2])
@pytest.mark.parametrize("graph", [net_graph(), unrolled_graph(3), unrolled_graph(3, L.RNN)])
def test_layout_of_models_is_clean(graph, what):
    graph = fold_layers(graph, what)
    assert_clean(lay_out(graph, full_label), graph)


def assert_clean(layout, graph):
    """Boxes are apart, frames hold exactly what is in them, arrows and edges are as many."""
    for a, b in combinations(layout.boxes, 2):
        assert apart(a, b) > 4, (a.node.label, b.node.label)
    for frame in layout.frames:
        for box in layout.boxes:
            inside = box.node.scopes[: len(frame.path)] == frame.path
            assert contains(frame, box) if inside else apart(frame, box) > 0
        for other in layout.frames:
            if other is frame:
                continue
            nested = other.path[: len(frame.path)] == frame.path
            outer = frame.path[: len(other.path)] == other.path
            assert contains(frame, other) if nested else outer or apart(frame, other) > 0
    points = np.array([point for curve in layout.curves for point in sample(dense(curve))])
    for box in layout.boxes:
        inside = np.abs(points - [box.x, box.y]) < [box.width / 2 - 1, box.height / 2 - 1]
        assert not inside.all(axis=1).any(), box.node.label
    assert len(layout.arrows) == len(graph.edges)


def apart(a, b):
    return max(
        abs(a.x - b.x) - (a.width + b.width) / 2, abs(a.y - b.y) - (a.height + b.height) / 2
    )


def contains(a, b):
    return (
        abs(a.x - b.x) <= (a.width - b.width) / 2 + 1e-6
        and abs(a.y - b.y) <= (a.height - b.height) / 2 + 1e-6
    )


def dense(curve):
    result = curve[:1]
    for (x0, y0), (x1, y1) in pairwise(curve):
        if x0 == x1:
            result.extend((x0, y) for y in np.arange(y0, y1, 4.0))
        result.append((x1, y1))
    return result


def test_edges_through_a_border_meet():
    layout = lay_out(net_graph(1), full_label)
    ends = {(round(x, 3), round(y, 3)) for c in layout.curves for x, y in (c[0], c[-1])}
    for frame in layout.frames:
        top, bottom = frame.y - frame.height / 2, frame.y + frame.height / 2
        for x in frame.inner.ins.values():
            assert (round(frame.x + x, 3), round(top, 3)) in ends
        for x in frame.inner.outs.values():
            assert (round(frame.x + x, 3), round(bottom, 3)) in ends


def test_the_way_through_layers_is_straight():
    layout = lay_out(graph_of(MLP((5, 3)), np.ones((2, 4), np.float32)), full_label)
    main = [b.x for b in layout.boxes if not b.node.is_leaf or b.node.label == "x"]
    assert max(main) - min(main) < 0.01


def test_svg_and_dot_show_layers():
    model, x = MLP((5, 3)), np.ones((2, 4), np.float32)
    root = ElementTree.fromstring(get_svg_graph(model, inputs=x))
    texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"MLP", "l0 \u00b7 Linear", "l1 \u00b7 Linear"} <= set(texts)
    dot = get_dot_graph(model, inputs=x)
    assert dot.count("subgraph cluster") == 3 == dot.count('style="rounded,filled"')
    assert dot.count("{") == dot.count("}")
    assert "shape=box3d" in get_dot_graph(model, inputs=x, fold=1)


def test_png_of_layers():
    assert to_png(lay_out(net_graph(), full_label))[:4] == b"\x89PNG"


def test_large_graphs_fold_until_they_can_be_read():
    graph = net_graph(count=12)
    assert len(graph.nodes) > 190
    assert names(fold_layers(graph), "layer") == [*(f"blocks/{i}" for i in range(12)), "head"]
    small = net_graph(count=2)
    assert fold_layers(small) is small


class Stacked(dezero.Model):
    def __init__(self):
        self.cell = L.GRU(8)
        self.out = L.Linear(1)

    def forward(self, *xs):
        hs = [self.cell(x) for x in xs]
        return F.sum(F.stack([self.out(h) for h in hs]))


class Fed(dezero.Model):
    """Each output is the next input."""

    def __init__(self):
        self.cell = L.RNN(4)
        self.out = L.Linear(3)

    def forward(self, x):
        for _ in range(40):
            x = self.out(self.cell(x))
        return x


X = np.ones((2, 3), np.float32)
LOOPS = {
    "unrolled": lambda: unrolled_graph(40),
    "stacked": lambda: graph_of(Stacked(), *[X] * 40),
    "fed": lambda: graph_of(Fed(), X),
}


@pytest.mark.parametrize("loop", LOOPS)
def test_of_many_calls_in_a_row_the_middle_is_one_box(loop):
    graph = LOOPS[loop]()
    folded = fold_layers(graph)
    assert len(graph.nodes) > READABLE >= len(folded.nodes)
    (box, *_) = [node for node in folded.nodes if node.kind == "layer" and not node.layer]
    assert box.label == "… 36 more calls of cell"
    shown = {n.scopes[1].call for n in folded.nodes if [s.name for s in n.scopes[1:2]] == ["cell"]}
    assert len(shown) == 4
    functions = [node for node in folded.nodes if node.kind == "function"]
    boxes = [node for node in folded.nodes if node.kind == "layer"]
    assert len(functions) + sum(b.functions for b in boxes) == len(names(graph, "function"))
    assert not on_cycles(folded.edges)
    ids = {node.id for node in graph.nodes} & {node.id for node in folded.nodes}
    assert {(a, b) for a, b in folded.edges if {a, b} <= ids} <= set(graph.edges)
    before, after = ancestors(graph), ancestors(folded)
    made = {end: start for start, end in folded.edges}
    for name in ids:
        beside = {v for v in before[name] & ids if made.get(v) in after[name]}
        assert before[name] & ids <= after[name] | beside
    assert_clean(lay_out(folded, full_label), folded)


def test_what_many_calls_return_for_the_same_function_is_one_variable():
    folded = fold_layers(LOOPS["stacked"]())
    labels = [node.label for node in folded.nodes]
    assert "36 variables" in labels  # of 40 results that are stacked; 3 and 1 are drawn
    assert len(names(folded, "layer")) == 2 and "… 36 more calls of out" in labels


def test_variables_of_other_shapes_and_inputs_asked_for_are_not_left_out():
    cell, out = L.Linear(4), L.Linear(2)
    xs = [Variable(X, name=f"x{i}") for i in range(40)]
    with dezero.trace():
        parts = [cell(x) if i % 2 else out(cell(x)) for i, x in enumerate(xs)]
        y = F.concatenate(parts, axis=1)
    folded = fold_layers(collect([y, xs[20]]))
    (asked,) = [node for node in folded.nodes if node.name == "x20"]
    assert asked.scopes == () and "x21" not in [node.name for node in folded.nodes]
    merged = {node.label: node.shape for node in folded.nodes if node.label.endswith(" variables")}
    assert merged == {"18 variables": (2, 4), "19 variables": (2, 2)}


def test_calls_are_left_out_only_where_it_is_not_said_what_to_fold():
    graph = LOOPS["fed"]()
    assert names(fold_layers(graph, 1), "layer").count("cell") == 40
    few = graph_of(Stacked(), *[X] * 12)
    assert not any("more calls" in name for name in names(fold_layers(few), "layer"))


def test_calls_of_several_threads_or_traces_are_left_as_they_are():
    """Where the order is not that of one run, a box in the middle would be on a circle."""
    cell = L.RNN(4)
    h = Variable(np.ones((2, 4), np.float32))
    for _ in range(2):
        with dezero.trace():
            for _ in range(20):
                h = F.sin(cell(h))
    folded = fold_layers(collect(h))
    assert not on_cycles(folded.edges)
    lay_out(folded, full_label)


def test_pictures_of_large_graphs_take_less_than_two_seconds():
    import time

    graph = unrolled_graph(100)
    assert len(graph.nodes) > 1000
    start = time.process_time()
    for what in (None, False):
        lay_out(fold_layers(graph, what), full_label)
    assert time.process_time() - start < 8.0  # one second here


def test_a_long_sequence_runs_down_not_across():
    layout = lay_out(fold_layers(unrolled_graph(60), 1), full_label)
    cells = [box.x for box in layout.boxes if box.node.label == "cell"]
    assert layout.width < 1500 and len(cells) == 60
    assert max(cells[1:-1]) - min(cells[1:-1]) < 60  # the state goes straight down, nearly


def test_show_says_what_it_knows():
    y = Variable(np.array(1.0)) * 2
    with pytest.raises(ValueError, match=r"show='shapes'.*shape, dtype, value, generation, line"):
        get_dot_graph(y, show="shapes")


def test_show_values_and_generations():
    x = Variable(np.array([1.0, 2.5]), name="x")
    y = F.sin(x) * 2.0
    text = get_dot_graph(y, show=("value", "generation"))
    assert 'label="x\\n[1, 2.5]\\ngeneration 0"' in text
    assert 'label="Sin\\ngeneration 0"' in text and "float64" not in text
    hidden = collect(F.sin(x + 1.0), values=True)  # Sin keeps its input, nobody keeps the rest
    assert next(n.value for n in hidden.nodes if n.kind == "variable") == "[1, 2.5]"
    assert "nan" not in str([n.value for n in collect(F.tanh(x + 1.0), values=True).nodes])


def test_a_model_is_traced_by_plot(tmp_path):
    model = MLP((5, 3))
    with dezero.no_grad():
        model.plot(np.ones((2, 4), np.float32), to_file=str(tmp_path / "m.svg"))
    assert "l0 \u00b7 Linear" in (tmp_path / "m.svg").read_text()
    model.plot(np.ones((2, 4), np.float32), to_file=str(tmp_path / "m.txt"), fold=0, show="shape")
    assert (tmp_path / "m.txt").read_text().startswith("● (2, 3) ← MLP  4 functions") or (
        "functions, 43 parameters" in (tmp_path / "m.txt").read_text()
    )


def test_a_model_that_returns_no_variable_says_so():
    class Plain(dezero.Model):
        def forward(self, x):
            return 3.0

    with pytest.raises(TypeError, match="Plain returned no Variable"):
        get_dot_graph(Plain(), inputs=np.ones(2))


def test_places_left_empty_are_not_drawn():
    layer = L.Linear(3, nobias=True, in_size=2)
    y = layer(Variable(np.ones((2, 2), np.float32)))
    assert len(collect(y).nodes) == 4


def test_a_page_is_asked_for_by_its_ending(tmp_path, monkeypatch):
    import sys
    import types

    page = types.ModuleType("dezero.viz.page")
    page.get_html_page = lambda output, **options: f"<html>{type(output).__name__}</html>"
    monkeypatch.setitem(sys.modules, "dezero.viz.page", page)
    plot_dot_graph(Variable(np.array(1.0)) * 2, to_file=tmp_path / "x.html")
    assert (tmp_path / "x.html").read_text() == "<html>Variable</html>"
    MLP((2,)).plot(np.ones((1, 2)), to_file=tmp_path / "m.html")
    assert (tmp_path / "m.html").read_text() == "<html>list</html>"


@pytest.mark.filterwarnings("ignore:plot_dot_graph. a graph of")
def test_png_of_a_graph_whose_boxes_are_dust():
    layout = lay_out(net_graph(), full_label)
    layout.width *= 100
    layout.height *= 100
    assert to_png(layout)[:4] == b"\x89PNG"
