"""The table: a row for every differentiable function."""

from __future__ import annotations

import numpy as np

from . import (
    rows_assignment,
    rows_creation,
    rows_fft,
    rows_images,
    rows_indexing,
    rows_joining,
    rows_layers,
    rows_linalg,
    rows_math,
    rows_moving,
    rows_nets,
    rows_products,
    rows_recurrent,
    rows_reductions,
    rows_scipy,
    rows_shapes,
    rows_special,
    rows_statistics,
    rows_ufuncs,
    rows_windows,
)
from .cases import Row

TABLE: list[Row] = [
    *rows_assignment.ROWS,
    *rows_creation.ROWS,
    *rows_fft.ROWS,
    *rows_images.ROWS,
    *rows_indexing.ROWS,
    *rows_joining.ROWS,
    *rows_layers.ROWS,
    *rows_linalg.ROWS,
    *rows_math.ROWS,
    *rows_moving.ROWS,
    *rows_nets.ROWS,
    *rows_products.ROWS,
    *rows_recurrent.ROWS,
    *rows_reductions.ROWS,
    *rows_scipy.ROWS,
    *rows_shapes.ROWS,
    *rows_special.ROWS,
    *rows_statistics.ROWS,
    *rows_ufuncs.ROWS,
    *rows_windows.ROWS,
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
    **dict.fromkeys(
        (np.copyto, np.fill_diagonal, np.place, np.put, np.put_along_axis, np.putmask),
        "writes into its argument: rows_assignment.py, tests/numpy/test_assignment.py",
    ),
    **dict.fromkeys(rows_special.COMPLEX, "of complex values: tests/scipy/test_special.py"),
    np.histogram2d: "as histogram",
    np.histogramdd: "as histogram",
    np.intersect1d: "values that move are no longer common: tests/numpy/test_statistics.py",
    np.setxor1d: "as intersect1d: tests/numpy/test_coverage.py",
    np.sort_complex: "complex values of real arguments: tests/numpy/test_coverage.py",
    **dict.fromkeys(
        (np.unique_all, np.unique_counts, np.unique_inverse),
        "named tuples with plain arrays in them: tests/numpy/test_coverage.py",
    ),
}
"""NumPy's functions that no row can name, since it could not call them as it stands."""

CLASSES_APART = {
    "Checkpoint": "stands for the function it is given: tests/autodiff",
    "CustomGradient": "stands for the function it is given: tests/autodiff",
    "StandIn": "stands for an argument of a transformation: tests/autodiff",
    "kelvin": "of complex values: tests/scipy/test_special.py",
}
"""Classes of functions that no row comes to."""

EXCLUDED = {
    "accuracy": "a count of right answers: piecewise constant, documented to have no gradient",
    "setup_methods": "gives Variable its methods",
}
"""Public callables of ``dezero.functions`` that are not differentiable functions."""

LOOPED = {
    **dict.fromkeys(
        (
            "set_item",
            "put",
            "place",
            "putmask",
            "put_along_axis",
            "copyto",
            "fill_diagonal",
            "piecewise",
        ),
        "writes into an array",
    ),
    **dict.fromkeys(
        (
            "array",
            "full",
            "asarray",
            "asanyarray",
            "ascontiguousarray",
            "asfortranarray",
            "require",
            "pad, constant",
            "pad, ramp",
        ),
        "makes an array of NumPy's own",
    ),
    **dict.fromkeys(
        (
            "scipy.expm",
            "scipy.sqrtm",
            "scipy.solve_sylvester",
            "scipy.solve_banded",
            "scipy.solve_triangular",
            "scipy.cho_solve",
            "sparse.matmul",
            "sparse.spsolve",
        ),
        "SciPy's, without a batching rule",
    ),
    **dict.fromkeys(
        (
            "binary_cross_entropy",
            "trim_zeros",
            "np.unique",
            "np.union1d",
            "np.setdiff1d",
            "np.unique_values",
            "np.histogram",
            "np.interp",
            "np.roots",
            "np.polymul",
            "np.polydiv",
            "np.average",
            "np.nansum",
            "np.nanprod",
            "np.nanmean",
            "np.nanvar",
            "np.nanstd",
            "np.nanmedian",
            "np.nanquantile",
            "np.nanpercentile",
            "np.real_if_close",
            "np.real_if_close of complex numbers",
            "np.sign of complex numbers",
        ),
        "looks at the values",
    ),
    "batch_norm": "moves running statistics, one example after the other",
    **dict.fromkeys(
        (
            "linalg.det",
            "linalg.lstsq",
            "np.std",
            "np.maximum.accumulate",
            "np.minimum.accumulate",
            "np.partition",
            "np.convolve",
            "np.correlate",
            "np.gradient",
            "np.unwrap",
            "np.cov",
            "np.poly",
        ),
        "composed of functions of which one has no batching rule",
    ),
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
