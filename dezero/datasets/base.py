"""The base class of all datasets, and arrays kept in the cache folder."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt

from dezero.download import get_cache_dir
from dezero.transforms import Compose, is_batched

Array = npt.NDArray[Any]


class Dataset:
    """Pairs of an input and its label, found by number.

    A subclass sets ``self.data`` and ``self.label`` in `prepare`. Data that do not fit in memory
    are read by a subclass that defines ``__getitem__`` and ``__len__`` itself.

    Parameters
    ----------
    train : bool, optional
        Whether `prepare` is to load the training part or the test part.
    transform : callable, optional
        Applied to an input when it is handed out; see `dezero.transforms`.
    target_transform : callable, optional
        Applied to a label when it is handed out.

    Attributes
    ----------
    data : ndarray or sequence
        The inputs, one a row.
    label : ndarray, sequence or None
        As many labels, or None where there are none.

    Raises
    ------
    TypeError
        If a transform cannot be called.
    ValueError
        If there are not as many labels as data.

    Notes
    -----
    Book: step 49.

    Examples
    --------
    >>> class Squares(Dataset):
    ...     def prepare(self):
    ...         self.data = np.arange(5)
    ...         self.label = self.data**2
    >>> squares = Squares()
    >>> x, t = squares[3]
    >>> int(x), int(t)
    (3, 9)
    >>> squares[1:3]
    (array([1, 2]), array([1, 4]))
    """

    def __init__(
        self,
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
    ) -> None:
        self.train = train
        self.transform = self._callable(transform, "transform")
        self.target_transform = self._callable(target_transform, "target_transform")
        self.data: Any = None
        self.label: Any = None
        self.prepare()
        if self.data is not None:
            self._count()

    def prepare(self) -> None:
        """Set ``self.data`` and ``self.label``; called once, when the dataset is made."""

    def __len__(self) -> int:
        return self._count()

    def __getitem__(self, index: Any) -> tuple[Any, Any]:
        """Return one pair, or a batch of them.

        Parameters
        ----------
        index : int, slice, or 1-D array or list of int or of bool
            Which items; negative numbers count from the end.

        Returns
        -------
        tuple
            Input and label after the transforms. For more than one item both are arrays with a
            leading batch axis, copies of what the dataset holds. The label is None where the
            dataset has none.

        Raises
        ------
        IndexError
            If there is no such item.
        TypeError
            If `index` is of another kind.
        """
        if _is_integer(index):
            return self._one(int(index))
        return self._many(self._rows(index))

    def read(self, index: int) -> Any:
        """Return an input before its transform; a subclass that keeps files opens one here.

        Parameters
        ----------
        index : int
            From 0 to ``len(self) - 1``.

        Returns
        -------
        object
            The input; ``self.data[index]`` unless a subclass says otherwise.
        """
        return self.data[index]

    def _one(self, index: int) -> tuple[Any, Any]:
        n = len(self)
        if not -n <= index < n:
            raise IndexError(
                f"{type(self).__name__}: there is no item {index} among {n} (0 to {n - 1})"
            )
        index %= n
        x = self.transform(self.read(index))
        return x, None if self.label is None else self.target_transform(self.label[index])

    def _many(self, rows: Array) -> tuple[Array | None, Array | None]:
        if not self._in_one_go():
            pairs = [self._one(row) for row in rows.tolist()]
            return collate([x for x, _ in pairs], "input"), collate([t for _, t in pairs], "label")
        # One gather a batch, and the transforms on the whole of it.
        x: Array = self.transform.batch(self.data[rows])  # type: ignore[attr-defined]
        if self.label is None:
            return x, None
        return x, self.target_transform.batch(self.label[rows])  # type: ignore[attr-defined]

    def _in_one_go(self) -> bool:
        return (
            isinstance(self.data, np.ndarray)
            and type(self).read is Dataset.read
            and is_batched(self.transform)
            and (
                self.label is None
                or (isinstance(self.label, np.ndarray) and is_batched(self.target_transform))
            )
        )

    def _rows(self, index: Any) -> Array:
        """Turn a slice, a mask or a list of numbers into numbers from 0 to len - 1."""
        name, n = type(self).__name__, len(self)
        if isinstance(index, slice):
            return np.arange(*index.indices(n))
        if not isinstance(index, (list, range, np.ndarray)):
            raise TypeError(
                f"{name}: an index is a whole number, a slice, or a 1-D array or list of whole "
                f"numbers or of bool; got {index!r}"
            )
        rows = np.asarray(index) if len(index) else np.zeros(0, dtype=np.intp)
        if rows.ndim != 1 or rows.dtype.kind not in "iub":
            raise TypeError(
                f"{name}: an array of indices is 1-D, of integers or bool; "
                f"got {rows.dtype}, shape {rows.shape}"
            )
        if rows.dtype.kind == "b":
            if len(rows) != n:
                raise IndexError(f"{name}: a mask has {n} values, as the data; got {len(rows)}")
            return np.flatnonzero(rows)
        outside = (rows < -n) | (rows >= n)
        if outside.any():
            raise IndexError(f"{name}: there is no item {rows[outside][0]} among {n}")
        return np.where(rows < 0, rows.astype(np.intp) + n, rows.astype(np.intp))

    def _count(self) -> int:
        name = type(self).__name__
        if self.data is None:
            raise TypeError(f"{name}: there are no data: set self.data in prepare()")
        n = len(self.data)
        if self.label is not None and len(self.label) != n:
            raise ValueError(f"{name}: there are {n} data but {len(self.label)} labels")
        return n

    def _callable(self, transform: Callable[[Any], Any] | None, name: str) -> Callable[[Any], Any]:
        if transform is None:
            return Compose()
        if not callable(transform):
            raise TypeError(
                f"{type(self).__name__}: {name} is a callable of one item, or None; "
                f"got {transform!r}"
            )
        return transform


def collate(values: Sequence[Any], what: str) -> Array | None:
    """Stack the inputs or the labels of a batch into one array.

    Parameters
    ----------
    values : sequence
        All have the same shape, or all are None.
    what : str
        ``'input'`` or ``'label'``, for the message.

    Returns
    -------
    ndarray or None
        Shape (N, ...); None if there are values and every one is None.

    Raises
    ------
    ValueError
        If the shapes differ.
    TypeError
        If some but not all are None, or a value is no number, text or array.

    Examples
    --------
    >>> collate([np.zeros((2, 3)), np.ones((2, 3))], "input").shape
    (2, 2, 3)
    """
    if not values:
        return np.zeros(0)
    missing = sum(value is None for value in values)
    if missing == len(values):
        return None
    if missing:
        raise TypeError(f"batch: {missing} of {len(values)} {what}s are None, the others are not")
    arrays = [np.asarray(value) for value in values]
    shapes = sorted({array.shape for array in arrays})
    if len(shapes) > 1:
        raise ValueError(
            f"batch: every {what} must have one shape; got {', '.join(map(str, shapes))}: "
            "make them equal in the transform"
        )
    batch = np.stack(arrays)
    if batch.dtype == object:
        raise TypeError(
            f"batch: an {what} of type {type(values[0]).__name__} does not fit in an array: "
            "turn it into one in the transform"
        )
    return batch


def save_cache_npz(
    data: npt.ArrayLike, label: npt.ArrayLike | None, filename: str, train: bool = False
) -> str:
    """Keep the arrays of a dataset in the cache folder, in place of what was there.

    Parameters
    ----------
    data, label : array_like
        Numbers or text; `label` may be None.
    filename : str
        Name or URL whose last part names the file. What is not the same data needs another
        name: say ``'cifar-100.coarse'`` and ``'cifar-100.fine'``.
    train : bool, optional
        Whether it is the training part.

    Returns
    -------
    str
        Path of the file.

    Raises
    ------
    TypeError
        If an array holds Python objects, which only pickle could store.

    Notes
    -----
    Book: ``dezero/datasets.py``.

    Examples
    --------
    >>> import os, tempfile
    >>> from unittest.mock import patch
    >>> with (
    ...     tempfile.TemporaryDirectory() as folder,
    ...     patch.dict(os.environ, DEZERO_CACHE=folder),
    ... ):
    ...     path = save_cache_npz([1, 2], [3, 4], "pairs", train=True)
    ...     print(os.path.basename(path), *load_cache_npz("pairs", train=True))
    pairs.train.npz [1 2] [3 4]
    """
    arrays = {"data": np.asarray(data)}
    if label is not None:
        arrays["label"] = np.asarray(label)
    for name, array in arrays.items():
        if array.dtype == object:
            raise TypeError(f"save_cache_npz: {name} holds Python objects, not numbers or text")
    path = _npz_path(filename, train)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    part = f"{path}.{uuid.uuid4().hex}.part"
    try:
        with open(part, "xb") as file:
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
        os.replace(part, path)
    finally:
        with suppress(FileNotFoundError):
            os.remove(part)
    return path


def load_cache_npz(filename: str, train: bool = False) -> tuple[Array | None, Array | None]:
    """Return what `save_cache_npz` kept under a name.

    Parameters
    ----------
    filename : str
        As it was given to `save_cache_npz`.
    train : bool, optional
        Likewise.

    Returns
    -------
    tuple of ndarray or None
        Data and label; ``(None, None)`` if nothing was kept.

    Raises
    ------
    ValueError
        If the file holds pickled objects, which are never loaded.

    Notes
    -----
    Book: ``dezero/datasets.py``.

    Examples
    --------
    >>> load_cache_npz("no such name")
    (None, None)
    """
    path = _npz_path(filename, train)
    if not os.path.exists(path):
        return None, None
    with np.load(path, allow_pickle=False) as stored:
        return stored["data"], stored.get("label")


def _npz_path(filename: str, train: bool) -> str:
    name = re.split(r"[/\\]", filename)[-1]
    if not name:
        raise ValueError(f"the cache needs a file name; got {filename!r}")
    return os.path.join(get_cache_dir(), name + (".train.npz" if train else ".test.npz"))


def _is_integer(index: Any) -> bool:
    if isinstance(index, np.ndarray):
        return index.ndim == 0 and index.dtype.kind in "iu"
    return isinstance(index, (int, np.integer)) and not isinstance(index, bool)
