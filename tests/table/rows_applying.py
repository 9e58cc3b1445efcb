"""Rows: windows, and functions for each line."""

from __future__ import annotations

import numpy as np

import dezero.numpy.applying as A

from .cases import Case, Row, interval
from .rows_shapes import cases


def lines(rng):
    x = interval(rng, 0.5, 2, (2, 3, 2))
    yield Case(np.sum, 1, x)
    yield Case(np.square, -1, x)
    yield Case(lambda v, c: v[:2] * v[-1] * c, 1, x, 2.0)
    yield Case(lambda v, c=1.0: np.stack([v, v * v]) * c, 0, x, c=3.0)
    yield Case(np.diag, 0, x[0, :, 0].copy())


def reductions(rng):
    x = interval(rng, 0.5, 2, (2, 3, 2))
    yield Case(np.sum, x, 1)
    yield Case(np.sum, x, [0, -1])
    yield Case(lambda a, axis: np.mean(a * a, axis, keepdims=True), x, (1, 2))


ROWS = [
    Row(
        "apply_along_axis",
        np.apply_along_axis,
        lines,
        call=A.apply_along_axis,
        numpy=(np.apply_along_axis,),
    ),
    Row(
        "apply_over_axes",
        np.apply_over_axes,
        reductions,
        call=A.apply_over_axes,
        numpy=(np.apply_over_axes,),
    ),
    Row(
        "sliding_window_view",
        np.lib.stride_tricks.sliding_window_view,
        cases(
            ((5,), 3),
            ((3, 4), (2, 2)),
            ((3, 4), 2, 1),
            ((3, 4), (2, 3), {"axis": (-1, 0)}),
            ((4,), (2, 2), (0, 0)),
            ((2,), 2),
        ),
        call=A.sliding_window_view,
        numpy=(np.lib.stride_tricks.sliding_window_view,),
    ),
]
