"""Rows: NumPy's statistics, sorting, calculus, histograms and polynomials."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dezero.core.protocols import table as implementations

from .cases import Case, Fixed, Kink, Row, interval
from .rows_reductions import Cases, drawn, nan_ranked, ranked, row

METHODS = [
    "inverted_cdf",
    "averaged_inverted_cdf",
    "closest_observation",
    "interpolated_inverted_cdf",
    "hazen",
    "weibull",
    "linear",
    "median_unbiased",
    "normal_unbiased",
    "lower",
    "higher",
    "midpoint",
    "nearest",
]


def quantiles(draw: Any, top: float) -> Cases:
    def cases(rng: np.random.Generator) -> Iterator[Case]:
        for method in METHODS:
            q = Fixed(np.array([0.0, 0.3, 0.5, 0.9, 1.0]) * top)
            yield Case(draw(rng, (2, 5)), q, axis=1, method=method)
        yield Case(draw(rng, (2, 3, 4)), 0.35 * top)
        yield Case(draw(rng, (2, 3, 4)), 0.35 * top, axis=(0, -1), keepdims=True)
        yield Case(draw(rng, (2, 3, 4)), Fixed(np.array([[0.1], [0.7]]) * top), -2)
        yield Case(draw(rng, 4), 0)
        yield Case(draw(rng, 1), 0.5 * top, axis=0)

    return cases


def medians(draw: Any) -> Cases:
    def cases(rng: np.random.Generator) -> Iterator[Case]:
        for kwargs in [{}, {"axis": 0}, {"axis": (2, 0)}, {"axis": -1, "keepdims": True}]:
            yield Case(draw(rng, (2, 3, 4)), **kwargs)
        yield Case(draw(rng, 5))

    return cases


def sorts(rng: np.random.Generator) -> Iterator[Case]:
    for kwargs in [{}, {"axis": 0}, {"axis": None}, {"axis": 1, "kind": "stable"}]:
        yield Case(ranked(rng, (2, 3, 4)), **kwargs)
    yield Case(ranked(rng, 4), stable=True)
    yield Case(ranked(rng, (0, 3)))


def partitions(rng: np.random.Generator) -> Iterator[Case]:
    yield Case(ranked(rng, 3), [0, 1, 2])
    yield Case(ranked(rng, (3, 4)), [0, 1, 2], axis=0)
    yield Case(ranked(rng, (2, 2)), range(4), axis=None)


def differents(rng: np.random.Generator) -> Iterator[Case]:
    yield Case(ranked(rng, (2, 3)))
    yield Case(ranked(rng, (3, 2)), axis=0)
    yield Case(ranked(rng, (3, 2)), axis=1)


def differents_flat(rng: np.random.Generator) -> Iterator[Case]:
    yield Case(ranked(rng, (2, 3)))


def two_sets(rng: np.random.Generator) -> Iterator[Case]:
    yield Case(ranked(rng, (2, 3)), ranked(rng, 4) + 0.05)


def different_values(rng: np.random.Generator) -> Iterator[Case]:
    yield Case(ranked(rng, (2, 3)), Fixed(np.array([-0.45, 9.0]) + 3))


def histograms(rng: np.random.Generator) -> Iterator[Case]:
    for k in [{}, {"bins": 3, "density": True}, {"bins": [2, 3]}, {"bins": [0.0, 0.5, 0.7, 1]}]:
        x, y = (Fixed(interval(rng, 0, 1, 6)) for _ in range(2))
        yield Case(x, y, weights=interval(rng, 0.5, 1.5, 6), **k)


def vectors(rng: np.random.Generator) -> Iterator[Case]:
    for mode in ("full", "same", "valid"):
        for m, n in [(5, 3), (2, 4), (3, 3), (1, 1), (6, 1)]:
            yield Case(drawn(rng, m), drawn(rng, n), mode)
    yield Case(drawn(rng, 3), drawn(rng, 2))


def vectors_and_numbers(rng: np.random.Generator) -> Iterator[Case]:
    yield from vectors(rng)
    yield Case(drawn(rng, ()), drawn(rng, 2))


def differences(rng: np.random.Generator) -> Iterator[Case]:
    for kwargs in [
        {},
        {"n": 2},
        {"axis": 0},
        {"n": 2, "axis": 1, "prepend": 1.0, "append": 0},
        {"n": 5},
    ]:
        yield Case(drawn(rng, (2, 3, 4)), **kwargs)
    yield Case(drawn(rng, (2, 3)), prepend=drawn(rng, (2, 2)), append=drawn(rng, ()))


def flat_differences(rng: np.random.Generator) -> Iterator[Case]:
    yield Case(drawn(rng, (2, 3)))
    yield Case(drawn(rng, 3), drawn(rng, 2), drawn(rng, ()))
    yield Case(drawn(rng, 3), to_begin=drawn(rng, (1, 2)))


def climbing(rng: np.random.Generator, size: int) -> np.ndarray:
    return np.cumsum(interval(rng, 0.5, 1.5, size))


def slopes(rng: np.random.Generator) -> Iterator[Case]:
    for order in (1, 2):
        yield Case(drawn(rng, 5), edge_order=order)
        yield Case(drawn(rng, (3, 4)), edge_order=order)
        yield Case(drawn(rng, (3, 4)), interval(rng, 0.5, 1.5, ()), edge_order=order)
        yield Case(drawn(rng, (3, 4)), 0.5, climbing(rng, 4), edge_order=order)
        yield Case(drawn(rng, (3, 4)), climbing(rng, 3), axis=0, edge_order=order)
    yield Case(drawn(rng, (3, 4)), 2.0, 0.5, axis=(1, 0))
    yield Case(drawn(rng, (2, 2)))


def areas(rng: np.random.Generator) -> Iterator[Case]:
    for kwargs in [{}, {"axis": 0}, {"dx": 0.5}]:
        yield Case(drawn(rng, (3, 4)), **kwargs)
    yield Case(drawn(rng, (3, 4)), climbing(rng, 4))
    yield Case(drawn(rng, (3, 4)), climbing(rng, 3), axis=0)
    yield Case(drawn(rng, (3, 4)), drawn(rng, (3, 4)), axis=0)
    yield Case(drawn(rng, 1))


def lines(rng: np.random.Generator) -> Iterator[Case]:
    xp = np.array([0.0, 1.0, 1.5, 3.0])
    x = np.array([0.3, 2.0, -0.5, 1.2, 3.5, 0.7])
    yield Case(x, xp, drawn(rng, 4))
    yield Case(x.reshape(2, 3), xp, drawn(rng, 4), left=-1.0, right=drawn(rng, ()))
    yield Case(np.asarray(1.2), xp, drawn(rng, 4))
    yield Case(x, np.array([0.2, 4.6, 1.0, -1.0]), drawn(rng, 4), period=4.0)
    yield Case(x, np.array([1.0]), drawn(rng, 1))


def phases(rng: np.random.Generator) -> Iterator[Case]:
    yield Case(interval(rng, 1, 20, (2, 5)))
    yield Case(interval(rng, 1, 20, (2, 5)), axis=0)
    yield Case(interval(rng, 1, 20, 6), period=3.0)
    yield Case(interval(rng, 1, 20, 6), 4.0)


def observations(rng: np.random.Generator) -> Iterator[Case]:
    times = np.array([1, 2, 1, 3, 1])
    weights = interval(rng, 0.5, 1.5, 5)
    for kwargs in [
        {},
        {"bias": True},
        {"ddof": 2},
        {"fweights": times},
        {"aweights": weights},
        {"aweights": weights, "fweights": times, "ddof": 0},
        {"y": drawn(rng, (2, 5))},
        {"y": drawn(rng, 5), "aweights": Fixed(weights), "bias": True},
    ]:
        yield Case(drawn(rng, (3, 5)), **kwargs)
    yield Case(drawn(rng, (4, 2)), rowvar=False)
    yield Case(drawn(rng, 5))


def correlated(rng: np.random.Generator) -> Iterator[Case]:
    yield Case(drawn(rng, (3, 5)))
    yield Case(drawn(rng, (5, 2)), rowvar=False)
    yield Case(drawn(rng, 5), drawn(rng, 5))


def counts(rng: np.random.Generator) -> Iterator[Case]:
    yield Case(np.array([1, 0, 1, 4]), drawn(rng, 4))
    yield Case(np.array([1, 0, 1, 4]), drawn(rng, 4), 7)


def coefficients(*calls: tuple[Any, ...]) -> Cases:
    def cases(rng: np.random.Generator) -> Iterator[Case]:
        for size, *rest in calls:
            yield Case(drawn(rng, size), *rest)

    return cases


def pairs(rng: np.random.Generator) -> Iterator[Case]:
    for m, n in [(3, 3), (4, 2), (1, 3)]:
        yield Case(drawn(rng, m), drawn(rng, n))
    yield Case(drawn(rng, ()), drawn(rng, 2))


def values(rng: np.random.Generator) -> Iterator[Case]:
    yield Case(drawn(rng, 4), drawn(rng, (2, 3)))
    yield Case([2, 0.5, 1], drawn(rng, ()))
    yield Case(drawn(rng, 1), drawn(rng, 3))
    yield Case(drawn(rng, 3), Fixed(drawn(rng, 3)))


def quotients(rng: np.random.Generator) -> Iterator[Case]:
    for m, n in [(4, 2), (3, 3), (3, 1), (5, 3)]:
        yield Case(drawn(rng, m), drawn(rng, n))


def fits(rng: np.random.Generator) -> Iterator[Case]:
    for deg in (1, 2, 3):
        yield Case(climbing(rng, 6) - 3, drawn(rng, 6), deg)
    yield Case(Fixed(climbing(rng, 6) - 3), drawn(rng, 6), 0)
    yield Case(climbing(rng, 6) - 3, drawn(rng, (6, 2)), 2)
    yield Case(climbing(rng, 4) - 2, drawn(rng, 4), 1, w=interval(rng, 0.5, 1.5, 4))
    yield Case(climbing(rng, 3), Fixed(drawn(rng, 3)), 2)


def with_known_roots(rng: np.random.Generator) -> Iterator[Case]:
    yield Case(np.poly([1.0, -0.5, 2.0]) * 1.5)
    yield Case(drawn(rng, 2))


def products(v: Any, scale: float = 1.0) -> Any:
    return np.multiply.outer(v, scale * v)[:2]


def slices(rng: np.random.Generator) -> Iterator[Case]:
    for axis in (0, 1, -1):
        yield Case(products, axis, drawn(rng, (2, 3, 2)))
        yield Case(np.sum, axis, drawn(rng, (2, 3, 2)))
    yield Case(products, 0, drawn(rng, 3), scale=2.0)


def axes(rng: np.random.Generator) -> Iterator[Case]:
    yield Case(np.sum, drawn(rng, (2, 3, 4)), [0, -1])
    yield Case(np.cumsum, drawn(rng, (2, 3)), 1)


TIED = np.array([3.0, 1.0, 3.0, 2.0])

ROWS = [
    row(np.median, medians(ranked)),
    row(np.nanmedian, medians(nan_ranked)),
    row(np.quantile, quantiles(ranked, 1.0)),
    row(np.percentile, quantiles(ranked, 100.0)),
    row(np.nanquantile, quantiles(nan_ranked, 1.0)),
    row(np.nanpercentile, quantiles(nan_ranked, 100.0)),
    row(
        np.sort,
        sorts,
        kinks=(Kink(Case(TIED, kind="stable"), [1.0, 2.0, 3.0, 4.0], ([3.0, 1.0, 4.0, 2.0],)),),
    ),
    row(np.partition, partitions),
    row(np.unique, differents, kinks=(Kink(Case(TIED), [1.0, 2.0, 3.0], ([3, 1, 0, 2],)),)),
    row(np.convolve, vectors_and_numbers),
    row(np.correlate, vectors),
    row(np.diff, differences),
    row(np.ediff1d, flat_differences),
    row(np.gradient, slopes),
    row(np.trapezoid, areas),
    row(np.interp, lines),
    row(np.unwrap, phases),
    row(np.cov, observations),
    row(np.corrcoef, correlated),
    row(np.bincount, counts),
    Row(
        "np.histogram",
        lambda a, **kwargs: np.histogram(a, **kwargs)[0],
        lambda rng: (
            Case(Fixed(interval(rng, -2, 2, (3, 4))), weights=interval(rng, 0.5, 1.5, (3, 4)), **k)
            for k in [{}, {"bins": 4, "range": (-1, 1)}, {"bins": [-2, 0, 1], "density": True}]
        ),
        call=lambda a, **kwargs: implementations[np.histogram](a, **kwargs)[0],
    ),
    Row(
        "np.histogram2d",
        lambda *args, **kwargs: np.histogram2d(*args, **kwargs)[0],
        histograms,
        call=lambda *args, **kwargs: implementations[np.histogram2d](*args, **kwargs)[0],
    ),
    Row(
        "np.histogramdd",
        lambda x, **kwargs: np.histogramdd(x, 2, **kwargs)[0],
        lambda rng: (
            Case(Fixed(interval(rng, 0, 1, (5, 3))), weights=interval(rng, 0.5, 1.5, 5), **k)
            for k in [{}, {"density": True}, {"range": [(0, 1), (0.2, 0.7), (0, 1)]}]
        ),
        call=lambda x, **kwargs: implementations[np.histogramdd](x, 2, **kwargs)[0],
    ),
    row(np.union1d, two_sets),
    row(np.setdiff1d, different_values),
    *(row(f, differents_flat) for f in [getattr(np, "unique_values", None)] if f is not None),
    row(np.polyval, values, orders=3),
    row(np.polyder, coefficients((4,), (4, 2), (3, 0), (2, 2))),
    row(np.polyint, coefficients((3,), (3, 2), (3, 0), (2, 2, [1.0, 2.0]), (2, 2, 1.5))),
    row(np.polyadd, pairs),
    row(np.polysub, pairs),
    row(np.polymul, pairs),
    row(np.polydiv, quotients),
    row(np.polyfit, fits),
    row(np.poly, coefficients((3,), (1,))),
    row(np.roots, with_known_roots, tolerance=1e-5, float32=1e-4),
    row(np.apply_along_axis, slices),
    row(np.apply_over_axes, axes),
]
