"""Arrays that are not NumPy's: every function on a stand-in for CuPy, kernels on a device."""

from __future__ import annotations

import importlib
import importlib.util
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose

import dezero
import dezero.functions as F
import dezero.layers as L
from dezero import DataLoader, Model, Variable, cuda, optimizers
from dezero.kernels import table
from dezero.kernels.dropout import keep_mask
from tests.table import rows_images, rows_layers, rows_math, rows_recurrent, rows_shapes
from tests.table.cases import Fixed, Row
from tests.table.check import randoms, weighted

from . import standin

OURS = [
    row
    for module in (rows_math, rows_shapes, rows_layers, rows_images, rows_recurrent)
    for row in module.ROWS
]
"""Rows of this package's own functions. What stands for NumPy's others is for NumPy's arrays."""
rows = pytest.mark.parametrize("row", OURS, ids=lambda row: row.name)


def _why_no_device():
    """Return why there is no GPU to test on, or an empty string."""
    if importlib.util.find_spec("cupy") is None:
        return "CuPy is not installed"
    return "" if cuda.gpu_enable else "CuPy finds no device"


NO_DEVICE = _why_no_device()
NO_COMPILER = "" if standin.COMPILER else "no C++ compiler to run CUDA C on the CPU"
KERNELS = [name for name, row in table.TABLE.items() if row.cuda]
each_place = pytest.mark.parametrize(
    "place",
    [
        pytest.param("stand-in", marks=pytest.mark.skipif(bool(NO_COMPILER), reason=NO_COMPILER)),
        pytest.param("device", marks=pytest.mark.skipif(bool(NO_DEVICE), reason=NO_DEVICE)),
    ],
)


def _forget():
    for name in [name for name in sys.modules if name.startswith("dezero.kernels.cuda")]:
        del sys.modules[name]
    table._load.cache_clear()


@pytest.fixture
def cupy(monkeypatch):
    """A stand-in for CuPy, which the package finds in its place."""
    yield standin.install(monkeypatch)
    _forget()


@pytest.fixture
def module(place, monkeypatch):
    """CuPy, or what stands in for it; kernels are on."""
    if place == "device":
        yield importlib.import_module("cupy")
        return
    yield standin.install(monkeypatch)
    _forget()


def moved(tree, module):
    """Return an argument with its arrays on the device: all but those that become Variables."""
    if isinstance(tree, Fixed):
        return moved(tree.value, module)
    if isinstance(tree, np.ndarray):
        return module.array(tree)
    if type(tree) in (tuple, list):
        return type(tree)(moved(item, module) for item in tree)
    return tree


def results(row: Row, case, module, create_graph: bool = False, dtype=np.float64):
    """Return outputs and gradients of a case on arrays of a module, as NumPy arrays."""
    leaves = case.leaves()
    seeds = randoms(row.rng(), case.call(row.reference, leaves))
    xs = [Variable(module.array(x.astype(dtype))) for x in leaves]

    def function(*args, **kwargs):
        args = [moved(a, module) for a in args]
        return row.function(*args, **{key: moved(a, module) for key, a in kwargs.items()})

    ys = case.call(function, xs)
    for y in ys:
        assert type(y.data) is module.ndarray, f"{row.name}{case} gave {type(y.data)}"
    weighted(ys, [module.array(s.astype(dtype)) for s in seeds]).backward(
        create_graph=create_graph
    )
    for x in xs:
        assert x.grad is not None
        assert type(x.grad.data) is module.ndarray, f"{row.name}{case}: a gradient on the CPU"
    return [cuda.as_numpy(v) for v in (*ys, *(x.grad for x in xs))]


@rows
def test_no_function_mixes_in_numpy_arrays(row, cupy, monkeypatch):
    """Every function gives the same on arrays of another module, forward and backward."""
    monkeypatch.setattr(table, "_module_for", lambda x, row: None)
    for case in row.samples():
        for create_graph in (False, True):
            expected = results(row, case, np, create_graph)
            got = results(row, case, cupy, create_graph)
            for a, b in zip(got, expected, strict=True):
                assert a.dtype == b.dtype
                assert_allclose(a, b, rtol=1e-9, atol=1e-12, err_msg=f"{row.name}{case}")


@each_place
@pytest.mark.parametrize(
    "row", [r for r in OURS if r.name != "dropout"], ids=lambda row: row.name
)  # its masks are others on a GPU
def test_functions_with_kernels(row, module, place):
    """Every function gives with the kernels what it gives on the CPU."""
    for case in row.samples():
        expected = results(row, case, np, dtype=np.float32)
        got = results(row, case, module, dtype=np.float32)
        for a, b in zip(got, expected, strict=True):
            close(a, b, 5 * row.float32, f"{row.name}{case}")


def close(got, expected, tolerance, where):
    assert got.dtype == expected.dtype, where
    size = np.max(np.abs(expected), initial=1e-3, where=np.isfinite(expected))
    assert_allclose(got, expected, rtol=tolerance, atol=tolerance * size, err_msg=where)


def draw(*shape, dtype=np.float32):
    return np.random.default_rng(len(shape)).standard_normal(shape).astype(dtype)


X, GY, LABELS = draw(5, 7), draw(7, 5).T, np.array([6, 0, 2, -1, 3])
IMAGES, FILTERS = draw(2, 4, 6, 5), draw(6, 2, 3, 2)
ROW, CHANNELS = draw(7), draw(4)
WINDOW = (3, 2), (2, 1), (1, 0)
CONVOLUTION = {"stride": (2, 1), "pad": (1, 2), "dilation": (1, 2), "groups": 2}


def _calls():
    """Yield each kernel's name, its module among the references, arguments and options."""
    e, a, s, n, c, p = (
        importlib.import_module(f"dezero.kernels.{name}")
        for name in (
            "elementwise",
            "activations",
            "softmax",
            "normalization",
            "convolution",
            "pooling",
        )
    )
    for name in ("tanh_grad", "sigmoid_grad", "relu_grad"):
        yield getattr(e, name), (GY, X), {}
    yield e.sigmoid, (X,), {}
    for approximate in ("none", "tanh"):
        yield a.gelu, (X, approximate), {}
        yield a.gelu_grad, (GY, X, approximate), {}
    yield a.silu, (X,), {}
    yield a.silu_grad, (GY, X), {}
    for axis in (0, 1):
        for name in ("softmax", "log_softmax"):
            y = getattr(s, name).reference(X, axis)
            yield getattr(s, name), (X, axis), {}
            yield getattr(s, name + "_grad"), (GY, y, axis), {}
    far = np.where(X > 1, -np.inf, X)
    yield s.softmax, (far, 1), {}
    yield s.log_softmax, (far, 1), {}
    for smoothing in (0.0, 0.1):
        log_z = s.cross_entropy.reference(X, LABELS, smoothing)[1]
        yield s.cross_entropy, (X, LABELS, smoothing), {}
        yield s.cross_entropy_grad, (X, LABELS, log_z, 0.25, smoothing), {}
    yield s.sigmoid_cross_entropy, (X, GY), {}
    yield s.sigmoid_cross_entropy_grad, (X, GY, 0.5), {}
    yield importlib.import_module("dezero.kernels.dropout").dropped, (X, GY > 0, 1.25), {}
    yield n.layer_norm, (X, ROW, 2 * ROW, 1e-5), {}
    yield n.rms_norm, (X, ROW, 1e-5), {}
    yield n.group_norm, (IMAGES, CHANNELS, 2 * CHANNELS, 2, 1e-5), {}
    yield n.batch_norm, (IMAGES, CHANNELS, 2 * CHANNELS, 1e-5, None, None), {}
    yield n.batch_norm, (IMAGES, CHANNELS, ROW[:4], 1e-5, ROW[3:], CHANNELS**2), {}
    _, *kept = n.layer_norm.reference(X, ROW, ROW, 1e-5)
    yield n.layer_norm_grad, (GY, X, ROW, *kept), {}
    yield n.rms_norm_grad, (GY, X, ROW, n.rms_norm.reference(X, ROW, 1e-5)[1]), {}
    _, *kept = n.group_norm.reference(IMAGES, CHANNELS, CHANNELS, 2, 1e-5)
    yield n.group_norm_grad, (IMAGES[::-1], IMAGES, CHANNELS, *kept), {}
    for fixed in (False, True):
        statistics = ROW[3:], CHANNELS**2
        yield n.batch_norm_grad, (IMAGES[::-1], IMAGES, CHANNELS, *statistics, fixed), {}
    for images, W, options in [
        (IMAGES, FILTERS, CONVOLUTION),
        (IMAGES, draw(3, 4, 1, 1), {}),
        (IMAGES, draw(3, 4, 3, 3), {"pad": 1}),
        (IMAGES, draw(3, 4, 1, 1), {"stride": 2}),
    ]:
        gy = c.conv2d.reference(images, W, **options)
        yield c.conv2d, (images, W, draw(len(W))), options
        yield c.conv2d_input_grad, (gy, W, images.shape[2:]), options
        yield c.conv2d_weight_grad, (images, gy, W.shape[2:]), options
    for x in (IMAGES, np.where(IMAGES > 2, np.nan, IMAGES.round())):
        y, winners = p.max_pooling_with_winners.reference(x, *WINDOW)
        yield p.max_pooling, (x, *WINDOW), {}
        yield p.max_pooling_with_winners, (x, *WINDOW), {}
    yield p.pool_scatter, (y, winners, IMAGES.shape[2:], *WINDOW), {}
    yield p.pool_gather, (IMAGES, winners, *WINDOW), {}
    yield p.average_pooling, (IMAGES, *WINDOW), {}
    yield p.average_pooling_grad, (y, IMAGES.shape[2:], *WINDOW), {}


CALLS = list(_calls())
RULES = ["sgd", "momentum", "adagrad", "rmsprop", "adadelta", "adam"]


each_call = pytest.mark.parametrize(
    ("kernel", "args", "kwargs"), CALLS, ids=[f"{i}-{c[0].__name__}" for i, c in enumerate(CALLS)]
)


@each_place
@each_call
def test_kernel_gives_what_its_reference_gives(kernel, args, kwargs, module, place):
    versions = table.cuda_version(kernel.__name__)
    got = getattr(versions, kernel.__name__)(*moved(args, module), **kwargs)
    assert got is not NotImplemented
    compare(got, kernel, args, kwargs, module)


@each_call
def test_reference_runs_on_the_gpu(kernel, args, kwargs, cupy, monkeypatch):
    monkeypatch.setattr(table, "_module_for", lambda x, row: None)
    with np.errstate(invalid="ignore"):  # CuPy warns of nothing
        compare(kernel(*moved(args, cupy), **kwargs), kernel, args, kwargs, cupy)


def compare(got, kernel, args, kwargs, module):
    """Check results against those of the reference on the CPU: shape, dtype, value."""
    expected = kernel.reference(*args, **kwargs)
    pairs = zip(got, expected, strict=True) if type(expected) is tuple else [(got, expected)]
    for a, b in pairs:
        assert type(a) is module.ndarray
        assert a.shape == np.shape(b)
        close(cuda.as_numpy(a), np.asarray(b), 1e-5, kernel.__name__)


def test_every_kernel_is_called():
    recurrent = {"lstm", "gru"}  # by the functions above
    random = {"keep_mask"}
    called = {kernel.__name__ for kernel, _, _ in CALLS}
    assert called | recurrent | random | set(RULES) == set(KERNELS)


@each_place
def test_masks_are_random_and_follow_the_seed(module, place):
    x = module.array(draw(100, 100))
    masks = []
    for seed in (0, 0, 1):
        dezero.seed(seed)
        masks.append([cuda.as_numpy(keep_mask(x, ratio)) for ratio in (0.3, 0.3, 0.0, 1.0)])
    for first, second, every, none in masks:
        assert abs(first.mean() - 0.7) < 0.02
        assert abs((first & second).mean() - 0.49) < 0.02
        assert abs((first[1:] & first[:-1]).mean() - 0.49) < 0.02
        assert every.all()
        assert not none.any()
    assert (masks[0][0] == masks[1][0]).all()
    assert (masks[0][0] != masks[2][0]).any()


@each_place
@pytest.mark.parametrize("dtype", [np.float16, np.int64])
def test_other_dtypes_are_left_to_the_reference(dtype, module, place):
    x = module.array((X * 3).astype(dtype))
    versions = table.cuda_version("softmax")
    assert versions.softmax(x, 1) is NotImplemented
    y = importlib.import_module("dezero.kernels.softmax").softmax(x, 1)
    assert type(y) is module.ndarray


ALGORITHMS = {
    "SGD": {},
    "MomentumSGD": {},
    "NesterovSGD": {},
    "AdaGrad": {},
    "RMSprop": {},
    "AdaDelta": {},
    "Adam": {},
    "AdamW": {"weight_decay": 0.1},
}


class Net(Model):
    """A layer of each kind that has something of its own to move."""

    def __init__(self):
        self.conv = L.Conv2d(4, kernel_size=3, pad=1, nobias=True)
        self.norm = L.BatchNorm()
        self.lstm = L.LSTM(5)
        self.out = L.Linear(3)

    def forward(self, x):
        self.lstm.reset_state()
        x = F.relu(self.norm(self.conv(x)))
        x = F.dropout(F.reshape(F.pooling(x, 2, 2), (len(x), -1)), 0.0)
        return self.out(self.lstm(x))


@each_place
def test_a_model_trains_on_the_gpu_as_on_the_cpu(module, place):
    """And may be moved there and back between two steps, with gradients and optimiser state."""
    data = [(draw(2, 6, 6) * i, i % 3) for i in range(8)]
    final = []
    for path in (["cpu"] * 3, ["gpu"] * 3, ["cpu", "gpu", "cpu"]):
        dezero.seed(0)
        model = Net()
        optimizer = optimizers.Adam(0.01).setup(model)
        for where in path:
            getattr(model, f"to_{where}")()
            loader = DataLoader(data, 4, shuffle=False, gpu=where == "gpu")
            for x, t in loader:
                loss = F.softmax_cross_entropy(model(x), t)
                model.cleargrads()
                loss.backward()
                optimizer.update()
                kind = module.ndarray if where == "gpu" else np.ndarray
                assert type(loss.data) is kind
                assert all(type(p.data) is type(p.grad.data) is kind for p in model.params()
                           if p.grad is not None)  # fmt: skip
        final.append(model.state_dict())
    for other in final[1:]:
        for name, expected in final[0].items():
            close(other[name], expected, 1e-3, name)


@each_place
def test_gradients_move_along(module, place):
    x = Variable(draw(3))
    F.sum(x * x).backward()
    x.to_gpu()
    F.sum(x * x).backward()
    assert type(x.grad.data) is module.ndarray
    x.to_cpu()
    assert type(x.grad.data) is np.ndarray
    assert_allclose(x.grad.data, 4 * x.data)


@each_place
@pytest.mark.parametrize("name", ALGORITHMS)
def test_optimizers(name, module, place):
    """Parameters and state on the GPU go where they go on the CPU, hooks and all."""
    final = []
    for where in (np, module):
        layer = dezero.Layer()
        layer.W, layer.b = (dezero.Parameter(where.array(a)) for a in (X, ROW))
        optimizer = getattr(optimizers, name)(**ALGORITHMS[name]).setup(layer)
        optimizer.add_hook(optimizers.WeightDecay(0.01))
        optimizer.add_hook(optimizers.ClipGrad(1.0))
        for step in range(3):
            layer.W.grad = Variable(where.array(X[::-1] * (step + 1)))
            layer.b.grad = Variable(where.array(ROW[::-1] * (step + 1)))
            optimizer.update()
        assert type(layer.W.data) is where.ndarray
        state = optimizer.state_dict()
        optimizer.load_state_dict(state)
        assert all(type(a) is where.ndarray for s in optimizer.states.values() for a in s)
        final.append([cuda.as_numpy(layer.W), cuda.as_numpy(layer.b), *state.values()])
    for expected, got in zip(*final, strict=True):
        close(got, expected, 1e-5, name)
