"""What the transformations of :mod:`dezero.autodiff` make of every row of the table.

Forward mode goes against differences of the reference, reverse mode against forward mode, the two
routes to the second order against each other, and ``vmap`` against a loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.testing import assert_allclose

from dezero.autodiff import grad, jvp, vectorize, vjp, vmap
from dezero.autodiff.batched import Batch
from dezero.core import Variable

from .cases import Case, Row
from .check import close, randoms, slope


def function_of(row: Row, case: Case) -> Callable[..., tuple[Any, ...]]:
    """Return the function of a row at a case, of the arrays that have a gradient alone."""
    return lambda *xs: case.call(row.function, xs)


def dot(xs: Iterable[Any], ys: Iterable[Any]) -> float:
    """Return the real part of the sum of all products."""
    return float(sum(np.sum(np.real(x * y)) for x, y in zip(xs, ys, strict=True)))


def check_forward(row: Row, case: Case) -> None:
    """``J t`` agrees with differences of the reference, and has the kind of the value."""
    rng = row.rng()
    leaves = case.leaves()
    ts = randoms(rng, leaves)
    ys, dys = jvp(function_of(row, case), leaves, ts)
    seeds = randoms(rng, ys)
    where = f"forward mode of {row.name}{case}"
    for y, dy in zip(ys, dys, strict=True):
        assert np.shape(dy) == np.shape(y), f"{where}: shape {np.shape(dy)} for {np.shape(y)}"
        assert dy.dtype == y.dtype, f"{where}: dtype {dy.dtype} for {y.dtype}"

    def moved(h: float) -> float:
        point = [x + h * t for x, t in zip(leaves, ts, strict=True)]
        return dot(case.call(row.reference, point), seeds)

    close(row, dot(seeds, dys), slope(moved), where)


def check_adjointness(row: Row, case: Case) -> None:
    """``<v, J u> = <J^T v, u>``, for every input by itself."""
    rng = row.rng()
    leaves, f = case.leaves(), function_of(row, case)
    ys, pullback = vjp(f, *leaves)
    vs = randoms(rng, ys)
    gs = pullback(tuple(vs))
    for i, (x, g) in enumerate(zip(leaves, gs, strict=True)):
        (u,) = randoms(rng, [x])
        us = [u if j == i else np.zeros(leaf.shape) for j, leaf in enumerate(leaves)]
        _, dys = jvp(f, leaves, us)
        where = f"<v, J u> and <J^T v, u> of {row.name}{case} for input {i}"
        assert_allclose(dot(vs, dys), np.sum(g * u), rtol=1e-8, atol=1e-9, err_msg=where)


def check_second_order(row: Row, case: Case) -> None:
    """Forward over reverse and reverse over reverse give one Hessian-vector product."""
    rng = row.rng()
    leaves, f = case.leaves(), function_of(row, case)
    seeds = randoms(rng, case.call(row.reference, leaves))
    ts = tuple(randoms(rng, leaves))

    def scalar(*xs: Any) -> Any:
        return sum(np.sum(y * s) for y, s in zip(f(*xs), seeds, strict=True))

    gradient = grad(scalar, argnums=tuple(range(len(leaves))))
    _, pushed = jvp(gradient, leaves, ts)
    pulled = vjp(gradient, *leaves)[1](ts)
    for i, (a, b) in enumerate(zip(pushed, pulled, strict=True)):
        where = f"forward and reverse over reverse of {row.name}{case} for input {i}"
        assert_allclose(a, b, rtol=1e-7, atol=1e-8, err_msg=where)


def check_forward_float32(row: Row, case: Case) -> None:
    """float32 in, float32 out, close to what float64 gives there."""
    narrow = [x.astype(np.float32) for x in case.leaves()]
    ts = [t.astype(np.float32) for t in randoms(row.rng(), narrow)]
    f = function_of(row, case)
    found = jvp(f, narrow, ts)
    wide = jvp(f, [x.astype(float) for x in narrow], [t.astype(float) for t in ts])
    where = f"float32 forward mode of {row.name}{case}"
    for y, dy, exact in zip(*found, wide[1], strict=True):
        assert dy.dtype == y.dtype, f"{where} gives {dy.dtype} for {y.dtype}"
        size = max(np.max(np.abs(exact), initial=0.0), 1e-3)
        assert_allclose(
            dy, exact, rtol=10 * row.float32, atol=10 * row.float32 * size, err_msg=where
        )


def check_complex(row: Row, case: Case) -> None:
    """Both modes at complex inputs agree with differences of both parts of the reference."""
    rng = row.rng()
    zs = [x + 0.3j * rng.uniform(-1, 1, x.shape) for x in case.leaves()]
    ds = [complex_randoms(rng, z) for z in zs]
    ys, dys = jvp(function_of(row, case), zs, ds)
    ws = [complex_randoms(rng, y) if y.dtype.kind == "c" else randoms(rng, [y])[0] for y in ys]

    def moved(h: float) -> float:
        point = [z + h * d for z, d in zip(zs, ds, strict=True)]
        return dot(case.call(row.reference, point), ws)

    where = f"{row.name}{case} of complex numbers"
    expected = slope(moved)
    for y, dy, wanted in zip(ys, dys, case.call(row.reference, zs), strict=True):
        assert_allclose(y, wanted, rtol=1e-10, atol=1e-12, err_msg=where)
        assert dy.dtype == y.dtype == np.asarray(wanted).dtype, f"{where}: {dy.dtype}, {y.dtype}"
    close(row, dot(ws, dys), expected, f"forward mode of {where}")
    gs = vjp(function_of(row, case), *zs)[1](tuple(np.conjugate(w) for w in ws))
    for g, z in zip(gs, zs, strict=True):
        assert g.dtype == z.dtype, f"{where}: gradient of {g.dtype}"
    close(row, dot((np.conjugate(g) for g in gs), ds), expected, f"reverse mode of {where}")


def complex_randoms(rng: np.random.Generator, like: Any) -> np.ndarray:
    re, im = randoms(rng, [like, like])
    return np.asarray(re + 1j * im)


def check_vmap(row: Row, case: Case) -> None:
    """``vmap`` of the function and of its gradients is a loop over the examples."""
    leaves, f = case.leaves(), function_of(row, case)
    rng = row.rng()
    batches = [np.stack([x * (1 - 1e-3 * rng.random(x.shape)) for _ in "ab"]) for x in leaves]
    seeds = [np.stack(randoms(rng, [y, y])) for y in case.call(row.reference, leaves)]

    def pulled(*xs_and_seeds: Any) -> Any:
        xs, gys = xs_and_seeds[: len(leaves)], xs_and_seeds[len(leaves) :]
        return vjp(f, *xs)[1](tuple(gys))

    for places in batched_inputs(len(leaves)):
        args = [b if i in places else b[0] for i, b in enumerate(batches)]
        axes = tuple(0 if i in places else None for i in range(len(leaves)))
        where = f"vmap of {row.name}{case} over inputs {places}"
        same_as_loop(f, args, axes, where)
        same_as_loop(pulled, [*args, *seeds], (*axes, *[0] * len(seeds)), f"{where}, its gradient")


def batched_inputs(count: int) -> list[tuple[int, ...]]:
    """Return which inputs hold a batch: each by itself, and all together."""
    return [(i,) for i in range(count)] + ([tuple(range(count))] if count > 1 else [])


def same_as_loop(
    f: Callable[..., Any], args: list[Any], axes: tuple[Any, ...], where: str
) -> None:
    together = vmap(f, axes)(*args)
    for i in range(2):
        alone = f(*(a if axis is None else a[i] for a, axis in zip(args, axes, strict=True)))
        for y, expected in zip(together, alone, strict=True):
            value = expected.data if isinstance(expected, Variable) else expected
            found = y.data if isinstance(y, Variable) else y
            assert found[i].shape == value.shape, f"{where}: shape {found[i].shape}"
            assert found.dtype == value.dtype, f"{where}: dtype {found.dtype} for {value.dtype}"
            assert_allclose(found[i], value, rtol=1e-9, atol=1e-11, err_msg=where)


@contextmanager
def loops() -> Iterator[set[str]]:
    """Note what runs example by example for want of a batching rule."""
    found: set[str] = set()
    looped, one_by_one = Batch.looped, vectorize._one_by_one

    def noted(self: Batch, function: Any, args: Any, kwargs: Any) -> Any:
        found.add(getattr(function, "__name__", repr(function)))
        return looped(self, function, args, kwargs)

    def all_noted(*args: Any) -> Any:
        found.add("all of it")
        return one_by_one(*args)

    Batch.looped, vectorize._one_by_one = noted, all_noted  # type: ignore[method-assign]
    try:
        yield found
    finally:
        Batch.looped, vectorize._one_by_one = looped, one_by_one  # type: ignore[method-assign]
