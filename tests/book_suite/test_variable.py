import numpy as np
import pytest

import dezero
import dezero.functions as F
from dezero import Function, Parameter, Variable, as_array, as_variable, no_grad, using_config


def test_basics():
    a = np.array([[1.0, 2.0], [3.0, 4.0]])
    x = Variable(a, name="x")
    assert x.data is a
    assert (x.name, x.grad, x.creator, x.generation) == ("x", None, None, 0)
    assert (x.shape, x.ndim, x.size, len(x), x.dtype) == ((2, 2), 2, 4, 2, np.float64)
    assert repr(x) == "variable([[1. 2.]\n          [3. 4.]])"


@pytest.mark.parametrize("wrong", [1, 1.5, [1, 2], "x", (1,)])
def test_only_arrays(wrong):
    with pytest.raises(TypeError, match=type(wrong).__name__):
        Variable(wrong)


def test_nothing_yet():
    assert Variable(None).data is None
    assert repr(Variable(None)) == "variable(None)"


def test_gradient_is_a_variable():
    x = Variable(np.array(3.0))
    y = x * x
    y.backward()
    assert isinstance(x.grad, Variable)
    assert x.grad.data == 6.0
    assert x.grad.creator is None


def test_gradients_add_up_until_cleared():
    x = Variable(np.array(3.0))
    (x + x).backward()
    (x + x + x).backward()
    assert x.grad.data == 5.0
    x.cleargrad()
    assert x.grad is None


def test_complex_graph():
    x = Variable(np.array(2.0))
    a = x**2
    y = a**2 + a**2
    assert (x.generation, a.generation, y.generation) == (0, 1, 3)
    y.backward()
    assert (y.data, x.grad.data) == (32.0, 64.0)


@pytest.mark.parametrize("create_graph", [False, True])
def test_each_function_is_visited_once_after_all_that_use_it(create_graph):
    visited = []

    class Noted(Function):
        def __init__(self, name):
            self.name = name

        def forward(self, x):
            return x**2

        def backward(self, gy):
            visited.append(self.name)
            return 2 * self.inputs[0] * gy

    x = Variable(np.array(1.1))
    a = Noted("a")(x)
    b = Noted("b")(a)
    c = Noted("c")(b)
    y = c + a + Noted("d")(a) * b
    y.backward(create_graph=create_graph)
    assert sorted(visited) == ["a", "b", "c", "d"]
    assert visited[-1] == "a"
    assert visited.index("c") < visited.index("b")
    assert np.isclose(x.grad.data, 16 * 1.1**7 + 2 * 1.1)


def test_a_ladder_of_splits_does_not_take_exponential_time():
    x = Variable(np.array(1.0))
    y = x
    for _ in range(200):
        y = y + y
    y.backward()
    assert x.grad.data == 2.0**200


def test_retain_grad():
    x0, x1 = Variable(np.array(1.0)), Variable(np.array(1.0))
    t = x0 + x1
    y = x0 + t
    y.backward()
    assert t.grad is None
    assert (x0.grad.data, x1.grad.data) == (2.0, 1.0)
    x0.cleargrad()
    x1.cleargrad()
    t = x0 + x1
    y = x0 + t
    y.backward(retain_grad=True)
    assert (y.grad.data, t.grad.data, x0.grad.data, x1.grad.data) == (1.0, 1.0, 2.0, 1.0)


def test_retain_grad_reaches_a_gradient_used_in_a_formula():
    x = Variable(np.array(2.0))
    y = x**2
    y.backward(create_graph=True)
    gx = x.grad
    x.cleargrad()
    z = gx**3 + y
    z.backward(retain_grad=True)
    assert x.grad.data == 100.0
    assert gx.grad.data == 3 * 4.0**2


def test_no_grad_and_using_config():
    x = Variable(np.array(2.0))
    with no_grad():
        assert (x * x).creator is None
    with using_config("enable_backprop", False):
        assert (x * x).creator is None
    assert (x * x).creator is not None


def test_unchain():
    x = Variable(np.array(2.0))
    a = x * x
    y = a * 3.0
    a.unchain()
    assert a.creator is None
    a = x * x
    b = a * a
    y = b * a
    y.unchain_backward()
    assert a.creator is None
    assert b.creator is None


def test_truncated_backpropagation_through_time():
    w = Variable(np.array(0.5))
    h = Variable(np.array(1.0))
    loss = 0
    for step in range(4):
        h = h * w
        loss += h
        if step % 2 == 1:
            w.cleargrad()
            loss.backward()
            loss.unchain_backward()
            start = 1.0 if step == 1 else 0.25
            assert w.grad.data == start * (1 + 2 * 0.5), "d(s w + s w^2)/dw, s held constant"
    assert loss.data == 0.5 + 0.25 + 0.125 + 0.0625
    assert h.creator is None


def test_goldstein_price():
    x, y = Variable(np.array(1.0)), Variable(np.array(1.0))
    z = (1 + (x + y + 1) ** 2
         * (19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2)) * (
        30 + (2 * x - 3 * y) ** 2
        * (18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2))  # fmt: skip
    z.backward()
    assert z.data == 1876.0
    assert (x.grad.data, y.grad.data) == (-5376.0, 8064.0)


def test_higher_order():
    x = Variable(np.array(2.0))
    y = x**4 - 2 * x**2
    y.backward(create_graph=True)
    gx = x.grad
    x.cleargrad()
    gx.backward(create_graph=True)
    gx2 = x.grad
    x.cleargrad()
    gx2.backward()
    assert (gx.data, gx2.data, x.grad.data) == (24.0, 44.0, 48.0)


def test_matrix_chain():
    x = Variable(np.random.randn(3, 4))
    y = F.sum(F.tanh(x.T.reshape(2, 6)) * 2.0)
    y.backward()
    assert np.allclose(x.grad.data, 2 / np.cosh(x.data) ** 2)


def test_parameter():
    p = Parameter(np.array(1.0), name="p")
    assert isinstance(p, Variable)
    assert isinstance(p * 2.0, Variable)
    assert not isinstance(p * 2.0, Parameter)


def test_conversions():
    assert isinstance(as_array(1.0), np.ndarray)
    assert isinstance(as_variable(1.0), Variable)
    assert as_variable(np.ones(2)).shape == (2,)


def test_what_dezero_exports():
    for name in [
        "Variable",
        "Parameter",
        "Function",
        "using_config",
        "no_grad",
        "test_mode",
        "as_array",
        "as_variable",
        "setup_variable",
        "Config",
        "Layer",
        "Model",
        "Dataset",
        "DataLoader",
        "SeqDataLoader",
        "datasets",
        "dataloaders",
        "optimizers",
        "functions",
        "functions_conv",
        "layers",
        "utils",
        "cuda",
        "transforms",
        "core",
        "core_simple",
        "models",
    ]:
        assert hasattr(dezero, name), name
    assert dezero.__version__
