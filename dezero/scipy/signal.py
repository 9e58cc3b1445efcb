"""``scipy.signal`` on Variables: convolution; every other name is SciPy's own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.signal

from dezero.core import Primitive, Variable

__all__ = ["convolve"]


def __getattr__(name: str) -> Any:
    return getattr(scipy.signal, name)


class _Valid(Primitive):
    """Convolution where the kernel lies inside, ``(I, D, ...)`` with ``(D, J, ...)``."""

    def forward(self, x: Any, w: Any) -> Any:
        return _convolved(x, w)

    def gx(self, gy: Any, w: Any) -> Any:
        border = [(size - 1, size - 1) for size in w.shape[2:]]
        return _valid(np.pad(gy, [(0, 0), (0, 0), *border]), _flip(_swap(w)))

    def gw(self, gy: Any, x: Any) -> Any:
        return _flip(_valid(_swap(x), _flip(gy)))


def _convolved(x: Any, w: Any) -> Any:
    if x.shape[:2] == w.shape[:2] == (1, 1):  # one signal: by FFT where that is faster
        return scipy.signal.convolve(x[0, 0], w[0, 0], "valid")[None, None]
    axes = tuple(range(2, x.ndim))
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axes)
    last = tuple(range(x.ndim, windows.ndim))
    y = np.tensordot(windows, _flip(w), ((1, *last), (0, *axes)))
    return np.moveaxis(y, -1, 1)


def _valid(x: Any, w: Any) -> Any:
    recorded = isinstance(x, Variable) or isinstance(w, Variable)
    return _Valid()(x, w) if recorded else _convolved(x, w)


def _flip(x: Any) -> Any:
    return x[(slice(None), slice(None), *(slice(None, None, -1) for _ in x.shape[2:]))]


def _swap(x: Any) -> Any:
    return np.transpose(x, (1, 0, *range(2, x.ndim)))


def convolve(
    in1: Any,
    in2: Any,
    mode: str = "full",
    method: str = "auto",
    axes: Any = None,
    dot_axes: Any = ((), ()),
) -> Any:
    r"""Return the convolution of two arrays, :math:`y_n = \sum_k a_{n-k} b_k` in each axis.

    Parameters
    ----------
    in1, in2 : Variable or array
        Of as many axes as each other, unless ``axes`` says which.
    mode : str, default "full"
        ``"full"`` for all sums, ``"same"`` for those in the middle, as many as ``in1`` has,
        ``"valid"`` for those without zeros beyond the edges.
    method : str, default "auto"
        As SciPy has it, for plain arrays; it changes no more than the last digits.
    axes : pair of sequences of int, optional
        The axes of ``in1`` and of ``in2`` to convolve along; all by default.
    dot_axes : pair of sequences of int, optional
        Axes to sum the products over, as in ``np.tensordot``. The axes that are in neither list
        come first in the result, those of ``in1`` before those of ``in2``.

    Raises
    ------
    ValueError
        If the axes of the two do not match, or neither contains the other in mode "valid".

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> from dezero.scipy.signal import convolve
    >>> x = Variable(np.array([1.0, 2.0, 3.0]))
    >>> y = convolve(x, np.array([1.0, 10.0]), mode="valid")
    >>> y
    variable([12. 23.])
    >>> y.backward()
    >>> x.grad
    variable([10. 11.  1.])
    """
    recorded = isinstance(in1, Variable) or isinstance(in2, Variable)
    if not recorded and axes is None and not len(dot_axes[0]):
        return scipy.signal.convolve(in1, in2, mode, method)
    a, b = (x if hasattr(x, "dtype") else np.asarray(x) for x in (in1, in2))
    along = [_axes(x, axes, i) for i, x in enumerate((a, b))]
    dots = [[d % x.ndim for d in dot_axes[i]] for i, x in enumerate((a, b))]
    if len(along[0]) != len(along[1]) or [a.shape[d] for d in dots[0]] != [
        b.shape[d] for d in dots[1]
    ]:
        raise ValueError(
            f"convolve: got arrays of shapes {a.shape} and {b.shape}, to be convolved along axes "
            f"{along[0]} and {along[1]}, summed over {dots[0]} and {dots[1]}; as many axes are "
            "convolved of each, and the summed axes have the same lengths"
        )
    free = [
        [i for i in range(x.ndim) if i not in (*along[n], *dots[n])] for n, x in enumerate((a, b))
    ]
    outer = [*(a.shape[i] for i in free[0]), *(b.shape[i] for i in free[1])]
    x = _grouped(a, free[0], dots[0], along[0])
    w = _grouped(b, dots[1], free[1], along[1])
    y = _by_mode(x, w, mode)
    return np.reshape(y, (*outer, *y.shape[2:]))


def _axes(x: Any, axes: Any, which: int) -> list[int]:
    return list(range(x.ndim)) if axes is None else [d % x.ndim for d in axes[which]]


def _grouped(x: Any, first: list[int], second: list[int], along: list[int]) -> Any:
    """Return ``x`` with two axes for the axes of each group, then those to convolve along."""
    shape = [math.prod(x.shape[i] for i in group) for group in (first, second)]
    x = np.transpose(x, (*first, *second, *along))
    return np.reshape(x, (*shape, *x.shape[len(first) + len(second) :]))


def _by_mode(x: Any, w: Any, mode: str) -> Any:
    sizes, kernel = x.shape[2:], w.shape[2:]
    if mode == "valid":
        if all(n >= k for n, k in zip(sizes, kernel, strict=True)):
            return _valid(x, w)
        if all(n <= k for n, k in zip(sizes, kernel, strict=True)):
            return _swap(_valid(_swap(w), _swap(x)))
        raise ValueError(
            f"convolve: mode 'valid' wants one of the two as large as the other in every axis; "
            f"got sizes {sizes} and {kernel}"
        )
    if mode == "full":
        if math.prod(kernel) > math.prod(sizes):
            return _swap(_by_mode(_swap(w), _swap(x), mode))
        border = [(k - 1, k - 1) for k in kernel]
    elif mode == "same":
        border = [(k - 1 - (k - 1) // 2, (k - 1) // 2) for k in kernel]
    else:
        raise ValueError(f"convolve: got mode {mode!r}; it wants 'full', 'same' or 'valid'")
    return _valid(np.pad(x, [(0, 0), (0, 0), *border]), w)
