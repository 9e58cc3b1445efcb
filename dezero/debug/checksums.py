"""Checksums of the arrays that a node keeps until its gradient is computed."""

from __future__ import annotations

import zlib
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from dezero.core import Config, Function, Primitive, Variable, Variadic
from dezero.functions.linear_algebra import Einsum

_sums: WeakKeyDictionary[Any, dict[int, int]] = WeakKeyDictionary()


def remember(function: Function, inputs: tuple[Any, ...], xs: list[Any], ys: Any) -> None:
    """Note what is in the arrays that ``function`` is going to keep, if it becomes a node.

    Parameters
    ----------
    function : Function
        What has just computed ``ys``.
    inputs : tuple
        What it was called on.
    xs : list of array
        The arrays of these.
    ys : array or tuple of array
        What it returned.
    """
    wanted = [_wants_gradient(x) for x in inputs]
    if not Config.enable_backprop or not any(wanted):
        return
    values = [*xs, *(ys if isinstance(ys, tuple) else (ys,))]
    found = {}
    for index in _kept(function, wanted, values):
        if type(values[index]) is np.ndarray:
            found[index] = checksum(values[index])
    if found:
        _sums[function] = found


def changed(function: Function) -> dict[int, Any]:
    """Return the arrays of a node that are not what they were, by number: inputs, then outputs."""
    sums = _sums.get(function)
    if not sums:
        return {}
    return {
        i: a
        for i, a in arrays_of(function).items()
        if i in sums and type(a) is np.ndarray and checksum(a) != sums[i]
    }


def arrays_of(function: Function) -> dict[int, Any]:
    """Return the arrays that a node keeps, by number: inputs, then outputs."""
    if not function._saved:
        return {}
    if isinstance(function, Primitive):
        return function._arrays()
    _, ys, used = function._saved
    return dict(enumerate((*used, *ys)))


def checksum(array: Any) -> int:
    """Return the CRC-32 of an array's numbers, however they lie in memory.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(6.0).reshape(2, 3)
    >>> before = checksum(x)
    >>> x[:, 1] = x[::-1, 1]  # two numbers change places
    >>> checksum(x) == before
    False
    """
    once = tuple(slice(0, 1) if step == 0 else slice(None) for step in array.strides)
    array = array[once]  # what broadcasting repeats is looked at once
    if not array.flags.forc:
        array = array.copy(order="K")
    return zlib.crc32(array.reshape(-1, order="A").view(np.uint8))


def _wants_gradient(x: Any) -> bool:
    return isinstance(x, Variable) and (x._node is not None or x.requires_grad)


def _kept(function: Function, wanted: list[bool], values: list[Any]) -> set[int]:
    """Return the numbers of the arrays that the gradient rules read."""
    count = len(wanted)
    if isinstance(function, Variadic):
        kept = set(range(count)) if function._wants[0] else set()
        if isinstance(function, Einsum) and wanted.count(True) == 1:
            kept.discard(wanted.index(True))  # its gradient is a product of the others
        return kept
    if isinstance(function, Primitive):
        wants = zip(function._wants, wanted, strict=False)
        kept = {index for want, edge in wants if edge for index in want}
        if function._joint and wanted.index(True) == count - 1:
            kept -= _spared(function._name, count)
        return kept
    return _read(function, count, values)


def _spared(name: str, count: int) -> set[int]:
    """Return what a joint rule keeps but does not read if the last input alone has a gradient."""
    if name in ("BatchNorm", "LayerNorm", "GroupNorm"):
        return set(range(count))  # it is added at the end
    if name in ("Solve", "SolveTriangular", "SolveBanded", "SparseSolve", "Sylvester"):
        return {count}  # the solution is for the gradient of the matrix
    return set()


def _read(function: Function, count: int, values: list[Any]) -> set[int]:
    """Return what a backward in the book's form reads, as far as its names say.

    The node keeps all inputs and outputs, but to write into those that nobody reads is no error.
    """
    code = getattr(type(function).backward, "__code__", None)
    names = set(code.co_names if code else ("inputs", "outputs"))
    found: set[int] = set()
    if names & {"inputs", "input"}:
        found.update(range(count))
    if names & {"outputs", "output"}:
        found.update(range(count, len(values)))
    attributes = getattr(function, "__dict__", {}).values()
    kept = {id(a) for a in attributes}
    return found | {i for i, value in enumerate(values) if id(value) in kept}
