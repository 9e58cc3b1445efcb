"""autograd's names: its calling conventions, and its results where it is installed."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import dezero.numpy as dnp
from dezero.autodiff import compat

X = np.array([0.5, -1.0, 2.0])
A = np.array([[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]])
V = np.array([1.0, 10.0, 100.0])


def scalar(x, scale=2.0):
    return scale * np.sum(x**3) + x[0] * x[1]


def vector(x):
    return np.tanh(A @ x)


def both(name):
    """Return dezero's function of that name, and autograd's."""
    autograd = pytest.importorskip("autograd")
    return getattr(compat, name), getattr(autograd, name)


def test_every_name_of_autograd_is_there():
    autograd = pytest.importorskip("autograd")
    modules = {
        "builtins", "core", "differential_operators", "extend", "numpy", "tracer", "util",
        "wrap_util", "scipy", "misc", "test_util", "primitive", "annotations",
    }  # fmt: skip
    names = {name for name in dir(autograd) if not name.startswith("_")} - modules
    assert names - set(dir(compat)) == set()
    assert set(compat.__all__) <= set(dir(compat))


def test_argnum_is_a_number_or_several():
    def f(x, y, power=2):
        return np.sum(x * y**power)

    assert_array_equal(compat.grad(f)(X, V), V**2)
    assert_array_equal(compat.grad(f, argnum=1)(X, V, power=3), 3 * X * V**2)
    gx, gy = compat.grad(f, (0, 1))(X, V)
    assert_array_equal(gx, V**2)
    assert_array_equal(gy, 2 * X * V)
    assert_array_equal(compat.grad_named(f, "y")(X, V), 2 * X * V)
    assert set(compat.multigrad_dict(lambda x, y: np.sum(x * y))(X, y=V)) == {"x", "y"}
    with pytest.raises(ValueError, match="argnums"):
        compat.grad(f, 2)(X, V)


@pytest.mark.parametrize(
    ("name", "function", "args"),
    [
        ("grad", scalar, (X,)),
        ("jacobian", vector, (X,)),
        ("hessian", scalar, (X,)),
        ("hessian", vector, (X,)),
        ("elementwise_grad", np.tanh, (X,)),
        ("hessian_tensor_product", scalar, (X, V)),
        ("hessian_vector_product", scalar, (X, V)),
        ("tensor_jacobian_product", vector, (X, np.ones(2))),
        ("vector_jacobian_product", vector, (X, np.ones(2))),
        ("grad", lambda z: np.real(z * z * (1 + 2j)), (1 + 2j,)),
        ("grad", lambda z: np.abs(z) ** 3, (1 + 2j,)),
        ("holomorphic_grad", np.sin, (1 + 2j,)),
        ("deriv", np.sin, (0.5,)),
    ],
)
def test_results_are_autograds(name, function, args):
    ours, theirs = both(name)
    for_autograd = _on_autograds_numpy(function)
    assert_allclose(ours(function)(*args), theirs(for_autograd)(*args), rtol=1e-12, atol=1e-14)


def _on_autograds_numpy(function):
    """Return ``function`` with autograd's NumPy for its global name ``np``."""
    anp = pytest.importorskip("autograd.numpy")
    if isinstance(function, np.ufunc):
        return getattr(anp, function.__name__)
    code = type(function)(function.__code__, {**globals(), "np": anp})
    code.__defaults__ = function.__defaults__
    return code


def test_makers_give_functions_of_the_point():
    vjp, y = compat.make_vjp(vector)(X)
    assert_allclose(y, vector(X))
    J = compat.jacobian(vector)(X)
    assert_allclose(vjp(np.array([1.0, 5.0])), np.array([1.0, 5.0]) @ J)
    y, dy = compat.make_jvp(vector)(X)(V)
    assert_allclose(dy, J @ V)
    assert_allclose(y, vector(X))
    assert_allclose(compat.make_jvp_reversemode(vector)(X)(V), J @ V)
    hvp, gradient = compat.make_hvp(scalar)(X)
    assert_allclose(gradient, compat.grad(scalar)(X))
    assert_allclose(hvp(V), compat.hessian(scalar)(X) @ V)
    assert_allclose(compat.make_ggnvp(vector)(X)(V), J.T @ (J @ V))
    weighted = compat.make_ggnvp(vector, lambda y: np.sum(y**2))
    assert_allclose(weighted(X)(V), 2 * J.T @ (J @ V))


def test_value_and_aux():
    value, gradient = compat.value_and_grad(scalar)(X)
    assert value == scalar(X)
    assert_array_equal(gradient, compat.grad(scalar)(X))
    gradient, aux = compat.grad_and_aux(lambda x: (np.sum(x**2), x + 1))(X)
    assert_array_equal(gradient, 2 * X)
    assert_array_equal(aux, X + 1)


def test_gradients_of_gradients():
    def inner(x):
        return np.sum(compat.grad(lambda x: np.sum(x**3))(x) ** 2)

    assert_allclose(compat.grad(inner)(X), 36 * X**3)


def test_check_grads():
    compat.check_grads(vector)(X)
    compat.check_grads(lambda x, n: x**n, modes=["fwd"], order=1)(X, 3)
    compat.check_grads(lambda t: t[0] * t[1]["a"], modes=["rev"])((2.0, {"a": X}))
    with pytest.raises(AssertionError, match="differences give"):
        compat.check_grads(lambda x: np.where(x > 0, x.data, x), modes=["rev"], order=1)(X)


def test_flatten():
    tree = {"b": [X, (2.0, A)], "a": np.array(7.0), "none": []}
    flat, unflatten = compat.flatten(tree)
    assert_array_equal(flat, [7.0, *X, 2.0, *A.ravel()])
    back = unflatten(flat + 1)
    assert list(back) == list(tree)
    assert_array_equal(back["b"][1][1], A + 1)
    assert type(back["b"][1]) is tuple
    assert compat.flatten([])[0].shape == (0,)
    g = compat.grad(lambda t: np.sum(compat.flatten(t)[0] ** 2))(tree)
    assert_array_equal(g["b"][1][1], 2 * A)
    assert_array_equal(compat.flatten(g)[0], 2 * flat)


@pytest.mark.parametrize("name", ["sgd", "rmsprop", "adam"])
def test_optimisers(name):
    start = {"x": X, "more": [A]}

    def gradient(p, i):
        return {"x": (p["x"] - 1) * (i + 1), "more": [p["more"][0] ** 3]}

    seen = []
    found = getattr(compat, name)(
        gradient, start, lambda p, i, g: seen.append((i, g["x"][0])), num_iters=7, step_size=0.05
    )
    assert [i for i, _ in seen] == list(range(7))
    assert seen[0][1] == X[0] - 1
    assert_array_equal(start["x"], [0.5, -1.0, 2.0])
    optimizers = pytest.importorskip("autograd.misc.optimizers")
    expected = getattr(optimizers, name)(gradient, start, num_iters=7, step_size=0.05)
    assert_allclose(found["x"], expected["x"], rtol=1e-12)
    assert_allclose(found["more"][0], expected["more"][0], rtol=1e-12)


def test_gradients_through_an_optimiser():
    def reached(rate):
        end = compat.sgd(lambda x, i: 2 * x, dnp.array([rate * 0 + 1.0]), None, 3, rate, 0.5)
        return end[0]

    h = 1e-5
    slope = (reached(0.1 + h) - reached(0.1 - h)) / (2 * h)
    assert_allclose(compat.grad(reached)(0.1), slope, rtol=1e-8)


def test_checkpoint():
    assert_allclose(
        compat.grad(lambda x: np.sum(compat.checkpoint(vector)(x)))(X),
        compat.grad(lambda x: np.sum(vector(x)))(X),
    )
