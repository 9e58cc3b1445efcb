"""Every row of the table goes through the transformations too, and none is left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dezero.autodiff.batching_rules import RULES
from dezero.core import Primitive, elementwise
from dezero.core.elementwise import unary

from . import check_transforms as check
from .cases import Case, Row, elementwise_cases, interval
from .entries import COMPLEX, LOOPED, OWN_DRAWS, TABLE

rows = pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
NAMES = {row.name for row in TABLE}


@rows
def test_forward(row):
    for case in row.samples():
        check.check_forward(row, case)


@rows
def test_adjointness(row):
    for case in row.samples():
        check.check_adjointness(row, case)


@pytest.mark.parametrize("row", [r for r in TABLE if r.orders > 1], ids=lambda row: row.name)
def test_second_order(row):
    for case in row.samples():
        check.check_second_order(row, case)


@rows
def test_forward_float32(row):
    for case in row.samples():
        check.check_forward_float32(row, case)


@pytest.mark.parametrize("row", [r for r in TABLE if r.name in COMPLEX], ids=lambda row: row.name)
def test_complex(row):
    for case in row.samples():
        check.check_complex(row, case)


@pytest.mark.parametrize(
    "row", [r for r in TABLE if r.name not in OWN_DRAWS], ids=lambda row: row.name
)
def test_vmap(row):
    cases = row.samples()
    with check.loops() as found:
        for case in cases[:: 1 + len(cases) // 12]:  # each is called for every input, in a loop
            check.check_vmap(row, case)
    if row.name in LOOPED:
        assert found, f"{row.name}: it has batching rules now, out of LOOPED in entries.py"
    else:
        assert found == set(), f"{row.name}: a batching rule, or a line in LOOPED of entries.py"


def test_the_lists_of_exceptions_name_rows():
    assert set(LOOPED) | set(OWN_DRAWS) | COMPLEX <= NAMES


class CalledLinear(Primitive):
    """A square that says it is linear."""

    _linear = True

    def forward(self, x: Any) -> Any:
        return x * x

    def gx(self, gy: Any, x: Any) -> Any:
        return gy * (2 * x)


class Affine(Primitive):
    """A line off the origin that says it is linear: the constant shows in tangents."""

    _linear = True

    def forward(self, x: Any) -> Any:
        return x + 1.0

    def gx(self, gy: Any) -> Any:
        return gy


class Conjugated(Primitive):
    """A gradient that is the conjugate of what it should be."""

    def forward(self, x: Any) -> Any:
        return x * (1 + 2j)

    def gx(self, gy: Any) -> Any:
        return gy * (1 - 2j)


Twice = elementwise("Twice", np.square, gx=lambda gy, x: gy * 4 * x)
Wide = elementwise("Wide", np.sin, gx=lambda gy, x: np.asarray(gy * np.cos(x), np.float64))


def row(call: Any, reference: Any, cases: Any = None) -> Row:
    cases = cases or elementwise_cases((0.5, 2.0))
    return Row("broken", reference, cases, call=call)


def matrices(rng: np.random.Generator) -> list[Case]:
    return [Case(interval(rng, -1, 1, (3, 4)))]


@pytest.mark.parametrize(
    ("broken", "checks"),
    [
        (row(lambda x: CalledLinear()(x), np.square), check.check_forward),
        (row(lambda x: CalledLinear()(x), np.square), check.check_adjointness),
        (row(lambda x: Affine()(x), lambda x: x + 1.0), check.check_forward),
        (row(lambda x: unary(Twice, x), np.square), check.check_forward),
        (row(lambda x: Conjugated()(x), lambda x: x * (1 + 2j)), check.check_complex),
        (row(lambda x: np.flip(x, 0) * 1.0, np.flip, matrices), check.check_vmap),
    ],
)
def test_a_broken_function_is_caught(broken, checks, monkeypatch):
    monkeypatch.setitem(RULES, np.flip, lambda batch, x, axis: batch.of(np.flip(x.value, 0)))
    with pytest.raises(AssertionError):
        for case in broken.samples():
            checks(broken, case)
