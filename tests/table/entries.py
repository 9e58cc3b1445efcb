"""The table: a row for every differentiable function."""

from __future__ import annotations

import numpy as np

from . import (
    rows_images,
    rows_layers,
    rows_math,
    rows_recurrent,
    rows_reductions,
    rows_shapes,
    rows_statistics,
    rows_ufuncs,
)
from .cases import Row

TABLE: list[Row] = [
    *rows_math.ROWS,
    *rows_shapes.ROWS,
    *rows_layers.ROWS,
    *rows_images.ROWS,
    *rows_recurrent.ROWS,
    *rows_ufuncs.ROWS,
    *rows_reductions.ROWS,
    *rows_statistics.ROWS,
]

ALIASES = {"batch_nrom": "batch_norm"}
"""Names of one and the same function."""

NUMPY_APART = {
    np.positive: "returns its argument",
    np.divmod: "one output is plain: tests/numpy/test_ufuncs.py",
    np.modf: "one output is plain: tests/numpy/test_ufuncs.py",
    np.frexp: "one output is plain: tests/numpy/test_ufuncs.py",
    np.sign: "plain but for complex numbers, which have a row",
    np.histogram: "the edges are a plain array; a row looks at the sums of weights",
    np.histogram2d: "as histogram",
    np.histogramdd: "as histogram",
    np.intersect1d: "values that move are no longer common: tests/numpy/test_statistics.py",
}
"""NumPy's functions that no row can name, since it could not call them as it stands."""

EXCLUDED = {
    "accuracy": "a count of right answers: piecewise constant, documented to have no gradient",
    "setup_methods": "gives Variable its methods",
}
"""Public callables of ``dezero.functions`` that are not differentiable functions."""
