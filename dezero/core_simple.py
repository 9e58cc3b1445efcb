"""The engine of the book's first two stages in one file, for reading: gradients are plain arrays.

A Variable knows the function that made it, a Function knows its inputs: that is the whole
graph. ``Variable.backward`` walks it, the latest generation first (steps 1 to 22 of the book).
The engine that the package runs on is :mod:`dezero.core`; it adds what a framework needs
(higher derivatives, arrays freed early, NumPy's protocols) to this plan.
"""

from __future__ import annotations

import heapq
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


class _Config(threading.local):
    enable_backprop = True


Config = _Config()


@contextmanager
def using_config(name: str, value: Any) -> Iterator[None]:
    """Set a switch of ``Config`` inside a ``with`` block (step 18 of the book).

    Examples
    --------
    >>> from dezero.core_simple import Config, using_config
    >>> with using_config("enable_backprop", False):
    ...     Config.enable_backprop
    False
    """
    old = getattr(Config, name)
    setattr(Config, name, value)
    try:
        yield
    finally:
        setattr(Config, name, old)


@contextmanager
def no_grad() -> Iterator[None]:
    """Record no graph inside a ``with`` block (step 18 of the book)."""
    with using_config("enable_backprop", False):
        yield


class Variable:
    """An array that remembers the function that made it (steps 1, 7 and 16 of the book).

    Parameters
    ----------
    data : ndarray or None
        The value.
    name : str, optional
        For pictures of the graph.

    Raises
    ------
    TypeError
        If ``data`` is something else (step 9).

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.core_simple import Variable
    >>> x = Variable(np.array(3.0))
    >>> y = x * x + x
    >>> y.backward()
    >>> print(x.grad)
    7.0
    """

    __array_priority__ = 200
    __array_ufunc__ = None  # `array * variable` is left to the variable's own __rmul__

    def __init__(self, data: Any, name: str | None = None) -> None:
        if data is not None and not isinstance(data, np.ndarray):
            raise TypeError(
                f"Variable: got {type(data).__name__}; it wants a NumPy array: np.array({data!r})"
            )
        self.data: Any = data
        self.name = name
        self.grad: Any = None
        self.creator: Function | None = None
        self.generation = 0

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        return self.data.shape

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self.data.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.data.size

    @property
    def dtype(self) -> Any:
        """The type of the elements."""
        return self.data.dtype

    def __len__(self) -> int:
        return len(self.data)

    def __repr__(self) -> str:
        if self.data is None:
            return "variable(None)"
        return "variable(" + str(self.data).replace("\n", "\n" + " " * 9) + ")"

    def set_creator(self, func: Function) -> None:
        """Remember the function, and lie one generation after it (steps 7 and 16)."""
        self.creator = func
        self.generation = func.generation + 1

    def cleargrad(self) -> None:
        """Forget the gradient (step 14)."""
        self.grad = None

    def backward(self, retain_grad: bool = False) -> None:
        """Add the gradient of this variable to ``grad`` of every variable behind it.

        Starts from ones. Gradients in between are dropped unless ``retain_grad``.

        Raises
        ------
        RuntimeError
            If no function made this variable.
        """
        if self.creator is None:
            raise RuntimeError("backward: nothing was recorded behind this variable")
        if self.grad is None:
            self.grad = np.ones_like(self.data)

        waiting: list[tuple[int, int, Function]] = []  # a heap: the latest generation first
        seen: set[Function] = set()

        def wait(function: Function) -> None:
            if function not in seen:
                seen.add(function)
                heapq.heappush(waiting, (-function.generation, len(seen), function))

        wait(self.creator)
        while waiting:
            function = heapq.heappop(waiting)[2]
            outputs = [output() for output in function.outputs]
            gys = [
                np.zeros(*kind) if y is None or y.grad is None else y.grad
                for y, kind in zip(outputs, function.output_kinds, strict=True)
            ]
            gxs = function.backward(*gys)
            for x, gx in zip(
                function.inputs, gxs if isinstance(gxs, tuple) else (gxs,), strict=True
            ):
                x.grad = np.array(gx) if x.grad is None else x.grad + gx  # no array is shared
                if x.creator is not None:
                    wait(x.creator)
            if not retain_grad:
                for y in outputs:
                    if y is not None and y is not self:
                        y.grad = None

    __hash__ = object.__hash__


class Function:
    """A differentiable function (steps 2, 11 and 13 of the book).

    A subclass defines ``forward`` and ``backward``, both on arrays.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.core_simple import Function, Variable
    >>> class Square(Function):
    ...     def forward(self, x):
    ...         return x**2
    ...
    ...     def backward(self, gy):
    ...         return 2 * self.inputs[0].data * gy
    >>> x = Variable(np.array(3.0))
    >>> Square()(x).backward()
    >>> print(x.grad)
    6.0
    """

    def __call__(self, *inputs: Any) -> Any:
        """Compute the outputs, and remember the inputs."""
        kinds = [x.dtype for x in inputs if isinstance(x, Variable)]
        variables = tuple(
            Variable(np.array(x, np.result_type(x, *kinds)))  # numbers take the arrays' type
            if isinstance(x, int | float)
            else as_variable(x)
            for x in inputs
        )
        ys = self.forward(*[x.data for x in variables])
        ys = ys if isinstance(ys, tuple) else (ys,)
        outputs = [Variable(as_array(y)) for y in ys]
        if Config.enable_backprop:
            self.generation = max(x.generation for x in variables)
            self.inputs = variables
            self.input = variables[0]
            for y in outputs:
                y.set_creator(self)
            self.outputs = [weakref.ref(y) for y in outputs]  # weak: no cycle (step 17)
            self.output_kinds = [(y.shape, y.dtype) for y in outputs]
        return outputs[0] if len(outputs) == 1 else outputs

    def forward(self, *xs: Any) -> Any:
        """Compute the outputs."""
        raise NotImplementedError

    def backward(self, *gys: Any) -> Any:
        """Compute the gradients of the inputs."""
        raise NotImplementedError

    @property
    def output(self) -> Variable | None:
        """The first output, while somebody holds it."""
        return self.outputs[0]()


def as_array(x: Any) -> Any:
    """Return a number as a 0-d array (step 9 of the book).

    Examples
    --------
    >>> from dezero.core_simple import as_array
    >>> as_array(1.0)
    array(1.)
    """
    return np.array(x) if np.isscalar(x) else x


def as_variable(obj: Any) -> Variable:
    """Return ``obj`` as a Variable (step 21 of the book).

    Examples
    --------
    >>> from dezero.core_simple import as_variable
    >>> as_variable(2.0)
    variable(2.0)
    """
    return obj if isinstance(obj, Variable) else Variable(as_array(obj))


class Add(Function):
    """``x0 + x1``."""

    def forward(self, x0: Any, x1: Any) -> Any:
        """Return the sum."""
        return x0 + x1

    def backward(self, gy: Any) -> Any:
        """Both summands have the gradient of the sum."""
        return gy, gy


class Mul(Function):
    """``x0 * x1``."""

    def forward(self, x0: Any, x1: Any) -> Any:
        """Return the product."""
        return x0 * x1

    def backward(self, gy: Any) -> Any:
        """Each factor has the other one for its derivative."""
        x0, x1 = self.inputs
        return gy * x1.data, gy * x0.data


class Neg(Function):
    """``-x``."""

    def forward(self, x: Any) -> Any:
        """Return the negative."""
        return -x

    def backward(self, gy: Any) -> Any:
        """Change the sign."""
        return -gy


class Sub(Function):
    """``x0 - x1``."""

    def forward(self, x0: Any, x1: Any) -> Any:
        """Return the difference."""
        return x0 - x1

    def backward(self, gy: Any) -> Any:
        """Change the sign for the second."""
        return gy, -gy


class Div(Function):
    """``x0 / x1``."""

    def forward(self, x0: Any, x1: Any) -> Any:
        """Return the quotient."""
        return x0 / x1

    def backward(self, gy: Any) -> Any:
        """Return the gradients by the quotient rule."""
        x0, x1 = (x.data for x in self.inputs)
        return gy / x1, -gy * x0 / x1**2


class Pow(Function):
    """``x ** c`` for a constant ``c``."""

    def __init__(self, c: Any) -> None:
        self.c = c

    def forward(self, x: Any) -> Any:
        """Return the power."""
        return x**self.c

    def backward(self, gy: Any) -> Any:
        """Return ``c x**(c - 1)``; the derivative of ``x**0`` is 0 everywhere."""
        if self.c == 0:
            return gy * 0.0
        return gy * self.c * self.inputs[0].data ** (self.c - 1)


def add(x0: Any, x1: Any) -> Any:
    """Return ``x0 + x1`` (step 20 of the book)."""
    return Add()(x0, x1)


def mul(x0: Any, x1: Any) -> Any:
    """Return ``x0 * x1`` (step 20 of the book)."""
    return Mul()(x0, x1)


def neg(x: Any) -> Any:
    """Return ``-x`` (step 22 of the book)."""
    return Neg()(x)


def sub(x0: Any, x1: Any) -> Any:
    """Return ``x0 - x1`` (step 22 of the book)."""
    return Sub()(x0, x1)


def rsub(x0: Any, x1: Any) -> Any:
    """Return ``x1 - x0`` (step 22 of the book)."""
    return Sub()(x1, x0)


def div(x0: Any, x1: Any) -> Any:
    """Return ``x0 / x1`` (step 22 of the book)."""
    return Div()(x0, x1)


def rdiv(x0: Any, x1: Any) -> Any:
    """Return ``x1 / x0`` (step 22 of the book)."""
    return Div()(x1, x0)


def pow(x: Any, c: Any) -> Any:
    """Return ``x ** c`` (step 22 of the book)."""
    return Pow(c)(x)


def setup_variable() -> None:
    """Attach the operators to Variable (step 20 of the book). Runs at import."""
    operators = {
        "__add__": add,
        "__radd__": add,
        "__mul__": mul,
        "__rmul__": mul,
        "__neg__": neg,
        "__sub__": sub,
        "__rsub__": rsub,
        "__truediv__": div,
        "__rtruediv__": rdiv,
        "__pow__": pow,
    }
    for name, function in operators.items():
        setattr(Variable, name, function)


setup_variable()
