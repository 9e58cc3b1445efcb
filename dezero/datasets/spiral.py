"""Three interleaved spirals: a small classification problem that no straight line solves."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from dezero.datasets.base import Dataset

_CLASSES, _PER_CLASS = 3, 100


def get_spiral(train: bool = True) -> tuple[npt.NDArray[np.float32], npt.NDArray[Any]]:
    """Return the points of three spirals, in random order, and the spiral each belongs to.

    With ``r = i / 100`` and ``theta = 4 * j + 4 * r + 0.2 * noise``, point i of spiral j is
    ``(r * sin(theta), r * cos(theta))``; the noise is standard normal.

    Parameters
    ----------
    train : bool, optional
        Which of two fixed draws of the noise and the order.

    Returns
    -------
    x : ndarray of float32, shape (300, 2)
        The points.
    t : ndarray of int, shape (300,)
        0, 1 or 2.

    Notes
    -----
    Book: step 48, with its numbers (seeds 1984 and 2020 of NumPy's legacy generator). NumPy's
    global generator is neither read nor seeded.

    Examples
    --------
    >>> x, t = get_spiral()
    >>> x.shape, x.dtype, t.shape
    ((300, 2), dtype('float32'), (300,))
    """
    random = np.random.RandomState(1984 if train else 2020)
    t = np.repeat(np.arange(_CLASSES), _PER_CLASS).astype(int)
    radius = np.tile(np.arange(_PER_CLASS) / _PER_CLASS, _CLASSES)
    theta = t * 4.0 + 4.0 * radius + random.randn(len(t)) * 0.2
    x = np.stack([radius * np.sin(theta), radius * np.cos(theta)], axis=1).astype(np.float32)
    order = random.permutation(len(t))
    return x[order], t[order]


class Spiral(Dataset):
    """The points of `get_spiral` as a dataset: 300 pairs of 2 float32 and a class of 3.

    Parameters
    ----------
    train : bool, optional
        Which of the two draws.
    transform, target_transform : callable, optional
        See `Dataset`.

    Notes
    -----
    Book: step 49.

    Examples
    --------
    >>> x, t = Spiral()[0]
    >>> x.shape, len(Spiral())
    ((2,), 300)
    """

    def prepare(self) -> None:
        self.data, self.label = get_spiral(self.train)
