"""grad, value_and_grad, vjp, jvp, linearize, jacobian: arguments, results and errors."""

from __future__ import annotations

import threading
from collections import namedtuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import dezero.functions as F
from dezero import Config, Function, Parameter, Variable, no_grad
from dezero.autodiff import (
    elementwise_grad,
    ggnvp,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    linearize,
    stop_gradient,
    value_and_grad,
    vjp,
    vmap,
)
from dezero.core.levels import active_floors
from dezero.layers import Linear

Point = namedtuple("Point", ["x", "y"])


def data(x):
    """Return the array of a gradient for a Variable: it is a Variable in turn."""
    assert isinstance(x, Variable)
    return x.data


A = np.array([[2.0, 1.0], [0.5, 3.0]])


def test_gradient_of_plain_numpy_code():
    x = np.array([0.1, 0.7])
    g = grad(lambda x: np.sum(np.sin(x) * np.exp(x)))(x)
    assert type(g) is np.ndarray
    assert_allclose(g, (np.sin(x) + np.cos(x)) * np.exp(x))


def test_gradient_of_a_number_is_a_number():
    g = grad(np.tanh)(0.5)
    assert isinstance(g, np.float64)
    assert_allclose(g, 1 - np.tanh(0.5) ** 2)


def test_arguments_outside_argnums_arrive_as_they_were_given():
    seen = []

    def f(x, n, items, flag, *, name):
        seen.append((type(n), items, flag, name))
        return np.sum(x**n) + len(items)

    items = [1, "a", None]
    g = grad(f)(np.array([1.0, 2.0]), 3, items, True, name="it")
    assert_allclose(g, [3.0, 12.0])
    assert seen[0][0] is int
    assert seen[0][1] is items
    assert seen[0][2] is True


def test_a_tuple_of_argnums_gives_a_tuple():
    f = lambda x, y, z: np.sum(x * y) + z
    g = grad(f, argnums=(2, 0))(np.ones(2), np.array([3.0, 4.0]), 1.0)
    assert type(g) is tuple
    assert_allclose(g[0], 1.0)
    assert_allclose(g[1], [3.0, 4.0])
    assert type(grad(f, argnums=(1,))(np.ones(2), np.ones(2), 1.0)) is tuple
    assert_allclose(grad(f, argnums=-1)(np.ones(2), np.ones(2), 1.0), 1.0)


@pytest.mark.parametrize("transform", [grad, value_and_grad, jacobian])
def test_argnums_out_of_range(transform):
    with pytest.raises(ValueError, match="argnums=1 with 1 positional"):
        transform(np.sum, argnums=1)(np.ones(2))


@pytest.mark.parametrize("x", [1, np.arange(3), True, np.array(1)])
@pytest.mark.parametrize("transform", [grad, value_and_grad, jacobian, elementwise_grad])
def test_integers_are_refused(transform, x):
    with pytest.raises(TypeError, match=r"1\.0 instead of 1.*argnums"):
        transform(np.sum)(x)


def test_integers_are_refused_by_products():
    for call in (
        lambda: vjp(np.sum, 1),
        lambda: jvp(np.sum, (1,), (1.0,)),
        lambda: linearize(np.sum, 1),
        lambda: grad(lambda d: d["a"])({"a": 1}),
    ):
        with pytest.raises(TypeError, match="argnums"):
            call()


def test_things_that_are_no_arrays_are_refused():
    with pytest.raises(TypeError, match="grad: got str"):
        grad(lambda x: x)("one")


def test_values_that_are_not_one_number_are_refused():
    with pytest.raises(TypeError, match=r"float64 \(2,\).*one real number"):
        grad(lambda x: x)(np.ones(2))
    with pytest.raises(TypeError, match="tuple"):
        grad(lambda x: (x, x))(1.0)
    with pytest.raises(TypeError, match="complex128"):
        grad(lambda z: z)(1.0j)
    with pytest.raises(TypeError, match="str"):
        grad(lambda x: "a")(1.0)
    with pytest.raises(TypeError, match="NoneType"):
        grad(lambda x: None)(1.0)


def test_constants_have_zero_gradients():
    assert_array_equal(grad(lambda x: 3.0)(np.ones(2)), [0.0, 0.0])
    assert_array_equal(grad(lambda x: 3)(np.ones(2)), [0.0, 0.0])
    assert_array_equal(jacobian(lambda x: np.ones(3))(np.ones(2)), np.zeros((3, 2)))
    assert_array_equal(jacobian(lambda x: np.ones(1))(np.ones(2)), np.zeros((1, 2)))
    _, dy = jvp(lambda x: np.ones(3), (np.ones(2),), (np.ones(2),))
    assert_array_equal(dy, np.zeros(3))
    _y, pullback = vjp(lambda x: np.ones(3), np.ones(2))
    assert_array_equal(pullback(np.ones(3))[0], np.zeros(2))
    assert_array_equal(hessian(lambda x: np.sum(x))(np.ones(2)), np.zeros((2, 2)))
    assert grad(grad(lambda x: 2.0 * x))(1.0) == 0


def test_a_value_that_is_the_argument():
    x = np.array([1.0, 2.0])
    y, dy = jvp(lambda x: x, (x,), (np.array([3.0, 4.0]),))
    assert_array_equal(y, x)
    assert_array_equal(dy, [3.0, 4.0])
    y, pullback = vjp(lambda x: (x, x), x)
    (g,) = pullback((np.array([1.0, 2.0]), np.array([10.0, 20.0])))
    assert_array_equal(g, [11.0, 22.0])
    assert_array_equal(jacobian(lambda x: x)(x), np.eye(2))
    assert grad(lambda x: x)(2.0) == 1.0


def test_the_same_array_twice():
    x = np.array([1.0, 2.0])
    g0, g1 = grad(lambda a, b: np.sum(a * a * b), argnums=(0, 1))(x, x)
    assert_array_equal(g0, 2 * x * x)
    assert_array_equal(g1, x * x)
    assert_array_equal(grad(lambda p: np.sum(p[0] * p[1]))([x, x])[0], x)


def test_results_share_no_memory():
    x, v = np.array([1.0, 2.0]), np.array([1.0, 1.0])
    g0, g1 = grad(lambda a, b: np.sum(a + b), argnums=(0, 1))(x, x)
    assert not np.shares_memory(g0, g1)
    g0[0] = 7.0
    assert g1[0] == 1.0
    _, dy = jvp(lambda x: x, (x,), (v,))
    assert not np.shares_memory(dy, v)
    (g,) = vjp(lambda x: x, x)[1](v)
    assert not np.shares_memory(g, v)
    _, (da, db) = jvp(lambda x: (x, np.reshape(x, (2, 1))), (x,), (v,))
    assert not np.shares_memory(da, db)
    g = grad(lambda x: np.sum(np.broadcast_to(x, (3, 2))))(x)
    assert g.flags.writeable


def test_pullbacks_and_linear_maps_can_be_called_again():
    x = np.array([1.0, 2.0])
    _, pullback = vjp(lambda x: A @ (x * x), x)
    first = pullback(np.array([1.0, 0.0]))[0].copy()
    pullback(np.array([0.0, 5.0]))
    assert_array_equal(pullback(np.array([1.0, 0.0]))[0], first)
    _y, push = linearize(lambda x: A @ (x * x), x)
    assert_allclose(push(np.array([1.0, 0.0])), A @ [2.0, 0.0])
    assert_allclose(push(np.array([0.0, 1.0])), A @ [0.0, 4.0])
    assert_allclose(push(np.array([1.0, 0.0])), A @ [2.0, 0.0])


def test_nested_arguments_and_results():
    params = {"w": [np.ones((2, 2)), None], "b": (np.zeros(2), 3.0), "p": Point(1.0, np.ones(2))}

    def f(params):
        h = params["w"][0] @ np.ones(2) + params["b"][0] * params["b"][1]
        return np.sum(h) * params["p"].x + np.sum(params["p"].y ** 2)

    g = grad(f)(params)
    assert list(g) == ["w", "b", "p"]
    assert g["w"][1] is None
    assert type(g["w"]) is list
    assert type(g["b"]) is tuple
    assert type(g["p"]) is Point
    assert_array_equal(g["w"][0], np.ones((2, 2)))
    assert_array_equal(g["b"][0], [3.0, 3.0])
    assert_array_equal(g["p"].y, [2.0, 2.0])
    assert g["p"].x == 4.0


def test_nested_results():
    f = lambda x: {"a": x**2, "b": [np.sum(x), Point(x, 2.0)]}
    x = np.array([1.0, 3.0])
    y, dy = jvp(f, (x,), (np.array([1.0, 0.0]),))
    assert_array_equal(y["a"], [1.0, 9.0])
    assert_array_equal(dy["a"], [2.0, 0.0])
    assert dy["b"][0] == 1.0
    assert type(dy["b"][1]) is Point
    assert dy["b"][1].y == 0
    J = jacobian(f)(x)
    assert_array_equal(J["a"], np.diag(2 * x))
    assert_array_equal(J["b"][0], [1.0, 1.0])
    J = jacobian(lambda p: p["u"] * np.sum(p["v"]))({"u": np.ones(2), "v": np.ones(3)})
    assert_array_equal(J["u"], 3 * np.eye(2))
    assert_array_equal(J["v"], np.ones((2, 3)))


def test_jacobians_of_tuples_of_argnums():
    f = lambda x, y: np.outer(x, y)
    Jx, Jy = jacobian(f, argnums=(0, 1))(np.ones(2), np.ones(3))
    assert Jx.shape == (2, 3, 2)
    assert Jy.shape == (2, 3, 3)
    both = jacobian(lambda x, y: (x * y, y), argnums=(0, 1))(2.0, 3.0)
    assert both == ((3.0, 2.0), (0.0, 1.0))


@pytest.mark.parametrize("mode", ["reverse", "forward", None])
@pytest.mark.parametrize("shape", [(), (3,), (2, 2), (0,)])
@pytest.mark.parametrize("out", [(), (2,), (0, 2), (2, 3)])
def test_the_shape_of_a_jacobian(mode, shape, out):
    f = lambda x: np.broadcast_to(np.sum(x * x), out) * np.ones(out)
    x = np.arange(1.0, 1 + np.prod(shape, dtype=int)).reshape(shape)
    J = jacobian(f, mode=mode)(x)
    assert J.shape == out + shape
    assert_allclose(J, np.broadcast_to(2 * x, out + shape))


def test_jacobian_of_an_unknown_mode():
    with pytest.raises(ValueError, match="mode"):
        jacobian(np.sin, mode="backward")


def test_hessian_of_several_arguments():
    f = lambda x, y: np.sum(x * x) * y**2
    (xx, xy), (yx, yy) = hessian(f, argnums=(0, 1))(np.array([1.0, 2.0]), 3.0)
    assert_allclose(xx, 18 * np.eye(2))
    assert_allclose(xy, [12.0, 24.0])
    assert_allclose(yx, [12.0, 24.0])
    assert_allclose(yy, 10.0)


def test_products_with_hessians():
    f = lambda x: np.sum(np.sin(x)) * x[0]
    x, v = np.array([0.3, 0.6, 0.2]), np.array([1.0, -1.0, 0.5])
    assert_allclose(hvp(f, x, v), hessian(f)(x) @ v)
    _y, Hv = jvp(grad(f), (x,), (v,))
    assert_allclose(Hv, hessian(f)(x) @ v)
    model = lambda x: np.tanh(A @ x)
    loss = lambda y: np.sum(y**4)
    x, v = np.array([0.2, -0.4]), np.array([1.0, 2.0])
    J, H = jacobian(model)(x), hessian(loss)(model(x))
    assert_allclose(ggnvp(model, loss, x, v), J.T @ H @ J @ v)


def test_has_aux():
    def f(x):
        return np.sum(x * x), {"twice": 2 * x, "name": "f", "n": 3}

    x = np.array([1.0, 2.0])
    g, aux = grad(f, has_aux=True)(x)
    assert_array_equal(g, 2 * x)
    assert aux["name"] == "f" and aux["n"] == 3
    assert type(aux["twice"]) is np.ndarray
    (value, aux), g = value_and_grad(f, has_aux=True)(x)
    assert value == 5.0
    _, pullback, aux = vjp(f, x, has_aux=True)
    assert_array_equal(pullback(1.0)[0], 2 * x)
    _y, dy, aux = jvp(f, (x,), (x,), has_aux=True)
    assert dy == 10.0
    with pytest.raises(TypeError, match="value, aux"):
        grad(np.sum, has_aux=True)(x)


def test_aux_of_an_inner_gradient_is_differentiated():
    def outer(x):
        g, aux = grad(lambda y: (y**3, y * x), has_aux=True)(x)
        return g + aux

    assert_allclose(grad(outer)(2.0), 12.0 + 4.0)


def test_wrong_cotangents_and_tangents():
    _y, pullback = vjp(lambda x: (x, np.sum(x)), np.ones(2))
    with pytest.raises(ValueError, match="structure"):
        pullback(np.ones(2))
    with pytest.raises(ValueError, match=r"\(3,\).*\(2,\)"):
        pullback((np.ones(3), 1.0))
    with pytest.raises(ValueError, match="shape"):
        jvp(np.sin, (np.ones(2),), (np.ones(3),))
    with pytest.raises(ValueError, match="structure"):
        jvp(np.sin, (np.ones(2),), ())
    with pytest.raises(TypeError, match="tuples"):
        jvp(np.sin, np.ones(2), np.ones(2))


def test_dtypes_are_kept():
    x = np.array([1.0, 2.0], np.float32)
    assert grad(lambda x: np.sum(x * 2.0))(x).dtype == np.float32
    y, dy = jvp(lambda x: x * 2.0, (x,), (np.ones(2),))
    assert y.dtype == dy.dtype == np.float32
    assert jacobian(lambda x: x * 2.0)(x).dtype == np.float32
    assert hessian(lambda x: np.sum(x**3))(x).dtype == np.float32
    assert vmap(grad(lambda x: x * x))(x).dtype == np.float32
    g32, g64 = grad(lambda a, b: np.sum(a * b), argnums=(0, 1))(x, np.ones(2))
    assert g32.dtype == np.float32
    assert g64.dtype == np.float64


def test_a_layer_as_argument():
    layer = Linear(2, in_size=3)
    x = np.arange(6.0, dtype=np.float32).reshape(2, 3)
    g = grad(lambda m, x: F.sum(m(x) ** 2))(layer, x)
    assert set(g) == {"W", "b"}
    y = layer(x).data
    assert_allclose(data(g["W"]), 2 * x.T @ y, rtol=1e-5)
    assert_allclose(data(g["b"]), 2 * y.sum(0), rtol=1e-5)
    assert layer.W.grad is None
    assert layer.W.creator is None


def test_a_layer_in_a_dict_and_twice():
    layer = Linear(2, in_size=2)
    x = np.ones((1, 2), np.float32)
    g = grad(lambda d: F.sum(d["a"](x)) * d["scale"])({"a": layer, "scale": 2.0})
    assert_allclose(data(g["a"]["b"]), [2.0, 2.0])
    assert_allclose(data(g["scale"]), layer(x).data.sum())
    ga, gb = grad(lambda a, b: F.sum(a(x)) + 3 * F.sum(b(x)), argnums=(0, 1))(layer, layer)
    total = data(ga["b"]) + data(gb["b"])
    assert_allclose(total, [4.0, 4.0])
    assert layer.b.creator is None


def test_a_layer_with_shared_parameters():
    one, two = Linear(2, in_size=2, nobias=True), Linear(2, in_size=2, nobias=True)
    two.W = one.W
    x = np.ones((1, 2), np.float32)
    g = grad(lambda ms: F.sum(ms[1](ms[0](x))))([one, two])
    W = one.W.data.astype(float)
    expected = np.ones((2, 1)) @ (np.ones((1, 2)) @ W.T) + (x @ W).T @ np.ones((1, 2))
    total = data(g[0]["W"]) + data(g[1]["W"])
    assert_allclose(total, expected, rtol=1e-5)


def test_jvp_through_a_layer():
    layer = Linear(2, in_size=3, nobias=True)
    x = np.ones((1, 3), np.float32)
    tangent = {"W": np.ones((3, 2), np.float32)}
    _y, dy = jvp(lambda m: m(x), (layer,), (tangent,))
    assert_allclose(data(dy), [[3.0, 3.0]])


def test_frozen_parameters_and_closures():
    layer = Linear(1, in_size=2, nobias=True)
    x = np.array([[1.0, 2.0]], np.float32)
    g = grad(lambda x: F.sum(layer(x)))(x)
    assert isinstance(g, Variable)  # may be differentiated for W
    F.sum(g * np.array([1.0, 10.0], np.float32)).backward()
    assert_allclose(layer.W.grad.data, [[1.0], [10.0]])
    with no_grad():
        assert type(grad(lambda x: F.sum(layer(x)))(x)) is np.ndarray


def test_backward_through_a_gradient():
    x = Variable(np.array([1.0, 2.0]))
    g = grad(lambda y: np.sum(y**3))(x)
    assert isinstance(g, Variable)
    np.sum(g * g).backward()
    assert_allclose(x.grad.data, 2 * 3 * x.data**2 * 6 * x.data)


def test_backward_inside():
    w = Parameter(np.array(3.0))

    def f(x):
        x = x * 1.0
        y = x * x * w
        y.backward()
        return y

    w.cleargrad()
    assert_allclose(grad(f)(2.0).data, 12.0)
    assert_allclose(w.grad.data, 4.0)


def test_backward_inside_reaches_the_argument():
    seen = []

    def f(x):
        y = np.sum(x**3)
        y.backward()
        seen.append(x.grad.data.copy())
        return y

    g = grad(f)(np.array([1.0, 2.0]))
    assert_allclose(seen[0], [3.0, 12.0])
    assert_allclose(g, [3.0, 12.0])


def test_backward_with_create_graph_inside():
    def f(x):
        y = np.sum(x**3)
        y.backward(create_graph=True)
        return np.sum(x.grad**2)  # sum (3 x^2)^2

    x = np.array([1.0, 2.0])
    assert_allclose(grad(f)(x), 36 * x**3)
    assert_allclose(jacobian(grad(f))(x), np.diag(108 * x**2))


def test_no_grad_around_and_inside():
    with no_grad():
        assert_allclose(grad(np.sin)(0.3), np.cos(0.3))
        assert_allclose(grad(grad(np.sin))(0.3), -np.sin(0.3))
        assert not Config.enable_backprop

    def f(x):
        with no_grad():
            c = x * x
        return c * x

    assert_allclose(grad(f)(2.0), 4.0)
    assert_allclose(grad(lambda x: stop_gradient(x * x) * x)(2.0), 4.0)
    assert_allclose(jvp(f, (2.0,), (1.0,))[1], 4.0)


def test_generations_shown_are_small():
    seen = []

    def f(x):
        y = x * x
        seen.append((x.generation, y.generation, y.creator.generation))
        return y * 1.0

    grad(grad(grad(f)))(1.0)
    assert seen == [(0, 1, 0)]


@pytest.mark.parametrize("transform", [grad, value_and_grad, jacobian, vmap, hessian])
def test_errors_leave_everything_as_it_was(transform):
    layer = Linear(1, in_size=1)

    def f(x):
        layer(F.reshape(x, (-1, 1)))
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        transform(f)(np.ones(2, np.float32))
    assert active_floors() == ()
    assert Config.enable_backprop
    assert layer.W.creator is None

    def g(m):
        raise KeyError("mine")

    if transform is not vmap:
        with pytest.raises(KeyError, match="mine"):
            transform(g)(layer)
    assert layer.W._node is None
    assert grad(np.sin)(0.0) == 1.0


def test_a_rule_that_fails_leaves_everything_as_it_was():
    class Broken(Function):
        def forward(self, x):
            return x * 1.0

        def backward(self, gy):
            raise ArithmeticError("rule")

    for transform in (grad, jacobian, hessian, lambda f: lambda x: jvp(f, (x,), (1.0,))):
        with pytest.raises(ArithmeticError, match="rule"):
            transform(lambda x: Broken()(x))(1.0)
        assert active_floors() == ()
        assert Config.enable_backprop


def test_threads_have_levels_of_their_own():
    found, start = {}, threading.Barrier(4)

    def work(i):
        start.wait()
        f = lambda x: grad(lambda y: np.sin(x * y) * i)(x)
        found[i] = [float(grad(f)(0.5)) for _ in range(20)]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    x = 0.5  # d/dx [x cos(x^2)] = cos(x^2) - 2 x^2 sin(x^2)
    slope = np.cos(x * x) - 2 * x * x * np.sin(x * x)
    for i in range(4):
        assert_allclose(found[i], i * slope, atol=1e-15)


def test_complex_gradients_are_directions_of_ascent():
    z = np.array([1.0 + 2.0j, -0.5j])
    assert_allclose(grad(lambda z: np.sum(np.abs(z) ** 2))(z), 2 * z)
    assert_allclose(grad(lambda z: np.sum(np.real(z * z)))(z), np.conj(2 * z))
    assert_allclose(grad(lambda z: np.real(z))(1j), 1.0)
    g = grad(lambda x: np.real(np.exp(1j * x)))(0.3)
    assert_allclose(g, -np.sin(0.3))
    assert g.dtype == np.float64


def test_complex_jacobian_of_a_holomorphic_function():
    z = np.array([1.0 + 2.0j, 0.5 - 1.0j])
    assert_allclose(jacobian(lambda z: z**2)(z), np.diag(2 * z))
    for mode in ("reverse", "forward"):
        assert_allclose(
            jacobian(lambda z: np.sin(z) * (1 + 2j), mode=mode)(z), np.diag((1 + 2j) * np.cos(z))
        )
    J = jacobian(lambda x: np.exp(1j * x))(np.array([0.2, 0.4]))
    assert_allclose(J, np.diag(1j * np.exp(1j * np.array([0.2, 0.4]))))


def test_complex_pushing():
    z, dz = np.array([1.0 + 2.0j]), np.array([0.5 - 1.0j])
    _, dy = jvp(lambda z: z * z, (z,), (dz,))
    assert_allclose(dy, 2 * z * dz)
    _, dy = jvp(lambda z: np.abs(z), (z,), (dz,))
    assert_allclose(dy, np.real(np.conj(z) * dz) / np.abs(z))
    assert dy.dtype == np.float64


def test_wrappers_keep_the_name():
    def loss(x):
        """Say what it is."""
        return x

    for transform in (grad, value_and_grad, jacobian, vmap, hessian):
        assert transform(loss).__name__ == "loss"


def test_elementwise_grad():
    x = np.linspace(-1, 1, 5)
    assert_allclose(
        elementwise_grad(elementwise_grad(np.tanh))(x), -2 * np.tanh(x) * (1 - np.tanh(x) ** 2)
    )
