"""Products of vectors, matrices and tensors on Variables, composed of matmul and einsum."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from dezero.core import Variable, implements, mul
from dezero.core.protocols import plain
from dezero.functions.linear_algebra import einsum as einsum_of
from dezero.functions.linear_algebra import matmul
from dezero.functions.shapes import unchanged
from dezero.numpy import shapes
from dezero.numpy.linalg_rules import inv
from dezero.numpy.matrices import conjugate

plain.add(np.einsum_path)


@implements(np.dot)
def dot(a: Any, b: Any) -> Variable:
    """Return the sum of products over the last axis of ``a`` and the last but one of ``b``.

    Of a vector ``b`` over its only axis; with a number it is the product of elements.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.dot(Variable(np.ones((2, 3, 4))), np.ones((5, 4, 6))).shape
    (2, 3, 5, 6)
    """
    a, b = unchanged(a), unchanged(b)
    if a.ndim == 0 or b.ndim == 0:
        return mul(a, b)
    if b.ndim > 2:
        return tensordot(a, b, (-1, -2))
    return matmul(a, b)


@implements(np.inner)
def inner(a: Any, b: Any, /) -> Variable:
    """Return the sum of products over the last axes.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.inner(Variable(np.ones((2, 3))), np.ones((4, 3))).shape
    (2, 4)
    """
    a, b = unchanged(a), unchanged(b)
    return mul(a, b) if a.ndim == 0 or b.ndim == 0 else tensordot(a, b, (-1, -1))


@implements(np.vdot)
def vdot(a: Any, b: Any, /) -> Variable:
    """Return the sum of products of all elements, those of ``a`` conjugated.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.vdot(Variable(np.ones((2, 3))), np.ones((2, 3)))
    variable(6.0)
    """
    return matmul(conjugate(_flat(a)), _flat(b))


@implements(np.outer)
def outer(a: Any, b: Any) -> Variable:
    """Return the products of every element of ``a`` with every element of ``b``, as a matrix.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.outer(Variable(np.ones(2)), np.ones((2, 2))).shape
    (2, 4)
    """
    return np.expand_dims(_flat(a), 1) * np.expand_dims(_flat(b), 0)


@implements(np.linalg.outer)
def _linalg_outer(x1: Any, x2: Any, /) -> Variable:
    """Return the products of each pair of elements of two vectors."""
    if len(np.shape(x1)) != 1 or len(np.shape(x2)) != 1:
        raise ValueError(
            f"linalg.outer: got shapes {np.shape(x1)} and {np.shape(x2)}; it wants two vectors: "
            "np.outer flattens other arrays"
        )
    return outer(x1, x2)


@implements(np.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Return the sum of products over some axes of ``a`` and as many of ``b``.

    Parameters
    ----------
    a, b : Variable or array
        Any shapes.
    axes : int or pair of (sequences of) int, default 2
        How many: the last of ``a`` and the first of ``b``. Or which of ``a``, which of ``b``.

    Raises
    ------
    ValueError
        If those axes differ in number or length.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.tensordot(Variable(np.ones((2, 3, 4))), np.ones((4, 3, 5)), ([1, 2], [1, 0])).shape
    (2, 5)
    """
    a, b = unchanged(a), unchanged(b)
    of_a, of_b = _summed_axes(axes, a.ndim, b.ndim)
    lengths = [a.shape[i] for i in of_a], [b.shape[i] for i in of_b]
    if lengths[0] != lengths[1]:
        raise ValueError(
            f"tensordot: got shapes {a.shape} and {b.shape} and axes {axes!r}; the axes summed "
            f"over must be as long in both, not {lengths[0]} and {lengths[1]}"
        )
    left = [i for i in range(a.ndim) if i not in of_a]
    right = [i for i in range(b.ndim) if i not in of_b]
    shape = [a.shape[i] for i in left] + [b.shape[i] for i in right]
    rows, columns = math.prod(shape[: len(left)]), math.prod(shape[len(left) :])
    count = math.prod(lengths[0])
    product = matmul(
        np.reshape(np.transpose(a, left + of_a), (rows, count)),
        np.reshape(np.transpose(b, of_b + right), (count, columns)),
    )
    return np.reshape(product, tuple(shape))


@implements(np.linalg.tensordot)
def _linalg_tensordot(x1: Any, x2: Any, /, *, axes: Any = 2) -> Variable:
    """Return the sum of products over axes, as ``np.tensordot``."""
    return tensordot(x1, x2, axes)


@implements(np.einsum)
def einsum(*operands: Any, optimize: Any = False) -> Variable:
    """Return the sum of products that subscripts describe, in either of NumPy's forms.

    ``optimize`` changes nothing: three or more operands are always multiplied in a good order.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> x = Variable(np.ones((2, 3)))
    >>> np.einsum("ij,kj", x, np.ones((4, 3))).shape, np.einsum(x, [0, 1], [1, 0]).shape
    ((2, 4), (3, 2))
    """
    if isinstance(operands[0], str):
        return einsum_of(operands[0], *operands[1:])
    terms = [_subscripts(axes) for axes in operands[1::2]]
    subscripts = ",".join(terms)
    if len(operands) % 2:
        subscripts += "->" + _subscripts(operands[-1])
    return einsum_of(subscripts, *operands[: 2 * len(terms) : 2])


@implements(np.linalg.matmul)
def _linalg_matmul(x1: Any, x2: Any, /) -> Variable:
    """Return the matrix product, as ``np.matmul``."""
    return matmul(x1, x2)


@implements(np.vecdot)
def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Variable:
    """Return the inner products of vectors along an axis, those of ``x1`` conjugated.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.vecdot(Variable(np.ones((2, 3))), np.ones(3))
    variable([3. 3.])
    """
    x1, x2 = _moved_last(x1, axis), _moved_last(x2, axis)
    if x1.shape[-1] != x2.shape[-1]:
        raise ValueError(
            f"vecdot: got vectors of {x1.shape[-1]} and {x2.shape[-1]} elements; they must be "
            "as long"
        )
    return einsum_of("...i,...i->...", conjugate(x1), x2)


@implements(np.linalg.vecdot)
def _linalg_vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Variable:
    """Return inner products along an axis, as ``np.vecdot``."""
    return vecdot(x1, x2, axis=axis)


def matvec(x1: Any, x2: Any, /) -> Variable:
    """Return the products of matrices with vectors; stacks broadcast.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.numpy.products import matvec
    >>> matvec(np.ones((5, 2, 3)), np.ones((5, 3))).shape
    (5, 2)
    """
    return np.squeeze(matmul(x1, np.expand_dims(unchanged(x2), -1)), -1)


def vecmat(x1: Any, x2: Any, /) -> Variable:
    """Return the products of vectors, conjugated, with matrices; stacks broadcast.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.numpy.products import vecmat
    >>> vecmat(np.ones((5, 2)), np.ones((5, 2, 3))).shape
    (5, 3)
    """
    return np.squeeze(matmul(np.expand_dims(conjugate(unchanged(x1)), -2), x2), -2)


for _name, _function in (("matvec", matvec), ("vecmat", vecmat)):
    if hasattr(np, _name):  # since NumPy 2.2
        implements(getattr(np, _name))(_function)


@implements(np.kron)
def kron(a: Any, b: Any) -> Any:
    """Return the Kronecker product: copies of ``b``, each times an element of ``a``.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.kron(Variable(np.array([1.0, 2.0])), np.ones(2))
    variable([1. 1. 2. 2.])
    """
    a, b = unchanged(a), unchanged(b)
    ndim = max(a.ndim, b.ndim)
    of_a = (1,) * (ndim - a.ndim) + a.shape
    of_b = (1,) * (ndim - b.ndim) + b.shape
    product = np.reshape(a, _interleaved(of_a, (1,) * ndim)) * np.reshape(
        b, _interleaved((1,) * ndim, of_b)
    )
    return np.reshape(product, tuple(m * n for m, n in zip(of_a, of_b, strict=True)))


@implements(np.linalg.multi_dot)
def multi_dot(arrays: Sequence[Any]) -> Variable:
    """Return the product of several matrices, in the order that needs fewest multiplications.

    The first and the last may be vectors.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.linalg.multi_dot([Variable(np.ones((2, 3))), np.ones((3, 4)), np.ones(4)])
    variable([12. 12.])
    """
    if len(arrays) < 2:
        raise ValueError(f"multi_dot: got {len(arrays)} arrays; it wants at least two")
    arrays = [unchanged(x) for x in arrays]
    rows = [1 if i == 0 and x.ndim == 1 else x.shape[0] for i, x in enumerate(arrays)]
    sizes = [*rows, 1 if arrays[-1].ndim == 1 else arrays[-1].shape[1]]
    return _product(arrays, _best_splits(sizes), 0, len(arrays) - 1)


@implements(np.linalg.matrix_power)
def matrix_power(a: Any, n: int) -> Variable:
    """Return square matrices multiplied with themselves, ``n`` of them; inverses below 0.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.linalg.matrix_power(Variable(np.diag([2.0, 3.0])), -2).data.diagonal()
    array([0.25      , 0.11111111])
    """
    if int(n) != n:
        raise TypeError(f"matrix_power: got n = {n!r}; it wants an integer")
    a = unchanged(a)
    if n == 0:
        return a * 0 + np.eye(a.shape[-1], dtype=a.dtype)
    power, n = (inv(a) if n < 0 else a), abs(int(n))
    result = None
    while n:
        n, odd = divmod(n, 2)
        if odd:
            result = power if result is None else matmul(result, power)
        if n:
            power = matmul(power, power)
    return result  # type: ignore[return-value]


@implements(np.linalg.trace)
def _linalg_trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Variable:
    """Return the sums of the diagonals of the last two axes."""
    return shapes.trace(x, offset, -2, -1, dtype)


@implements(np.linalg.diagonal)
def _linalg_diagonal(x: Any, /, *, offset: int = 0) -> Variable:
    """Return the diagonals of the last two axes."""
    return shapes.diagonal(x, offset, -2, -1)


@implements(np.linalg.matrix_transpose)
def _linalg_matrix_transpose(x: Any, /) -> Variable:
    """Return the matrices transposed, as ``np.matrix_transpose``."""
    return shapes.matrix_transpose(x)


@implements(np.cross)
def cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Variable:
    """Return the cross products of vectors of three elements along an axis.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> np.cross(Variable(np.array([1.0, 0, 0])), np.array([0.0, 1, 0]))
    variable([0. 0. 1.])
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = _moved_last(a, axisa), _moved_last(b, axisb)
    if a.shape[-1] != 3 or b.shape[-1] != 3:
        raise ValueError(
            f"cross: got vectors of {a.shape[-1]} and {b.shape[-1]} elements; it wants three: "
            "give vectors in a plane a third element 0"
        )
    after, before = [1, 2, 0], [2, 0, 1]
    product = a[..., after] * b[..., before] - a[..., before] * b[..., after]
    return np.moveaxis(product, -1, axisc)


@implements(np.linalg.cross)
def _linalg_cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Variable:
    """Return the cross products of vectors with 3 elements along an axis."""
    return cross(x1, x2, axis=axis)


def _moved_last(x: Any, axis: int) -> Any:
    x = unchanged(x)
    return x if axis % x.ndim == x.ndim - 1 else np.moveaxis(x, axis, -1)


def _flat(x: Any) -> Any:
    return np.reshape(unchanged(x), (-1,))


def _summed_axes(axes: Any, ndim_a: int, ndim_b: int) -> tuple[list[int], list[int]]:
    if isinstance(axes, int | np.integer):
        if not 0 <= axes <= min(ndim_a, ndim_b):
            raise ValueError(
                f"tensordot: got axes={axes} for inputs of {ndim_a} and {ndim_b} dimensions"
            )
        return list(range(ndim_a - int(axes), ndim_a)), list(range(int(axes)))
    chosen: Any = [[i] if isinstance(i, int | np.integer) else list(i) for i in axes]
    of_a, of_b = chosen
    if len(of_a) != len(of_b):
        raise ValueError(f"tensordot: got axes {axes!r}; it wants as many for b as for a")
    return [i % ndim_a for i in of_a], [i % ndim_b for i in of_b]


def _subscripts(axes: Sequence[Any]) -> str:
    """Return axes given as numbers as letters; ``...`` stays."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    return "".join("..." if axis is Ellipsis else letters[axis] for axis in axes)


def _interleaved(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(size for pair in zip(a, b, strict=True) for size in pair)


def _best_splits(sizes: list[int]) -> dict[tuple[int, int], int]:
    """Return where to split each product of neighbours (Cormen et al., matrix-chain order)."""
    count = len(sizes) - 1
    cost = {(i, i): 0 for i in range(count)}
    splits: dict[tuple[int, int], int] = {}
    for length in range(1, count):
        for i in range(count - length):
            j = i + length
            costs = {
                k: cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1]
                for k in range(i, j)
            }
            splits[i, j] = min(costs, key=costs.__getitem__)
            cost[i, j] = costs[splits[i, j]]
    return splits


def _product(arrays: Sequence[Any], splits: dict[tuple[int, int], int], i: int, j: int) -> Any:
    if i == j:
        return arrays[i]
    k = splits[i, j]
    return matmul(_product(arrays, splits, i, k), _product(arrays, splits, k + 1, j))
