"""live: which lines made the graph memory that is alive, and who holds it."""

from __future__ import annotations

import gc
from typing import Any
from weakref import WeakSet

import numpy as np
import pytest

import dezero
import dezero.functions as F
import dezero.layers as L
from dezero import Function, Variable
from dezero.debug import memory
from dezero.models import MLP

X = np.ones((4, 2), np.float32)
MODULE_LEVEL: list[Any] = []


@pytest.fixture(autouse=True)
def _no_other_graphs(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Leave out what other tests of this process keep alive."""
    gc.collect()
    alive = memory._alive
    others = WeakSet(alive())
    monkeypatch.setattr(memory, "_alive", lambda: [n for n in alive() if n not in others])
    yield
    MODULE_LEVEL.clear()


def line_of(text: str) -> int:
    with open(__file__, encoding="utf-8") as file:
        lines = file.read().splitlines()
    (number,) = [i for i, line in enumerate(lines, 1) if line.endswith(f"# {text}")]
    return number


def made(graph: Any) -> list[tuple[str, int, int]]:
    return sorted((row.function, row.nodes, row.nbytes) for row in graph.rows)


def test_nothing() -> None:
    report = dezero.live()
    assert str(report) == "no graph is alive"
    assert (report.nodes, report.nbytes, report.rows, report.heads) == (0, 0, [], [])


def test_nodes_that_nobody_traced() -> None:
    x = Variable(np.ones(1000))
    y = np.exp(x) * 2
    report = dezero.live()
    assert made(report) == [("Exp", 1, 16000), ("Mul", 1, 0)], "the leaf, and the result"
    (head,) = report.heads
    assert head.holder == "variable `y` in test_nodes_that_nobody_traced"
    assert (head.function, head.nodes, head.generation) == ("Mul", 2, 1)
    said = str(report)
    assert "2 nodes are alive; they keep 16 kB" in said
    assert "not traced" in said and "with dezero.live():" in said
    del y
    assert dezero.live().nodes == 0


def test_lines_and_layers_of_what_was_traced() -> None:
    model = MLP((3, 1))
    with dezero.trace():
        y = model(X)  # a prediction
    report = dezero.live()
    linear = [row for row in report.rows if row.function == "Linear"]
    assert sorted(row.layers for row in linear) == [("MLP", "l0"), ("MLP", "l1")]
    assert {row.place.line for row in report.rows if row.place} == {line_of("a prediction")}
    assert "MLP > l0" in str(report) and "test_live.py" in str(report)
    assert "not traced" not in str(report)
    del y


def test_an_array_counts_once() -> None:
    x = Variable(np.ones((10, 10)))
    y = x * 1.5
    z = y.reshape(100) * y.reshape(100)[::-1] + y.T.reshape(100) ** 2
    total = dezero.live()
    arrays = 3 * 800  # x; y, by its views; the copy of its transpose
    assert total.nbytes == arrays, total
    model = MLP((50, 1))
    loss = F.sum(model(X))
    kept = dezero.live().nbytes - total.nbytes
    assert kept == X.nbytes + 4 * 50 * 4, "the data and the sigmoid, no parameters"
    del z, loss


def test_memory_in_attributes_and_closures() -> None:
    lstm = L.LSTM(4, in_size=3)
    y = lstm(np.ones((2, 3), np.float32))
    report = dezero.live()
    (cell,) = [row for row in report.rows if row.function == "LSTMCell"]
    assert cell.nbytes > (3 + 4 + 1) * 16 * 4
    assert cell.largest == "float32 (8, 16)"
    del y


def test_the_books_functions_keep_inputs_and_outputs() -> None:
    class Twice(Function):
        def forward(self, x: Any) -> Any:
            return x * 2

        def backward(self, gy: Variable) -> Any:
            return gy * 2

    x = Variable(np.ones(10))
    y = Twice()(Twice()(x))
    assert made(dezero.live()) == [("Twice", 2, 240)]
    del y


class Holder:
    """Has attributes in a dict."""


class Slotted:
    __slots__ = ("kept",)


def of_a_list(y: Variable) -> Any:
    return [[1], [y]]


def of_a_dict(y: Variable) -> Any:
    return {"a": {"b": y}}


def of_an_object(y: Variable) -> Any:
    holder = Holder()
    holder.loss = y  # type: ignore[attr-defined]
    return holder


def of_slots(y: Variable) -> Any:
    holder = Slotted()
    holder.kept = (y,)
    return holder


def of_a_closure(y: Variable) -> Any:
    return lambda: y


@pytest.mark.parametrize(
    ("hold", "path"),
    [
        (lambda y: y, ""),
        (of_a_list, "[...][...]"),
        (of_a_dict, "['a']['b']"),
        (of_an_object, ".loss"),
        (of_slots, ".kept[...]"),
        (of_a_closure, "[...]"),
    ],
)
def test_who_holds_it(hold: Any, path: str) -> None:
    name = hold(F.sum(Variable(X)))
    (head,) = dezero.live().heads
    if hold is of_a_closure:
        path = head.holder.removeprefix("variable `name").partition("`")[0]
    assert head.holder == f"variable `name{path}` in test_who_holds_it"
    del name
    assert dezero.live().nodes == 0, "the report holds nothing"


def test_a_list_of_the_module_and_many_of_a_kind() -> None:
    for _ in range(7):
        MODULE_LEVEL.append(F.sum(Variable(X)))
    (head,) = dezero.live().heads
    assert head.holder == "variable `MODULE_LEVEL[...]` in <module>"
    assert head.count == 7
    assert "and 6 more like it," in str(dezero.live())


def test_the_state_of_a_layer() -> None:
    rnn = L.RNN(4)
    for _ in range(3):
        rnn(X)
    (head,) = dezero.live().heads
    assert head.holder == "variable `rnn.h` in test_the_state_of_a_layer"
    assert head.nodes > 6


def test_a_cycle_that_waits_for_the_collector() -> None:
    gc.disable()
    try:
        x = Variable(np.array(2.0))
        (x**3).backward(create_graph=True)
        assert any("`x.grad`" in head.holder for head in dezero.live().heads)
        del x
        assert "garbage collector" in dezero.live().heads[0].holder
    finally:
        gc.enable()
        gc.collect()
    assert dezero.live().nodes == 0


def test_what_a_block_leaves() -> None:
    before = np.exp(Variable(X))
    with dezero.live() as alive:
        for _ in range(3):
            y = np.sin(Variable(X))  # a sine
        np.cos(Variable(X))
    assert [(row.function, row.nodes) for row in alive.rows] == [("Sin", 1)]
    assert alive.rows[0].place is not None
    assert alive.rows[0].place.line == line_of("a sine")
    assert alive.heads[0].holder == "variable `y` in test_what_a_block_leaves"
    del before, y
    assert alive.nodes == 1, "as it was at the end of the block"
    assert alive.growth().nodes == 0


def train(leaky: bool, steps: int = 6) -> Any:
    """Return what a loop leaves at each step but the last, and how it grows."""
    model = MLP((8, 1))
    total: Any = 0.0
    grown = []
    with dezero.live() as alive:
        for _ in range(steps):
            loss = F.mean_squared_error(model(X), X[:, :1])
            model.cleargrads()
            loss.backward()
            total += loss if leaky else float(loss.data)  # the sum
            alive.mark()
            grown.append(alive.growth().nodes)
        report = alive.growth()
    return report, grown, total


def test_a_sum_of_losses_leaks() -> None:
    report, grown, total = train(leaky=True)
    assert grown == [0, 5, 10, 15, 20, 25]
    (head,) = report.heads
    assert head.holder == "variable `total` in train"
    assert head.place is not None and head.place.line == line_of("the sum")
    assert {row.steps for row in report.rows} == {5}
    said = str(report)
    assert "held by variable `total` in train: the result of Add, at test_live.py:" in said
    assert "total += loss if leaky" in said and "steps" in said
    del total


def test_a_sound_loop_leaves_nothing() -> None:
    report, grown, _ = train(leaky=False)
    assert grown == [0] * 6
    assert str(report) == "no graph is alive"


def test_locals_are_let_go_after_the_look() -> None:
    y = F.sum(Variable(X))
    dezero.live()
    node = y.creator
    assert node is not None
    del node
    y = None
    assert dezero.live().nodes == 0


def test_large_graphs_are_quick() -> None:
    x = Variable(np.ones(3))
    y = x
    for _ in range(20_000):
        y = y * 1.01
    report = dezero.live()
    assert report.nodes == 20_000
    assert report.heads[0].nodes == 20_000
    assert report.rows[0].generations == (0, 19_999)


def test_an_error_that_is_kept_holds_what_was_alive_where_it_was_raised() -> None:
    def fail() -> Any:
        y = Variable(np.ones(2)) * 3  # noqa: F841
        raise KeyError

    kept = None
    try:
        fail()
    except KeyError as error:
        kept = error
    (head,) = dezero.live().heads
    path = "__traceback__.tb_next.tb_frame.f_locals['y']"
    assert head.holder.startswith(f"variable `kept.{path}` in test_an_error")
    assert str(dezero.live()).startswith("1 node is alive; it keeps ")
    del kept
    assert dezero.live().nodes == 0


def test_an_attribute_is_named_as_such_each_time() -> None:
    class Holder:
        pass

    holder = Holder()
    holder.loss = Variable(np.ones(2)) * 3  # type: ignore[attr-defined]
    for _ in range(2):  # the first look makes its __dict__
        (head,) = dezero.live().heads
        assert head.holder.startswith("variable `holder.loss` in ")
        vars(holder)
