"""Cases that prepare their inputs: Hermitian matrices, complex numbers from two real arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .cases import Case


class Prepared(Case):
    """A case whose arguments go through ``before``, and whose outputs go through ``after``."""

    def __init__(
        self,
        *args: Any,
        before: Callable[..., tuple[Any, ...]] = lambda *args: args,
        after: Callable[..., Any] = lambda y: y,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.before = before
        self.after = after

    def call(self, function: Callable[..., Any], values: Iterable[Any]) -> tuple[Any, ...]:
        def prepared(*args: Any, **kwargs: Any) -> Any:
            return self.after(function(*self.before(*args), **kwargs))

        return super().call(prepared, values)


def parts(y: Any) -> Any:
    """Return real and imaginary parts of complex outputs, each an output of its own."""
    ys = y if isinstance(y, tuple | list) else (y,)
    split: list[Any] = []
    for z in ys:
        if np.iscomplexobj(z):
            split += [np.real(z), np.real(-1j * z)]
        elif hasattr(z, "dtype"):
            split.append(z)
    return tuple(split)


def complex_case(*args: Any, before: Callable[..., tuple[Any, ...]] | None = None, **kwargs: Any):
    """Return a case of complex arguments, each given as a pair of real arrays."""

    def join(*given: Any) -> tuple[Any, ...]:
        joined = tuple(_joined(x) for x in given)
        return joined if before is None else before(*joined)

    return Prepared(*args, before=join, after=parts, **kwargs)


def _joined(x: Any) -> Any:
    if isinstance(x, list):
        return [_joined(item) for item in x]
    return (
        x[0] + 1j * x[1] if isinstance(x, tuple) and len(x) == 2 and hasattr(x[0], "dtype") else x
    )


def draw(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return np.asarray(rng.uniform(-1, 1, shape))


def pair(rng: np.random.Generator, *shape: int) -> tuple[np.ndarray, np.ndarray]:
    return draw(rng, *shape), draw(rng, *shape)
