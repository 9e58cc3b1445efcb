"""Weight files: what goes into them, what comes out, and what is refused."""

import io
import os
import zipfile

import numpy as np
import pytest

import dezero.functions as F
import dezero.io.npz
import dezero.layers as L
from dezero import Layer, Parameter
from dezero.models import MLP, Sequential


def ones(*shape):
    return np.ones(shape, np.float32)


@pytest.fixture
def model():
    model = MLP((4, 2))
    model(ones(1, 3))
    return model


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights.npz"


def values(model):
    return {name: p.data if p.data is None else p.data.copy() for name, p in model.named_params()}


def assert_unchanged(model, before):
    for name, p in model.named_params():
        assert np.array_equal(p.data, before[name]) if p.data is not None else before[name] is None


def test_weights_come_back_before_and_after_the_first_call(model, path):
    model.save_weights(path)
    for other in (MLP((4, 2)), MLP((4, 2))):
        other.load_weights(path)
        assert np.array_equal(other(ones(1, 3)).data, model(ones(1, 3)).data)
        other.load_weights(str(path))
        assert np.array_equal(other(ones(1, 3)).data, model(ones(1, 3)).data)


def test_the_file_is_what_the_books_package_writes(model, path):
    model.save_weights(path)
    with np.load(path) as saved:
        assert sorted(saved.files) == ["l0/W", "l0/b", "l1/W", "l1/b"]
        assert np.array_equal(saved["l0/W"], model.l0.W.data)
        assert saved["l0/W"].dtype == np.float32
    np.savez_compressed(path, **model.state_dict())
    other = MLP((4, 2))
    other.load_weights(path)
    assert np.array_equal(other.l1.W.data, model.l1.W.data)


def test_every_layer_with_state_of_its_own_comes_back(path):
    def make():
        return Sequential(
            L.Conv2d(2, 3, nobias=True), L.BatchNorm(), L.Deconv2d(1, 2), F.flatten, L.LayerNorm(),
            L.LSTM(3), L.RNN(2), L.EmbedID(2, 2),
        )  # fmt: skip

    model = make()
    for _ in range(2):
        x = ones(2, 1, 6, 6)
        for layer in model.layers[:-1]:
            x = layer(x)
    model.save_weights(path)
    other = make()
    other.load_weights(path)
    for name, p in other.named_params():
        assert np.array_equal(p.data, dict(model.named_params())[name].data)
    assert other.l1.avg_mean.requires_grad is False


def test_the_name_gets_its_ending_when_saved_and_when_loaded(model, tmp_path):
    model.save_weights(tmp_path / "plain")
    assert os.listdir(tmp_path) == ["plain.npz"]
    MLP((4, 2)).load_weights(tmp_path / "plain")


def test_an_open_file_will_do(model):
    file = io.BytesIO()
    model.save_weights(file)
    file.seek(0)
    other = MLP((4, 2))
    other.load_weights(file)
    assert np.array_equal(other.l0.W.data, model.l0.W.data)


def test_names_that_np_savez_takes_for_its_own_arguments_can_be_saved(path):
    layer = Layer()
    layer.file = Parameter(ones(2))
    layer.allow_pickle = Parameter(ones(3))
    layer.save_weights(path)
    layer.load_weights(path)
    assert layer.file.shape == (2,)


def test_saving_before_the_first_call_says_what_to_do(path):
    with pytest.raises(
        ValueError,
        match=r"save_weights: l0/W, l1/W of MLP has no array yet; call the model on data",
    ):
        MLP((4, 2)).save_weights(path)
    assert not path.exists()


def test_saving_leaves_the_model_where_it_is(model, path):
    arrays = [p.data for p in model.params()]
    model.save_weights(path)
    assert all(p.data is a for p, a in zip(model.params(), arrays, strict=True))


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(model, path, monkeypatch):
    model.save_weights(path)
    old = path.read_bytes()
    written = []

    def fail(member, array, **kwargs):
        written.append(array)
        if len(written) == 2:
            raise OSError("disk full")
        member.write(b"x")

    monkeypatch.setattr(np.lib.format, "write_array", fail)
    with pytest.raises(OSError, match="disk full"):
        model.save_weights(path)
    assert len(written) == 2
    assert path.read_bytes() == old
    assert os.listdir(path.parent) == ["weights.npz"]


def test_the_same_weights_give_the_same_bytes(model, path):
    model.save_weights(path)
    first = path.read_bytes()
    model.save_weights(path)
    assert path.read_bytes() == first


def test_missing_and_unknown_names_are_listed_with_the_nearest(model, path):
    arrays = model.state_dict()
    arrays["l0/w"] = arrays.pop("l0/W")
    arrays["other"] = ones(1)
    np.savez(path, **arrays)
    before = values(model)
    with pytest.raises(ValueError, match="load_weights") as error:
        model.load_weights(path)
    message = str(error.value)
    assert f"load_weights: file {path} does not fit this MLP, nothing was changed" in message
    assert "missing: l0/W (there is l0/w)" in message
    assert "unknown: l0/w (it has l0/W)" in message
    assert "unknown: other" in message
    assert_unchanged(model, before)


@pytest.mark.parametrize("shape", [(3, 5), (4, 3), (3, 4, 1), (4,), ()])
def test_a_wrong_shape_is_refused_and_nothing_is_changed(model, path, shape):
    arrays = {name: a + 1 for name, a in model.state_dict().items()} | {"l0/W": np.zeros(shape)}
    np.savez(path, **arrays)
    before = values(model)
    with pytest.raises(ValueError, match=r"l0/W has shape \(.*\), the model's is \(3, 4\)"):
        model.load_weights(path)
    assert_unchanged(model, before)


@pytest.mark.parametrize(
    ("layer", "shape", "wanted"),
    [
        (L.Linear(4, nobias=True), (3, 5), r"\(any, 4\)"),
        (L.Conv2d(4, (2, 3), nobias=True), (4, 1, 3, 2), r"\(4, any, 2, 3\)"),
        (L.Deconv2d(4, 3, nobias=True), (4, 1, 3, 3), r"\(any, 4, 3, 3\)"),
    ],
)
def test_what_is_known_of_a_shape_is_checked_before_the_first_call(layer, shape, wanted, path):
    np.savez(path, W=np.zeros(shape))
    with pytest.raises(ValueError, match=wanted):
        layer.load_weights(path)
    assert layer.W.data is None


def test_a_long_list_of_misfits_is_cut(path):
    np.savez(path, **{f"x{i}": ones(1) for i in range(100)})
    layer = Layer()
    with pytest.raises(ValueError, match=r"unknown: x7; and 92 more$"):
        layer.load_weights(path)


def test_the_dtype_of_the_model_is_kept(model, path):
    np.savez(path, **{name: a.astype(np.float64) for name, a in model.state_dict().items()})
    for other in (model, MLP((4, 2))):
        other.load_weights(path)
        assert all(p.dtype == np.float32 for p in other.params())
        assert other(ones(1, 3)).dtype == np.float32


@pytest.mark.parametrize(
    "array", [np.ones(4, np.complex64), np.array(["a"] * 4), np.ones(4, "M8[s]")]
)
def test_what_is_no_real_number_is_refused(array, path):
    np.savez(path, W=np.zeros((1, 4)), b=array)
    layer = L.Linear(4)
    with pytest.raises(ValueError, match=r"load_weights: .* b is "):
        layer.load_weights(path)
    assert layer.W.data is None


class Evil:
    def __reduce__(self):
        return (os.mkdir, ("was-run",))


def test_a_file_with_python_objects_is_refused_and_runs_nothing(
    model, path, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    np.savez(path, **(model.state_dict() | {"l1/b": np.array([Evil(), None])}))
    with pytest.raises(ValueError, match=r"load_weights: .* holds Python objects.* refused"):
        model.load_weights(path)
    assert os.listdir(tmp_path) == ["weights.npz"]


def test_weights_that_the_books_package_saved_before_the_first_call_are_refused(path):
    np.savez_compressed(path, W=np.array(None), b=ones(2))
    with pytest.raises(ValueError, match=r"Was an array of dtype object, or None, saved\?"):
        L.Linear(2).load_weights(path)


def test_what_is_no_npz_file_is_refused_in_one_line(model, path, tmp_path):
    np.save(tmp_path / "one.npy", ones(3))
    path.write_bytes(b"hello")
    for file in (path, tmp_path / "one.npy"):
        with pytest.raises(ValueError, match=r"load_weights: the file .* is not an .npz file"):
            model.load_weights(file)
    with pytest.raises(FileNotFoundError):
        model.load_weights(tmp_path / "nowhere.npz")


def test_a_damaged_file_is_refused_wherever_the_damage_is(model, path):
    model.save_weights(path)
    whole = path.read_bytes()
    before = values(model)
    refused = 0
    for i in range(0, len(whole), 3):
        path.write_bytes(whole[:i])
        with pytest.raises(ValueError, match="load_weights: the file"):
            model.load_weights(path)
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 0xFF]) + whole[i + 1 :])
        try:
            model.load_weights(path)
        except ValueError:
            refused += 1
        assert_unchanged(model, before)
    assert refused > len(whole) / 3 / 2


def test_a_zip_of_something_else_is_refused(model, path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("l0/W", b"text")
    with pytest.raises(ValueError, match=r"'l0/W' in the file .* is not an array"):
        model.load_weights(path)


def test_a_shared_layer_loads_from_a_file_that_has_it_twice(path):
    model = Layer()
    model.a = L.Linear(2, in_size=1)
    model.b = model.a
    assert list(model.state_dict()) == ["a/W", "a/b"]
    twice = {"a/W": ones(1, 2), "a/b": ones(2), "b/W": ones(1, 2), "b/b": ones(2)}
    np.savez(path, **twice)
    model.load_weights(path)
    assert np.array_equal(model.a.W.data, ones(1, 2))
    np.savez(path, **{k: v for k, v in twice.items() if k[0] == "b"})
    model.load_weights(path)
    np.savez(path, **(twice | {"b/W": 2 * ones(1, 2)}))
    with pytest.raises(ValueError, match="different arrays for a/W and b/W, which are one"):
        model.load_weights(path)


def test_a_graph_recorded_before_loading_keeps_its_gradients(model, path):
    model.save_weights(path)
    x = ones(1, 3)
    y = F.sum(model(x))
    wanted = model.l1.W.data.sum(axis=1)
    model.load_weights(path)
    y.backward()
    assert np.allclose(model.l1.b.grad.data, 1)
    assert wanted.shape == (4,)


def test_read_and_write_by_hand(path):
    dezero.io.write_npz(path, {"a": np.arange(3), "b/c": np.array(1.5)})
    arrays = dezero.io.read_npz(path)
    assert list(arrays) == ["a", "b/c"]
    assert arrays["b/c"].shape == ()
    with pytest.raises(ValueError, match="Object arrays"):
        dezero.io.write_npz(path, {"a": np.array([None])})
    assert list(dezero.io.read_npz(path)) == ["a", "b/c"]
