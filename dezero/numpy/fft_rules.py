"""Fourier transforms on Variables: ``np.fft``.

A transform is linear. Its matrix is symmetric, so the complex ones are their own transposes; the
transpose of one from real numbers to half a spectrum is one back, and the frequencies that stand
for two (all but 0 and, of an even number, the last) are weighted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from dezero.core import Primitive, Variable, implements
from dezero.functions.shapes import concatenate, unchanged
from dezero.numpy.matrices import conjugate

_OTHER_NORM = {None: "forward", "backward": "forward", "ortho": "ortho", "forward": "backward"}


class _Transform(Primitive):
    """A Fourier transform along one axis, of inputs that have the right length."""

    _linear: ClassVar[bool] = True

    def __init__(self, n: int, axis: int, norm: Any) -> None:
        self.n = n
        self.axis = axis
        self.norm = norm

    @property
    def back(self) -> dict[str, Any]:
        """The arguments of the transform back, scaled as this one."""
        return {"n": self.n, "axis": self.axis, "norm": _OTHER_NORM[self.norm]}


class FFT(_Transform):
    """The discrete Fourier transform."""

    def forward(self, x: Any) -> Any:
        """Return the spectrum."""
        return np.fft.fft(x, self.n, self.axis, self.norm)

    def gx(self, gy: Any) -> Any:
        """_Transform again: the matrix is symmetric."""
        return np.fft.fft(gy, self.n, self.axis, self.norm)


class IFFT(_Transform):
    """The inverse of :class:`FFT`."""

    def forward(self, x: Any) -> Any:
        """Return the values that have this spectrum."""
        return np.fft.ifft(x, self.n, self.axis, self.norm)

    def gx(self, gy: Any) -> Any:
        """_Transform again: the matrix is symmetric."""
        return np.fft.ifft(gy, self.n, self.axis, self.norm)


class RFFT(_Transform):
    """Half of the spectrum of real numbers, which has the rest."""

    def forward(self, x: Any) -> Any:
        """Return the first ``n // 2 + 1`` frequencies."""
        return np.fft.rfft(x, self.n, self.axis, self.norm)

    def gx(self, gy: Any) -> Any:
        """Return the real part of the transform of ``gy``, as a transform back."""
        weighted = conjugate(gy) / _weights(self.n, self.axis, gy)
        return np.fft.irfft(weighted, **self.back)


class IRFFT(_Transform):
    """The ``n`` real numbers that have this half of a spectrum."""

    def forward(self, x: Any) -> Any:
        """Return the real numbers."""
        return np.fft.irfft(x, self.n, self.axis, self.norm)

    def gx(self, gy: Any) -> Any:
        """Return half of the spectrum of ``gy``, conjugated, with the doubled frequencies."""
        return conjugate(np.fft.rfft(gy, **self.back)) * _weights(self.n, self.axis, gy)


def _weights(n: int, axis: int, like: Any) -> Any:
    """Return 2 for frequencies that stand for their mirror image too, 1 for the others."""
    weights = np.full(n // 2 + 1, 2, _real(like))
    weights[0] = 1
    if n % 2 == 0:
        weights[-1] = 1
    return weights.reshape((-1,) + (1,) * (like.ndim - 1 - axis % like.ndim))


def _real(x: Any) -> Any:
    """Return the type of the real part."""
    return np.finfo(x.dtype).dtype


def _transform(
    kind: type[_Transform], x: Any, n: int | None, axis: int, norm: str | None
) -> Variable:
    """Cut or pad ``x`` with zeros along ``axis``, then transform."""
    if norm not in _OTHER_NORM:
        raise ValueError(
            f"fft: got norm {norm!r}; it wants 'backward', 'ortho', 'forward' or None"
        )
    x = unchanged(x)
    if not -x.ndim <= axis < x.ndim:
        raise np.exceptions.AxisError(axis, x.ndim)
    length = x.shape[axis]
    if n is None:
        n = 2 * (length - 1) if kind is IRFFT else length
    if n < 1:
        raise ValueError(f"fft: got {n} points; it wants at least one")
    return kind(n, axis, norm)(_fitted(x, n // 2 + 1 if kind is IRFFT else n, axis))


def _fitted(x: Any, n: int, axis: int) -> Any:
    length = x.shape[axis]
    if length > n:
        return x[(slice(None),) * (axis % x.ndim) + (slice(n),)]
    if length < n:
        shape = list(x.shape)
        shape[axis] = n - length
        return concatenate([x, np.zeros(shape, x.dtype)], axis % x.ndim)
    return x


@implements(np.fft.fft)
def fft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Variable:
    """Return the discrete Fourier transform along an axis, as ``np.fft.fft``.

    Parameters
    ----------
    a : Variable or array
        Real or complex.
    n : int, optional
        The number of points: ``a`` is cut or padded with zeros.
    axis : int, default -1
        Along which axis.
    norm : {"backward", "ortho", "forward"}, optional
        Which direction is scaled.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.fft.fft(Variable(np.array([1.0, 0.0])))
    variable([1.+0.j 1.+0.j])
    """
    return _transform(FFT, a, n, axis, norm)


@implements(np.fft.ifft)
def ifft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Variable:
    """Return the inverse discrete Fourier transform along an axis; see :func:`fft`."""
    return _transform(IFFT, a, n, axis, norm)


@implements(np.fft.rfft)
def rfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Variable:
    """Return the half spectrum of real numbers along an axis; see :func:`fft`.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.fft.rfft(Variable(np.ones(5))).shape
    (3,)
    """
    return _transform(RFFT, a, n, axis, norm)


@implements(np.fft.irfft)
def irfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Variable:
    """Return the ``n`` real numbers of a half spectrum along an axis; see :func:`fft`.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.fft.irfft(Variable(np.ones(3)), 5).shape
    (5,)
    """
    return _transform(IRFFT, a, n, axis, norm)


@implements(np.fft.hfft)
def hfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Variable:
    """Return the real spectrum of values with Hermitian symmetry; see :func:`fft`."""
    return irfft(conjugate(unchanged(a)), n, axis, _other(norm))


@implements(np.fft.ihfft)
def ihfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Variable:
    """Return half of the values whose spectrum is real; see :func:`fft`."""
    return conjugate(rfft(a, n, axis, _other(norm)))


def _other(norm: str | None) -> str | None:
    return _OTHER_NORM.get(norm, norm)


@implements(np.fft.fftn)
def fftn(a: Any, s: Any = None, axes: Any = None, norm: str | None = None) -> Variable:
    """Return the Fourier transform along several axes, all by default; see :func:`fft`.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.fft.fftn(Variable(np.ones((2, 3)))).data[0, 0]
    np.complex128(6+0j)
    """
    return _along_axes(fft, a, s, axes, norm)


@implements(np.fft.ifftn)
def ifftn(a: Any, s: Any = None, axes: Any = None, norm: str | None = None) -> Variable:
    """Return the inverse Fourier transform along several axes; see :func:`fftn`."""
    return _along_axes(ifft, a, s, axes, norm)


@implements(np.fft.fft2)
def fft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: str | None = None) -> Variable:
    """Return the Fourier transform along two axes; see :func:`fftn`."""
    return fftn(a, s, axes, norm)


@implements(np.fft.ifft2)
def ifft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: str | None = None) -> Variable:
    """Return the inverse Fourier transform along two axes; see :func:`fftn`."""
    return ifftn(a, s, axes, norm)


@implements(np.fft.rfftn)
def rfftn(a: Any, s: Any = None, axes: Any = None, norm: str | None = None) -> Variable:
    """Return the spectrum of real numbers along several axes, half of the last; see :func:`rfft`.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.fft.rfftn(Variable(np.ones((2, 4)))).shape
    (2, 3)
    """
    a = unchanged(a)
    *others, (n, axis) = _lengths(a, s, axes)
    y = rfft(a, n, axis, norm)
    for n, axis in reversed(others):
        y = fft(y, n, axis, norm)
    return y


@implements(np.fft.irfftn)
def irfftn(a: Any, s: Any = None, axes: Any = None, norm: str | None = None) -> Variable:
    """Return the real numbers of a spectrum along several axes, half of the last.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.fft.irfftn(Variable(np.ones((2, 3)))).shape
    (2, 4)
    """
    y = unchanged(a)
    *others, (n, axis) = _lengths(y, s, axes)
    for m, other in others:
        y = ifft(y, m, other, norm)
    return irfft(y, None if s is None else n, axis, norm)


@implements(np.fft.rfft2)
def rfft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: str | None = None) -> Variable:
    """Return the spectrum of real numbers along two axes; see :func:`rfftn`."""
    return rfftn(a, s, axes, norm)


@implements(np.fft.irfft2)
def irfft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: str | None = None) -> Variable:
    """Return the real numbers of a spectrum along two axes; see :func:`irfftn`."""
    return irfftn(a, s, axes, norm)


@implements(np.fft.fftshift)
def fftshift(x: Any, axes: Any = None) -> Variable:
    """Return a spectrum with frequency 0 moved from the start of axes to the middle.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.fft.fftshift(Variable(np.arange(5.0)))
    variable([3. 4. 0. 1. 2.])
    """
    return _shifted(x, axes, lambda n: n // 2)


@implements(np.fft.ifftshift)
def ifftshift(x: Any, axes: Any = None) -> Variable:
    """Undo :func:`fftshift`."""
    return _shifted(x, axes, lambda n: n - n // 2)


def _shifted(x: Any, axes: Any, steps: Callable[[int], int]) -> Variable:
    x = unchanged(x)
    if axes is None:
        axes = range(x.ndim)
    for axis in [axes] if isinstance(axes, int | np.integer) else axes:
        n = x.shape[axis]
        order = (np.arange(n) - steps(n)) % max(n, 1)
        before = (slice(None),) * (axis % x.ndim)
        x = x[(*before, order)]
    return x


def _along_axes(
    transform: Callable[..., Any], a: Any, s: Any, axes: Any, norm: str | None
) -> Variable:
    a = unchanged(a)
    for n, axis in reversed(_lengths(a, s, axes)):
        a = transform(a, n, axis, norm)
    return a


def _lengths(a: Any, s: Any, axes: Any) -> list[tuple[int, int]]:
    """Return the number of points and the axis of each transform."""
    if axes is None:
        axes = range(a.ndim) if s is None else range(-len(s), 0)
    lengths = [-1] * len(axes) if s is None else list(s)
    if len(lengths) != len(axes):
        raise ValueError(f"fft: got {len(lengths)} lengths s for {len(axes)} axes")
    pairs = zip(lengths, axes, strict=True)
    return [(a.shape[axis] if n == -1 else n, axis) for n, axis in pairs]
