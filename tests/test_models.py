"""Models: their parts, their names, and that they learn."""

import functools
import http.server
import threading

import numpy as np
import pytest
from PIL import Image

import dezero
import dezero.functions as F
import dezero.layers as L
from dezero import Model, optimizers
from dezero.models import (
    MLP,
    VGG16,
    BottleneckA,
    BuildingBlock,
    ResNet,
    ResNet50,
    ResNet101,
    ResNet152,
    Sequential,
    SqueezeNet,
)


def ones(*shape):
    return np.ones(shape, np.float32)


def count(model):
    return sum(p.size for p in model.params() if p.requires_grad)


def test_mlp_has_children_by_number_and_activates_all_but_the_last():
    model = MLP((4, 3), activation=F.relu)
    x = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    y = model(x)
    hidden = np.maximum(x @ model.l0.W.data, 0)
    assert np.allclose(y.data, hidden @ model.l1.W.data, atol=1e-6)
    assert [name for name, _ in model.named_params()] == ["l0/W", "l0/b", "l1/W", "l1/b"]
    assert model.layers == (model.l0, model.l1)


@pytest.mark.parametrize("sizes", [(), 5])
def test_mlp_without_sizes_says_what_it_wants(sizes):
    with pytest.raises(ValueError, match=r"MLP: fc_output_sizes .*\(100, 10\)"):
        MLP(sizes)


def test_sequential_takes_layers_and_functions():
    model = Sequential(L.Linear(4), F.relu, L.Linear(3))
    assert model(ones(2, 5)).shape == (2, 3)
    assert [name for name, _ in model.named_params()] == ["l0/W", "l0/b", "l2/W", "l2/b"]
    with pytest.raises(TypeError, match=r"layer 1 is int.*Sequential\(\*layers\)"):
        Sequential(F.relu, 3)


def test_a_layer_exchanged_in_sequential_is_used_and_trained():
    model = Sequential(L.Linear(4), L.Linear(3))
    model.l1 = L.Linear(7)
    assert model(ones(2, 5)).shape == (2, 7)
    assert len(list(model.params())) == 4


def test_plot_writes_a_picture_even_under_no_grad(tmp_path):
    with dezero.no_grad():
        MLP((3, 2)).plot(ones(1, 2), to_file=str(tmp_path / "model.png"))
    assert (tmp_path / "model.png").read_bytes()[:4] == b"\x89PNG"


def test_vgg16_has_the_parts_of_the_paper_and_the_books_names():
    model = VGG16()
    with dezero.no_grad(), dezero.test_mode():
        assert model(ones(1, 3, 32, 32)).shape == (1, 1000)
    # With pictures of 224 x 224, fc6 has 25088 inputs instead of 512: 138,357,544 in the paper.
    assert count(model) + (25088 - 512) * 4096 == 138_357_544
    names = [name for name, _ in model.named_params()]
    assert names[:4] == ["conv1_1/W", "conv1_1/b", "conv1_2/W", "conv1_2/b"]
    assert names[-2:] == ["fc8/W", "fc8/b"]


def test_vgg16_preprocess_keeps_its_input_and_wants_a_picture():
    image = Image.new("RGBA", (10, 6), (10, 20, 30, 255))
    x = VGG16.preprocess(image, size=None)
    assert x.shape == (3, 6, 10)
    assert x.dtype == np.float32
    assert np.allclose(x[:, 0, 0], [30 - 103.939, 20 - 116.779, 10 - 123.68])
    assert VGG16.preprocess(image, size=(8, 4), dtype=np.float64).shape == (3, 4, 8)
    assert image.mode == "RGBA"
    with pytest.raises(TypeError, match=r"got ndarray; .*Image\.fromarray"):
        VGG16.preprocess(np.zeros((4, 4, 3)))


def test_resnet50_has_the_parameters_of_the_paper_under_the_books_names():
    model = ResNet50()
    with dezero.no_grad(), dezero.test_mode():
        assert model(ones(1, 3, 64, 64)).shape == (1, 1000)
    assert count(model) == 25_557_032 + 64  # conv1 has a bias here, as in the published files
    names = [name for name, _ in model.named_params()]
    assert names[:6] == [
        "conv1/W",
        "conv1/b",
        *(f"bn1/{p}" for p in ["avg_mean", "avg_var", "gamma", "beta"]),
    ]
    for name in ("res2/a/conv4/W", "res2/b1/bn3/avg_var", "res5/b2/conv3/W", "fc6/b"):
        assert name in names
    assert "res2/b3/conv1/W" not in names


def test_deeper_resnets_differ_in_the_number_of_blocks():
    for make, depths in (
        (ResNet101, (3, 4, 23, 3)),
        (ResNet152, (3, 8, 36, 3)),
        (ResNet, (3, 8, 36, 3)),
    ):
        model = make()
        blocks = (model.res2, model.res3, model.res4, model.res5)
        assert tuple(len(block._forward) for block in blocks) == depths
    with pytest.raises(ValueError, match="n_layers is 50, 101 or 152, got 18"):
        ResNet(18)


def test_a_bottleneck_downsamples_in_the_first_or_the_second_convolution():
    assert BottleneckA(3, 4, 8).conv1.stride == 2
    facebook = BottleneckA(3, 4, 8, stride=2, downsample_fb=True)
    assert (facebook.conv1.stride, facebook.conv2.stride, facebook.conv4.stride) == (1, 2, 2)
    assert facebook(ones(1, 3, 6, 6)).shape == (1, 8, 3, 3)
    with pytest.raises(ValueError, match="BuildingBlock: give n_layers"):
        BuildingBlock()


def test_squeezenet_has_the_size_that_its_authors_give():
    model = SqueezeNet()
    y = model(ones(2, 3, 48, 48))
    assert y.shape == (2, 1000)
    assert count(model) == 1_235_496
    F.sum(y).backward()
    assert all(p.grad is not None for p in model.params())
    with pytest.raises(ValueError, match="no weights were published"):
        SqueezeNet(pretrained=True)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A folder that a server on this machine gives away, and an empty cache."""
    monkeypatch.setenv("DEZERO_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


def test_pretrained_weights_are_downloaded_checked_and_loaded(served, monkeypatch):
    folder, url = served
    monkeypatch.setattr("dezero.models.resnet._DEPTHS", {50: (1, 1, 1, 1)})
    monkeypatch.setattr(ResNet, "WEIGHTS_PATH", url + "resnet{}.npz")
    model = ResNet50()
    with dezero.no_grad():
        model(ones(1, 3, 64, 64))
    for p in model.params():
        p.data = np.full(p.shape, 0.25, np.float32)
    model.save_weights(folder / "resnet50.npz")
    loaded = ResNet50(pretrained=True)
    assert all(np.all(p.data == 0.25) for p in loaded.params())

    arrays = model.state_dict()
    arrays["res2/a/conv1/W"] = np.zeros((1, 2, 3), np.float32)
    np.savez(folder / "vgg16.npz", **arrays)
    monkeypatch.setattr(VGG16, "WEIGHTS_PATH", url + "vgg16.npz")
    with pytest.raises(ValueError, match=r"vgg16.npz does not fit this VGG16.*missing: conv1_1/W"):
        VGG16(pretrained=True)


def fit(model, x, t, loss_of, steps, optimizer):
    optimizer.setup(model)
    losses = []
    for _ in range(steps):
        loss = loss_of(model(x), t)
        model.cleargrads()
        loss.backward()
        optimizer.update()
        losses.append(float(loss.data))
    return losses


def test_an_mlp_learns_a_sine():
    dezero.seed(0)
    x = np.random.default_rng(0).random((100, 1))
    losses = fit(
        MLP((10, 1)), x, np.sin(2 * np.pi * x), F.mean_squared_error, 500, optimizers.Adam(0.05)
    )
    assert losses[-1] < 0.02 < losses[0]


def test_a_cnn_with_batch_norm_learns_where_the_bright_half_is():
    dezero.seed(0)
    rng = np.random.default_rng(0)
    t = np.arange(40) % 2
    x = rng.random((40, 1, 8, 8)).astype(np.float32)
    x[t == 1, :, :4] += 0.5
    x[t == 0, :, 4:] += 0.5
    model = Sequential(
        L.Conv2d(4, 3, pad=1),
        L.BatchNorm(),
        F.relu,
        lambda x: F.pooling(x, 2, 2),
        F.flatten,
        L.Linear(2),
    )
    losses = fit(model, x, t, F.softmax_cross_entropy, 30, optimizers.MomentumSGD(0.1))
    assert losses[-1] < 0.1 < losses[0]
    assert all(p.dtype == np.float32 for p in model.params())


def test_an_lstm_learns_to_remember_the_first_input():
    dezero.seed(0)

    class Memory(Model):
        def __init__(self):
            self.lstm = L.LSTM(8)
            self.out = L.Linear(1)

        def forward(self, xs):
            self.lstm.reset_state()
            for x in xs:
                h = self.lstm(x)
            return self.out(h)

    xs = np.random.default_rng(0).normal(size=(6, 32, 1)).astype(np.float32)
    losses = fit(Memory(), xs, xs[0], F.mean_squared_error, 200, optimizers.Adam(0.03))
    assert losses[-1] < 0.1 < losses[0]


def test_an_attention_model_in_lists_learns():
    dezero.seed(0)

    class Small(Model):
        def __init__(self):
            self.table = L.Embedding(5, 8)
            self.blocks = [
                {"norm": L.LayerNorm(), "attention": L.MultiHeadAttention(8, 2)} for _ in range(2)
            ]
            self.head = L.Linear(5)

        def forward(self, tokens):
            x = self.table(tokens)
            for block in self.blocks:
                x = x + block["attention"](block["norm"](x), is_causal=True)
            return F.reshape(self.head(x), (-1, 5))

    tokens = np.random.default_rng(0).integers(0, 5, (8, 6))
    previous = np.roll(tokens, 1, axis=1)
    previous[:, 0] = 0
    losses = fit(
        Small(), tokens, previous.reshape(-1), F.softmax_cross_entropy, 60, optimizers.AdamW(0.02)
    )
    assert losses[-1] < 0.5 * losses[0]
