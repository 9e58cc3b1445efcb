"""Rows: arrays made of Variables."""

from __future__ import annotations

import numpy as np

import dezero.functions as F
import dezero.numpy as dnp
import dezero.numpy.creation as C
from dezero.core import Variable

from .cases import Case, Row, interval
from .rows_shapes import casts


def spaced(low, high):
    def draws(rng):
        for shapes, args, kwargs in [
            (((), ()), (5,), {}),
            (((), ()), (4, False), {}),
            (((2,), (2,)), (3,), {"axis": -1}),
            (((2, 1), (3,)), (3,), {"axis": 1}),
            (((2,), ()), (1,), {}),
            (((), ()), (0,), {}),
        ]:
            yield Case(*(interval(rng, low, high, shape) for shape in shapes), *args, **kwargs)

    return draws


def steps(rng):
    for kwargs in [{}, {"endpoint": False}]:
        yield Case(*(interval(rng, 0, 2, ()) for _ in range(2)), 4, retstep=True, **kwargs)


def based(rng):
    yield Case(interval(rng, 0, 1, ()), interval(rng, 1, 2, ()), 3, base=2.0)
    yield Case(*(interval(rng, 1, 2, (2,)) for _ in range(2)), 3, base=interval(rng, 2, 3, (2,)))


def nests(rng):
    a, b, c = (interval(rng, -2, 2, ()) for _ in range(3))
    yield Case([a, b, c])
    yield Case([[a, 1.0], [0.0, b]])
    yield Case([interval(rng, -2, 2, (2,)), [a, 3.0]])
    yield Case((interval(rng, -2, 2, (2, 2)), interval(rng, -2, 2, (2, 2))))
    yield Case([[[a], [b]], [[c], [2.0]]])
    yield Case(interval(rng, -2, 2, (2, 3)), ndmin=3)
    yield Case([[1.0, 2.0], interval(rng, -2, 2, (2,))])


def numbers(rng):
    yield Case(interval(rng, -2, 2, (3,)))
    yield Case(interval(rng, 0.5, 2, (3,)), 2)
    yield Case(interval(rng, -2, 2, (2,)), N=4, increasing=True)
    yield Case(np.array([0.0, 1.0]), 3)


def fills(rng):
    yield Case((2, 3), interval(rng, -2, 2, ()))
    yield Case((2, 3), interval(rng, -2, 2, (3,)))
    yield Case(4, interval(rng, -2, 2, ()))


def as_variable(function):
    """Return a function that gives constant Variables where ``function`` gives arrays."""

    def call(*args, **kwargs):
        y = function(*args, **kwargs)
        return y if isinstance(y, Variable) else Variable(np.asarray(y), requires_grad=False)

    return call


def one(rng):
    for shape in [(2, 3), (), (0, 2)]:
        yield Case(interval(rng, -2, 2, shape))


ROWS = [
    Row("linspace", np.linspace, spaced(0.5, 2), call=C.linspace, numpy=(np.linspace,)),
    Row("linspace, with its step", np.linspace, steps, call=C.linspace),
    Row("logspace", np.logspace, spaced(0.1, 0.5), call=C.logspace, numpy=(np.logspace,)),
    Row("logspace, bases", np.logspace, based, call=C.logspace),
    Row("geomspace", np.geomspace, spaced(0.5, 2), call=C.geomspace, numpy=(np.geomspace,)),
    Row("vander", np.vander, numbers, call=C.vander, numpy=(np.vander,)),
    Row("array", np.array, nests, call=as_variable(dnp.array)),
    Row("full", np.full, fills, call=as_variable(dnp.full)),
    *(
        Row(name, getattr(np, name), one, call=as_variable(getattr(dnp, name)))
        for name in ("asarray", "asanyarray", "ascontiguousarray", "asfortranarray", "require")
    ),
    Row(
        "astype, NumPy's",
        lambda x, dtype: x.astype(dtype),
        casts,
        call=F.astype,
        numpy=(np.astype,) if hasattr(np, "astype") else (),
    ),
]
