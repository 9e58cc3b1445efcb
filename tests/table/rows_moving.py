"""Rows: NumPy's functions of shapes, with all of their arguments."""

from __future__ import annotations

import numpy as np

import dezero.numpy.shapes as S

from .cases import Row
from .rows_shapes import cases, sequences


def starred(function):
    """Return a function of a sequence that calls ``function`` with its items."""
    return lambda xs, *args, **kwargs: function(*xs, **kwargs)


ROWS = [
    Row("copy", np.copy, cases(((2, 3),), ((),), ((0, 2),)), numpy=(np.copy,)),
    Row(
        "reshape, orders",
        np.reshape,
        cases(
            ((2, 6), (3, 4), "F"),
            ((2, 6), (-1, 4), {"order": "F"}),
            ((2, 3, 2), (4, -1), "F"),
            ((2, 3), 6, {"order": "F"}),
            ((), (1, 1), "F"),
            ((2, 3), (3, 2), {"order": "C"}),
        ),
        call=S.reshape,
        numpy=(np.reshape,),
    ),
    Row(
        "ravel",
        np.ravel,
        cases(((2, 3),), ((2, 3, 2), "F"), ((),), ((0, 2), {"order": "C"})),
        call=S.ravel,
        numpy=(np.ravel,),
    ),
    Row(
        "matrix_transpose",
        np.matrix_transpose,
        cases(((2, 3),), ((2, 3, 4),), ((0, 2),)),
        call=S.matrix_transpose,
        numpy=(np.matrix_transpose,),
    ),
    Row(
        "moveaxis, several",
        np.moveaxis,
        cases(
            ((2, 3, 4), (0, 1), (-1, -2)),
            ((2, 3, 4, 5), [3, 0], [0, 2]),
            ((2, 3, 4), (1,), (1,)),
            ((2, 3), (), ()),
        ),
        call=S.moveaxis,
        numpy=(np.moveaxis,),
    ),
    Row(
        "rollaxis",
        np.rollaxis,
        cases(((2, 3, 4), 2), ((2, 3, 4), 0, 2), ((2, 3, 4), -1, 1), ((2, 3, 4), 1, 3)),
        call=S.rollaxis,
        numpy=(np.rollaxis,),
    ),
    *(
        Row(
            function.__name__,
            starred(function),
            sequences((((2, 3),),), (((2,),),), (((),),), (((), (2,), (2, 3, 4)),), (((0,),),)),
            call=starred(getattr(S, function.__name__)),
        )
        for function in (np.atleast_1d, np.atleast_2d, np.atleast_3d)
    ),
    *(
        Row(
            f"{function.__name__}, of one",
            function,
            cases(((2, 3),), ((2,),), ((),), ((0,),), ((1, 2, 3, 2),)),
            call=getattr(S, function.__name__),
            numpy=(function,),
        )
        for function in (np.atleast_1d, np.atleast_2d, np.atleast_3d)
    ),
    Row(
        "broadcast_arrays",
        starred(np.broadcast_arrays),
        sequences((((2, 1), (3,), ()),), (((2,), (2,)),), (((0, 1), (2,)),)),
        call=starred(S.broadcast_arrays),
    ),
    Row(
        "broadcast_arrays, of one",
        np.broadcast_arrays,
        cases(((2, 3),)),
        call=S.broadcast_arrays,
        numpy=(np.broadcast_arrays,),
    ),
    Row(
        "flip",
        np.flip,
        cases(((2, 3),), ((2, 3), 0), ((2, 3, 2), (0, -1)), ((),), ((0, 2), {"axis": 1})),
        call=S.flip,
        numpy=(np.flip,),
    ),
    Row("fliplr", np.fliplr, cases(((2, 3),), ((2, 3, 2),)), call=S.fliplr, numpy=(np.fliplr,)),
    Row("flipud", np.flipud, cases(((2, 3),), ((3,),)), call=S.flipud, numpy=(np.flipud,)),
    Row(
        "rot90",
        np.rot90,
        cases(
            ((2, 3),),
            ((2, 3), 2),
            ((2, 3), -1),
            ((2, 3), 4),
            ((2, 3, 4), 1, (1, 2)),
            ((2, 3, 4), 3, {"axes": (2, 0)}),
        ),
        call=S.rot90,
        numpy=(np.rot90,),
    ),
    Row(
        "roll",
        np.roll,
        cases(
            ((5,), 2),
            ((2, 3), -1),
            ((2, 3), 1, 1),
            ((2, 3), 7, {"axis": -1}),
            ((2, 3, 2), (1, -2), (0, 1)),
            ((3, 2), 1, (0, 1)),
            ((3, 2), (1, 1), (0, 0)),
            ((0, 2), 1),
            ((), 1),
        ),
        call=S.roll,
        numpy=(np.roll,),
    ),
    Row(
        "tile",
        np.tile,
        cases(
            ((2,), 3),
            ((2, 3), (2, 2)),
            ((2, 3), 2),
            ((3,), (2, 1, 2)),
            ((2, 3), (2,)),
            ((), (2, 2)),
            ((2,), 0),
            ((2, 3), ()),
        ),
        call=S.tile,
        numpy=(np.tile,),
    ),
    Row(
        "repeat",
        np.repeat,
        cases(
            ((2, 3), 2),
            ((2, 3), 2, 1),
            ((3,), [1, 0, 2]),
            ((2, 3), [2, 1], 0),
            ((2, 3), np.array([0, 1, 3]), {"axis": -1}),
            ((2, 3), [2], 0),
            ((), 3),
            ((0, 2), 2, 0),
            ((2,), 0),
        ),
        call=S.repeat,
        numpy=(np.repeat,),
    ),
    Row(
        "diagonal",
        np.diagonal,
        cases(
            ((3, 3),),
            ((2, 4), 1),
            ((2, 4), -1),
            ((4, 2), -1),
            ((4, 2), {"offset": 1}),
            ((2, 3, 4), 0, 1, 2),
            ((2, 3, 4), 1, 2, 0),
            ((2, 3, 4, 3), -1, -1, 1),
            ((2, 2), 5),
            ((0, 2),),
        ),
        call=S.diagonal,
        numpy=(np.diagonal,),
    ),
    Row(
        "trace",
        np.trace,
        cases(((3, 3),), ((2, 4), 1), ((2, 3, 4), 0, 1, 2), ((3, 2, 3), {"axis1": 0, "axis2": 2})),
        call=S.trace,
        numpy=(np.trace,),
    ),
    Row(
        "diag",
        np.diag,
        cases(((3,),), ((3,), 1), ((2,), -2), ((2, 3),), ((3, 2), {"k": -1}), ((0,),)),
        call=S.diag,
        numpy=(np.diag,),
    ),
    Row(
        "diagflat",
        np.diagflat,
        cases(((2, 2),), ((3,), 1), ((), -1)),
        call=S.diagflat,
        numpy=(np.diagflat,),
    ),
    *(
        Row(
            function.__name__,
            function,
            cases(((3, 3),), ((2, 4), 1), ((2, 3, 2), -1), ((3,),), ((0, 2),), ((2, 2), {"k": 5})),
            call=getattr(S, function.__name__),
            numpy=(function,),
        )
        for function in (np.tril, np.triu)
    ),
]
