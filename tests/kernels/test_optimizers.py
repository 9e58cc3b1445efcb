"""Updates of all parameters at once against the formulas, parameter by parameter."""

import numpy as np
import pytest

import dezero
from dezero import Parameter, Variable, optimizers
from dezero.kernels import table
from dezero.optimizers import Optimizer
from dezero.optimizers.base import _sum_of_squares

pytestmark = pytest.mark.skipif(not table.has_numba(), reason="Numba is not installed")

ALL = {
    "SGD": lambda: optimizers.SGD(lr=0.1),
    "MomentumSGD": lambda: optimizers.MomentumSGD(lr=0.1),
    "NesterovSGD": lambda: optimizers.NesterovSGD(lr=0.1),
    "AdaGrad": lambda: optimizers.AdaGrad(lr=0.1),
    "RMSprop": lambda: optimizers.RMSprop(lr=0.01),
    "AdaDelta": lambda: optimizers.AdaDelta(),
    "Adam": lambda: optimizers.Adam(alpha=0.01),
    "AdamW": lambda: optimizers.AdamW(alpha=0.01, weight_decay=0.1),
}
SHAPES = [(3,), (1 << 14,), (200, 173), (1,), (0,), (40_000,), (7, 5, 3)]


class Target:
    def __init__(self, dtypes=(np.float32,), extra=()):
        rng = np.random.default_rng(0)
        self.list = [
            Parameter(rng.standard_normal(s).astype(dtypes[i % len(dtypes)]))
            for i, s in enumerate(SHAPES)
        ]
        self.list += extra

    def params(self):
        return iter(self.list)


def train(make, compiled, dtypes=(np.float32,), steps=5):
    target = Target(dtypes)
    optimizer = make().setup(target)
    rng = np.random.default_rng(1)
    with dezero.using_config("compiled", compiled):
        for _ in range(steps):
            for p in target.list:
                p.grad = Variable(rng.standard_normal(p.shape).astype(p.dtype))
            optimizer.update()
    return target, optimizer


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("dtypes", [(np.float32,), (np.float32, np.float64)], ids=["f4", "mixed"])
def test_same_as_the_formula(name, dtypes):
    (fast, one), (slow, other) = (train(ALL[name], c, dtypes) for c in (True, False))
    for p, q in zip(fast.list, slow.list, strict=True):
        assert p.dtype == q.dtype
        np.testing.assert_allclose(p.data, q.data, rtol=2e-5, atol=2e-6)
        for a, b in zip(one.states[p], other.states[q], strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)


def test_a_rule_of_ones_own_is_used():
    class Doubled(optimizers.SGD):
        def rule(self, data, grad, *state):
            data -= 2 * self.lr * grad

    class ByHand(optimizers.Adam):
        def update_one(self, param):
            param.data = param.data * 0

    for make, want in ((lambda: Doubled(lr=0.5), 1), (ByHand, 0)):
        p = Parameter(np.full(1 << 15, 2, np.float32))
        p.grad = Variable(np.ones(1 << 15, np.float32))
        make().setup(Target(extra=[p])).update()
        assert (p.data == want).all()


def test_layouts_that_no_kernel_takes():
    p = Parameter(np.zeros((300, 200), np.float32).T)
    q = Parameter(np.zeros((300, 200), np.float32))
    p.grad = Variable(np.ones((200, 300), np.float32))
    q.grad = Variable(np.ones((200, 300), np.float32).T)
    optimizers.SGD(lr=1.0).setup(Target(extra=[p, q])).update()
    assert (p.data == -1).all()
    assert (q.data == -1).all()


def test_frozen_parameters_and_those_without_a_gradient_stay():
    target, optimizer = train(ALL["Adam"], True)
    frozen, bare = target.list[1], target.list[5]
    frozen.requires_grad = False
    bare.cleargrad()
    before = frozen.data.copy(), bare.data.copy(), optimizer.states[bare][0].copy()
    optimizer.update()
    np.testing.assert_array_equal(before[0], frozen.data)
    np.testing.assert_array_equal(before[1], bare.data)
    np.testing.assert_array_equal(before[2], optimizer.states[bare][0])


def test_the_engine_notices_the_write():
    p = Parameter(np.ones(1 << 15, np.float32))
    y = dezero.functions.sum(p * p)
    p.grad = Variable(np.ones(1 << 15, np.float32))
    optimizers.SGD().setup(Target(extra=[p])).update()
    with pytest.raises(RuntimeError, match="was changed in place"):
        y.backward()


def test_moments_that_decay_are_flushed_to_0():
    p = Parameter(np.ones(1 << 15, np.float32))
    optimizer = optimizers.Adam().setup(Target(extra=[p]))
    p.grad = Variable(np.full(1 << 15, 1e-37, np.float32))
    optimizer.update()
    p.grad = Variable(np.zeros(1 << 15, np.float32))
    for _ in range(60):
        optimizer.update()
    assert (optimizer.states[p][0] == 0).all()


def test_every_algorithm_of_the_package_has_a_kernel():
    for name, make in ALL.items():
        assert type(make()).kernel in table.TABLE, name
    assert Optimizer.kernel is None


def test_a_rule_that_was_mixed_in_or_put_on_the_object_is_used():
    class Sevens:
        def rule(self, data, grad, *state):
            data[...] = 7

    class Mixed(Sevens, optimizers.SGD):
        pass

    on_object, by_hand = optimizers.SGD(), optimizers.SGD()
    on_object.rule = lambda data, grad: data.fill(7)
    by_hand.update_one = lambda param: param.data.fill(7)
    for optimizer in (Mixed(), on_object, by_hand):
        p = Parameter(np.ones(1 << 15, np.float32))
        p.grad = Variable(np.ones(1 << 15, np.float32))
        optimizer.setup(Target(extra=[p])).update()
        assert (p.data == 7).all()


@pytest.mark.parametrize("shift", [0, 1000])
def test_parameters_that_share_memory_are_updated_one_after_the_other(shift):
    size = 1 << 19
    for _ in range(20):
        whole = np.zeros(size + shift, np.float32)
        p, q = Parameter(whole[:size]), Parameter(whole[shift:])
        p.grad = q.grad = Variable(np.ones(size, np.float32))
        optimizers.SGD(lr=0.25).setup(Target(extra=[p, q])).update()
        assert (whole[shift:size] == -0.5).all()
        assert (whole[:shift] == -0.25).all()
        assert (whole[size:] == -0.25).all()


def test_hooks_on_large_gradients_are_the_formulas():
    rng = np.random.default_rng(0)
    p = Parameter(rng.standard_normal((1000, 700)).astype(np.float32))
    q = Parameter(rng.standard_normal(5).astype(np.float32))
    for x in (p, q):
        x.grad = Variable(rng.standard_normal(x.shape).astype(np.float32))
    wanted = [x.grad.data + 0.5 * x.data.astype(float) for x in (p, q)]
    norm = np.sqrt(sum((g**2).sum() for g in wanted))
    optimizers.WeightDecay(0.5)([p, q])
    optimizers.ClipGrad(2.0)([p, q])
    for x, g in zip((p, q), wanted, strict=True):
        assert x.grad.dtype == np.float32
        np.testing.assert_allclose(x.grad.data, g * (2 / norm), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("size", [1e-25, 1e-15, 1e15, 1e25])
def test_the_norm_of_tiny_and_huge_gradients_is_that_of_float64(size):
    grad = np.full(100, size, np.float32)
    found = _sum_of_squares(grad)
    np.testing.assert_allclose(found, np.sum(grad.astype(float) ** 2), rtol=1e-6)
