"""Factorisations on Variables: Cholesky, QR, eigenvalues, singular values.

Gradients inside the engine are plain products of derivatives, so the rules transpose without
conjugating; ``adjoint`` stands only where a formula's conjugate transpose remains.

Vectors of a factorisation are fixed up to a phase (real: a sign), and up to a rotation where
values repeat. Gradients are those of results that do not depend on that choice. Where a repeated
value would make the gradient infinite because the result does depend on it, an error says so.

Sources: Giles, *An extended collection of matrix derivative results for forward and reverse mode
algorithmic differentiation* (2008); Ionescu, Vantzos and Sminchisescu, *Matrix backpropagation for
deep networks with structured layers* (2015); Murray, *Differentiation of the Cholesky
decomposition* (2016); Seeger, Hetzel, Dai, Meissner and Lawrence, *Auto-differentiating linear
algebra* (2017).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from dezero.core import Primitive, Variable, implements
from dezero.core.function import Output, attached
from dezero.functions.shapes import unchanged
from dezero.numpy.gaps import off_diagonal_ratio, ratio, settled, size_of
from dezero.numpy.matrices import (
    adjoint,
    as_column,
    as_row,
    conjugate,
    diagonal_mask,
    hermitian,
    lower_half,
    turned,
)


class EigResult(NamedTuple):
    """Eigenvalues ``(..., n)`` and, in columns, eigenvectors ``(..., n, n)``."""

    eigenvalues: Any
    eigenvectors: Any


class QRResult(NamedTuple):
    """The factors of ``A = Q R``."""

    Q: Any
    R: Any


class SVDResult(NamedTuple):
    """The factors of ``A = U diag(S) Vh``."""

    U: Any
    S: Any
    Vh: Any


class _Factorisation(Primitive):
    """A function of several outputs whose rule reads them: ``y`` is their tuple."""

    def _variable_of(self, index: int, array: Any) -> Any:
        if index < len(self._edges):
            return super()._variable_of(index, array)
        return tuple(attached(part, Output(self, i, part)) for i, part in enumerate(array))


class Cholesky(Primitive):
    """The lower triangular ``L`` of ``A = L L^H``; the gradient is Hermitian (Murray, 2016)."""

    def forward(self, x: Any) -> Any:
        """Return ``L``, from the lower triangle of ``x``."""
        return np.linalg.cholesky(x)

    def gx(self, gy: Any, y: Any) -> Any:
        """Return the Hermitian part of ``L^-T P conj(L)^-1``, ``P`` a triangle of ``L^T gL``."""
        half = lower_half(np.matmul(turned(y), gy))
        left = np.linalg.solve(turned(y), half)
        return hermitian(turned(np.linalg.solve(adjoint(y), turned(left))))


class QR(_Factorisation):
    """``A = Q R`` of a matrix with no more columns than rows."""

    def __init__(self, mode: Any) -> None:
        self.mode = mode

    def forward(self, x: Any) -> Any:
        """Return ``Q`` and ``R``."""
        return tuple(np.linalg.qr(x, self.mode))

    def gradient(self, gys: Any, y: Any) -> Any:
        """Return the gradient: ``Q`` turns, ``R`` stays upper triangular."""
        (gq, gr), (q, r) = gys, y
        columns = r.shape[-1]
        gq, q = _first_columns(gq, q, columns)
        gr, r = gr[..., :columns, :], r[..., :columns, :]
        stretched, turn = np.matmul(gr, turned(r)), np.matmul(turned(q), gq)
        apart = turn - stretched
        inner = stretched + lower_half(apart - adjoint(apart)) - turn
        outer = gq + np.matmul(conjugate(q), inner)
        return (turned(np.linalg.solve(r, turned(outer))),)


class Eigh(_Factorisation):
    """Eigenvalues and eigenvectors of Hermitian matrices; the gradient is Hermitian."""

    def __init__(self, UPLO: Any) -> None:
        self.UPLO = UPLO

    def forward(self, x: Any) -> Any:
        """Return eigenvalues, ascending, and eigenvectors."""
        return tuple(np.linalg.eigh(x, self.UPLO))

    def gradient(self, gys: Any, y: Any) -> Any:
        """Return ``conj(V) (diag(gw) + F * skew(V^T gV)) V^T``, ``F`` one over the gaps."""
        (gw, gv), (w, v) = gys, y
        v = settled("eigh", v, w, gw, gv)
        turn = np.matmul(turned(v), gv)
        skew = (turn - adjoint(turn)) / 2
        inner = off_diagonal_ratio("eigh", skew, as_row(w) - as_column(w), turn, w)
        inner = np.where(diagonal_mask(w.shape[-1]), as_row(gw), inner)
        return (np.matmul(np.matmul(conjugate(v), inner), turned(v)),)


class Eig(_Factorisation):
    """Eigenvalues and eigenvectors of square matrices; the vectors have length 1."""

    def forward(self, x: Any) -> Any:
        """Return eigenvalues and eigenvectors."""
        return tuple(np.linalg.eig(x))

    def gradient(self, gys: Any, y: Any) -> Any:
        """Return ``V^-T (diag(gw) + F * J) V^T``; ``J`` leaves out what only changes lengths."""
        (gw, gv), (w, v) = gys, y
        v = settled("eig", v, w, gw, gv)
        turn = np.matmul(turned(v), gv)
        along = np.sum(gv * v, axis=-2)
        across = turn - np.matmul(turned(v), conjugate(v)) * as_row(along)
        inner = off_diagonal_ratio("eig", across, as_row(w) - as_column(w), turn, w)
        inner = np.where(diagonal_mask(w.shape[-1]), as_row(gw), inner)
        return (np.linalg.solve(turned(v), np.matmul(inner, turned(v))),)


class SVD(_Factorisation):
    """Singular values and vectors, ``A = U diag(S) Vh``."""

    def __init__(self, full_matrices: bool) -> None:
        self.full_matrices = full_matrices

    def forward(self, x: Any) -> Any:
        """Return ``U``, ``S``, descending, and ``Vh``."""
        return tuple(np.linalg.svd(x, self.full_matrices))

    def gradient(self, gys: Any, y: Any) -> Any:
        """Return the gradient: what turns ``U`` and ``V`` together, and against each other.

        For a pair of values the first part has the difference below, the second the sum: so
        the polar factor ``U Vh`` has a gradient where values repeat.
        """
        (gu, gs, gvh), (u, s, vh) = gys, y
        count = s.shape[-1]
        u, vh = (settled("svd", x, s, gs, gu, gvh) for x in (u, vh))
        gu, u = _first_columns(gu, u, count)
        gv, v = _first_columns(adjoint(gvh), adjoint(vh), count)
        turn_u, turn_v = np.matmul(turned(u), gu), np.matmul(turned(v), gv)
        skew_u, skew_v = turn_u - adjoint(turn_u), turn_v - adjoint(turn_v)
        size = size_of(turn_u) + size_of(turn_v)
        together = off_diagonal_ratio(
            "svd", skew_u + skew_v, 2 * (as_row(s) - as_column(s)), size, s
        )
        against = ratio("svd", skew_u - skew_v, 2 * (as_row(s) + as_column(s)), size, s)
        inner = np.where(diagonal_mask(count), as_row(gs) + against, together + against)
        gx = np.matmul(np.matmul(conjugate(u), inner), turned(v))
        if u.shape[-2] > count:
            outside = gu - np.matmul(conjugate(u), turn_u)
            gx = gx + np.matmul(ratio("svd", outside, as_row(s), gu, s), turned(v))
        if v.shape[-2] > count:
            outside = gv - np.matmul(conjugate(v), turn_v)
            gx = gx + np.matmul(conjugate(u), adjoint(ratio("svd", outside, as_row(s), gv, s)))
        return (gx,)


@implements(np.linalg.cholesky)
def cholesky(a: Any, /, *, upper: bool = False) -> Variable:
    r"""Return the triangular factor of Hermitian positive definite matrices.

    Lower, :math:`A = L L^H`, from the lower triangle of ``a``; with ``upper=True`` the upper one,
    :math:`A = U^H U`, from the upper triangle. The gradient is Hermitian.

    Parameters
    ----------
    a : Variable or array of shape (..., n, n)
        The matrices.
    upper : bool, default False
        Which factor.

    Raises
    ------
    LinAlgError
        If a matrix is not positive definite.

    Notes
    -----
    Source: Murray, *Differentiation of the Cholesky decomposition* (2016).

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.linalg.cholesky(Variable(np.diag([4.0, 9.0])))
    variable([[2. 0.]
              [0. 3.]])
    """
    return adjoint(Cholesky()(adjoint(unchanged(a)))) if upper else Cholesky()(a)


@implements(np.linalg.qr)
def qr(a: Any, mode: str = "reduced") -> Any:
    """Return ``Q``, of orthonormal columns, and upper triangular ``R`` of ``a = Q R``.

    Of a wide matrix the leading square part must have full rank; of a tall one all columns.

    Parameters
    ----------
    a : Variable or array of shape (..., m, n)
        The matrices.
    mode : {"reduced", "complete", "r"}
        ``Q`` with ``min(m, n)`` columns, with ``m``, or ``R`` alone. Results must not depend on
        the choice of the columns that ``"complete"`` adds.

    Raises
    ------
    LinAlgError
        In backward, if ``R`` is singular.

    Notes
    -----
    Source: Seeger et al., *Auto-differentiating linear algebra* (2017).

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> q, r = np.linalg.qr(Variable(np.ones((3, 2)) + np.eye(3, 2)))
    >>> q.shape, r.shape
    ((3, 2), (2, 2))
    """
    if mode not in ("reduced", "complete", "r"):
        raise TypeError(
            f"qr: mode {mode!r} has no gradient rule; it wants 'reduced', 'complete' or 'r'"
        )
    a = unchanged(a)
    rows, columns = a.shape[-2:]
    square = QR("reduced" if mode == "r" else mode)
    if columns <= rows:
        q, r = square(a)
    else:
        q, r = square(a[..., :rows])
        r = np.concatenate([r, np.matmul(adjoint(q), a[..., rows:])], axis=-1)
    return r if mode == "r" else QRResult(q, r)


@implements(np.linalg.eigh)
def eigh(a: Any, UPLO: str = "L") -> EigResult:
    r"""Return eigenvalues and eigenvectors of Hermitian (real: symmetric) matrices.

    :math:`A V = V \mathrm{diag}(w)`. The gradient is Hermitian. Where eigenvalues repeat it is
    finite for results that do not depend on which vectors were chosen, such as sums of all of
    them; for others backward raises.

    Parameters
    ----------
    a : Variable or array of shape (..., n, n)
        The matrices; one triangle is read.
    UPLO : {"L", "U"}
        Which.

    Raises
    ------
    LinAlgError
        In backward, where a repeated eigenvalue leaves the gradient undefined.

    Notes
    -----
    Source: Giles (2008), section 3.1.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.linalg.eigh(Variable(np.diag([2.0, 1.0]))).eigenvalues
    variable([1. 2.])
    """
    return EigResult(*Eigh(UPLO)(a))


@implements(np.linalg.eigvalsh)
def eigvalsh(a: Any, UPLO: str = "L") -> Variable:
    """Return the eigenvalues of Hermitian matrices, ascending; see :func:`eigh`.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.linalg.eigvalsh(Variable(np.diag([2.0, 1.0])))
    variable([1. 2.])
    """
    return eigh(a, UPLO).eigenvalues


@implements(np.linalg.eig)
def eig(a: Any) -> EigResult:
    """Return eigenvalues and eigenvectors, of length 1, of square matrices.

    Complex wherever NumPy's are. Gradients are those of results that do not depend on the phase of
    complex eigenvectors.

    Raises
    ------
    LinAlgError
        In backward, where eigenvectors are not independent, or a repeated eigenvalue leaves the
        gradient undefined.

    Notes
    -----
    Source: Giles (2008), section 3.1; the length as in Seeger et al. (2017).

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.real(np.linalg.eig(Variable(np.array([[2.0, 1.0], [0.0, 1.0]]))).eigenvalues)
    variable([2. 1.])
    """
    return EigResult(*Eig()(a))


@implements(np.linalg.eigvals)
def eigvals(a: Any) -> Variable:
    """Return the eigenvalues of square matrices; see :func:`eig`.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.real(np.linalg.eigvals(Variable(np.array([[2.0, 1.0], [0.0, 1.0]]))))
    variable([2. 1.])
    """
    return eig(a).eigenvalues


@implements(np.linalg.svd)
def svd(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    r"""Return singular values and vectors: :math:`A = U \mathrm{diag}(S) V^H`.

    Where values repeat, or are 0, the gradient is finite for results that do not depend on which
    vectors were chosen; for others backward raises. So is that of the columns that
    ``full_matrices`` adds.

    Parameters
    ----------
    a : Variable or array of shape (..., m, n)
        The matrices.
    full_matrices : bool, default True
        Whether ``U`` and ``Vh`` are square.
    compute_uv : bool, default True
        Whether to return all three, or the singular values alone.
    hermitian : bool, default False
        Taken for singular values alone, where it changes nothing.

    Raises
    ------
    LinAlgError
        In backward, where repeated singular values leave the gradient undefined.

    Notes
    -----
    Source: Giles (2008), section 3.2; Ionescu et al. (2015).

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.linalg.svd(Variable(np.diag([1.0, 2.0])), compute_uv=False)
    variable([2. 1.])
    """
    if not compute_uv:
        return SVD(False)(a)[1]
    if hermitian:
        raise TypeError("svd: hermitian=True has no gradient rule for vectors; use np.linalg.eigh")
    return SVDResult(*SVD(full_matrices)(a))


@implements(np.linalg.svdvals)
def svdvals(x: Any, /) -> Variable:
    """Return the singular values, descending; see :func:`svd`.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.linalg.svdvals(Variable(np.diag([1.0, 2.0])))
    variable([2. 1.])
    """
    return svd(x, compute_uv=False)


def _first_columns(gq: Any, q: Any, count: int) -> tuple[Any, Any]:
    """Return gradient and value of the first columns; the others, orthogonal to them, follow."""
    if q.shape[-1] == count:
        return gq, q
    first, rest = q[..., :count], q[..., count:]
    follow = np.matmul(adjoint(gq[..., count:]), conjugate(first))
    return gq[..., :count] - np.matmul(conjugate(rest), follow), first
