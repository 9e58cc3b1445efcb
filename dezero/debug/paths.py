"""How large the gradients are on their way from a loss to its leaves, function by function."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from dezero.core import Primitive, Variable
from dezero.core.backward import conjugate, walk
from dezero.core.config import using_config
from dezero.core.function import Function, Output, is_edge
from dezero.core.places import Place
from dezero.core.shapes import conform
from dezero.core.watch import Watcher, start, stop, unwatched
from dezero.tracing import origin


@dataclass(frozen=True, slots=True)
class Size:
    """How large an array of gradients is.

    Attributes
    ----------
    norm : float
        The root of the sum of squares.
    largest : float
        The largest absolute value.
    zeros : float
        The share of elements that are zero, from 0 to 1.
    """

    norm: float
    largest: float
    zeros: float

    @property
    def finite(self) -> bool:
        """Whether it holds neither NaN nor infinity."""
        return math.isfinite(self.largest)


NOTHING = Size(0.0, 0.0, 1.0)


def size_of(gx: Any) -> Size:
    """Return the size of an array, of a NumPy number, or of several of these together."""
    if isinstance(gx, list):
        sizes = [size_of(part) for part in gx if part is not None]
        norm = math.hypot(*(s.norm for s in sizes))
        zeros = min((s.zeros for s in sizes), default=1.0)
        return Size(norm, max((s.largest for s in sizes), default=0.0), zeros)
    if isinstance(gx, np.generic):
        largest = float(np.abs(gx))
        return Size(largest, largest, float(largest == 0))
    if getattr(gx, "__array_ufunc__", gx) is None:  # recurrent layers: not multiplied out yet
        gx = np.asarray(gx)
    flat = np.abs(gx).reshape(-1)
    if flat.size == 0:
        return NOTHING
    largest = float(flat.max())
    if largest == 0 or not math.isfinite(largest):
        return Size(largest, largest, 1.0 if largest == 0 else 0.0)
    norm = math.sqrt(float(np.einsum("i,i->", flat, flat, dtype=np.float64, casting="same_kind")))
    if norm == 0 or not math.isfinite(norm):  # squares that are too small, or too large
        norm = largest * float(np.linalg.norm(flat / largest))
    return Size(norm, largest, 1 - int(np.count_nonzero(flat)) / flat.size)


def shown(place: Place) -> str:
    """Return a place as ``file:line``, seen from the working directory where it lies in it."""
    folder = os.getcwd() + os.sep
    return str(place).removeprefix(folder)


@dataclass(frozen=True, slots=True)
class Step:
    """One function on the way of a gradient.

    Attributes
    ----------
    function : Function
        The node.
    arrived : Size
        The gradient of its output, summed over all that use it.
    passed : Size
        The gradient that it gave to the next function on the way.
    index : int
        Which of its inputs that one was.
    """

    function: Function
    arrived: Size
    passed: Size
    index: int

    @property
    def name(self) -> str:
        """The name of the function."""
        return self.function._name

    @property
    def factor(self) -> float:
        """What the norm was multiplied by; NaN where nothing arrived."""
        return self.passed.norm / self.arrived.norm if self.arrived.norm else math.nan

    @property
    def place(self) -> Place | None:
        """The line of the program that called the function, if it was traced."""
        found = origin(self.function)
        return found.place if found else None

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers around it, the outermost first, if it was traced."""
        found = origin(self.function)
        return found.layers if found else ()


def edges_with_gradient(function: Function) -> list[tuple[int, Any]]:
    """Return which inputs get a gradient, with where they came from."""
    saved: Any = function._saved if isinstance(function, Primitive) else None
    return [
        (i, edge)
        for i, edge in enumerate(function._edges or ())
        if is_edge(edge) and (saved is None or saved[i] is not None)
    ]


def functions_behind(node: Any) -> list[Function]:
    """Return the functions that gradients pass from ``node`` on, the latest first."""
    if node._function is None:
        return []
    seen = {node._function}
    stack = list(seen)
    while stack:
        for _, edge in edges_with_gradient(stack.pop()):
            if isinstance(edge, Output) and edge.is_cut:
                continue
            behind = edge._function
            if behind is not None and behind not in seen:
                seen.add(behind)
                stack.append(behind)
    return sorted(seen, key=lambda f: -f._depth)


def leaves_behind(node: Any) -> set[Variable]:
    """Return the leaves that gradients come to from ``node`` on."""
    edges = (e for f in functions_behind(node) for _, e in edges_with_gradient(f))
    return {edge for edge in edges if isinstance(edge, Variable)}


class Flow(Watcher):
    """All gradients of a loss, measured on one walk: no ``grad`` is touched, no graph freed.

    Parameters
    ----------
    loss : Variable
        A result with a graph behind it.

    Attributes
    ----------
    functions : list of Function
        What the walk visits, the latest first.
    arrived : dict of Function to Size
        The gradient of each function's output.
    passed : dict of Function to list
        What each function gave to each of its inputs: a Size, or ``None``.
    gradients : dict of int to array
        The gradients of leaves, and of living variables on the way, by ``id``.
    leaves : dict of Variable to Size
        The gradients of the leaves.
    seed : Size
        The gradient that the walk began with.
    notes : tuple of str
        What there is to say of the graph, whichever leaf is asked for.
    """

    def __init__(self, loss: Variable) -> None:
        self.loss = loss
        self.functions = functions_behind(loss._node)
        self.users = _users(self.functions)
        self.arrived: dict[Function, Size] = {}
        self.passed: dict[Function, list[Size | None]] = {}
        self.gradients: dict[int, Any] = {}
        self.leaves: dict[Variable, Size] = {}
        self.notes: tuple[str, ...] = ()
        self.outputs: dict[Function, list[Output]] = {}
        for key in self.users:
            if isinstance(key, Output):
                self.outputs.setdefault(key._function, []).append(key)
        self._walk()

    def _walk(self) -> None:
        given = self.loss.grad
        seed = np.ones_like(self.loss.data) if given is None else getattr(given, "data", given)
        seed = conjugate(seed[()])
        self.seed = size_of(seed)
        between: list[tuple[Variable, Any]] = []
        with unwatched(), using_config("enable_backprop", False), np.errstate(all="ignore"):
            start(self)
            try:
                leaves = walk({self.loss._node: seed}, False, between)
            finally:
                stop(self)
        self.leaves = {leaf: size_of(gx) for leaf, gx in leaves.items()}
        for variable, gx in [*between, *leaves.items()]:
            self.gradients[id(variable)] = conjugate(gx)
        self._alive = between  # so that no id is used again
        self.gradients[id(self.loss)] = seed

    def before_gradient(self, function: Any, gy: Any) -> None:
        """Measure what arrives."""
        self.arrived[function] = size_of(gy)

    def after_gradient(self, function: Any, gy: Any, gxs: Any) -> None:
        """Measure what goes on: in the shape of the input, with broadcasting undone."""
        if gxs is not None:
            self.passed[function] = [
                None if gx is None or not is_edge(edge) else size_of(conform(gx, edge, function))
                for gx, edge in zip(gxs, function._edges, strict=True)
            ]

    def target(self, param: Variable) -> Any:
        """Return the key of ``param`` in ``users``; ``None`` if no gradient comes to it."""
        if param in self.users:
            return param
        if param._node is not None:
            return param._node if param._node in self.users else None
        for function in self.functions:  # cut off by unchain: a leaf now
            if not function._edges and function._variable() is param:
                return function
        return None

    def contributions(self, target: Any) -> list[Step]:
        """Return the functions that give ``target`` a gradient, the largest first."""
        steps = [
            Step(f, self.arrived.get(f, NOTHING), self._given(f, index), index)
            for f, index in self.users.get(target, ())
        ]
        return sorted(steps, key=_importance, reverse=True)

    def path_to(self, target: Any) -> list[Step]:
        """Return the way, from the loss on, that the largest part of the gradient came."""
        steps: list[Step] = []
        root = self.loss._node._function
        seen = set()
        while target not in seen:
            seen.add(target)
            users = self.contributions(target)
            if not users:
                break
            steps.append(users[0])
            function = users[0].function
            if function is root:
                break
            target = self._busiest(function)
        return steps[::-1]

    def _busiest(self, function: Function) -> Any:
        """Return the output of ``function`` that the largest gradient comes to."""
        if not isinstance(function._outputs, tuple):
            return function
        outputs = self.outputs.get(function)
        if not outputs:
            return function
        return max(outputs, key=lambda o: _importance(self.contributions(o)[0]))

    def _given(self, function: Function, index: int) -> Size:
        passed = self.passed.get(function)
        return (passed[index] if passed else None) or NOTHING


def _users(functions: list[Function]) -> dict[Any, list[tuple[Function, int]]]:
    """Return who uses each node or leaf, and as which input."""
    users: dict[Any, list[tuple[Function, int]]] = {}
    for function in functions:
        for index, edge in edges_with_gradient(function):
            users.setdefault(edge, []).append((function, index))
    return users


def _importance(step: Step) -> tuple[bool, float, float]:
    """Order steps: first what is not finite, then what is large, then where much arrives."""
    bad = not step.passed.finite
    return bad, 0.0 if bad else step.passed.norm, step.arrived.norm if step.arrived.finite else 0.0
