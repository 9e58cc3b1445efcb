"""Rows: assignment to parts, by ``set_item`` and by NumPy's functions that write in place."""

from __future__ import annotations

import numpy as np

import dezero.functions as F
from dezero.core import Variable

from .cases import Case, Row, interval
from .rows_shapes import INDICES


def set_item(x, index, v):
    y = x.copy()
    y[index] = v
    return y


def assignments(rng):
    for shape, index in INDICES:
        x = interval(rng, -2, 2, shape)
        yield Case(x, index, interval(rng, -2, 2, x[index].shape))
    x = interval(rng, -2, 2, (3, 4))
    for index, shape in [
        (slice(0, 2), (4,)),
        (slice(0, 2), ()),
        (slice(None), (1, 1)),
        (slice(0, 2), (1, 1, 2, 4)),
        (1, (1, 4)),
        (np.array([0, 0, 2]), (1, 4)),
        (np.array([0, 0, 2]), ()),
        (x > 0, ()),
        ((slice(None), np.array([1, 1])), (3, 1)),
        (np.ix_([0, 2], [1, 3]), (2, 2)),
        ((np.array([0, 2]), slice(None), None), (2, 4, 1)),
    ]:
        yield Case(x, index, interval(rng, -2, 2, shape))
    yield Case(x, (0, slice(1, 3)), 5.0)


def on_copies(write):
    """Return a function that makes a copy of its first argument, writes, and returns it."""

    def call(x, *args, **kwargs):
        y = F.copy(x) if isinstance(x, Variable) else x.copy()
        write(y, *args, **kwargs)
        return y

    return call


def on_variables(write):
    """Return the same on Variables, where plain arrays are constants."""
    call = on_copies(write)

    def wrapped(x, *args, **kwargs):
        x = x if isinstance(x, Variable) else Variable(x, requires_grad=False)
        return call(x, *args, **kwargs)

    return wrapped


def row(function, cases):
    return Row(function.__name__, on_copies(function), cases, call=on_variables(function))


def puts(rng):
    x = interval(rng, -2, 2, (2, 3))
    yield Case(x, [0, 4], interval(rng, -2, 2, (2,)))
    yield Case(x, np.array([0, -1, 2]), interval(rng, -2, 2, (2,)))
    yield Case(x, [7, -9], interval(rng, -2, 2, (3,)), "wrap")
    yield Case(x, [7, -9], interval(rng, -2, 2, (2,)), mode="clip")
    yield Case(x, 3, 5.0)


def masks(rng):
    x, mask = interval(rng, -2, 2, (2, 3)), np.array([[True, False, True], [False, True, True]])
    for shape in [(4,), (2,), (6,), (1,), (2, 3)]:
        yield Case(x, mask, interval(rng, -2, 2, shape))


def rows_of(rng):
    x = interval(rng, -2, 2, (2, 3))
    yield Case(x, np.array([[2, 0], [1, -1]]), interval(rng, -2, 2, (2, 2)), 1)
    yield Case(x, np.array([[1, 0, 0]]), interval(rng, -2, 2, ()), axis=0)
    yield Case(x, np.array([0, -1]), interval(rng, -2, 2, (2,)), None)


def copies(rng):
    x = interval(rng, -2, 2, (2, 3))
    yield Case(x, interval(rng, -2, 2, (3,)), where=np.array([[True], [False]]))
    yield Case(x, interval(rng, -2, 2, ()), where=np.array([True, False, True]))


def diagonals(rng):
    for shape, values, wrap in [
        ((3, 3), (), False),
        ((3, 3), (2,), False),
        ((2, 4), (2,), False),
        ((5, 2), (4,), True),
        ((5, 2), (2,), False),
        ((2, 2, 2), (2,), False),
    ]:
        yield Case(interval(rng, -2, 2, shape), interval(rng, -2, 2, values), wrap)


ROWS = [
    Row("set_item", set_item, assignments),
    row(np.put, puts),
    row(np.place, masks),
    row(np.putmask, masks),
    row(np.put_along_axis, rows_of),
    row(np.copyto, copies),
    row(np.fill_diagonal, diagonals),
]
