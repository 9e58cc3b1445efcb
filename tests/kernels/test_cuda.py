"""Arrays that are not NumPy's: every function on a stand-in for CuPy, kernels on a device."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose

from dezero import Variable, cuda
from dezero.kernels import table
from tests.table.cases import Fixed, Row
from tests.table.check import randoms, weighted
from tests.table.entries import TABLE

from . import standin

rows = pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)


@pytest.fixture
def cupy(monkeypatch):
    """A stand-in for CuPy, which the package finds in its place."""
    yield standin.install(monkeypatch)
    for name in [name for name in sys.modules if name.startswith("dezero.kernels.cuda")]:
        monkeypatch.delitem(sys.modules, name)
    table._load.cache_clear()


def moved(tree, module):
    """Return an argument with its arrays on the device: all but those that become Variables."""
    if isinstance(tree, Fixed):
        return moved(tree.value, module)
    if isinstance(tree, np.ndarray):
        return module.array(tree)
    if type(tree) in (tuple, list):
        return type(tree)(moved(item, module) for item in tree)
    return tree


def results(row: Row, case, module, create_graph: bool):
    """Return outputs and gradients of a case on arrays of a module, as NumPy arrays."""
    leaves = case.leaves()
    seeds = randoms(row.rng(), case.call(row.reference, leaves))
    xs = [Variable(module.array(x)) for x in leaves]

    def function(*args, **kwargs):
        args = [moved(a, module) for a in args]
        return row.function(*args, **{key: moved(a, module) for key, a in kwargs.items()})

    ys = case.call(function, xs)
    for y in ys:
        assert type(y.data) is module.ndarray, f"{row.name}{case} gave {type(y.data)}"
    weighted(ys, [module.array(s) for s in seeds]).backward(create_graph=create_graph)
    for x in xs:
        assert x.grad is not None
        assert type(x.grad.data) is module.ndarray, f"{row.name}{case}: a gradient on the CPU"
    return [cuda.as_numpy(v) for v in (*ys, *(x.grad for x in xs))]


@rows
def test_no_function_mixes_in_numpy_arrays(row, cupy, monkeypatch):
    """Every function gives the same on arrays of another module, forward and backward."""
    monkeypatch.setattr(table, "_module_for", lambda x, row: None)
    for case in row.samples():
        for create_graph in (False, True):
            expected = results(row, case, np, create_graph)
            got = results(row, case, cupy, create_graph)
            for a, b in zip(got, expected, strict=True):
                assert a.dtype == b.dtype
                assert_allclose(a, b, rtol=1e-9, atol=1e-12, err_msg=f"{row.name}{case}")
