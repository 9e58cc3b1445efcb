"""What a page knows, against the engine: steps in the order of the walk, sums, names, sizes."""

from __future__ import annotations

import heapq
import json
import re
import runpy
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dezero
import dezero.functions as F
import dezero.layers as L
from dezero import Function, Variable
from dezero.core.watch import Watcher, start, stop, watching
from dezero.viz import get_html_page
from dezero.viz.page.values import number, summary


def data_of(page: Any) -> Any:
    text = getattr(page, "html", page)
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    return json.loads(found.group(1))


def show(*args: Any, **kwargs: Any) -> Any:
    return dezero.show(*args, open_browser=False, **kwargs)


def diamond(x):
    a = F.square(x)
    b = F.exp(a)
    c = F.sin(b)
    y = a + c
    return y


class Order(Watcher):
    def __init__(self):
        self.names = []

    def before_gradient(self, function, gy):
        self.names.append(function._name)


def names_of(data, visits):
    return [data["functions"][visit["f"]]["n"] for visit in visits]


def test_the_steps_are_those_of_backward_itself():
    x = Variable(np.array(0.5))
    y = diamond(x)
    data = data_of(get_html_page(y))
    order = Order()
    start(order)
    y.backward()
    stop(order)
    assert names_of(data, data["walk"]["visits"]) == order.names == ["Add", "Sin", "Exp", "Square"]
    ((leaf, gradient),) = data["walk"]["leaves"]
    assert data["values"][leaf]["role"] == "input"
    assert gradient == [number(x.grad.data[()])]


def test_nothing_is_stored_and_nobody_goes_on_watching():
    x = Variable(np.array(0.5))
    y = diamond(x)
    before = watching.on
    get_html_page(y)
    assert x.grad is None and y.grad is None and watching.on == before
    y.backward()
    kept = x.grad
    get_html_page(y)
    assert x.grad is kept


def test_first_one_then_plus_one_is_two():
    data = data_of(show(lambda x: x + x, 3.0))
    (visit,) = data["walk"]["visits"]
    assert visit["gy"] == [["1.0"]]
    assert [to[2:] for to in visit["to"]] == [[["1.0"], 0], [["1.0"], ["2.0"]]]
    assert data["walk"]["leaves"] == [[visit["to"][0][1], ["2.0"]]]


def test_who_waits_is_the_heap_of_the_walk(rng):
    def many(x):
        parts = [x]
        for _ in range(40):
            i, j = rng.integers(0, len(parts), 2)
            parts.append(F.sin(parts[i]) * parts[j])
        return sum(parts[1:], 0.0)

    data = data_of(show(many, 0.3))
    functions, walk = data["functions"], data["walk"]
    heap: list[tuple[int, int, int]] = []
    pushed = 0
    for f in walk["woken"]:
        heapq.heappush(heap, (-functions[f]["gen"], pushed, f))
    for visit in walk["visits"]:
        assert heapq.heappop(heap)[2] == visit["f"]
        for f in visit["woken"]:
            pushed += 1
            heapq.heappush(heap, (-functions[f]["gen"], pushed, f))
    assert not heap and len(walk["visits"]) == len(functions)


def test_what_arrives_is_the_sum_of_what_was_sent():
    data = data_of(show(diamond, 0.5))
    last = {v: seed for v, seed in data["walk"]["seeds"]}
    for visit in data["walk"]["visits"]:
        (output,) = data["functions"][visit["f"]]["out"]
        assert visit["gy"] == [last[output]]
        for _, v, part, total in visit["to"]:
            last[v] = total or part
    assert all(last[leaf] == gradient for leaf, gradient in data["walk"]["leaves"])


def test_gradients_are_summed_to_the_shape_of_what_they_belong_to():
    x = Variable(np.ones((3, 4)), name="x")
    b = Variable(np.zeros(4), name="b")
    data = data_of(get_html_page(F.sum(x + b)))
    shapes = {v["n"]: v["s"] for v in data["values"] if v["n"]}
    assert shapes == {"x": [3, 4], "b": [4]}
    leaves = {data["values"][v]["n"]: gx for v, gx in data["walk"]["leaves"]}
    assert leaves["b"] == ["[3.0 3.0 3.0 3.0]"]
    (sent,) = (to for visit in data["walk"]["visits"] for to in visit["to"] if to[2][0][0] == "[")
    assert sent[2] == leaves["b"]


def test_values_that_the_engine_freed_are_there_when_the_run_was_watched():
    def f(x, w):
        return F.tanh(F.matmul(x, w) + 1.0)

    data = data_of(show(f, np.ones((2, 3)), np.ones((3, 2))))
    assert all(value["v"] is not None for value in data["values"])


def test_without_a_trace_elementwise_values_are_computed_again():
    x = Variable(np.array(2.0), name="x")
    data = data_of(get_html_page(F.exp(x * x + 1.0) * 2.0))
    assert [v["v"][0] for v in data["values"] if v["f"] >= 0] == [
        "4.0",
        "5.0",
        "148.413",
        "296.826",
    ]
    assert not data["traced"]


def test_lines_names_and_layers_come_from_the_trace():
    model = dezero.models.MLP((3, 1))
    x = np.ones((2, 4), np.float32)

    def run(x):
        y = model(x)
        loss = F.sum(y)
        return loss

    data = data_of(show(run, x))
    groups = [(g["n"], g["kind"]) for g in data["groups"]]
    assert groups == [("MLP", ""), ("l0", "Linear"), ("l1", "Linear")]
    assert "loss = F.sum(y)" in [place[3] for place in data["places"]]
    names = {v["n"]: v for v in data["values"]}
    assert {"x", "loss", "W", "b"} <= set(names)
    assert names["W"]["grp"] == 2 and names["x"]["grp"] == -1 and names["loss"]["grp"] == -1


def test_a_run_traced_in_pieces_is_put_in_order():
    x = Variable(np.array(0.5), name="x")
    with dezero.trace():
        a = F.exp(F.sin(F.square(x)))
    with dezero.trace():
        y = a * F.cos(a)
    data = data_of(get_html_page(y))
    assert [f["n"] for f in data["functions"]] == ["Square", "Sin", "Exp", "Cos", "Mul"]
    with dezero.trace():
        first = F.sin(x)
        second = F.cos(F.exp(x))
        y = second + first
    data = data_of(get_html_page(y))
    assert [f["n"] for f in data["functions"]] == ["Sin", "Exp", "Cos", "Add"]  # as it ran


def test_a_graph_that_was_cut_or_freed():
    x = Variable(np.array(0.5), name="x")
    a = F.square(x)
    y = F.sin(a) * a
    a.unchain()
    data = data_of(get_html_page(y))
    assert [f["n"] for f in data["functions"]] == ["Sin", "Mul"]
    y.unchain_backward()
    with pytest.raises(RuntimeError, match="its graph was freed"):
        get_html_page(y)


def test_a_layer_called_twice_is_two_boxes():
    layer = L.Linear(3)

    def run(x):
        return F.sum(layer(layer(x)))

    data = data_of(show(run, np.ones((2, 3), np.float32)))
    assert [g["n"] for g in data["groups"]] == ["Linear", "Linear"]
    weights = [v for v in data["values"] if v["n"] == "W"]
    assert len(weights) == 1 and weights[0]["grp"] == -1


def test_boxes_can_be_put_in_order():
    """No box needs, from outside, what it has made itself: however layers are used."""
    cell, out = L.LSTM(4), L.Linear(1)

    def run(*xs):
        total = 0.0
        for x in xs:
            h = cell(x)
            total = total + F.sum(out(h) * F.sum(h))
        return total

    data = data_of(show(run, *[np.ones((2, 3), np.float32)] * 90))
    assert any(" - " in g["n"] for g in data["groups"])

    def path(g):
        return [*path(data["groups"][g]["up"]), g] if g >= 0 else []

    for value in data["values"]:
        if value["f"] < 0:
            continue
        v = data["values"].index(value)
        around = path(value["grp"])
        made = path(data["functions"][value["f"]]["grp"])
        assert made[: len(around)] == around
        beyond = made[len(around) : len(around) + 1]
        for f in data["functions"]:
            if v in f["in"] and beyond:
                assert beyond[0] not in path(f["grp"])


def test_formulas_are_for_our_own_functions_only():
    class Square(Function):
        def forward(self, x):
            return x**2

        def backward(self, gy):
            return 3 * gy  # a mistake, which the page must show

    x = Variable(np.array(3.0))
    theirs = data_of(get_html_page(Square()(x)))["rules"][0]
    assert theirs["y"] == "" and theirs["names"] == ["x"]
    assert "return 3 * gy  # a mistake" in theirs["source"][0]["code"]
    ours = data_of(get_html_page(F.square(x)))["rules"][0]
    assert ours["y"] == "x^{2}" and ours["gx"] == ["gy · 2x"]


@pytest.mark.parametrize(
    "name",
    ["</script><script>alert(1)</script>", "<!--", "\u2028 \ud800 \x00", '"&quot;', "@@data@@"],
)
def test_no_name_is_code(name):
    x = Variable(np.array(3.0), name=name)
    page = get_html_page(x * x, title=name)
    page.encode()
    assert page.count("<script") == 2 and "alert(1)</script>" not in page
    assert data_of(page)["title"]["en"]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_marked(bad):
    x = Variable(np.array([1.0, bad]), name="x")
    data = data_of(get_html_page(F.sum(x * x)))
    value = next(v for v in data["values"] if v["n"] == "x")
    assert value["v"][3] == 1 and str(bad) in value["v"][0]


@pytest.mark.parametrize(
    ("array", "short"),
    [
        (np.array(2.0), "2.0"),
        (np.float32(0.1), "0.1"),
        (np.array(7), "7"),
        (np.array(True), "True"),
        (np.array([1.0, 2.5]), "[1.0 2.5]"),
        (np.zeros((2, 3)), "(2, 3)"),
        (np.zeros((0, 3)), "(0, 3)"),
        (np.array(1 + 2j), "1+2j"),
    ],
)
def test_the_short_text(array, short):
    assert summary(array)[0] == short


def test_statistics_are_those_of_numpy(rng):
    a = rng.standard_normal((50, 40)).astype(np.float32)
    figures = summary(a)[2]
    assert figures == [
        f"{v:.4g}" for v in (a.min(), a.mean(dtype=np.float64), a.max(), np.linalg.norm(a))
    ]


def test_several_outputs_of_a_function_and_of_the_graph():
    class Both(Function):
        def forward(self, x):
            return x + 1, x * 2

        def backward(self, ga, gb):
            return ga + 2 * gb

    x = Variable(np.array(3.0), name="x")
    a, b = Both()(x)
    data = data_of(get_html_page([a * a, b]))
    assert data["walk"]["leaves"][0][1] == ["10.0"]
    used_once = data_of(get_html_page(a * a))
    (visit,) = (v for v in used_once["walk"]["visits"] if len(v["gy"]) == 2)
    assert visit["gy"] == [["8.0"], None]


def test_where_there_is_nothing_to_differentiate_the_page_goes_forward():
    x = Variable(np.array([1, 2, 3]), name="x")
    assert data_of(get_html_page(F.sum(x)))["walk"] is None
    with dezero.no_grad():
        y = F.square(Variable(np.array(2.0)))
    data = data_of(get_html_page(y))
    assert data["walk"] is None and data["functions"] == []


def test_a_large_page_is_small_and_soon_written():
    cell, out = L.Linear(64), L.Linear(1)

    def run(*xs):
        h, loss = np.zeros((4, 64), np.float32), 0.0
        for x in xs:
            h = F.tanh(cell(x + h))
            loss = loss + F.sum(out(h))
        return loss

    xs = [np.ones((4, 64), np.float32)] * 400
    with dezero.trace():
        y = run(*map(Variable, xs))
    begin = time.perf_counter()
    page = get_html_page(y)
    assert time.perf_counter() - begin < 20  # about one second alone on a machine
    assert len(data_of(page)["functions"]) == 2400 and len(page) < 2_500_000


def test_too_large_says_what_to_do():
    x = y = Variable(np.array(0.5))
    for _ in range(20_001):
        y = -y
    with pytest.raises(
        ValueError, match=r"show: a graph of 20001 functions is too large .* SVG|svg"
    ):
        get_html_page(y)
    del x


def test_errors_teach():
    with pytest.raises(TypeError, match="show: got ndarray, wants a Variable"):
        get_html_page(np.ones(3))
    with pytest.raises(ValueError, match="show: got an empty list"):
        show([])
    with pytest.raises(TypeError, match="show: got Variable and arguments"):
        show(Variable(np.array(1.0)), 2.0)
    with pytest.raises(ValueError, match="language='fr'; wants one of en, ko, ja"):
        show(lambda x: x * x, 2.0, language="fr")
    with pytest.raises(TypeError, match="show: got float, wants a Variable"):
        show(lambda x: 3.0, 2.0)


def test_an_error_of_the_function_passes_and_nobody_watches(monkeypatch):
    before = watching.on
    with pytest.raises(ZeroDivisionError):
        show(lambda x: 1 / 0, 2.0)
    assert watching.on == before


def test_show_writes_opens_and_shows_itself(tmp_path, monkeypatch, capsys):
    opened = []
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or True)
    x = Variable(np.array(3.0))
    page = dezero.show(x * x, to_file=tmp_path / "my page.html")
    assert opened == [] and (tmp_path / "my page.html").read_text("utf-8") == page.html
    dezero.show(x * x)
    assert len(opened) == 1 and opened[0].startswith("file://")
    frame = page._repr_html_()
    assert frame.startswith("<iframe srcdoc=") and 'sandbox="allow-scripts"' in frame
    assert frame.count('"') == 2 * 4 and "<script" not in frame
    assert repr(page) == "<Page of 1 functions: .open(), .save('graph.html')>"
    monkeypatch.setattr("webbrowser.open", lambda url: False)
    page.open()
    assert "no browser here; the page is" in capsys.readouterr().err


def test_the_page_asks_for_nothing():
    page = get_html_page(Variable(np.array(3.0)) ** 2)
    assert "default-src 'none'" in page
    assert not re.search(r"""(?:src|href)\s*=|@import|url\(|fetch\(|XMLHttp""", page)
    outside = set(re.findall(r"https?://[^\"'\s]+", page))
    assert outside == {"http://www.w3.org/2000/svg"}


def test_the_steps_of_the_book_as_pages(tmp_path, monkeypatch, capsys):
    path = Path(__file__).parents[2] / "examples" / "walkthrough.py"
    monkeypatch.setattr(sys, "argv", [str(path), "--out", str(tmp_path / "out")])
    runpy.run_path(str(path), run_name="__main__")
    written = {
        file.stem: data_of(file.read_text("utf-8")) for file in (tmp_path / "out").iterdir()
    }
    assert sorted(written) == ["step07", "step14", "step15", "step16", "step26", "step44"]
    assert len(capsys.readouterr().out.splitlines()) == 6
    gradients = {
        name: [gx[0] for _, gx in data["walk"]["leaves"]] for name, data in written.items()
    }
    assert gradients["step07"] == ["3.29744"]  # as in the book
    assert gradients["step14"] == ["2.0"]
    assert gradients["step15"] == ["64.0"]
    assert gradients["step26"] == ["-5376.0", "8064.0"]
    monkeypatch.setattr(sys, "argv", [str(path), "step99"])
    with pytest.raises(SystemExit):
        runpy.run_path(str(path), run_name="__main__")
    assert "no step 'step99' here: choose from step07" in capsys.readouterr().err
