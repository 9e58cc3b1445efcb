"""Rows: arithmetic, elementary functions, activations."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from .cases import Case, Kink, Row, elementwise_cases, interval

erf = np.vectorize(math.erf, otypes=[float])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x, axis=1):
    e = np.exp(x - np.max(x, axis, keepdims=True))
    return e / np.sum(e, axis, keepdims=True)


def log_softmax(x, axis=1):
    return x - np.log(np.sum(np.exp(x), axis, keepdims=True))


def gelu(x, approximate="none"):
    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + erf(x / math.sqrt(2)))


def off_kinks(rng: np.random.Generator, shape, distance: float = 0.1) -> np.ndarray:
    """Return numbers no nearer to 0 than ``distance``."""
    return np.asarray(interval(rng, distance, 2.0, shape) * rng.choice([-1.0, 1.0], shape))


def pairs_off_ties(rng: np.random.Generator) -> Iterator[Case]:
    for shapes in [((2, 3), (2, 3)), ((2, 1, 3), (4, 1)), ((), (3,)), ((), ()), ((0, 3), (3,))]:
        yield Case(
            *(np.asarray(rng.integers(-10, 10, s) * 0.2 + 0.1 * i) for i, s in enumerate(shapes))
        )


def choices(rng: np.random.Generator) -> Iterator[Case]:
    for shapes in [
        ((2, 3), (2, 3), (2, 3)),
        ((2, 1), (3,), ()),
        ((), (2,), (2,)),
        ((), (), ()),
        ((0, 2), (2,), (1, 1)),
    ]:
        condition = np.asarray(rng.random(shapes[0]) < 0.5)
        yield Case(condition, *(interval(rng, -2, 2, s) for s in shapes[1:]))
    yield Case(np.array([True, False]), interval(rng, -2, 2, 2), 0.5)
    yield Case(np.array([True, False]), -1, interval(rng, -2, 2, 2))


def clips(rng: np.random.Generator) -> Iterator[Case]:
    for bounds in [(-1.0, 1.0), (None, 1.0), (-1, None)]:
        for shape in [(3, 4), (), (0, 2)]:
            x = off_kinks(rng, shape) * 2
            yield Case(np.where(np.abs(np.abs(x) - 1) < 0.1, 0.5, x), *bounds)


def powers(rng: np.random.Generator) -> Iterator[Case]:
    yield from elementwise_cases((0.5, 2.0), (-2.0, 2.0))(rng)
    for exponent in [2, 3, 0, 1, 0.5, -1, -1.5, 2.0]:
        yield Case(interval(rng, 0.5, 2.0, (2, 3)), exponent)
    yield Case(off_kinks(rng, (2, 3)), 3)
    yield Case(off_kinks(rng, (2, 3)), 2)
    yield Case(off_kinks(rng, ()), -2)
    yield Case(off_kinks(rng, (2, 3)), np.array([1, 2, 3], np.int8))
    yield Case(2, interval(rng, -2.0, 2.0, (2, 3)))
    yield Case(2.5, interval(rng, -2.0, 2.0, ()))


def with_numbers(*intervals):
    """Return cases of two arrays, and of an array with a Python number on either side."""
    cases = elementwise_cases(*intervals)

    def more(rng: np.random.Generator) -> Iterator[Case]:
        yield from cases(rng)
        yield Case(interval(rng, *intervals[0], (2, 3)), 2)
        yield Case(1.5, interval(rng, *intervals[1], (2, 3)))

    return more


def cases_off_kinks(rng: np.random.Generator) -> Iterator[Case]:
    for shape in [(2, 3), (), (0, 3), (2, 1, 2, 2)]:
        yield Case(off_kinks(rng, shape))


def leaky_cases(rng: np.random.Generator) -> Iterator[Case]:
    for case in cases_off_kinks(rng):
        yield case
        yield Case(*case.args, slope=0.05)


def gelu_cases(rng: np.random.Generator) -> Iterator[Case]:
    for case in elementwise_cases((-3.0, 3.0))(rng):
        yield case
        yield Case(*case.args, approximate="tanh")


def softmax_cases(rng: np.random.Generator) -> Iterator[Case]:
    yield Case(interval(rng, -2, 2, (3, 4)))
    yield Case(interval(rng, -2, 2, (3, 4)), axis=0)
    yield Case(interval(rng, -2, 2, (2, 3, 4)))
    yield Case(interval(rng, -2, 2, (2, 3, 4)), axis=-1)
    yield Case(interval(rng, -2, 2, 5), axis=0)
    yield Case(interval(rng, -2, 2, (3, 1)))
    yield Case(interval(rng, -2, 2, (0, 4)))


WIDE = (-2.0, 2.0)
FAR = (0.5, 2.0)

ROWS = [
    Row("add", np.add, with_numbers(WIDE, WIDE), orders=3, numpy=(np.add,)),
    Row("sub", np.subtract, with_numbers(WIDE, WIDE), orders=3, numpy=(np.subtract,)),
    Row("rsub", lambda a, b: b - a, with_numbers(WIDE, WIDE), orders=3),
    Row("mul", np.multiply, with_numbers(WIDE, WIDE), orders=3, numpy=(np.multiply,)),
    Row("div", np.divide, with_numbers(WIDE, FAR), orders=3, numpy=(np.divide,)),
    Row("rdiv", lambda a, b: b / a, with_numbers(FAR, WIDE), orders=3),
    Row("neg", np.negative, elementwise_cases(WIDE), orders=3, numpy=(np.negative,)),
    Row(
        "pow",
        np.power,
        powers,
        orders=3,
        numpy=(np.power, np.float_power),
        kinks=(
            Kink(Case(np.zeros(2), 0), [1.0, 2.0], ([0.0, 0.0],)),
            Kink(Case(np.zeros(2), 0.0), [1.0, 2.0], ([0.0, 0.0],)),
            Kink(Case(np.zeros(2), 1), [1.0, 2.0], ([1.0, 2.0],)),
            Kink(Case(np.zeros(2), np.array([0, 2])), [1.0, 2.0], ([0.0, 0.0],)),
            Kink(Case(np.zeros(3), np.array([0.0, 1.0, 2.0])), 3.0, ([0, 3, 0], [0, 0, 0])),
        ),
    ),
    Row(
        "absolute",
        np.absolute,
        cases_off_kinks,
        orders=3,
        numpy=(np.absolute,),
        kinks=(Kink(Case(np.zeros(2)), [1.0, 2.0], ([0.0, 0.0],)),),
    ),
    Row("sin", np.sin, elementwise_cases(WIDE), orders=3, numpy=(np.sin,)),
    Row("cos", np.cos, elementwise_cases(WIDE), orders=3, numpy=(np.cos,)),
    Row("tanh", np.tanh, elementwise_cases(WIDE), orders=3, numpy=(np.tanh,)),
    Row("exp", np.exp, elementwise_cases(WIDE), orders=3, numpy=(np.exp,)),
    Row("log", np.log, elementwise_cases(FAR), orders=3, numpy=(np.log,)),
    Row("sqrt", np.sqrt, elementwise_cases(FAR), orders=3, numpy=(np.sqrt,)),
    Row("square", np.square, elementwise_cases(WIDE), orders=3, numpy=(np.square,)),
    Row("erf", erf, elementwise_cases((-7.0, 7.0)), orders=3),
    Row(
        "maximum",
        np.maximum,
        pairs_off_ties,
        numpy=(np.maximum,),
        kinks=(Kink(Case(np.ones(2), np.array([1.0, 0.0])), [2.0, 4.0], ([1, 4], [1, 0])),),
    ),
    Row(
        "minimum",
        np.minimum,
        pairs_off_ties,
        numpy=(np.minimum,),
        kinks=(Kink(Case(np.ones(2), np.array([1.0, 0.0])), [2.0, 4.0], ([1, 0], [1, 4])),),
    ),
    Row("where", np.where, choices, numpy=(np.where,), labels=True),
    Row(
        "clip",
        np.clip,
        clips,
        numpy=(np.clip,),
        kinks=(Kink(Case(np.array([-1.0, 0.0, 1.0]), -1.0, 1.0), 2.0, ([2.0, 2.0, 2.0],)),),
    ),
    Row("sigmoid", sigmoid, elementwise_cases((-4.0, 4.0)), orders=3),
    Row("sigmoid_simple", sigmoid, elementwise_cases((-4.0, 4.0)), orders=3),
    Row(
        "relu",
        lambda x: np.maximum(x, 0),
        cases_off_kinks,
        kinks=(Kink(Case(np.zeros(2)), [1.0, 2.0], ([0.0, 0.0],)),),
    ),
    Row(
        "leaky_relu",
        lambda x, slope=0.2: np.where(x > 0, x, slope * x),
        leaky_cases,
        kinks=(Kink(Case(np.zeros(2)), [1.0, 2.0], ([0.2, 0.4],)),),
    ),
    Row("gelu", gelu, gelu_cases, orders=3),
    Row("silu", lambda x: x * sigmoid(x), elementwise_cases((-4.0, 4.0)), orders=3),
    Row("softmax", softmax, softmax_cases, orders=3),
    Row("softmax_simple", softmax, softmax_cases, orders=3),
    Row("log_softmax", log_softmax, softmax_cases, orders=3),
]
