"""Rows: shapes, indexing, reductions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import dezero.functions as F

from .cases import Case, Kink, Row, interval


def cases(*calls: Any) -> Callable[[np.random.Generator], Iterator[Case]]:
    """Return cases: of each call the first item is the shape of the array, the rest arguments."""

    def draw(rng: np.random.Generator) -> Iterator[Case]:
        for shape, *rest in calls:
            kwargs = rest.pop() if rest and type(rest[-1]) is dict else {}
            yield Case(interval(rng, -2, 2, shape), *rest, **kwargs)

    return draw


def sequences(*calls: Any) -> Callable[[np.random.Generator], Iterator[Case]]:
    """Return cases of a function of a sequence of arrays: shapes first, then arguments."""

    def draw(rng: np.random.Generator) -> Iterator[Case]:
        for shapes, *rest in calls:
            yield Case([interval(rng, -2, 2, shape) for shape in shapes], *rest)

    return draw


def distinct(rng: np.random.Generator) -> Iterator[Case]:
    """Return cases without ties."""
    for case in reduced(rng):
        (x,) = case.args
        ranks = rng.permutation(x.size).reshape(x.shape)
        yield Case(np.asarray(ranks * 0.1 - 0.5), **case.kwargs)


def reduced(rng: np.random.Generator) -> Iterator[Case]:
    for kwargs in [
        {},
        {"axis": 0},
        {"axis": -1, "keepdims": True},
        {"axis": (0, 2)},
        {"axis": (-1, 1), "keepdims": True},
        {"keepdims": True},
    ]:
        yield Case(interval(rng, -2, 2, (2, 3, 4)), **kwargs)
    yield Case(interval(rng, -2, 2, ()))
    yield Case(interval(rng, -2, 2, (3,)), axis=0)
    yield Case(interval(rng, -2, 2, (1, 1)), axis=1)
    yield Case(interval(rng, -2, 2, (0, 3)), axis=1)


def averaged(rng: np.random.Generator) -> Iterator[Case]:
    return (case for case in reduced(rng) if case.args[0].size)  # np.average divides by the size


def summed(rng: np.random.Generator) -> Iterator[Case]:
    yield from reduced(rng)
    yield Case(interval(rng, -2, 2, (0, 3)))
    yield Case(interval(rng, -2, 2, (0, 3)), axis=0)
    yield Case(interval(rng, -2, 2, (2, 3)), axis=())
    yield Case(interval(rng, -2, 2, ()), keepdims=True)
    yield Case(interval(rng, -2, 2, (2, 3)), 1)


def variances(rng: np.random.Generator) -> Iterator[Case]:
    yield from reduced(rng)
    yield Case(interval(rng, -2, 2, (2, 3, 4)), ddof=1)
    yield Case(interval(rng, -2, 2, (3, 4)), axis=1, keepdims=True, ddof=1)


def sum_to(x, shape):
    lead = x.ndim - len(shape)
    x = x.sum(axis=tuple(range(lead)))
    return x.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True)


def scatter(values, index, shape):
    result = np.zeros(shape, values.dtype)
    np.add.at(result, index, values)
    return result


INDICES: list[tuple[tuple[int, ...], Any]] = [
    ((3, 4), 1),
    ((3, 4), -1),
    ((3, 4), slice(1, None)),
    ((3, 4), (slice(None, None, -2), 2)),
    ((3, 4), (1, 2)),
    ((3, 4), ...),
    ((3, 4), None),
    ((2, 3, 4), (..., None, 1)),
    ((2, 3, 4), (0, ..., slice(0, 3, 2))),
    ((3, 4), np.array([0, 2, 2, -1])),
    ((3, 4), np.array([[0, 1], [1, 1]])),
    ((3, 4), (np.array([0, 2, 0]), np.array([1, 1, 1]))),
    ((3, 4), (slice(None), np.array([0, 3, 0, 0]))),
    ((3, 4), (np.array([2, 2, 0]), slice(0, 2))),
    ((3, 4), (np.array([[0], [2]]), np.array([1, 1, 3]))),
    ((3, 4), (0, np.array([1, 1]))),
    ((4,), np.array([True, False, True, True])),
    ((3, 4), np.array([True, False, True])),
    ((2, 2), np.array([[True, False], [True, True]])),
    ((3, 2), (np.array([True, False, True]), 1)),
    ((3, 4), (np.array([True, False, True]), np.array([1, 1]))),
    ((3, 4), np.array([], int)),
    ((3, 4), np.int64(2)),
    ((3, 4), np.array(2)),
    ((3, 4), np.array([2, 0], np.uint8)),
    ((5,), slice(5, 2)),
    ((0, 3), slice(None)),
    ((3, 4), ()),
]


def picks(rng: np.random.Generator) -> Iterator[Case]:
    for shape, index in INDICES:
        yield Case(interval(rng, -2, 2, shape), index)


def picks_of_lists(rng: np.random.Generator) -> Iterator[Case]:
    for index in [[0, 0, 2], ([0, 1, 0], [1, 1, 1]), [True, False, True], (slice(None), [2, 2])]:
        yield Case(interval(rng, -2, 2, (3, 4)), index)


def scatters(rng: np.random.Generator) -> Iterator[Case]:
    for shape, index in INDICES:
        yield Case(interval(rng, -2, 2, np.zeros(shape)[index].shape), index, shape)


def lookups(rng: np.random.Generator) -> Iterator[Case]:
    for ids in [np.array([1, 0, 1, 3]), np.array([[2, 2], [0, 2]]), np.array(1), np.zeros(0, int)]:
        yield Case(ids, interval(rng, -2, 2, (4, 3)))
    yield Case(np.array([1, 1], np.int32), interval(rng, -2, 2, (2, 5)))


def casts(rng: np.random.Generator) -> Iterator[Case]:
    for shape in [(2, 3), (), (0, 2)]:
        yield Case(interval(rng, -2, 2, shape), np.longdouble)


TIES = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])

ROWS = [
    Row(
        "reshape",
        np.reshape,
        cases(
            ((2, 6), (3, 4)),
            ((2, 6), -1),
            ((2, 3), (-1, 2)),
            ((), (1, 1)),
            ((1,), ()),
            ((0, 3), (3, 0)),
            ((2, 3), (2, 3)),
        ),
        numpy=(np.reshape,),
    ),
    Row(
        "reshape, ravel",
        np.ravel,
        cases(((2, 3),), ((),), ((0, 2),)),
        call=lambda x: F.reshape(x, -1),
        numpy=(np.ravel,),
    ),
    Row(
        "transpose",
        np.transpose,
        cases(
            ((2, 3),),
            ((2, 3, 4),),
            ((2, 3, 4), (1, 2, 0)),
            ((2, 3, 4), (0, -1, 1)),
            ((3,),),
            ((),),
            ((0, 2),),
        ),
        numpy=(np.transpose,),
    ),
    Row(
        "swapaxes",
        np.swapaxes,
        cases(((2, 3, 4), 0, 1), ((2, 3, 4), -1, 0), ((2, 3), 1, 1)),
        numpy=(np.swapaxes,),
    ),
    Row(
        "moveaxis",
        np.moveaxis,
        cases(((2, 3, 4), 0, -1), ((2, 3, 4), -1, 0), ((2, 3, 4), 1, 2), ((2, 3, 4, 5), 3, 1)),
        numpy=(np.moveaxis,),
    ),
    Row(
        "broadcast_to",
        np.broadcast_to,
        cases(
            ((3,), (2, 3)),
            ((2, 1), (2, 3)),
            ((), (2, 2)),
            ((1, 3), (4, 2, 3)),
            ((1,), (0,)),
            ((), 3),
            ((2,), (2,)),
        ),
        numpy=(np.broadcast_to,),
    ),
    Row(
        "sum_to",
        sum_to,
        cases(
            ((2, 3), (1, 3)),
            ((2, 3), (3,)),
            ((2, 3), ()),
            ((4, 2, 3), (2, 1)),
            ((0, 3), (3,)),
            ((2,), (2,)),
        ),
    ),
    Row(
        "expand_dims",
        np.expand_dims,
        cases(((2, 3), 0), ((2, 3), -1), ((2, 3), (0, 2)), ((), 0), ((0,), 1)),
        numpy=(np.expand_dims,),
    ),
    Row(
        "squeeze",
        np.squeeze,
        cases(((1, 3, 1),), ((1, 3, 1), 0), ((1, 3, 1), -1), ((1, 1),), ((1, 0), (0,)), ((2, 3),)),
        numpy=(np.squeeze,),
    ),
    Row(
        "flatten",
        lambda x: x.reshape(len(x), int(np.prod(x.shape[1:]))),
        cases(((2, 3, 4),), ((3,),), ((0, 2, 2),), ((2, 0, 3),)),
    ),
    Row("astype", lambda x, dtype: x.astype(dtype), casts),
    Row(
        "concatenate",
        np.concatenate,
        sequences(
            (((2, 3), (1, 3)), 0),
            (((2, 3), (2, 1), (2, 0)), 1),
            (((2,), (3,)), -1),
            (((2, 3),), 0),
            (((0,), (2,)),),
        ),
        numpy=(np.concatenate,),
    ),
    Row(
        "stack",
        np.stack,
        sequences(
            (((2, 3), (2, 3)), 0),
            (((2, 3), (2, 3), (2, 3)), 2),
            (((2,), (2,)), -1),
            (((), ()), 0),
            (((3,),),),
        ),
        numpy=(np.stack,),
    ),
    Row(
        "split",
        np.split,
        cases(
            ((4, 3), 2),
            ((2, 6), 3, 1),
            ((7,), [2, 3]),
            ((2, 5), (1,), -1),
            ((4, 2), np.array([1, 3])),
            ((5,), [2, 2]),
        ),
        numpy=(np.split,),
    ),
    Row(
        "pad",
        np.pad,
        cases(
            ((2, 3), 1),
            ((2, 3), (1, 2)),
            ((2, 3), ((1, 0), (0, 2))),
            ((3,), (0, 2), {"constant_values": 2.0}),
            ((0, 2), ((1, 1), (0, 1))),
            ((2,), 0),
            ((2, 3), ((1, 2),)),
        ),
        numpy=(np.pad,),
    ),
    Row("get_item", lambda x, index: x[index], picks, labels=True),
    Row("get_item, lists", lambda x, index: x[index], picks_of_lists, call=F.get_item),
    Row(
        "GetItemGrad",
        scatter,
        scatters,
        call=lambda values, index, shape: F.GetItemGrad(index, shape)(values),
    ),
    Row("embed_id", lambda ids, W: W[ids], lookups, labels=True),
    Row("sum", np.sum, summed, numpy=(np.sum,)),
    Row("average", np.average, averaged, numpy=(np.average,)),
    Row("mean", np.mean, reduced, numpy=(np.mean,)),
    Row("var", np.var, variances, numpy=(np.var,)),
    Row(
        "max",
        np.max,
        distinct,
        numpy=(np.max, np.amax),
        kinks=(
            Kink(Case(TIES, axis=1), [2.0, 3.0], ([[0, 1, 1], [1, 1, 1]],)),
            Kink(Case(TIES, axis=0), 1.0, ([[0, 1, 1], [1, 0, 0]],)),
            Kink(Case(np.ones((2, 2))), 2.0, (np.full((2, 2), 0.5),)),
        ),
    ),
    Row(
        "min",
        np.min,
        distinct,
        numpy=(np.min, np.amin),
        kinks=(Kink(Case(-TIES, axis=-1, keepdims=True), [[2], [3]], ([[0, 1, 1], [1, 1, 1]],)),),
    ),
    Row(
        "logsumexp",
        lambda x, axis=None, keepdims=False: np.log(np.sum(np.exp(x), axis, keepdims=keepdims)),
        reduced,
        orders=3,
    ),
]
