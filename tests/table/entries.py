"""The table: a row for every differentiable function."""

from __future__ import annotations

from . import rows_images, rows_layers, rows_math, rows_recurrent, rows_shapes
from .cases import Row

TABLE: list[Row] = [
    *rows_math.ROWS,
    *rows_shapes.ROWS,
    *rows_layers.ROWS,
    *rows_images.ROWS,
    *rows_recurrent.ROWS,
]

ALIASES = {"batch_nrom": "batch_norm"}
"""Names of one and the same function."""

EXCLUDED = {
    "accuracy": "a count of right answers: piecewise constant, documented to have no gradient",
    "setup_methods": "gives Variable its methods",
}
"""Public callables of ``dezero.functions`` that are not differentiable functions."""
