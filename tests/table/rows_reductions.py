"""Rows: NumPy's reductions, with all their arguments, and its running sums and products."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from dezero.core.protocols import table as implementations
from dezero.core.protocols import ufunc_methods

from .cases import Case, Fixed, Kink, Row, interval

Cases = Callable[[np.random.Generator], Iterator[Case]]


def row(function: Any, cases: Cases, **options: Any) -> Row:
    """Return the row of what stands for a function of NumPy's."""
    return Row(
        f"np.{function.__name__}",
        function,
        cases,
        call=implementations[function],
        numpy=(function,),
        **options,
    )


def method_row(ufunc: Any, method: str, cases: Cases) -> Row:
    """Return the row of a method of a ufunc's."""
    standing = ufunc_methods[ufunc, method]
    function = implementations.get(standing, standing)

    def call(a: Any, *args: Any, axis: Any = 0, **kwargs: Any) -> Any:
        return function(a, *args, axis=axis, **kwargs)

    reference = getattr(ufunc, method)
    return Row(f"np.{ufunc.__name__}.{method}", reference, cases, call=call)


def ranked(rng: np.random.Generator, shape: Any) -> np.ndarray:
    """Return different numbers, none near another."""
    count = int(np.prod(shape))
    return np.asarray(rng.permutation(count).reshape(shape) * 0.1 - 0.45)


def with_holes(x: np.ndarray) -> np.ndarray:
    """Return ``x`` with some elements that are no numbers."""
    x = x.copy()
    x.reshape(-1)[1::9] = np.nan
    return x


def drawn(rng: np.random.Generator, shape: Any) -> np.ndarray:
    return np.asarray(interval(rng, 0.5, 2.0, shape) * rng.choice([-1.0, 1.0], shape))


def reductions(draw: Any = drawn, *more: dict[str, Any]) -> Cases:
    """Return cases over axes, then with more arguments."""

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        for kwargs in [
            {},
            {"axis": 0},
            {"axis": -1, "keepdims": True},
            {"axis": (0, 2)},
            {"axis": (-1, 1), "keepdims": True},
            {"keepdims": True},
            *more,
        ]:
            yield Case(draw(rng, (2, 3, 4)), **kwargs)
        yield Case(draw(rng, (3,)), axis=0)
        if draw is not nan_drawn and draw is not nan_ranked:
            yield Case(draw(rng, ()))
            yield Case(draw(rng, (0, 3)), axis=1)

    return cases


def nan_drawn(rng: np.random.Generator, shape: Any) -> np.ndarray:
    return with_holes(drawn(rng, shape))


def nan_ranked(rng: np.random.Generator, shape: Any) -> np.ndarray:
    return with_holes(ranked(rng, shape))


MASK = np.array([[True, False, True, True], [False, True, True, False], [True] * 4])
MASKED = {"axis": -1, "where": MASK}
BROADCAST = {"axis": (0, 1), "where": MASK[:, :1], "keepdims": True}


def zeros(rng: np.random.Generator) -> Iterator[Case]:
    """Yield factors of which none, one, two or all are 0."""
    yield from reductions(drawn, {"initial": 2.0}, {**MASKED, "initial": 0.5}, BROADCAST)(rng)
    for where in [[0], [3], [1, 2], [0, 1, 2, 3]]:
        x = drawn(rng, 4)
        x[where] = 0.0
        yield Case(x)
    yield Case(drawn(rng, (3, 0)), axis=1)
    yield Case(drawn(rng, (2, 1)), axis=1)


def running(rng: np.random.Generator) -> Iterator[Case]:
    for kwargs in [{}, {"axis": 0}, {"axis": 1}, {"axis": -1}]:
        yield Case(drawn(rng, (2, 3, 5)), **kwargs)
    yield Case(drawn(rng, ()))
    yield Case(drawn(rng, 1), axis=0)
    yield Case(drawn(rng, (2, 0)), axis=1)
    yield Case(drawn(rng, (2, 0)), axis=0)


def running_zeros(rng: np.random.Generator) -> Iterator[Case]:
    yield from running(rng)
    for where in [[0], [6], [2, 4], [0, 3, 6], range(7)]:
        x = drawn(rng, 7)
        x[list(where)] = 0.0
        yield Case(x)


def running_nan(rng: np.random.Generator) -> Iterator[Case]:
    for kwargs in [{}, {"axis": 0}, {"axis": -1}]:
        yield Case(nan_drawn(rng, (3, 4)), **kwargs)


def running_initial(rng: np.random.Generator) -> Iterator[Case]:
    yield Case(drawn(rng, 4))
    yield Case(drawn(rng, 4), include_initial=True)
    yield Case(drawn(rng, (3, 4)), axis=0)
    yield Case(drawn(rng, (3, 4)), axis=-1, include_initial=True)


def records(rng: np.random.Generator) -> Iterator[Case]:
    for kwargs in [{}, {"axis": 1}, {"axis": -1}]:
        yield Case(ranked(rng, (4, 3, 5)), **kwargs)
    yield Case(ranked(rng, 1))
    yield Case(ranked(rng, (2, 0)), axis=1)


def parts(rng: np.random.Generator) -> Iterator[Case]:
    yield Case(drawn(rng, 6), [0, 2, 5])
    yield Case(drawn(rng, 6), [3, 1, 1, 4])
    yield Case(drawn(rng, (3, 5)), [1, 0], axis=0)
    yield Case(drawn(rng, (3, 5)), np.array([0, 3]), axis=-1)


def weighted(rng: np.random.Generator) -> Iterator[Case]:
    shape = (2, 3, 4)
    for kwargs in [{}, {"axis": 1}, {"axis": (-1, 0), "keepdims": True}]:
        yield Case(drawn(rng, shape), weights=interval(rng, 0.5, 1.5, shape), **kwargs)
        yield Case(drawn(rng, shape), weights=Fixed(interval(rng, 0.5, 1.5, shape)), **kwargs)
    yield Case(drawn(rng, shape), -1, interval(rng, 0.5, 1.5, 4))
    yield Case(drawn(rng, shape), 0, interval(rng, 0.5, 1.5, 2), keepdims=True)
    yield Case(drawn(rng, shape), (2, 0), interval(rng, 0.5, 1.5, (4, 2)))
    yield Case(drawn(rng, shape), (0, 2), interval(rng, 0.5, 1.5, (2, 4)))
    yield Case(drawn(rng, 3), None, interval(rng, 0.5, 1.5, 3), True)
    yield Case(Fixed(drawn(rng, 3)), weights=interval(rng, 0.5, 1.5, 3))
    yield Case(Fixed(drawn(rng, 3)), weights=interval(rng, 0.5, 1.5, 3), returned=False)


def about_means(rng: np.random.Generator) -> Iterator[Case]:
    """Yield cases with a mean that is given."""
    yield Case(drawn(rng, (3, 4)), axis=1, mean=interval(rng, -1, 1, (3, 1)))
    yield Case(drawn(rng, (3, 4)), axis=1, mean=Fixed(interval(rng, -1, 1, (3, 1))), ddof=1)


def spreads(draw: Any = drawn) -> Cases:
    def cases(rng: np.random.Generator) -> Iterator[Case]:
        common = [
            {"axis": 1, "ddof": 1},
            {"axis": 2, "correction": 1},
            {"axis": 2, "ddof": 0.5},
        ]
        masks = [{"axis": (0, 2), "where": MASK}, {"axis": (0, 1), "where": MASK, "ddof": 1}]
        for case in reductions(draw, *common, *masks)(rng):
            if case.args[0].size > 1:
                yield case

    return cases


def with_means(cases: Cases) -> Cases:
    def more(rng: np.random.Generator) -> Iterator[Case]:
        yield from cases(rng)
        yield from about_means(rng)

    return more


INITIAL = {"axis": 1, "initial": 0.0}
CHOSEN = {"axis": 0, "where": MASK, "initial": -0.07}

ROWS = [
    row(
        np.sum,
        reductions(drawn, {"initial": 2.0}, MASKED, BROADCAST),
    ),
    row(np.prod, zeros, orders=3),
    row(np.mean, reductions(drawn, MASKED, BROADCAST)),
    row(np.average, weighted),
    row(np.var, with_means(spreads())),
    row(
        np.std,
        with_means(spreads()),
        kinks=(Kink(Case(np.full((2, 3), 1.5), axis=1), [1.0, 2.0], (np.zeros((2, 3)),)),),
    ),
    row(np.max, reductions(ranked, INITIAL, CHOSEN, {"axis": 0, "where": MASK, "initial": -9.0})),
    row(np.min, reductions(ranked, INITIAL, CHOSEN, {"axis": 0, "where": MASK, "initial": 9.0})),
    row(
        np.ptp,
        reductions(ranked),
        kinks=(Kink(Case(np.array([0.0, 2.0, 2.0])), 4.0, ([-4.0, 2.0, 2.0],)),),
    ),
    row(np.nansum, reductions(nan_drawn, {"initial": 2.0}, MASKED, BROADCAST)),
    row(np.nanprod, reductions(nan_drawn, {"initial": 2.0}, MASKED, BROADCAST)),
    row(np.nanmean, reductions(nan_drawn, {"axis": (0, 2), "where": MASK})),
    row(np.nanvar, spreads(nan_drawn)),
    row(np.nanstd, spreads(nan_drawn)),
    row(np.nanmax, reductions(nan_ranked, INITIAL, CHOSEN)),
    row(np.nanmin, reductions(nan_ranked, INITIAL, CHOSEN)),
    row(np.cumsum, running, orders=3),
    row(np.cumprod, running_zeros, orders=3),
    row(np.nancumsum, running_nan),
    row(np.nancumprod, running_nan),
    *(
        row(function, running_initial)
        for name in ("cumulative_sum", "cumulative_prod")
        if (function := getattr(np, name, None)) is not None
    ),
    method_row(np.add, "reduce", reductions()),
    method_row(np.multiply, "reduce", reductions()),
    method_row(np.maximum, "reduce", reductions(ranked)),
    method_row(np.minimum, "reduce", reductions(ranked)),
    method_row(np.logaddexp, "reduce", reductions()),
    method_row(np.add, "accumulate", records),
    method_row(np.multiply, "accumulate", records),
    method_row(np.maximum, "accumulate", records),
    method_row(np.minimum, "accumulate", records),
    method_row(np.add, "reduceat", parts),
]
