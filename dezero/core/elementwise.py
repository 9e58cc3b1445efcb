"""Elementwise functions, a line each, and the short path by which operators apply them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar
from weakref import ref

import numpy as np

from dezero.core.blocks import LARGE, in_blocks
from dezero.core.config import Config
from dezero.core.function import constant, explained
from dezero.core.primitive import Primitive, operand, plain_types
from dezero.core.variable import Variable, as_array, initialised
from dezero.core.watch import watching

new = object.__new__


class Elementwise(Primitive):
    """A built-in function of NumPy's element-by-element kind: its inputs broadcast.

    Declared on one line by :func:`elementwise`; rules take no ``self``. The engine sums each
    gradient back to the shape of its input.
    """

    __slots__ = ()

    _broadcasts = True
    _large_forward: ClassVar[Callable[..., Any]]

    def _run(self, xs: list[Any]) -> Any:
        large = any(x.__class__ is np.ndarray and x.size >= LARGE for x in xs)
        try:
            y = type(self)._large_forward(*xs) if large else self.forward(*xs)
        except Exception as error:
            raise explained(error, self._name, xs) from error
        return y if hasattr(y, "dtype") else as_array(y)

    def _kept(self, edges: list[Any], values: tuple[Any, ...]) -> tuple[Any, ...]:
        values = tuple(  # of a 0-d array its number, as `unary` and `binary` keep it
            v[()] if v.__class__ is np.ndarray and v.ndim == 0 else v for v in values
        )
        return super()._kept(edges, values)

    def _pull(self, gy: Any, recording: bool, skip: int = -1) -> Any:
        saved = self._recorded() if recording else self._saved
        rules = self._rules or ()
        if gy.__class__ is np.ndarray and gy.size >= LARGE and not recording:
            rules = self._large_rules or rules
        return [
            None if args is None or edge._depth < skip else rule(gy, *args)
            for edge, rule, args in zip(self._edges, rules, saved, strict=True)
        ]


def elementwise(
    name: str,
    forward: Callable[..., Any],
    *,
    counts: bool = False,
    large: tuple[Callable[..., Any] | None, ...] = (),
    **rules: Callable[..., Any] | None,
) -> type[Elementwise]:
    """Declare an element-by-element function in one line.

    Parameters
    ----------
    name : str
        The name of the class.
    forward : callable
        The function on arrays.
    counts : bool, default False
        Whether every derivative is a whole number that does not depend on the values, so that
        integer variables have gradients.
    large : tuple of callable, optional
        What serves arrays of more than :data:`dezero.core.blocks.LARGE` elements: for the forward
        pass, then for each rule; ``None`` for the same formula, block by block, a ufunc for
        itself, block by block.
    **rules : callable
        ``gx=lambda gy, x: ...`` for one argument; ``gx0=..., gx1=...`` for two. ``None`` for an
        argument without a derivative.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> from dezero.core.elementwise import elementwise
    >>> Square = elementwise("Square", np.square, gx=lambda gy, x: gy * 2 * x)
    >>> Square()(Variable(np.array(3.0)))
    variable(9.0)
    """

    class Declared(Elementwise):
        __slots__ = ()

    Declared.__name__ = Declared.__qualname__ = name
    Declared.forward = staticmethod(forward)  # type: ignore[method-assign]
    Declared._names = tuple(argument[1:] for argument in rules)
    Declared._set_rules(list(rules.values()), skip=1)
    Declared._counts = counts
    formulas: tuple[Any, ...] = (forward, *rules.values())
    serving = (*large, *(None for _ in formulas[len(large) :]))
    Declared._large_forward, *large_rules = (
        partial(in_blocks, own or formula) if own is None or isinstance(own, np.ufunc) else own
        for formula, own in zip(formulas, serving, strict=True)
    )
    Declared._large_rules = tuple(large_rules)
    return Declared


def unary(cls: type[Elementwise], x: Any) -> Variable:
    """Apply an elementwise function of one argument: ``cls()(x)``, faster."""
    if watching.on:
        return watched(cls, x)
    depth = 0
    if isinstance(x, Variable):
        a = x._data
        edge = x._node
        if edge is not None:
            depth = edge._depth
        elif x.requires_grad:
            edge = x
    else:
        if type(x) in plain_types:
            a = x
        elif hasattr(x, "_outranks"):  # an example of vmap's
            return x._apply(cls, x)
        else:
            a = operand(x, cls)
        edge = None
    try:
        if a.__class__ is np.ndarray and a.size >= LARGE:
            y = cls._large_forward(a)
        else:
            y = cls.forward(a)
    except Exception as error:
        _check_initialised(x)
        raise explained(error, cls.__name__, [a]) from error
    out: Variable = new(Variable)
    out._data = y
    out._written = False
    out.grad = None
    out.name = None
    take = cls._takes[0]
    if edge is None or take is None or not Config.enable_backprop:
        out._data = y if hasattr(y, "dtype") else as_array(y)
        out._node = None
        out.requires_grad = False
        return out
    node: Elementwise = new(cls)
    out._node = node
    out.requires_grad = True
    node._edges = (edge,)
    node._saved = (take((a, y)),)
    node._depth = depth + 1
    node._outputs = ref(out)
    node._shape = y.shape
    node._dtype = y.dtype
    return out


def binary(cls: type[Elementwise], x0: Any, x1: Any) -> Variable:
    """Apply an elementwise function of two arguments: ``cls()(x0, x1)``, faster.

    This is the path of every operator, so it is written out flat (benchmarks/NOTES.md).
    """
    if watching.on:
        return watched(cls, x0, x1)
    edge0 = edge1 = None
    depth = -1
    if isinstance(x0, Variable):
        a0 = x0._data
        edge0 = x0._node
        if edge0 is not None:
            depth = edge0._depth
        elif x0.requires_grad:
            edge0 = x0
            depth = 0
            if a0.__class__ is np.ndarray and a0.ndim == 0:
                a0 = a0[()]  # NumPy computes ten times faster with its numbers
    elif type(x0) in plain_types:
        a0 = x0
    elif hasattr(x0, "_outranks") and x0._outranks(x1):  # an example of vmap's
        return x0._apply(cls, x0, x1)
    else:
        a0 = operand(x0, cls)
    if isinstance(x1, Variable):
        a1 = x1._data
        edge1 = x1._node
        if edge1 is not None:
            if edge1._depth > depth:
                depth = edge1._depth
        elif x1.requires_grad:
            edge1 = x1
            if a1.__class__ is np.ndarray and a1.ndim == 0:
                a1 = a1[()]
            if depth < 0:
                depth = 0
    elif type(x1) in plain_types:
        a1 = x1
    elif hasattr(x1, "_outranks") and x1._outranks(x0):  # an example of vmap's
        return x1._apply(cls, x0, x1)
    else:
        a1 = operand(x1, cls)
    try:
        if (a0.__class__ is np.ndarray and a0.size >= LARGE) or (
            a1.__class__ is np.ndarray and a1.size >= LARGE
        ):
            y = cls._large_forward(a0, a1)
        else:
            y = cls.forward(a0, a1)
            if y.__class__ is complex:  # NumPy's float64 is a float to Python's complex numbers
                y = np.complex128(y)
    except Exception as error:
        _check_initialised(x0, x1)
        raise explained(error, cls.__name__, [a0, a1]) from error
    out: Variable = new(Variable)
    out._data = y
    out._written = False
    out.grad = None
    out.name = None
    if depth < 0 or not Config.enable_backprop:
        out._data = y if hasattr(y, "dtype") else as_array(y)
        out._node = None
        out.requires_grad = False
        return out
    node: Elementwise = new(cls)
    out._node = node
    out.requires_grad = True
    take0, take1 = cls._takes
    values = (a0, a1, y)
    node._edges = (
        constant(a0) if edge0 is None else edge0,
        constant(a1) if edge1 is None else edge1,
    )
    node._saved = (
        None if edge0 is None or take0 is None else take0(values),
        None if edge1 is None or take1 is None else take1(values),
    )
    node._depth = depth + 1
    node._outputs = ref(out)
    node._shape = y.shape
    node._dtype = y.dtype
    return out


def watched(cls: type[Elementwise], *xs: Any) -> Variable:
    """Apply an elementwise function by the path that watchers hear of."""
    known = (
        x
        if isinstance(x, Variable) or type(x) in plain_types or hasattr(x, "_outranks")
        else operand(x, cls)
        for x in xs
    )
    return cls()(*known)


def _check_initialised(*xs: Any) -> None:
    for x in xs:
        if isinstance(x, Variable):
            initialised(x)
