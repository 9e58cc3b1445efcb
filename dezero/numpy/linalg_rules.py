"""Inverses, determinants, systems of equations on Variables: ``np.linalg``.

Sources: Giles, *An extended collection of matrix derivative results for forward and reverse mode
algorithmic differentiation* (2008); Golub and Pereyra, *The differentiation of pseudo-inverses and
nonlinear least squares problems whose variables separate* (1973).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from dezero.core import Primitive, Variable, implements
from dezero.core.shapes import sum_to
from dezero.functions.shapes import unchanged
from dezero.numpy.decompositions import _Factorisation, svdvals
from dezero.numpy.matrices import adjoint, conjugate, holds_anywhere, plain, turned


class SlogdetResult(NamedTuple):
    """Sign and logarithm of the absolute value of a determinant."""

    sign: Any
    logabsdet: Any


class Inv(Primitive):
    """The inverse; ``dY = -Y dA Y``."""

    def forward(self, x: Any) -> Any:
        """Return the inverse."""
        return np.linalg.inv(x)

    def gx(self, gy: Any, y: Any) -> Any:
        """Return ``-Y^T gY Y^T``."""
        return -np.matmul(np.matmul(turned(y), gy), turned(y))


class Solve(Primitive):
    """The solution of ``A Y = B`` for matrices ``B``."""

    def forward(self, a: Any, b: Any) -> Any:
        """Return the solution."""
        self.a_shape, self.b_shape = a.shape, b.shape
        return np.linalg.solve(a, b)

    def gradient(self, gy: Any, a: Any, y: Any) -> Any:
        """Return ``-gB Y^T`` and ``gB = A^-T gY``."""
        gb = np.linalg.solve(turned(a), gy)
        ga = sum_to(-np.matmul(gb, turned(y)), self.a_shape) if self.needs[0] else None
        return ga, sum_to(gb, self.b_shape) if self.needs[1] else None


class Det(Primitive):
    """The determinant; its gradient is the matrix of cofactors."""

    def forward(self, x: Any) -> Any:
        """Return the determinant."""
        return np.linalg.det(x)

    def gx(self, gy: Any, x: Any) -> Any:
        """Return the cofactors times ``gy``."""
        return _scalars(gy) * cofactors(x)


class Slogdet(_Factorisation):
    """Sign and logarithm of the absolute value of the determinant."""

    def forward(self, x: Any) -> Any:
        """Return sign and logarithm."""
        return tuple(np.linalg.slogdet(x))

    def gradient(self, gys: Any, x: Any, y: Any) -> Any:
        """Return ``g A^-T``; the sign of a complex determinant turns with it."""
        gsign, glog = gys
        if x.dtype.kind == "c":
            glog = glog - 1j * np.real(1j * gsign * y[0])
        return (_scalars(glog) * turned(np.linalg.inv(x)),)


class Pinv(Primitive):
    """The pseudo-inverse, at constant rank (Golub and Pereyra, 1973)."""

    def __init__(self, **tolerance: Any) -> None:
        self.tolerance = tolerance

    def forward(self, x: Any) -> Any:
        """Return the pseudo-inverse."""
        return np.linalg.pinv(x, **self.tolerance)

    def gx(self, gy: Any, x: Any, y: Any) -> Any:
        """Return the gradient of the inverse, and what two projections let through."""
        gx = -np.matmul(np.matmul(turned(y), gy), turned(y))
        adjoint_gy, y_bar, x_bar = adjoint(gy), conjugate(y), conjugate(x)
        left = np.matmul(adjoint_gy, np.matmul(y_bar, turned(y)))
        right = np.matmul(np.matmul(turned(y), y_bar), adjoint_gy)
        return (
            gx
            + (left - np.matmul(x_bar, np.matmul(y_bar, left)))
            + (right - np.matmul(np.matmul(right, y_bar), x_bar))
        )


def cofactors(x: Any) -> Any:
    r"""Return the cofactors of square matrices: :math:`\det(A) A^{-T}`, where that exists.

    Of singular and nearly singular matrices, they come from a border of two rows and columns,
    the left and right vectors of the smallest singular values. That makes a matrix :math:`M` with
    an inverse, of blocks :math:`P, Q, R, W`, and by Jacobi's identity
    :math:`\det A = \det M \det W`, whose gradient for :math:`A` is
    :math:`\det M\,(\det(W) P^T - R^T \mathrm{cof}(W) Q^T)`: exact, and so are its derivatives,
    wherever the rank is at least n - 2. Below that cofactors and their derivative are 0.
    """
    values = plain(x)
    if values.size == 0:
        return np.zeros_like(values)
    precision = np.finfo(np.result_type(values.dtype, np.float32))
    limit = precision.eps**-0.25  # second derivatives lose the square of it
    if not holds_anywhere(np.linalg.cond(values, 1) >= limit):
        return _scalars(np.linalg.det(x)) * turned(np.linalg.inv(x))
    return _bordered_cofactors(x, values)


def _bordered_cofactors(x: Any, values: Any) -> Any:
    n = values.shape[-1]
    border = min(2, n)
    u, s, vh = np.linalg.svd(values)
    largest = _scalars(s[..., 0])
    scale = np.where(largest == 0, 1, largest)
    low = n * np.finfo(s.dtype).eps * largest
    lost = _scalars(s[..., n - 3]) <= low if n > 2 else np.zeros_like(largest, bool)
    x = np.where(lost, np.matmul(u, vh) * scale, x)
    corner = np.zeros((*values.shape[:-2], border, border), values.dtype)
    above = np.concatenate([x, u[..., n - border :] * scale], axis=-1)
    below = np.concatenate([vh[..., n - border :, :] * scale, corner], axis=-1)
    bordered = np.concatenate([above, below], axis=-2)
    inverse = np.linalg.inv(bordered)
    p, q = inverse[..., :n, :n], inverse[..., :n, n:]
    r, w = inverse[..., n:, :n], inverse[..., n:, n:]
    det_w, cof_w = _small_cofactors(w)
    through = np.matmul(np.matmul(turned(r), cof_w), turned(q))
    result = _scalars(np.linalg.det(bordered)) * (_scalars(det_w) * turned(p) - through)
    return np.where(lost, 0, result)


def _small_cofactors(w: Any) -> tuple[Any, Any]:
    """Return determinant and cofactors of matrices of one or two rows, as polynomials."""
    if w.shape[-1] == 1:
        return w[..., 0, 0], np.ones_like(plain(w))
    turn = np.array([[0, 1], [-1, 0]], w.dtype)
    det = w[..., 0, 0] * w[..., 1, 1] - w[..., 0, 1] * w[..., 1, 0]
    return det, np.matmul(np.matmul(turn, w), turn.T)


@implements(np.linalg.inv)
def inv(a: Any) -> Variable:
    """Return the inverse of square matrices.

    Raises
    ------
    LinAlgError
        If a matrix is singular.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.linalg.inv(Variable(np.diag([2.0, 4.0])))
    variable([[0.5  0.  ]
              [0.   0.25]])
    """
    return Inv()(a)


@implements(np.linalg.solve)
def solve(a: Any, b: Any) -> Variable:
    """Return the solution ``x`` of ``a @ x = b``.

    Parameters
    ----------
    a : Variable or array of shape (..., n, n)
        The coefficients.
    b : Variable or array of shape (n,) or (..., n, k)
        The right sides: a vector only if it has one axis (NumPy 2's rule).

    Raises
    ------
    LinAlgError
        If a matrix is singular.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.linalg.solve(Variable(np.diag([2.0, 4.0])), np.ones(2))
    variable([0.5  0.25])
    """
    a, b = unchanged(a), unchanged(b)
    if b.ndim == 1:
        return np.squeeze(Solve()(a, np.expand_dims(b, -1)), -1)
    return Solve()(a, b)


@implements(np.linalg.det)
def det(a: Any) -> Variable:
    """Return the determinant of square matrices.

    The gradient, the matrix of cofactors, is exact for singular matrices too.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> a = Variable(np.diag([2.0, 0.0]))
    >>> y = np.linalg.det(a)
    >>> y.backward()
    >>> print(np.round(a.grad.data, 12) + 0.0)
    [[0. 0.]
     [0. 2.]]
    """
    return Det()(a)


@implements(np.linalg.slogdet)
def slogdet(a: Any) -> SlogdetResult:
    """Return the sign of the determinant and the logarithm of its absolute value.

    Raises
    ------
    LinAlgError
        In backward, if a matrix is singular: the logarithm has no derivative there.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.linalg.slogdet(Variable(np.eye(2)))
    SlogdetResult(sign=variable(1.0), logabsdet=variable(0.0))
    """
    return SlogdetResult(*Slogdet()(a))


@implements(np.linalg.pinv)
def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Variable:
    """Return the Moore-Penrose pseudo-inverse; the gradient takes the rank to be constant.

    Parameters
    ----------
    a : Variable or array of shape (..., m, n)
        The matrices.
    rcond, rtol : float, optional
        Singular values below this times the largest count as 0.
    hermitian : bool, default False
        Whether the matrices are Hermitian: the value is found faster.

    Notes
    -----
    Source: Golub and Pereyra (1973).

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.linalg.pinv(Variable(np.diag([2.0, 0.0])))
    variable([[0.5 0. ]
              [0.  0. ]])
    """
    tolerance = {} if rtol is None else {"rtol": plain(rtol)}
    if rcond is not None:
        tolerance["rcond"] = plain(rcond)
    return Pinv(hermitian=hermitian, **tolerance)(a)


@implements(np.linalg.lstsq)
def lstsq(a: Any, b: Any, rcond: float | None = None) -> tuple[Any, Any, int, Any]:
    """Return the least-squares solution, sums of squared residuals, rank and singular values.

    The solution is that of least length, ``pinv(a) @ b``; its gradient takes the rank as constant.

    Parameters
    ----------
    a : Variable or array of shape (m, n)
        The coefficients.
    b : Variable or array of shape (m,) or (m, k)
        The right sides.
    rcond : float, optional
        Singular values below this times the largest count as 0; the machine precision times the
        larger of ``m`` and ``n`` by default.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> x, *_ = np.linalg.lstsq(Variable(np.ones((2, 1))), np.array([1.0, 3.0]))
    >>> print(f"{x.item():.6f}")
    2.000000
    """
    a, b = unchanged(a), unchanged(b)
    if a.ndim != 2 or b.ndim not in (1, 2):
        raise np.linalg.LinAlgError(
            f"lstsq: got a of shape {a.shape} and b of shape {b.shape}; it wants one matrix, and "
            "a vector or matrix with as many rows"
        )
    values = plain(a)
    rows, columns = values.shape
    if rcond is None:
        rcond = np.finfo(values.dtype if values.dtype.kind in "fc" else float).eps * max(a.shape)
    elif rcond < 0:
        rcond = np.finfo(values.dtype if values.dtype.kind in "fc" else float).eps
    singular = svdvals(a)
    rank = int(np.sum(plain(singular) > rcond * np.max(plain(singular), initial=0)))
    x = np.matmul(pinv(a, rcond), b)
    residuals = np.zeros(0, plain(singular).dtype)
    if rank == columns < rows:
        difference = b - np.matmul(a, x)
        residuals = np.sum(np.real(difference * conjugate(difference)), axis=0)
        residuals = np.reshape(residuals, (-1,))
    return x, residuals, rank, singular


@implements(np.linalg.tensorsolve)
def tensorsolve(a: Any, b: Any, axes: tuple[int, ...] | None = None) -> Any:
    """Return the tensor ``x`` for which ``tensordot(a, x, x.ndim) = b``.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> a = Variable(np.eye(6).reshape(2, 3, 6))
    >>> np.linalg.tensorsolve(a, np.ones((2, 3))).shape
    (6,)
    """
    a, b = unchanged(a), unchanged(b)
    if axes is not None:
        moved = [axis % a.ndim for axis in axes]
        a = np.transpose(a, [i for i in range(a.ndim) if i not in moved] + moved)
    shape = a.shape[b.ndim - a.ndim :] if a.ndim > b.ndim else ()
    count = math.prod(shape)
    if math.prod(a.shape) != count**2 or math.prod(b.shape) != count:
        raise np.linalg.LinAlgError(
            f"tensorsolve: got a of shape {a.shape} for b of shape {b.shape}; its first axes must "
            "have as many elements as its last"
        )
    flat = solve(np.reshape(a, (count, count)), np.reshape(b, (-1,)))
    return np.reshape(flat, shape)


@implements(np.linalg.tensorinv)
def tensorinv(a: Any, ind: int = 2) -> Any:
    """Return the inverse of ``a`` as a map by :func:`numpy.tensordot` over ``ind`` axes.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.linalg.tensorinv(Variable(np.eye(6).reshape(6, 2, 3)), ind=1).shape
    (2, 3, 6)
    """
    if ind <= 0:
        raise ValueError(f"tensorinv: got ind={ind}; it wants a positive number of axes")
    a = unchanged(a)
    shape = a.shape[ind:] + a.shape[:ind]
    return np.reshape(inv(np.reshape(a, (math.prod(a.shape[:ind]), -1))), shape)


def _scalars(x: Any) -> Any:
    """Return one number for each matrix, to broadcast over its elements."""
    return np.expand_dims(x, (-2, -1))
