"""`dezero.datasets`: the book's data, kept small in memory, read without running anything."""

from __future__ import annotations

import ast
import gzip
import hashlib
import io
import os
import struct
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any, ClassVar

import matplotlib
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

import dezero.datasets
from dezero.dataloaders import DataLoader
from dezero.datasets import (
    CIFAR10,
    CIFAR100,
    MNIST,
    Dataset,
    ImageNet,
    Shakespear,
    SinCurve,
    Spiral,
    get_spiral,
    load_cache_npz,
    save_cache_npz,
)
from dezero.download import RemoteFile
from dezero.transforms import Compose, Flatten, ToFloat

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DEZERO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def remote(folder: Path, name: str, content: bytes) -> RemoteFile:
    """Make a file that `RemoteFile.fetch` finds, in place of the one on the network."""
    path = folder / "remote" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return RemoteFile(path.as_uri(), hashlib.sha256(content).hexdigest())


class Squares(Dataset):
    def prepare(self) -> None:
        self.data = np.arange(10 if self.train else 4)
        self.label = self.data**2


def test_a_number_gives_one_pair_after_the_transforms() -> None:
    squares = Squares(transform=lambda x: x + 0.5, target_transform=lambda t: -t)
    assert squares[3] == (3.5, -9)
    assert squares[np.int64(3)] == squares[np.array(3)] == squares[-7] == (3.5, -9)
    assert len(squares) == 10 and len(Squares(train=False)) == 4


@pytest.mark.parametrize("transform", [None, ToFloat(), lambda x: x])
@pytest.mark.parametrize(
    "index",
    [
        slice(2, 8, 3),
        slice(None, None, -1),
        slice(5, 5),
        [1, -1, 1],
        [],
        range(2, 4),
        np.array([3, 0]),
        np.array([3, 0], dtype=np.uint8),
        np.arange(10) % 2 == 0,
        [True] * 10,
    ],
)
def test_slices_lists_and_masks_give_a_batch_as_numpy_does(index: Any, transform: Any) -> None:
    x, t = Squares(transform=transform)[index]
    want = np.array([i for i in np.arange(10)[index]])
    np.testing.assert_array_equal(x, want)
    np.testing.assert_array_equal(t, want**2)


def test_a_batch_is_a_copy_of_the_data() -> None:
    squares = Squares()
    x, t = squares[:]
    x[:] = t[:] = -1
    assert squares.data[3] == 3 and squares.label[3] == 9


def test_a_dataset_without_labels_gives_none() -> None:
    class Unlabelled(Dataset):
        def prepare(self) -> None:
            self.data = [1, 2, 3]

    assert Unlabelled()[1] == (2, None)
    x, t = Unlabelled()[1:]
    assert x.tolist() == [2, 3] and t is None


def test_data_in_lists_work_too() -> None:
    class Words(Dataset):
        def prepare(self) -> None:
            self.data = ["a", "b", "c"]
            self.label = [0, 1, 2]

    x, t = Words()[[2, 0]]
    assert x.tolist() == ["c", "a"] and t.tolist() == [2, 0]


def test_a_dataset_that_opens_its_own_items_does_so_for_batches_too() -> None:
    class Opened(Squares):
        def read(self, index: int) -> Any:
            return np.full(2, 100 + index)

    assert Opened()[-1][0].tolist() == [109, 109]
    assert Opened()[[1, -1]][0].tolist() == [[101, 101], [109, 109]]


@pytest.mark.parametrize("index", [10, -11, [0, 10], np.array([-11])])
def test_an_index_out_of_range_names_it(index: Any) -> None:
    with pytest.raises(IndexError, match=r"Squares: there is no item -?1[01] among 10"):
        Squares()[index]


@pytest.mark.parametrize("index", ["0", 1.0, None, True, (0, 1), [0.5], np.zeros((2, 2), int)])
def test_an_index_of_the_wrong_kind_is_explained(index: Any) -> None:
    with pytest.raises(TypeError, match=r"Squares: an (index|array of indices) is"):
        Squares()[index]


def test_a_mask_of_the_wrong_length_is_explained() -> None:
    with pytest.raises(IndexError, match="a mask has 10 values, as the data; got 3"):
        Squares()[[True, False, True]]


def test_a_for_loop_over_a_dataset_ends() -> None:
    assert [int(t) for _, t in Squares(train=False)] == [0, 1, 4, 9]  # type: ignore[attr-defined]


def test_labels_that_do_not_match_the_data_are_explained() -> None:
    class Wrong(Dataset):
        def prepare(self) -> None:
            self.data, self.label = np.zeros(3), np.zeros(2)

    with pytest.raises(ValueError, match="Wrong: there are 3 data but 2 labels"):
        Wrong()


def test_a_dataset_without_data_says_where_to_set_them() -> None:
    with pytest.raises(TypeError, match=r"Dataset: there are no data: set self\.data in prepare"):
        len(Dataset())
    with pytest.raises(TypeError, match="there are no data"):
        Dataset()[0]


def test_a_transform_that_cannot_be_called_is_explained() -> None:
    with pytest.raises(TypeError, match=r"Squares: target_transform is a callable.*; got 3"):
        Squares(target_transform=3)  # type: ignore[arg-type]


def test_the_books_names_are_all_there() -> None:
    names = "Dataset get_spiral Spiral MNIST CIFAR10 CIFAR100 ImageNet SinCurve Shakespear "
    for name in (names + "load_cache_npz save_cache_npz").split():
        assert hasattr(dezero.datasets, name)


def test_importing_the_datasets_imports_neither_matplotlib_nor_pillow_nor_the_network() -> None:
    code = (
        "import sys, numpy; before = set(sys.modules); import dezero.datasets, dezero.dataloaders;"
        "new = set(sys.modules) - before;"
        "assert not new & {'matplotlib', 'PIL', 'tarfile', 'urllib.request', 'ssl'}, new"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_kept_arrays_come_back_and_a_second_save_replaces_the_first() -> None:
    assert load_cache_npz("http://x/pairs.tar.gz", train=True) == (None, None)
    for k in (1, 2):
        save_cache_npz(np.arange(3) * k, np.ones(3) * k, "http://x/pairs.tar.gz", train=True)
    data, label = load_cache_npz("pairs.tar.gz", train=True)
    np.testing.assert_array_equal(data, [0, 2, 4])
    np.testing.assert_array_equal(label, [2, 2, 2])
    assert load_cache_npz("pairs.tar.gz", train=False) == (None, None)


def test_kept_arrays_need_no_label_and_are_never_pickled(cache: Path) -> None:
    save_cache_npz([1, 2], None, "bare")
    assert load_cache_npz("bare")[1] is None
    with pytest.raises(TypeError, match="data holds Python objects"):
        save_cache_npz(np.array([object()]), None, "objects")
    np.savez(cache / "evil.test.npz", data=np.array([object()]))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        load_cache_npz("evil")
    with pytest.raises(ValueError, match="the cache needs a file name"):
        load_cache_npz("folder/")


def spiral_point_by_point(seed: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[Any]]:
    random = np.random.RandomState(seed)
    x, t = np.zeros((300, 2), dtype=np.float32), np.zeros(300, dtype=int)
    for spiral in range(3):
        for i in range(100):
            r = i / 100
            theta = 4.0 * spiral + 4.0 * r + 0.2 * random.randn()
            x[100 * spiral + i] = r * np.sin(theta), r * np.cos(theta)
            t[100 * spiral + i] = spiral
    order = random.permutation(300)
    return x[order], t[order]


@pytest.mark.parametrize(("train", "seed"), [(True, 1984), (False, 2020)])
def test_the_spiral_has_the_books_points(train: bool, seed: int) -> None:
    x, t = get_spiral(train)
    want_x, want_t = spiral_point_by_point(seed)
    assert x.dtype == np.float32 and t.dtype == np.dtype(int)
    np.testing.assert_array_equal(t, want_t)
    np.testing.assert_allclose(x, want_x, rtol=0, atol=1e-7)


def test_the_first_pair_is_the_one_the_book_prints() -> None:
    x, t = Spiral(train=True)[0]
    np.testing.assert_allclose(x, [-0.13981389, -0.00721657], rtol=0, atol=5e-9)
    assert t == 1 and len(Spiral()) == 300


def test_the_spiral_leaves_numpys_generator_alone() -> None:
    np.random.seed(7)
    untouched = np.random.rand()
    np.random.seed(7)
    get_spiral()
    Spiral(train=False)
    assert np.random.rand() == untouched


def test_the_label_of_a_point_of_the_curve_is_the_next_point() -> None:
    for train, f in ((True, np.sin), (False, np.cos)):
        curve = SinCurve(train=train)
        assert curve.data.shape == curve.label.shape == (999, 1)
        np.testing.assert_array_equal(curve.data[1:], curve.label[:-1])
        error = np.abs(curve.data[:, 0] - f(np.linspace(0, 2 * np.pi, 1000))[:-1])
        assert error.max() <= 0.05
        assert (error.max() > 0.04) == train
        x, t = curve[0]
        assert x.shape == t.shape == (1,)


def test_the_curve_can_be_repeated_and_leaves_numpys_generator_alone() -> None:
    np.random.seed(7)
    untouched = np.random.rand()
    np.random.seed(7)
    np.testing.assert_array_equal(SinCurve().data, SinCurve().data)
    assert (SinCurve(seed=1).data != SinCurve().data).any()
    assert np.random.rand() == untouched


def test_shakespear_numbers_characters_as_they_first_appear(tmp_path: Path) -> None:
    class Short(Shakespear):
        file = remote(tmp_path, "input.txt", b"to be or not to be")

    text = Short()
    assert text.char_to_id == {char: i for i, char in enumerate("to bern")}
    assert text.id_to_char == {i: char for i, char in enumerate("to bern")}
    assert "".join(text.id_to_char[i] for i in text.data.tolist()) == "to be or not to b"
    assert "".join(text.id_to_char[i] for i in text.label.tolist()) == "o be or not to be"
    assert text.data.dtype == np.dtype(int)


def idx(array: npt.NDArray[np.uint8], magic: bytes | None = None) -> bytes:
    head = magic or bytes([0, 0, 8, array.ndim])
    return gzip.compress(head + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes())


DIGITS = RNG.integers(0, 256, (12, 28, 28), dtype=np.uint8)
DIGIT_LABELS = RNG.integers(0, 10, 12, dtype=np.uint8)


def make_mnist(folder: Path, images: bytes, labels: bytes) -> type[MNIST]:
    class SmallMNIST(MNIST):
        files: ClassVar[dict[str, RemoteFile]] = {
            "train images": remote(folder, "train-images.gz", images),
            "train labels": remote(folder, "train-labels.gz", labels),
            "test images": remote(folder, "test-images.gz", idx(DIGITS[:5])),
            "test labels": remote(folder, "test-labels.gz", idx(DIGIT_LABELS[:5])),
        }

    return SmallMNIST


def test_mnist_keeps_bytes_and_gives_the_books_vectors(tmp_path: Path) -> None:
    small = make_mnist(tmp_path, idx(DIGITS), idx(DIGIT_LABELS))
    mnist = small()
    assert (mnist.data.shape, mnist.data.dtype) == ((12, 1, 28, 28), np.uint8)
    assert (mnist.label.shape, mnist.label.dtype) == ((12,), np.dtype(int))
    x, t = mnist[3]
    assert (x.shape, x.dtype) == ((784,), np.float32)
    np.testing.assert_array_equal(x, DIGITS[3].ravel().astype(np.float32) / np.float32(255))
    assert t == DIGIT_LABELS[3]
    assert len(small(train=False)) == 5
    raw, _ = small(transform=None)[3]
    assert (raw.shape, raw.dtype) == ((1, 28, 28), np.uint8)
    mnist.data[0] = 0


def test_mnist_takes_the_books_own_transform_function(tmp_path: Path) -> None:
    def f(x: npt.NDArray[Any]) -> npt.NDArray[Any]:
        x = x.flatten()
        x = x.astype(np.float32)
        x /= 255.0
        return x

    small = make_mnist(tmp_path, idx(DIGITS), idx(DIGIT_LABELS))
    for (x0, t0), (x1, t1) in zip(
        DataLoader(small(transform=f), 5, seed=0), DataLoader(small(), 5, seed=0), strict=True
    ):
        assert x0.dtype == x1.dtype == np.float32
        np.testing.assert_array_equal(x0, x1)
        np.testing.assert_array_equal(t0, t1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (idx(DIGITS, magic=b"\0\0\x0d\x03"), "starts with '00000d03', not '00000803'"),
        (idx(DIGIT_LABELS), "starts with '00000801', not '00000803'"),
        (gzip.compress(b"\0\0"), "is no IDX file of uint8 with 3 axes"),
        (gzip.compress(gzip.decompress(idx(DIGITS))[:-1]), r"shape \(12, 28, 28\).*but has 9407"),
        (idx(DIGITS)[:100], "is not a whole gzip file"),
        (b"<html>not found</html>", "is not a whole gzip file"),
    ],
    ids=["type", "labels", "empty", "cut inside", "cut outside", "a page"],
)
def test_a_wrong_mnist_file_is_explained(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_mnist(tmp_path, content, idx(DIGIT_LABELS))()


def test_mnist_images_and_labels_that_do_not_match_are_explained(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there are 12 data but 11 labels"):
        make_mnist(tmp_path, idx(DIGITS), idx(DIGIT_LABELS[:11]))()


def tar(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


PHOTOS = RNG.integers(0, 256, (12, 3, 32, 32), dtype=np.uint8)
KINDS = RNG.integers(0, 10, 12, dtype=np.uint8)
GROUPS = (np.arange(12, dtype=np.uint8) * 7) % 20


def records(photos: npt.NDArray[np.uint8], *labels: npt.NDArray[np.uint8]) -> bytes:
    pixels = photos.reshape(len(photos), -1)
    return np.concatenate([*(label[:, np.newaxis] for label in labels), pixels], 1).tobytes()


def make_cifar10(folder: Path, **changes: bytes | None) -> type[CIFAR10]:
    batches: dict[str, bytes | None] = {"test_batch": records(PHOTOS[10:], KINDS[10:])}
    # Out of order, as an archive may well be.
    for i in (5, 1, 2, 3, 4):
        part = slice(2 * i - 2, 2 * i)
        batches[f"data_batch_{i}"] = records(PHOTOS[part], KINDS[part])
    batches |= changes
    files = {f"cifar-10-batches-bin/{k}.bin": v for k, v in batches.items() if v is not None}

    class SmallCIFAR10(CIFAR10):
        file = remote(folder, "cifar-10-binary.tar.gz", tar(files))

    return SmallCIFAR10


def test_cifar10_keeps_bytes_not_float64_and_has_the_batches_in_order(tmp_path: Path) -> None:
    small = make_cifar10(tmp_path)
    cifar = small()
    assert cifar.data.dtype == np.uint8 and cifar.label.dtype == np.dtype(int)
    np.testing.assert_array_equal(cifar.data, PHOTOS[:10])
    np.testing.assert_array_equal(cifar.label, KINDS[:10])
    np.testing.assert_array_equal(small(train=False).data, PHOTOS[10:])
    x, t = cifar[4]
    assert (x.shape, x.dtype) == ((3, 32, 32), np.float32)
    np.testing.assert_array_equal(x, (PHOTOS[4].astype(np.float32) - 0.5) / 0.5)
    assert t == KINDS[4]


def test_a_wrong_cifar_archive_is_explained(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has no file 'cifar-10-batches-bin/data_batch_3\.bin'"):
        make_cifar10(tmp_path, data_batch_3=None)()
    with pytest.raises(ValueError, match="has 3072 bytes, not a multiple of the 3073"):
        make_cifar10(tmp_path, data_batch_3=bytes(3072))()

    class Broken(CIFAR10):
        file = remote(tmp_path, "broken.tar.gz", b"<html>")

    with pytest.raises(ValueError, match=r"is not a whole tar\.gz archive"):
        Broken()

    class Short(CIFAR10):
        file = remote(tmp_path, "short.tar.gz", tar({"a": PHOTOS.tobytes()})[:20000])

    with pytest.raises(ValueError, match=r"is not a whole tar\.gz archive"):
        Short()


def make_cifar100(folder: Path) -> type[CIFAR100]:
    files = {
        "cifar-100-binary/train.bin": records(PHOTOS, GROUPS, KINDS + 90),
        "cifar-100-binary/test.bin": records(PHOTOS[:2], GROUPS[:2], KINDS[:2] + 90),
    }

    class SmallCIFAR100(CIFAR100):
        file = remote(folder, "cifar-100-binary.tar.gz", tar(files))

    return SmallCIFAR100


def test_cifar100_gives_coarse_labels_after_fine_ones_were_asked_for(tmp_path: Path) -> None:
    small = make_cifar100(tmp_path)
    np.testing.assert_array_equal(small().label, KINDS + 90)
    np.testing.assert_array_equal(small(label_type="coarse").label, GROUPS)
    np.testing.assert_array_equal(small(label_type="fine").label, KINDS + 90)
    # A word that is equal but not the same object.
    np.testing.assert_array_equal(small(label_type="".join(["coa", "rse"])).label, GROUPS)
    np.testing.assert_array_equal(small(train=False).data, PHOTOS[:2])
    assert small().data.dtype == np.uint8


CIFAR100_GROUPS = {
    "aquatic_mammals": "beaver dolphin otter seal whale",
    "fish": "aquarium_fish flatfish ray shark trout",
    "flowers": "orchid poppy rose sunflower tulip",
    "food_containers": "bottle bowl can cup plate",
    "fruit_and_vegetables": "apple mushroom orange pear sweet_pepper",
    "household_electrical_devices": "clock keyboard lamp telephone television",
    "household_furniture": "bed chair couch table wardrobe",
    "insects": "bee beetle butterfly caterpillar cockroach",
    "large_carnivores": "bear leopard lion tiger wolf",
    "large_man-made_outdoor_things": "bridge castle house road skyscraper",
    "large_natural_outdoor_scenes": "cloud forest mountain plain sea",
    "large_omnivores_and_herbivores": "camel cattle chimpanzee elephant kangaroo",
    "medium_mammals": "fox porcupine possum raccoon skunk",
    "non-insect_invertebrates": "crab lobster snail spider worm",
    "people": "baby boy girl man woman",
    "reptiles": "crocodile dinosaur lizard snake turtle",
    "small_mammals": "hamster mouse rabbit shrew squirrel",
    "trees": "maple_tree oak_tree palm_tree pine_tree willow_tree",
    "vehicles_1": "bicycle bus motorcycle pickup_truck train",
    "vehicles_2": "lawn_mower rocket streetcar tank tractor",
}


def test_the_names_of_the_classes_are_complete() -> None:
    assert MNIST.labels() == {i: str(i) for i in range(10)}
    assert len(set(CIFAR10.labels().values())) == 10 and CIFAR10.labels()[0] == "airplane"
    fine = [name for names in CIFAR100_GROUPS.values() for name in names.split()]
    for label_type, want in (("fine", fine), ("coarse", list(CIFAR100_GROUPS))):
        names = CIFAR100.labels("".join(label_type))
        assert names == dict(enumerate(name.replace("_", " ") for name in sorted(want)))
    assert len(fine) == 100


def test_a_wrong_label_type_is_explained() -> None:
    with pytest.raises(ValueError, match="label_type is 'fine' or 'coarse'; got 'Fine'"):
        CIFAR100(label_type="Fine")
    with pytest.raises(ValueError, match="label_type is 'fine' or 'coarse'; got 'all'"):
        CIFAR100.labels("all")


def test_an_archive_with_names_that_lead_out_writes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "evil.bin"

    class Evil(CIFAR100):
        file = remote(tmp_path, "a.tar.gz", tar({"../evil.bin": b"evil", str(out): b"evil"}))

    with pytest.raises(ValueError, match=r"has no file 'cifar-100-binary/train\.bin'"):
        Evil()
    make_cifar100(tmp_path)()
    assert list(tmp_path.rglob("*.bin")) == []


def test_an_archive_with_a_link_to_another_file_does_not_read_it(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(records(PHOTOS, GROUPS, KINDS))
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        link = tarfile.TarInfo("cifar-100-binary/train.bin")
        link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path / "secret")
        archive.addfile(link)

    class Evil(CIFAR100):
        file = remote(tmp_path, "a.tar.gz", out.getvalue())

    with pytest.raises(ValueError, match=r"has no file|is not a whole tar\.gz archive"):
        Evil()


def test_show_draws_a_table_of_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    shown: list[npt.NDArray[Any]] = []

    def show() -> None:
        shown.append(np.asarray(plt.gca().images[0].get_array()))
        plt.close("all")

    monkeypatch.setattr(plt, "show", show)
    np.random.seed(7)
    untouched = np.random.rand()
    np.random.seed(7)
    mnist = make_mnist(tmp_path, idx(DIGITS), idx(DIGIT_LABELS))()
    mnist.show()
    mnist.show(row=2, col=3)
    make_cifar10(tmp_path)().show(3, 2)
    assert [table.shape for table in shown] == [(280, 280), (56, 84), (96, 64, 3)]
    assert np.random.rand() == untouched
    corner = shown[1][:28, 28:56]
    assert any((corner == digit).all() for digit in DIGITS)
    photo = shown[2][32:64, :32].transpose(2, 0, 1)
    assert any((photo == one).all() for one in PHOTOS)
    with pytest.raises(ValueError, match=r"row and col are at least 1.*got row=0, col=10"):
        mnist.show(row=0)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for part, n in (("train", 2), ("val", 1)):
        for k, name in enumerate(("n02", "n01")):
            folder = tmp_path / "photos" / part / name
            folder.mkdir(parents=True)
            (folder / "notes.txt").write_text("not an image")
            for i in range(n):
                Image.new("RGB", (20, 30), (100 * k, 50 * i, 7)).save(folder / f"{i}.png")
    return tmp_path / "photos"


def test_imagenet_reads_a_folder_with_a_folder_for_each_class(photos: Path) -> None:
    imagenet = ImageNet(photos)
    assert imagenet.classes == ["n01", "n02"]
    assert imagenet.label.tolist() == [0, 0, 1, 1]
    x, t = imagenet[1]
    assert (x.shape, x.dtype, t) == ((3, 224, 224), np.float32, 0)
    assert x[:, 0, 0].tolist() == [100.0, 50.0, 7.0]
    assert len(ImageNet(str(photos), train=False)) == 2
    assert len(ImageNet(photos / "train")) == 4
    image, _ = ImageNet(photos, transform=None)[0]
    assert image.size == (20, 30)


def test_imagenet_gives_batches(photos: Path) -> None:
    x, t = next(DataLoader(ImageNet(photos), 4, shuffle=False))
    assert (x.shape, t.tolist()) == ((4, 3, 224, 224), [0, 0, 1, 1])
    x, t = ImageNet(photos)[1:3]
    assert (x.shape, t.tolist()) == ((2, 3, 224, 224), [0, 1])


def test_imagenet_without_a_folder_says_so_in_one_line(tmp_path: Path) -> None:
    for root in (None, True):
        with pytest.raises(ValueError, match=r"give the folder of images") as caught:
            ImageNet(root)  # type: ignore[arg-type]
        assert "\n" not in str(caught.value)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        ImageNet(tmp_path / "none")
    with pytest.raises(FileNotFoundError, match="has no images in sub-folders"):
        ImageNet(tmp_path)


def test_imagenet_labels_are_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = b"{0: 'tench, Tinca tinca',\n 1: \"jack-o'-lantern\"}"
    monkeypatch.setattr(ImageNet, "names_file", remote(tmp_path, "names.txt", text))
    assert ImageNet.labels() == {0: "tench, Tinca tinca", 1: "jack-o'-lantern"}


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').environ.update(PWNED='1') or {}",
        "{0: __import__('os').environ.update(PWNED='1')}",
        "[1, 2]",
        "{'a': 1}",
        "(" * 100_000,
        "<html>",
    ],
)
def test_imagenet_labels_from_a_hostile_file_are_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.delenv("PWNED", raising=False)
    monkeypatch.setattr(ImageNet, "names_file", remote(tmp_path, "names.txt", text.encode()))
    with pytest.raises(
        ValueError, match=r"ImageNet\.labels: .* is not a dict of numbers to names"
    ):
        ImageNet.labels()
    assert "PWNED" not in os.environ


def test_nothing_is_read_with_pickle_or_eval() -> None:
    folder = Path(dezero.datasets.__file__).parent
    sources = [
        *folder.glob("*.py"),
        folder.parent / "download.py",
        folder.parent / "dataloaders.py",
    ]
    for source in sources:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                assert "pickle" not in ast.unparse(node)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("eval", "exec")


def test_the_default_transforms_are_the_books(tmp_path: Path) -> None:
    mnist = make_mnist(tmp_path, idx(DIGITS), idx(DIGIT_LABELS))()
    assert repr(mnist.transform) == (
        "Compose([Flatten(), AsType(float32), Normalize(0.0, 255.0)])"
    )
    assert repr(make_cifar10(tmp_path)().transform) == (
        "Compose([AsType(float32), Normalize(0.5, 0.5)])"
    )
    flat = make_cifar10(tmp_path)(transform=Compose([Flatten()]))
    assert flat[0][0].shape == (3072,)
