"""Every differentiable function goes through every check (check.py), and none is left out."""

from __future__ import annotations

import inspect
import sys

import pytest

import dezero.functions as F
from dezero.core import Elementwise, Function, Primitive, Variable, Variadic
from dezero.core.protocols import table as implementations

from . import check
from .cases import Case, Row
from .entries import ALIASES, CLASSES_APART, EXCLUDED, NUMPY_APART, TABLE

rows = pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)


def each(row: Row, checks) -> None:
    for case in row.samples():
        checks(row, case)


@rows
def test_value(row):
    each(row, check.check_value)


@rows
def test_first_derivative(row):
    each(row, check.check_first_derivative)


@pytest.mark.parametrize("row", [r for r in TABLE if r.orders > 1], ids=lambda row: row.name)
def test_second_derivative(row):
    each(row, lambda row, case: check.check_higher_derivative(row, case, 2))


@pytest.mark.parametrize("row", [r for r in TABLE if r.orders > 2], ids=lambda row: row.name)
def test_third_derivative(row):
    each(row, lambda row, case: check.check_higher_derivative(row, case, 3))


@rows
def test_recorded_pass(row):
    each(row, check.check_recorded_pass)


@rows
def test_raw_pass(row):
    each(row, check.check_raw_pass)


@rows
def test_float32(row):
    each(row, check.check_float32)


@rows
def test_memory_order(row):
    each(row, check.check_memory_order)


@rows
def test_constants(row):
    each(row, check.check_constants)


@pytest.mark.parametrize("row", [r for r in TABLE if r.labels], ids=lambda row: row.name)
def test_labels_as_variables(row):
    each(row, check.check_labels_as_variables)


@rows
def test_each_output(row):
    each(row, check.check_each_output)


@rows
def test_no_grad(row):
    each(row, check.check_no_grad)


@rows
def test_inputs_unwritten(row):
    each(row, check.check_inputs_unwritten)


@pytest.mark.parametrize(
    "row", [r for r in TABLE if not r.through_views], ids=lambda row: row.name
)
def test_written_inputs(row):
    each(row, check.check_written_inputs)


@rows
def test_repeated_backward(row):
    each(row, check.check_repeated_backward)


@pytest.mark.parametrize(
    ("row", "numpy_function"),
    [(row, f) for row in TABLE for f in row.numpy],
    ids=lambda x: x.name if isinstance(x, Row) else x.__name__,
)
def test_numpy_function(row, numpy_function):
    each(row, lambda row, case: check.check_numpy(row, numpy_function, case))


@pytest.mark.parametrize(
    ("row", "kink"),
    [(row, kink) for row in TABLE for kink in row.kinks],
    ids=lambda x: x.name if isinstance(x, Row) else repr(x.case),
)
def test_kink(row, kink):
    check.check_kink(row, kink)


def test_no_function_is_left_out():
    public = {
        name
        for name in dir(F)
        if not name.startswith("_") and inspect.isfunction(getattr(F, name))
    }
    names = {row.name for row in TABLE}
    assert public - names - set(ALIASES) - set(EXCLUDED) == set(), "add a row to tests/table"
    assert (set(ALIASES) | set(EXCLUDED)) <= public
    for alias, name in ALIASES.items():
        assert getattr(F, alias) is getattr(F, name)
        assert name in names


def test_no_numpy_function_is_left_out():
    public = {f for f in implementations if not getattr(f, "__module__", "").startswith("dezero")}
    covered = {f for row in TABLE for f in row.numpy}
    left_out = {f.__name__ for f in public - covered - set(NUMPY_APART)}
    assert left_out == set(), "name it in a row of tests/table"
    assert covered <= public


def test_no_class_is_left_out():
    used: set[type] = set()
    for row in TABLE:
        for case in row.samples()[:4]:
            used |= _classes(row, case)
    built_in = {
        value
        for name, module in list(sys.modules.items())
        if name.startswith("dezero.") and not name.startswith("dezero.core_simple")
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Function)
        and not value.__name__.startswith("_")
    }
    names = {cls.__name__ for cls in built_in - used - _BASES} - set(CLASSES_APART)
    assert names == set(), "no row of tests/table comes to these"


_BASES = {Function, Primitive, Variadic, Elementwise}


def _classes(row: Row, case: Case) -> set[type]:
    """Return the classes of all functions behind a case, its gradient and the gradient's."""
    xs = check.variables(case.leaves())
    ys = case.call(row.function, xs)
    found: set[type] = set()
    for _ in range(2):
        seeds = check.variables(check.randoms(row.rng(), [y.data for y in ys]))
        total = check.weighted(ys, seeds)
        total.backward(create_graph=True)
        found |= _behind(total)
        ys = [x.grad for x in xs if x.grad is not None]
        for x in xs:
            x.cleargrad()
        if not any(y.creator is not None for y in ys):
            break
    return found


def _behind(root: Variable) -> set[type]:
    found, seen, stack = set(), set(), [root.creator]
    while stack:
        function = stack.pop()
        if function is None or id(function) in seen:
            continue
        seen.add(id(function))
        found.add(type(function))
        stack += [x.creator for x in function.inputs]
    return found
