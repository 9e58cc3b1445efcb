"""A run of a function on stand-ins for its arguments: what every transformation begins with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from dezero.autodiff.trees import as_floating, is_layer, leaves, plain, rebuilt
from dezero.core import Config, Variable
from dezero.core.backward import conjugate, walk
from dezero.core.forward import as_tangent, functions_above, sweep, tangent_of
from dezero.core.levels import level_above, stand_in
from dezero.core.variable import is_array
from dezero.core.watch import section


class Trace:
    """A function's value, with the graph from its arguments to it.

    Parameters
    ----------
    name : str
        Of the transformation, for messages.
    f : callable
        What is differentiated.
    args : tuple
        All arguments.
    kwargs : dict
        Keyword arguments, given to ``f`` as they are.
    argnums : tuple of int
        Which arguments are differentiated: nested tuples, lists, dicts of arrays, or layers.
    has_aux : bool
        Whether ``f`` returns ``(value, aux)``.
    """

    def __init__(
        self,
        name: str,
        f: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        argnums: tuple[int, ...],
        has_aux: bool = False,
    ) -> None:
        self.name = name
        self.primals = tuple(args[i] for i in argnums)
        recorded = Config.enable_backprop
        with level_above() as floor:
            self.floor = floor
            stand_ins = _StandIns(name, floor, recorded)
            lifted = list(args)
            try:
                for i in argnums:
                    lifted[i] = stand_ins.of(args[i])
                result = f(*lifted, **kwargs)
            finally:
                stand_ins.give_back()
        self.inputs = stand_ins.made
        self.connected = recorded and any(u._node._saved[0] is not None for u in self.inputs)
        self.recorded = recorded
        self._outer: bool | None = None
        self.aux = None
        if has_aux:
            if not isinstance(result, tuple) or len(result) != 2:
                raise TypeError(
                    f"{name}: has_aux=True, but the function returned {type(result).__name__}; "
                    "it wants (value, aux)"
                )
            result, self.aux = result
        self.result = result
        self.ys = [_as_output(name, y) for y in leaves(result)]

    def depends(self, y: Any) -> bool:
        """Whether an output is computed from the arguments."""
        return isinstance(y, Variable) and y._node is not None and y._node._depth >= self.floor

    def value(self) -> Any:
        """Return what the function returned: Variables if outer derivatives may reach them."""
        return self.result if self.outer else _numbers(self.result)

    def auxiliary(self) -> Any:
        """Return the second result."""
        return self.aux if self.outer else plain(self.aux)

    def pull(self, gys: list[Any], recording: bool = True) -> list[Any]:
        """Return the gradient of every input, from those of all outputs.

        Recorded where outer derivatives may reach it, unless ``recording`` is false.
        """
        if not recording:
            return self._pulled(gys, False, set())
        if self.connected or any(_wants_gradient(gy) for gy in gys):
            return self._pulled(gys, True, set())
        outside: set[Any] = set()
        gxs = self._pulled(gys, False, outside)
        self._outer = self.recorded and bool(outside)
        return self._pulled(gys, True, set()) if self._outer else gxs

    def _pulled(self, gys: list[Any], recording: bool, outside: set[Any]) -> list[Any]:
        seeds: dict[Any, Any] = {}
        with _recording(recording or self._batched(gys)), section("backward") as told:
            for y, gy in zip(self.ys, gys, strict=True):
                if self.depends(y):
                    seed = conjugate(as_tangent(gy, recording))
                    seeds[y._node] = seeds[y._node] + seed if y._node in seeds else seed
            found = walk(seeds, recording, None, self.floor, outside)
            if told:
                told[0] = found
            gxs = [found.get(u._node) for u in self.inputs]
            gxs = [
                np.zeros_like(u._data) if gx is None else conjugate(gx)
                for gx, u in zip(gxs, self.inputs, strict=True)
            ]
        if recording:
            return [as_tangent(gx, True) for gx in gxs]
        return _own(gxs, [gy for gy in gys if not isinstance(gy, Variable)])

    def _batched(self, given: list[Any]) -> bool:
        """Whether arrays are vmap's, whose outer levels record what runs on them."""
        xs = [*(u._data for u in self.inputs), *(getattr(y, "_data", y) for y in self.ys), *given]
        return self.recorded and any(hasattr(x, "_outranks") for x in xs)

    def push(self, tangents: list[Any], functions: list[Any], recording: bool) -> list[Any]:
        """Return the tangent of every output, from those of all inputs."""
        with _recording(recording or self._batched(tangents)):
            known = {
                u._node: as_tangent(t, recording)
                for u, t in zip(self.inputs, tangents, strict=True)
            }
            known = sweep(functions, known, recording)
            ts = [tangent_of(y._node, known) if self.depends(y) else None for y in self.ys]
            ts = [
                np.zeros(np.shape(y), _dtype_of(y)) if t is None else t
                for t, y in zip(ts, self.ys, strict=True)
            ]
        return [as_tangent(t, True) for t in ts] if recording else _own(ts, tangents)

    def functions(self) -> list[Any]:
        """Return the recorded functions, the earliest first."""
        roots = [y._node for y in self.ys if self.depends(y)]
        functions, reaches_below = functions_above(roots, self.floor)
        self._outer = self.recorded and (self.connected or reaches_below)
        return functions

    @property
    def outer(self) -> bool:
        """Whether derivatives from outside may reach the result, so that it has to be recorded."""
        if not self.recorded or self.connected:
            return self.connected
        if any(_wants_gradient(y) and not self.depends(y) for y in self.ys):
            return True
        if self._outer is None:
            self.functions()
        return bool(self._outer)


class _Lent(NamedTuple):
    param: Any
    node: Any


class _StandIns:
    """The Variables that a function gets for its arguments; parameters are lent to it."""

    def __init__(self, name: str, floor: int, connected: bool) -> None:
        self.name = name
        self.floor = floor
        self.connected = connected
        self.made: list[Variable] = []
        self._lent: list[_Lent] = []

    def of(self, argument: Any) -> Any:
        """Return what the function gets for one argument."""
        if is_layer(argument):
            for param in argument.params():
                self._lend(param)
            return argument
        if isinstance(argument, tuple | list):
            items = [self.of(item) for item in argument]
            fields = hasattr(argument, "_fields")
            return type(argument)(*items) if fields else type(argument)(items)
        if isinstance(argument, dict):
            return {key: self.of(item) for key, item in argument.items()}
        if argument is None:
            return None
        self.made.append(stand_in(as_floating(argument, self.name), self.floor, self.connected))
        return self.made[-1]

    def _lend(self, param: Variable) -> None:
        """Put a node behind a parameter for the time of the run: it is computed, not a leaf."""
        as_floating(param, self.name)
        made = stand_in(param, self.floor, self.connected)
        self.made.append(made)
        self._lent.append(_Lent(param, param._node))
        param._node = made._node

    def give_back(self) -> None:
        """Make the parameters leaves again."""
        for param, node in reversed(self._lent):
            param._node = node


class _recording:
    """Set whether a pass is recorded, and put it back."""

    def __init__(self, on: bool) -> None:
        self.on = on

    def __enter__(self) -> None:
        self.before = Config.enable_backprop
        Config.enable_backprop = self.on

    def __exit__(self, *error: object) -> None:
        Config.enable_backprop = self.before


def _wants_gradient(x: Any) -> bool:
    return isinstance(x, Variable) and x.requires_grad


def _as_output(name: str, y: Any) -> Any:
    if isinstance(y, Variable) or is_array(y):
        return y
    array = np.asarray(y)
    if array.dtype.kind in "OSU":
        raise TypeError(
            f"{name}: the function returned {type(y).__name__}; it wants arrays or Variables, in "
            "nested tuples, lists or dicts, or has_aux=True for the rest"
        )
    return array


def _dtype_of(y: Any) -> Any:
    return y.dtype if y.dtype.kind in "fc" else np.float64


def _own(arrays: list[Any], given: list[Any]) -> list[Any]:
    """Return the arrays, copied where two share one, or where it belongs to the caller."""
    taken = {id(array) for array in given}
    owned = []
    for array in arrays:
        if isinstance(array, np.ndarray):
            array = array.copy() if array.base is not None or id(array) in taken else array
            taken.add(id(array))
            array = array[()]  # 0-d: NumPy's numbers
        owned.append(array)
    return owned


def _numbers(result: Any) -> Any:
    """Return plain values; NumPy numbers for 0-d ones."""
    if isinstance(result, Variable):
        return result.data[()]
    values = [y.data[()] if isinstance(y, Variable) else y for y in leaves(result)]
    return rebuilt(result, iter(values))
