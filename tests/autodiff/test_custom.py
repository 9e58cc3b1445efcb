"""custom_gradient, stop_gradient, implicit_root, fixed_point, sparse_jacobian, gradcheck."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import optimize, sparse

import dezero.autodiff.sparse as sparse_module
from dezero import Function, Variable
from dezero.autodiff import (
    custom_gradient,
    fixed_point,
    grad,
    gradcheck,
    gradgradcheck,
    hessian,
    implicit_root,
    jacobian,
    jvp,
    sparse_jacobian,
    stop_gradient,
    vmap,
)
from dezero.core import elementwise
from dezero.core.elementwise import unary


@custom_gradient
def clipped(x):
    """Return x; its gradient is limited to [-1, 1]."""
    return x * 1.0, lambda gy: np.clip(gy, -1.0, 1.0)


def test_a_gradient_by_hand():
    x = Variable(np.array([1.0, 2.0]))
    y = clipped(x)
    np.sum(y * np.array([5.0, 0.5])).backward()
    assert_allclose(x.grad.data, [1.0, 0.5])
    assert_allclose(grad(lambda x: np.sum(clipped(x) * np.array([5.0, 0.5])))(x.data), [1.0, 0.5])


def test_several_arguments_and_results():
    @custom_gradient
    def f(x, n, w):
        return (x * w, x + n), lambda gy: (gy[0] * w + gy[1], None, gy[0] * x)

    x, w = np.array([1.0, 2.0]), np.array([3.0, 5.0])
    total = lambda x, w: np.sum(f(x, 7, w)[0]) + 10 * np.sum(f(x, 7, w)[1])
    gx, gw = grad(total, argnums=(0, 1))(x, w)
    assert_allclose(gx, w + 10)
    assert_allclose(gw, x)


def test_nested_arguments():
    @custom_gradient
    def f(p):
        return p["a"] * p["b"][0], lambda gy: {"a": gy * 100, "b": [None]}

    g = grad(f)({"a": 2.0, "b": [3.0]})
    assert g["a"] == 100.0
    assert g["b"][0] == 0.0


def test_mistakes_of_a_custom_gradient():
    with pytest.raises(TypeError, match="value, pullback"):
        grad(custom_gradient(lambda x: x))(1.0)
    with pytest.raises(ValueError, match="2 gradients for 1 arguments"):
        grad(custom_gradient(lambda x: (x, lambda gy: (gy, gy))))(1.0)


def test_a_gradient_by_hand_in_forward_mode_and_vmap():
    x = np.array([0.3, 0.4])
    f = custom_gradient(lambda x: (np.sin(x), lambda gy: 2 * gy * np.cos(x)))  # twice the slope
    assert_allclose(jvp(f, (x,), (np.ones(2),))[1], 2 * np.cos(x))
    assert_allclose(vmap(grad(f))(x), 2 * np.cos(x))
    assert_allclose(vmap(f)(x), np.sin(x))
    assert_allclose(grad(lambda x: np.sum(vmap(f)(x)))(x), 2 * np.cos(x))
    assert_allclose(hessian(lambda x: np.sum(f(x)))(x), np.diag(-2 * np.sin(x)))


def test_custom_gradients_of_complex_numbers():
    z = np.array([1.0 + 2.0j])
    f = custom_gradient(lambda z: (np.abs(z) ** 2, lambda gy: 2 * gy * z))
    assert_allclose(grad(lambda z: np.sum(f(z)))(z), 2 * z)


def test_stop_gradient_of_structures():
    x = Variable(np.ones(2))
    kept = stop_gradient({"a": [x * 2, None], "b": 3})
    assert not kept["a"][0].requires_grad
    assert kept["b"] == 3
    assert stop_gradient(2.0) == 2.0


def root_of_quadratic():
    solve = lambda b, c: optimize.brentq(lambda x: x * x + b * x + c, 0, 100, xtol=1e-15)
    return implicit_root(lambda x, b, c: x * x + b * x + c, solve)


def test_implicit_root_against_the_closed_form():
    root, closed = root_of_quadratic(), lambda b, c: (-b + np.sqrt(b * b - 4 * c)) / 2
    b, c = 1.5, -2.0
    assert_allclose(root(b, c), closed(b, c))
    assert_allclose(grad(root, argnums=(0, 1))(b, c), grad(closed, argnums=(0, 1))(b, c))
    for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
        second = grad(lambda *p, i=i: grad(root, argnums=i)(*p), argnums=j)(b, c)
        wanted = grad(lambda *p, i=i: grad(closed, argnums=i)(*p), argnums=j)(b, c)
        assert_allclose(second, wanted, rtol=1e-9)


def test_implicit_root_of_several_unknowns():
    M = np.array([[3.0, 1.0], [0.5, 2.0]])
    root = implicit_root(
        lambda x, p: M @ x + x**3 - p,
        lambda p: optimize.fsolve(lambda x: M @ x + x**3 - p, np.zeros(2), xtol=1e-14),
    )
    p = np.array([1.0, -2.0])
    x = root(p)
    inverse = np.linalg.inv(M + np.diag(3 * x**2))
    assert_allclose(jacobian(root)(p), inverse, rtol=1e-9)
    assert_allclose(jvp(root, (p,), (np.ones(2),))[1], inverse @ np.ones(2), rtol=1e-9)
    v = Variable(p)
    np.sum(root(v)).backward()
    assert_allclose(v.grad.data, inverse.T @ np.ones(2), rtol=1e-9)


def test_implicit_root_of_nested_parameters():
    root = implicit_root(lambda x, p: x * p["a"] - p["b"], lambda p: p["b"] / p["a"])
    g = grad(root)({"a": 2.0, "b": 3.0})
    assert_allclose(g["a"], -0.75)
    assert_allclose(g["b"], 0.5)


def test_fixed_points():
    root = lambda a: fixed_point(lambda x, a: 0.5 * (x + a / x), 1.0, a)
    assert_allclose(root(2.0), np.sqrt(2))
    assert_allclose(grad(root)(2.0), 0.5 / np.sqrt(2))
    assert_allclose(grad(grad(root))(2.0), -0.25 * 2.0**-1.5)
    assert_allclose(vmap(grad(root))(np.array([1.0, 4.0])), [0.5, 0.25])
    with pytest.raises(RuntimeError, match="after 10 steps"):
        fixed_point(lambda x: x + 1.0, 0.0, max_steps=10)


def test_fixed_points_of_layers_of_networks():
    W, x = np.array([[0.2, -0.3], [0.4, 0.1]]), np.array([1.0, -0.5])
    f = lambda W: fixed_point(lambda z, W: np.tanh(W @ z + x), np.zeros(2), W)

    def unrolled(W):
        z = np.zeros(2)
        for _ in range(60):
            z = np.tanh(W @ z + x)
        return z

    assert_allclose(jacobian(f)(W), jacobian(unrolled)(W), rtol=1e-7)


def tridiagonal(x):
    left, right = np.concatenate([np.zeros(1), x[:-1]]), np.concatenate([x[1:], np.zeros(1)])
    return x**2 * left + np.sin(right) * x


def banded(x):
    padded = np.concatenate([np.zeros(2), x, np.zeros(2)])
    return sum(np.sin(padded[k : k + len(x)] * (k + 1)) for k in range(5))


def arrow(x):
    first = np.reshape(np.sum(x**2), (1,))
    return np.concatenate([first, x[1:] * x[0] + x[1:] ** 3])


N = 9
PATTERNS = {
    "diagonal": (lambda x: x**3, np.eye(N), 1),
    "tridiagonal": (tridiagonal, np.tri(N, k=1) - np.tri(N, k=-2), 3),
    "banded": (banded, np.tri(N, k=2) - np.tri(N, k=-3), 5),
    "arrow": (arrow, np.eye(N) + (np.arange(N) == 0) + (np.arange(N) == 0)[:, None], 9),
    "one row": (lambda x: np.sum(x**2), np.ones((1, N)), 1),
    "one column": (lambda x: x[0] ** 2 * np.arange(N), np.eye(N)[:1].repeat(N, 0), 1),
    "wide": (lambda x: x[: N // 3] * x[N // 3 : 2 * (N // 3)], None, 1),
}


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array, sparse.coo_matrix])
def test_sparse_jacobians(name, form, monkeypatch):
    f, pattern, passes = PATTERNS[name]
    if pattern is None:
        pattern = np.eye(N // 3, N) + np.eye(N // 3, N, N // 3)
    counts = []
    real = sparse_module.vmap

    def counted(function):
        def call(seeds):
            counts.append(len(seeds))
            return real(function)(seeds)

        return call

    monkeypatch.setattr(sparse_module, "vmap", counted)
    x = np.linspace(0.2, 1.4, N)
    J = sparse_jacobian(f, form(pattern))(x)
    assert isinstance(J, sparse.csr_array)
    assert_allclose(J.toarray(), jacobian(f)(x).reshape(J.shape), atol=1e-14)
    assert counts == [passes]


def test_a_sparse_jacobian_of_another_size():
    with pytest.raises(ValueError, match=r"\(3, 3\)"):
        sparse_jacobian(lambda x: x, np.eye(4))(np.ones(3))
    with pytest.raises(TypeError, match="one array"):
        sparse_jacobian(lambda x: (x, x), np.eye(3))(np.ones(3))


Twice = elementwise("Twice", np.square, gx=lambda gy, x: gy * 4 * x)
Frozen = elementwise(
    "Frozen", np.sin, gx=lambda gy, x: gy * np.cos(x.data if isinstance(x, Variable) else x)
)


class Unsound(Function):
    """Right backwards at first order, wrong in the second argument."""

    def forward(self, x, w):
        return x * w

    def backward(self, gy):
        x, w = self.inputs
        return gy * w, gy * x * 1.01


def test_gradcheck_passes_what_is_right():
    x = np.array([[0.3, 0.5], [0.2, 0.9]])
    assert gradcheck(lambda x: np.tanh(x) @ x, x)
    assert gradgradcheck(lambda x, n: np.sum(x**n), x, 3)
    assert gradcheck(lambda p: p["a"] * p["b"][0], {"a": x, "b": [x]}, order=3)
    assert gradcheck(lambda z: z * z + np.sin(z), np.array([0.3 + 0.4j]), order=2)
    assert gradcheck(lambda z: np.abs(z) ** 2, np.array([0.3 + 0.4j]), order=2)
    assert gradcheck(np.sin, np.ones(2, np.float32))
    assert gradcheck(lambda x: (x * x, np.sum(x)), x)


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_gradcheck_finds_errors_in_each_mode(mode):
    with pytest.raises(ArithmeticError, match=f"derivative 1 for argument 0.*by {mode} mode"):
        gradcheck(lambda x: unary(Twice, x), np.ones(3), modes=(mode,))
    with pytest.raises(ArithmeticError, match=f"derivative 1 for argument 2.*by {mode} mode"):
        gradcheck(lambda x, n, w: Unsound()(x, w) * n, np.ones(3), 2, np.ones(3), modes=[mode])


def test_gradcheck_finds_errors_of_second_order():
    assert gradcheck(lambda x: unary(Frozen, x), np.ones(3))
    with pytest.raises(ArithmeticError, match="derivative 2"):
        gradgradcheck(lambda x: unary(Frozen, x), np.ones(3))
    with pytest.raises(ArithmeticError, match="derivative 2"):
        gradcheck(
            custom_gradient(lambda x: (np.sin(x), lambda gy: gy * np.cos(x.data))),
            np.ones(2),
            order=2,
        )


def test_gradcheck_names_the_array():
    with pytest.raises(ArithmeticError, match="array 1 of argument 0"):
        gradcheck(lambda p: p[0] + unary(Twice, p[1]), [np.ones(2), np.ones(2)])


def test_gradcheck_of_nothing():
    with pytest.raises(TypeError, match="no argument"):
        gradcheck(lambda n: n, 3)
    with pytest.raises(ValueError, match="order"):
        gradcheck(np.sin, 1.0, order=0)
    with pytest.raises(ValueError, match="modes"):
        gradcheck(np.sin, 1.0, modes=("backward",))
