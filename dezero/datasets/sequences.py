"""Sequences in which the label of a step is the next step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from dezero.datasets.base import Dataset
from dezero.download import RemoteFile


class SinCurve(Dataset):
    """A noisy sine to learn and a cosine to predict; the label of a point is the next point.

    Training: ``sin(x) + noise``, noise uniform in [-0.05, 0.05). Test: ``cos(x)``. Both at 1000
    values of x from 0 to 2 pi, which make 999 pairs, each value of shape (1,), float64.

    Parameters
    ----------
    train : bool, optional
        The sine or the cosine.
    transform, target_transform : callable, optional
        See `Dataset`.
    seed : int, optional
        Seed of the noise. NumPy's global generator is neither read nor seeded.

    Notes
    -----
    Book: steps 59 and 60.

    Examples
    --------
    >>> curve = SinCurve(train=False)
    >>> len(curve), curve.data.shape, float(curve.data[0, 0])
    (999, (999, 1), 1.0)
    >>> bool((curve.label[:-1] == curve.data[1:]).all())
    True
    """

    def __init__(
        self,
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        *,
        seed: int = 0,
    ) -> None:
        self.seed = seed
        super().__init__(train, transform, target_transform)

    def prepare(self) -> None:
        x = np.linspace(0, 2 * np.pi, 1000)
        if self.train:
            y = np.sin(x) + np.random.default_rng(self.seed).uniform(-0.05, 0.05, size=x.shape)
        else:
            y = np.cos(x)
        self.data = y[:-1][:, np.newaxis]
        self.label = y[1:][:, np.newaxis]


class Shakespear(Dataset):
    """The characters of a megabyte of Shakespeare as numbers; the label is the next character.

    Parameters
    ----------
    train : bool, optional
        Kept for the form of `Dataset`; there is one text.
    transform, target_transform : callable, optional
        See `Dataset`.

    Attributes
    ----------
    char_to_id : dict of str to int
        Number of a character: the characters are counted in the order in which the text first
        has them.
    id_to_char : dict of int to str
        The inverse.
    data, label : ndarray of int
        All characters but the last; all but the first.

    Raises
    ------
    DownloadError
        If the text is not in the cache and cannot be fetched.

    Notes
    -----
    Text: A. Karpathy's char-rnn repository. The name is spelt as in the book's package.

    Examples
    --------
    >>> Shakespear.file.url.startswith("https://")
    True
    """

    file: ClassVar[RemoteFile] = RemoteFile(
        "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
        "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        file_name="shakespear.txt",
    )

    def prepare(self) -> None:
        with open(self.file.fetch(), encoding="utf-8") as file:
            text = file.read()
        self.char_to_id = {char: i for i, char in enumerate(dict.fromkeys(text))}
        self.id_to_char = {i: char for char, i in self.char_to_id.items()}
        ids = np.array([self.char_to_id[char] for char in text], dtype=int)
        self.data = ids[:-1]
        self.label = ids[1:]
