"""Rows: NumPy's elementwise functions beyond basic arithmetic, and complex numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import dezero.functions as F
from dezero.core.protocols import table as implementations

from .cases import Case, Fixed, Kink, Row, elementwise_cases, interval
from .rows_math import FAR, WIDE, cases_off_kinks, off_kinks, pairs_off_ties

INSIDE = (-0.75, 0.75)


def row(function: Any, cases: Callable[..., Any], **options: Any) -> Row:
    """Return the row of what stands for a function of NumPy's."""
    return Row(
        f"np.{function.__name__}",
        function,
        cases,
        call=implementations[function],
        numpy=(function,),
        **options,
    )


def complex_row(function: Any, *intervals: tuple[float, float], **options: Any) -> Row:
    """Return a row for complex numbers, each made of two inputs, that looks at both parts."""

    def parts(f: Any) -> Callable[..., tuple[Any, Any]]:
        def call(*xs: Any) -> tuple[Any, Any]:
            z = f(*(a + 1j * b for a, b in zip(xs[::2], xs[1::2], strict=True)))
            return np.real(z), np.imag(z)

        return call

    return Row(
        f"np.{function.__name__} of complex numbers",
        parts(function),
        elementwise_cases(*intervals) if len(intervals) < 4 else _pairs(*intervals),
        call=parts(implementations[function]),
        **options,
    )


def _pairs(*intervals: tuple[float, float]) -> Callable[..., Iterator[Case]]:
    def cases(rng: np.random.Generator) -> Iterator[Case]:
        for one, other in [((2, 3), (2, 3)), ((2, 1), (3,)), ((), (2,)), ((), ()), ((0, 2), (2,))]:
            shapes = (one, one, other, other)
            yield Case(*(interval(rng, *i, s) for i, s in zip(intervals, shapes, strict=True)))

    return cases


def quotients(rng: np.random.Generator) -> Iterator[Case]:
    """Yield dividends and divisors of both signs whose quotients are far from whole numbers."""
    for one, other in [((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (3,)), ((), ()), ((0, 2), (2,))]:
        while True:
            x0, x1 = interval(rng, -4, 4, one), off_kinks(rng, other, 0.5)
            if np.all(np.abs(x0 / x1 - np.round(x0 / x1)) > 0.05):
                break
        yield Case(x0, x1)
    yield Case(np.array([0.3, -5.7, 2.2]), 2)
    yield Case(7, np.array([1.9, -3.3]))


def scales(rng: np.random.Generator) -> Iterator[Case]:
    for shape in [(2, 3), (), (0, 3)]:
        yield Case(interval(rng, -2, 2, shape), np.asarray(rng.integers(-3, 4, shape)))
        yield Case(interval(rng, -2, 2, shape), 3)
    yield Case(interval(rng, -2, 2, (2, 1)), np.array([-2, 0, 5]))


def signs(rng: np.random.Generator) -> Iterator[Case]:
    for one, other in [((2, 3), (2, 3)), ((2, 1), (3,)), ((), ()), ((0, 3), (3,))]:
        yield Case(off_kinks(rng, one), Fixed(off_kinks(rng, other)))
    yield Case(off_kinks(rng, (2, 3)), -1.0)
    yield Case(off_kinks(rng, 2), Fixed(np.array([0.0, -0.0])))


def steps(rng: np.random.Generator) -> Iterator[Case]:
    x0 = np.array([[-1.0, 0.0, 2.0], [0.0, 0.0, -0.0]])
    yield Case(Fixed(x0), interval(rng, -2, 2, (2, 3)))
    yield Case(Fixed(x0), interval(rng, -2, 2, 3))
    yield Case(Fixed(0.0), interval(rng, -2, 2, ()))
    yield Case(0, interval(rng, -2, 2, (0, 2)))


def bounds(rng: np.random.Generator) -> Iterator[Case]:
    x = np.linspace(-2, 2, 12)
    for shapes in [((4, 3), (4, 3), (4, 3)), ((4, 3), (3,), (4, 1)), ((), (3,), ()), ((), (), ())]:
        yield Case(
            *(
                np.asarray(shift + rng.permutation(x)[: np.prod(shape, dtype=int)].reshape(shape))
                for shift, shape in zip((0, -0.6, 0.7), shapes, strict=True)
            )
        )
    x = np.array([-2.0, -1.0, 0.5, 3.0])
    yield Case(x, np.array([-3.0, 0.0, 0.0, 0.0]), None)
    yield Case(x, None, np.array(1.0))
    yield Case(x, np.array(-1.5), 2)
    yield Case(x, 1.75, np.array([-2.5, 4.0, 1.0, 2.0]))  # bounds in the wrong order
    yield Case(x, None, None)
    yield Case(np.zeros((0, 2)), np.array([1.0, 2.0]), 3)


def numbers(rng: np.random.Generator) -> Iterator[Case]:
    for shape in [(2, 3), (), (0, 3)]:
        yield Case(interval(rng, -2, 2, shape))
        yield Case(interval(rng, -2, 2, shape), True, 1.0, posinf=2.0, neginf=-3.0)


def angles(rng: np.random.Generator) -> Iterator[Case]:
    for case in cases_off_kinks(rng):
        yield case
        yield Case(*case.args, deg=True)


def zero(*args: Any, gradients: Any, seed: Any = 2.0) -> Kink:
    return Kink(Case(*args), seed, gradients)


REAL = [
    row(np.tan, elementwise_cases((-1.2, 1.2)), orders=3),
    row(np.arcsin, elementwise_cases(INSIDE), orders=3),
    row(np.arccos, elementwise_cases(INSIDE), orders=3),
    row(np.arctan, elementwise_cases((-4.0, 4.0)), orders=3),
    row(
        np.arctan2,
        lambda rng: (Case(off_kinks(rng, a), off_kinks(rng, b)) for a, b in _TWO),
        orders=3,
        kinks=(zero(np.zeros(1), np.zeros(1), gradients=([0.0], [0.0])),),
    ),
    row(
        np.hypot,
        lambda rng: (Case(off_kinks(rng, a, 0.3), off_kinks(rng, b, 0.3)) for a, b in _TWO),
        orders=3,
        kinks=(zero(np.zeros(1), np.zeros(1), gradients=([0.0], [0.0])),),
    ),
    row(np.sinh, elementwise_cases(WIDE), orders=3),
    row(np.cosh, elementwise_cases(WIDE), orders=3),
    row(np.arcsinh, elementwise_cases((-4.0, 4.0)), orders=3),
    row(np.arccosh, elementwise_cases((1.5, 4.0)), orders=3),
    row(np.arctanh, elementwise_cases((-0.8, 0.8)), orders=3),
    row(np.deg2rad, elementwise_cases(WIDE), orders=3),
    row(np.radians, elementwise_cases(WIDE), orders=3),
    row(np.rad2deg, elementwise_cases(WIDE), orders=3),
    row(np.degrees, elementwise_cases(WIDE), orders=3),
    row(np.exp2, elementwise_cases(WIDE), orders=3),
    row(np.expm1, elementwise_cases(WIDE), orders=3),
    row(np.log2, elementwise_cases(FAR), orders=3),
    row(np.log10, elementwise_cases(FAR), orders=3),
    row(np.log1p, elementwise_cases((-0.6, 2.0)), orders=3),
    row(np.logaddexp, elementwise_cases(WIDE, WIDE), orders=3),
    row(np.logaddexp2, elementwise_cases(WIDE, WIDE), orders=3),
    row(np.reciprocal, elementwise_cases(FAR), orders=3),
    row(np.cbrt, lambda rng: (Case(off_kinks(rng, s, 0.5)) for s in _ONE), orders=3),
    row(np.fabs, cases_off_kinks, kinks=(zero(np.zeros(1), gradients=([0],)),)),
    row(
        np.fmax,
        pairs_off_ties,
        kinks=(
            zero(np.ones(2), np.array([1.0, 0.0]), seed=[2.0, 4.0], gradients=([1, 4], [1, 0])),
            zero(
                np.array([np.nan, 0.0, np.nan]),
                np.array([1.0, np.nan, np.nan]),
                gradients=([0, 2, 1], [2, 0, 1]),
            ),
        ),
    ),
    row(
        np.fmin,
        pairs_off_ties,
        kinks=(
            zero(np.ones(2), np.array([1.0, 0.0]), seed=[2.0, 4.0], gradients=([1, 0], [1, 4])),
            zero(
                np.array([np.nan, 0.0, np.nan]),
                np.array([1.0, np.nan, np.nan]),
                gradients=([0, 2, 1], [2, 0, 1]),
            ),
        ),
    ),
    row(np.remainder, quotients),
    row(np.fmod, quotients),
    row(np.ldexp, scales),
    row(np.copysign, signs, kinks=(zero(np.zeros(2), Fixed([1, -1.0]), gradients=([0, 0],)),)),
    row(np.heaviside, steps),
    row(np.nan_to_num, numbers),
    row(np.sinc, elementwise_cases((-2.5, 2.5)), orders=3),
    row(np.i0, elementwise_cases((-4.0, 4.0)), orders=3),
    row(np.conjugate, elementwise_cases(WIDE)),
    row(np.real, elementwise_cases(WIDE)),
    row(np.imag, elementwise_cases(WIDE)),
    row(np.real_if_close, elementwise_cases(WIDE)),
    row(np.angle, angles),
    Row("np.clip with arrays", np.clip, bounds, call=F.clip, numpy=(np.clip,)),
    Row(
        "np.modf, fraction",
        lambda x: np.modf(x)[0],
        lambda rng: (Case(np.asarray(interval(rng, 0.1, 0.9, s) - 2)) for s in _ONE),
        call=lambda x: implementations[np.modf](x)[0],
    ),
    Row(
        "np.frexp, mantissa",
        lambda x: np.frexp(x)[0],
        lambda rng: (Case(np.asarray(interval(rng, 0.6, 0.9, s) * -4)) for s in _ONE),
        call=lambda x: implementations[np.frexp](x)[0],
    ),
    Row(
        "np.divmod, remainder",
        np.remainder,
        quotients,
        call=lambda x0, x1: implementations[np.divmod](x0, x1)[1],
    ),
]

_ONE = [(2, 3), (), (0, 3), (2, 1, 2)]
_TWO = [((2, 3), (2, 3)), ((2, 1), (3,)), ((), (3,)), ((), ()), ((0, 3), (3,))]

COMPLEX = [
    *(
        complex_row(function, WIDE, WIDE)
        for function in (
            np.exp, np.exp2, np.expm1, np.sin, np.cos, np.sinh, np.cosh, np.tanh, np.square,
            np.arcsinh, np.sinc, np.negative, np.conjugate, np.nan_to_num,
        )
    ),
    *(
        complex_row(function, FAR, FAR)
        for function in (
            np.log, np.log2, np.log10, np.log1p, np.sqrt, np.reciprocal, np.tan, np.arcsin,
            np.arccos, np.arctan, np.arccosh, np.arctanh, np.absolute, np.angle, np.sign, np.real,
            np.imag, np.real_if_close,
        )
    ),
    *(
        complex_row(function, WIDE, WIDE, FAR, FAR)
        for function in (np.add, np.subtract, np.multiply, np.divide)
    ),
    complex_row(np.power, FAR, FAR, WIDE, WIDE),
]  # fmt: skip

ROWS = [*REAL, *COMPLEX]
