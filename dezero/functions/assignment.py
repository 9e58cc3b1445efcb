"""Assignment to a part of a Variable, ``x[index] = v``, with gradients for both."""

from __future__ import annotations

import sys
from typing import Any
from weakref import ref

import numpy as np

from dezero.core import Config, Variable
from dezero.core.function import Function, Output
from dezero.core.variable import make
from dezero.functions.indexing import SetItem, check_holds, plain_index
from dezero.functions.nesting import nested


def assign(x: Variable, index: Any, value: Any) -> None:
    """Write ``value`` at ``index`` of ``x``, as ``x[index] = value`` does.

    What is recorded is :func:`dezero.functions.set_item`: the Variable ``x`` becomes the result,
    and what was computed from it before keeps the old values and their gradients. So nobody
    else's array changes, not even where ``x`` or the other is a part of the other. Where nobody
    else has the array of ``x`` it is written in place, otherwise it is copied first.

    A leaf that wants a gradient cannot be assigned to while recording: it stands for the input of
    the computation. Under ``no_grad()`` its own array is written, as an optimiser does.

    Raises
    ------
    RuntimeError
        If ``x`` is a leaf that wants a gradient, while recording.
    IndexError, ValueError, TypeError
        As :func:`dezero.functions.set_item`.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> x = Variable(np.array([1.0, 2.0, 3.0]))
    >>> y = x * 1
    >>> y[0] = x[1] * x[2]
    >>> y[1:] *= 10
    >>> y
    variable([ 6. 20. 30.])
    >>> y.sum().backward()
    >>> x.grad
    variable([ 0. 13. 12.])
    """
    index = plain_index(index)
    value = nested(value) if isinstance(value, list | tuple) else value
    if not Config.enable_backprop or not (_wants(x) or _wants(value)):
        _write(x, index, value.data if isinstance(value, Variable) else value)
        return
    if x._node is None and x.requires_grad:
        raise RuntimeError(
            "assignment to a part of a leaf that wants a gradient: x[...] = v would change the "
            "input of the computation; assign to a copy, y = x.copy(), or, to change the value "
            "itself, do it under no_grad()"
        )
    check_holds(x, value)
    _rebind(x, index, value)


def _wants(x: Any) -> bool:
    return isinstance(x, Variable) and (x.requires_grad or x._node is not None)


def _rebind(x: Variable, index: Any, value: Any) -> None:
    """Make ``x`` the output of :class:`SetItem`; a hidden variable takes its place before it."""
    in_place = _is_alone(x)
    before = make(x.data, x._node)
    y = SetItem(index, in_place)(before, value)
    node = before._node
    if isinstance(node, Output):
        outputs = list(node._function._outputs)
        outputs[node.index] = ref(before)
        node._function._outputs = tuple(outputs)
    elif isinstance(node, Function):
        node._outputs = ref(before)
    x._data, x._node = y._data, y._node
    x._node._outputs = ref(x)
    x.requires_grad = True
    x.grad = None


def _write(x: Variable, index: Any, value: Any) -> None:
    """Write where nothing is recorded, and change no array that a graph may have kept."""
    if x._node is None and x.requires_grad:
        data = x.data
        data[index] = value
        x.data = data  # notes that it was written in place, so that graphs that read it raise
    elif _is_alone(x):
        x._data[index] = value
    else:
        data = np.copy(x.data)
        data[index] = value
        x.data = data


def _holders(x: Variable) -> int:
    """Return how many references to the array of ``x`` there are, those of this call included."""
    return sys.getrefcount(x._data)


_ALONE = _holders(make(np.zeros(1), None))


def _is_alone(x: Variable) -> bool:
    """Whether nobody but ``x`` has its array, or a view of it."""
    return (
        type(x._data) is np.ndarray
        and x._data.flags.owndata
        and x._data.flags.writeable
        and _holders(x) == _ALONE
    )
