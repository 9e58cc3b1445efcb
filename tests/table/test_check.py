"""The checks find what they are there to find: each broken function here fails one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dezero.core import Function, Primitive, Variable, elementwise
from dezero.core.elementwise import unary

from . import check
from .cases import Case, Row, elementwise_cases, interval


def row(call, reference, **options: Any) -> Row:
    cases = options.pop("cases", elementwise_cases((0.5, 2.0)))
    return Row("broken", reference, cases, call=call, **options)


def applied(cls, *args):
    return lambda x: cls(*args)(x)


def second(row: Row, case: Case) -> None:
    check.check_higher_derivative(row, case, 2)


Twice = elementwise("Twice", np.square, gx=lambda gy, x: gy * 4 * x)
Wide = elementwise("Wide", np.square, gx=lambda gy, x: np.asarray(gy * 2 * x, np.float64))
ConstantSlope = elementwise(
    "ConstantSlope", np.sin, gx=lambda gy, x: gy * np.cos(x.data if isinstance(x, Variable) else x)
)
CutSeed = elementwise(
    "CutSeed", np.sin, gx=lambda gy, x: (gy.data if isinstance(gy, Variable) else gy) * np.cos(x)
)
Slow = elementwise("Slow", np.sin, gx=lambda gy, x: Variable(np.asarray(gy)) * np.cos(x))


class ZeroSoftmax(Primitive):
    """Its gradient is zero: what a check with a seed of ones cannot see."""

    def forward(self, x: Any) -> Any:
        e = np.exp(x)
        return e / e.sum(axis=1, keepdims=True)

    def gx(self, gy: Any) -> Any:
        return gy * 0.0


class RowSums(Primitive):
    """``x @ W`` with a gradient of the right row sums and wrong entries."""

    def __init__(self, W: Any) -> None:
        self.W = W

    def forward(self, x: Any) -> Any:
        return x @ self.W

    def gx(self, gy: Any) -> Any:
        return gy @ np.flip(self.W.T, axis=0)


class Alias(Function):
    """Writes to its input."""

    def forward(self, x: Any) -> Any:
        x *= 1.5
        return x * 2.0

    def backward(self, gy: Any) -> Any:
        return gy * 3.0


class KeepsSeed(Function):
    """Writes to the gradient that it got."""

    def forward(self, x: Any) -> Any:
        return x * 2.0

    def backward(self, gy: Any) -> Any:
        gy.data *= 2.0
        return gy


class Flat(Function):
    """Reads memory in the order in which it lies."""

    def forward(self, x: Any) -> Any:
        return x.ravel(order="K").reshape(x.shape) * 2.0

    def backward(self, gy: Any) -> Any:
        return gy * 2.0


class Stateful(Function):
    """Its backward pass works once."""

    def forward(self, x: Any) -> Any:
        self.scale = 2.0
        return x * 2.0

    def backward(self, gy: Any) -> Any:
        self.scale, scale = 1.0, self.scale
        return gy * scale


def matrices(rng: np.random.Generator) -> list[Case]:
    return [Case(interval(rng, -1, 1, (3, 4)))]


def softmax(x):
    return np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)


W = np.array([[1.0, 2.0], [3.0, 4.0], [0.5, 0.0], [2.0, 1.0]])


@pytest.mark.parametrize(
    ("broken", "checks"),
    [
        (row(lambda x: unary(Twice, x), np.square), check.check_first_derivative),
        (row(lambda x: unary(Twice, x), lambda x: 2 * x * x), check.check_value),
        (row(applied(ZeroSoftmax), softmax, cases=matrices), check.check_first_derivative),
        (row(applied(RowSums, W), lambda x: x @ W, cases=matrices), check.check_first_derivative),
        (row(lambda x: unary(ConstantSlope, x), np.sin), second),
        (row(lambda x: unary(CutSeed, x), np.sin), second),
        (row(lambda x: unary(Slow, x), np.sin), check.check_raw_pass),
        (row(lambda x: x * np.float64(1.5) ** np.ones(1), lambda x: x * 1.5), check.check_float32),
        (row(applied(Alias), lambda x: x * 3.0), check.check_inputs_unwritten),
        (row(applied(KeepsSeed), lambda x: x * 2.0), check.check_inputs_unwritten),
        (row(applied(Flat), lambda x: x * 2.0), check.check_memory_order),
        (row(applied(Stateful), lambda x: x * 2.0), check.check_repeated_backward),
        (row(lambda x: Variable(np.sin(x.data)), np.sin), check.check_value),
        (row(lambda x: Variable(x) * 2.0, lambda x: x * 2.0), check.check_constants),
        (row(lambda x: x.data * 2.0, lambda x: x * 2.0), check.check_no_grad),
    ],
)
def test_a_broken_function_is_caught(broken, checks):
    with pytest.raises((AssertionError, TypeError, AttributeError)):
        for case in broken.samples():
            checks(broken, case)


def test_a_seed_of_ones_would_not_do():
    case = matrices(np.random.default_rng(0))[0]
    (x,) = check.variables(case.leaves())
    ZeroSoftmax()(x).backward()
    t = check.slope(lambda t: float(np.sum(softmax(case.leaves()[0] + t))))
    assert np.allclose(np.sum(x.grad.data), t, atol=1e-8)


def test_a_row_of_one_order_needs_a_reason():
    with pytest.raises(AssertionError, match="say why"):
        row(np.sin, np.sin, orders=1)
    row(np.sin, np.sin, orders=1, reason="for the test")
