"""The table of layers: exact counts by hand, the known numbers, and a model left as it was."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import dezero
import dezero.functions as F
import dezero.layers as L
from dezero import Variable
from dezero.models import MLP, VGG16, ResNet50

f32 = np.float32


class Only(L.Layer):
    """Runs a function."""

    def __init__(self, function):
        self.function = function

    def forward(self, *xs):
        return self.function(*xs)


def macs(layer, *inputs):
    return dezero.summary(layer, *inputs).multiply_adds


def test_rows_and_totals():
    found = dezero.summary(MLP((10, 3)), (8, 4))
    assert [(r.name, r.kind, r.depth, r.outputs) for r in found.rows] == [
        ("MLP", "MLP", 0, [(8, 3)]),
        ("l0", "Linear", 1, [(8, 10)]),
        ("l1", "Linear", 1, [(8, 3)]),
    ]
    assert [r.parameters for r in found.rows] == [83, 50, 33]
    assert [r.multiply_adds for r in found.rows] == [560, 320, 240]
    assert (found.parameters, found.trainable, found.parameter_bytes) == (83, 83, 332)
    assert found.rows[1].output_bytes == 8 * 10 * 4
    assert found.output_bytes == (8 * 10 * 2 + 8 * 3) * 4  # with the sigmoid's


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (L.Linear(5), (2, 3, 4), 2 * 3 * 4 * 5),
        (L.Conv2d(8, 3, pad=1), (2, 4, 6, 5), 2 * 8 * 6 * 5 * 4 * 9),
        (L.Conv2d(8, 3, stride=2, groups=4), (1, 4, 7, 7), 8 * 3 * 3 * (4 // 4) * 9),
        (L.Deconv2d(8, 4, stride=2, pad=1), (2, 3, 5, 5), 2 * 3 * 5 * 5 * 8 * 16),
        (L.Deconv2d(8, 3, groups=2), (1, 4, 5, 5), 4 * 5 * 5 * (8 // 2) * 9),
        (L.RNN(6), (2, 3), 2 * 3 * 6),  # no state yet
        (L.LSTM(6), (2, 3), 2 * (3 + 6) * 4 * 6),
        (L.GRU(6), (2, 3), 2 * (3 + 6) * 3 * 6),
        (L.LayerNorm(), (2, 3), 0),
        (Only(lambda x: F.matmul(x, np.ones((4, 5), f32))), (3, 4), 3 * 4 * 5),
        (Only(lambda x: F.matmul(x, np.ones(4, f32))), (3, 4), 3 * 4),
        (Only(lambda x: F.matmul(x, x.transpose(0, 2, 1))), (7, 3, 4), 7 * 3 * 4 * 3),
        (Only(lambda x: F.einsum("bij,bjk->bik", x, x)), (7, 3, 3), 7 * 27),
        (Only(lambda x: F.scaled_dot_product_attention(x, x, x)), (8, 5, 6), 8 * 5 * 5 * 12),
        (Only(F.sin), (3, 4), 0),
    ],
)  # fmt: skip
def test_multiply_adds_by_hand(layer, shape, expected):
    assert macs(layer, Variable(np.ones(shape, f32))) == expected


def test_a_sequence_counts_every_step():
    T, N, C, H = 5, 2, 3, 6
    weights = np.ones((C, 4 * H), f32), np.ones((H, 4 * H), f32), np.ones(4 * H, f32)
    run = Only(lambda x: F.lstm(x, None, None, *weights))
    assert macs(run, Variable(np.ones((T, N, C), f32))) == T * N * (C + H) * 4 * H


def test_vgg16_has_the_known_numbers():
    """138 million parameters (Simonyan and Zisserman, 2014, table 2) and 15.5 G multiply-adds."""
    sizes = [(64, 224, 2), (128, 112, 2), (256, 56, 3), (512, 28, 3), (512, 14, 3)]
    channels, expected = 3, 0
    for width, size, count in sizes:
        for _ in range(count):
            expected += channels * width * 9 * size * size
            channels = width
    expected += 25088 * 4096 + 4096 * 4096 + 4096 * 1000
    found = dezero.summary(VGG16(), (1, 3, 224, 224))
    assert found.multiply_adds == expected == 15_470_264_320
    assert found.parameters == 138_357_544


def test_resnet50_has_the_known_numbers():
    """3.8 G multiply-adds (He et al., 2015, table 1); with the stride in the 3x3, 4.1 G.

    The book's max pooling does not pad, so the first stage has 55 rows instead of 56.
    """
    expected = 3 * 64 * 49 * 112 * 112 + 2048 * 1000
    channels = 64
    for (width, count), size in zip(
        [(64, 3), (128, 4), (256, 6), (512, 3)], (55, 28, 14, 7), strict=True
    ):
        for block in range(count):
            expected += size * size * (channels * width + width * width * 9 + width * width * 4)
            if block == 0:
                expected += size * size * channels * width * 4
            channels = width * 4
    found = dezero.summary(ResNet50(), (1, 3, 224, 224))
    assert found.multiply_adds == expected
    assert abs(found.multiply_adds / 3.8e9 - 1) < 0.02
    assert found.trainable == 25_557_096 or found.trainable == found.parameters - 53_120


def test_a_layer_called_often_has_one_row():
    class Net(L.Layer):
        def __init__(self):
            self.one = L.Linear(4, in_size=4)

        def forward(self, x):
            return self.one(self.one(self.one(x)))

    found = dezero.summary(Net(), (2, 4))
    assert len(found.rows) == 2 and found.rows[1].calls == 3
    assert found.parameters == 20 and found.multiply_adds == 3 * 2 * 16
    assert "Linear x3" in str(found)


def test_a_layer_in_two_places_is_counted_once():
    class Part(L.Layer):
        def __init__(self, inner):
            self.inner = inner

        def forward(self, x):
            return self.inner(x)

    inner = L.Linear(4, in_size=4)
    model = dezero.models.Sequential(Part(inner), Part(inner))
    found = dezero.summary(model, (2, 4))
    assert [row.shared for row in found.rows] == [False, False, False, False, True]
    assert found.parameters == 20 and str(found).count("shared") == 1


def test_rows_stand_below_the_layer_around_them():
    class Net(L.Layer):
        def __init__(self):
            self.rnn = L.RNN(4)
            self.fc = L.Linear(2)

        def forward(self, xs):
            return [self.fc(self.rnn(x)) for x in xs][-1]

    found = dezero.summary(Net(), Variable(np.ones((3, 2, 3), f32)))
    assert [row.name for row in found.rows] == ["Net", "rnn", "x2h", "h2h", "fc"]
    assert [row.calls for row in found.rows] == [1, 3, 3, 2, 3]


class Everything(dezero.Model):
    def __init__(self):
        self.lazy = L.Linear(4)
        self.bn = L.BatchNorm()
        self.rnn = L.LSTM(4)
        self.drop = L.Dropout(0.5)
        self.seen = []

    def forward(self, x):
        self.seen.append(1)
        return self.drop(self.rnn(self.bn(self.lazy(x))))


@pytest.mark.parametrize("seed", [None, 3])
def test_the_model_is_left_as_it_was(seed):
    kept = dezero.random.get_state()
    try:
        if seed is not None:
            dezero.seed(seed)
        model = Everything()
        before = copy.deepcopy(dezero.random.get_state()), np.random.get_state()[1].tolist()
        first = dezero.summary(model, (3, 5))
        assert first.parameters == 24 + 16 + (4 * 16 + 16 + 4 * 16)
        assert all(p.data is None for p in model.lazy.params() if p.name == "W")
        assert model.rnn.h is None and model.seen == []
        assert model.bn.avg_mean.data is None
        assert repr(dezero.random.get_state()) == repr(before[0])
        assert np.random.get_state()[1].tolist() == before[1]
        model(np.ones((3, 5), f32))
        held = model.bn.avg_mean.data.copy(), model.rnn.h, model.lazy.W.data
        assert str(dezero.summary(model, (3, 5))) == str(first)
        np.testing.assert_array_equal(model.bn.avg_mean.data, held[0])
        assert model.rnn.h is held[1] and model.lazy.W.data is held[2]
        assert dezero.Config.train and dezero.Config.enable_backprop
    finally:
        dezero.random.set_state(kept)


def test_the_model_is_left_as_it_was_after_an_error():
    model = MLP((3, 2))
    model(np.ones((2, 4), f32))
    model.l0.W.data = np.ones((5, 3), f32)
    with pytest.raises(ValueError):
        dezero.summary(model, (2, 4))
    from dezero.core.watch import watching

    assert watching.on == 0 and dezero.Config.train


def test_views_take_no_memory_and_frozen_parameters_are_not_trained():
    assert dezero.summary(Only(lambda x: F.reshape(x, (4, 3))), (3, 4)).output_bytes == 0
    layer = L.Linear(3, in_size=2)
    layer.b.requires_grad = False
    found = dezero.summary(layer, (1, 2))
    assert (found.parameters, found.trainable) == (9, 6)
    assert "9 (6 trainable, 3 not)" in str(found)


def test_html_and_errors():
    page = dezero.summary(MLP((10, 3)), (8, 4))._repr_html_()
    assert "<table>" in page and "  l0" in page and "560" in page
    with pytest.raises(TypeError, match=r"summary: got function.*summary\(model, x\)"):
        dezero.summary(F.relu, (1, 2))


def test_a_notebook_shows_variables_and_layers():
    x = Variable(np.array([1.0, 2.0]), name="<x>")
    assert x._repr_html_() == "<pre>variable([1. 2.])</pre>"
    y = x * 2
    page = y._repr_html_()
    assert "<pre>variable([2. 4.])</pre>" in page and "(2,) float64, computed by Mul" in page
    assert "<details><summary>graph</summary><svg" in page and "&lt;x&gt;" in page
    for _ in range(200):
        y = y + 1
    assert "<svg" not in y._repr_html_()
    assert Variable(None)._repr_html_() == "<pre>variable(None)</pre>"
    assert repr(y).startswith("variable(")
    page = MLP((10, 3))._repr_html_()
    assert "<b>MLP</b>: 13 parameters" in page and "l0/W" in page and "waits for data" in page
