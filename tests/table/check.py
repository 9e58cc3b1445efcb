"""The checks that every row of the table goes through.

A row says how to call a function, what plain NumPy gives for it, and at which points to look.
Gradients are compared with central differences of the reference in float64, along random
directions and from random seeds: a seed of ones would let softmax pass with any gradient at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import combinations
from typing import Any

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from dezero.core import Function, Primitive, Variable, no_grad

from .cases import Case, Kink, Row

STEP = 1e-3  # with the five-point stencil: an error of about STEP**4 = 1e-12


class Weighted(Function):
    """The scalar ``sum(y0 * w0) + sum(y1 * w1) + ...``, of any number of arrays and weights."""

    def forward(self, *xs: Any) -> Any:
        half = len(xs) // 2
        return sum((np.sum(y * w) for y, w in zip(xs[:half], xs[half:], strict=True)), 0.0)

    def backward(self, g: Variable) -> Any:
        half = len(self.inputs) // 2
        ys, ws = self.inputs[:half], self.inputs[half:]
        return (*(g * w for w in ws), *(g * y for y in ys))


def weighted(ys: Iterable[Any], ws: Iterable[Any]) -> Any:
    return Weighted()(*ys, *ws)


def randoms(rng: np.random.Generator, arrays: Iterable[Any]) -> list[np.ndarray]:
    """Return a random array, of no special structure, for each of ``arrays``."""
    drawn = []
    for a in arrays:
        sign = np.where(rng.random(a.shape) < 0.5, -1.0, 1.0)
        drawn.append(np.asarray(sign * rng.uniform(0.25, 1.0, a.shape)))
    return drawn


def variables(leaves: Iterable[Any]) -> list[Variable]:
    return [Variable(np.array(x)) for x in leaves]


def gradients(xs: Iterable[Variable]) -> list[Any]:
    """Return the gradient of each variable as an array; nothing is zeros."""
    return [np.zeros(x.shape, x.dtype) if x.grad is None else x.grad.data for x in xs]


def derivative(
    row: Row, case: Case, leaves: list[Any], seeds: list[Any], directions: list[list[Any]]
) -> list[Any]:
    """Return the gradient, for leaves and seeds, of a scalar that differentiates the function.

    Without directions the scalar is ``sum(outputs * seeds)``; each set of directions replaces
    the scalar by the inner product of its gradient, for leaves and seeds, with the directions.
    """
    xs, ws = variables(leaves), variables(seeds)
    scalar = weighted(case.call(row.function, xs), ws)
    for vs in directions:
        scalar.backward(create_graph=True)
        gs = [x.grad for x in (*xs, *ws)]
        pairs = [(g, v) for g, v in zip(gs, vs, strict=True) if g is not None]
        for x in (*xs, *ws):
            x.cleargrad()
        scalar = weighted(*zip(*pairs, strict=True))
        if scalar.creator is None:  # the gradient depends on nothing
            return [np.zeros(x.shape, x.dtype) for x in (*xs, *ws)]
    scalar.backward()
    return gradients((*xs, *ws))


def slope(function: Callable[[float], float]) -> float:
    """Return the derivative of ``function`` at 0, by a five-point stencil."""
    h = STEP
    near, far = function(h) - function(-h), function(2 * h) - function(-2 * h)
    return (8 * near - far) / (12 * h)


def dot(xs: Iterable[Any], ys: Iterable[Any]) -> float:
    return float(sum(np.sum(x * y) for x, y in zip(xs, ys, strict=True)))


def check_value(row: Row, case: Case) -> None:
    """Values, shapes and dtypes are those of plain NumPy; the result is a recorded Variable."""
    leaves = case.leaves()
    wanted = case.call(row.reference, leaves)
    xs = variables(leaves)
    got = case.call(row.function, xs)
    assert len(got) == len(wanted), f"{row.name}{case}: {len(got)} outputs, not {len(wanted)}"
    for y, expected in zip(got, wanted, strict=True):
        assert type(y) is Variable, f"{row.name}{case} gave {type(y).__name__}"
        assert type(y.data) is np.ndarray
        assert y.shape == np.shape(expected), f"{row.name}{case}: shape {y.shape}"
        assert y.dtype == np.asarray(expected).dtype, f"{row.name}{case}: dtype {y.dtype}"
        assert_allclose(y.data, expected, rtol=1e-10, atol=1e-12, err_msg=f"{row.name}{case}")
        assert y.creator is not None or any(y is x for x in xs), f"{row.name}{case}: no graph"


def check_first_derivative(row: Row, case: Case) -> None:
    """Each gradient agrees with differences of the reference, from a random seed."""
    rng = row.rng()
    leaves = case.leaves()
    seeds = randoms(rng, case.call(row.reference, leaves))
    xs = variables(leaves)
    ys = case.call(row.function, xs)
    weighted(ys, seeds).backward()
    for i, (x, leaf) in enumerate(zip(xs, leaves, strict=True)):
        where = f"gradient of {row.name}{case} for input {i}"
        assert x.grad is not None, f"no {where}"
        check_kind(x, where)
        for _ in range(2):
            (direction,) = randoms(rng, [leaf])

            def moved(t: float, i: int = i, direction: Any = direction) -> float:
                point = [*leaves[:i], leaves[i] + t * direction, *leaves[i + 1 :]]
                return dot(case.call(row.reference, point), seeds)

            close(row, np.sum(x.grad.data * direction), slope(moved), where)


def check_kind(x: Variable, where: str) -> None:
    """A gradient has the shape and dtype of what it belongs to, and an array of its own."""
    g = x.grad
    assert type(g) is Variable, f"{where} is a {type(g).__name__}"
    assert type(g.data) is np.ndarray
    assert g.shape == x.shape, f"{where}: shape {g.shape} for {x.shape}"
    assert g.dtype == x.dtype, f"{where}: dtype {g.dtype} for {x.dtype}"
    assert g.data.base is None, f"{where} is a view"
    assert g.data.flags.writeable, f"{where} is read-only"


def check_higher_derivative(row: Row, case: Case, order: int) -> None:
    """The derivative of that order agrees with differences of the one below it.

    The seed is differentiated too: a rule that uses a plain array where it should use its
    recorded argument is caught here.
    """
    rng = row.rng()
    leaves = case.leaves()
    seeds = randoms(rng, case.call(row.reference, leaves))
    inputs = [*leaves, *seeds]
    directions = [randoms(rng, inputs) for _ in range(order - 1)]
    got = derivative(row, case, leaves, seeds, directions)
    count = len(leaves)
    for i, (grad, value) in enumerate(zip(got, inputs, strict=True)):
        (direction,) = randoms(rng, [value])

        def moved(t: float, i: int = i, direction: Any = direction) -> float:
            point = [*inputs[:i], inputs[i] + t * direction, *inputs[i + 1 :]]
            below = derivative(row, case, point[:count], point[count:], directions[:-1])
            return dot(below, directions[-1])

        what = f"input {i}" if i < count else f"the gradient of output {i - count}"
        where = f"derivative {order} of {row.name}{case} for {what}"
        assert grad.shape == value.shape, f"{where}: shape {grad.shape}"
        assert grad.dtype == value.dtype, f"{where}: dtype {grad.dtype}"
        close(row, np.sum(grad * direction), slope(moved), where)


def close(row: Row, got: Any, expected: float, where: str) -> None:
    assert_allclose(got, expected, rtol=row.tolerance, atol=row.tolerance / 10, err_msg=where)


def check_recorded_pass(row: Row, case: Case) -> None:
    """A recorded backward pass gives the numbers of a plain one."""
    plain, recorded = _both_passes(row, case)
    for i, (g, h) in enumerate(zip(plain, recorded, strict=True)):
        where = f"{row.name}{case}: recorded gradient {i}"
        assert g.dtype == h.dtype, where
        assert_allclose(h, g, rtol=1e-9, atol=1e-12, err_msg=where)


def _both_passes(row: Row, case: Case) -> Iterator[list[Any]]:
    leaves = case.leaves()
    seeds = randoms(row.rng(), case.call(row.reference, leaves))
    for create_graph in (False, True):
        xs = variables(leaves)
        weighted(case.call(row.function, xs), seeds).backward(create_graph=create_graph)
        yield gradients(xs)


def check_float32(row: Row, case: Case) -> None:
    """float32 in, float32 out, forward and backward, close to what float64 gives there."""
    narrow = [x.astype(np.float32) for x in case.leaves()]
    wide = [x.astype(np.float64) for x in narrow]
    seeds = [s.astype(np.float32) for s in randoms(row.rng(), case.call(row.reference, wide))]
    values, grads = [], []
    for leaves in (narrow, wide):
        for create_graph in (False, True):
            xs = variables(leaves)
            ys = case.call(row.function, xs)
            weighted(ys, [s.astype(leaves[0].dtype) for s in seeds]).backward(
                create_graph=create_graph
            )
            values.append([y.data for y in ys])
            grads.append([x.grad.data for x in xs])
    wanted = case.call(row.reference, wide)
    for kind, got, exact in (("value", values, values[2]), ("gradient", grads, grads[2])):
        for found in got[:2]:
            for i, (a, b) in enumerate(zip(found, exact, strict=True)):
                where = f"float32 {kind} {i} of {row.name}{case}"
                kept = kind == "gradient" or np.asarray(wanted[i]).dtype == np.float64
                assert a.dtype == (np.float32 if kept else b.dtype), f"{where} is {a.dtype}"
                size = np.max(np.abs(b), initial=0.0)
                assert_allclose(
                    a, b, rtol=row.float32, atol=row.float32 * max(size, 1e-3), err_msg=where
                )


def scattered(x: np.ndarray) -> np.ndarray:
    """Return an array equal to ``x`` whose memory is in another order, with gaps, backwards."""
    if x.ndim == 0:
        return x.copy()
    sizes = x.shape[::-1]
    around = np.full([2 * n + 1 for n in sizes], np.nan, x.dtype)
    view = around[tuple(slice(2 * n - 1, None, -2) if n else slice(0) for n in sizes)].T
    view[...] = x
    return view


def check_memory_order(row: Row, case: Case) -> None:
    """Inputs and seeds that are strided, reversed and transposed give the same numbers."""
    leaves = case.leaves()
    seeds = randoms(row.rng(), case.call(row.reference, leaves))
    results = []
    for arrange in (np.array, scattered):
        xs = [Variable(arrange(x)) for x in leaves]
        ys = case.call(row.function, xs)
        weighted(ys, [arrange(s) for s in seeds]).backward()
        results.append([*(y.data for y in ys), *gradients(xs)])
        if len(ys) == 1 and ys[0].creator is not None:
            for x in xs:
                x.cleargrad()
            (y,) = case.call(row.function, xs)
            y.grad = Variable(arrange(seeds[0]))
            y.backward()
            results.append([y.data, *gradients(xs)])
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            assert_allclose(b, a, rtol=1e-9, atol=1e-11, err_msg=f"{row.name}{case}")


def check_constants(row: Row, case: Case) -> None:
    """Only Variables that want a gradient get one; plain arrays give the same numbers."""
    leaves = case.leaves()
    seeds = randoms(row.rng(), case.call(row.reference, leaves))
    xs = variables(leaves)
    weighted(case.call(row.function, xs), seeds).backward()
    wanted = gradients(xs)
    for i in range(len(leaves)):
        for constant in (np.array, lambda a: Variable(np.array(a), requires_grad=False)):
            mixed = [
                Variable(np.array(a)) if j == i else constant(a) for j, a in enumerate(leaves)
            ]
            for create_graph in (False, True):
                mixed[i].cleargrad()
                ys = case.call(row.function, mixed)
                weighted(ys, seeds).backward(create_graph=create_graph)
                where = f"{row.name}{case} with input {i} alone a Variable"
                assert mixed[i].grad is not None, where
                assert_allclose(
                    mixed[i].grad.data, wanted[i], rtol=1e-9, atol=1e-11, err_msg=where
                )
                for j, other in enumerate(mixed):
                    if j != i and isinstance(other, Variable):
                        assert other.grad is None, f"{where}: input {j} got a gradient"
    plain = case.call(row.function, [np.array(a) for a in leaves])
    for y, expected in zip(plain, case.call(row.reference, leaves), strict=True):
        where = f"{row.name}{case} on plain arrays"
        assert type(y) is Variable, f"{where} gave {type(y).__name__}"
        assert y.creator is None, f"{where} was recorded"
        assert not y.requires_grad, f"{where} is a leaf that wants a gradient"
        assert_allclose(y.data, expected, rtol=1e-10, atol=1e-12, err_msg=where)


def check_each_output(row: Row, case: Case) -> None:
    """One output alone has the gradient that the others' zeros give."""
    leaves = case.leaves()
    seeds = randoms(row.rng(), case.call(row.reference, leaves))
    for i in range(len(seeds)):
        results = []
        for alone in (False, True):
            for create_graph in (False, True):
                xs = variables(leaves)
                ys = case.call(row.function, xs)
                if alone:
                    total = weighted([ys[i]], [seeds[i]])
                else:
                    total = weighted(ys, [s * (j == i) for j, s in enumerate(seeds)])
                del ys
                total.backward(create_graph=create_graph)
                results.append(gradients(xs))
        for other in results[1:]:
            for a, b in zip(results[0], other, strict=True):
                assert_allclose(b, a, rtol=1e-12, err_msg=f"{row.name}{case}, output {i}")


def check_no_grad(row: Row, case: Case) -> None:
    """Under ``no_grad`` nothing is recorded, and the values are the same."""
    xs = variables(case.leaves())
    with no_grad():
        ys = case.call(row.function, xs)
    for y, expected in zip(ys, case.call(row.reference, case.leaves()), strict=True):
        assert y.creator is None, f"{row.name}{case} was recorded under no_grad"
        assert not y.requires_grad or any(y is x for x in xs)
        assert_allclose(y.data, expected, rtol=1e-10, atol=1e-12)


def check_inputs_unwritten(row: Row, case: Case) -> None:
    """Neither the inputs nor the seed are written to, forward or backward."""
    leaves = [np.array(x) for x in case.leaves()]
    seeds = randoms(row.rng(), case.call(row.reference, leaves))
    before = [x.copy() for x in (*leaves, *seeds)]
    for create_graph in (False, True):
        xs = [Variable(x) for x in leaves]
        ys = case.call(row.function, xs)
        values = [y.data.copy() for y in ys]
        if len(ys) == 1 and ys[0].creator is not None:
            ys[0].grad = Variable(seeds[0])
            ys[0].backward(create_graph=create_graph)
        else:
            weighted(ys, seeds).backward(create_graph=create_graph)
        for now, then in zip((*leaves, *seeds), before, strict=True):
            assert_array_equal(now, then, err_msg=f"{row.name}{case} wrote to an input")
        for y, value in zip(ys, values, strict=True):
            assert_array_equal(y.data, value, err_msg=f"{row.name}{case} wrote to its output")
    for a, b in combinations([x.grad.data for x in xs], 2):
        assert not np.may_share_memory(a, b), f"{row.name}{case}: gradients share memory"


def check_written_inputs(row: Row, case: Case) -> None:
    """An input that is written in place after the call never gives a wrong gradient."""
    leaves = case.leaves()
    seeds = randoms(row.rng(), case.call(row.reference, leaves))
    xs = variables(leaves)
    weighted(case.call(row.function, xs), seeds).backward()
    wanted = gradients(xs)
    for i in range(len(leaves)):
        xs = variables(leaves)
        total = weighted(case.call(row.function, xs), seeds)
        xs[i].data *= 1.25
        try:
            total.backward()
        except RuntimeError:
            assert all(x.grad is None for x in xs)
            continue
        for g, expected in zip(gradients(xs), wanted, strict=True):
            where = f"{row.name}{case} with input {i} written"
            assert_allclose(g, expected, rtol=1e-9, atol=1e-11, err_msg=where)


def check_repeated_backward(row: Row, case: Case) -> None:
    """A second backward pass through the same graph adds the same gradient again."""
    leaves = case.leaves()
    xs = variables(leaves)
    ys = case.call(row.function, xs)
    total = weighted(ys, randoms(row.rng(), [y.data for y in ys]))
    total.backward()
    once = [g.copy() for g in gradients(xs)]
    total.cleargrad()
    total.backward()
    for g, first in zip(gradients(xs), once, strict=True):
        assert_allclose(g, 2 * first, rtol=1e-12, atol=0, err_msg=f"{row.name}{case}")


def check_numpy(row: Row, numpy_function: Any, case: Case) -> None:
    """NumPy's own function on Variables records the same node, and gives the same numbers."""
    xs = variables(case.leaves())
    ours = case.call(row.function, xs)
    theirs = case.call(numpy_function, xs)
    for y, z in zip(ours, theirs, strict=True):
        where = f"{numpy_function.__name__} for {row.name}{case}"
        assert type(z) is Variable, f"{where} gave {type(z).__name__}"
        assert type(z.creator) is type(y.creator), f"{where} recorded {type(z.creator).__name__}"
        assert_array_equal(z.data, y.data, err_msg=where)
    plain = case.call(numpy_function, case.leaves())
    for z, a in zip(theirs, plain, strict=True):
        assert_allclose(z.data, a, rtol=1e-12, atol=1e-14)


class Probe(Primitive):
    """The identity, which notes what kind of gradient came back through it."""

    def __init__(self, seen: list[Any]) -> None:
        self.seen = seen

    def forward(self, x: Any) -> Any:
        return x

    def gx(self, gy: Any) -> Any:
        self.seen.append(type(gy))
        return gy


def check_raw_pass(row: Row, case: Case) -> None:
    """Rules give raw arrays in a plain backward pass, Variables in a recorded one."""
    leaves = case.leaves()
    seeds = randoms(row.rng(), case.call(row.reference, leaves))
    for create_graph in (False, True):
        seen: list[Any] = []
        ys = case.call(row.function, [Probe(seen)(x) for x in variables(leaves)])
        ones = [Variable(s) if create_graph else s for s in seeds]
        weighted(ys, ones).backward(create_graph=create_graph)
        where = f"a rule of {row.name}{case}"
        assert len(seen) == len(leaves), f"{row.name}{case}: {len(seen)} gradients arrived"
        if create_graph:
            assert all(issubclass(kind, Variable) for kind in seen), f"{where} was not recorded"
        else:
            assert not any(issubclass(kind, Variable) for kind in seen), (
                f"{where} gave a Variable in a plain pass: slow"
            )


def check_labels_as_variables(row: Row, case: Case) -> None:
    """Integer and boolean arrays may come as Variables: the same numbers, and no gradient."""
    labels: list[Variable] = []

    def wrapped(x: Any) -> Any:
        if isinstance(x, np.ndarray) and x.dtype.kind in "iub":
            labels.append(Variable(x))
            return labels[-1]
        return x

    def call(*args: Any, **kwargs: Any) -> Any:
        labels.clear()
        return row.function(
            *(wrapped(x) for x in args), **{name: wrapped(x) for name, x in kwargs.items()}
        )

    leaves = case.leaves()
    seeds = randoms(row.rng(), case.call(row.reference, leaves))
    results = []
    for function in (row.function, call):
        for create_graph in (False, True):
            xs = variables(leaves)
            ys = case.call(function, xs)
            weighted(ys, seeds).backward(create_graph=create_graph)
            results.append([*(y.data for y in ys), *gradients(xs)])
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            assert_allclose(b, a, rtol=1e-9, atol=1e-11, err_msg=f"{row.name}{case}")
    assert all(t.grad is None for t in labels)


def check_kink(row: Row, kink: Kink) -> None:
    """At ties and kinks the gradient is what the function documents."""
    for create_graph in (False, True):
        xs = variables(kink.case.leaves())
        ys = kink.case.call(row.function, xs)
        seed = np.broadcast_to(np.asarray(kink.seed, float), ys[0].shape)
        weighted(ys, [seed]).backward(create_graph=create_graph)
        for got, expected in zip(gradients(xs), kink.gradients, strict=True):
            assert_allclose(got, expected, rtol=1e-12, err_msg=f"{row.name}{kink.case}")
