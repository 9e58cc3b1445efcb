"""Switches that change how functions run: ``enable_backprop``, ``train``, ``compiled``."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Config(threading.local):
    """The switches of the calling thread; every new thread starts from the defaults below."""

    enable_backprop: bool = True
    train: bool = True
    compiled: bool = True
    fast_winograd: bool = False
    replaying = False  # while a checkpoint computes its function again: state moved on already


Config = _Config()


@contextmanager
def using_config(name: str, value: bool) -> Iterator[None]:
    """Set one switch of :data:`Config` inside a ``with`` block, and put it back afterwards.

    The switch belongs to the calling thread and is restored when the block raises.
    Source: step 18 of the book.

    Parameters
    ----------
    name : str
        ``"enable_backprop"`` (record a graph), ``"train"`` (dropout and batch normalisation
        behave as in training), ``"compiled"`` (kernels run compiled, not as their NumPy
        reference) or ``"fast_winograd"`` (off at first: 3x3 convolutions in tiles of 4x4, a
        fifth to a quarter faster, with a largest error of 1e-5 of the result's rms instead of
        2e-6; a NaN spreads over its tile of the output).
    value : bool
        The value inside the block.

    Raises
    ------
    AttributeError
        If there is no switch of that name.

    Examples
    --------
    >>> import dezero
    >>> with dezero.using_config("train", False):
    ...     print(dezero.Config.train)
    False
    >>> dezero.Config.train
    True
    """
    if name not in _Config.__annotations__:
        known = ", ".join(_Config.__annotations__)
        raise AttributeError(f"using_config: no switch is named {name!r}; there are: {known}")
    old = getattr(Config, name)
    setattr(Config, name, value)
    try:
        yield
    finally:
        setattr(Config, name, old)


@contextmanager
def no_grad() -> Iterator[None]:
    """Record no graph inside a ``with`` block: less memory and time where nobody differentiates.

    Source: step 18 of the book.

    Examples
    --------
    >>> import numpy as np, dezero
    >>> x = dezero.Variable(np.array(2.0))
    >>> with dezero.no_grad():
    ...     y = x * x
    >>> y.creator is None
    True
    """
    with using_config("enable_backprop", False):
        yield


@contextmanager
def test_mode() -> Iterator[None]:
    """Run layers as in evaluation inside a ``with`` block: dropout off, running statistics used.

    Source: step 54 of the book.

    Examples
    --------
    >>> import numpy as np, dezero, dezero.functions as F
    >>> with dezero.test_mode():
    ...     F.dropout(np.ones(3), 0.5)
    variable([1. 1. 1.])
    """
    with using_config("train", False):
        yield


test_mode.__test__ = False  # type: ignore[attr-defined]  # its name looks like a test to pytest
