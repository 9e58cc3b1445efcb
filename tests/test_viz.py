"""Pictures of the graph: what is in them, where it stands, and that any file name is safe."""

from __future__ import annotations

import io
import subprocess
import sys
import types
import weakref
import xml.etree.ElementTree as ElementTree
from functools import cache
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFont

import dezero.core as core
from dezero.viz import GraphNode, collect, get_dot_graph, get_svg_graph, plot_dot_graph
from dezero.viz import dot as dot_module
from dezero.viz import plot as plot_module
from dezero.viz.graph import Graph, full_label
from dezero.viz.layout import Layout, lay_out
from dezero.viz.ordering import barycentre, crossings, order
from dezero.viz.png import _covers, sample, to_png

SVG = "{http://www.w3.org/2000/svg}"


class Var:
    """As little of a Variable as a picture needs."""

    def __init__(self, data=1.0, name=None):
        self.data = None if data is None else np.asarray(data)
        self.name = name
        self.creator = None
        self.generation = 0

    shape = property(lambda self: self.data.shape)
    dtype = property(lambda self: self.data.dtype)


class Parameter(Var):
    pass


class Fn:
    def __init__(self, inputs, count=1):
        self.inputs = inputs
        self.generation = max(x.generation for x in inputs if isinstance(x, Var))
        ys = [Var() for _ in range(count)]
        for y in ys:
            y.creator, y.generation = self, self.generation + 1
        self.outputs = tuple(weakref.ref(y) for y in ys)
        self.fresh = ys


@cache
def kind(name):
    return type(name, (Fn,), {})


def apply(name, *inputs, count=1):
    f = kind(name)(inputs, count)
    ys, f.fresh = f.fresh, None
    return ys[0] if count == 1 else ys


def goldstein_price(x, y):
    return (1 + (x + y + 1) ** 2 * (19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2)) * (
        30 + (2 * x - 3 * y) ** 2 * (18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2)
    )


def scalars(*names):
    return [core.Variable(np.array(1.0), name=name) for name in names]


def mlp():
    x, t = Var(np.ones((8, 3), np.float32), "x"), Var(np.zeros(8, int), "t")
    W, b = Parameter(np.ones((3, 2), np.float32), "W"), Parameter(np.ones(2, np.float32), "b")
    loss = apply("CrossEntropy", apply("Tanh", apply("Linear", x, W, b)), t)
    loss.name = "loss"
    return loss


def chain(length):
    y = Var(name="x")
    for _ in range(length):
        y = apply("Sin", y)
    return y


def recurrent(steps):
    W, h = Parameter(name="W"), Var(name="h")
    losses = []
    for i in range(steps):
        h = apply("Tanh", apply("Add", apply("MatMul", h, W), Var(name=f"x{i}")))
        losses.append(apply("Loss", h, Var(name=f"t{i}")))
    return losses


def names(graph):
    return {node.id: node.label for node in graph.nodes}


def named_edges(graph):
    label = names(graph)
    return [(label[start], label[end]) for start, end in graph.edges]


def test_collect_the_same_variable_twice_gives_two_edges():
    graph = collect(apply("Mul", *[Var(name="x")] * 2))
    assert named_edges(graph) == [("x", "Mul"), ("x", "Mul"), ("Mul", "")]
    assert [node.id for node in graph.nodes] == ["v0", "f1", "v2"]


def test_collect_rebuilt_variables_are_one_node():
    h = apply("Sin", Var(name="x"))
    twin = Var()
    twin.creator, twin.generation = h.creator, h.generation
    graph = collect(apply("Add", h, twin))
    assert [node.label for node in graph.nodes] == ["x", "Sin", "", "Add", ""]


def test_collect_tells_outputs_of_one_function_apart():
    a, b = apply("Split", Var(name="x"), count=2)
    a.name, b.name = "a", "b"
    graph = collect(apply("Sub", b, a))
    assert ("Split", "a") in named_edges(graph) and ("Split", "b") in named_edges(graph)


def test_collect_an_unused_or_dead_output_is_left_out():
    b = apply("Split", Var(name="x"), count=2)[1]
    assert len(collect(apply("Sin", b)).nodes) == 5


def test_collect_several_outputs_share_what_they_share():
    x = Var(name="x")
    a, b = apply("Sin", x), apply("Cos", x)
    graph = collect([a, b])
    assert len(graph.nodes) == 5
    assert [node.is_output for node in graph.nodes].count(True) == 2


def test_collect_knows_roles_shapes_and_generations():
    nodes = {node.label: node for node in collect(mlp()).nodes}
    assert nodes["x"].role == nodes["t"].role == "input"
    assert nodes["W"].role == "parameter" and nodes["W"].shape == (3, 2)
    assert nodes["W"].dtype == "float32" and nodes["W"].name == "W"
    assert nodes["loss"].role == "output" and nodes["loss"].generation == 3
    assert nodes["Tanh"].role == "function" and nodes["Tanh"].generation == 1
    assert nodes[""].role == "intermediate"


def test_collect_inputs_that_are_no_variables_are_constants():
    graph = collect(apply("Mul", Var(name="x"), 2.5))
    assert [node.label for node in graph.nodes if node.kind == "constant"] == ["2.5"]


def test_collect_a_chain_of_100_000_functions():
    graph = collect(chain(100_000))
    assert len(graph.nodes) == 200_001 and len(graph.edges) == 200_000


@pytest.mark.parametrize("wrong", [3.0, np.ones(2), None, [Var(), 1]])
def test_a_wrong_argument_says_what_is_wanted(wrong):
    with pytest.raises(TypeError, match="wants a Variable or a list of Variables"):
        get_dot_graph(wrong)
    with pytest.raises(ValueError, match="empty list"):
        get_dot_graph([])


def test_real_goldstein_price():
    x, y = scalars("x", "y")
    z = goldstein_price(x, y)
    z.name = "z"
    text = get_dot_graph(z)
    assert text.count("shape=box") == 38
    assert text.count('label="x: () float64"') == text.count('label="z: () float64"') == 1
    assert 'label="19", color=lightgray' in text
    z.backward()
    assert get_dot_graph(z) == text


def test_real_second_derivative():
    (x,) = scalars("x")
    y = x**3
    y.backward(create_graph=True)
    assert any(node.label == "Mul" for node in collect(x.grad).nodes)


def test_real_outputs_that_died_are_still_told_apart():
    class Split(core.Function):
        def forward(self, x):
            return x[:1], x[1:]

    def build():
        a, b = Split()(core.Variable(np.ones(3), name="x"))
        return a * b

    graph = collect(build())
    assert [node.shape for node in graph.nodes if node.generation == 1 and node.shape] == [
        (1,),
        (2,),
    ]


def test_real_constants_show_a_number_but_never_a_made_up_value():
    x = core.Variable(np.ones((2, 3)), name="x")
    graph = collect(x * 3.5 + np.full((2, 3), 7.0) + np.array(9.0))
    constants = [node for node in graph.nodes if node.kind == "constant"]
    assert sorted(node.label for node in constants) == ["", "", "3.5"]
    assert sorted(full_label(node) for node in constants) == [
        "\n() float64",
        "\n(2, 3) float64",
        "3.5",
    ]


def test_real_parameter_and_graph_that_was_freed():
    w = core.Parameter(np.array(2.0), name="w")
    y = w * w
    assert collect(y).nodes[0].is_parameter
    y.unchain_backward()
    assert "v0" in get_dot_graph(y) or "v1" in get_dot_graph(y)


def test_dot_text():
    y = apply("Sin", Parameter(np.ones((2, 3), np.float32), "W"))
    assert get_dot_graph(y) == (
        "digraph g {\n"
        'v0 [label="W: (2, 3) float32", color=orange, style=filled, peripheries=2]\n'
        'f1 [label="Sin", color=lightblue, style=filled, shape=box]\n'
        'v2 [label="() float64", fillcolor=orange, style=filled, penwidth=3]\n'
        "v0 -> f1\nf1 -> v2\n}"
    )
    assert 'v0 [label="W", color' in get_dot_graph(y, verbose=False)
    assert 'v2 [label="", ' in get_dot_graph(y, verbose=False)


def test_dot_a_variable_without_an_array_has_no_shape():
    assert '[label="W", ' in get_dot_graph(Var(None, "W"))


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ('say "hi"', r"say \"hi\""),
        ("a\nb", "a b"),
        ("C:\\N", r"C:\\N"),
        ('end\\"', r"end\\\""),
        ("<b>x</b>", "<b>x</b>"),
        ("&lt; & &#38;", "&amp;lt; & &amp;#38;"),
        ("nul\0", "nul\ufffd"),
        ("損失", "損失"),
    ],
)
def test_dot_names_are_escaped(name, quoted):
    assert f'[label="{quoted}", ' in get_dot_graph(Var(name=name), verbose=False)


def test_the_label_function_is_replaceable():
    def shout(node: GraphNode) -> str:
        return f"{node.kind}!\nmore"

    y = chain(1)
    assert get_dot_graph(y, label=shout).count('label="function!\\nmore"') == 1
    assert ">function!</text>" in get_svg_graph(y, label=shout)


def picture(png):
    """Return the picture in ``png``, a path or bytes."""
    with Image.open(io.BytesIO(png) if isinstance(png, bytes) else png) as image:
        image.load()
        return image


def drawn(output) -> Layout:
    return lay_out(collect(output), full_label)


def assert_nothing_overlaps(layout: Layout) -> None:
    for a, b in combinations(layout.boxes, 2):
        apart = (
            abs(a.x - b.x) - (a.width + b.width) / 2,
            abs(a.y - b.y) - (a.height + b.height) / 2,
        )
        assert max(apart) > 4, (a.node.label, b.node.label)
    for box in layout.boxes:
        assert box.width / 2 < box.x < layout.width - box.width / 2
        assert box.height / 2 < box.y < layout.height - box.height / 2


def assert_no_edge_runs_through_a_box(layout: Layout) -> None:
    points = np.array([point for curve in layout.curves for point in sample(_dense(curve))])
    for box in layout.boxes:
        inside = np.abs(points - [box.x, box.y]) < [box.width / 2 - 1, box.height / 2 - 1]
        assert not inside.all(axis=1).any(), box.node.label


def _dense(curve):
    """Put points into the straight parts, which are drawn from their ends alone."""
    result = curve[:1]
    for (x0, y0), (x1, y1) in pairwise(curve):
        if x0 == x1:
            result.extend((x0, y) for y in np.arange(y0, y1, 4.0))
        result.append((x1, y1))
    return result


@st.composite
def graphs(draw):
    variables = [Var(name=f"x{i}") for i in range(draw(st.integers(1, 3)))]
    for _ in range(draw(st.integers(1, 18))):
        picks = draw(st.lists(st.integers(0, len(variables) - 1), min_size=1, max_size=3))
        variables += [apply("Fn" * len(picks), *(variables[i] for i in picks))]
    return variables[-draw(st.integers(1, 2)) :]


@pytest.mark.parametrize("without_igraph", [False, True])
@settings(max_examples=40, deadline=None)
@given(output=graphs())
def test_layout_of_any_graph_is_clean(without_igraph, output):
    with pytest.MonkeyPatch.context() as patch:
        if without_igraph:
            patch.setitem(sys.modules, "igraph", None)
        layout = drawn(output)
    assert_nothing_overlaps(layout)
    assert_no_edge_runs_through_a_box(layout)
    assert len(layout.arrows) == len(collect(output).edges)


def test_layout_ranks_follow_generations_and_leaves_stand_above_their_user():
    layout = drawn(mlp())
    y = {box.node.label: box.y for box in layout.boxes}
    assert y["x"] == y["W"] == y["b"] < y["Linear"] < y["Tanh"] < y["t"] < y["CrossEntropy"]
    assert y["CrossEntropy"] < y["loss"]


def test_layout_a_chain_is_one_straight_line():
    layout = drawn(chain(30))
    assert len({box.x for box in layout.boxes}) == 1
    assert all(len({x for x, _ in curve}) == 1 for curve in layout.curves)


def test_layout_the_main_path_beside_a_skip_connection_is_straight():
    x = Var(name="x")
    y = apply("Add", apply("Relu", apply("Conv", x, Parameter(name="W"))), x)
    main = {box.x for box in drawn(y).boxes if box.node.label in ("Conv", "Relu", "Add")}
    assert len(main) == 1


def test_layout_the_first_input_is_on_the_left():
    x = {box.node.label: box.x for box in drawn(mlp()).boxes}
    assert x["x"] < x["W"] < x["b"]


def test_layout_ends_of_edges_touch_their_boxes():
    layout = drawn(mlp())
    for x, y in layout.arrows:
        assert any(
            y == box.y - box.height / 2 and abs(x - box.x) < box.width / 2 for box in layout.boxes
        )


def test_orders_are_permutations_and_igraph_is_never_worse():
    graph = collect(goldstein_price(*scalars("x", "y")))
    index = {node.id: i for i, node in enumerate(graph.nodes)}
    ranks = [0] * len(index)
    for start, end in graph.edges:  # inputs first, so one pass suffices
        ranks[index[end]] = max(ranks[index[end]], ranks[index[start]] + 1)
    edges = [(index[a], index[b]) for a, b in graph.edges]
    segments = [(a, b) for a, b in edges if ranks[b] == ranks[a] + 1]
    for rows in (barycentre(ranks, segments), order(ranks, segments)):
        assert sorted(v for row in rows for v in row) == list(range(len(ranks)))
        assert all(ranks[v] == r for r, row in enumerate(rows) for v in row)
    simple, best = barycentre(ranks, segments), order(ranks, segments)
    assert crossings(best, segments) <= crossings(simple, segments)


def test_igraph_is_asked_where_the_simple_order_leaves_crossings(monkeypatch):
    asked = []
    fake = types.SimpleNamespace(Graph=lambda *args, **kwargs: asked.append(args) or igraph_of(4))

    def igraph_of(count):
        places = [(float(i), 0.0) for i in range(count)]
        return types.SimpleNamespace(layout_sugiyama=lambda layers, maxiter: places)

    monkeypatch.setitem(sys.modules, "igraph", fake)
    order([0, 0, 1, 1], [(0, 2), (1, 3)])
    assert not asked
    order([0, 0, 1, 1], [(0, 2), (0, 3), (1, 2), (1, 3)])
    assert len(asked) == 1


def test_crossings_are_counted():
    assert crossings([[0, 1], [2, 3]], [(0, 3), (1, 2)]) == 1
    assert crossings([[0, 1], [2, 3]], [(0, 2), (1, 3)]) == 0
    assert crossings([[0, 1], [2, 3]], [(0, 2), (0, 3), (1, 2), (1, 3)]) == 1


@pytest.mark.parametrize("without_igraph", [False, True])
def test_layout_of_a_large_graph_is_quick(without_igraph, monkeypatch):
    import time

    if without_igraph:
        monkeypatch.setitem(sys.modules, "igraph", None)
    else:
        import igraph  # noqa: F401  (its import is not what is timed)
    graph = collect(recurrent(300))
    assert len(graph.nodes) > 3000
    start = time.process_time()
    layout = lay_out(graph, full_label)
    assert time.process_time() - start < 4.0  # a second here; twice two for a slow machine
    assert len(layout.boxes) == len(graph.nodes)


def parsed(output, **options):
    return ElementTree.fromstring(get_svg_graph(output, **options))


def test_svg_is_well_formed_and_says_what_it_is():
    root = parsed(mlp())
    assert root.find(f"{SVG}title").text == "Computational graph"
    assert root.get("role") == "img" and root.get("aria-label")
    _, _, width, height = map(float, root.get("viewBox").split())
    assert (width, height) == (float(root.get("width")), float(root.get("height")))
    style = root.find(f"{SVG}style").text
    assert "prefers-color-scheme:dark" in style and "sans-serif" in style
    text = get_svg_graph(mlp())
    assert "<script" not in text and "href" not in text and "url(" not in text


def test_svg_tells_roles_apart_and_has_tooltips():
    y = apply("Mul", mlp(), 3.0)
    groups = parsed(y).findall(f"{SVG}g")
    roles = {group.get("class") for group in groups}
    assert roles == {"input", "parameter", "function", "intermediate", "constant", "output"}
    tips = [group.find(f"{SVG}title").text for group in groups]
    assert "parameter W\n(3, 2) float32\ngeneration 0" in tips
    assert "function Tanh\ngeneration 1" in tips


@pytest.mark.parametrize(
    "name", ["<b>&amp;", "a\x00\x1b\ud800b", '"]]>', "x" * 500, "a\nb", "損失"]
)
def test_svg_of_any_name_is_well_formed(name):
    root = ElementTree.fromstring(get_svg_graph(Var(name=name)).encode())
    shown = root.find(f"{SVG}g/{SVG}text").text
    if len(name) > 100:
        assert shown.endswith("\u2026") and name in root.find(f"{SVG}g/{SVG}title").text
    elif "\x00" in name:
        assert shown == "a\ufffd\ufffd\ufffdb"
    else:
        assert shown == name.replace("\n", " ")


def test_png_shows_each_box_in_its_colour():
    layout = drawn(mlp())
    image = picture(to_png(layout))
    assert image.size == (round(layout.width * 1.5), round(layout.height * 1.5))
    colours = {}
    for box in layout.boxes:
        at = round((box.x - box.width / 2 + 9) * 1.5), round(box.y * 1.5)
        colours[box.node.role] = image.getpixel(at)
    assert colours["function"] == (0xD3, 0xE8, 0xF8)
    assert colours["parameter"] == (0xD9, 0xF0, 0xD5)
    assert colours["input"] == (0xFF, 0xCF, 0x87)
    assert image.getpixel((1, 1)) == (255, 255, 255)


def test_png_looks_for_another_font_where_letters_are_missing():
    font = ImageFont.load_default(20.0)
    assert _covers(font, "W: (2, 3) float32\u2026") and not _covers(font, "θ")
    assert picture(to_png(drawn(Var(name="θé損失")))).size[0] > 100


def test_png_of_a_graph_too_large_to_read_warns_and_of_a_huge_one_raises():
    with pytest.warns(RuntimeWarning, match="too large for a .png picture that can be read"):
        to_png(drawn(chain(1500)))
    huge = Layout(1e8, 1e3, drawn(Var()).boxes)
    with pytest.raises(ValueError, match=r"use to_file='graph\.svg'"):
        to_png(huge)


def test_png_without_pillow_or_graphviz_says_what_to_install(monkeypatch, tmp_path, no_graphviz):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install pillow.*Graphviz"):
        plot_dot_graph(mlp(), to_file=tmp_path / "graph.png")
    assert not (tmp_path / "graph.png").exists()


@pytest.fixture
def no_graphviz(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))


@pytest.fixture
def graphviz(monkeypatch, tmp_path):
    """Install a ``dot`` that notes what it is given; returns a function that says how it ends."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "dot"

    def install(ending):
        program.write_text(
            f"#!{sys.executable}\nimport sys\n"
            f"open({str(tmp_path / 'called')!r}, 'a').write(repr(sys.argv[1:]) + "
            f"sys.stdin.read()[:9])\n{ending}\n"
        )
        program.chmod(0o755)
        return tmp_path / "called"

    monkeypatch.setenv("PATH", str(folder))
    return install


NAMES = ["my graph", 'a"b', "it's", "-Tsvg", "--help", "$(touch hacked)", "a;touch hacked", "損失"]


@pytest.mark.parametrize("extension", ["dot", "svg", "png", "SVG"])
@pytest.mark.parametrize("name", NAMES)
def test_any_file_name_is_only_a_name(name, extension, tmp_path, monkeypatch, no_graphviz):
    monkeypatch.chdir(tmp_path)
    assert plot_dot_graph(chain(2), to_file=f"{name}.{extension}") is None
    assert [path.name for path in tmp_path.iterdir()] == [f"{name}.{extension}"]
    start = (tmp_path / f"{name}.{extension}").read_bytes()[:12]
    heads = {"dot": b"digraph g {\n", "svg": b"<svg xmlns=", "png": b"\x89PNG"}
    assert start.startswith(heads[extension.lower()])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("extension", ["png", "pdf"])
def test_graphviz_never_sees_the_file_name(name, extension, tmp_path, monkeypatch, graphviz):
    called = graphviz("print('picture', end='')")
    monkeypatch.chdir(tmp_path)
    plot_dot_graph(chain(2), to_file=f"{name}.{extension}")
    assert (tmp_path / f"{name}.{extension}").read_bytes() == b"picture"
    assert called.read_text() == f"['-T{extension}']digraph g"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["bin", "called", f"{name}.{extension}"]
    )


def test_the_default_file_is_graph_png(tmp_path, monkeypatch, no_graphviz):
    monkeypatch.chdir(tmp_path)
    plot_dot_graph(mlp())
    assert picture(tmp_path / "graph.png").format == "PNG"


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        ("sys.exit('no such layout')", "exit code 1: no such layout"),
        ("sys.exit(0)", "exit code 0: it said nothing"),
        ("import time; time.sleep(60)", "longer than 1 s"),
    ],
)
def test_graphviz_failing_is_reported_and_the_png_still_drawn(
    ending, said, tmp_path, graphviz, monkeypatch
):
    graphviz(ending)

    def hurried(program, text, file_format):
        return dot_module.run_graphviz(program, text, file_format, timeout=1.0)

    monkeypatch.setattr(plot_module, "run_graphviz", hurried)
    with pytest.warns(RuntimeWarning, match=said):
        plot_dot_graph(mlp(), to_file=tmp_path / "graph.png")
    assert picture(tmp_path / "graph.png").format == "PNG"
    with pytest.raises(RuntimeError, match=said):
        plot_dot_graph(mlp(), to_file=tmp_path / "graph.pdf")
    assert not (tmp_path / "graph.pdf").exists()


def test_graphviz_that_cannot_start_is_reported(tmp_path, graphviz):
    graphviz("")
    (tmp_path / "bin" / "dot").write_bytes(b"\x7fELF not a program")
    with pytest.warns(RuntimeWarning, match="did not start"):
        plot_dot_graph(mlp(), to_file=tmp_path / "graph.png")


def test_pdf_without_graphviz_says_so(tmp_path, no_graphviz):
    with pytest.raises(RuntimeError, match=r"\.pdf needs Graphviz"):
        plot_dot_graph(mlp(), to_file=tmp_path / "graph.pdf")


@pytest.mark.parametrize("name", ["graph", "graph.jpg", ".png", ""])
def test_an_unknown_extension_says_which_there_are(name):
    with pytest.raises(ValueError, match=r"\.dot, \.svg, \.png, \.pdf"):
        plot_dot_graph(mlp(), to_file=name)


def test_a_notebook_is_given_the_picture(tmp_path, monkeypatch, no_graphviz):
    display = types.ModuleType("IPython.display")
    display.Image = lambda filename: ("image", filename)
    display.SVG = lambda filename: ("svg", filename)
    ipython = types.ModuleType("IPython")
    ipython.display = display
    ipython.get_ipython = lambda: None
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    png, svg = str(tmp_path / "g.png"), str(tmp_path / "g.svg")
    assert plot_dot_graph(mlp(), to_file=png) is None
    ipython.get_ipython = object
    assert plot_dot_graph(mlp(), to_file=png) == ("image", png)
    assert plot_dot_graph(mlp(), to_file=svg) == ("svg", svg)
    assert plot_dot_graph(mlp(), to_file=tmp_path / "g.dot") is None


def test_importing_loads_nothing_heavy():
    code = (
        "import sys, dezero.viz; "
        "print([m for m in ('PIL', 'igraph', 'matplotlib', 'IPython') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_empty_graph_of_one_variable_is_drawn(tmp_path):
    layout = lay_out(Graph([GraphNode("v0", "variable", "")], []), full_label)
    assert layout.width > 0 and layout.height > 0
    assert picture(to_png(layout)).size[0] > 20
