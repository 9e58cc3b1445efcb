"""The forward sweep: tangents through a recorded graph, the earliest generation first.

A function says in one of three ways what a tangent of its inputs does to its output: an
elementwise function by its gradient rule, which is a product with the same slope either way; a
linear one (``_linear``) by itself; any other by its gradient rule transposed once more.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from dezero.core.backward import walk
from dezero.core.elementwise import Elementwise
from dezero.core.function import Function, Output, fresh, is_edge
from dezero.core.levels import level_above, stand_in
from dezero.core.shapes import conform
from dezero.core.variable import Variable, as_array


def functions_above(roots: Iterable[Any], floor: int) -> tuple[list[Function], bool]:
    """Return the functions behind the nodes ``roots`` and above ``floor``, earliest first.

    The second value says whether any of them reads a Variable from below.
    """
    seen: dict[Function, None] = {}
    stack = [root for root in roots if root._depth > floor]
    reaches_below = False
    while stack:
        function = stack.pop()._function
        if function in seen:
            continue
        seen[function] = None
        for edge in function._edges or ():
            if is_edge(edge):
                if edge._depth > floor:
                    stack.append(edge)
                elif edge._depth < floor:
                    reaches_below = True
    return sorted(seen, key=lambda function: function._depth), reaches_below


def sweep(functions: list[Function], tangents: dict[Any, Any], recording: bool) -> dict[Any, Any]:
    """Push tangents through functions, in their order; return the tangent of every node.

    Parameters
    ----------
    functions : list of Function
        What :func:`functions_above` gave.
    tangents : dict
        The tangents of the nodes at the floor: Variables if ``recording``, otherwise raw arrays.
    recording : bool
        Whether what is computed can be differentiated again.
    """
    known: dict[Any, Any] = dict(tangents)
    for function in functions:
        ts = [tangent_of(edge, known) for edge in function._edges]
        if any(t is not None for t in ts):
            known[function] = _pushed(function, ts, recording)
    return known


def tangent_of(edge: Any, known: dict[Any, Any]) -> Any:
    """Return the tangent that arrives at an edge, ``None`` for nothing."""
    if isinstance(edge, Output):
        ts = known.get(edge._function)
        return None if ts is None else ts[edge.index]
    return known.get(edge) if is_edge(edge) else None


def _pushed(function: Function, ts: list[Any], recording: bool) -> Any:
    if isinstance(function, Elementwise):
        return _slopes(function, ts, recording)
    if function._linear:
        return _applied(function, ts, recording)
    return _transposed(function, ts, recording)


def _slopes(function: Elementwise, ts: list[Any], recording: bool) -> Any:
    saved = function._recorded() if recording else function._saved
    total = None
    for rule, t, args in zip(function._rules or (), ts, saved, strict=True):
        if t is not None and args is not None:
            part = rule(t, *args)
            total = part if total is None else total + part
    if total is None:
        return None
    if total.shape != function._shape:
        total = np.broadcast_to(total, function._shape)
    if total.dtype.kind == "c" and function._dtype.kind != "c":
        total = np.real(total)
    return total if total.dtype == function._dtype else total.astype(function._dtype)


def _applied(function: Function, ts: list[Any], recording: bool) -> Any:
    xs = [_zero(edge) if t is None else t for t, edge in zip(ts, function._edges, strict=True)]
    again = fresh(function)
    if recording:
        return again(*xs)
    return again.forward(*(np.asarray(x) if isinstance(x, np.generic) else x for x in xs))


def _zero(edge: Any) -> Any:
    """Return the tangent of a constant input, in the kind of its edge."""
    if is_edge(edge):
        return np.zeros(edge._shape, edge._dtype)
    return np.zeros(*edge) if isinstance(edge, tuple) else edge and 0 * edge


def _transposed(function: Function, ts: list[Any], recording: bool) -> Any:
    """Return ``J t`` as the gradient of ``<J^T u, t>`` with respect to ``u``."""
    single = not isinstance(function._outputs, tuple)
    kinds = [(function._shape, function._dtype)] if single else function._output_kinds()
    with level_above() as floor:
        us = [stand_in(np.zeros(shape, dtype), floor) for shape, dtype in kinds]
        nodes = [u._node for u in us]
        gxs = function._pull(us[0] if single else us, True)
        seeds: dict[Any, Any] = {}
        for gx, t, edge in zip(gxs, ts, function._edges, strict=True):
            if gx is None or t is None or not isinstance(gx, Variable):
                continue
            gx = conform(gx, edge, function)
            if gx._node is not None and gx._node._depth >= floor:
                seeds[gx._node] = seeds[gx._node] + t if gx._node in seeds else t
        found = walk(seeds, recording, floor=floor, outside=set()) if seeds else {}
    outputs = [
        found.get(node, zero)
        for node, zero in zip(nodes, (np.zeros(*k) for k in kinds), strict=True)
    ]
    return outputs[0] if single else tuple(outputs)


def as_tangent(t: Any, recording: bool) -> Any:
    """Return a tangent or gradient as a pass wants it: a Variable if recording, else an array."""
    if not recording:
        return t._data if isinstance(t, Variable) else t
    if isinstance(t, Variable) or hasattr(t, "_outranks"):  # the latter: an example of vmap's
        return t
    return Variable(as_array(t), requires_grad=False)
