"""The run that a page shows: forward as it happened, backward as the engine's own walk does it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from dezero.core.backward import conjugate, freed_error, walk
from dezero.core.config import using_config
from dezero.core.function import Function, Output, is_edge
from dezero.core.shapes import conform
from dezero.core.variable import Variable
from dezero.core.watch import Watcher, start, stop, unwatched
from dezero.tracing import trace
from dezero.viz.page.values import summary


class Recorder(trace):
    """A trace that also keeps every array of the run, which the engine frees where it can."""

    def __init__(self, depth: int = 1) -> None:
        super().__init__(depth)
        self.values: WeakKeyDictionary[Any, tuple[list[Any], Any]] = WeakKeyDictionary()
        self.arrived: dict[int, int] = {}
        self._held: list[Any] = []

    def after(self, function: Any, xs: list[Any], ys: Any) -> None:
        """Keep what ``function`` was given and gave."""
        self.values[function] = (list(xs), ys)

    def enter(self, part: Any, inputs: tuple[Any, ...]) -> None:
        """Remember how deep in the layers each array first came: it was made outside of there."""
        for x in inputs:
            array = getattr(x, "_data", x)
            if hasattr(array, "shape"):
                self._held.append(array)  # so that its id stays its own
                self.arrived.setdefault(id(array), len(self.layers))
        super().enter(part, inputs)


def leads_on(edge: Any) -> bool:
    """Whether an edge goes to a function: not to a leaf, nor to where the graph was cut."""
    if isinstance(edge, Output):
        return not edge.is_cut
    return isinstance(edge, Function) and edge._edges != ()


@dataclass(slots=True)
class Share:
    """What one function gives to the gradient of one of its inputs.

    Attributes
    ----------
    input : int
        Which input.
    edge : object
        What the input is to the engine: the node that computed it, or the Variable.
    part : list
        The summary of what is given.
    total : list, optional
        That of the sum so far, if something was there before.
    """

    input: int
    edge: Any
    part: list[Any]
    total: list[Any] | None = None


@dataclass(slots=True)
class Visit:
    """The walk at one function: the gradients of its outputs, what it gives, who waits since."""

    function: Function
    arrived: list[Any]
    shares: list[Share] = field(default_factory=list)
    woken: list[Function] = field(default_factory=list)


class WalkRecorder(Watcher):
    """Writes down each visit of a walk, as it happens."""

    def __init__(self, brief: bool) -> None:
        self.brief = brief
        self.visits: list[Visit] = []
        self.waiting: set[Any] = set()
        self.sums: dict[Any, Any] = {}

    def _seen(self, g: Any) -> Any:
        return None if g is None else summary(g, self.brief)

    def wake(self, edge: Any) -> Function | None:
        """Return the function behind ``edge`` if it begins to wait now."""
        if not leads_on(edge) or edge._function in self.waiting:
            return None
        self.waiting.add(edge._function)
        return edge._function

    def before_gradient(self, function: Any, gy: Any) -> None:
        """Note that the walk is at ``function``."""
        gys = gy if isinstance(gy, list) else [gy]
        self.visits.append(Visit(function, [self._seen(g) for g in gys]))

    def after_gradient(self, function: Any, gy: Any, gxs: Any) -> None:
        """Note where its gradients go, and what they add up to there."""
        visit = self.visits[-1]
        for i, (edge, gx) in enumerate(zip(function._edges, gxs or (), strict=False)):
            if gx is None or not is_edge(edge):
                continue
            gx = conform(gx, edge, function)
            share = Share(i, edge, self._seen(gx))
            if edge in self.sums:
                gx = self.sums[edge] + gx
                share.total = self._seen(gx)
            self.sums[edge] = gx
            visit.shares.append(share)
            woken = self.wake(edge)
            if woken is not None:
                visit.woken.append(woken)
        for edge in self._own_outputs(function):
            self.sums.pop(edge, None)  # visited: what waited there is used

    @staticmethod
    def _own_outputs(function: Any) -> list[Any]:
        outputs = [function]
        if isinstance(function._outputs, tuple):
            outputs += [y._node for y in (ref() for ref in function._outputs) if y is not None]
        return outputs


@dataclass(slots=True)
class Walk:
    """A recorded walk: seeds, whom they woke, visits, and what the engine left at the leaves."""

    seeds: list[tuple[Any, list[Any]]]
    woken: list[Function]
    visits: list[Visit]
    leaves: list[tuple[Any, list[Any]]]


def record_walk(outputs: list[Variable], brief: bool = False) -> Walk | None:
    """Walk backward from ``outputs``, each with a gradient of ones, and return the record.

    It is the walk of ``backward()`` itself, on plain arrays, and stores nothing: the ``grad`` of
    every Variable stays as it was. ``None`` where there is nothing to differentiate.
    """
    roots = [y for y in outputs if isinstance(y._node, Function | Output)]
    roots = [y for y in roots if y.dtype.kind in "fc"]
    if not roots:
        return None
    for y in roots:
        if not leads_on(y._node):
            raise freed_error(y._node._function._name)
    seeds = {y._node: conjugate(np.ones_like(y.data)[()]) for y in roots}
    recorder = WalkRecorder(brief)
    woken = [f for f in map(recorder.wake, seeds) if f is not None]
    shown = [(node, summary(seed, brief)) for node, seed in seeds.items()]
    recorder.sums.update(seeds)
    with unwatched(), using_config("enable_backprop", False):
        start(recorder)
        try:
            leaves = walk(seeds, False)
        finally:
            stop(recorder)
    ends = [(leaf, summary(conjugate(gx), brief)) for leaf, gx in leaves.items()]
    return Walk(shown, woken, recorder.visits, ends)
