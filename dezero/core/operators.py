"""The arithmetic of Variables: ``+ - * / **`` and comparisons, attached by ``setup_variable``."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from dezero.core.elementwise import Elementwise, binary, elementwise, unary
from dezero.core.variable import Variable

Add = elementwise(
    "Add",
    operator.add,
    counts=True,
    gx0=lambda gy: gy,
    gx1=lambda gy: gy,
    large=(np.add,),
)
Sub = elementwise(
    "Sub",
    operator.sub,
    counts=True,
    gx0=lambda gy: gy,
    gx1=lambda gy: -gy,
    large=(np.subtract,),
)
Mul = elementwise(
    "Mul",
    operator.mul,
    gx0=lambda gy, x1: gy * x1,
    gx1=lambda gy, x0: gy * x0,
    large=(np.multiply, np.multiply, np.multiply),
)
Div = elementwise(
    "Div",
    operator.truediv,
    gx0=lambda gy, x1: gy / x1,
    gx1=lambda gy, x1, y: -gy * y / x1,
)
Neg = elementwise("Neg", operator.neg, counts=True, gx=lambda gy: -gy)


def _slope_of_abs(gy: Any, x: Any) -> Any:
    """Gradient of ``|x|``: 0 at 0; for complex numbers along ``x``."""
    if x.dtype.kind != "c":
        return gy * np.sign(x)
    nonzero = np.where(x == 0, 1, x)
    return gy * np.where(x == 0, 0, np.conjugate(nonzero) / abs(nonzero))


Abs = elementwise("Abs", operator.abs, gx=_slope_of_abs)
Conjugate = elementwise("Conjugate", np.conjugate, gx=lambda gy: np.conjugate(gy))
Real = elementwise("Real", lambda x: np.copy(np.real(x)), gx=lambda gy: gy)


def _slope_of_base(gy: Any, x0: Any, x1: Any) -> Any:
    """Gradient of ``x0**x1`` for ``x0``: 0 where the exponent is 0, also at ``x0 = 0``."""
    if not isinstance(x1, int | float):
        base = np.where((x0 == 0) & (x1 == 0), 1, x0)
        return gy * x1 * base ** (x1 - 1.0)
    if x1 == 2:
        return gy * (2 * x0)
    return gy * (x1 * x0 ** (x1 - 1 if x1 != 0 else 1))


def _slope_of_exponent(gy: Any, x0: Any, y: Any) -> Any:
    """Gradient of ``x0**x1`` for ``x1``: 0 where the base is 0."""
    if isinstance(x0, int | float):
        return gy * y * (math.log(x0) if x0 > 0 else 0.0 if x0 == 0 else math.nan)
    return gy * y * np.log(np.where(x0 == 0, 1, x0))


class Pow(
    elementwise(  # type: ignore[misc]
        "Pow",
        operator.pow,
        gx0=_slope_of_base,
        gx1=_slope_of_exponent,
    )
):
    """``x0 ** x1``; ``Pow(c)(x)`` is the book's form with a constant exponent."""

    __slots__ = ("c",)

    def __init__(self, c: Any = None) -> None:
        self.c = c

    def __call__(self, x: Any, *c: Any) -> Variable:
        """Return ``x ** c``."""
        node = Pow(self.c) if hasattr(self, "_edges") else self  # each call is a node of its own
        return Elementwise.__call__(node, x, *(c or (self.c,)))


def add(x0: Any, x1: Any) -> Variable:
    """Return ``x0 + x1``, element by element, with broadcasting.

    Source: steps 11 and 20 of the book.

    Examples
    --------
    >>> import dezero.functions as F
    >>> F.add(1.0, 2.0)
    variable(3.0)
    """
    return binary(Add, x0, x1)


def sub(x0: Any, x1: Any) -> Variable:
    """Return ``x0 - x1``, element by element, with broadcasting.

    Source: step 22 of the book.

    Examples
    --------
    >>> import dezero.functions as F
    >>> F.sub(1.0, 2.0)
    variable(-1.0)
    """
    return binary(Sub, x0, x1)


def rsub(x0: Any, x1: Any) -> Variable:
    """Return ``x1 - x0``: the reflected form of :func:`sub`."""
    return binary(Sub, x1, x0)


def mul(x0: Any, x1: Any) -> Variable:
    """Return ``x0 * x1``, element by element, with broadcasting.

    Source: step 20 of the book.

    Examples
    --------
    >>> import dezero.functions as F
    >>> F.mul(2.0, 3.0)
    variable(6.0)
    """
    return binary(Mul, x0, x1)


def div(x0: Any, x1: Any) -> Variable:
    """Return ``x0 / x1``, element by element, with broadcasting.

    Source: step 22 of the book.

    Examples
    --------
    >>> import dezero.functions as F
    >>> F.div(1.0, 2.0)
    variable(0.5)
    """
    return binary(Div, x0, x1)


def rdiv(x0: Any, x1: Any) -> Variable:
    """Return ``x1 / x0``: the reflected form of :func:`div`."""
    return binary(Div, x1, x0)


def neg(x: Any) -> Variable:
    """Return ``-x`` (step 22 of the book).

    Examples
    --------
    >>> import dezero.functions as F
    >>> F.neg(2.0)
    variable(-2.0)
    """
    return unary(Neg, x)


def pow(x: Any, c: Any) -> Variable:
    """Return ``x ** c``; both may be variables.

    The gradient of ``x**0`` is 0, also at ``x = 0``. Source: step 22 of the book.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> x = Variable(np.array(3.0))
    >>> y = 2 ** x
    >>> y.backward()
    >>> print(f"{x.grad:.4f}")  # 8 ln 2
    5.5452
    """
    return binary(Pow, x, c)


def absolute(x: Any) -> Variable:
    """Return the absolute value of ``x``; the gradient at 0 is 0.

    Examples
    --------
    >>> import dezero.functions as F
    >>> F.absolute(-2.0)
    variable(2.0)
    """
    return unary(Abs, x)


def conjugate(x: Any) -> Variable:
    """Return the complex conjugate of ``x``.

    Examples
    --------
    >>> import numpy as np, dezero.core.operators as ops
    >>> ops.conjugate(np.array(1 + 2j))
    variable((1-2j))
    """
    return unary(Conjugate, x)


def real(x: Any) -> Variable:
    """Return the real part of ``x``; the gradient has no imaginary part.

    Examples
    --------
    >>> import numpy as np, dezero.core.operators as ops
    >>> ops.real(np.array(1 + 2j))
    variable(1.0)
    """
    return unary(Real, x)


_COMPARABLE = (Variable, np.ndarray, np.generic, int, float, complex, list, tuple)


def _comparison(compare: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return a method that compares values: the result is a plain array of booleans."""

    def method(self: Variable, other: Any) -> Any:
        if not isinstance(other, _COMPARABLE) and not hasattr(other, "dtype"):
            return NotImplemented
        return compare(self.data, other.data if isinstance(other, Variable) else other)

    return method


def setup_variable() -> None:
    """Attach the operators to Variable (steps 20 to 22 of the book). Runs at import."""
    methods: dict[str, Any] = {
        "__add__": add,
        "__radd__": lambda self, other: binary(Add, other, self),
        "__sub__": sub,
        "__rsub__": rsub,
        "__mul__": mul,
        "__rmul__": lambda self, other: binary(Mul, other, self),
        "__truediv__": div,
        "__rtruediv__": rdiv,
        # NumPy's protocol finds what stands for these:
        "__mod__": lambda self, other: np.remainder(self, other),
        "__rmod__": lambda self, other: np.remainder(other, self),
        "__floordiv__": lambda self, other: np.floor_divide(self, other),
        "__rfloordiv__": lambda self, other: np.floor_divide(other, self),
        "__divmod__": lambda self, other: np.divmod(self, other),
        "__rdivmod__": lambda self, other: np.divmod(other, self),
        "__pow__": pow,
        "__rpow__": lambda self, other: binary(Pow, other, self),
        "__neg__": neg,
        "__pos__": lambda self: self,
        "__abs__": absolute,
    }
    for name in ("eq", "ne", "lt", "le", "gt", "ge"):
        methods[f"__{name}__"] = _comparison(getattr(operator, name))
    for name, method in methods.items():
        setattr(Variable, name, method)
