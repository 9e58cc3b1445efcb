"""Random draws, all from one seedable generator: ``dezero.seed``.

Until ``dezero.seed`` is called, draws come from NumPy's global generator, so that the book's
programs, which call ``np.random.seed(0)``, give the book's numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_generator: np.random.RandomState | np.random.Generator | None = None  # None: NumPy's global one


def seed(value: int) -> None:
    """Seed every random draw of the package: weights, dropout, shuffling.

    Parameters
    ----------
    value : int
        Any non-negative integer; the same value gives the same run.

    Examples
    --------
    >>> import dezero
    >>> dezero.seed(0)
    >>> a = dezero.random.normal((2,))
    >>> dezero.seed(0)
    >>> bool((a == dezero.random.normal((2,))).all())
    True
    """
    global _generator
    _generator = np.random.Generator(np.random.PCG64(value))


def generator() -> np.random.RandomState | np.random.Generator:
    """Return the generator in use: NumPy's global one until :func:`seed` was called."""
    return np.random.mtrand._rand if _generator is None else _generator


def get_state() -> dict[str, Any]:
    """Return the state of the generator, for a checkpoint: plain numbers, strings and arrays."""
    if isinstance(_generator, np.random.Generator):
        return {"kind": "generator", "state": _generator.bit_generator.state}
    return {"kind": "global", "state": np.random.get_state(legacy=False)}


def set_state(state: dict[str, Any]) -> None:
    """Continue from what :func:`get_state` returned."""
    global _generator
    if state["kind"] == "generator":
        seed(0)
        assert isinstance(_generator, np.random.Generator)
        _generator.bit_generator.state = state["state"]
    else:
        _generator = None
        np.random.set_state(state["state"])


def normal(shape: tuple[int, ...] | int = (), dtype: Any = np.float32) -> np.ndarray[Any, Any]:
    """Draw from the standard normal distribution.

    Parameters
    ----------
    shape : int or tuple of int
        The shape of the result.
    dtype : dtype, default float32
        float32 or float64 (others are drawn as float64 and cast).
    """
    shape = (shape,) if isinstance(shape, int) else shape
    draws = generator()
    if isinstance(draws, np.random.Generator) and np.dtype(dtype) == np.float32:
        return np.asarray(draws.standard_normal(shape, np.float32))
    return np.asarray(draws.standard_normal(shape)).astype(dtype)


def uniform(shape: tuple[int, ...] | int = (), dtype: Any = np.float32) -> np.ndarray[Any, Any]:
    """Draw uniformly from [0, 1).

    Parameters
    ----------
    shape : int or tuple of int
        The shape of the result.
    dtype : dtype, default float32
        float32 or float64 (others are drawn as float64 and cast).
    """
    shape = (shape,) if isinstance(shape, int) else shape
    draws = generator()
    if isinstance(draws, np.random.RandomState):
        return np.asarray(draws.random_sample(shape)).astype(dtype)
    if np.dtype(dtype) == np.float32:
        return np.asarray(draws.random(shape, np.float32))
    return np.asarray(draws.random(shape)).astype(dtype)
