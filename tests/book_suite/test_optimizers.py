import numpy as np
import pytest

import dezero.layers as L
from dezero import Layer, Parameter, Variable, optimizers

P = np.array([1.0, -2.0, 3.0])
G = [np.array([0.5, 1.0, -1.0]), np.array([-0.2, 0.3, 0.4]), np.array([1.0, 0.0, 2.0])]


def run(optimizer, dtype=np.float64):
    layer = Layer()
    layer.p = Parameter(P.astype(dtype))
    assert optimizer.setup(layer) is optimizer
    for g in G:
        layer.p.grad = Variable(g.astype(dtype))
        optimizer.update()
    assert layer.p.dtype == dtype
    return layer.p.data


def sgd(lr=0.01):
    p = P.copy()
    for g in G:
        p -= lr * g
    return p


def momentum(lr=0.01, m=0.9):
    p, v = P.copy(), np.zeros(3)
    for g in G:
        v = m * v - lr * g
        p += v
    return p


def adagrad(lr=0.001, eps=1e-8):
    p, h = P.copy(), np.zeros(3)
    for g in G:
        h += g * g
        p -= lr * g / (np.sqrt(h) + eps)
    return p


def adadelta(rho=0.95, eps=1e-6):
    p, msg, msdx = P.copy(), np.zeros(3), np.zeros(3)
    for g in G:
        msg = rho * msg + (1 - rho) * g * g
        dx = np.sqrt((msdx + eps) / (msg + eps)) * g
        msdx = rho * msdx + (1 - rho) * dx * dx
        p -= dx
    return p


def adam(alpha=0.001, b1=0.9, b2=0.999, eps=1e-8):
    p, m, v = P.copy(), np.zeros(3), np.zeros(3)
    for t, g in enumerate(G, 1):
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g * g
        lr = alpha * np.sqrt(1 - b2**t) / (1 - b1**t)
        p -= lr * m / (np.sqrt(v) + eps)
    return p


CASES = [
    (optimizers.SGD, sgd, (), (0.3,)),
    (optimizers.MomentumSGD, momentum, (), (0.3, 0.5)),
    (optimizers.AdaGrad, adagrad, (), (0.3, 1e-3)),
    (optimizers.AdaDelta, adadelta, (), (0.8, 1e-2)),
    (optimizers.Adam, adam, (), (0.3, 0.7, 0.9, 1e-3)),
]


@pytest.mark.parametrize(
    ("make", "plain", "default", "other"), CASES, ids=[case[0].__name__ for case in CASES]
)
def test_three_updates(make, plain, default, other):
    for args in (default, other):
        assert np.allclose(run(make(*args)), plain(*args), rtol=1e-10, atol=1e-12)
        assert np.allclose(run(make(*args), np.float32), plain(*args), rtol=1e-5)


def test_parameters_without_a_gradient_stay():
    layer = L.Linear(2, in_size=3)
    before = [p.data.copy() for p in layer.params()]
    optimizers.SGD().setup(layer).update()
    for p, old in zip(layer.params(), before, strict=True):
        assert np.array_equal(p.data, old)


def test_weight_decay():
    optimizer = optimizers.SGD(0.1)
    optimizer.add_hook(optimizers.WeightDecay(0.5))
    expected = P.copy()
    for g in G:
        expected -= 0.1 * (g + 0.5 * expected)
    assert np.allclose(run(optimizer), expected)


def test_clip_grad():
    optimizer = optimizers.SGD(0.1)
    optimizer.add_hook(optimizers.ClipGrad(1.0))
    expected = P.copy()
    for g in G:
        expected -= 0.1 * g * min(1.0, 1.0 / np.linalg.norm(g))
    assert np.allclose(run(optimizer), expected, rtol=1e-5)


def test_a_hook_is_any_function_of_the_parameters():
    seen = []
    optimizer = optimizers.SGD(0.1)
    optimizer.add_hook(lambda params: seen.append(len(list(params))))
    run(optimizer)
    assert seen == [1, 1, 1]


def test_an_optimizer_of_ones_own():
    class Sign(optimizers.Optimizer):
        def update_one(self, param):
            param.data -= 0.1 * np.sign(param.grad.data)

    expected = P.copy()
    for g in G:
        expected -= 0.1 * np.sign(g)
    assert np.allclose(run(Sign()), expected)


def test_adam_rate():
    optimizer = optimizers.Adam(alpha=0.1)
    run(optimizer)
    assert np.isclose(optimizer.lr, 0.1 * np.sqrt(1 - 0.999**3) / (1 - 0.9**3))
