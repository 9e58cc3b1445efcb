"""Errors say in notes which call made them: the layer, the gradient, the parameter."""

from __future__ import annotations

import traceback
from typing import Any

import numpy as np
import pytest

import dezero
import dezero.functions as F
import dezero.layers as L
from dezero import Function, Layer, Variable, detect_anomaly
from dezero.models import MLP, Model, Sequential
from dezero.optimizers import SGD, Optimizer

X = np.ones((2, 4), np.float32)


def notes(run: Any, kind: type[Exception] = ValueError) -> list[str]:
    """Return the notes of the error that ``run`` raises."""
    with pytest.raises(kind) as caught:
        run()
    said = "".join(traceback.format_exception_only(caught.value))
    for note in caught.value.__notes__:
        assert said.count(note) == 1
    return caught.value.__notes__


class Raising(Layer):
    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def forward(self, x: Any) -> Any:
        raise ValueError("fresh") if self.error is None else self.error


class Two(Layer):
    def __init__(self, error: Exception | None = None) -> None:
        self.r, self.s = Raising(error), Raising(error)

    def forward(self, x: Any, name: str = "r") -> Any:
        return getattr(self, name)(x)


class Shared(Layer):
    def __init__(self) -> None:
        self.a = self.b = L.Linear(4)
        self.last = L.Linear(2, in_size=3)

    def forward(self, x: Any) -> Any:
        return self.last(self.b(self.a(x)))


class Nested(Model):
    def __init__(self) -> None:
        self.blocks = [[L.Linear(4)], {"deep": Shared()}]

    def forward(self, x: Any) -> Any:
        return self.through(self.blocks[0][0](x))

    def through(self, h: Any) -> Any:
        return self.blocks[1]["deep"](h)


class Local(Layer):
    def forward(self, x: Any, mask: Any = None) -> Any:
        return L.Linear(3, in_size=9)(x)


class Missing(Function):
    def forward(self, x: Any) -> Any:
        return {}["key"]


class BadGradient(Function):
    def forward(self, x: Any) -> Any:
        return x * 2

    def backward(self, gy: Variable) -> Any:
        return gy.reshape(77)


class BadShape(Function):
    def forward(self, x: Any) -> Any:
        return x * 2

    def backward(self, gy: Variable) -> Any:
        return np.ones((5, 5))


class InLayer(Layer):
    def forward(self, x: Any) -> Any:
        return BadGradient()(x)


@pytest.mark.parametrize(
    ("run", "note"),
    [
        (
            lambda: Sequential(L.Linear(3), F.relu, L.Linear(5, in_size=7))(X),
            "in layer Sequential > l2 (Linear), called on float32 (2, 3)",
        ),
        (
            lambda: Sequential(L.Linear(3), lambda x: x.reshape(5))(X),
            "in layer Sequential, called on float32 (2, 4)",
        ),
        (lambda: Shared()(X), "in layer Shared > last (Linear), called on float32 (2, 4)"),
        (
            lambda: Nested()(X),
            "in layer Nested > blocks/1/deep > last (Linear), called on float32 (2, 4)",
        ),
        (lambda: Local()(X), "in layer Local > Linear, called on float32 (2, 4)"),
        (lambda: Raising()(x=X), "in layer Raising, called on x=float32 (2, 4)"),
        (
            lambda: Raising()([X, Variable(X)]),
            "in layer Raising, called on list of float32 (2, 4), float32 (2, 4)",
        ),
        (lambda: Raising()(None), "in layer Raising, called on None"),
        (
            lambda: dezero.checkpoint(Shared())(X),
            "in layer Shared > last (Linear), called on float32 (2, 4)",
        ),
        (
            lambda: dezero.grad(lambda x: np.sum(Shared()(x)))(X),
            "in layer Shared > last (Linear), called on float32 (2, 4)",
        ),
    ],
)
def test_the_path_of_layers(run: Any, note: str) -> None:
    assert notes(run) == [note]


def test_a_watched_run_says_the_same() -> None:
    with dezero.trace():
        assert notes(lambda: Nested()(X)) == [
            "in layer Nested > blocks/1/deep > last (Linear), called on float32 (2, 4)"
        ]


def test_an_error_object_that_is_raised_twice() -> None:
    two = Two(ValueError("one object"))
    assert notes(lambda: two(X, "r")) == ["in layer Two > r (Raising), called on float32 (2, 4)"]
    assert notes(lambda: two(X, "s")) == ["in layer Two > s (Raising), called on float32 (2, 4)"]


def test_an_error_that_is_caught_and_raised_again() -> None:
    class Catching(Two):
        def forward(self, x: Any, name: str = "r") -> Any:
            try:
                return super().forward(x)
            except ValueError as error:
                kept = error
            raise kept

    class Wrapping(Two):
        def forward(self, x: Any, name: str = "r") -> Any:
            try:
                return super().forward(x)
            except ValueError as error:
                raise ValueError("of its own") from error

    assert notes(lambda: Catching()(X)) == [
        "in layer Catching > r (Raising), called on float32 (2, 4)"
    ]
    assert notes(lambda: Wrapping()(X)) == ["in layer Wrapping, called on float32 (2, 4)"]


@pytest.mark.parametrize(
    "error", [KeyError("k"), ZeroDivisionError(), AssertionError("no"), MemoryError(), OSError(1)]
)
def test_any_error_in_a_users_function(error: Exception) -> None:
    class Failing(Function):
        def forward(self, x: Any, y: Any) -> Any:
            raise error

    def run() -> None:
        Failing()(Variable(X), np.ones(3))

    assert notes(run, type(error)) == ["in Failing, called on float32 (2, 4), float64 (3,)"]


def test_an_error_of_a_users_class_stays_what_it_is() -> None:
    class OwnError(ValueError):
        pass

    class Failing(Function):
        def forward(self, x: Any) -> Any:
            raise OwnError("mine")

    class Around(Layer):
        def forward(self, x: Any) -> Any:
            return Failing()(x)

    with pytest.raises(OwnError, match=r"^mine\n"):
        Failing()(X)
    assert notes(lambda: Around()(X), OwnError) == [
        "in Failing, called on float32 (2, 4)",
        "in layer Around, called on float32 (2, 4)",
    ]
    assert notes(lambda: Missing()(X), KeyError) == ["in Missing, called on float32 (2, 4)"]


def test_a_layer_inside_a_function_is_named_too() -> None:
    class Calling(Function):
        def forward(self, x: Any) -> Any:
            return Raising()(x)

    with pytest.raises(ValueError, match=r"^Calling got float32 \(2, 4\): fresh\n") as caught:
        Calling()(X)
    assert caught.value.__notes__ == ["in layer Raising, called on float32 (2, 4)"]


def test_errors_of_numpy_in_elementwise_functions() -> None:
    with np.errstate(divide="raise"):
        run = lambda: 1 / Variable(np.zeros(2))
        assert notes(run, FloatingPointError) == ["in Div, called on int, float64 (2,)"]


def test_errors_in_gradients() -> None:
    told = (
        "in the gradient of BadGradient with respect to float32 (2, 4); the gradient of its "
        "output was float32 (2, 4); "
    )
    hint = "`with dezero.trace():` around the forward pass finds the line that called it"
    assert notes(lambda: F.sum(InLayer()(Variable(X))).backward()) == [told + hint]
    run = dezero.grad(lambda x: np.sum(BadGradient()(x)))
    assert notes(lambda: run(X)) == [told + hint]
    checkpointed = dezero.checkpoint(lambda x: BadGradient()(x * 2))
    first, second = notes(lambda: F.sum(checkpointed(Variable(X))).backward())
    assert first == told + hint
    assert second.startswith("in the gradient of Checkpoint with respect to float32 (2, 4)")
    assert hint not in second
    (note,) = notes(lambda: F.sum(BadShape()(Variable(X))).backward())
    assert note.startswith("in the gradient of BadShape with respect to float32 (2, 4)")


@pytest.mark.parametrize("tool", [dezero.trace, detect_anomaly])
@pytest.mark.parametrize("within", [True, False])
def test_a_traced_gradient_has_its_line_and_layer(tool: Any, within: bool) -> None:
    def run() -> None:
        with tool():
            y = F.sum(InLayer()(Variable(X)))
            if within:
                y.backward()
        y.backward()

    (note,) = notes(run)
    line = InLayer.forward.__code__.co_firstlineno + 1
    assert f"it was called at {__file__}:{line}: return BadGradient()(x), in layer InLayer" in note
    assert "around the forward pass" not in note


def test_a_write_in_place_has_its_reading_line_if_traced() -> None:
    x = Variable(np.ones(2), name="x")
    with dezero.trace():
        y = F.sum(x * x)
    x.data += 1
    line = test_a_write_in_place_has_its_reading_line_if_traced.__code__.co_firstlineno
    with pytest.raises(RuntimeError, match=rf":{line + 4}, after the function read it, at .*:"):
        y.backward()
    y = F.sum(x * x)
    x.data += 1
    with pytest.raises(RuntimeError, match="after the function read it, so its gradient"):
        y.backward()


class Reshaping(Optimizer):
    def update_one(self, param: Any) -> None:
        param.data = param.data - param.grad.data.reshape(7, 7)


def test_errors_of_an_update_name_the_parameter() -> None:
    model = MLP((3, 2))
    F.sum(model(X)).backward()
    assert notes(Reshaping().setup(model).update) == [
        "in Reshaping.update, at the parameter 'l0/W', float32 (4, 3), whose gradient is float32 "
        "(4, 3)"
    ]
    model.l1.W.grad = Variable(np.ones(5, np.float32))
    assert notes(SGD().setup(model).update) == [
        "in SGD.update, at the parameter 'l1/W', float32 (3, 2), whose gradient is float32 (5,)"
    ]
    optimizer = SGD().setup(model)
    optimizer.add_hook(lambda params: [p.data.reshape(99) for p in params])
    (note,) = notes(optimizer.update)
    assert note.startswith("in the hook ") and note.endswith(" of SGD.update")
