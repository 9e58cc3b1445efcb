"""detect_anomaly finds nothing wrong in any function of the table, at finite inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dezero import detect_anomaly

from .check import randoms, variables, weighted
from .entries import TABLE


@pytest.mark.parametrize("row", [r for r in TABLE if ".nan" not in r.name], ids=lambda r: r.name)
def test_functions_on_finite_inputs(row: Any) -> None:
    rng = row.rng()
    for i, case in enumerate(row.cases(rng)):
        leaves = case.leaves()
        if i > 2 or any(np.isnan(x).any() for x in leaves):
            continue
        with detect_anomaly(broadcast=None):
            xs = variables(leaves)
            ys = case.call(row.function, xs)
            recorded = i == 0 and row.orders > 1
            weighted(ys, randoms(rng, ys)).backward(create_graph=recorded)
            if recorded:
                differentiate_again(xs, rng)


def differentiate_again(xs: list[Any], rng: np.random.Generator) -> None:
    gradients = [x.grad for x in xs if x.grad is not None and x.grad.creator is not None]
    for x in xs:
        x.cleargrad()
    if gradients:
        scalar = weighted(gradients, randoms(rng, gradients))
        if scalar.creator is not None:
            scalar.backward()
