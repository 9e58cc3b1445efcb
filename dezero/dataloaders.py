"""Batches of a dataset, epoch by epoch."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from dezero.datasets.base import Dataset, collate
from dezero.random import generator

__all__ = ["DataLoader", "SeqDataLoader"]

Array = npt.NDArray[Any]


class Pairs(Protocol):
    """What a loader reads: a `Dataset`, a list of pairs, or anything with these two methods.

    Examples
    --------
    >>> len(DataLoader([(1.0, 0), (2.0, 1)], batch_size=1))
    2
    """

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Any: ...


class DataLoader:
    """Go through a dataset in batches, in a new random order each epoch.

    A loop over the loader is one epoch, from its start, also after a loop that was left early;
    loops may be nested. ``next(loader)`` goes on with one epoch over several calls.

    Parameters
    ----------
    dataset : Dataset or sequence of pairs
        What is read. A `Dataset` that holds its data in an array, under transforms that work on
        batches (see `dezero.transforms`), is read a batch at a time; others item by item.
    batch_size : int
        Items in a batch. The last batch of an epoch has fewer if they do not divide.
    shuffle : bool, optional
        Whether the order is random.
    gpu : bool, optional
        Whether the batches are CuPy arrays.
    seed : int, optional
        Seed of a generator of the loader's own. Without it the order is drawn from the
        generator of the package (`dezero.seed`), which is NumPy's global one until that is
        called, at the moments at which the book's loader draws: when it is made and at the end
        of each epoch. So programs that call `numpy.random.seed` see the book's order.
    drop_last : bool, optional
        Whether a last batch with fewer items is left out.

    Attributes
    ----------
    max_iter : int
        Batches in an epoch, also ``len(loader)``.
    iteration : int
        Batches of the current epoch handed out so far.

    Raises
    ------
    TypeError
        If `dataset` has no length or no items, or `batch_size` is no whole number.
    ValueError
        If `batch_size` is less than 1, or `drop_last` leaves no batch.

    Notes
    -----
    Book: step 50. A batch is a pair ``(x, t)`` of arrays; where the dataset has no labels, t is
    None.

    Examples
    --------
    >>> loader = DataLoader([(10, 0), (11, 1), (12, 0)], batch_size=2, shuffle=False)
    >>> for x, t in loader:
    ...     print(x, t)
    [10 11] [0 1]
    [12] [0]
    """

    def __init__(
        self,
        dataset: Pairs,
        batch_size: int,
        shuffle: bool = True,
        gpu: bool = False,
        *,
        seed: int | None = None,
        drop_last: bool = False,
    ) -> None:
        name = type(self).__name__
        if not hasattr(dataset, "__len__") or not hasattr(dataset, "__getitem__"):
            raise TypeError(
                f"{name}: dataset is a dezero.Dataset or a sequence of (x, t); "
                f"got {type(dataset).__name__}"
            )
        self.dataset = dataset
        self.batch_size = _checked_batch_size(batch_size, name)
        self.shuffle = shuffle
        self.gpu = gpu
        self.data_size = len(dataset)
        batches = self.data_size / self.batch_size
        self.max_iter = math.floor(batches) if drop_last else math.ceil(batches)
        if self.data_size and not self.max_iter:
            raise ValueError(
                f"{name}: drop_last leaves no batch: batch_size is {self.batch_size}, "
                f"the dataset has {self.data_size} items"
            )
        self._rng = None if seed is None else np.random.default_rng(seed)
        # An array is read a batch at a time unless the user's class has its own way to an item.
        self._slices = isinstance(dataset, Dataset) and (
            type(dataset).__getitem__ is Dataset.__getitem__
        )
        self.reset()

    def reset(self) -> None:
        """Drop the current epoch and draw the order of the next."""
        self.iteration = 0
        self.index: Array = self._order()
        self._begun = False
        self._running: Iterator[tuple[Any, Any]] | None = None

    def __len__(self) -> int:
        return self.max_iter

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        if self._begun:
            self.reset()
        self._begun = True
        return self._epoch(self.index)

    def __next__(self) -> tuple[Any, Any]:
        if self._running is None:
            running = iter(self)
            self._running = running
        try:
            return next(self._running)
        except StopIteration:
            self._running = None
            raise

    def next(self) -> tuple[Any, Any]:
        """Return the next batch.

        Returns
        -------
        tuple
            ``(x, t)``.

        Raises
        ------
        StopIteration
            At the end of an epoch; the call after that begins the next.
        """
        return self.__next__()

    def to_cpu(self) -> None:
        """Give NumPy arrays from now on."""
        self.gpu = False

    def to_gpu(self) -> None:
        """Give CuPy arrays from now on."""
        self.gpu = True

    def _order(self) -> Array:
        if not self.shuffle:
            return np.arange(self.data_size)
        return (self._rng or generator()).permutation(self.data_size)

    def _epoch(self, index: Array) -> Iterator[tuple[Any, Any]]:
        for i in range(self.max_iter):
            self.iteration = i + 1
            yield self._batch(self._rows(index, i))
        # The next order is drawn now, not when it is asked for, because the book's loader does.
        self.reset()

    def _rows(self, index: Array, i: int) -> Array:
        return index[i * self.batch_size : (i + 1) * self.batch_size]

    def _batch(self, rows: Array) -> tuple[Any, Any]:
        x: Any
        t: Any
        if self._slices:
            x, t = self.dataset[rows]  # type: ignore[index]
        else:
            x, t = self._stacked(rows)
        if not self.gpu:
            return x, t
        from dezero import cuda

        return cuda.as_cupy(x), None if t is None else cuda.as_cupy(t)

    def _stacked(self, rows: Array) -> tuple[Any, Any]:
        items = [self.dataset[row] for row in rows.tolist()]
        for item in items:
            if not isinstance(item, (tuple, list)) or len(item) < 2:
                raise TypeError(
                    f"{type(self).__name__}: an item of the dataset is a pair (x, t); "
                    f"got {type(item).__name__}"
                )
        return collate([item[0] for item in items], "input"), collate(
            [item[1] for item in items], "label"
        )


class SeqDataLoader(DataLoader):
    """Go through a sequence in parallel strands, in order, a step at a time.

    The sequence of n items is cut into `batch_size` strands of ``jump = n // batch_size`` items;
    row i of batch k is item ``i * jump + k``. So row i of the next batch is what comes
    after row i of this one, as truncated backpropagation through time needs.

    Parameters
    ----------
    dataset : Dataset or sequence of pairs
        The sequence.
    batch_size : int
        Strands.
    gpu : bool, optional
        Whether the batches are CuPy arrays.

    Raises
    ------
    TypeError
        As for `DataLoader`.
    ValueError
        If `batch_size` is less than 1 or more than the items.

    Notes
    -----
    Book: step 60. An epoch has ``ceil(n / batch_size)`` batches; where they do not divide, the
    last one steps into the strand that follows.

    Examples
    --------
    >>> loader = SeqDataLoader([(i, i + 1) for i in range(6)], batch_size=2)
    >>> [x.tolist() for x, t in loader]
    [[0, 3], [1, 4], [2, 5]]
    """

    def __init__(self, dataset: Pairs, batch_size: int, gpu: bool = False) -> None:
        super().__init__(dataset, batch_size, shuffle=False, gpu=gpu)
        if self.data_size < self.batch_size:
            raise ValueError(
                f"SeqDataLoader: {self.data_size} items do not make {self.batch_size} strands: "
                "make batch_size smaller"
            )

    def _rows(self, index: Array, i: int) -> Array:
        jump = self.data_size // self.batch_size
        return np.arange(self.batch_size) * jump + i


def _checked_batch_size(batch_size: int, name: str) -> int:
    try:
        size = operator.index(batch_size)
    except TypeError:
        raise TypeError(f"{name}: batch_size is a whole number; got {batch_size!r}") from None
    if size < 1:
        raise ValueError(f"{name}: batch_size is at least 1; got {size}")
    return size
