"""Every form of index, NumPy's functions of shapes and parts: corners, and lessons."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import dezero.functions as F
import dezero.numpy.shapes as S
from dezero.core import Variable


def vector(*values: float) -> Variable:
    return Variable(np.array(values))


FORMS = [
    (slice(None, None, -1),),
    (slice(-1, 0, -2), slice(None, None, 3)),
    (..., -1),
    (np.newaxis, 1, ..., np.newaxis),
    (slice(None), [0, 1, 1]),
    ([2, 0], slice(None), [1, 1]),
    (1, slice(None), np.array([[0, 1], [1, 1]])),
    (np.array([0, 1]), ..., np.array([1, 0])),
    (np.array([0, 1]), None, np.array([1, 0])),
    np.ix_([0, 2], [1, 0], [3, 3]),
    np.ix_([True, False, True], [0, 1], [3]),
    (slice(0, 2), np.array([[True, False, True, False], [False] * 4])),
    np.ones((3, 2, 4), bool),
    np.zeros((3, 2), bool),
    (np.array([True, False, True]), slice(None), 0),
    (True, 0),
    range(2),
    [[0, 1], [2, 2]],
    (np.int64(2), np.array(1)),
    (Ellipsis, np.array([0, 0]), np.array([0, 0])),
]


@pytest.mark.parametrize("index", FORMS, ids=repr)
def test_every_form_of_index(index, rng):
    a = rng.normal(size=(3, 2, 4))
    wanted = a[index]
    x = Variable(a.copy())
    y = x[index]
    assert type(y) is Variable
    assert_array_equal(y.data, wanted)
    assert y.dtype == wanted.dtype
    seed = rng.normal(size=wanted.shape)
    y.grad = Variable(np.asarray(seed))
    y.backward()
    gradient = np.zeros_like(a)
    np.add.at(gradient, index, seed)
    assert_allclose(x.grad.data, gradient, rtol=1e-13)

    b = a.copy()
    b[index] = 7.0
    z = x * 1
    z[index] = 7.0
    assert_array_equal(z.data, b)
    x.cleargrad()
    z.sum().backward()
    assert_array_equal(x.grad.data, (b == a).astype(float))


def test_variables_as_indices():
    x = vector(1.0, 2.0, 3.0)
    i, many = Variable(np.array(1)), Variable(np.array([0, 0, 2]))
    for index, wanted in [
        (i, 2.0),
        (many, [1.0, 1.0, 3.0]),
        ([i, 0], [2.0, 1.0]),
        (slice(i, None), [2.0, 3.0]),
        (Variable(np.array([True, False, True])), [1.0, 3.0]),
        (x > 1.5, [2.0, 3.0]),
    ]:
        assert_array_equal(x[index].data, wanted)
    assert_array_equal(x.reshape(3, 1)[many, i * 0].data, [1.0, 1.0, 3.0])


def test_indices_that_cannot_be():
    x = vector(1.0, 2.0)
    for index in [5, [0, 7], (0, 0), 1.5, np.array([0.5]), vector(1.0), "a"]:
        with pytest.raises(IndexError, match="GetItem got float64"):
            x[index]


def test_repeated_indices_of_several_axes_add_up():
    x = Variable(np.zeros((2, 3)))
    x[[0, 0, 1], [2, 2, 0]].backward()
    assert_array_equal(x.grad.data, [[0, 0, 2], [1, 0, 0]])


@pytest.mark.parametrize(
    "call",
    [
        lambda v: v.reshape(3, 2, order="F"),
        lambda v: v.reshape((3, -1), order="A"),
        lambda v: v.ravel(),
        lambda v: v.ravel(order="K"),
        lambda v: v.T.ravel("K"),
        lambda v: v.ravel("A"),
        lambda v: v.flatten(),
        lambda v: v.flatten("F"),
        lambda v: v.mT,
        lambda v: v.swapaxes(0, 1),
        lambda v: v.reshape(1, 6).squeeze(0),
        lambda v: v.repeat(2, axis=1),
        lambda v: v.take([0, 5]),
        lambda v: v.compress([True, False], axis=0),
        lambda v: v.diagonal(1),
        lambda v: v.trace(),
        lambda v: v.copy(),
        lambda v: np.reshape(v, (3, 2), copy=True),
        lambda v: np.expand_dims(a=v, axis=1),
        lambda v: np.concatenate((v, v), axis=1, dtype=np.float32),
        lambda v: np.trace(v, dtype=np.float32),
        lambda v: np.rollaxis(v, 1),
        lambda v: np.flip(v, (0, 1)),
    ],
)
def test_methods_and_keywords_as_numpy_has_them(call):
    a = np.linspace(0.5, 2, 6).reshape(2, 3)
    for value in (a, np.asfortranarray(a)):
        x = Variable(value)
        y, wanted = call(x), call(value)
        assert_array_equal(y.data, wanted)
        assert y.dtype == wanted.dtype
        y.sum().backward()
        assert x.grad.shape == (2, 3)


def test_rolling_and_splitting_as_iterators_of_parts():
    x = vector(1.0, 2.0, 3.0)
    first, *rest = np.split(x, 3)
    assert type(rest) is list
    (first * rest[1]).sum().backward()
    assert_array_equal(x.grad.data, [3.0, 0.0, 1.0])


def test_zeros_that_are_trimmed():
    x = vector(0.0, 0.0, 1.0, 0.0, 2.0, 0.0)
    for trim in ("fb", "f", "b", "BF"):
        y = np.trim_zeros(x, trim)
        assert_array_equal(y.data, np.trim_zeros(x.data, trim.lower()))
    y = np.trim_zeros(x)
    y.sum().backward()
    assert_array_equal(x.grad.data, [0.0, 0.0, 1.0, 1.0, 1.0, 0.0])
    for trim in ("fb", "f", "b"):
        assert np.trim_zeros(vector(0.0, 0.0), trim).shape == (0,)


def test_piecewise_calls_a_function_with_its_part_alone():
    x = vector(-1.0, 0.0, 2.0)
    y = np.piecewise(x, [x > 0, x < 0], [np.log, lambda v: v * v, 3.0])
    assert_allclose(y.data, [1.0, 3.0, np.log(2.0)])
    y.sum().backward()
    assert_array_equal(x.grad.data, [-2.0, 0.0, 0.5])


def test_where_alone_is_plain():
    x = vector(1.0, 0.0, 3.0)
    (places,) = np.where(x > 0)
    assert type(places) is np.ndarray
    assert_array_equal(places, [0, 2])
    (places,) = np.where(x)
    assert_array_equal(places, [0, 2])


def test_functions_that_give_indices_are_plain():
    x = Variable(np.array([[1.0, 0.0], [0.0, 2.0]]))
    i = Variable(np.array([1, 0]))
    assert_array_equal(np.argwhere(x), [[0, 0], [1, 1]])
    assert_array_equal(np.flatnonzero(x), [0, 3])
    assert_array_equal(np.ix_(i, i)[0], [[1], [0]])
    assert_array_equal(np.unravel_index(i, (2, 2))[1], [1, 0])
    assert_array_equal(np.ravel_multi_index((i, i), (2, 2)), [3, 0])
    for f in (np.diag_indices_from, np.tril_indices_from, np.triu_indices_from):
        assert_array_equal(x[f(x)].data, x.data[f(x.data)])


def test_several_at_once():
    x, y = vector(1.0, 2.0), vector(3.0)
    a, b = np.atleast_2d(x, 5.0)
    assert_array_equal(b.data, [[5.0]])
    c, d = np.broadcast_arrays(x, y)
    u, v = np.meshgrid(x, y, indexing="ij")
    ((a[0] + c) * d + u[:, 0] * v[:, 0]).sum().backward()
    assert_array_equal(x.grad.data, [9.0, 9.0])
    assert_array_equal(y.grad.data, [9.0])


def test_views_are_not_copied():
    x = Variable(np.arange(6.0).reshape(2, 3))
    for y in (np.flip(x), S.diagonal(x), np.transpose(x), x[::-1], np.rot90(x)):
        assert np.may_share_memory(y.data, x.data)


def test_the_gradient_through_nan_is_not_touched():
    x = vector(np.nan, 1.0)
    np.take(x, [1]).sum().backward()
    assert_array_equal(x.grad.data, [0.0, 1.0])
    x.cleargrad()
    y = x * 1
    y[0] = 0.0
    y.sum().backward()
    assert_array_equal(x.grad.data, [0.0, 1.0])


@pytest.mark.parametrize(
    ("call", "kind", "lesson"),
    [
        (lambda v: np.reshape(v, (2, 1), order="Q"), ValueError, "reshape: got order 'Q'"),
        (lambda v: np.ravel(v, "Q"), ValueError, "reshape: got order 'Q'"),
        (lambda v: np.matrix_transpose(v), ValueError, "matrix_transpose: got shape"),
        (lambda v: np.moveaxis(v, (0, 0), (0, 0)), ValueError, "moveaxis: got axes"),
        (lambda v: np.moveaxis(v, 0, 3), np.exceptions.AxisError, "moveaxis: axis 3"),
        (lambda v: np.fliplr(v), ValueError, "fliplr: got shape"),
        (lambda v: np.flip(v, 2), np.exceptions.AxisError, "flip: axis 2"),
        (lambda v: np.rot90(v.reshape(1, 2), axes=(0, 0)), ValueError, "rot90"),
        (lambda v: np.rot90(v.reshape(1, 2), axes=(0,)), ValueError, "rot90: got axes"),
        (lambda v: np.diagonal(v), ValueError, "diagonal: got shape"),
        (lambda v: np.diag(v.reshape(1, 1, 2)), ValueError, "diag: got shape"),
        (lambda v: np.trace(v.reshape(1, 2), out=np.ones(())), TypeError, "np.trace.*out="),
        (lambda v: np.take(v, [0], out=np.ones(1)), TypeError, "np.take.*out="),
        (lambda v: np.take(v, [0], mode="Q"), ValueError, "take: got mode 'Q'"),
        (lambda v: np.concatenate([v], out=np.ones(2)), TypeError, "np.concatenate.*out="),
        (lambda v: np.concatenate([v], dtype=int), TypeError, "cannot cast float64 to int64"),
        (lambda v: np.stack([v, v[:1]]), ValueError, "stack: got shapes"),
        (lambda v: np.block([[v], v]), ValueError, "block: got lists of depths"),
        (lambda v: np.hsplit(v[0], 2), ValueError, "hsplit: got shape"),
        (lambda v: np.dsplit(v, 2), ValueError, "dsplit: got shape"),
        (lambda v: np.take_along_axis(v, np.ones(2), 0), IndexError, "take_along_axis: got ind"),
        (lambda v: np.take_along_axis(v, np.ones((1, 2), int), 0), ValueError, "of 2; they"),
        (lambda v: np.where(v > 0, v), ValueError, "where: "),
        (lambda v: np.select([v > 0], [v, v]), ValueError, "select: got 1 conditions and 2"),
        (lambda v: np.choose([0, 5], [v, v]), ValueError, "choose: got numbers outside"),
        (lambda v: np.piecewise(v, [v > 0], [1, 2, 3]), ValueError, "piecewise: got 1 cond"),
        (lambda v: np.copyto(v * 1, 1j), TypeError, "copyto: cannot cast complex128"),
        (lambda v: np.meshgrid(v, indexing="Q"), ValueError, "meshgrid: got indexing"),
        (lambda v: np.pad(v, 1, "median"), TypeError, "pad: mode 'median' has no gradient"),
        (lambda v: np.pad(v, 1, "Q"), ValueError, "pad: got mode 'Q'; it wants one of constant"),
        (lambda v: np.pad(v, 1, "edge", end_values=1), ValueError, "pad: got end_values; mode"),
        (lambda v: np.lib.stride_tricks.sliding_window_view(v, 3), ValueError, "window"),
        (lambda v: np.pad(v[:0], 1, "edge"), ValueError, "pad: axis 0 is empty"),
    ],
)
def test_lessons(call, kind, lesson):
    with pytest.raises(kind, match=lesson):
        call(vector(1.0, 2.0))


def test_integer_variables_are_moved_too():
    x = Variable(np.array([[1, 2], [3, 4]]))
    y = np.roll(np.tile(np.flip(x), 2), 1)
    y.sum().backward()
    assert_array_equal(x.grad.data, [[2, 2], [2, 2]])
    assert_array_equal(F.set_item(x, 0, 9).data, [[9, 9], [3, 4]])
