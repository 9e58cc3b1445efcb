"""Primitive: a built-in function, with one gradient rule for each input in plain NumPy."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from types import CodeType
from typing import Any, ClassVar
from weakref import ref

import numpy as np

from dezero.core.config import Config
from dezero.core.function import (
    Function,
    attached,
    constant,
    describe,
    fresh,
    input_of,
    is_edge,
    overwritten,
    written_error,
)
from dezero.core.shapes import conform
from dezero.core.variable import Variable, initialised, make
from dezero.core.watch import run_watched, watching


class Primitive(Function):
    """A built-in function: one gradient rule for each input, written once in plain NumPy.

    A subclass defines ``forward(self, x, W)`` and, for each input that has a derivative, a method
    named ``g`` and the input's name: ``gx(self, gy, W)``. The arguments after ``gy`` are names of
    inputs, or ``y`` for the output: exactly those arrays are kept until backward. A rule runs on
    raw arrays, or on Variables when the backward pass is recorded; NumPy's protocols make the
    same code serve both.

    Functions whose gradients share work define one joint rule instead, ``gradient(self, gy, ...)``
    which returns a tuple; ``self.needs`` says which of its entries are wanted.
    """

    __slots__ = ()

    _views: ClassVar[bool] = False  # the output may share the memory of the input
    _names: ClassVar[tuple[str, ...]] = ()
    _joint: ClassVar[bool] = False
    _takes: ClassVar[tuple[Callable[[tuple[Any, ...]], tuple[Any, ...]] | None, ...]] = ()
    _wants: ClassVar[tuple[tuple[int, ...], ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "forward" not in cls.__dict__:
            return
        cls._names = _arguments(cls.forward)[1:]
        joint = getattr(cls, "gradient", None)
        cls._joint = joint is not None
        if cls._joint:
            rules = [joint] * len(cls._names)
        else:
            rules = [getattr(cls, "g" + name, None) for name in cls._names]
        cls._set_rules(rules, skip=2)

    @classmethod
    def _set_rules(cls, rules: list[Any], skip: int) -> None:
        """Work out which arrays each rule keeps; its first ``skip`` arguments are none."""
        position = {name: i for i, name in enumerate((*cls._names, "y"))}
        wants = [
            () if rule is None else tuple(position[a] for a in _arguments(rule)[skip:])
            for rule in rules
        ]
        cls._wants = tuple(wants)
        cls._takes = tuple(
            None if rule is None else _taker(want) for rule, want in zip(rules, wants, strict=True)
        )
        cls._rules = None if cls._joint else tuple(rules)

    def __call__(self, *inputs: Any) -> Any:
        """Compute the outputs, and become a node of the graph."""
        if hasattr(self, "_edges"):
            return fresh(self)(*inputs)
        xs: list[Any] = []
        edges: list[Any] = []
        depth = -1
        for x in inputs:
            edge = None
            if isinstance(x, Variable):
                a = x._data
                edge = x._node
                if edge is None and x.requires_grad:
                    edge = x
                if edge is not None and edge._depth > depth:
                    depth = edge._depth
                if a is None:
                    initialised(x)
            else:
                if hasattr(x, "_outranks") and x._outranks(*inputs):  # an example of vmap's
                    return x._apply(self, *inputs)
                a = self._constant(x)
            xs.append(np.asarray(a) if isinstance(a, np.generic) else a)
            edges.append(edge)
        y = run_watched(self, xs, self._run, inputs) if watching.on else self._run(xs)
        single = type(y) is not tuple
        if depth >= 0 and Config.enable_backprop:
            saved = self._kept(edges, (*xs, y))
            if saved.count(None) != len(saved):
                self._saved = saved
                for i, edge in enumerate(edges):
                    if edge is None:
                        edges[i] = constant(xs[i])
                if self._views and isinstance(edges[0], Variable) and _is_view(y):
                    self._read = xs[0]
                if not single:
                    return tuple(self._record(tuple(edges), depth, y, False))
                self._edges = tuple(edges)
                self._depth = depth + 1
                out = make(y, self)
                self._outputs = ref(out)
                self._shape, self._dtype = y.shape, y.dtype
                return out
        return make(y, None) if single else tuple(make(part, None) for part in y)

    def _constant(self, x: Any) -> Any:
        """Return a raw input as an array; numbers stay weak where inputs broadcast."""
        if x is None or hasattr(x, "shape") or (self._broadcasts and type(x) in plain_types):
            return x
        return np.asarray(operand(x, type(self)))

    def _kept(self, edges: list[Any], values: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return, for each input that has an edge, what its rule is called with."""
        return tuple(
            [
                None if edge is None or take is None else take(values)
                for edge, take in zip(edges, self._takes, strict=True)
            ]
        )

    @property
    def needs(self) -> tuple[bool, ...]:
        """Which inputs want a gradient: a rule may skip the work for the others."""
        return tuple(saved is not None for saved in self._saved)

    def _pull(self, gy: Any, recording: bool, skip: int = -1) -> Any:
        saved = self._recorded() if recording else self._saved
        gy = gy if isinstance(self._outputs, ref) else self._filled(gy)
        if self._joint:
            args = next(args for args in saved if args is not None)
            gxs = self.gradient(gy, *args)  # type: ignore[attr-defined]
            self._check_count(gxs)
            return [
                None if args is None else gx for gx, args in zip(gxs, self._saved, strict=True)
            ]
        return [
            None if args is None or edge._depth < skip else rule(self, gy, *args)
            for edge, rule, args in zip(self._edges, self._rules or (), saved, strict=True)
        ]

    def backward(self, *gys: Any) -> Any:
        """Return the gradients by hand, as in step 6 of the book: arrays from arrays."""
        if not hasattr(self, "_outputs"):
            raise RuntimeError(f"{self._name}.backward: call the function on variables first")
        recording = any(isinstance(gy, Variable) for gy in gys)
        gxs = self._pull(gys[0] if isinstance(self._outputs, ref) else gys, recording)
        gxs = [
            None if gx is None else conform(gx, edge, self)
            for gx, edge in zip(gxs, self._edges, strict=True)
        ]
        return gxs[0] if len(gxs) == 1 else tuple(gxs)

    def _output_kinds(self) -> list[tuple[Any, Any]]:
        return self._kinds

    def _record(
        self, edges: tuple[Any, ...], depth: int, ys: tuple[Any, ...], single: bool
    ) -> list[Variable]:
        if not single:
            self._kinds = [(y.shape, y.dtype) for y in ys]
        return super()._record(edges, depth, ys, single)

    def _recorded(self) -> tuple[Any, ...]:
        """Return what the rules keep, as Variables that know where they come from."""
        return tuple(
            None
            if args is None
            else tuple(self._variable_of(i, a) for i, a in zip(want, args, strict=True))
            for want, args in zip(self._wants, self._saved, strict=True)
        )

    def _variable_of(self, index: int, array: Any) -> Any:
        """Return value ``index`` (the inputs, then the output) as a Variable in the graph."""
        if index == len(self._edges):
            return attached(array, self)
        edge = self._edges[index]
        constant = not is_edge(edge) or self._takes[min(index, len(self._takes) - 1)] is None
        return array if constant else attached(array, edge)

    def _arrays(self) -> dict[int, Any]:
        """Return the arrays that are kept, by the number of the input (the output comes last)."""
        return {
            index: array
            for want, args in zip(self._wants, self._saved, strict=True)
            for index, array in zip(want, args or (), strict=False)
        }

    def _check_unwritten(self, edge: Variable) -> None:
        if self._views and overwritten(edge, getattr(self, "_read", None)):
            raise written_error(self, edge)
        for index, used in self._arrays().items():
            is_input = index < len(self._edges) and self._edges[index] is edge
            if is_input and overwritten(edge, used):
                raise written_error(self, edge)

    @property
    def inputs(self) -> tuple[Variable, ...]:
        """The variables that this function was called on.

        One that nobody holds any more is made again; where its array was not kept, a read-only
        placeholder of its shape and dtype stands for it, of NaN where it is floating.
        """
        if not self._edges:  # the graph was cut here
            return ()
        kept = self._arrays()
        return tuple(input_of(edge, kept.get(i)) for i, edge in enumerate(self._edges))


class Variadic(Primitive):
    """A built-in function of any number of inputs, ``forward(self, *xs)``.

    It has a joint rule: ``gradient(self, gy)``, or ``gradient(self, gy, xs)`` to keep the inputs.
    """

    __slots__ = ()

    def _kept(self, edges: list[Any], values: tuple[Any, ...]) -> tuple[Any, ...]:
        args = (values[:-1],) if self._wants[0] else ()
        return tuple([None if edge is None else args for edge in edges])

    def _recorded(self) -> tuple[Any, ...]:
        if not self._wants[0]:
            return self._saved
        (xs,) = next(args for args in self._saved if args is not None)
        variables = tuple(self._variable_of(i, x) for i, x in enumerate(xs))
        return tuple(None if args is None else (variables,) for args in self._saved)

    def _arrays(self) -> dict[int, Any]:
        args: tuple[Any, ...] = next((args for args in self._saved if args is not None), ())
        return dict(enumerate(args[0])) if args else {}


plain_types = frozenset((np.ndarray, int, float, bool, complex))


def operand(x: Any, cls: type[Function]) -> Any:
    """Return ``x`` as something to compute with; numbers stay numbers, so that they are weak."""
    if x is None or isinstance(x, str | bytes | dict):
        raise TypeError(f"{cls.__name__} got {describe(x)}; it wants variables, arrays or numbers")
    return x if hasattr(x, "dtype") else np.asarray(x)


def _arguments(function: Any) -> tuple[str, ...]:
    code: CodeType = function.__code__
    count = code.co_argcount + bool(code.co_flags & 4)  # 4: takes *args
    return code.co_varnames[:count]


def _taker(want: tuple[int, ...]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """Return a fast function that picks entries of a tuple, as a tuple."""
    if len(want) > 1:
        return itemgetter(*want)
    start = want[0] if want else 0
    return itemgetter(slice(start, start + len(want)))


def _is_view(y: Any) -> bool:
    return isinstance(y, tuple) or getattr(y, "base", None) is not None
