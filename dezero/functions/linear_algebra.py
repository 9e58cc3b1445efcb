"""Products of matrices: matmul, linear, einsum."""

from __future__ import annotations

import math
import string
from typing import Any

import numpy as np

from dezero.core import Primitive, Variable, Variadic, implements, mul
from dezero.core.shapes import sum_to
from dezero.kernels.products import affine, product
from dezero.kernels.reductions import sum_rows


class MatMul(Primitive):
    """The matrix product, with ``np.matmul``'s rules for vectors and stacks of matrices."""

    def forward(self, x: Any, W: Any) -> Any:
        """Return ``x @ W``."""
        self.x_shape, self.W_shape = _shape(x), _shape(W)
        self.x_lies, self.W_lies = _lies(x), _lies(W)
        check_matmul("matmul", self.x_shape, self.W_shape)
        if len(self.W_shape) == 2 and len(self.x_shape) > 2:  # one product instead of a stack
            y = product(_rows(x), W)
            return y.reshape(*x.shape[:-1], W.shape[-1])
        return product(x, W)

    def gx(self, gy: Any, W: Any) -> Any:
        """Return ``gy @ W.T`` in the shape of ``x``."""
        if len(self.W_shape) == 1:
            gx = np.expand_dims(gy, -1) * W
        elif len(self.x_shape) == 1:
            gx = np.squeeze(product(np.expand_dims(gy, -2), _turned(W)), -2)
        elif self.x_lies:
            gx = _turned(product(W, _turned(gy)))
        else:
            gx = product(gy, _turned(W))
        return sum_to(gx, self.x_shape)

    def gW(self, gy: Any, x: Any) -> Any:
        """Return ``x.T @ gy`` in the shape of ``W``."""
        if len(self.x_shape) == 1:
            gW = np.expand_dims(x, -1) * (np.expand_dims(gy, -2) if len(self.W_shape) > 1 else gy)
            gW = gW if len(self.W_shape) > 1 else np.squeeze(gW, -1) if gW.ndim > 1 else gW
        elif len(self.W_shape) == 1:
            gW = np.squeeze(product(_turned(x), np.expand_dims(gy, -1)), -1)
        elif self.W_lies:
            gW = _turned(product(_turned(_rows(gy)), _rows(x)))
        elif len(self.W_shape) == 2:
            gW = product(_rows(x).T, _rows(gy))
        else:
            gW = product(_turned(x), gy)
        return sum_to(gW, self.W_shape)


class Linear(Primitive):
    """The affine map ``x @ W + b`` of the rows of ``x``."""

    def forward(self, x: Any, W: Any, b: Any) -> Any:
        """Return ``x @ W + b``."""
        check_linear(x, W, b)
        self.b_shape = np.shape(b)
        y = product(_rows(x), W) if b is None else affine(_rows(x), W, b)
        return y.reshape(*x.shape[:-1], W.shape[1])

    def gx(self, gy: Any, W: Any) -> Any:
        """Return ``gy @ W.T``."""
        return np.reshape(product(_rows(gy), W.T), (*gy.shape[:-1], W.shape[0]))

    def gW(self, gy: Any, x: Any) -> Any:
        """Return ``x.T @ gy``."""
        return product(_rows(x).T, _rows(gy))

    def gb(self, gy: Any) -> Any:
        """Return the sum of ``gy`` over the rows."""
        if self.b_shape == gy.shape[-1:]:
            return sum_rows(gy)
        return np.reshape(sum_to(_rows(gy), (1, *self.b_shape)[-2:]), self.b_shape)


class Einsum(Variadic):
    """Einstein summation; the gradient for an operand is an einsum of the others and ``gy``."""

    def __init__(self, inputs: list[str], output: str) -> None:
        self.inputs_labels = inputs
        self.output_labels = output

    def forward(self, *xs: Any) -> Any:
        """Return the sum of products."""
        self.shapes = [x.shape for x in xs]
        subscripts = f"{','.join(self.inputs_labels)}->{self.output_labels}"
        return np.einsum(subscripts, *xs, optimize=len(xs) > 2)

    def gradient(self, gy: Any, xs: Any) -> Any:
        """Return, for each operand, the einsum in which ``gy`` takes its place."""
        return tuple(
            self._gradient_of(i, gy, xs) if need else None for i, need in enumerate(self.needs)
        )

    def _gradient_of(self, i: int, gy: Any, xs: Any) -> Any:
        labels, shape = self.inputs_labels[i], self.shapes[i]
        others = [
            (t, x) for j, (t, x) in enumerate(zip(self.inputs_labels, xs, strict=True)) if j != i
        ]
        known = set(self.output_labels).union(*(t for t, _ in others))
        ones = [  # a label of this operand alone was summed over: its gradient repeats along it
            (label, np.ones_like(gy, shape=size))
            for label, size in zip(labels, shape, strict=True)
            if label not in known
        ]
        terms = [(self.output_labels, gy), *others, *ones]
        sizes = self._sizes()
        full = tuple(sizes[label] for label in labels)
        subscripts = f"{','.join(t for t, _ in terms)}->{labels}"
        gx = np.einsum(subscripts, *(x for _, x in terms))
        return sum_to(np.broadcast_to(gx, full), shape)

    def _sizes(self) -> dict[str, int]:
        sizes: dict[str, int] = {}
        for labels, shape in zip(self.inputs_labels, self.shapes, strict=True):
            for label, size in zip(labels, shape, strict=True):
                sizes[label] = max(sizes.get(label, 1), size) if size != 0 else 0
        return sizes


@implements(np.matmul)
def matmul(x: Any, W: Any) -> Variable:
    """Return the matrix product ``x @ W``, by ``np.matmul``'s rules.

    Parameters
    ----------
    x : Variable or array of shape (..., n) or (n,)
        A vector, a matrix or a stack of matrices.
    W : Variable or array of shape (n, m), (n,) or (..., n, m)
        Likewise; stacks broadcast.

    Raises
    ------
    ValueError
        If the inner lengths differ.

    Notes
    -----
    Source: step 41 of the book, which has the case of two matrices.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.matmul(np.ones((2, 3)), np.ones((3, 4))).shape
    (2, 4)
    """
    return MatMul()(x, W)


def dot(a: Any, b: Any) -> Variable:
    """Return the product of two vectors or matrices, or of an array with a number.

    Raises
    ------
    ValueError
        If an array has more than two dimensions: use :func:`matmul` or :func:`einsum`.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.dot(np.ones(3), np.ones(3))
    variable(3.0)
    """
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return mul(a, b)
    if np.ndim(b) > 2:
        raise ValueError(f"dot: got shapes {_shape(a)} and {_shape(b)}; use matmul or einsum")
    return matmul(a, b)


def linear(x: Any, W: Any, b: Any = None) -> Variable:
    """Return ``x @ W + b``: a layer of neurons.

    Parameters
    ----------
    x : Variable or array of shape (..., in)
        Rows of features.
    W : Variable or array of shape (in, out)
        Weights.
    b : Variable or array of shape (out,), optional
        Bias.

    Returns
    -------
    Variable of shape (..., out)

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Notes
    -----
    Source: step 43 of the book.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.linear(np.ones((1, 2)), np.ones((2, 3)), np.ones(3))
    variable([[3. 3. 3.]])
    """
    return Linear()(x, W, b)


def linear_simple(x: Any, W: Any, b: Any = None) -> Variable:
    """Return ``x @ W + b`` composed of matmul and add (step 43 of the book).

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.linear_simple(np.ones((1, 2)), np.ones((2, 3)))
    variable([[2. 2. 2.]])
    """
    y = matmul(x, W)
    return y if b is None else y + b


def einsum(subscripts: str, *operands: Any) -> Variable:
    r"""Return the sum of products that ``subscripts`` describe, as ``np.einsum``.

    Parameters
    ----------
    subscripts : str
        Labels of the axes, ``"ij,jk->ik"``; without ``->`` the labels that occur once, sorted.
        An ellipsis stands for leading axes that broadcast.
    *operands : Variable or array
        One for each group of labels.

    Raises
    ------
    ValueError
        If the subscripts do not fit the operands.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.einsum("ij,jk->ik", np.ones((2, 3)), np.ones((3, 4))).shape
    (2, 4)
    """
    inputs, output = _parse(subscripts, [len(_shape(x)) for x in operands])
    xs = list(operands)
    for i, labels in enumerate(inputs):
        xs[i], inputs[i] = _diagonal(xs[i], labels)
    return Einsum(inputs, output)(*xs)


def check_matmul(name: str, x: tuple[int, ...], W: tuple[int, ...]) -> None:
    """Raise ValueError unless ``np.matmul`` takes these shapes."""
    if len(x) == 0 or len(W) == 0:
        raise ValueError(f"{name}: got shapes {x} and {W}; for a number write x * W")
    if x[-1] != W[-2 if len(W) > 1 else 0]:
        raise ValueError(
            f"{name}: got shapes {x} and {W}; the last axis of x ({x[-1]}) must be as long as the "
            f"{'next to last' if len(W) > 1 else 'only'} axis of W ({W[-2 if len(W) > 1 else 0]})"
        )


def check_linear(x: Any, W: Any, b: Any) -> None:
    """Raise ValueError unless ``x @ W + b`` is a layer."""
    if W.ndim != 2 or x.ndim < 2 or x.shape[-1] != W.shape[0]:
        raise ValueError(
            f"linear: got x of shape {x.shape} and W of shape {W.shape}; it wants x (..., in) "
            "of at least two axes and W (in, out)"
        )
    if b is not None and b.shape not in ((W.shape[1],), (1, W.shape[1]), (1,)):
        raise ValueError(
            f"linear: got b of shape {b.shape}; for W {W.shape} it wants ({W.shape[1]},)"
        )


def _shape(x: Any) -> tuple[int, ...]:
    return tuple(np.shape(x))


def _turned(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


def _lies(x: Any) -> bool:
    """Whether ``x`` is a matrix that lies in memory as its transpose.

    Its gradient shall lie so too: it is turned back on the way, and a sum of arrays that lie
    crosswise takes several times as long.
    """
    return type(x) is np.ndarray and x.ndim == 2 and x.flags.fnc


def _rows(x: Any) -> Any:
    """Return ``x`` as a matrix: all axes but the last made one."""
    return x if len(x.shape) == 2 else np.reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))


def _parse(subscripts: str, ndims: list[int]) -> tuple[list[str], str]:
    """Return the labels of each operand and of the result, ellipses spelled out."""
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    groups = left.split(",")
    if len(groups) != len(ndims):
        raise ValueError(
            f"einsum: {subscripts!r} names {len(groups)} operands, but got {len(ndims)}"
        )
    free = [c for c in string.ascii_letters if c not in subscripts]
    widths = [n - len(g.replace("...", "")) for g, n in zip(groups, ndims, strict=True)]
    for group, width in zip(groups, widths, strict=True):
        if width < 0 or (width > 0 and "..." not in group):
            raise ValueError(f"einsum: labels {group!r} do not fit an operand of other dimensions")
    dots = "".join(free[: max(widths, default=0)])
    inputs = [g.replace("...", dots[len(dots) - w :]) for g, w in zip(groups, widths, strict=True)]
    if arrow:
        return inputs, right.replace("...", dots)
    joined = "".join(inputs)
    once = [c for c in sorted(set(joined) - set(dots)) if joined.count(c) == 1]
    return inputs, dots + "".join(once)


def _diagonal(x: Any, labels: str) -> tuple[Any, str]:
    """Return ``x`` with each repeated label made one axis, its diagonal, and the labels left."""
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            i = labels.index(label)
            j = labels.index(label, i + 1)
            if x.shape[i] != x.shape[j]:
                raise ValueError(
                    f"einsum: label {label!r} has {x.shape[i]} and {x.shape[j]} elements "
                    f"of an operand of shape {x.shape}"
                )
            x = np.moveaxis(np.moveaxis(x, j, 0), i + 1, 1)
            every = np.arange(x.shape[0], like=x.data if isinstance(x, Variable) else x)
            x = x[every, every]
            labels = label + labels[:i] + labels[i + 1 : j] + labels[j + 1 :]
    return x, labels
