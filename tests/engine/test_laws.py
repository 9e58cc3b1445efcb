"""Laws that hold for every graph, checked by Hypothesis."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

import dezero.functions as F
from dezero.core import Variable
from dezero.core.shapes import sum_to

law = settings(max_examples=60, deadline=None)
seeds = st.integers(0, 2**32 - 1)
shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
pairs = hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=4, min_side=0)
OPERATIONS = st.sampled_from([F.add, F.sub, F.mul, F.div, F.pow, F.maximum, F.minimum])


def draw(seed: int, *shapes: tuple[int, ...]) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.uniform(0.5, 2.0, shape)) for shape in shapes]


def pull(function, arrays, seed, create_graph=False) -> list[np.ndarray]:
    """Return the gradient of each array from the seed of the result."""
    xs = [Variable(a) for a in arrays]
    y = function(*xs)
    y.grad = Variable(np.asarray(seed))
    y.backward(create_graph=create_graph)
    return [x.grad.data for x in xs]


def smooth(x, w):
    return F.tanh(x * w) / (1 + F.sum(x * x)) + F.exp(-w) * x


@law
@given(shapes, seeds, st.floats(-3, 3), st.floats(-3, 3))
def test_a_gradient_is_linear_in_its_seed(shape, seed, a, b):
    x, w, g, h = draw(seed, shape, shape, shape, shape)
    left = pull(smooth, [x, w], a * g + b * h)
    for l, m, n in zip(left, pull(smooth, [x, w], g), pull(smooth, [x, w], h), strict=True):
        assert_allclose(l, a * m + b * n, rtol=1e-9, atol=1e-12)


@law
@given(shapes, seeds)
def test_a_recorded_pass_agrees_with_a_plain_one(shape, seed):
    x, w, g = draw(seed, shape, shape, shape)
    plain = pull(smooth, [x, w], g)
    for a, b in zip(plain, pull(smooth, [x, w], g, create_graph=True), strict=True):
        assert_allclose(a, b, rtol=1e-12, atol=1e-15)


@law
@given(pairs, seeds)
def test_broadcasting_and_summing_are_adjoint(broadcast, seed):
    small, big = broadcast.input_shapes[0], broadcast.result_shape
    x, y = draw(seed, small, big)
    assert_allclose(np.sum(F.broadcast_to(x, big).data * y), np.sum(x * F.sum_to(y, small).data))
    assert F.sum_to(y, small).shape == small
    (gx,) = pull(lambda v: F.broadcast_to(v * 1.0, big), [x], y)
    assert_allclose(gx, sum_to(y, small))
    (gy,) = pull(lambda v: F.sum_to(v * 1.0, small), [y], x)
    assert_allclose(gy, np.broadcast_to(x, big))


@law
@given(pairs, seeds, OPERATIONS)
def test_broadcasting_in_an_operator_is_broadcasting_before_it(broadcast, seed, operation):
    s0, s1 = broadcast.input_shapes
    big = broadcast.result_shape
    x, y, g = draw(seed, s0, s1, big)
    implied = pull(operation, [x, y], g)
    spelled = pull(
        lambda a, b: operation(F.broadcast_to(a, big), F.broadcast_to(b, big)), [x, y], g
    )
    for a, b, original in zip(implied, spelled, (x, y), strict=True):
        assert a.shape == original.shape
        assert_allclose(a, b, rtol=1e-10, atol=1e-12)


@law
@given(shapes, seeds, OPERATIONS)
def test_a_variable_used_twice_gets_the_sum_of_two_gradients(shape, seed, operation):
    x, g = draw(seed, shape, shape)
    (both,) = pull(lambda v: operation(v, v), [x], g)
    once = pull(operation, [x, x.copy()], g)
    assert_allclose(both, once[0] + once[1], rtol=1e-12)


@law
@given(st.data(), seeds)
def test_reading_and_adding_at_an_index_are_adjoint(data, seed):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=4))
    index = data.draw(
        st.one_of(
            hnp.basic_indices(shape, allow_newaxis=True),
            hnp.integer_array_indices(shape),
            hnp.arrays(
                np.int64,
                hnp.array_shapes(max_dims=2),
                elements=st.integers(-shape[0], shape[0] - 1),
            ),
        )
    )
    (x,) = draw(seed, shape)
    (y,) = draw(seed, np.shape(x[index]))
    got = Variable(x)[index]
    assert_array_equal(got.data, x[index])
    (gx,) = pull(lambda v: v[index], [x], y)
    expected = np.zeros(shape)
    np.add.at(expected, index, y)
    assert_allclose(gx, expected, rtol=1e-12)


@law
@given(st.data(), seeds)
def test_sums_along_any_axes(data, seed):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4))
    axis = data.draw(st.one_of(st.none(), hnp.valid_tuple_axes(len(shape))))
    keepdims = data.draw(st.booleans())
    (x,) = draw(seed, shape)
    y = x.sum(axis=axis, keepdims=keepdims)
    (g,) = draw(seed, y.shape)
    got = F.sum(Variable(x), axis, keepdims)
    assert_allclose(got.data, y)
    (gx,) = pull(lambda v: F.sum(v, axis, keepdims), [x], g)
    full = g if keepdims or axis is None else np.expand_dims(g, axis)
    assert_array_equal(gx, np.broadcast_to(full, shape))


@law
@given(st.data(), seeds)
def test_maxima_give_each_gradient_to_the_elements_that_won(data, seed):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=4))
    axis = data.draw(st.one_of(st.none(), hnp.valid_tuple_axes(len(shape), min_size=1)))
    x = data.draw(hnp.arrays(np.float64, shape, elements=st.integers(0, 3).map(float)))
    for function, plain in ((F.max, np.max), (F.min, np.min)):
        y = plain(x, axis=axis, keepdims=True)
        (g,) = draw(seed, y.shape)
        (gx,) = pull(lambda v, f=function: f(v, axis, True), [x], g)
        assert_allclose(np.sum(gx, axis=axis, keepdims=True), g)
        assert np.all(gx[x != np.broadcast_to(y, shape)] == 0)


@law
@given(
    hnp.mutually_broadcastable_shapes(signature=np.matmul.signature, max_dims=2, max_side=3), seeds
)
def test_products_of_stacks_of_matrices(broadcast, seed):
    s0, s1 = broadcast.input_shapes
    assume(all(s0) and all(s1))
    x, w = draw(seed, s0, s1)
    y = np.matmul(x, w)
    (g,) = draw(seed, y.shape)
    assert_allclose(F.matmul(x, w).data, y, rtol=1e-12)
    gx, gw = pull(F.matmul, [x, w], g)
    for gradient, array, other in ((gx, x, "x"), (gw, w, "w")):
        (d,) = draw(seed + 1, array.shape)
        moved = np.matmul(d, w) if other == "x" else np.matmul(x, d)
        assert_allclose(np.sum(gradient * d), np.sum(moved * g), rtol=1e-9)


def program(seed: int, steps: int):
    """Return a random composition of NumPy's functions, which serves arrays and Variables."""

    def run(*xs):
        rng = np.random.default_rng(seed)
        pool = list(xs)
        for _ in range(steps):
            a, b = (pool[rng.integers(len(pool))] for _ in range(2))
            y = STEPS[rng.integers(len(STEPS))](a, b)
            pool.append(np.tanh(np.mean(y, axis=0) if y.size > 200 else y))
        return np.sum(pool[-1] * 1.0) + np.sum(pool[-2] * 0.5)

    return run


STEPS = [
    lambda a, b: np.tanh(a),
    lambda a, b: np.mean(a) * b,
    lambda a, b: a + np.sum(b),
    lambda a, b: np.tanh(a * a) - a,
    lambda a, b: np.mean(a) / (2 + b * b),
    lambda a, b: np.sqrt(1 + np.square(a)),
    lambda a, b: np.exp(np.sin(a) * 0.5),
    lambda a, b: np.reshape(a, -1),
    lambda a, b: np.swapaxes(a, 0, -1) if a.ndim else -a,
    lambda a, b: np.var(a, axis=0) if a.ndim else np.tanh(a) ** 3,
    lambda a, b: a[..., ::-1] if a.ndim else a,
    lambda a, b: a[np.array([0, 0, -1])] if a.ndim else 2.0 ** np.tanh(a),
    lambda a, b: np.concatenate([a, a * 0.5]) if a.ndim else a,
    lambda a, b: np.stack([a, np.cos(a)], axis=-1) if a.ndim < 3 else a,
    lambda a, b: np.tanh(np.matmul(a, np.swapaxes(a, -1, -2))) if a.ndim > 1 else a,
    lambda a, b: np.split(a, [1])[0] if a.ndim else a,
    lambda a, b: np.broadcast_to(a, (2, *a.shape)) if a.ndim < 3 else a,
]


@law
@given(seeds, st.integers(2, 12))
def test_random_programs_have_the_derivatives_that_differences_show(seed, steps):
    run = program(seed, steps)
    x, w, d, e = draw(seed, (2, 3), (3,), (2, 3), (3,))

    def slope(f, h=1e-4):
        near, far = f(h) - f(-h), f(2 * h) - f(-2 * h)
        return (8 * near - far) / (12 * h)

    def first(t, create_graph=False):
        v, u = Variable(x + t * d), Variable(w + t * e)
        run(v, u).backward(create_graph=create_graph)
        inner = sum(F.sum(g.grad * s) for g, s in ((v, d), (u, e)) if g.grad is not None)
        v.cleargrad(), u.cleargrad()
        return inner, v, u

    def along(t):
        return float(first(t)[0].data)

    assert_allclose(along(0.0), slope(lambda t: run(x + t * d, w + t * e)), rtol=1e-5, atol=1e-5)
    inner, v, u = first(0.0, create_graph=True)
    if inner.creator is not None:
        inner.backward()
        got = sum(np.sum(g.grad.data * s) for g, s in ((v, d), (u, e)) if g.grad is not None)
        assert_allclose(got, slope(along), rtol=1e-4, atol=1e-4)
