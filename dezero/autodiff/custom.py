"""Gradients by hand, no gradient, and gradients that compute their function again."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from dezero import random
from dezero.autodiff.batched import Batch, Batched
from dezero.autodiff.trees import leaves, mapped, plain, rebuilt
from dezero.core import Config, Function, Variable, as_array, no_grad
from dezero.core.backward import conjugate, walk
from dezero.core.forward import as_tangent
from dezero.core.function import attached, edges_of, is_edge, overwritten, written_error
from dezero.core.levels import StandIn, level_above, stand_in
from dezero.core.variable import make
from dezero.core.watch import run_watched, watching


def stop_gradient(x: Any) -> Any:
    """Return ``x``, a Variable or nested structure of these, as constants.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.autodiff import grad, stop_gradient
    >>> print(grad(lambda x: x * stop_gradient(x))(3.0))
    3.0
    """
    return mapped(lambda leaf: make(leaf._data, None) if isinstance(leaf, Variable) else leaf, x)


class _Replayed(Function):
    """A node of any function on structures: its inputs are the Variables in the arguments."""

    def __init__(self, f: Callable[..., Any], args: Any, kwargs: Any) -> None:
        self.f = f
        self.args = args
        self.kwargs = kwargs

    def __call__(self) -> Any:
        """Run the function, and become a node of the graph."""
        if not watching.on:
            return self._applied()
        result: list[Any] = []

        def run(xs: list[Any]) -> tuple[Any, ...]:
            result.append(self._applied())
            return tuple(y._data for y in leaves(result[0]) if isinstance(y, Variable))

        inputs = tuple(self._start())
        run_watched(self, [x._data for x in inputs], run, inputs)
        return result[0]

    def _applied(self) -> Any:
        raise NotImplementedError

    def _start(self) -> list[Variable]:
        """Return the Variables among the arguments that want gradients."""
        return [x for x in leaves((self.args, self.kwargs)) if _wants_gradient(x)]

    def _call(self, values: list[Any]) -> Any:
        """Call the function with ``values`` for its Variables."""
        remaining = iter(values)
        flat = [
            next(remaining) if _wants_gradient(x) else x for x in leaves((self.args, self.kwargs))
        ]
        args, kwargs = rebuilt((self.args, self.kwargs), iter(flat))
        return self.f(*args, **kwargs)

    def _finish(self, variables: list[Variable], below: list[Any], result: Any) -> Any:
        """Become a node, and return the result as Variables computed by it."""
        ys = tuple([as_array(y.data if isinstance(y, Variable) else y) for y in leaves(result)])
        edges, depth = edges_of(tuple(variables))
        edges = (*edges, *below)
        depth = max([depth, *(edge._depth for edge in below)], default=-1)
        if depth < 0 or not ys:
            return plain(result)
        self._saved = (tuple(variables), (), tuple(x._data for x in variables))
        self._kinds = [(y.shape, y.dtype) for y in ys]
        outputs = self._record(edges, depth, ys, len(ys) == 1)
        return rebuilt(result, iter(outputs))

    def _output_kinds(self) -> list[tuple[Any, Any]]:
        return self._kinds

    def _inputs_now(self, recording: bool) -> list[Any]:
        """Return the inputs as they were: Variables in the graph, if the pass is recorded."""
        arrays = self._saved[2]
        if not recording:
            return list(arrays)
        return [attached(a, e) for a, e in zip(arrays, self._edges, strict=False)]

    def _check_unwritten(self, edge: Variable) -> None:
        for x, used in zip(self._saved[0], self._saved[2], strict=True):
            if x is edge and overwritten(edge, used):
                raise written_error(self, edge)


def _wants_gradient(x: Any) -> bool:
    return isinstance(x, Variable) and x.requires_grad


class Checkpoint(_Replayed):
    """A function whose graph is not kept: backward runs it again (:func:`checkpoint`)."""

    def _applied(self) -> Any:
        """Run the function; keep its inputs alone."""
        self.state = random.get_state()
        self.train = Config.train
        variables = self._start()
        with level_above() as floor:
            result = self._call([stand_in(x, floor, connected=False) for x in variables])
            below = _origins([y for y in leaves(result) if isinstance(y, Variable)], floor)
        return self._finish(variables, below, result)

    def _pull(self, gy: Any, recording: bool, skip: int = -1) -> Any:
        gys = self._filled(gy)
        inputs = self._inputs_now(recording)
        with level_above() as floor, _as_before(self):
            stand_ins = [stand_in(x, floor, connected=recording) for x in inputs]
            result = self._call(stand_ins)
            seeds: dict[Any, Any] = {}
            for y, g in zip(leaves(result), gys, strict=True):
                if _wants_gradient(y):
                    seed, end = as_tangent(g, recording), y if y._node is None else y._node
                    seeds[end] = seeds[end] + seed if end in seeds else seed
            nodes = [x._node for x in stand_ins]
            stops = {*nodes, *self._edges[len(nodes) :]}
            found = walk(seeds, recording, stops=stops)
        return [found.get(edge) for edge in (*nodes, *self._edges[len(nodes) :])]


def _origins(ys: list[Variable], floor: int) -> list[Any]:
    """Return what a function closes over: leaves, and arguments of outer transformations.

    What lies between, computed from these within the function or outside, is walked through:
    nothing tells the two apart.
    """
    found: dict[Any, None] = {}
    seen: set[Any] = set()
    stack = [y._node if y._node is not None else y for y in ys if y.requires_grad]
    while stack:
        edge = stack.pop()
        if edge.__class__ is StandIn and edge._depth == floor:
            continue
        if isinstance(edge, Variable) or (edge.__class__ is StandIn and edge._depth < floor):
            found[edge] = None
        elif edge._function not in seen:
            seen.add(edge._function)
            stack += [e for e in edge._function._edges or () if is_edge(e)]
    return list(found)


class _as_before:
    """Put the random state and the mode of the forward pass back for a second run."""

    def __init__(self, node: Checkpoint) -> None:
        self.node = node

    def __enter__(self) -> None:
        self.before = random.get_state(), Config.train, Config.replaying
        random.set_state(self.node.state)
        Config.train, Config.replaying = self.node.train, True

    def __exit__(self, *error: object) -> None:
        state, Config.train, Config.replaying = self.before
        random.set_state(state)


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``f`` with less memory: its inputs are kept, and backward runs it again.

    A network of n layers in sqrt(n) segments, each a checkpoint, keeps sqrt(n) inputs and the
    graph of one segment, for one more forward pass.

    Parameters
    ----------
    f : callable
        Any function, a layer say; it may use Variables and parameters from outside. It has to
        compute the same twice: random draws are repeated.

    Notes
    -----
    Source: T. Chen et al., "Training deep nets with sublinear memory cost", 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> from dezero.autodiff import checkpoint
    >>> x = Variable(np.array(2.0))
    >>> y = checkpoint(lambda x: np.exp(x * x))(x)
    >>> y.backward()
    >>> print(f"{x.grad:.4f}")
    218.3926
    """

    @functools.wraps(f, updated=())
    def run(*args: Any, **kwargs: Any) -> Any:
        if not Config.enable_backprop:
            return f(*args, **kwargs)
        return Checkpoint(f, args, kwargs)()

    return run


class CustomGradient(_Replayed):
    """A function with a gradient by hand (:func:`custom_gradient`)."""

    def _applied(self) -> Any:
        """Run the function, which returns its value and its pullback."""
        variables = self._start()
        with no_grad():
            result, self.pullback = self._both([make(x._data, None) for x in variables])
        return self._finish(variables, [], result)

    def _both(self, values: list[Any]) -> Any:
        both = self._call(values)
        if not isinstance(both, tuple) or len(both) != 2 or not callable(both[1]):
            raise TypeError(
                "custom_gradient: the function returns (value, pullback), where pullback(gy) "
                "returns the gradient of each argument"
            )
        return both

    def _pull(self, gy: Any, recording: bool, skip: int = -1) -> Any:
        gys = [conjugate(g) for g in self._filled(gy)]
        pullback = self.pullback
        if recording:  # once more, so that what the pullback uses knows where it came from
            _, pullback = self._both(self._inputs_now(True))
        gxs = pullback(gys[0] if len(gys) == 1 else tuple(gys))
        several = gxs if isinstance(gxs, tuple | list) else (gxs,)
        if len(several) != len(self.args):
            raise ValueError(
                f"custom_gradient: the pullback returned {len(several)} gradients for "
                f"{len(self.args)} arguments; it returns one for each, None where there is none"
            )
        found = []
        for gx, arg in zip(several, self.args, strict=True):
            ends = list(leaves(arg))
            found += [g for g, x in zip(_along(gx, arg), ends, strict=True) if _wants_gradient(x)]
        found += [None] * (len(self._edges) - len(found))
        return [g if g is None else _conjugated(g, recording) for g in found]


def _along(gx: Any, arg: Any) -> list[Any]:
    """Return the gradients of the ends of an argument; ``None`` stands for a whole branch."""
    if gx is None:
        return [None for _ in leaves(arg)]
    if isinstance(arg, tuple | list):
        return [g for part, item in zip(gx, arg, strict=True) for g in _along(part, item)]
    if isinstance(arg, dict):
        return [g for key, item in arg.items() for g in _along(gx[key], item)]
    return list(leaves(gx))


def _conjugated(g: Any, recording: bool) -> Any:
    return conjugate(as_tangent(g if isinstance(g, Variable) else np.asarray(g), recording))


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function whose gradient is given by hand.

    Parameters
    ----------
    f : callable
        It returns ``(value, pullback)``; ``pullback(gy)`` returns the gradient of the argument,
        or a tuple with one for each, ``None`` where there is none. What it computes with the
        arguments is differentiable again; what the value uses from outside is constant.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero.autodiff import custom_gradient, grad
    >>> @custom_gradient
    ... def log1pexp(x):
    ...     e = np.exp(x)
    ...     return np.log(1 + e), lambda gy: gy * (1 - 1 / (1 + e))
    >>> print(grad(log1pexp)(0.0))
    0.5
    """

    @functools.wraps(f, updated=())
    def run(*args: Any, **kwargs: Any) -> Any:
        node = CustomGradient(f, args, kwargs)
        if Config.enable_backprop and node._start():
            return node()
        batches = [x for x in leaves((args, kwargs)) if isinstance(x, Batched)]
        if Config.enable_backprop and batches:  # what outer levels record is to be by hand too
            top = max(batches, key=lambda x: x._floor)
            return Batch(len(top.value), top._floor).looped(run, args, kwargs)
        return f(*args, **kwargs)[0]

    return run
