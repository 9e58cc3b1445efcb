"""Levels: a derivative inside a function that is being differentiated, told apart by depth.

Each transformation of :mod:`dezero.autodiff` runs its function one level up, on stand-ins for the
arguments whose depth is the *floor* of that level. All that is computed from them lies above the
floor, and all that was there before, Variables of outer levels that the function closes over
included, lies below it. So a walk that ends at the floor sees just its own level.
"""

from __future__ import annotations

import itertools
import operator
import threading
from typing import Any
from weakref import ref

from dezero.core.config import Config
from dezero.core.elementwise import elementwise
from dezero.core.function import constant
from dezero.core.variable import HEIGHT, Variable, make

_numbers = itertools.count(1)  # of the process: what outlives a level lies below all later ones


class _State(threading.local):
    floors: tuple[int, ...] = ()


_state = _State()


class level_above:
    """Enter a level above all that there have been, recording; give its floor."""

    __slots__ = ("_before", "_recording")

    def __enter__(self) -> int:
        self._before, self._recording = _state.floors, Config.enable_backprop
        floor = next(_numbers) * HEIGHT
        _state.floors = (*self._before, floor)
        Config.enable_backprop = True
        return floor

    def __exit__(self, *error: object) -> None:
        _state.floors, Config.enable_backprop = self._before, self._recording


def active_floors() -> tuple[int, ...]:
    """Return the floors of the running transformations, the innermost last."""
    return _state.floors


StandIn = elementwise("StandIn", operator.pos, counts=True, gx=lambda gy: gy)
"""The node of an argument at the floor of a level: the same value, the graph behind it below."""


def stand_in(x: Any, floor: int, connected: bool = True) -> Variable:
    """Return a Variable of the value of ``x`` at the floor of a level.

    Parameters
    ----------
    x : Variable or array
        Outer derivatives reach a Variable through the result.
    floor : int
        What :func:`level_above` gave.
    connected : bool, default True
        Whether they do.
    """
    origin = None
    if isinstance(x, Variable):
        if connected:
            origin = x._node if x._node is not None else x if x.requires_grad else None
        x = x._data
    if x.ndim == 0:
        x = x[()]  # NumPy computes ten times faster with its numbers
    node = object.__new__(StandIn)
    node._edges = (constant(x) if origin is None else origin,)
    node._saved = (None if origin is None else (),)
    node._depth = floor
    node._shape, node._dtype = x.shape, x.dtype
    out = make(x, node)
    node._outputs = ref(out)
    return out
