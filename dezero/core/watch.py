"""Watching a run: who wants to be told of every function, layer and walk asks here.

Nobody does until a tool is switched on, and all that the engine pays for that is to look at
``watching.on``, which is 0.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any
from weakref import WeakKeyDictionary


class Watcher:
    """Told of what runs in its thread between :func:`start` and :func:`stop`; does nothing.

    What comes in pairs is nested like calls are; the second of a pair comes too if an error
    passes, with ``None`` for what was not computed.
    """

    def before(self, function: Any, xs: list[Any]) -> None:
        """Hear that ``function``, not yet a node, is going to compute on the arrays ``xs``."""

    def after(self, function: Any, xs: list[Any], ys: Any) -> None:
        """Hear that it gave ``ys``: an array, or a tuple of them."""

    def before_gradient(self, function: Any, gy: Any) -> None:
        """Hear that the walk is at the node ``function`` with the gradient of its output.

        It is a list of them, ``None`` for those that nobody used, where there are several outputs.
        """

    def after_gradient(self, function: Any, gy: Any, gxs: Any) -> None:
        """Hear what its rules gave: for each input a gradient or ``None``, not summed to shape.

        Gradients are arrays, NumPy numbers, or Variables where the walk is recorded.
        """

    def enter(self, part: Any, inputs: tuple[Any, ...]) -> None:
        """Hear that a part begins: a Layer, an Optimizer, or the string ``"backward"``."""

    def leave(self, part: Any, outputs: Any) -> None:
        """Hear that it ended: what a layer returned, the gradients of leaves that a walk found."""


class _Watching(threading.local):
    watchers: tuple[Watcher, ...] = ()  # of this thread, in the order they began
    inputs: tuple[Any, ...] = ()  # what the function that runs was called on


class Switch:
    """Whether anybody watches: ``on`` counts the watchers of all threads."""

    __slots__ = ("on",)

    def __init__(self) -> None:
        self.on = 0


watching = Switch()
_local = _Watching()
_lock = threading.Lock()

origins: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
"""Where functions were called, as far as somebody traced it: see :mod:`dezero.tracing`."""


def start(watcher: Watcher) -> None:
    """Tell ``watcher`` from now on of what this thread runs."""
    _local.watchers = (*_local.watchers, watcher)
    with _lock:
        watching.on += 1


def stop(watcher: Watcher) -> None:
    """Tell ``watcher`` no more."""
    left = tuple(w for w in _local.watchers if w is not watcher)
    with _lock:
        watching.on -= len(_local.watchers) - len(left)
    _local.watchers = left


def watchers() -> tuple[Watcher, ...]:
    """Return who watches this thread."""
    return _local.watchers


@contextmanager
def unwatched() -> Iterator[None]:
    """Tell nobody of what runs inside the block: for watchers that compute with Variables."""
    kept, _local.watchers = _local.watchers, ()
    try:
        yield
    finally:
        _local.watchers = kept


def given() -> tuple[Any, ...]:
    """Return what the function that a watcher hears of was called on: Variables, arrays ..."""
    return _local.inputs


def run_watched(function: Any, xs: list[Any], compute: Any, inputs: tuple[Any, ...]) -> Any:
    """Return ``compute(xs)`` and tell the watchers of it: a forward pass."""
    told = _local.watchers
    outer, _local.inputs = _local.inputs, inputs
    heard = 0
    ys = None
    try:
        for watcher in told:
            watcher.before(function, xs)
            heard += 1
        ys = compute(xs)
    finally:
        try:
            _tell_end(told[:heard], "after", function, xs, ys)
        finally:
            _local.inputs = outer
    return ys


def pull_watched(pull: Any, function: Any, gy: Any, recording: bool, skip: int) -> Any:
    """Return the gradients of the inputs of ``function`` and tell the watchers of it."""
    told = _local.watchers
    heard = 0
    gxs = None
    try:
        for watcher in told:
            watcher.before_gradient(function, gy)
            heard += 1
        gxs = pull(function, gy, recording, skip)
    finally:
        _tell_end(told[:heard], "after_gradient", function, gy, gxs)
    return gxs


def _tell_end(told: tuple[Watcher, ...], event: str, *what: Any) -> None:
    """Tell the watchers, the latest first; all of them, even if one raises an error."""
    if told:
        try:
            getattr(told[-1], event)(*what)
        finally:
            _tell_end(told[:-1], event, *what)


@contextmanager
def part(what: Any, inputs: tuple[Any, ...] = ()) -> Iterator[list[Any]]:
    """Tell the watchers that a part of the program runs inside the block.

    The list that the block gets takes what it computed, if anything.
    """
    told = _local.watchers
    outputs: list[Any] = [None]
    heard = 0
    try:
        for watcher in told:
            watcher.enter(what, inputs)
            heard += 1
        yield outputs
    finally:
        _tell_end(told[:heard], "leave", what, outputs[0])


def section(what: Any, inputs: tuple[Any, ...] = ()) -> AbstractContextManager[Any]:
    """Return :func:`part` where anybody watches, a block that does nothing elsewhere."""
    return part(what, inputs) if watching.on else _UNWATCHED


_UNWATCHED = nullcontext()
