"""Times add up, and belong to who took them."""

from __future__ import annotations

import inspect
import threading
from typing import Any

import numpy as np
import pytest

import dezero
import dezero.functions as F
import dezero.layers as L
from dezero import DataLoader, Function, Model, Variable, optimizers
from dezero.core import backward as walks
from dezero.core.watch import unwatched

X = np.array([1.0, 2.0])
KINDS = ("function", "layer", "line")


def _row(p: dezero.profile, kind: str, name: str) -> Any:
    (found,) = [row for row in p.by(kind) if row.name == name]
    return found


def _ms(seconds: float) -> float:
    return round(seconds * 1e3, 6)


def _step(model: Model, x: Any, optimizer: Any = None) -> None:
    loss = (model(x) ** 2).sum()
    model.cleargrads()
    loss.backward()
    if optimizer is not None:
        optimizer.update()


def _line() -> int:
    frame = inspect.currentframe()
    assert frame is not None and frame.f_back is not None
    return frame.f_back.f_lineno


class Block(L.Layer):
    def __init__(self, clock: Any, function: Any) -> None:
        self.clock, self.function = clock, function

    def forward(self, x: Any) -> Any:
        self.clock.run(1)
        return self.function()(x)


class Net(Model):
    def __init__(self, clock: Any, function: Any) -> None:
        super().__init__()
        self.clock = clock
        self.blocks = [Block(clock, function), Block(clock, function)]

    def forward(self, x: Any) -> Any:
        self.clock.run(2)
        for block in self.blocks:
            x = block(x)
        return x


@pytest.fixture
def net(clock: Any, slow: Any) -> Net:
    return Net(clock, slow)


def test_each_part_gets_its_time(net: Net, clock: Any) -> None:
    with dezero.profile() as p:
        clock.run(5)
        y = net(Variable(X))
        clock.run(3)
        y.backward()
    assert p.phases == pytest.approx(
        {"forward": 0.024, "backward": 0.060, "update": 0, "outside": 0.008, "profile": 0}
    )
    assert _ms(p.wall) == 92
    slow = _row(p, "function", "Slow")
    assert (slow.calls, slow.gradients) == (2, 2)
    assert [_ms(t) for t in (slow.forward, slow.backward, slow.self_time)] == [20, 60, 80]
    python = _row(p, "function", "(Python in layers)")
    assert [_ms(python.self_time), _ms(python.forward), python.calls] == [4, 4, 0]
    assert _ms(_row(p, "function", "(outside)").self_time) == 8


def test_a_layer_contains_those_inside(net: Net) -> None:
    with dezero.profile() as p:
        net(Variable(X)).backward()
    outer, inner = _row(p, "layer", "Net"), _row(p, "layer", "Net > blocks/1")
    assert [_ms(t) for t in (inner.forward, inner.backward, inner.self_time)] == [11, 30, 41]
    assert [_ms(t) for t in (outer.forward, outer.backward, outer.self_time)] == [24, 60, 2]
    assert (outer.calls, outer.gradients, inner.calls, inner.gradients) == (1, 2, 1, 1)
    assert outer.total >= _row(p, "layer", "Net > blocks/0").total + inner.total
    assert p.by("layer")[0] == outer, "the one with the longest total comes first"


def test_backward_belongs_to_the_line_of_the_forward_call(clock: Any, slow: Any) -> None:
    x = Variable(X)
    with dezero.profile() as p:
        y = slow()(x); made = _line()  # fmt: skip  # noqa: E702
        y = slow()(y)
        y.backward()
    found = {row.place.line: row for row in p.by("line") if row.place is not None}
    row = found[made]
    assert (row.place.file, row.place.function) == (__file__, _me())
    assert row.place.code.startswith("y = slow()(x)")
    assert [_ms(t) for t in (row.forward, row.backward, row.self_time)] == [10, 30, 40]
    assert _ms(found[made + 1].self_time) == 40
    assert found[made + 2].calls == 1 and found[made + 2].self_time == 0, "the walk"


def _me() -> str:
    frame = inspect.currentframe()
    assert frame is not None and frame.f_back is not None
    return frame.f_back.f_code.co_name


def test_real_times_add_up() -> None:
    model = dezero.models.MLP((32, 8))
    optimizer = optimizers.Adam().setup(model)
    x = np.ones((16, 8), np.float32)
    with dezero.profile() as p:
        for _ in range(4):
            _step(model, x, optimizer)
    assert sum(p.phases.values()) == pytest.approx(p.wall)
    for kind in KINDS:
        rows = p.by(kind)
        assert sum(row.self_time for row in rows) == pytest.approx(p.wall), kind
        assert min(row.self_time for row in rows) >= 0, kind
    assert min(p.phases.values()) > 0, "each was run"
    update = _row(p, "function", "Adam")
    assert update.calls == 4
    assert update.update == update.total > 0


def test_nested_functions_count_once(clock: Any, slow: Any) -> None:
    class Outer(Function):
        def forward(self, x: Any) -> Any:
            clock.run(5)
            return slow()(Variable(x)).data

        def backward(self, gy: Any) -> Any:
            return gy

    with dezero.profile() as p:
        Outer()(Variable(X))
    outer, inner = _row(p, "function", "Outer"), _row(p, "function", "Slow")
    assert [_ms(outer.self_time), _ms(outer.total)] == [5, 15]
    assert [_ms(inner.self_time), _ms(inner.total)] == [10, 10]
    assert _ms(sum(row.self_time for row in p.by("function"))) == 15


def test_a_function_inside_itself_counts_once(clock: Any) -> None:
    class Twice(Function):
        def forward(self, x: Any) -> Any:
            clock.run(10)
            return Twice()(x - 1).data if x > 0 else x

    with dezero.profile() as p:
        Twice()(Variable(np.array(2.0)))
    row = _row(p, "function", "Twice")
    assert (row.calls, _ms(row.self_time), _ms(row.total)) == (3, 30, 30)


def test_checkpoint_is_not_counted_twice(net: Net) -> None:
    x = Variable(X)
    with dezero.profile() as p:
        dezero.checkpoint(net.blocks[0])(x).sum().backward()
    assert _row(p, "function", "Checkpoint").gradients == 1
    assert "(line not known)" not in {row.name for row in p.by("line")}
    block = _row(p, "layer", "Block")
    assert block.calls == 2, "it ran again in the backward pass"
    assert [_ms(block.forward), _ms(block.backward)] == [11, 41]
    assert [_ms(p.phases[name]) for name in ("forward", "backward")] == [11, 41]
    for kind in KINDS:
        assert _ms(sum(row.self_time for row in p.by(kind))) == _ms(p.wall) == 52


def test_a_recorded_backward_pass_belongs_to_the_forward_line() -> None:
    x = Variable(X)
    with dezero.profile() as p:
        y = F.sin(x); made = _line()  # fmt: skip  # noqa: E702
        y.backward(create_graph=True)
        g = x.grad
        x.cleargrad()
        g.backward()
    found = {row.place.line: row for row in p.by("line") if row.place is not None}
    assert found[made].calls == 3, "sin, and in its gradient cos and *"
    assert found[made].gradients == 3, "of all three"
    assert _row(p, "function", "Mul").gradients == 1
    assert sum(row.self_time for row in p.by("line")) == pytest.approx(p.wall)


def test_transformations_add_up() -> None:
    def f(x: Any) -> Any:
        return F.sum(F.tanh(x) * x)

    with dezero.profile() as p:
        dezero.grad(f)(X)
        dezero.vmap(dezero.grad(f))(np.ones((3, 2)))
        dezero.hessian(f)(X)
        dezero.jvp(f, (X,), (X,))
    assert p.phases["backward"] > 0
    assert _row(p, "function", "Tanh").calls >= 4
    for kind in KINDS:
        assert sum(row.self_time for row in p.by(kind)) == pytest.approx(p.wall), kind


def test_steps(net: Net, clock: Any) -> None:
    with dezero.profile() as p:
        for i in range(3):
            net(Variable(X)).backward()
            clock.run(i)
            p.step()
    steps = p.by("step")
    assert [row.name for row in steps] == ["step 1", "step 2", "step 3"]
    assert [_ms(row.self_time) for row in steps] == [84, 85, 86]
    assert [_ms(row.outside) for row in steps] == [0, 1, 2]
    assert [_ms(row.forward) for row in steps] == [24, 24, 24]
    assert [(row.calls, row.gradients) for row in steps] == [(2, 2)] * 3
    assert str(p).startswith("profile of 255.00 ms, 3 steps of 85.00 ms\n")
    with dezero.profile() as p:
        p.step()
        net(X)
    assert [row.name for row in p.by("step")] == ["step 1", "after"]


def test_the_table(net: Net, clock: Any) -> None:
    with dezero.profile() as p:
        net(Variable(X)).backward()
        clock.run(16)
    text = str(p)
    assert "  backward 60.00 ms (60.0 %)\n" in text
    assert max(map(len, text.splitlines())) <= 100  # columns of a terminal
    lines = {line[:30].strip(): line[30:].split() for line in text.splitlines()}
    columns = "calls grads forward backward total self % moved at peak"
    assert lines["by function, ms"] == columns.split()
    assert lines["Slow"][:7] == ["2", "2", "20.00", "60.00", "80.00", "80.00", "80.0"]
    assert lines["Net > blocks/1"][:6] == ["1", "1", "11.00", "30.00", "41.00", "41.00"]
    assert "return self.function()(x)" in text
    assert "moved: bytes read and written" in text
    short = p.table(top=1, kinds=("function",))
    assert "... and 3 more, self 20.00 ms" in short
    assert "by layer" not in short


def test_an_error_passes_and_leaves_the_profile(clock: Any, slow: Any) -> None:
    class Broken(Function):
        def forward(self, x: Any) -> Any:
            clock.run(7)
            raise ValueError("here")

    class Holder(L.Layer):
        def forward(self, x: Any) -> Any:
            return Broken()(slow()(x))

    with pytest.raises(ValueError, match="here"), dezero.profile() as p:
        Holder()(Variable(X))
    assert _ms(_row(p, "function", "Broken").self_time) == 7
    assert _ms(_row(p, "layer", "Holder").total) == 17
    assert _ms(p.wall) == 17
    before = len(p._record.spans)
    slow()(Variable(X))
    assert len(p._record.spans) == before, "the profile has ended"


def test_a_block_that_ends_inside_a_layer(clock: Any) -> None:
    class Holder(L.Layer):
        def forward(self, x: Any) -> Any:
            clock.run(2)
            p.__exit__()
            clock.run(50)
            return F.sin(x)

    p = dezero.profile()
    p.__enter__()
    Holder()(X)
    assert _ms(p.wall) == _ms(_row(p, "layer", "Holder").self_time) == 2
    assert _ms(sum(p.phases.values())) == 2


def test_profiles_nest(clock: Any, slow: Any) -> None:
    with dezero.profile() as outer:
        slow()(X)
        with dezero.profile() as inner:
            slow()(X)
    assert _row(outer, "function", "Slow").calls == 2
    assert _row(inner, "function", "Slow").calls == 1
    assert (_ms(outer.wall), _ms(inner.wall)) == (20, 10)


def test_a_profile_hears_its_own_thread() -> None:
    done = threading.Event()

    def other() -> None:
        with dezero.profile() as p:
            F.cos(X)
        found.append(p)
        done.set()

    found: list[Any] = []
    with dezero.profile() as p:
        F.sin(X)
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert done.is_set()
    names = [{row.name for row in q.by("function")} for q in (p, found[0])]
    assert "Sin" in names[0] and "Cos" not in names[0]
    assert "Cos" in names[1] and "Sin" not in names[1]


def test_without_a_graph_and_with_a_loader() -> None:
    data = [(np.ones(3, np.float32), 0)] * 8
    layer = L.Linear(2, in_size=3)
    with dezero.profile() as p, dezero.no_grad():
        for x, _ in DataLoader(data, batch_size=4):
            layer(x)
    row = _row(p, "layer", "Linear")
    assert (row.calls, row.gradients) == (2, 0)
    assert p.phases["outside"] > 0


def test_a_graph_from_before_the_profile(clock: Any, slow: Any) -> None:
    y = slow()(Variable(X))
    with dezero.trace():
        z = slow()(y); made = _line()  # fmt: skip  # noqa: E702
    with dezero.profile() as p:
        z.backward()
    unknown, traced = [row for row in p.by("line") if row.gradients]
    assert {unknown.name, traced.name} == {"(line not known)", f"{__file__}:{made}"}
    assert _ms(p.phases["backward"]) == 60


def test_an_id_that_is_used_again_is_not_taken_for_the_old_function() -> None:
    x = Variable(X)
    with dezero.profile() as p:
        F.sin(x)  # gone at once
        with unwatched():
            y = F.sin(x)
        y.backward()
    assert _row(p, "line", "(line not known)").gradients == 1


def test_adding_gradients_up_belongs_to_the_gradient(
    clock: Any, slow: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def add(*args: Any) -> None:
        clock.run(7)
        original(*args)

    original = walks._add
    monkeypatch.setattr(walks, "_add", add)
    x = Variable(X)
    with dezero.profile() as p:
        y = slow()(x) + slow()(x)
        y.backward()
    slow_row = _row(p, "function", "Slow")
    assert _ms(slow_row.backward) == 60 + 7
    assert _row(p, "function", "(walk)").self_time == 0
    assert _ms(p.phases["backward"]) == 67


def test_a_new_layer_at_the_place_of_an_old_one_gets_its_own_name() -> None:
    class Holder(L.Layer):
        def forward(self, x: Any) -> Any:
            for name in "ab":
                setattr(self, name, L.Linear(2, in_size=2))
                x = getattr(self, name)(x)
                delattr(self, name)  # the next one may get its id
            return x

    with dezero.profile() as p, dezero.no_grad():
        Holder()(np.ones((1, 2), np.float32))
    names = {row.name for row in p.by("layer")}
    assert {"Holder > a", "Holder > b"} <= names


def test_what_cannot_be_asked() -> None:
    p = dezero.profile()
    with pytest.raises(RuntimeError, match=r"profile.step: call it inside the with block"):
        p.step()
    with p:
        with pytest.raises(RuntimeError, match=r"profile.by: .* when the with block has ended"):
            p.by("function")
    with pytest.raises(ValueError, match="got 'file'; it wants one of 'function', 'layer'"):
        p.by("file")
    with pytest.raises(RuntimeError, match="make a new one"), p:
        pass
    with pytest.raises(RuntimeError, match=r"profile.step"):
        p.step()


def test_an_empty_profile() -> None:
    with dezero.profile() as p:
        pass
    assert p.peak.bytes == 0
    assert [row.name for row in p.by("function")] == ["(outside)"]
    assert "by line" in str(p)
