"""Images with a class each; pixels stay uint8 in memory, and an item is made float on the way out.

Nothing here is read with pickle: MNIST is in the IDX format, CIFAR in its binary version.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from dezero.datasets.base import Dataset
from dezero.datasets.formats import read_cifar, read_idx
from dezero.download import RemoteFile
from dezero.transforms import Compose, Convert, Flatten, Normalize, Resize, ToArray, ToFloat

Array = npt.NDArray[Any]
Transform = Callable[[Any], Any]

_MNIST_TRANSFORM = Compose([Flatten(), ToFloat(), Normalize(0.0, 255.0)])
_CIFAR_TRANSFORM = Compose([ToFloat(), Normalize(mean=0.5, std=0.5)])
_IMAGENET_TRANSFORM = Compose([Convert("RGB"), Resize((224, 224)), ToArray()])


def _mnist_file(name: str, sha256: str) -> RemoteFile:
    first, *mirrors = [
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "http://yann.lecun.com/exdb/mnist/",
    ]
    return RemoteFile(first + name, sha256, tuple(mirror + name for mirror in mirrors))


class _Images(Dataset):
    """Images of one size in one uint8 array of shape (N, C, H, W)."""

    def show(self, row: int = 10, col: int = 10) -> None:
        """Show a table of images drawn at random, with Matplotlib.

        Parameters
        ----------
        row, col : int, optional
            Images down and across.

        Raises
        ------
        ValueError
            If `row` or `col` is less than 1, or there are no images.
        ImportError
            If Matplotlib is not installed.
        """
        table = self._table(row, col)
        try:
            import matplotlib.pyplot as plt
        except ImportError as error:
            raise ImportError(
                f"{type(self).__name__}.show needs Matplotlib: pip install matplotlib"
            ) from error
        plt.imshow(table, cmap="gray" if table.ndim == 2 else None, interpolation="nearest")
        plt.axis("off")
        plt.show()

    def _table(self, row: int, col: int) -> Array:
        if row < 1 or col < 1 or len(self) == 0:
            raise ValueError(
                f"{type(self).__name__}.show: row and col are at least 1, of some images; "
                f"got row={row}, col={col} of {len(self)} images"
            )
        drawn = np.random.default_rng().integers(len(self), size=row * col)
        _, channels, height, width = self.data.shape
        grid = self.data[drawn].reshape(row, col, channels, height, width)
        table: Array = grid.transpose(0, 3, 1, 4, 2).reshape(row * height, col * width, channels)
        return table[:, :, 0] if channels == 1 else table


class MNIST(_Images):
    """Handwritten digits: 60,000 for training and 10,000 for testing, 28 by 28, grey.

    Parameters
    ----------
    train : bool, optional
        The training or the test part.
    transform : callable or None, optional
        By default an item is a float32 vector of 784 values from 0 to 1; with None it is uint8
        of shape (1, 28, 28).
    target_transform : callable, optional
        See `Dataset`.

    Attributes
    ----------
    data : ndarray of uint8, shape (N, 1, 28, 28)
        Pixels, 0 to 255.
    label : ndarray of int, shape (N,)
        Digits.
    files : dict of str to RemoteFile
        Where the four files are. A subclass with others reads other data in the same format,
        Fashion-MNIST for one.

    Raises
    ------
    DownloadError
        If a file is not in the cache and cannot be fetched.
    ValueError
        If a file is not what it should be.

    Notes
    -----
    Book: step 51. Data: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten
    digits", in the IDX format described there.

    Examples
    --------
    >>> MNIST.labels()[7]
    '7'
    """

    files: ClassVar[dict[str, RemoteFile]] = {
        "train images": _mnist_file(
            "train-images-idx3-ubyte.gz",
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        ),
        "train labels": _mnist_file(
            "train-labels-idx1-ubyte.gz",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        ),
        "test images": _mnist_file(
            "t10k-images-idx3-ubyte.gz",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        ),
        "test labels": _mnist_file(
            "t10k-labels-idx1-ubyte.gz",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
    }

    def __init__(
        self,
        train: bool = True,
        transform: Transform | None = _MNIST_TRANSFORM,
        target_transform: Transform | None = None,
    ) -> None:
        super().__init__(train, transform, target_transform)

    def prepare(self) -> None:
        part = "train" if self.train else "test"
        self.data = read_idx(self.files[f"{part} images"].fetch(), axes=3)[:, np.newaxis]
        self.label = read_idx(self.files[f"{part} labels"].fetch(), axes=1).astype(int)

    @staticmethod
    def labels() -> dict[int, str]:
        """Return the name of each class.

        Returns
        -------
        dict of int to str
            0 to 9.
        """
        return {digit: str(digit) for digit in range(10)}


class CIFAR10(_Images):
    """Small photographs of 10 kinds of things: 50,000 for training, 10,000 for testing.

    Parameters
    ----------
    train : bool, optional
        The training or the test part.
    transform : callable or None, optional
        By default an item is float32, ``(pixel - 0.5) / 0.5``, as in the book's package; with
        None it is uint8.
    target_transform : callable, optional
        See `Dataset`.

    Attributes
    ----------
    data : ndarray of uint8, shape (N, 3, 32, 32)
        Pixels, 0 to 255.
    label : ndarray of int, shape (N,)
        0 to 9.

    Raises
    ------
    DownloadError
        If the archive is not in the cache and cannot be fetched.
    ValueError
        If the archive is not what it should be.

    Notes
    -----
    The binary version of the archive is read, in memory; no pickle is, and no file is unpacked.
    Data: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.

    Examples
    --------
    >>> CIFAR10.labels()[8]
    'ship'
    """

    file: ClassVar[RemoteFile] = RemoteFile(
        "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    )

    def __init__(
        self,
        train: bool = True,
        transform: Transform | None = _CIFAR_TRANSFORM,
        target_transform: Transform | None = None,
    ) -> None:
        super().__init__(train, transform, target_transform)

    def prepare(self) -> None:
        parts = [f"data_batch_{i}" for i in range(1, 6)] if self.train else ["test_batch"]
        names = [f"cifar-10-batches-bin/{part}.bin" for part in parts]
        labels, self.data = read_cifar(self.file.fetch(), names, label_bytes=1)
        self.label = labels[:, 0].astype(int)

    @staticmethod
    def labels() -> dict[int, str]:
        """Return the name of each class.

        Returns
        -------
        dict of int to str
            0 to 9.
        """
        names = "airplane automobile bird cat deer dog frog horse ship truck"
        return dict(enumerate(names.split()))


class CIFAR100(_Images):
    """Small photographs of 100 kinds of things in 20 groups: 50,000 and 10,000.

    Parameters
    ----------
    train : bool, optional
        The training or the test part.
    transform : callable or None, optional
        As for `CIFAR10`.
    target_transform : callable, optional
        See `Dataset`.
    label_type : {'fine', 'coarse'}, optional
        Whether the label is one of the 100 kinds or of the 20 groups.

    Attributes
    ----------
    data : ndarray of uint8, shape (N, 3, 32, 32)
        Pixels, 0 to 255.
    label : ndarray of int, shape (N,)
        0 to 99, or 0 to 19.

    Raises
    ------
    DownloadError
        If the archive is not in the cache and cannot be fetched.
    ValueError
        If `label_type` is another word, or the archive is not what it should be.

    Notes
    -----
    As for `CIFAR10`, the binary version is read, in memory, and no pickle.

    Examples
    --------
    >>> CIFAR100.labels()[0], CIFAR100.labels("coarse")[0]
    ('apple', 'aquatic mammals')
    """

    file: ClassVar[RemoteFile] = RemoteFile(
        "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
        "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
    )

    def __init__(
        self,
        train: bool = True,
        transform: Transform | None = _CIFAR_TRANSFORM,
        target_transform: Transform | None = None,
        label_type: str = "fine",
    ) -> None:
        self.label_type = _checked_label_type(label_type)
        super().__init__(train, transform, target_transform)

    def prepare(self) -> None:
        name = f"cifar-100-binary/{'train' if self.train else 'test'}.bin"
        labels, self.data = read_cifar(self.file.fetch(), [name], label_bytes=2)
        self.label = labels[:, 0 if self.label_type == "coarse" else 1].astype(int)

    @staticmethod
    def labels(label_type: str = "fine") -> dict[int, str]:
        """Return the name of each class.

        Parameters
        ----------
        label_type : {'fine', 'coarse'}, optional
            The 100 kinds or the 20 groups.

        Returns
        -------
        dict of int to str
            100 or 20 names.

        Raises
        ------
        ValueError
            If `label_type` is another word.
        """
        names = _CIFAR100_FINE if _checked_label_type(label_type) == "fine" else _CIFAR100_COARSE
        return {i: name.replace("_", " ") for i, name in enumerate(names.split())}


class ImageNet(Dataset):
    """Photographs in a folder that has a sub-folder for each class.

    Parameters
    ----------
    root : str or path
        The folder. If it has a sub-folder ``train`` or ``val``, that part is read, else the
        folder itself. Class i is the i-th sub-folder in alphabetical order, which for the
        original names (n01440764 and so on) is the order of `labels`.
    train : bool, optional
        ``train`` or ``val``.
    transform : callable or None, optional
        By default an item is float32 of shape (3, 224, 224), RGB, 0 to 255; with None it is a
        Pillow image.
    target_transform : callable, optional
        See `Dataset`.

    Attributes
    ----------
    data : list of str
        Paths of the image files; a file is opened when its item is asked for.
    label : ndarray of int, shape (N,)
        Classes.
    classes : list of str
        Names of the sub-folders.

    Raises
    ------
    ValueError
        If no folder is given: ImageNet cannot be downloaded without an account.
    FileNotFoundError
        If the folder does not exist or has no images in sub-folders.

    Notes
    -----
    Data: J. Deng et al., "ImageNet: A Large-Scale Hierarchical Image Database", CVPR 2009.

    Examples
    --------
    >>> ImageNet()  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: ImageNet: give the folder of images, ImageNet(root=...): ...
    """

    suffixes: ClassVar[tuple[str, ...]] = (".jpeg", ".jpg", ".png", ".bmp", ".webp", ".ppm")
    names_file: ClassVar[RemoteFile] = RemoteFile(
        "https://gist.githubusercontent.com/yrevar/942d3a0ac09ec9e5eb3a/raw/"
        "238f720ff059c1f82f368259d1ca4ffa5dd8f9f5/imagenet1000_clsidx_to_labels.txt"
    )

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        train: bool = True,
        transform: Transform | None = _IMAGENET_TRANSFORM,
        target_transform: Transform | None = None,
    ) -> None:
        if root is None or isinstance(root, bool):
            raise ValueError(
                "ImageNet: give the folder of images, ImageNet(root=...): it has a sub-folder "
                "for each class, and cannot be downloaded without an account at image-net.org"
            )
        self.root = os.fspath(root)
        super().__init__(train, transform, target_transform)

    def prepare(self) -> None:
        folder = self._part()
        if not os.path.isdir(folder):
            raise FileNotFoundError(f"ImageNet: there is no folder {folder!r}")
        self.classes = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())
        self.data, labels = [], []
        for number, name in enumerate(self.classes):
            files = sorted(os.listdir(os.path.join(folder, name)))
            images = [file for file in files if file.lower().endswith(self.suffixes)]
            self.data += [os.path.join(folder, name, image) for image in images]
            labels += [number] * len(images)
        if not self.data:
            raise FileNotFoundError(
                f"ImageNet: {folder!r} has no images in sub-folders, one for each class"
            )
        self.label = np.array(labels, dtype=int)

    def read(self, index: int) -> Any:
        try:
            from PIL import Image
        except ImportError as error:
            raise ImportError("ImageNet needs Pillow: pip install pillow") from error
        with Image.open(self.data[index]) as image:
            image.load()
            return image

    def _part(self) -> str:
        parts = {part: os.path.join(self.root, part) for part in ("train", "val")}
        if any(os.path.isdir(path) for path in parts.values()):
            return parts["train" if self.train else "val"]
        return self.root

    @staticmethod
    def labels() -> dict[int, str]:
        """Return the name of each of the 1000 classes, downloaded once.

        Returns
        -------
        dict of int to str
            0 to 999.

        Raises
        ------
        DownloadError
            If the text is not in the cache and cannot be fetched.
        ValueError
            If the text is not a dict of numbers to names. It is parsed as a literal and never
            run.
        """
        import ast

        path = ImageNet.names_file.fetch()
        complaint = f"ImageNet.labels: {path} is not a dict of numbers to names"
        try:
            with open(path, encoding="utf-8") as file:
                names = ast.literal_eval(file.read())
        except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
            raise ValueError(complaint) from error
        if not isinstance(names, dict) or not all(
            isinstance(number, int) and isinstance(name, str) for number, name in names.items()
        ):
            raise ValueError(complaint)
        return names


def _checked_label_type(label_type: str) -> str:
    if label_type not in ("fine", "coarse"):
        raise ValueError(f"CIFAR100: label_type is 'fine' or 'coarse'; got {label_type!r}")
    return label_type


_CIFAR100_COARSE = """
    aquatic_mammals fish flowers food_containers fruit_and_vegetables
    household_electrical_devices household_furniture insects large_carnivores
    large_man-made_outdoor_things large_natural_outdoor_scenes large_omnivores_and_herbivores
    medium_mammals non-insect_invertebrates people reptiles small_mammals trees vehicles_1
    vehicles_2
"""

_CIFAR100_FINE = """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus
    butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch
    crab crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo
    keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse
    mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy
    porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper
    snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television
    tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm
"""
