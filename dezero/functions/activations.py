"""Activations: sigmoid, ReLU, softmax, GELU and their kin."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from dezero.core import Primitive, Variable, div, elementwise, implements, neg
from dezero.core.elementwise import unary
from dezero.core.operators import absolute
from dezero.functions.math import clip, exp, where
from dezero.functions.reductions import sum as sum_
from dezero.functions.shapes import split
from dezero.kernels import activations as kernels
from dezero.kernels import elementwise as fast
from dezero.kernels import softmax as normalizing
from dezero.kernels.special import sigmoid as sigmoid_array

Sigmoid = elementwise(
    "Sigmoid",
    sigmoid_array,
    gx=lambda gy, y: gy * y * (1 - y),
    large=(fast.sigmoid, fast.sigmoid_grad),
)
ReLU = elementwise(
    "ReLU",
    lambda x: np.maximum(x, 0),
    gx=lambda gy, y: gy * (y > 0),
    large=(fast.relu, fast.relu_grad),
)
SiLU = elementwise("SiLU", kernels.silu, gx=lambda gy, x: kernels.silu_grad(gy, x))


class LeakyReLU(Primitive):
    """``x`` where positive, ``slope * x`` elsewhere."""

    def __init__(self, slope: float) -> None:
        self.slope = float(slope)  # a NumPy number would widen float32

    def forward(self, x: Any) -> Any:
        """Return the activation."""
        return np.where(x > 0, x, x * self.slope)

    def gx(self, gy: Any, x: Any) -> Any:
        """Scale the gradient where ``x`` is not positive."""
        return np.where(x > 0, gy, gy * self.slope)


class GELU(Primitive):
    """The Gaussian error linear unit, ``x`` times the probability that a normal draw is less."""

    def __init__(self, approximate: str = "none") -> None:
        self.approximate = approximate

    def forward(self, x: Any) -> Any:
        """Return the activation."""
        return kernels.gelu(x, self.approximate)

    def gx(self, gy: Any, x: Any) -> Any:
        """Return the gradient by the product rule."""
        return kernels.gelu_grad(gy, x, self.approximate)


class Softmax(Primitive):
    """Exponentials along an axis, scaled to sum to one."""

    def __init__(self, axis: int = 1) -> None:
        self.axis = axis

    def forward(self, x: Any) -> Any:
        """Return the probabilities."""
        return normalizing.softmax(x, self.axis)

    def gx(self, gy: Any, y: Any) -> Any:
        """Return ``y * (gy - sum(gy * y))``."""
        return normalizing.softmax_grad(gy, y, self.axis)


class LogSoftmax(Primitive):
    """The logarithm of the softmax, computed without forming it."""

    def __init__(self, axis: int = 1) -> None:
        self.axis = axis

    def forward(self, x: Any) -> Any:
        """Return the logarithms of the probabilities."""
        return normalizing.log_softmax(x, self.axis)

    def gx(self, gy: Any, y: Any) -> Any:
        """Return ``gy - softmax * sum(gy)``."""
        return normalizing.log_softmax_grad(gy, y, self.axis)


@implements(sigmoid_array)
def sigmoid(x: Any) -> Variable:
    r"""Return :math:`1/(1+e^{-x})`, element by element; :math:`dy/dx = y(1-y)`.

    Source: step 43 of the book.

    Examples
    --------
    >>> import dezero.functions as F
    >>> F.sigmoid(0.0)
    variable(0.5)
    """
    return unary(Sigmoid, x)


def sigmoid_simple(x: Any) -> Variable:
    r"""Return :math:`1/(1+e^{-x})` composed of simpler functions (step 43 of the book).

    Examples
    --------
    >>> import dezero.functions as F
    >>> F.sigmoid_simple(0.0)
    variable(0.5)
    """
    return 1 / (1 + exp(neg(x)))


def relu(x: Any) -> Variable:
    r"""Return :math:`\max(x, 0)`; the gradient at 0 is 0.

    Source: step 51 of the book.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.relu(np.array([-1.0, 2.0]))
    variable([0. 2.])
    """
    return unary(ReLU, x)


def leaky_relu(x: Any, slope: float = 0.2) -> Variable:
    """Return ``x`` where positive, ``slope * x`` elsewhere.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.leaky_relu(np.array([-1.0, 2.0]))
    variable([-0.2  2. ])
    """
    return LeakyReLU(slope)(x)


def gelu(x: Any, approximate: Literal["none", "tanh"] = "none") -> Variable:
    r"""Return :math:`x \Phi(x)`, with the normal distribution function :math:`\Phi`.

    Parameters
    ----------
    x : Variable or array
        Any shape.
    approximate : {"none", "tanh"}
        ``"tanh"`` uses :math:`\frac12 (1 + \tanh(\sqrt{2/\pi}(x + 0.044715 x^3)))` for
        :math:`\Phi`.

    Raises
    ------
    ValueError
        If ``approximate`` is another word.

    Notes
    -----
    Source: Hendrycks and Gimpel, Gaussian Error Linear Units, 2016.

    Examples
    --------
    >>> import dezero.functions as F
    >>> print(f"{F.gelu(1.0):.6f} {F.gelu(1.0, approximate='tanh'):.6f}")
    0.841345 0.841192
    """
    if approximate not in ("none", "tanh"):
        raise ValueError(f"gelu: got approximate={approximate!r}; it wants 'none' or 'tanh'")
    return GELU(approximate)(_array_or_variable(x))


def silu(x: Any) -> Variable:
    r"""Return :math:`x \sigma(x)`, also called swish.

    Source: Elfwing, Uchibe and Doya, 2017.

    Examples
    --------
    >>> import dezero.functions as F
    >>> print(f"{F.silu(1.0):.6f}")
    0.731059
    """
    return unary(SiLU, x)


def softmax(x: Any, axis: int = 1) -> Variable:
    r"""Return :math:`e^{x_i} / \sum_j e^{x_j}` along an axis.

    Parameters
    ----------
    x : Variable or array
        Scores.
    axis : int, default 1
        The axis that sums to one.

    Notes
    -----
    Source: step 47 of the book.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.softmax(np.zeros((1, 4)))
    variable([[0.25 0.25 0.25 0.25]])
    """
    return Softmax(axis)(x)


def softmax_simple(x: Any, axis: int = 1) -> Variable:
    """Return the softmax composed of simpler functions (step 47 of the book).

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.softmax_simple(np.zeros((1, 4)))
    variable([[0.25 0.25 0.25 0.25]])
    """
    y = exp(x)
    return y / sum_(y, axis=axis, keepdims=True)


def log_softmax(x: Any, axis: int = 1) -> Variable:
    r"""Return :math:`x_i - \log \sum_j e^{x_j}` along an axis.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.log_softmax(np.zeros((1, 2)))
    variable([[-0.69314718 -0.69314718]])
    """
    return LogSoftmax(axis)(x)


def elu(x: Any, alpha: float = 1.0) -> Variable:
    r"""Return ``x`` where positive, else :math:`\alpha (e^x - 1)`.

    Source: Clevert, Unterthiner and Hochreiter, 2015.

    Examples
    --------
    >>> import dezero.functions as F
    >>> print(f"{F.elu(-1.0):.6f}")
    -0.632121
    """
    x = _array_or_variable(x)
    return where(x > 0, x, alpha * np.expm1(where(x > 0, 0, x)))


def selu(x: Any) -> Variable:
    r"""Return :math:`\lambda` times :func:`elu`: activations that keep mean 0 and variance 1.

    Source: Klambauer et al., Self-Normalizing Neural Networks, 2017.

    Examples
    --------
    >>> import dezero.functions as F
    >>> print(f"{F.selu(1.0):.6f}")
    1.050701
    """
    return 1.0507009873554805 * elu(x, 1.6732632423543772)


def glu(x: Any, axis: int = -1) -> Variable:
    r"""Return :math:`a \sigma(b)`, where a and b are the halves of ``x`` along an axis.

    Raises
    ------
    ValueError
        If the axis has an odd number of elements.

    Notes
    -----
    Source: Dauphin et al., 2016.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.glu(np.array([4.0, 0.0]))
    variable([2.])
    """
    x = _array_or_variable(x)
    if not x.ndim or x.shape[axis] % 2:
        raise ValueError(
            f"glu: got an array of shape {x.shape}; it wants an even number of elements along "
            f"axis {axis}"
        )
    a, b = split(x, 2, axis)
    return a * sigmoid(b)


def hard_tanh(x: Any, low: float = -1.0, high: float = 1.0) -> Variable:
    """Return ``x`` limited to ``[low, high]``: :func:`dezero.functions.clip`.

    Examples
    --------
    >>> import numpy as np, dezero.functions as F
    >>> F.hard_tanh(np.array([-3.0, 0.5]))
    variable([-1.   0.5])
    """
    return clip(x, low, high)


def soft_sign(x: Any) -> Variable:
    """Return ``x / (1 + |x|)``.

    Examples
    --------
    >>> import dezero.functions as F
    >>> F.soft_sign(1.0)
    variable(0.5)
    """
    x = _array_or_variable(x)
    return div(x, 1 + absolute(x))


def _array_or_variable(x: Any) -> Any:
    return x if hasattr(x, "dtype") else np.asarray(x, float)


__all__ = [
    "GELU",
    "LeakyReLU",
    "LogSoftmax",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "elu",
    "gelu",
    "glu",
    "hard_tanh",
    "leaky_relu",
    "log_softmax",
    "relu",
    "selu",
    "sigmoid",
    "sigmoid_simple",
    "silu",
    "soft_sign",
    "softmax",
    "softmax_simple",
]
