"""Rows: NumPy's functions that join, split and pad arrays."""

from __future__ import annotations

import numpy as np

import dezero.numpy.joining as J
import dezero.numpy.padding as P

from .cases import Case, Fixed, Row, interval
from .rows_shapes import cases, sequences


def draw(rng, *shapes):
    return [interval(rng, -2, 2, shape) for shape in shapes]


def concatenations(rng):
    yield Case(draw(rng, (2, 3), (1, 3)))
    yield Case(draw(rng, (2, 3), (2, 1)), -1)
    yield Case(draw(rng, (2, 3), (2,)), axis=None)
    yield Case(draw(rng, (), (2,)), None)
    yield Case(tuple(draw(rng, (1, 2), (1, 2))), axis=1)
    yield Case([interval(rng, -2, 2, (2,)), Fixed([1.0, 2.0])])


def blocks(rng):
    a, b, c, d = draw(rng, (2, 2), (2, 1), (1, 2), (1, 1))
    yield Case([[a, b], [c, d]])
    yield Case([*draw(rng, (2,), (3,))])
    yield Case([[interval(rng, -2, 2, (2,))], [interval(rng, -2, 2, (1, 2))]])
    yield Case(interval(rng, -2, 2, (2,)))
    yield Case([[interval(rng, -2, 2, ()), Fixed(1.0)]])


def appended(rng):
    yield Case(*draw(rng, (2, 3), (2,)))
    yield Case(*draw(rng, (2, 3), (1, 3)), axis=0)
    yield Case(*draw(rng, (2, 3), (2, 1)), -1)
    yield Case(interval(rng, -2, 2, (2,)), Fixed(5.0))


def insertions(rng):
    x = interval(rng, -2, 2, (2, 3))
    yield Case(x, 1, 7.0)
    yield Case(x, 1, interval(rng, -2, 2, (2,)), axis=1)
    yield Case(x, 0, interval(rng, -2, 2, (3,)), 0)
    yield Case(x, [1], interval(rng, -2, 2, (2, 1)), axis=1)
    yield Case(x, [1], interval(rng, -2, 2, (2, 2)), axis=1)
    yield Case(x, [0, 2], interval(rng, -2, 2, (2,)), 1)
    yield Case(x, [2, 0, 2], interval(rng, -2, 2, (2, 3)), 1)
    yield Case(x, [2, 2], interval(rng, -2, 2, (2,)), None)
    yield Case(x, slice(0, 2), interval(rng, -2, 2, (2, 2)), 1)
    yield Case(x, [-1, 1], interval(rng, -2, 2, (2,)))
    yield Case(x, np.array([True, False, True]), 9.0, 1)
    yield Case(interval(rng, -2, 2, (3,)), 3, interval(rng, -2, 2, (2,)))
    yield Case(interval(rng, -2, 2, (2, 2, 2)), 1, interval(rng, -2, 2, (2, 2)), 1)


def ramps(rng):
    yield Case(interval(rng, -2, 2, (3,)), 2, "linear_ramp")
    yield Case(interval(rng, -2, 2, (2, 3)), ((1, 2), (0, 3)), "linear_ramp", end_values=1.5)
    x, ends = draw(rng, (2, 3), (2, 2))
    yield Case(x, 2, mode="linear_ramp", end_values=ends)


def bordered(rng):
    x, values = draw(rng, (2, 3), (2, 2))
    yield Case(x, ((1, 2), (0, 1)), "constant", constant_values=values)
    yield Case(x, 1)
    yield Case(x, 1, "constant", constant_values=((1, 2), (3, 4)))


def padded(*modes, **options):
    def draws(rng):
        for mode in modes:
            for shape, width in [((4,), 2), ((3, 4), ((1, 2), (2, 0))), ((2, 3), 7), ((1, 2), 1)]:
                size = int(np.prod(shape))
                x = rng.permutation(size).reshape(shape) * 0.3 - 1.0
                yield Case(x, width, mode, **options)

    return draws


def row(name, function, draws, reference=None, **kwargs):
    numpy_function = getattr(np, name.partition(",")[0])
    reference = reference or numpy_function
    return Row(name, reference, draws, call=function, numpy=(numpy_function,), **kwargs)


ROWS = [
    row("concatenate, all", J.concatenate, concatenations),
    row(
        "stack, nested", J.stack, sequences((((2,), (2,)), 1), (((), ()),), (((1, 2), (1, 2)), -2))
    ),
    row("vstack", J.vstack, sequences((((2, 3), (1, 3)),), (((3,), (3,)),), (((), ()),))),
    row(
        "hstack",
        J.hstack,
        sequences((((2, 3), (2, 1)),), (((3,), (2,)),), (((), ()),), (((2, 1, 2), (2, 2, 2)),)),
    ),
    row(
        "dstack",
        J.dstack,
        sequences((((2, 3), (2, 3)),), (((3,), (3,)),), (((2, 1, 1), (2, 1, 3)),)),
    ),
    row("column_stack", J.column_stack, sequences((((2,), (2, 2), (2,)),), (((), ()),))),
    row("block", J.block, blocks),
    row("split, list", J.split, cases(((4, 3), 2), ((2, 6), [1, 4], 1))),
    row(
        "array_split",
        J.array_split,
        cases(((7,), 3), ((2, 5), 2, 1), ((5,), [1, 3]), ((2,), 3), ((4, 2), 2, {"axis": -2})),
    ),
    row("hsplit", J.hsplit, cases(((2, 4), 2), ((4,), 2), ((2, 3, 2), [1]))),
    row("vsplit", J.vsplit, cases(((4, 2), 2), ((3, 2), [1, 2]))),
    row("dsplit", J.dsplit, cases(((1, 2, 4), 2), ((1, 2, 3), [1]))),
    Row(
        "unstack",
        lambda x, axis=0: tuple(np.moveaxis(x, axis, 0)),
        cases(((3, 2),), ((2, 3), {"axis": 1}), ((2, 1, 3), {"axis": -1}), ((2,),)),
        call=J.unstack,
        numpy=(np.unstack,) if hasattr(np, "unstack") else (),
    ),
    row("append", J.append, appended),
    row("insert", J.insert, insertions),
    row(
        "delete",
        J.delete,
        cases(
            ((5,), 1),
            ((2, 3), [0, 2], 1),
            ((2, 3), 1),
            ((5,), slice(None, None, 2)),
            ((4, 2), np.array([True, False, True, False]), {"axis": 0}),
            ((5,), [-1, 0, 0]),
            ((3,), []),
        ),
    ),
    row(
        "resize",
        J.resize,
        cases(((2, 3), (3, 3)), ((2, 3), 4), ((3,), (2, 2)), ((2,), (0,)), ((0,), (2, 2))),
    ),
    row("trim_zeros", J.trim_zeros, cases(((4,),), ((2,), "f"))),
    row("pad, constant", P.pad, bordered),
    row("pad, ramp", P.pad, ramps),
    row("pad, copied", P.pad, padded("edge", "wrap", "reflect", "symmetric")),
    row("pad, odd", P.pad, padded("reflect", "symmetric", reflect_type="odd")),
    row("pad, statistics", P.pad, padded("mean", "maximum", "minimum")),
    row("pad, of parts", P.pad, padded("mean", "maximum", "minimum", stat_length=2)),
    row("pad, of other parts", P.pad, padded("mean", "maximum", stat_length=(1, 3))),
]
