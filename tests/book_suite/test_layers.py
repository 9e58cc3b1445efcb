import numpy as np
import pytest

import dezero
import dezero.functions as F
import dezero.layers as L
from dezero import Layer, Model, Parameter, Variable
from dezero.models import MLP, VGG16, ResNet, ResNet50, Sequential, SqueezeNet

from .check import values


def test_registration():
    layer = Layer()
    layer.p = Parameter(np.array(1.0))
    layer.v = Variable(np.array(2.0))
    layer.child = Layer()
    layer.child.q = Parameter(np.array(3.0))
    assert sorted(p.data.item() for p in layer.params()) == [1.0, 3.0]
    assert set(layer._params) == {"p", "child"}


def test_linear_layer():
    layer = L.Linear(3)
    x = values(1, (5, 4)).astype(np.float32)
    y = layer(x)
    assert layer.W.shape == (4, 3)
    assert layer.b.shape == (3,)
    assert np.allclose(y.data, x @ layer.W.data + layer.b.data, atol=1e-6)
    assert np.all(layer.b.data == 0)
    assert L.Linear(3, in_size=7).W.shape == (7, 3)
    assert len(list(L.Linear(3, nobias=True, in_size=2).params())) == 1
    assert L.Linear(3, in_size=2, dtype=np.float64).W.dtype == np.float64
    wide = L.Linear(200, in_size=400).W.data
    assert np.isclose(wide.std(), 1 / np.sqrt(400), rtol=0.05), "scaled by 1/sqrt(in_size)"


def test_call_keeps_inputs_and_outputs():
    layer = L.Linear(3)
    x = Variable(np.ones((2, 4), np.float32))
    y = layer(x)
    assert layer.inputs[0]() is x
    assert layer.outputs[0]() is y


def plain_rnn(layer, xs):
    h = np.zeros((xs.shape[1], layer.h2h.W.shape[0]))
    for x in xs:
        h = np.tanh(x @ layer.x2h.W.data + layer.x2h.b.data + h @ layer.h2h.W.data)
    return h


def test_rnn():
    layer = L.RNN(4)
    xs = values(2, (3, 2, 5)).astype(np.float32)
    for x in xs:
        h = layer(x)
    assert h.shape == (2, 4)
    assert h.dtype == np.float32
    assert np.allclose(h.data, plain_rnn(layer, xs), atol=1e-5)
    F.sum(h).backward()
    assert all(p.grad is not None for p in layer.params())
    layer.reset_state()
    assert layer.h is None
    assert L.RNN(4, in_size=2)(np.ones((1, 2), np.float32)).shape == (1, 4)


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def part(layer, name, x, h):
    return (x @ getattr(layer, "x2" + name).W.data + getattr(layer, "x2" + name).b.data
            + h @ getattr(layer, "h2" + name).W.data)  # fmt: skip


def test_lstm():
    layer = L.LSTM(4)
    xs = values(3, (3, 2, 5)).astype(np.float32)
    for x in xs:
        y = layer(x)
    h = c = np.zeros((2, 4))
    for x in xs:
        f, i, o = (sigmoid(part(layer, name, x, h)) for name in "fio")
        c = f * c + i * np.tanh(part(layer, "u", x, h))
        h = o * np.tanh(c)
    assert y.dtype == np.float32
    assert np.allclose(y.data, h, atol=1e-5)
    assert np.allclose(layer.c.data, c, atol=1e-5)
    F.sum(y).backward()
    assert all(p.grad is not None for p in layer.params())
    names = {"x2f", "x2i", "x2o", "x2u", "h2f", "h2i", "h2o", "h2u"}
    assert names <= set(layer._params)
    layer.reset_state()
    assert layer.h is None
    assert layer.c is None


def test_mlp():
    x = values(4, (5, 3)).astype(np.float32)
    model = MLP((4, 2))
    y = model(x)
    hidden = sigmoid(x @ model.l0.W.data + model.l0.b.data)
    assert np.allclose(y.data, hidden @ model.l1.W.data + model.l1.b.data, atol=1e-5)
    model = MLP((4, 2), activation=F.relu)
    y = model(x)
    hidden = np.maximum(x @ model.l0.W.data + model.l0.b.data, 0)
    assert np.allclose(y.data, hidden @ model.l1.W.data + model.l1.b.data, atol=1e-5)


def test_sequential():
    model = Sequential(L.Linear(4), F.relu, L.Linear(2))
    x = values(5, (3, 5)).astype(np.float32)
    assert model(x).shape == (3, 2)
    assert len(list(model.params())) == 4


def test_model_plot(tmp_path):
    class Net(Model):
        def __init__(self):
            super().__init__()
            self.l1 = L.Linear(2)

        def forward(self, x):
            return F.tanh(self.l1(x))

    Net().plot(np.ones((1, 3), np.float32), to_file=str(tmp_path / "net.png"))
    assert (tmp_path / "net.png").read_bytes()[:4] == b"\x89PNG"


def test_weights_travel_through_a_file(tmp_path):
    path = str(tmp_path / "w.npz")
    x = values(6, (2, 3)).astype(np.float32)
    model = MLP((5, 4))
    expected = model(x).data
    model.save_weights(path)
    with np.load(path) as saved:
        assert list(saved.files) == ["l0/W", "l0/b", "l1/W", "l1/b"]
    other = MLP((5, 4))
    other.load_weights(path)
    assert np.array_equal(other(x).data, expected)
    assert all(isinstance(p, Parameter) for p in other.params())


@pytest.mark.parametrize("kind", [L.LSTM, L.RNN, L.BatchNorm])
def test_weights_of_every_layer_travel(kind, tmp_path):
    args = () if kind is L.BatchNorm else (3,)
    layer, other = kind(*args), kind(*args)
    path = str(tmp_path / "w.npz")
    x = values(7, (4, 2)).astype(np.float32)
    layer(x)
    layer(x)
    layer.save_weights(path)
    other.load_weights(path)
    for p, q in zip(layer.params(), other.params(), strict=True):
        assert np.array_equal(p.data, q.data)


def test_vgg16_has_the_known_shape():
    model = VGG16()
    assert model.conv1_1.W.data is None or model.conv1_1.W.shape[0] == 64
    names = [f"conv{b}_{i}" for b, n in enumerate((2, 2, 3, 3, 3), 1) for i in range(1, n + 1)]
    for name in [*names, "fc6", "fc7", "fc8"]:
        assert hasattr(model, name), name


def test_squeezenet_on_a_small_picture():
    model = SqueezeNet()
    with dezero.no_grad(), dezero.test_mode():
        y = model(np.ones((1, 3, 64, 64), np.float32))
    assert y.shape == (1, 1000)
    assert len(list(model.params())) == 52, "26 convolutions, with a bias each"


def test_resnet_on_a_small_picture():
    model = ResNet50()
    assert isinstance(model, ResNet)
    with dezero.no_grad(), dezero.test_mode():
        y = model(np.zeros((1, 3, 224, 224), np.float32)[:, :, ::4, ::4])
    assert y.shape == (1, 1000)
    assert y.dtype == np.float32
