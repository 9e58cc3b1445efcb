"""Transformations inside transformations, in every order, with closures over outer levels."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose

from dezero import Variable, no_grad
from dezero.autodiff import (
    checkpoint,
    custom_gradient,
    grad,
    hessian,
    jacobian,
    jvp,
    linearize,
    value_and_grad,
    vjp,
    vmap,
)


@custom_gradient
def sine(x):
    return np.sin(x), lambda gy: gy * np.cos(x)


def derivative_by_custom_gradient(f):
    """Return the derivative of ``f``, found through a function that states it by hand."""
    by_hand = custom_gradient(lambda x: (f(x), lambda gy: gy * grad(f)(x)))
    return grad(by_hand)


DERIVATIVES = {
    "grad": grad,
    "value_and_grad": lambda f: lambda x: value_and_grad(f)(x)[1],
    "jacobian": jacobian,
    "jacobian, forward": lambda f: jacobian(f, mode="forward"),
    "jvp": lambda f: lambda x: jvp(f, (x,), (1.0,))[1],
    "linearize": lambda f: lambda x: linearize(f, x)[1](1.0),
    "vjp": lambda f: lambda x: vjp(f, x)[1](1.0)[0],
    "vmap": lambda f: lambda x: vmap(grad(f))(np.stack([x, 2.0 * x]))[0],
    "vmap, outside": lambda f: lambda x: grad(lambda x: vmap(f)(np.stack([x, 0.5 * x]))[0])(x),
    "checkpoint": lambda f: grad(checkpoint(f)),
    "custom gradient": derivative_by_custom_gradient,
}
"""Ways to the derivative of a function of one number."""

X = 0.7


def third(x):
    """Return the derivatives of sin(x^2) of order 0 to 3."""
    s, c = np.sin(x * x), np.cos(x * x)
    return s, 2 * x * c, 2 * c - 4 * x * x * s, -12 * x * s - 8 * x**3 * c


@pytest.mark.parametrize("names", list(itertools.product(DERIVATIVES, repeat=2)), ids="-".join)
@pytest.mark.parametrize("sin", [np.sin, sine, checkpoint(np.sin)], ids=["np", "hand", "again"])
def test_second_derivatives_by_every_pair(names, sin):
    outer, inner = (DERIVATIVES[name] for name in names)
    found = outer(inner(lambda x: sin(x * x)))(X)
    assert_allclose(found, third(X)[2], rtol=1e-10)


@pytest.mark.parametrize(
    "names", list(itertools.product(DERIVATIVES, repeat=3))[::7], ids="-".join
)
def test_third_derivatives(names):
    f = lambda x: np.sin(x * x)
    for name in names:
        f = DERIVATIVES[name](f)
    assert_allclose(f(X), third(X)[3], rtol=1e-10)


@pytest.mark.parametrize("names", list(itertools.product(DERIVATIVES, repeat=2)), ids="-".join)
def test_closures_over_the_outer_level(names):
    """d/dx [x * d/dy sin(x y) at y = x] = d/dx [x^2 cos(x^2)]."""
    outer, inner = (DERIVATIVES[name] for name in names)
    found = outer(lambda x: x * inner(lambda y: np.sin(x * y))(x))(X)
    expected = 2 * X * np.cos(X * X) - 2 * X**3 * np.sin(X * X)
    assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.parametrize("names", list(itertools.product(DERIVATIVES, repeat=2)), ids="-".join)
def test_perturbations_are_not_confused(names):
    """d/dx [x d/dy (x + y)] = 1, and not 2 (Siskind and Pearlmutter, 2005)."""
    outer, inner = (DERIVATIVES[name] for name in names)
    assert_allclose(outer(lambda x: x * inner(lambda y: x + y)(1.0))(1.0), 1.0)
    assert_allclose(outer(lambda x: inner(lambda y: x)(1.0))(1.0), 0.0)
    assert_allclose(outer(lambda x: inner(lambda y: x * x)(x) + x)(3.0), 1.0)


@pytest.mark.parametrize("inner", DERIVATIVES)
def test_backward_outside(inner):
    x = Variable(np.array(X))
    y = DERIVATIVES[inner](lambda y: np.sin(x * y))(x)  # x cos(x^2)
    y.backward()
    assert_allclose(x.grad.data, np.cos(X * X) - 2 * X * X * np.sin(X * X), rtol=1e-10)


CLOSED = [name for name in DERIVATIVES if name != "custom gradient"]
"""Those in which what a function uses from outside is differentiated."""


@pytest.mark.parametrize("inner", CLOSED)
def test_a_closure_alone(inner):
    w = Variable(np.array(2.0))
    y = DERIVATIVES[inner](lambda x: w * w * x**3)(X)
    y.backward()
    assert_allclose(w.grad.data, 2 * 2.0 * 3 * X * X)


@pytest.mark.parametrize("inner", CLOSED)
def test_a_closure_of_a_closure(inner):
    """Three levels: only the middle one is differentiated twice."""
    derivative = DERIVATIVES[inner]

    def f(a):
        def g(b):
            return derivative(lambda c: a * b * b * c)(1.0) * b

        return grad(g)(a) * a  # 3 a b^2 a at b = a

    assert_allclose(grad(f)(2.0), 12 * 2.0**3)


@pytest.mark.parametrize("name", DERIVATIVES)
def test_branches_and_loops_on_values(name):
    def f(x):
        total, k = 0.0 * x, 0
        while total < 2.0:
            total = total + x * x if x > 0 else total - x
            k += 1
        return total * k

    d = DERIVATIVES[name]
    assert_allclose(d(f)(1.0), 2 * 2 * 2 * 1.0)
    assert_allclose(d(f)(-0.5), -4.0 * 4)
    assert_allclose(d(d(f))(1.0), 2.0 * 2 * 2)


def test_branches_at_all_levels():
    def f(x):
        def inner(y):
            return y * x if (y > x) and (x < 3) else y * y * x

        return grad(inner)(2.0 * x) if x > 0 else jvp(inner, (x,), (1.0,))[1]

    assert grad(f)(1.0) == 1.0
    assert grad(f)(4.0) == 32.0  # d/dx [4 x^2] = 8 x
    assert_allclose(grad(f)(-1.0), 4 * -1.0)  # y y x at y = x: d/dx 2 x^2


def test_branches_inside_vmap():
    f = lambda x: x * x if x > 0 else -x
    x = np.array([-1.0, 2.0, 3.0])
    assert_allclose(vmap(f)(x), [1.0, 4.0, 9.0])
    assert_allclose(vmap(grad(f))(x), [-1.0, 4.0, 6.0])
    assert_allclose(grad(lambda x: np.sum(vmap(f)(x)))(x), [-1.0, 4.0, 6.0])
    assert_allclose(jvp(vmap(f), (x,), (np.ones(3),))[1], [-1.0, 4.0, 6.0])

    def newton(a):
        x = 1.0
        while abs(x * x - a) > 1e-12:
            x = x - (x * x - a) / (2 * x)
        return x

    a = np.array([2.0, 9.0])
    assert_allclose(vmap(newton)(a), np.sqrt(a))
    assert_allclose(vmap(grad(newton))(a), 0.5 / np.sqrt(a), rtol=1e-6)


A = np.array([[1.0, 2.0], [0.5, -1.0], [0.3, 0.8]])


def vector_function(x):
    return np.tanh(A @ x) * x[0]


def test_hessians_by_all_routes():
    f = lambda x: np.sum(vector_function(x) ** 2)
    x = np.array([0.3, -0.2])
    wanted = hessian(f)(x)
    routes = [
        jacobian(jacobian(f)),
        jacobian(grad(f), mode="forward"),
        jacobian(grad(f), mode="reverse"),
        jacobian(jacobian(f, mode="forward"), mode="reverse"),
        jacobian(jacobian(f, mode="forward"), mode="forward"),
        lambda x: vmap(lambda v: jvp(grad(f), (x,), (v,))[1])(np.eye(2)),
        lambda x: vmap(lambda v: vjp(grad(f), x)[1](v)[0])(np.eye(2)),
        lambda x: vmap(linearize(grad(f), x)[1])(np.eye(2)),
        lambda x: vmap(lambda v: grad(lambda y: np.sum(grad(f)(y) * v))(x))(np.eye(2)),
        lambda x: vmap(lambda v: grad(lambda y: jvp(f, (y,), (v,))[1])(x))(np.eye(2)),
        lambda x: jacobian(lambda y: vmap(lambda v: jvp(f, (y,), (v,))[1])(np.eye(2)))(x),
        lambda x: hessian(checkpoint(f))(x),
    ]
    for i, route in enumerate(routes):
        assert_allclose(route(x), wanted, rtol=1e-9, err_msg=f"route {i}")


def test_gradient_of_a_norm_of_a_jacobian():
    f = lambda x: np.sum(jacobian(vector_function)(x) ** 2)
    x, h = np.array([0.3, -0.2]), 1e-5
    steps = h * np.eye(2)
    expected = [(f(x + s) - f(x - s)) / (2 * h) for s in steps]
    assert_allclose(grad(f)(x), expected, rtol=1e-7)
    for mode in ("forward", "reverse"):
        g = grad(lambda x, mode=mode: np.sum(jacobian(vector_function, mode=mode)(x) ** 2))
        assert_allclose(g(x), expected, rtol=1e-7)


def test_a_gradient_step_is_differentiated():
    """Learning to learn: the gradient with respect to the step of an inner descent."""
    loss = lambda w: np.sum((w - 3.0) ** 2)

    def after(rate, steps=3):
        w = np.zeros(2) * rate
        for _ in range(steps):
            w = w - rate * grad(loss)(w)
        return loss(w)

    rate = 0.1  # the distance 3 shrinks by (1 - 2 rate) a step
    assert_allclose(grad(after)(rate), 2 * 9 * 6 * (1 - 2 * rate) ** 5 * -2)


def test_pushing_and_pulling_variables():
    v = Variable(np.array([1.0, 2.0]))
    x = np.array([0.5, 0.2])
    _, dy = jvp(np.sin, (x,), (v,))
    np.sum(dy * dy).backward()
    assert_allclose(v.grad.data, 2 * np.cos(x) ** 2 * v.data)
    v.cleargrad()
    (g,) = vjp(np.sin, x)[1](v)
    np.sum(g * g).backward()
    assert_allclose(v.grad.data, 2 * np.cos(x) ** 2 * v.data)


def test_pullback_after_the_level_ended():
    pullbacks = []

    def f(x):
        y, pullback = vjp(lambda y: np.sin(x * y), x)
        pullbacks.append(pullback)
        return y

    g = grad(f)(X)
    assert_allclose(g, 2 * X * np.cos(X * X))
    (again,) = pullbacks[0](1.0)
    assert_allclose(getattr(again, "data", again), X * np.cos(X * X))


def test_linearize_outlives_its_call():
    _y, push = linearize(lambda x: np.sin(x) * x, np.array([0.3, 0.4]))
    g, J = grad(lambda t: np.sum(push(t) ** 2))(np.ones(2)), jacobian(push)(np.ones(2))
    assert_allclose(g.data / 2, push(np.ones(2)) ** 2)
    assert_allclose(J.data, np.diag(push(np.ones(2))))
    assert_allclose(vmap(push)(np.eye(2)), np.diag(push(np.ones(2))))


def test_no_grad_inside_a_nest():
    def f(x):
        with no_grad():
            slope = grad(lambda y: np.sin(x * y))(x)
        return slope * x

    assert_allclose(grad(f)(X), X * np.cos(X * X))


def test_vmap_of_vmap():
    x, y = np.arange(6.0).reshape(2, 3), np.arange(4.0)
    table = vmap(vmap(lambda a, b: np.sin(a) * b, (0, None)), (0, None))
    assert table(x, 2.0).shape == (2, 3)
    outer = vmap(vmap(lambda a, b: a * b, (None, 0)), (0, None))(x[0], y)
    assert_allclose(outer, np.outer(x[0], y))
    slopes = vmap(vmap(grad(lambda a: np.sin(a) * a)))(x)
    assert_allclose(slopes, np.sin(x) + x * np.cos(x))
    J = jacobian(lambda x: vmap(vmap(lambda a: a * a))(x))(x)
    assert_allclose(J.reshape(6, 6), np.diag(2 * x.ravel()))


def test_per_example_gradients_and_curvatures():
    rng = np.random.default_rng(0)
    W, X, T = rng.normal(size=(3, 2)), rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    loss = lambda W, x, t: np.sum((np.tanh(x @ W) - t) ** 2)
    gs = vmap(grad(loss), (None, 0, 0))(W, X, T)
    hs = vmap(lambda W, x, t: jacobian(grad(loss))(W, x, t), (None, 0, 0))(W, X, T)
    for i in range(5):
        assert_allclose(gs[i], grad(loss)(W, X[i], T[i]))
        assert_allclose(hs[i], jacobian(grad(loss))(W, X[i], T[i]), atol=1e-12)
    assert_allclose(gs.sum(0), grad(lambda W: np.sum(vmap(loss, (None, 0, 0))(W, X, T)))(W))
