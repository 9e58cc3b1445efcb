"""The graph is only what is alive: no cycles, nothing kept that no rule needs."""

from __future__ import annotations

import gc
import sys
import tracemalloc
import weakref

import numpy as np
import pytest

import dezero.functions as F
from dezero.core import Function, Parameter, Variable, no_grad

from .common import Both, Halves, Square

pytestmark = pytest.mark.usefixtures("no_gc")


def matrix(*shape: int) -> Variable:
    return Variable(np.full(shape or (4, 4), 0.5))


def composite(x):
    a, b = Both()(x, F.tanh(x))
    first, _ = Halves()(F.reshape(F.softmax(a @ b), -1))
    return F.sum(Square()(first) / 3.0 + F.dropout(first[1:5].max()))


def test_a_graph_is_freed_with_its_last_variable():
    x = matrix()
    y = composite(x)
    watched = [weakref.ref(y), weakref.ref(y.creator), *(weakref.ref(v) for v in y.creator.inputs)]
    nodes = [weakref.ref(f) for f in functions_behind(y)]
    assert len(nodes) > 10
    del y
    assert [r() for r in (*watched, *nodes) if r() is not None] == []


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_graph_is_freed_after_backward(create_graph):
    x = matrix()
    y = composite(x)
    y.backward(create_graph=create_graph)
    nodes = [weakref.ref(f) for v in (y, x.grad) for f in functions_behind(v)]
    x.cleargrad()
    del y
    assert [r() for r in nodes if r() is not None] == []


def test_a_leaf_is_freed_with_its_graph():
    x = matrix()
    y = composite(x)
    y.backward()
    gone = weakref.ref(x)
    del x, y
    assert gone() is None


def functions_behind(y):
    found, stack = {}, [y.creator]
    while stack:
        f = stack.pop()
        if f is not None and f not in found:
            found[f] = None
            stack += [x.creator for x in f.inputs]
    return list(found)


def test_ten_thousand_training_steps_leave_nothing_behind():
    rng = np.random.default_rng(0)
    x, t = rng.random((4, 3)), rng.integers(0, 2, 4)
    params = [Parameter(rng.random(shape)) for shape in [(3, 5), (5,), (5, 2), (2,)]]

    def step():
        W0, b0, W1, b1 = params
        y = F.linear(F.dropout(F.relu(F.linear(x, W0, b0)), 0.2), W1, b1)
        loss = F.softmax_cross_entropy(y, t)
        for p in params:
            p.cleargrad()
        loss.backward()
        for p in params:
            p.data -= 0.01 * p.grad.data

    def growth(steps):
        gc.collect()  # empties Python's lists of free tuples, which would be counted otherwise
        before = sys.getallocatedblocks()
        for _ in range(steps):
            step()
        assert gc.collect() == 0, "the collector found cycles"
        return sys.getallocatedblocks() - before

    step()
    # What a step leaves behind is there every time; what others keep for reuse fills up once.
    assert min(growth(2500) for _ in range(4)) < 50


@pytest.mark.parametrize(
    "function",
    [
        F.tanh,
        F.exp,
        F.sqrt,
        F.sigmoid,
        F.relu,
        F.softmax,
        F.log_softmax,
        F.sum,
        F.dropout,
        lambda h: h + 1.0,
        lambda h: h + Variable(np.ones((4, 4))),
        lambda h: Variable(np.ones((4, 4))) - h,
        lambda h: -h,
        lambda h: h * 2.0,
        lambda h: h * np.ones((4, 4)),
        lambda h: h / 3.0,
        lambda h: h @ np.ones((4, 2)),
        lambda h: F.linear(h, np.ones((4, 2)), Variable(np.ones(2))),
        lambda h: F.matmul(h, Variable(np.ones((4, 2)), requires_grad=False)),
        lambda h: F.concatenate([h, h]),
        lambda h: F.stack([h, np.ones((4, 4))]),
        lambda h: h[np.array([0, 1])],
        lambda h: F.where(np.eye(4) > 0, h, 0.0),
        lambda h: F.broadcast_to(h, (2, 4, 4)) + 0.0,
        lambda h: F.average(h, axis=0),
        lambda h: F.conv2d(F.reshape(h, (1, 1, 4, 4)), np.ones((1, 1, 2, 2))),
        lambda h: F.pooling(F.reshape(h, (1, 1, 4, 4)), 2),
        lambda h: F.average_pooling(F.reshape(h, (1, 1, 4, 4)), 2),
    ],
)
def test_an_array_that_no_rule_needs_is_freed(function):
    x, b = matrix(), matrix(4)
    h = x + b
    array = weakref.ref(h.data)
    y = function(h)
    del h
    assert array() is None
    y.backward()
    assert x.grad is not None


@pytest.mark.parametrize(
    "function",
    [
        lambda h: F.sin(h),
        lambda h: h * h,
        lambda h: h**3,
        lambda h: h * Variable(np.ones((4, 4))),
        lambda h: h @ Variable(np.ones((4, 2))),
    ],
)
def test_an_array_that_a_rule_needs_is_kept(function):
    h = matrix() + matrix(4)
    array = weakref.ref(h.data)
    y = function(h)
    del h
    assert array() is not None
    del y
    assert array() is None


def test_a_dropped_product_of_a_frozen_layer_is_freed():
    x, W = Variable(np.ones((4, 4)), requires_grad=False), Parameter(np.ones((4, 4)))
    W.requires_grad = False
    v = Parameter(np.ones((4, 4)))
    h = F.linear(x, W)
    assert h.creator is None
    y = h @ v
    array = weakref.ref(h.data)
    del h
    assert array() is not None
    v.requires_grad = False
    y = F.linear(x, W) @ v
    assert y.creator is None
    assert array() is None


def test_nothing_is_kept_without_a_graph():
    x = matrix()
    with no_grad():
        h = F.sin(x)
        array = weakref.ref(h.data)
        y = h * h
        del h
    assert array() is None
    assert y.creator is None


def test_a_users_function_keeps_its_arrays_no_longer_than_itself():
    class Plain(Function):
        def forward(self, x):
            return x * 2.0

        def backward(self, gy):
            return gy * 2.0

    h = matrix() + 1.0
    array = weakref.ref(h.data)
    y = Plain()(h)
    del h
    y.backward()
    del y
    assert array() is None


def test_gradients_in_between_are_freed_on_the_way_even_if_variables_live():
    size = 100_000
    x = Variable(np.ones(size))
    kept = [x]
    for _ in range(50):
        kept.append(kept[-1] * 0.5)
    kept[-1].grad = Variable(np.ones(size))
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        kept[-1].backward()
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert peak < 6 * 8 * size


def test_unchain_backward_frees_what_lies_behind():
    x = matrix()
    a = F.sin(x)
    h = F.sin(a)
    nodes = [weakref.ref(f) for f in functions_behind(h)]
    arrays = [weakref.ref(a.data)]
    del a
    y = F.sum(h)
    y.unchain_backward()
    assert h.creator is None
    assert [r() for r in (*nodes, *arrays) if r() is not None] == []
