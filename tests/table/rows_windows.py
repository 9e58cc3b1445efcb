"""Rows: sliding windows."""

from __future__ import annotations

import numpy as np

import dezero.numpy.windows as W

from .cases import Row
from .rows_shapes import cases

ROWS = [
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
        call=W.sliding_window_view,
        numpy=(np.lib.stride_tricks.sliding_window_view,),
    ),
]
