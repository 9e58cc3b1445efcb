"""The methods of Variable are the functions of the same name."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import dezero.functions as F
from dezero.core import Variable


@pytest.mark.parametrize(
    ("method", "function"),
    [
        (lambda x: x.reshape(3, 2), lambda x: F.reshape(x, (3, 2))),
        (lambda x: x.reshape((3, -1)), lambda x: F.reshape(x, (3, 2))),
        (lambda x: x.reshape([3, 2]), lambda x: F.reshape(x, (3, 2))),
        (lambda x: x.reshape(-1), lambda x: F.reshape(x, (6,))),
        (lambda x: x.transpose(), F.transpose),
        (lambda x: x.transpose(None), F.transpose),
        (lambda x: x.transpose(1, 0), lambda x: F.transpose(x, (1, 0))),
        (lambda x: x.transpose((0, 1)), lambda x: F.transpose(x, (0, 1))),
        (lambda x: x.transpose([1, 0]), lambda x: F.transpose(x, (1, 0))),
        (lambda x: x.T, F.transpose),
        (lambda x: x.sum(), F.sum),
        (lambda x: x.sum(0), lambda x: F.sum(x, axis=0)),
        (lambda x: x.sum(axis=1, keepdims=True), lambda x: F.sum(x, 1, True)),
        (lambda x: x.mean(axis=0), lambda x: F.mean(x, 0)),
        (lambda x: x.var(axis=1), lambda x: F.var(x, 1)),
        (lambda x: x.max(), F.max),
        (lambda x: x.max(axis=1, keepdims=True), lambda x: F.max(x, 1, True)),
        (lambda x: x.min(0), lambda x: F.min(x, 0)),
        (lambda x: x.var(1, True, 1), lambda x: F.var(x, 1, True, 1)),
        (lambda x: x.sum(0, initial=2.0), lambda x: np.sum(x, 0, initial=2.0)),
        (lambda x: x.var(1, ddof=1), lambda x: np.var(x, 1, ddof=1)),
        (lambda x: x.max(where=x > 0, initial=0), lambda x: np.max(x, where=x > 0, initial=0)),
        (lambda x: x.std(axis=0, ddof=1), lambda x: np.std(x, 0, ddof=1)),
        (lambda x: x.prod(1), lambda x: np.prod(x, 1)),
        (lambda x: x.ptp(), np.ptp),
        (lambda x: x.cumsum(), np.cumsum),
        (lambda x: x.cumprod(axis=1), lambda x: np.cumprod(x, 1)),
        (lambda x: x.matmul(x.T), lambda x: F.matmul(x, F.transpose(x))),
        (lambda x: x.dot(x.T), lambda x: F.matmul(x, F.transpose(x))),
        (lambda x: x @ x.T, lambda x: F.matmul(x, F.transpose(x))),
        (lambda x: x[1], lambda x: F.get_item(x, 1)),
        (lambda x: x[:, [0, 0]], lambda x: F.get_item(x, (slice(None), [0, 0]))),
        (lambda x: x[x.data > 1], lambda x: F.get_item(x, x.data > 1)),
        (lambda x: x[x > 1], lambda x: F.get_item(x, x.data > 1)),
        (lambda x: x[Variable(np.array([1, 0, 1]))], lambda x: F.get_item(x, np.array([1, 0, 1]))),
        (lambda x: x.astype(np.float32), lambda x: F.astype(x, np.float32)),
    ],
)
def test_a_method_is_a_function(method, function):
    results = []
    for call in (method, function):
        x = Variable(np.linspace(-1.0, 3.0, 6).reshape(2, 3))
        y = call(x)
        y.grad = Variable(np.linspace(1.0, 2.0, y.size, dtype=y.dtype).reshape(y.shape))
        y.backward()
        results.append((type(y.creator), y.data, x.grad.data))
    assert results[0][0] is results[1][0]
    for a, b in zip(results[0][1:], results[1][1:], strict=True):
        assert_array_equal(a, b)


def test_methods_without_a_derivative_give_plain_values():
    x = Variable(np.array([[2.5, 1.0], [0.0, 3.0]]))
    for method in ("all", "any", "argsort", "round"):
        for args in [(), (1,)]:
            got = getattr(x, method)(*args)
            assert not isinstance(got, Variable)
            assert_array_equal(got, getattr(x.data, method)(*args))


def test_sorting_in_place_is_refused():
    x = Variable(np.array([2.0, 1.0]))
    with pytest.raises(TypeError, match=r"sort: .*its gradient would be lost; use y = np\.sort"):
        x.sort()
    with pytest.raises(TypeError, match=r"partition: .*use y = np\.partition\(x, kth\)"):
        x.partition(1)


def test_a_cast_to_integers_ends_the_graph():
    x = Variable(np.array([1.5, 2.5]))
    y = x.astype(np.int64)
    assert y.creator is None
    assert not y.requires_grad
    assert_array_equal(y.data, [1, 2])
    assert x.astype(np.float64) is x
