"""Recurrent layers: the formula, the state, and weights that are packed for many steps."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest

import dezero
import dezero.functions as F
import dezero.layers as L
from dezero import Parameter, Variable, no_grad, optimizers

LAYERS = {"LSTM": L.LSTM, "GRU": L.GRU}
each = pytest.mark.parametrize("name", LAYERS)
T, N, C, H = 4, 3, 2, 5


def lstm_step(layer, x, h, c):
    """Return the new state by the formula of the book, composed of simple functions."""
    f, i, o, u = (getattr(layer, f"x2{g}")(x) for g in "fiou")
    if h is not None:
        f, i, o, u = (
            a + getattr(layer, f"h2{g}")(h) for a, g in zip((f, i, o, u), "fiou", strict=True)
        )
    new = F.sigmoid(i) * F.tanh(u)
    c = new if c is None else F.sigmoid(f) * c + new
    return F.sigmoid(o) * F.tanh(c), c


def gru_step(layer, x, h, c):
    h = np.zeros((len(x), layer.hidden_size), np.float32) if h is None else h
    r = F.sigmoid(layer.x2r(x) + layer.h2r(h))
    z = F.sigmoid(layer.x2z(x) + layer.h2z(h))
    n = F.tanh(layer.x2n(x) + r * layer.h2n(h))
    return (1 - z) * n + z * h, None


class Plain:
    """A layer of the same parameters, by the formula, a step at a time."""

    def __init__(self, layer):
        self.layer = layer
        self.step = lstm_step if isinstance(layer, L.LSTM) else gru_step
        self.h = self.c = None

    def __call__(self, x, reverse=False):
        if len(x.shape) == 2:
            self.h, self.c = self.step(self.layer, x, self.h, self.c)
            return self.h
        steps = range(len(x))
        ys = {}
        for s in reversed(steps) if reverse else steps:
            ys[s] = self(x[s])
        return F.stack([ys[s] for s in steps])


def make(name, rng, dtype=np.float64, **options):
    """Return a layer with random weights of a dtype, biases too."""
    layer = LAYERS[name](H, C, **options)
    for p in layer.params():
        p.data = rng.normal(size=p.shape).astype(dtype)
    return layer


def gradients(layer, loss):
    layer.cleargrads()
    loss.backward()
    return {
        key: np.zeros_like(p.data) if p.grad is None else p.grad.data
        for key, p in layer.named_params()
        if p.requires_grad
    }


def same(a, b, tolerance=1e-12):
    assert a.keys() == b.keys()
    for key in a:
        assert a[key].dtype == b[key].dtype, key
        np.testing.assert_allclose(a[key], b[key], rtol=tolerance, atol=tolerance, err_msg=key)


def loss_of(ys, weights):
    return sum((F.sum(y * y * w) for y, w in zip(ys, weights, strict=True)), 0.0)


# values and gradients


@each
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_steps_compute_the_formula_and_its_gradients(name, dtype, rng):
    layer = make(name, rng, dtype)
    xs, ws = rng.normal(size=(T, N, C)).astype(dtype), rng.normal(size=(T, N, H)).astype(dtype)
    tolerance = 1e-12 if dtype == np.float64 else 2e-5
    plain = Plain(layer)
    ys, wanted = [layer(x) for x in xs], [plain(x) for x in xs]
    for y, z in zip(ys, wanted, strict=True):
        assert y.dtype == dtype
        np.testing.assert_allclose(y.data, z.data, rtol=tolerance, atol=tolerance)
    got = gradients(layer, loss_of(ys, ws))
    assert len(got) == len(list(layer.params()))
    same(got, gradients(layer, loss_of(wanted, ws)), tolerance)


@each
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_sequence_is_its_steps(name, dtype, rng):
    layer = make(name, rng, dtype)
    x = Variable(rng.normal(size=(T, N, C)).astype(dtype))
    w = rng.normal(size=(T, N, H)).astype(dtype)
    tolerance = 1e-12 if dtype == np.float64 else 2e-5
    y = layer(x)
    assert y.shape == (T, N, H)
    np.testing.assert_array_equal(layer.h.data, y.data[-1])
    got = gradients(layer, F.sum(y * y * w))
    gx = x.grad.data
    x.cleargrad()
    y = Plain(layer)(x)
    same(got, gradients(layer, F.sum(y * y * w)), tolerance)
    np.testing.assert_allclose(gx, x.grad.data, rtol=tolerance, atol=tolerance)


@each
def test_the_state_is_carried_on_between_steps_and_sequences(name, rng):
    layer = make(name, rng)
    x = rng.normal(size=(6, N, C))
    w = rng.normal(size=(6, N, H))
    plain = Plain(layer)
    wanted = plain(x)
    parts = [layer(x[:2]), F.stack([layer(x[2])]), layer(x[3:4]), F.stack([layer(x[4])]),
             layer(x[5:])]  # fmt: skip
    y = F.concatenate(parts)
    np.testing.assert_allclose(y.data, wanted.data, atol=1e-12)
    np.testing.assert_allclose(layer.h.data, plain.h.data, atol=1e-12)
    same(gradients(layer, F.sum(y * y * w)), gradients(layer, F.sum(wanted * wanted * w)))
    layer.reset_state()
    assert layer.h is None
    np.testing.assert_allclose(layer(x).data, wanted.data, atol=1e-12)


@each
@pytest.mark.parametrize("sequence", [False, True])
def test_second_derivatives(name, sequence, rng):
    layer = make(name, rng)
    xs, w = rng.normal(size=(T, N, C)), rng.normal(size=(T, N, H))
    found = []
    for run in (layer, Plain(layer)):
        x = Variable(xs)
        y = run(x) if sequence else F.stack([run(x[s]) for s in range(T)])
        layer.cleargrads()
        F.sum(y * y * w).backward(create_graph=True)
        grads = [x.grad, *(p.grad for p in layer.params())]
        x.cleargrad()
        total = sum((F.sum(g * g) for g in grads), 0.0)
        found.append(gradients(layer, total) | {"x": x.grad.data})
    same(*found, tolerance=1e-9)


@each
def test_second_derivatives_of_steps_on_plain_arrays(name, rng):
    layer = make(name, rng)
    xs, w = rng.normal(size=(T, N, C)), rng.normal(size=(N, H))
    found = []
    for run in (layer, Plain(layer)):
        y = [run(x) for x in xs][-1]
        layer.cleargrads()
        F.sum(y * w).backward(create_graph=True)
        total = sum((F.sum(p.grad * p.grad) for p in layer.params()), 0.0)
        found.append(gradients(layer, total))
    same(*found, tolerance=1e-9)


@each
def test_no_grad_gives_the_values_and_records_nothing(name, rng):
    layer = make(name, rng)
    x = rng.normal(size=(T, N, C))
    wanted = Plain(layer)(x).data
    with no_grad():
        for run in (layer(x), F.stack([layer(s) for s in [layer.reset_state(), *x][1:]])):
            np.testing.assert_allclose(run.data, wanted, atol=1e-12)
            assert run.creator is None
            assert layer.h.creator is None


# weights that change


@each
def test_an_update_in_the_middle_of_a_sequence_counts_at_once(name, rng):
    layer = make(name, rng)
    optimizer = optimizers.SGD(0.5).setup(layer)
    xs = rng.normal(size=(T, N, C))
    twin = copy.deepcopy(layer)
    plain = Plain(twin)
    other = optimizers.SGD(0.5).setup(twin)
    for model, run, opt in ((layer, layer, optimizer), (twin, plain, other)):
        loss = F.sum(run(xs[0]) * 1.0) + F.sum(run(xs[1]) ** 2)
        model.cleargrads()
        loss.backward()
        loss.unchain_backward()
        opt.update()
    for x in xs[2:]:
        np.testing.assert_allclose(layer(x).data, plain(x).data, atol=1e-12)
    same(gradients(layer, F.sum(layer.h**2)), gradients(twin, F.sum(plain.h**2)))


CHANGES = {
    "assign": lambda p: setattr(p, "data", p.data * 2),
    "in place": lambda p: setattr(p, "data", p.data.__imul__(2)),
}


@each
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("recording", [True, False])
def test_a_changed_parameter_counts_from_the_next_step(name, change, recording, rng):
    layer = make(name, rng)
    xs = rng.normal(size=(3, N, C))
    plain = Plain(layer)
    with dezero.using_config("enable_backprop", recording):
        for x, param in zip(xs, [None, layer.h2n.W if name == "GRU" else layer.h2u.W,
                                 layer.x2r.b if name == "GRU" else layer.x2f.b],
                            strict=True):  # fmt: skip
            if param is not None:
                CHANGES[change](param)
            np.testing.assert_allclose(layer(x).data, plain(x).data, atol=1e-12)


@each
def test_what_is_written_behind_a_parameter_after_backward_counts(name, rng):
    layer = make(name, rng)
    plain = Plain(layer)
    x = rng.normal(size=(N, C))
    layer(x), plain(x)
    F.sum(layer.h).backward()
    for p in layer.params():
        p.data[...] *= 0.5
    np.testing.assert_allclose(layer(x).data, plain(x).data, atol=1e-12)
    layer.reset_state()
    plain.h = plain.c = None
    layer(x), plain(x)
    for p in layer.params():
        p.data[...] *= 0.5
    layer.reset_state()
    plain.h = plain.c = None
    np.testing.assert_allclose(layer(x).data, plain(x).data, atol=1e-12)


@each
def test_unchained_sequences_have_gradients_of_their_own(name, rng):
    layer = make(name, rng)
    xs = rng.normal(size=(6, N, C))
    plain = Plain(layer)
    for start in (0, 3):
        losses = []
        for run in (layer, plain):
            losses.append(sum((F.sum(run(x) ** 2) for x in xs[start : start + 3]), 0.0))
        got = gradients(layer, losses[0])
        losses[0].unchain_backward()
        wanted = gradients(layer, losses[1])
        losses[1].unchain_backward()
        same(got, wanted)


@each
def test_unchained_sequences_in_one_call(name, rng):
    layer = make(name, rng)
    plain = Plain(layer)
    for x in rng.normal(size=(3, T, N, C)):
        losses = [F.sum(run(x) ** 2) for run in (layer, plain)]
        got = gradients(layer, losses[0])
        losses[0].unchain_backward()
        same(got, gradients(layer, losses[1]))
        losses[1].unchain_backward()


@each
def test_unchaining_the_state_keeps_gradients_of_the_weights(name, rng):
    layer = make(name, rng)
    plain = Plain(layer)
    xs = rng.normal(size=(4, N, C))
    for run in (layer, plain):
        run(xs[0]), run(xs[1])
        run.h.unchain_backward()
        if name == "LSTM":
            run.c.unchain_backward()
    losses = [F.sum(run(xs[2]) ** 2) + F.sum(run(xs[3]) ** 2) for run in (layer, plain)]
    same(gradients(layer, losses[0]), gradients(layer, losses[1]))


@each
def test_steps_recorded_under_no_grad_are_recorded_after_it(name, rng):
    layer = make(name, rng)
    plain = Plain(layer)
    xs = rng.normal(size=(3, N, C))
    with no_grad():
        layer(xs[0]), plain(xs[0])
    losses = [F.sum(run(xs[1]) ** 2) + F.sum(run(xs[2])) for run in (layer, plain)]
    same(gradients(layer, losses[0]), gradients(layer, losses[1]))
    with no_grad():
        assert layer(xs[0]).creator is None


@each
def test_loaded_weights_count_at_once(name, rng, tmp_path):
    layer, other = make(name, rng), make(name, rng)
    other.save_weights(tmp_path / "weights.npz")
    plain = Plain(layer)
    x = rng.normal(size=(N, C))
    layer(x), plain(x)
    layer.load_weights(tmp_path / "weights.npz")
    np.testing.assert_allclose(layer(x).data, plain(x).data, atol=1e-12)
    layer.load_state_dict(make(name, rng).state_dict())
    np.testing.assert_allclose(layer(x).data, plain(x).data, atol=1e-12)


@each
def test_a_frozen_parameter_has_no_gradient_and_the_others_theirs(name, rng):
    layer = make(name, rng)
    xs = rng.normal(size=(3, N, C))
    frozen = layer.x2z.W if name == "GRU" else layer.h2i.W
    everything = gradients(layer, sum((F.sum(layer(x) ** 2) for x in xs), 0.0))
    key = next(k for k, p in layer.named_params() if p is frozen)
    frozen.requires_grad = False
    layer.reset_state()
    some = gradients(layer, sum((F.sum(layer(x) ** 2) for x in xs), 0.0))
    assert frozen.grad is None
    everything.pop(key)
    same(some, everything)
    for p in layer.params():
        p.requires_grad = False
    layer.reset_state()
    assert layer(xs[0]).creator is None


@each
def test_freezing_in_the_middle_of_a_sequence(name, rng):
    layer = make(name, rng)
    plain = Plain(layer)
    xs = rng.normal(size=(3, N, C))
    frozen = layer.x2z.W if name == "GRU" else layer.x2i.W
    losses = []
    for run in (layer, plain):
        frozen.requires_grad = True
        loss = F.sum(run(xs[0]) ** 2)
        frozen.requires_grad = False
        losses.append(loss + F.sum(run(xs[1]) ** 2) + F.sum(run(xs[2]) ** 2))
    same(gradients(layer, losses[0]), gradients(layer, losses[1]))


@each
def test_a_replaced_parameter_or_layer_counts_at_once(name, rng):
    layer = make(name, rng)
    plain = Plain(layer)
    x = rng.normal(size=(N, C))
    layer(x), plain(x)
    gate = layer.x2n if name == "GRU" else layer.x2o
    gate.W = Parameter(rng.normal(size=gate.W.shape))
    np.testing.assert_allclose(layer(x).data, plain(x).data, atol=1e-12)
    fresh = L.Linear(H, in_size=C)
    setattr(layer, "x2n" if name == "GRU" else "x2o", fresh)
    np.testing.assert_allclose(layer(x).data, plain(x).data, atol=1e-12)


@each
def test_repeated_backward_through_a_growing_sequence(name, rng):
    layer = make(name, rng)
    plain = Plain(layer)
    xs = rng.normal(size=(3, N, C))
    for x in xs:
        losses = [F.sum(run(x) ** 2) for run in (layer, plain)]
        same(gradients(layer, losses[0]), gradients(layer, losses[1]))


def test_moving_to_an_other_device_and_back_packs_anew(rng):
    layer = make("LSTM", rng)
    layer(rng.normal(size=(N, C)))
    before = layer._packed
    layer.to_cpu()
    assert layer(rng.normal(size=(N, C))).shape == (N, H)
    layer.x2f.W.data = layer.x2f.W.data.copy()
    layer(rng.normal(size=(N, C)))
    assert layer._packed is not before


def test_the_weights_are_packed_once_for_a_sequence(rng):
    layer = make("LSTM", rng)
    xs = rng.normal(size=(3, N, C))
    layer(xs[0])
    packed = layer._packed
    for x in xs:
        layer(x)
    assert layer._packed is packed
    layer.reset_state()
    assert layer._packed is None


# gradients that wait for their products


def test_packed_gradients_that_wait_meet_those_that_do_not(rng):
    layer = make("LSTM", rng)
    plain = Plain(layer)
    x = rng.normal(size=(T, N, C))

    def loss(run):
        return F.sum(run(x[0]) ** 2) + F.sum(run(x) ** 2) + F.sum(run(x[1]) ** 2)

    same(gradients(layer, loss(layer)), gradients(layer, loss(plain)))


def test_the_gradient_of_the_packed_weights_can_be_retained(rng):
    layer = make("LSTM", rng)
    xs = rng.normal(size=(2, N, C))
    loss = F.sum(layer(xs[0]) ** 2) + F.sum(layer(xs[1]) ** 2)
    loss.backward(retain_grad=True)
    W = layer._packed.W
    assert type(W.grad.data) is np.ndarray
    np.testing.assert_allclose(W.grad.data[:C, :H], layer.x2f.W.grad.data, rtol=1e-12)


def test_weights_that_were_computed_get_arrays_as_gradients(rng):
    shapes = [(C, 4 * H), (H, 4 * H), (4 * H,)]
    ws = [Variable(rng.normal(size=s)) for s in shapes]
    h = c = None
    x = rng.normal(size=(N, C))
    for _ in range(2):
        h, c = F.lstm_cell(x, h, c, *(w * 2 for w in ws))
    F.sum(h).backward()
    assert all(type(w.grad.data) is np.ndarray for w in ws)


# more layers, both directions


@each
def test_layers_read_one_another_and_both_directions(name, rng):
    layer = make(name, rng, num_layers=2, bidirectional=True)
    x, w = rng.normal(size=(T, N, C)), rng.normal(size=(T, N, 2 * H))
    y = layer(x)
    assert y.shape == (T, N, 2 * H)
    first = F.concatenate([Plain(layer)(x), Plain(layer.l0_reverse)(x, True)], axis=2)
    wanted = F.concatenate([Plain(layer.l1)(first), Plain(layer.l1_reverse)(first, True)], axis=2)
    np.testing.assert_allclose(y.data, wanted.data, atol=1e-12)
    same(gradients(layer, F.sum(y * y * w)), gradients(layer, F.sum(wanted * wanted * w)))


@each
def test_several_layers_step_by_step_and_over_sequences(name, rng):
    layer = make(name, rng, num_layers=3)
    x = rng.normal(size=(T, N, C))
    whole = layer(x)
    layer.reset_state()
    steps = [layer(s) for s in x]
    np.testing.assert_allclose(F.stack(steps).data, whole.data, atol=1e-12)
    assert layer.l2.h is not None
    layer.reset_state()
    assert layer.h is None
    assert layer.l1.h is None
    assert layer.l2.h is None


@each
def test_the_backward_direction_begins_anew(name, rng):
    layer = make(name, rng, bidirectional=True)
    x = rng.normal(size=(T, N, C))
    first, second = layer(x).data, layer(x).data
    assert not np.allclose(first[..., :H], second[..., :H])
    np.testing.assert_array_equal(first[..., H:], second[..., H:])


@each
def test_dropout_between_layers_while_training(name, rng):
    layer = make(name, rng, num_layers=2, dropout=0.5)
    x = rng.normal(size=(T, N, C))

    def run():
        layer.reset_state()
        return layer(x).data

    assert not np.allclose(run(), run())
    with dezero.test_mode():
        wanted = Plain(layer.l1)(Plain(layer)(x)).data
        np.testing.assert_allclose(run(), wanted, atol=1e-12)


def test_names_of_the_other_layers():
    names = [key for key, _ in L.GRU(2, num_layers=2, bidirectional=True).named_params()]
    assert names[:3] == ["x2r/W", "x2r/b", "x2z/W"]
    assert {key.split("/")[0] for key in names[10:]} == {"l0_reverse", "l1", "l1_reverse"}
    assert "l1_reverse/h2n/b" in names
    assert "h2r/b" not in names


@each
def test_a_size_that_is_not_given_is_taken_from_the_first_call(name):
    for x in (np.ones((2, 3), np.float32), np.ones((4, 2, 3), np.float32)):
        layer = LAYERS[name](5, num_layers=2)
        assert layer(x).shape == (*x.shape[:-1], 5)
        assert layer.l1.h.shape == (2, 5)
        gate = layer.x2z if name == "GRU" else layer.x2f
        assert gate.W.shape == (3, 5)
        assert gate.in_size == 3


@each
@pytest.mark.parametrize(
    "twin_of", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["deepcopy", "pickle"]
)
def test_copies_go_on_by_themselves(name, twin_of, rng):
    layer = make(name, rng)
    x = rng.normal(size=(N, C))
    layer(x)
    twin = twin_of(layer)
    np.testing.assert_array_equal(twin(x).data, layer(x).data)
    for p in twin.params():
        p.data += 1.0
    assert not np.allclose(twin(x).data, layer(x).data)


@each
@pytest.mark.usefixtures("no_gc")
def test_a_dropped_sequence_is_freed_at_once(name, rng):
    layer = make(name, rng)
    for x in rng.normal(size=(3, N, C)):
        y = layer(x)
    node = weakref.ref(y.creator)
    F.sum(y).backward()
    layer.reset_state()
    del y
    assert node() is None
    gc.collect()


# large enough to run compiled


@each
def test_training_compiled_and_not_goes_the_same_way(name):
    rng = np.random.default_rng(0)
    xs, ts = rng.normal(size=(2, 8, 16, 4)).astype(np.float32)
    found = []
    for compiled in (True, False):
        with dezero.using_config("compiled", compiled):
            layer = LAYERS[name](32, 4)
            for i, p in enumerate(layer.params()):
                p.data = np.random.default_rng(i).normal(size=p.shape).astype(np.float32) / 6
            optimizer = optimizers.Adam().setup(layer)
            for sequence in (False, True, False):
                layer.reset_state()
                ys = layer(xs) if sequence else F.stack([layer(x) for x in xs])
                loss = F.mean_squared_error(ys[..., :4], ts)
                layer.cleargrads()
                loss.backward()
                optimizer.update()
            found.append(layer.state_dict() | {"loss": loss.data})
    same(*found, tolerance=2e-5)


# errors


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: L.LSTM(2, num_layers=0), "LSTM: num_layers .* got 0"),
        (lambda: L.GRU(2, dropout=1.5), "GRU: dropout is a ratio from 0 to 1, got 1.5"),
        (lambda: L.GRU(0), "GRU: hidden_size .* got 0"),
        (lambda: L.LSTM(2)(np.ones((1, 2, 3, 4))), r"LSTM: got an array of shape \(1, 2, 3, 4\)"),
        (lambda: L.LSTM(2)(np.ones(3)), r"LSTM: got an array of shape \(3,\).*\(T, N, in_size\)"),
        (
            lambda: L.GRU(2, bidirectional=True)(np.ones((2, 3))),
            r"GRU: got one step, x of shape \(2, 3\).*whole sequence",
        ),
        (
            lambda: L.LSTM(2, in_size=3)(np.ones((2, 4))),
            r"lstm_cell: got x of shape \(2, 4\) with weights for C=3 features and H=2",
        ),
        (
            lambda: L.LSTM(2, in_size=3)(np.ones((0, 2, 3))),
            r"lstm: got x of shape \(0, 2, 3\).*T at least 1",
        ),
        (
            lambda: F.lstm_cell(np.ones((2, 3)), None, None, np.ones((3, 8)), np.ones((2, 6)),
                                np.ones(8)),
            r"lstm_cell: got weights of shapes \(3, 8\), \(2, 6\), \(8,\); it wants \(C, 4 H\)",
        ),
        (
            lambda: F.gru(np.ones((1, 2, 3)), np.ones((3, 2)), np.ones((3, 6)), np.ones((2, 6)),
                          np.ones(6), np.ones(6)),
            r"gru: got a state of shape \(3, 2\); .* it wants \(2, 2\), or None",
        ),
    ],
    ids=range(10),
)  # fmt: skip
def test_errors_say_what_is_wanted(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_an_option_in_the_place_of_another_is_named():
    with pytest.raises(TypeError, match="LSTM: bidirectional is True or False, got 2"):
        L.LSTM(2, bidirectional=2)
    with pytest.raises(TypeError, match="GRU: got list"):
        L.GRU(2)([[1.0]])


@each
def test_a_batch_of_another_size_within_a_sequence_is_refused(name):
    layer = LAYERS[name](3)
    layer(np.ones((5, 1, 2), np.float32))
    for shape in [(4, 2), (5, 4, 2)]:
        with pytest.raises(ValueError, match=r"after a state of shape \(1, 3\).*reset_state"):
            layer(np.ones(shape, np.float32))
