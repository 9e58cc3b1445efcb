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

LOOPED = {
    "batch_norm": "moves running statistics, one example after the other",
    "stack": "takes 0-d examples for numbers",
    "binary_cross_entropy": "looks at the values: probabilities lie from 0 to 1",
}
"""Rows that vmap computes example by example, with the reason."""

OWN_DRAWS = {"dropout": "every example has a mask of its own"}
"""Rows whose vmap is no loop over one call."""

COMPLEX = {
    "add", "sub", "rsub", "mul", "div", "rdiv", "neg", "pow", "absolute", "sin", "cos", "tanh",
    "exp", "log", "sqrt", "square", "where", "reshape", "transpose", "swapaxes", "moveaxis",
    "broadcast_to", "sum_to", "expand_dims", "squeeze", "flatten", "concatenate", "stack",
    "split", "pad", "get_item", "GetItemGrad", "sum", "average", "mean", "matmul", "dot",
    "linear", "linear_simple", "einsum",
}  # fmt: skip
"""Rows of functions that take complex numbers too: holomorphic, or with a real value."""
