"""Rows: NumPy's functions that pick elements."""

from __future__ import annotations

import numpy as np

import dezero.numpy.indexing as I

from .cases import Case, Row, interval
from .rows_shapes import cases


def selections(rng):
    a, b, c = (interval(rng, -2, 2, (2, 3)) for _ in range(3))
    first, second = rng.random((2, 3)) < 0.4, rng.random((2, 3)) < 0.6
    yield Case([first], [a])
    yield Case([first, second], [a, b], c)
    yield Case([first, second], [a[0], 1.0], default=-1.0)


def choices(rng):
    a, b, c = interval(rng, -2, 2, (2, 3)), interval(rng, -2, 2, (3,)), interval(rng, -2, 2, ())
    numbers = np.array([[0, 1, 2], [2, 2, 0]])
    yield Case(numbers, [a, b, c])
    yield Case(numbers - 1, [a, b], mode="clip")
    yield Case(numbers + 1, (a, b), None, "wrap")
    yield Case(1, [a, a * 2])


def pieces(rng):
    x = interval(rng, 0.3, 2, (2, 3))
    yield Case(x, [x > 1], [np.square, np.negative])
    yield Case(x, [x < 0.8, x > 1.2], [np.square, lambda v: v * v * v, 5.0])
    yield Case(x, [x > 1, x > 0.5], [2.0, np.log])
    yield Case(x[0], x[0] > 1, [lambda v, a, b=0.0: v * a + b], 3.0, b=1.0)
    yield Case(np.asarray(x[0, 0]), [True], [np.square])
    yield Case(x, [x > 9], [np.square, np.exp])


def conditions(rng):
    a, b = interval(rng, -2, 2, (2, 3)), interval(rng, -2, 2, (3,))
    yield Case(np.array([[True], [False]]), a, b)
    yield Case(np.array([1, 0, 2]), a, 0.0)


def grids(rng):
    for shapes, kwargs in [
        (((2,), (3,)), {}),
        (((2,), (3,)), {"indexing": "ij"}),
        (((2,), (3,), (2,)), {"sparse": True}),
        (((2,), (3,), (1,)), {}),
        (((), (2,)), {"copy": False}),
    ]:
        yield Case([interval(rng, -2, 2, shape) for shape in shapes], **kwargs)


def row(name, draws, **kwargs):
    numpy_function = getattr(np, name)
    return Row(
        name,
        numpy_function,
        draws,
        call=getattr(I, name),
        numpy=(numpy_function,),
        **kwargs,
    )


ROWS = [
    row(
        "take",
        cases(
            ((2, 3), np.array([0, 4, 4])),
            ((2, 3), np.array([[0, 1], [-1, 0]]), 1),
            ((2, 3), 1, {"axis": 0}),
            ((2, 3), [1, 1], -1),
            ((2, 3), np.array([7, -9]), None, None, "wrap"),
            ((2, 3), np.array([7, -9]), {"axis": 1, "mode": "clip"}),
            ((0, 2), np.array([1, 0]), 1),
            ((), 0),
        ),
        labels=True,
    ),
    row(
        "take_along_axis",
        cases(
            ((2, 3), np.array([[2, 0, 1], [1, 1, -1]]), 1),
            ((2, 3), np.array([[1, 0, 0]]), 0),
            ((2, 3), np.array([[0], [2]]), {"axis": -1}),
            ((2, 3), np.array([5, 0, 0]), None),
            ((2, 1, 3), np.zeros((1, 2, 3), int), 1),
        ),
        labels=True,
    ),
    Row(
        "compress",
        np.compress,
        lambda rng: (
            Case(np.array(condition), interval(rng, -2, 2, (2, 3)), axis)
            for condition, axis in [
                ([True, False, True], 1),
                ([False, True], 0),
                ([0, 1, 1, 0, 2], None),
                ([True], -1),
            ]
        ),
        call=I.compress,
        numpy=(np.compress,),
        labels=True,
    ),
    Row(
        "extract",
        np.extract,
        lambda rng: (
            Case(condition, interval(rng, -2, 2, (2, 3)))
            for condition in [
                np.array([[True, False, True], [False, False, True]]),
                np.array([0, 1, 0, 2, 0, 0]),
            ]
        ),
        call=I.extract,
        numpy=(np.extract,),
        labels=True,
    ),
    row("where", conditions),
    row("select", selections),
    row("choose", choices),
    row("piecewise", pieces),
    Row(
        "meshgrid",
        lambda xs, **kwargs: np.meshgrid(*xs, **kwargs),
        grids,
        call=lambda xs, **kwargs: I.meshgrid(*xs, **kwargs),
    ),
    Row(
        "meshgrid, of one",
        np.meshgrid,
        cases(((3,),), ((3,), {"sparse": True})),
        call=I.meshgrid,
        numpy=(np.meshgrid,),
    ),
]
