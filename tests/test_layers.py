"""Layers: what they find, how they start, what they compute."""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest

import dezero
import dezero.functions as F
import dezero.layers as L
from dezero import Layer, Parameter, Variable


@pytest.fixture
def global_stream():
    """NumPy's global generator, as in the book's programs; the state before comes back."""
    state = dezero.random.get_state()
    dezero.random.set_state({"kind": "global", "state": np.random.get_state(legacy=False)})
    np.random.seed(0)
    yield
    dezero.random.set_state(state)


def ones(*shape):
    return np.ones(shape, np.float32)


def names(layer):
    return [name for name, _ in layer.named_params()]


def test_attributes_that_are_parameters_or_layers_are_found_and_others_are_not():
    layer = Layer()
    layer.p1 = Parameter(np.array(1.0))
    layer.p2 = Variable(np.array(2.0))
    layer.p3 = "text"
    layer.l1 = L.Linear(2, in_size=3)
    layer.stride = (1, 1)
    assert layer._params == {"p1", "l1"}
    assert list(layer._params) == ["p1", "l1"]
    assert "p1" in layer._params
    assert "p2" not in layer._params


def test_layers_in_lists_tuples_and_dicts_train():
    layer = Layer()
    layer.blocks = [L.Linear(2, in_size=2), (L.Linear(2, in_size=2), {"deep": L.Linear(1)})]
    layer.heads = {"a": L.Linear(1, nobias=True), 7: Parameter(np.zeros(3))}
    assert names(layer) == [
        *("blocks/0/W", "blocks/0/b", "blocks/1/0/W", "blocks/1/0/b"),
        *("blocks/1/1/deep/W", "blocks/1/1/deep/b", "heads/a/W", "heads/7"),
    ]
    assert list(layer._params) == ["blocks", "heads"]


def test_a_layer_appended_to_a_list_later_is_found():
    layer = Layer()
    layer.blocks = []
    assert names(layer) == []
    layer.blocks.append(L.Linear(1))
    assert names(layer) == ["blocks/0/W", "blocks/0/b"]


def test_a_set_of_layers_is_refused_since_it_has_no_order():
    layer = Layer()
    layer.blocks = {L.Linear(1)}
    with pytest.raises(TypeError, match=r"Layer: got a set of .* use a list or a dict"):
        list(layer.params())
    layer.blocks = {1, 2}
    assert list(layer.params()) == []


def test_a_shared_layer_is_given_once_under_the_name_of_its_attribute():
    layer = Layer()
    layer.layers = []
    layer.l0 = L.Linear(1)
    layer.l1 = layer.l0
    layer.layers.append(layer.l0)
    layer.tied = layer.l0.W
    assert names(layer) == ["l0/W", "l0/b"]
    assert len(list(layer.params())) == 2


def test_the_order_of_parameters_is_that_of_assignment():
    layer = Layer()
    wanted = [f"p{i * 7919 % 101}" for i in range(60)]
    for name in wanted:
        setattr(layer, name, Parameter(np.zeros(1)))
    assert names(layer) == wanted
    assert list(layer._params) == wanted


def test_a_parameter_set_to_none_or_deleted_is_no_parameter_any_more():
    layer = L.Linear(2, in_size=2)
    layer.b = None
    layer.cleargrads()
    assert names(layer) == ["W"]
    del layer.W
    layer.cleargrads()
    assert names(layer) == []


def test_layers_that_refer_to_each_other_are_walked_once():
    parent, child = Layer(), L.Linear(1, in_size=1)
    parent.child = child
    child.parent = parent
    assert names(parent) == ["child/W", "child/b"]


def test_super_init_may_be_forgotten():
    class Forgetful(Layer):
        def __init__(self):
            self.l0 = L.Linear(1)

    assert names(Forgetful()) == ["l0/W", "l0/b"]


def test_a_call_takes_keywords_and_any_object_and_returns_any_object():
    class Anything(Layer):
        def forward(self, x, flag=False, **options):
            return {"x": x, "flag": flag, **options}

    given = [1, 2]
    assert Anything()(given, flag=True, scale=2.0) == {"x": given, "flag": True, "scale": 2.0}
    assert Anything()(None)["x"] is None
    assert Anything()(3)["x"] == 3


def test_forward_must_be_defined():
    with pytest.raises(NotImplementedError, match=r"Layer has no forward: define forward"):
        Layer()(1)


def test_inputs_and_outputs_of_the_last_call_are_held_weakly():
    layer = L.Linear(2, in_size=2)
    x = Variable(ones(1, 2))
    y = layer(x)
    assert layer.inputs[0]() is x
    assert layer.outputs[0]() is y
    alive = weakref.ref(y)
    del y
    assert alive() is None
    assert layer.outputs[0]() is None


def test_a_graph_is_freed_without_the_garbage_collector():
    gc.collect()
    gc.disable()
    try:
        layer = L.Linear(2)
        y = F.sum(layer(ones(1, 2)))
        y.backward()
        node = weakref.ref(y.creator)
        del y
        assert node() is None
    finally:
        gc.enable()


RECURRENT_AND_OTHERS = [
    lambda: L.Linear(3),
    lambda: L.RNN(3, in_size=4),
    lambda: L.LSTM(3),
    lambda: dezero.models.MLP((3, 2)),
]


@pytest.mark.parametrize("make", RECURRENT_AND_OTHERS)
@pytest.mark.parametrize(
    "twin_of", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["deepcopy", "pickle"]
)
def test_a_model_can_be_copied_and_pickled_after_a_call(make, twin_of):
    model = make()
    x = ones(2, 4)
    F.sum(model(x)).backward()
    twin = twin_of(model)
    assert names(twin) == names(model)
    y = model(x).data
    assert np.array_equal(twin(x).data, y)
    for p in twin.params():
        if p.data is not None:
            p.data += 1.0
    assert not np.array_equal(twin(x).data, model(x).data)


def test_a_shared_layer_is_still_shared_in_a_copy():
    model = Layer()
    model.a = L.Linear(1, in_size=1)
    model.b = [model.a]
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert twin.b[0] is twin.a
        assert twin.a is not model.a


def test_running_statistics_stay_without_gradient_in_a_copy():
    layer = L.BatchNorm()
    layer(ones(2, 3))
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert twin.avg_mean.requires_grad is False
        assert twin.gamma.requires_grad is True


FLOAT32 = {
    "Linear": (lambda: L.Linear(3), ones(2, 4)),
    "Conv2d": (lambda: L.Conv2d(3, 3), ones(1, 2, 5, 5)),
    "Deconv2d": (lambda: L.Deconv2d(3, 3), ones(1, 2, 5, 5)),
    "RNN": (lambda: L.RNN(3), ones(2, 4)),
    "LSTM": (lambda: L.LSTM(3), ones(2, 4)),
    "EmbedID": (lambda: L.EmbedID(5, 3), np.array([1, 2])),
    "Embedding": (lambda: L.Embedding(5, 3), np.array([1, 2])),
    "BatchNorm": (lambda: L.BatchNorm(), ones(2, 4)),
    "LayerNorm": (lambda: L.LayerNorm(), ones(2, 4)),
    "LayerNorm(4)": (lambda: L.LayerNorm(4), ones(2, 4)),
    "Dropout": (lambda: L.Dropout(), ones(2, 4)),
    "MultiHeadAttention": (lambda: L.MultiHeadAttention(4, 2), ones(2, 3, 4)),
}


@pytest.mark.parametrize("name", FLOAT32)
def test_float32_stays_float32(name):
    make, x = FLOAT32[name]
    layer = make()
    for _ in range(2):
        y = layer(x if x.dtype == int else Variable(x))
    F.sum(y * y).backward()
    assert y.dtype == np.float32
    for key, p in layer.named_params():
        assert p.dtype == np.float32, key
        assert p.grad is None or p.grad.dtype == np.float32, key


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_the_dtype_asked_for_is_kept(dtype):
    for layer, x in (
        (L.Linear(3, dtype=dtype), np.ones((2, 4), dtype)),
        (L.Conv2d(3, 3, dtype=dtype), np.ones((1, 2, 5, 5), dtype)),
        (L.EmbedID(5, 3, dtype=dtype), np.array([1])),
        (L.BatchNorm(), np.ones((2, 4), dtype)),
    ):
        layer(x)
        assert all(p.dtype == dtype for p in layer.params())


@pytest.mark.usefixtures("global_stream")
def test_seeded_programs_of_the_book_get_its_weights():
    linear, conv, embed = (
        L.Linear(10, in_size=5),
        L.Conv2d(2, (3, 2), in_channels=4),
        L.EmbedID(6, 7),
    )
    deconv, lazy = L.Deconv2d(2, 3, in_channels=4), L.Linear(3)
    lazy(ones(1, 8))
    np.random.seed(0)
    for W, shape, fan_in in (
        (linear.W, (5, 10), 5),
        (conv.W, (2, 4, 3, 2), 4 * 3 * 2),
        (embed.W, (6, 7), 1),
        (deconv.W, (4, 2, 3, 3), 4 * 9),
        (lazy.W, (8, 3), 8),
    ):
        wanted = np.random.randn(*shape).astype(np.float32) * np.float32(np.sqrt(1 / fan_in))
        assert W.dtype == np.float32
        assert np.array_equal(W.data, wanted)
    assert np.array_equal(linear.b.data, np.zeros(10))


@pytest.mark.usefixtures("global_stream")
def test_recurrent_weights_are_drawn_in_the_order_of_the_book():
    rnn = L.RNN(3)
    for _ in range(2):
        rnn(ones(1, 2))
    lstm = L.LSTM(3)
    lstm(ones(1, 2))
    np.random.seed(0)

    def draw(size, H):
        return np.random.randn(size, H).astype(np.float32) * np.float32(np.sqrt(1 / size))

    for layer, size in ((rnn.x2h, 2), (rnn.h2h, 3)):
        assert np.array_equal(layer.W.data, draw(size, 3))
    for gate in "fiou":
        assert np.array_equal(getattr(lstm, f"h2{gate}").W.data, draw(3, 3))
    for gate in "fiou":
        assert np.array_equal(getattr(lstm, f"x2{gate}").W.data, draw(2, 3))


def test_names_of_parameters_are_those_of_the_books_files():
    assert names(L.Linear(1)) == ["W", "b"]
    assert names(L.Conv2d(1, 1, nobias=True)) == ["W"]
    assert names(L.RNN(1)) == ["x2h/W", "x2h/b", "h2h/W"]
    assert names(L.LSTM(1)) == [
        *("x2f/W", "x2f/b", "x2i/W", "x2i/b", "x2o/W", "x2o/b", "x2u/W", "x2u/b"),
        *("h2f/W", "h2i/W", "h2o/W", "h2u/W"),
    ]
    assert names(L.BatchNorm()) == ["avg_mean", "avg_var", "gamma", "beta"]
    assert names(L.EmbedID(1, 1)) == ["W"]


def test_a_parameter_without_a_shape_says_what_to_do():
    assert L.Linear(3).W.name == "W"
    with pytest.raises(ValueError, match=r"'W' holds no array yet: .* first call"):
        _ = L.Linear(3).W.shape


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: L.Linear(3, 10), r"Linear: nobias is True or False, got 10; .*in_size=\.\.\."),
        (lambda: L.Linear(3, 1), r"Linear: nobias is True or False, got 1"),
        (lambda: L.Conv2d(3, 3, 1, 0, 4), r"Conv2d: nobias .* in_channels="),
        (lambda: L.Linear(3)([1.0, 2.0]), r"Linear: got list; it wants x of shape"),
    ],
)
def test_an_argument_of_the_wrong_type_is_named(make, message):
    with pytest.raises(TypeError, match=message):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: L.Linear(0), "Linear: out_size is a whole number of at least 1, got 0"),
        (lambda: L.Linear(2.5), "Linear: out_size .* got 2.5"),
        (lambda: L.Linear(2, in_size=-1), "Linear: in_size .* got -1"),
        (lambda: L.Deconv2d(0, 3), "Deconv2d: out_channels .* got 0"),
        (lambda: L.Conv2d(2, 0, in_channels=1), "Conv2d: kernel_size .* got 0"),
        (lambda: L.Conv2d(2, 3, in_channels=0), "Conv2d: in_channels .* got 0"),
        (lambda: L.RNN("4"), "RNN: hidden_size .* got '4'"),
        (lambda: L.LSTM(0), "LSTM: hidden_size .* got 0"),
        (lambda: L.EmbedID(0, 3), "EmbedID: the number of rows .* got 0"),
        (lambda: L.Embedding(3, 0), "Embedding: the length of a row .* got 0"),
        (lambda: L.LayerNorm(0), "LayerNorm: size .* got 0"),
        (lambda: L.MultiHeadAttention(6, 4), "n_heads must divide n_embd, got 4 and 6"),
        (lambda: L.Linear(2)(np.array(1.0)), r"Linear: got an array of shape \(\)"),
        (lambda: L.Conv2d(2, 3)(ones(3, 8, 8)), r"Conv2d: got an array of shape \(3, 8, 8\)"),
        (lambda: L.BatchNorm()(ones(3)), r"BatchNorm: got an array of shape \(3,\)"),
        (
            lambda: L.MultiHeadAttention(4, 2)(ones(2, 3, 6)),
            r"got x of shape \(2, 3, 6\); it wants x of shape \(N, T, 4\)",
        ),
    ],
)
def test_a_size_that_cannot_be_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_linear_and_convolutions_compute_what_their_functions_do():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 3))
    linear = L.Linear(4)
    y = linear(x)
    assert np.allclose(y.data, x @ linear.W.data + linear.b.data)
    assert linear(rng.normal(size=(5, 2, 3))).shape == (5, 2, 4)
    image = rng.normal(size=(2, 3, 7, 7)).astype(np.float32)
    conv = L.Conv2d(4, 3, stride=2, pad=1)
    conv(image)
    conv.b.data += 1.0
    wanted = F.conv2d(image, conv.W.data, conv.b.data, 2, 1)
    assert np.array_equal(conv(image).data, wanted.data)
    deconv = L.Deconv2d(4, (2, 3), stride=2)
    y = deconv(image)
    assert deconv.W.shape == (3, 4, 2, 3)
    assert np.array_equal(y.data, F.deconv2d(image, deconv.W.data, deconv.b.data, 2, 0).data)


def test_a_convolution_with_a_kernel_that_is_not_square_has_it_in_its_weights():
    conv = L.Conv2d(4, (2, 3))
    assert conv(ones(1, 5, 6, 6)).shape == (1, 4, 5, 4)
    assert conv.W.shape == (4, 5, 2, 3)


def test_rnn_with_in_size_goes_on_after_the_first_step():
    rng = np.random.default_rng(0)
    rnn = L.RNN(4, in_size=2)
    xs = rng.normal(size=(3, 5, 2))
    h = np.zeros((5, 4))
    for x in xs:
        y = rnn(x)
        h = np.tanh(x @ rnn.x2h.W.data + rnn.x2h.b.data + h @ rnn.h2h.W.data)
        assert np.allclose(y.data, h)
    assert rnn.h is y
    rnn.reset_state()
    assert rnn.h is None


def test_lstm_computes_the_formula_of_the_book():
    rng = np.random.default_rng(0)
    lstm = L.LSTM(4)
    xs = rng.normal(size=(4, 5, 3))
    lstm(xs[0])
    lstm.reset_state()
    for p in lstm.params():
        p.data = rng.normal(size=p.shape)

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    h = c = np.zeros((5, 4))
    for x in xs:
        f, i, o, u = (
            x @ getattr(lstm, f"x2{g}").W.data
            + getattr(lstm, f"x2{g}").b.data
            + h @ getattr(lstm, f"h2{g}").W.data
            for g in "fiou"
        )
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(u)
        h = sigmoid(o) * np.tanh(c)
        assert np.allclose(lstm(x).data, h)
        assert np.allclose(lstm.c.data, c)
    lstm.reset_state()
    assert lstm.h is None
    assert lstm.c is None


def test_gradients_flow_through_time():
    for layer in (L.RNN(2), L.LSTM(2)):
        first = Variable(np.ones((1, 3)))
        layer(first)
        F.sum(layer(np.ones((1, 3)))).backward()
        assert np.abs(first.grad.data).max() > 0


@pytest.mark.parametrize("layer", [L.RNN(3), L.LSTM(3)])
def test_a_batch_of_another_size_within_a_sequence_is_refused(layer):
    layer(ones(1, 2))
    with pytest.raises(
        ValueError, match=r"got x of shape \(4, 2\) after .* \(1, 3\).*reset_state"
    ):
        layer(ones(4, 2))
    layer.reset_state()
    assert layer(ones(4, 2)).shape == (4, 3)


def test_batch_norm_follows_the_data_in_training_and_uses_what_it_learned_in_test_mode():
    rng = np.random.default_rng(0)
    layer = L.BatchNorm(decay=0.5)
    x = rng.normal(3.0, 2.0, size=(64, 2))
    y = layer(x)
    assert np.allclose(y.data.mean(axis=0), 0, atol=1e-7)
    assert np.allclose(y.data.std(axis=0), 1, atol=1e-4)
    assert np.allclose(layer.avg_mean.data, 0.5 * x.mean(axis=0))
    for _ in range(40):
        layer(x)
    assert np.allclose(layer.avg_mean.data, x.mean(axis=0))
    assert np.allclose(layer.avg_var.data, x.var(axis=0, ddof=1))
    before = layer.avg_mean.data.copy()
    with dezero.test_mode():
        y = layer(x[:1])
    assert np.allclose(y.data, (x[:1] - before) / np.sqrt(layer.avg_var.data + 2e-5))
    assert np.array_equal(layer.avg_mean.data, before)


def test_running_statistics_get_no_gradient():
    layer = L.BatchNorm()
    F.sum(layer(np.random.default_rng(0).normal(size=(4, 3))) ** 2).backward()
    assert layer.avg_mean.grad is None
    assert layer.avg_var.grad is None
    assert layer.gamma.grad is not None
    assert layer.beta.grad is not None


def test_layer_norm_normalises_the_last_axis():
    x = np.random.default_rng(0).normal(size=(2, 3, 8))
    layer = L.LayerNorm()
    layer(x)
    layer.gamma.data = np.arange(8.0)
    layer.beta.data = np.ones(8)
    z = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    assert np.allclose(layer(x).data, z * np.arange(8.0) + 1)


def test_dropout_drops_in_training_only():
    layer = L.Dropout(0.5)
    x = np.ones(1000)
    assert set(layer(x).data) == {0.0, 2.0}
    with dezero.test_mode():
        assert np.array_equal(layer(x).data, x)


def test_embedding_looks_up_rows_and_only_their_gradient_is_not_zero():
    layer = L.Embedding(5, 2)
    y = layer(np.array([[1, 3], [3, 3]]))
    assert np.array_equal(y.data, layer.W.data[[[1, 3], [3, 3]]])
    y.backward()
    assert np.array_equal(layer.W.grad.data[:, 0], [0, 1, 0, 3, 0])


def attention_by_numpy(layer, x, causal):
    N, T, C = x.shape
    H, D = layer.n_heads, C // layer.n_heads
    qkv = x @ layer.qkv.W.data + layer.qkv.b.data
    out = np.zeros_like(x)
    for n in range(N):
        for h in range(H):
            q, k, v = (qkv[n, :, i * C + h * D : i * C + (h + 1) * D] for i in range(3))
            scores = q @ k.T / np.sqrt(D)
            if causal:
                scores[np.triu_indices(T, 1)] = -np.inf
            p = np.exp(scores - scores.max(axis=1, keepdims=True))
            out[n, :, h * D : (h + 1) * D] = p / p.sum(axis=1, keepdims=True) @ v
    return out @ layer.proj.W.data + layer.proj.b.data


@pytest.mark.parametrize("causal", [False, True])
def test_attention_computes_the_formula_head_by_head(causal):
    layer = L.MultiHeadAttention(6, n_heads=3)
    x = np.random.default_rng(0).normal(size=(2, 4, 6))
    for p in layer.params():
        p.data = np.random.default_rng(1).normal(size=p.shape)
    y = layer(x, is_causal=causal)
    assert np.allclose(y.data, attention_by_numpy(layer, x, causal))


def test_causal_attention_does_not_see_what_comes_later():
    layer = L.MultiHeadAttention(4, n_heads=2)
    x = np.random.default_rng(0).normal(size=(1, 5, 4))
    changed = x.copy()
    changed[:, 3:] += 1.0
    y, z = layer(x, is_causal=True).data, layer(changed, is_causal=True).data
    assert np.array_equal(y[:, :3], z[:, :3])
    assert not np.allclose(y[:, 3:], z[:, 3:])
    F.sum(layer(x, is_causal=True)).backward()
    assert all(p.grad is not None for p in layer.params())


def test_state_dict_is_a_copy_and_loads_back():
    layer = L.Linear(2, in_size=2)
    state = layer.state_dict()
    W = layer.W.data.copy()
    layer.W.data += 1.0
    assert np.array_equal(state["W"], W)
    layer.load_state_dict(state)
    layer.W.data += 1.0
    assert np.array_equal(state["W"], W), "loading copies too"


def test_two_parameters_of_one_name_are_refused():
    layer = Layer()
    layer.d = {1: Parameter(np.zeros(1)), "1": Parameter(np.zeros(1))}
    with pytest.raises(ValueError, match="two parameters have the name 'd/1'"):
        layer.state_dict()


def test_flatten_params_of_the_book():
    layer, inner = Layer(), Layer()
    inner.p1 = Parameter(np.array(1))
    layer.l1 = inner
    layer.p2 = Parameter(np.array(2))
    found = {}
    layer._flatten_params(found)
    assert list(found) == ["l1/p1", "p2"]
    found = {}
    layer._flatten_params(found, "top")
    assert list(found) == ["top/l1/p1", "top/p2"]


def test_moving_to_the_cpu_works_before_the_first_call():
    layer = L.Linear(2)
    layer.to_cpu()
    assert layer.W.data is None
    if not dezero.cuda.gpu_enable:
        with pytest.raises(RuntimeError, match="no GPU"):
            layer.to_gpu()
