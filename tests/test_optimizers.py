"""Optimizers: each against its formula, and what they leave alone."""

import copy
import pickle

import numpy as np
import pytest

import dezero.functions as F
import dezero.io
import dezero.layers as L
from dezero import Layer, Parameter, Variable, optimizers
from dezero.models import MLP
from dezero.optimizers import ClipGrad, FreezeParam, WeightDecay


def sgd(p, g, s, t, lr=0.1):
    return p - lr * g


def momentum(p, g, s, t, lr=0.1, momentum=0.8):
    s["v"] = momentum * s.get("v", 0) - lr * g
    return p + s["v"]


def nesterov(p, g, s, t, lr=0.1, momentum=0.8):
    # The textbook form: the velocity is applied again, before it exists.
    old = s.get("v", 0)
    s["v"] = momentum * old - lr * g
    return p + momentum * momentum * old - (1 + momentum) * lr * g


def adagrad(p, g, s, t, lr=0.1, eps=1e-3):
    s["h"] = s.get("h", 0) + g**2
    return p - lr * g / (np.sqrt(s["h"]) + eps)


def rmsprop(p, g, s, t, lr=0.1, rho=0.9, eps=1e-3):
    s["h"] = rho * s.get("h", 0) + (1 - rho) * g**2
    return p - lr * g / (np.sqrt(s["h"]) + eps)


def adadelta(p, g, s, t, rho=0.9, eps=1e-3):
    s["a"] = rho * s.get("a", 0) + (1 - rho) * g**2
    dx = np.sqrt(s.get("b", 0) + eps) / np.sqrt(s["a"] + eps) * g
    s["b"] = rho * s.get("b", 0) + (1 - rho) * dx**2
    return p - dx


def adam(p, g, s, t, alpha=0.1, beta1=0.8, beta2=0.9, eps=1e-3):
    s["m"] = beta1 * s.get("m", 0) + (1 - beta1) * g
    s["v"] = beta2 * s.get("v", 0) + (1 - beta2) * g**2
    lr = alpha * np.sqrt(1 - beta2**t) / (1 - beta1**t)
    return p - lr * s["m"] / (np.sqrt(s["v"]) + eps)


def adamw(p, g, s, t, alpha=0.1, beta1=0.8, beta2=0.9, eps=1e-3, weight_decay=0.3):
    # PyTorch's documentation, line by line.
    p = p - alpha * weight_decay * p
    s["m"] = beta1 * s.get("m", 0) + (1 - beta1) * g
    s["v"] = beta2 * s.get("v", 0) + (1 - beta2) * g**2
    m, v = s["m"] / (1 - beta1**t), s["v"] / (1 - beta2**t)
    return p - alpha * m / (np.sqrt(v) + eps)


FORMULAS = {
    "SGD": (lambda: optimizers.SGD(0.1), sgd),
    "MomentumSGD": (lambda: optimizers.MomentumSGD(0.1, 0.8), momentum),
    "NesterovSGD": (lambda: optimizers.NesterovSGD(0.1, 0.8), nesterov),
    "AdaGrad": (lambda: optimizers.AdaGrad(0.1, 1e-3), adagrad),
    "RMSprop": (lambda: optimizers.RMSprop(0.1, 0.9, 1e-3), rmsprop),
    "AdaDelta": (lambda: optimizers.AdaDelta(0.9, 1e-3), adadelta),
    "Adam": (lambda: optimizers.Adam(0.1, 0.8, 0.9, 1e-3), adam),
    "AdamW": (lambda: optimizers.AdamW(0.1, 0.8, 0.9, 1e-3, 0.3), adamw),
}
EVERY = pytest.mark.parametrize("name", FORMULAS)


def holder(*arrays):
    layer = Layer()
    for i, array in enumerate(arrays):
        setattr(layer, f"p{i}", Parameter(np.array(array)))
    return layer


def give(param, grad):
    param.grad = Variable(np.array(grad, param.dtype), requires_grad=False)


@EVERY
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 2), (130, 257)], ids=str)
def test_several_steps_follow_the_formula(name, shape):
    make, formula = FORMULAS[name]
    rng = np.random.default_rng(0)
    p = rng.normal(size=shape)
    layer = holder(p)
    optimizer = make().setup(layer)
    state = {}
    for t in range(1, 7):
        g = rng.normal(size=shape)
        give(layer.p0, g)
        optimizer.update()
        p = formula(p, g, state, t)
        assert layer.p0.shape == shape
        assert np.allclose(layer.p0.data, p, rtol=1e-12, atol=1e-14)


@EVERY
def test_arrays_that_do_not_lie_in_a_row_are_updated_too(name):
    make, formula = FORMULAS[name]
    rng = np.random.default_rng(0)
    p, g = rng.normal(size=(200, 300)), rng.normal(size=(200, 300))
    layer = Layer()
    layer.turned = Parameter(np.asfortranarray(p))
    layer.plain = Parameter(p.copy())
    for param in layer.params():
        param.grad = Variable(np.asfortranarray(g))
    make().setup(layer).update()
    wanted = formula(p, g, {}, 1)
    assert np.allclose(layer.turned.data, wanted)
    assert np.allclose(layer.plain.data, wanted)


@EVERY
def test_float32_stays_float32_also_with_a_float64_learning_rate(name):
    rng = np.random.default_rng(0)
    arrays = rng.normal(size=(4, 200, 200)).astype(np.float32)
    results = []
    for number in (float, np.float64):
        layer = holder(arrays[0], arrays[1][0, 0])
        optimizer = FORMULAS[name][0]().setup(layer)
        for attribute in ("lr", "alpha", "rho", "eps", "weight_decay"):
            if attribute in vars(optimizer):
                setattr(optimizer, attribute, number(getattr(optimizer, attribute)))
        optimizer.add_hook(WeightDecay(number(0.1)))
        optimizer.add_hook(ClipGrad(number(100.0)))
        for g in arrays[2:]:
            give(layer.p0, g)
            give(layer.p1, g[0, 0])
            optimizer.update()
        for p in layer.params():
            assert p.dtype == np.float32
            assert p.grad.dtype == np.float32
            assert all(a.dtype == np.float32 for a in optimizer.states[p])
        results.append(layer.p0.data)
    assert np.array_equal(*results), "computed in float64 in between"


@EVERY
def test_training_goes_on_the_same_from_a_saved_state(name, tmp_path):
    x, t = np.random.default_rng(0).random((2, 20, 1))

    def train(model, optimizer, steps):
        for _ in range(steps):
            loss = F.mean_squared_error(model(x), t)
            model.cleargrads()
            loss.backward()
            optimizer.update()

    model = MLP((5, 1))
    optimizer = FORMULAS[name][0]().setup(model)
    train(model, optimizer, 3)
    model.save_weights(tmp_path / "model.npz")
    dezero.io.write_npz(tmp_path / "state.npz", optimizer.state_dict())
    train(model, optimizer, 3)

    other = MLP((5, 1))
    other.load_weights(tmp_path / "model.npz")
    resumed = FORMULAS[name][0]().setup(other)
    resumed.load_state_dict(dezero.io.read_npz(tmp_path / "state.npz"))
    train(other, resumed, 3)
    for p, q in zip(model.params(), other.params(), strict=True):
        assert np.array_equal(p.data, q.data)


@EVERY
def test_an_optimizer_and_its_model_can_be_copied_together(name):
    model = MLP((3, 1))
    optimizer = FORMULAS[name][0]().setup(model)
    x = np.ones((2, 2))

    def step(optimizer):
        optimizer.target.cleargrads()
        F.sum(optimizer.target(x)).backward()
        optimizer.update()
        return optimizer.target.l0.W.data.copy()

    step(optimizer)
    twins = copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))
    wanted = step(optimizer)
    for twin in twins:
        assert twin.target is not model
        assert np.array_equal(step(twin), wanted)


def test_a_state_that_does_not_fit_is_refused_and_nothing_is_changed():
    layer = holder(np.ones(3), np.ones(2))
    adam = optimizers.Adam().setup(layer)
    give(layer.p0, np.ones(3))
    adam.update()
    state = adam.state_dict()
    assert list(state) == ["t", "p0/m", "p0/v"], "p1 was never updated"
    with pytest.raises(
        ValueError, match=r"MomentumSGD.load_state_dict: .* unknown: t; unknown: p0/m"
    ):
        optimizers.MomentumSGD().setup(layer).load_state_dict(state)
    fresh = optimizers.Adam().setup(layer)
    for wrong, message in (
        ({k: v for k, v in state.items() if k != "t"}, "missing: t"),
        ({k: v for k, v in state.items() if k != "p0/v"}, "missing: p0/v"),
        (state | {"p0/m": np.ones(4)}, r"p0/m has shape \(4,\), the model's is \(3,\)"),
        (state | {"p9/m": np.ones(4)}, "unknown: p9/m"),
    ):
        with pytest.raises(ValueError, match=message):
            fresh.load_state_dict(wrong)
    assert fresh.t == 0
    assert fresh.states == {}
    fresh.load_state_dict(state)
    assert fresh.t == 1
    assert np.array_equal(fresh.states[layer.p0][0], state["p0/m"])
    assert fresh.states[layer.p0][0] is not state["p0/m"]


def test_adam_has_a_learning_rate_before_the_first_update():
    optimizer = optimizers.Adam(alpha=0.5, beta1=0.9, beta2=0.99)
    first = 0.5 * np.sqrt(1 - 0.99) / (1 - 0.9)
    assert np.isclose(optimizer.lr, first)
    layer = holder(np.ones(1))
    give(layer.p0, [1.0])
    optimizer.setup(layer).update()
    assert np.isclose(optimizer.lr, first)
    optimizer.update()
    assert np.isclose(optimizer.lr, 0.5 * np.sqrt(1 - 0.99**2) / (1 - 0.9**2))
    optimizer.alpha = 1.0
    assert np.isclose(optimizer.lr, 1.0 * np.sqrt(1 - 0.99**2) / (1 - 0.9**2))
    with pytest.raises(AttributeError, match=r"Adam: lr is computed.*optimizer\.alpha = 0\.1"):
        optimizer.lr = 0.1


def test_state_belongs_to_the_parameter_not_to_its_address():
    optimizer = optimizers.MomentumSGD(0.1)
    seen = set()
    for _ in range(20):
        layer = holder(np.zeros(1))
        seen.add(id(layer.p0))
        give(layer.p0, [1.0])
        optimizer.setup(layer).update()
        assert np.isclose(layer.p0.data[0], -0.1), "a new parameter starts without velocity"
        del layer
    assert len(seen) == 20


def test_a_shared_layer_is_updated_once():
    model = Layer()
    model.a = L.Linear(1, in_size=1)
    model.b = model.a
    model.more = [model.a, model.a.b]
    b = model.a.b
    give(b, [1.0])
    optimizers.SGD(0.5).setup(model).update()
    assert np.array_equal(b.data, [-0.5])


def test_any_object_with_params_can_be_a_target_and_gives_each_once():
    p = Parameter(np.zeros(1))

    class Twice:
        def params(self):
            return [p, p]

    give(p, [1.0])
    optimizer = optimizers.MomentumSGD(0.5).setup(Twice())
    optimizer.update()
    assert np.array_equal(p.data, [-0.5])
    assert list(optimizer.state_dict()) == ["0/v"]


def test_two_parameters_that_share_a_gradient_array_are_decayed_and_clipped_each_for_itself():
    layer = holder([1.0, 1.0], [10.0, 10.0])
    shared = Variable(np.array([3.0, 4.0]))
    layer.p0.grad = layer.p1.grad = shared
    WeightDecay(0.5)(list(layer.params()))
    assert np.array_equal(layer.p0.grad.data, [3.5, 4.5])
    assert np.array_equal(layer.p1.grad.data, [8.0, 9.0])
    layer.p0.grad = layer.p1.grad = shared
    ClipGrad(1.0)(layer.params())
    norm = np.sqrt(2 * 25.0)
    for p in layer.params():
        assert np.allclose(p.grad.data, np.array([3.0, 4.0]) / (norm + 1e-6))
    assert np.array_equal(shared.data, [3.0, 4.0])


def test_weight_decay_leaves_gradients_of_a_sum_right():
    layer = holder([1.0], [2.0])
    (layer.p0 + layer.p1).backward()
    optimizer = optimizers.SGD(1.0).setup(layer)
    optimizer.add_hook(WeightDecay(0.5))
    optimizer.update()
    assert np.allclose(layer.p0.data, 1 - (1 + 0.5 * 1))
    assert np.allclose(layer.p1.data, 2 - (1 + 0.5 * 2))


def test_clip_grad_leaves_small_gradients_alone_and_survives_huge_ones():
    layer = holder(np.zeros(2, np.float32), np.zeros((), np.float32))
    give(layer.p0, [0.3, 0.4])
    small = layer.p0.grad
    ClipGrad(1.0)(layer.params())
    assert layer.p0.grad is small
    give(layer.p0, [3e30, 4e30])
    ClipGrad(1.0)(layer.params())
    assert np.allclose(layer.p0.grad.data, [0.6, 0.8])
    assert layer.p1.grad is None


def test_frozen_layers_stay_and_so_does_their_state():
    model = MLP((3, 1))
    optimizer = optimizers.MomentumSGD(0.1).setup(model)
    x = np.ones((2, 2))

    def step():
        model.cleargrads()
        F.sum(model(x)).backward()
        optimizer.update()

    step()
    optimizer.add_hook(FreezeParam(model.l0))
    optimizer.add_hook(WeightDecay(0.1))
    optimizer.add_hook(ClipGrad(1.0))
    frozen, moving = model.l0.W.data.copy(), model.l1.W.data.copy()
    velocity = optimizer.states[model.l0.W][0].copy()
    for _ in range(2):
        step()
    assert np.array_equal(model.l0.W.data, frozen)
    assert np.array_equal(optimizer.states[model.l0.W][0], velocity)
    assert not np.array_equal(model.l1.W.data, moving)


def test_freeze_param_takes_parameters_and_refuses_lists():
    layer = holder([1.0], [1.0])
    give(layer.p0, [1.0])
    give(layer.p1, [1.0])
    optimizer = optimizers.SGD(1.0).setup(layer)
    optimizer.add_hook(FreezeParam(layer.p0))
    optimizer.update()
    assert np.array_equal(layer.p0.data, [1.0])
    assert np.array_equal(layer.p1.data, [0.0])
    with pytest.raises(TypeError, match=r"FreezeParam: got list; .* one by one"):
        FreezeParam([layer])


def test_what_has_no_gradient_or_wants_none_is_skipped():
    layer = holder([1.0], [1.0], [1.0])
    layer.p3 = Parameter(None)
    give(layer.p0, [1.0])
    give(layer.p1, [1.0])
    layer.p1.requires_grad = False
    optimizer = optimizers.Adam(0.1).setup(layer)
    optimizer.add_hook(WeightDecay(0.1))
    optimizer.update()
    assert [p.data is None or bool(p.data[0] == 1.0) for p in layer.params()] == [
        False,
        *[True] * 3,
    ]
    assert list(optimizer.states) == [layer.p0]


def test_running_statistics_are_never_updated_by_an_optimizer():
    layer = L.BatchNorm()
    optimizer = optimizers.AdamW(0.1, weight_decay=0.5).setup(layer)
    F.sum(layer(np.random.default_rng(0).normal(size=(8, 2))) ** 2).backward()
    mean = layer.avg_mean.data.copy()
    optimizer.update()
    assert np.array_equal(layer.avg_mean.data, mean)
    assert not np.array_equal(layer.beta.data, np.zeros(2)) or layer.gamma.data[0] != 1.0


@pytest.mark.parametrize("size", [3, 100_000])
def test_backward_through_a_graph_from_before_the_update_raises_instead_of_a_wrong_number(size):
    layer = holder(np.ones(size))
    old = F.sum(layer.p0 * layer.p0)
    F.sum(layer.p0 * 3.0).backward()
    array = layer.p0.data
    optimizers.SGD(0.5).setup(layer).update()
    assert np.shares_memory(layer.p0.data, array), "updated in place"
    with pytest.raises(RuntimeError, match="changed in place"):
        old.backward()


def test_an_optimizer_without_a_target_says_what_is_missing():
    with pytest.raises(RuntimeError, match=r"SGD.update: .* call setup\(model\) first"):
        optimizers.SGD().update()
    with pytest.raises(RuntimeError, match=r"setup\(model\) first"):
        optimizers.Adam().state_dict()
    with pytest.raises(TypeError, match=r"SGD.setup: got list; it wants a model"):
        optimizers.SGD().setup([Parameter(np.ones(1))])


def test_a_gradient_of_the_wrong_shape_is_refused():
    layer = holder(np.ones((3, 1)))
    layer.p0.name = "W"
    layer.p0.grad = Variable(np.ones((1, 1)))
    with pytest.raises(ValueError, match=r"the gradient of 'W' has shape \(1, 1\), .* \(3, 1\)"):
        optimizers.SGD().setup(layer).update()
    optimizer = optimizers.Adam().setup(layer)
    with pytest.raises(ValueError, match="shape"):
        optimizer.update()
    assert optimizer.t == 0


def test_an_integer_parameter_says_that_it_cannot_be_moved():
    layer = holder(np.ones(3, int))
    give(layer.p0, np.ones(3))
    with pytest.raises(TypeError, match=r"holds int64, .* make it float"):
        optimizers.SGD().setup(layer).update()


def test_a_parameter_that_changed_its_shape_does_not_meet_its_old_state():
    layer = holder(np.ones(3))
    optimizer = optimizers.MomentumSGD().setup(layer)
    give(layer.p0, np.ones(3))
    optimizer.update()
    layer.p0.data = np.ones((2, 3))
    give(layer.p0, np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"has shape \(2, 3\), its state \(3,\)"):
        optimizer.update()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: optimizers.SGD(-1), "SGD: lr is a number from 0, got -1"),
        (lambda: optimizers.SGD(float("nan")), "SGD: lr .* got nan"),
        (lambda: optimizers.MomentumSGD(momentum=-0.1), "MomentumSGD: momentum"),
        (lambda: optimizers.RMSprop(rho=1), "RMSprop: rho is a number from 0 and below 1, got 1"),
        (lambda: optimizers.AdaDelta(eps=0), "AdaDelta: eps is a number above 0, got 0"),
        (lambda: optimizers.AdamW(beta2=1.5), "AdamW: beta2"),
        (lambda: WeightDecay(-1), "WeightDecay: rate"),
        (lambda: ClipGrad(float("inf")), "ClipGrad: max_norm"),
    ],
)
def test_a_hyperparameter_that_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_an_optimizer_of_ones_own_needs_update_one_only():
    class Own(optimizers.Optimizer):
        def update_one(self, param):
            param.data -= param.grad.data

    layer = holder([5.0])
    give(layer.p0, [2.0])
    Own().setup(layer).update()
    assert np.array_equal(layer.p0.data, [3.0])
    with pytest.raises(NotImplementedError, match="Optimizer has no update_one"):
        optimizers.Optimizer().setup(layer).update()


def test_a_gradient_put_there_as_a_plain_array_is_taken():
    layer = holder([5.0])
    layer.p0.grad = np.array([2.0])
    optimizer = optimizers.SGD(1.0).setup(layer)
    optimizer.add_hook(WeightDecay(0.2))
    optimizer.update()
    assert np.allclose(layer.p0.data, [2.0])


def test_hooks_run_before_the_update_in_order():
    calls = []
    layer = holder([1.0])
    give(layer.p0, [1.0])
    optimizer = optimizers.SGD().setup(layer)
    optimizer.add_hook(lambda params: calls.append(("first", float(params[0].data[0]))))
    optimizer.add_hook(lambda params: calls.append(("second", float(params[0].data[0]))))
    optimizer.update()
    assert calls == [("first", 1.0), ("second", 1.0)]
