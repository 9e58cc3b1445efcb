"""Variable: a box around an array that remembers which function made it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from copy import deepcopy
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from dezero.core.places import place

if TYPE_CHECKING:
    from dezero.core.function import Function

HEIGHT = 1 << 40
"""How many generations fit between two levels of derivatives (levels.py)."""

array_types: tuple[type, ...] = (np.ndarray,)
"""The array type of a Variable on the CPU; see :func:`is_array` for the others."""


class Variable:
    """An array together with its gradient and the function that made it.

    Computing with Variables leaves a graph behind; :meth:`backward` walks it.

    Parameters
    ----------
    data : ndarray or None
        The value. ``None`` stands for a parameter whose shape is not known yet.
    name : str, optional
        Shown in pictures of the graph.
    requires_grad : bool, default True
        Whether gradients are wanted, for a leaf; ``False`` marks data, labels and frozen
        parameters. What is computed wants one if an input does.

    Attributes
    ----------
    data : ndarray
        The value.
    grad : Variable or None
        The gradient that :meth:`backward` left; repeated passes add up until
        :meth:`cleargrad`.
    creator : Function or None
        The function that computed this Variable; ``None`` for a leaf.
    generation : int
        0 for a leaf, otherwise one more than the creator's.

    Raises
    ------
    TypeError
        If ``data`` is not an array: numbers and lists are wrapped by hand, once, at the door.

    Notes
    -----
    Source: steps 1, 7, 14, 16 and 19 of the book.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> x = Variable(np.array(3.0))
    >>> y = x * x + 1.0
    >>> y.backward()
    >>> y, x.grad
    (variable(10.0), variable(6.0))
    """

    __slots__ = ("__weakref__", "_data", "_node", "_written", "grad", "name", "requires_grad")

    __array_priority__ = 200
    _depth = 0  # of a leaf; the depth of a computed variable is that of its node

    def __init__(
        self, data: Any = None, name: str | None = None, *, requires_grad: bool = True
    ) -> None:
        check_array(data)
        self._data = data
        self._node: Any = None
        self._written: Any = False  # or the Place at which the array was written in place
        self.grad: Any = None
        self.name = name
        self.requires_grad = requires_grad

    @property
    def data(self) -> Any:
        """The array. Results of 0-d arithmetic become 0-d arrays when first looked at."""
        data = self._data
        if isinstance(data, np.generic):
            self._data = data = np.asarray(data)
        return data

    @data.setter
    def data(self, value: Any) -> None:
        if isinstance(value, np.generic):  # what arithmetic of 0-d arrays gives
            value = np.asarray(value)
        check_array(value)
        if value is not None and value is self._data:  # `x.data += 1` ends here, already written
            if self._node is not None:
                raise RuntimeError(
                    "in-place write into the data of a recorded variable: its graph may need the "
                    "old values; write y = y + 1, or assign a new array: y.data = y.data + 1"
                )
            self._written = place()
            value = value.view()  # a graph that kept the old array object can tell it from this
        self._data = value

    @property
    def creator(self) -> Function | None:
        """The function that computed this Variable, ``None`` for a leaf."""
        return None if self._node is None else self._node._function

    @creator.setter
    def creator(self, func: Function | None) -> None:
        if func is None:
            self.unchain()
        else:
            self.set_creator(func)

    @property
    def _function(self) -> None:
        return None  # a leaf, as a node of the graph, has no function behind it

    @property
    def generation(self) -> int:
        """How many functions deep this Variable lies; 0 for a leaf (step 16 of the book)."""
        return 0 if self._node is None else int(self._node._depth) % HEIGHT  # levels.py

    _shape = property(attrgetter("_data.shape"))
    _dtype = property(attrgetter("_data.dtype"))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        return initialised(self).shape

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return initialised(self).ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return initialised(self).size

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the elements."""
        return initialised(self).dtype

    def __len__(self) -> int:
        return len(initialised(self))

    def __repr__(self) -> str:
        if self._data is None:
            return "variable(None)"
        return "variable(" + str(self.data).replace("\n", "\n" + " " * 9) + ")"

    def _repr_html_(self) -> str:
        from dezero.viz.notebook import variable_html

        return variable_html(self)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec and self.size == 1 else format(repr(self), spec)

    def __bool__(self) -> bool:
        return bool(self.data)

    def __float__(self) -> float:
        return float(self.data)

    def __int__(self) -> int:
        return int(self.data)

    def __complex__(self) -> complex:
        return complex(self.data)

    def __index__(self) -> int:
        return self.data.__index__()

    def item(self) -> Any:
        """Return the only element as a Python number.

        Raises
        ------
        ValueError
            If there is more than one element.
        """
        return self.data.item()

    def argmax(self, axis: int | None = None) -> Any:
        """Return the index of the largest element, a plain array: it has no derivative."""
        return self.data.argmax(axis=axis)

    def argmin(self, axis: int | None = None) -> Any:
        """Return the index of the smallest element, a plain array: it has no derivative."""
        return self.data.argmin(axis=axis)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if self.requires_grad:
            if sys._getframe(1).f_code.co_name == "_matmul_dispatch":
                return np.array(
                    None, object
                )  # a sparse matrix of SciPy's: it leaves v to __rmatmul__
            raise TypeError(
                "turning a Variable into a plain array would lose its gradient in silence: use "
                "v.data for the value, dezero.numpy.array([v, w]) to join variables, or np "
                "functions on v; to write v into an array a, make that one a Variable(a, "
                "requires_grad=False)"
            )
        return np.array(self.data, dtype=dtype, copy=copy)

    def __copy__(self) -> Variable:
        return self.__deepcopy__({}, copy=False)

    def __deepcopy__(self, memo: dict[int, Any], copy: bool = True) -> Variable:
        """Return a leaf of the same value: the graph stays with the original."""
        data = self.data
        twin: Variable = object.__new__(type(self))  # a subclass may have its own __init__
        Variable.__init__(
            twin,
            data.copy() if copy and data is not None else data,
            self.name,
            requires_grad=self.requires_grad,
        )
        vars_of = getattr(self, "__dict__", None)
        if vars_of:
            twin.__dict__.update(deepcopy(vars_of, memo) if copy else vars_of)
        if self.grad is not None:
            twin.grad = self.grad.__deepcopy__(memo, copy)
        memo[id(self)] = twin
        return twin

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.data, self.name, self.requires_grad)

    def set_creator(self, func: Function) -> None:
        """Make ``func`` the function that computed this Variable (steps 7 and 16 of the book)."""
        func._adopt(self)
        self._node = func

    def cleargrad(self) -> None:
        """Forget the gradient, so that the next backward pass starts from nothing."""
        self.grad = None

    def unchain(self) -> None:
        """Forget the function that computed this Variable: it becomes a leaf."""
        if isinstance(self._node, Variable):
            return  # it stands for a leaf already
        if self._node is not None:
            self._node._cut()
        self._node = None

    def unchain_backward(self) -> None:
        """Cut the whole graph behind this Variable, and free it.

        Variables along the way become leaves. Used for truncated backpropagation through
        time (step 59 of the book). A later ``backward`` through the graph raises.
        """
        from dezero.core.backward import free

        if self._node is not None:
            free(self._node)

    def backward(self, retain_grad: bool = False, create_graph: bool = False) -> None:
        """Compute the gradient of this Variable with respect to every leaf behind it.

        Starts from ``self.grad``, or from ones where that is ``None``, and visits each function
        once, the latest generation first. Gradients are added to ``grad`` of the leaves.

        Parameters
        ----------
        retain_grad : bool, default False
            Leave gradients on the variables in between too.
        create_graph : bool, default False
            Record the backward pass itself, so that gradients can be differentiated.

        Raises
        ------
        RuntimeError
            If nothing was recorded behind this Variable, or its graph was freed.
        TypeError
            If an integer variable would need a gradient that is not an integer.
        ValueError
            If ``self.grad`` has another shape, or a function's rule returns a wrong one.

        Notes
        -----
        Source: steps 7, 8, 14, 16, 18 and 32 of the book.

        Examples
        --------
        >>> import numpy as np
        >>> from dezero import Variable
        >>> x = Variable(np.array(2.0))
        >>> y = x**3
        >>> y.backward(create_graph=True)
        >>> gx = x.grad
        >>> x.cleargrad()
        >>> gx.backward()
        >>> gx, x.grad
        (variable(12.0), variable(12.0))
        """
        from dezero.core.backward import backward

        backward(self, retain_grad, create_graph)

    def __iter__(self) -> Iterator[Variable]:
        if self.ndim == 0:
            raise TypeError("a 0-d Variable cannot be iterated over")
        return (self[i] for i in range(len(self)))

    __hash__ = object.__hash__

    if TYPE_CHECKING:  # attached by dezero.core.operators and dezero.functions, as in the book
        T: Variable

        def __add__(self, other: Any) -> Variable: ...
        def __radd__(self, other: Any) -> Variable: ...
        def __sub__(self, other: Any) -> Variable: ...
        def __rsub__(self, other: Any) -> Variable: ...
        def __mul__(self, other: Any) -> Variable: ...
        def __rmul__(self, other: Any) -> Variable: ...
        def __truediv__(self, other: Any) -> Variable: ...
        def __rtruediv__(self, other: Any) -> Variable: ...
        def __pow__(self, other: Any) -> Variable: ...
        def __rpow__(self, other: Any) -> Variable: ...
        def __matmul__(self, other: Any) -> Variable: ...
        def __rmatmul__(self, other: Any) -> Variable: ...
        def __neg__(self) -> Variable: ...
        def __pos__(self) -> Variable: ...
        def __abs__(self) -> Variable: ...
        def __eq__(self, other: object) -> Any: ...
        def __ne__(self, other: object) -> Any: ...
        def __lt__(self, other: Any) -> Any: ...
        def __le__(self, other: Any) -> Any: ...
        def __gt__(self, other: Any) -> Any: ...
        def __ge__(self, other: Any) -> Any: ...
        def __getitem__(self, index: Any) -> Variable: ...
        @property
        def real(self) -> Variable:
            """The real part."""

        @property
        def imag(self) -> Variable:
            """The imaginary part."""

        def conj(self) -> Variable:
            """Return the complex conjugate."""

        conjugate = conj

        def __setitem__(self, index: Any, value: Any) -> None: ...
        def reshape(self, *shape: Any, order: str = "C") -> Variable:
            """Return the same elements in another shape."""

        def transpose(self, *axes: Any) -> Variable:
            """Return the axes in another order, reversed by default."""

        def sum(self, axis: Any = None, keepdims: bool = False) -> Variable:
            """Return the sum along axes."""

        def mean(self, axis: Any = None, keepdims: bool = False) -> Variable:
            """Return the mean along axes."""

        def var(self, axis: Any = None, keepdims: bool = False) -> Variable:
            """Return the variance along axes."""

        def max(self, axis: Any = None, keepdims: bool = False) -> Variable:
            """Return the largest element along axes."""

        def min(self, axis: Any = None, keepdims: bool = False) -> Variable:
            """Return the smallest element along axes."""

        def matmul(self, W: Any) -> Variable:
            """Return the matrix product."""

        def dot(self, W: Any) -> Variable:
            """Return the matrix product."""

        def astype(self, dtype: Any) -> Variable:
            """Return the values in another type."""

        def copy(self) -> Variable:
            """Return the values in an array of their own; gradients pass."""

        def to_cpu(self) -> None:
            """Move the array to the CPU's memory."""

        def to_gpu(self) -> None:
            """Move the array to the GPU's memory."""


class Parameter(Variable):
    """A Variable that a :class:`dezero.Layer` finds and an optimiser updates (step 44)."""

    __slots__ = ()


def is_array(x: Any) -> bool:
    """Whether ``x`` is an array: NumPy's, or one that answers NumPy's protocols (CuPy's, say)."""
    if isinstance(x, np.ndarray):
        return True
    return (
        hasattr(type(x), "__array_function__")
        and hasattr(x, "dtype")
        and not isinstance(x, Variable)
    )


def check_array(data: Any) -> None:
    """Raise TypeError unless ``data`` is an array that a Variable can hold, or ``None``."""
    if data is None or (is_array(data) and data.dtype.kind not in "OSUMm"):
        return
    if is_array(data):
        what = "Python objects" if data.dtype == object else data.dtype
        raise TypeError(f"Variable: got an array of {what}; it wants an array of numbers")
    hint = "..." if isinstance(data, Variable) else repr(data)[:40]
    raise TypeError(
        f"Variable: got {type(data).__name__}; it wants a NumPy (or CuPy) array: "
        f"Variable(np.array({hint}))"
    )


def initialised(x: Variable) -> Any:
    """Return the array of ``x``; a parameter without a shape yet raises a lesson."""
    if x._data is None:
        name = f" {x.name!r}" if x.name else ""
        raise ValueError(
            f"variable{name} holds no array yet: a layer gives its parameters their shapes at the "
            "first call with data, or through in_size / in_channels"
        )
    return x._data


def make(data: Any, node: Any) -> Variable:
    """Return a Variable of ``data`` computed by ``node``, without the public door's checks."""
    x: Variable = object.__new__(Variable)
    x._data = data
    x._node = node
    x._written = False
    x.grad = None
    x.name = None
    x.requires_grad = node is not None
    return x


def _rebuild(kind: type[Variable], data: Any, name: str | None, requires_grad: bool) -> Variable:
    return kind(data, name, requires_grad=requires_grad)


def as_variable(obj: Any) -> Variable:
    """Return ``obj`` if it is a Variable, otherwise a new leaf that holds it as an array.

    Source: step 21 of the book.

    Examples
    --------
    >>> from dezero import as_variable
    >>> as_variable(2.0)
    variable(2.0)
    """
    return obj if isinstance(obj, Variable) else Variable(as_array(obj))


def as_input(x: Any) -> Any:
    """Return ``x`` if it is a Variable, otherwise as an array: a constant of a function.

    Examples
    --------
    >>> from dezero.core import as_input
    >>> as_input([1, 2]).shape
    (2,)
    """
    return x if isinstance(x, Variable) else as_array(x)


def as_array(x: Any, array_module: Any = np) -> Any:
    """Return ``x`` as an array: Python and NumPy numbers become 0-d arrays.

    Source: steps 9 and 52 of the book.

    Examples
    --------
    >>> from dezero import as_array
    >>> as_array(1.5)
    array(1.5)
    """
    return x if is_array(x) else array_module.asarray(x)
