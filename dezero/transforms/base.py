"""What transforms have in common, and how they are put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy.typing as npt

Array = npt.NDArray[Any]


class Transform:
    """What the transforms of this module have in common; a base for one's own.

    Attributes
    ----------
    batched : bool
        Whether `batch` may be used in place of a call for each item.

    Examples
    --------
    >>> import numpy as np
    >>> class Double(Transform):
    ...     batched = True
    ...     def __call__(self, x):
    ...         return 2 * x
    ...     batch = __call__
    >>> Compose([Double(), Double()]).batch(np.arange(3))
    array([0, 4, 8])
    """

    batched: bool = False

    def __call__(self, x: Any) -> Any:
        """Transform one item.

        Parameters
        ----------
        x : object
            The item, as the dataset holds it or as the transform before gave it.

        Returns
        -------
        object
            The transformed item; `x` itself is left as it is.
        """
        raise NotImplementedError(f"{type(self).__name__} must define __call__(self, x)")

    def batch(self, xs: Array) -> Array:
        """Transform an array of items.

        Parameters
        ----------
        xs : ndarray, shape (N, ...)
            The items, along the first axis.

        Returns
        -------
        ndarray, shape (N, ...)
            What stacking the N results of a call would give.
        """
        raise NotImplementedError(f"{type(self).__name__} works on one item at a time")

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Compose(Transform):
    """Apply transforms one after the other; an empty list leaves the item as it is.

    Parameters
    ----------
    transforms : sequence of callables, optional
        Applied from the first to the last.

    Raises
    ------
    TypeError
        If one of them is not callable.

    Notes
    -----
    Book: ``dezero/transforms.py``, used from step 51.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.transforms import Flatten, Normalize, ToFloat
    >>> f = Compose([Flatten(), ToFloat(), Normalize(0.0, 255.0)])
    >>> f(np.array([[0, 51], [102, 255]], dtype=np.uint8))
    array([0. , 0.2, 0.4, 1. ], dtype=float32)
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]] = ()) -> None:
        self.transforms = list(transforms)
        for transform in self.transforms:
            if not callable(transform):
                raise TypeError(
                    f"Compose: a transform is a callable of one item; got {transform!r}"
                )

    @property
    def batched(self) -> bool:  # type: ignore[override]
        """Whether every one of the transforms is batched."""
        return all(is_batched(transform) for transform in self.transforms)

    def __call__(self, x: Any) -> Any:
        for transform in self.transforms:
            x = transform(x)
        return x

    def batch(self, xs: Array) -> Array:
        for transform in self.transforms:
            xs = cast(Transform, transform).batch(xs)
        return xs

    def __repr__(self) -> str:
        return f"Compose({self.transforms!r})"


def is_batched(transform: Callable[[Any], Any]) -> bool:
    """Say whether a transform offers ``batch``.

    Parameters
    ----------
    transform : callable
        Any transform, a plain function too.

    Returns
    -------
    bool
        Its attribute ``batched``, False where it has none.

    Examples
    --------
    >>> from dezero.transforms import Flatten
    >>> is_batched(Flatten()), is_batched(lambda x: x)
    (True, False)
    """
    return bool(getattr(transform, "batched", False))
