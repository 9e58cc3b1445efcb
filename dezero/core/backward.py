"""The backward walk: each function once, the latest generation first."""

from __future__ import annotations

import itertools
import warnings
from heapq import heapify, heappop, heappush
from typing import Any

import numpy as np

from dezero.core.blocks import LARGE, in_blocks
from dezero.core.config import Config
from dezero.core.function import Function, Output, describe, is_edge, note_gradient
from dezero.core.levels import StandIn, active_floors
from dezero.core.shapes import conform
from dezero.core.variable import Variable, as_array, as_variable, make
from dezero.core.watch import pull_watched, section, watchers, watching


def backward(root: Variable, retain_grad: bool, create_graph: bool) -> None:
    """Add the gradient of ``root`` to ``grad`` of every leaf behind it (``Variable.backward``).

    Nothing is changed when an error passes: gradients are stored once the walk is over.
    """
    node = root._node
    if not isinstance(node, Function | Output):
        raise RuntimeError(_nothing_recorded(root))
    if not node._function._edges:
        raise freed_error(node._function._name)
    if root._dtype.kind not in "fc":
        _check_counts(node)
    seed = _seed(root)
    active = active_floors()
    between: list[tuple[Variable, Any]] | None = [] if retain_grad or active else None
    was_recording = Config.enable_backprop
    batched = hasattr(root._data, "_outranks")  # vmap's: outer levels record what runs on it
    Config.enable_backprop = create_graph or (was_recording and batched)
    try:
        start = conjugate(seed if create_graph else seed.data[()])
        with section("backward", (root,)) as told:
            leaves = walk({node: start}, create_graph, between, leaf_depths=active)
            if told:
                told[0] = leaves
        if between and not retain_grad:
            between = [(v, gx) for v, gx in between if v._node.__class__ is StandIn]
        stored = [(v, conjugate(gx)) for v, gx in [*leaves.items(), *(between or ())]]
        _warn_of_mixed_orders(root, stored)
        _store(stored, seed)
    finally:
        Config.enable_backprop = was_recording
    root.grad = seed


def walk(
    seeds: dict[Any, Any],
    recording: bool,
    between: list[tuple[Variable, Any]] | None = None,
    floor: int = 0,
    outside: set[Any] | None = None,
    leaf_depths: tuple[int, ...] = (),
    stops: set[Any] | None = None,
) -> dict[Any, Any]:
    """Walk the graph from the nodes of ``seeds`` and return the gradients of the leaves.

    A function waits on the heap until all functions that use its output have been visited:
    those have a larger generation.

    Parameters
    ----------
    seeds : dict of Function or Output to array or Variable
        Where to begin, each with the gradient of its output.
    recording : bool
        Whether the walk is recorded: then gradients are Variables, otherwise raw arrays
        (NumPy numbers where 0-d).
    between : list, optional
        Receives the variables on the way that somebody holds, with their gradients.
    floor : int, default 0
        The depth at which the walk ends: what lies there, or deeper, is a leaf to it.
    outside : set, optional
        Receives the edges that lead below the floor, which then get no gradient.
    leaf_depths : tuple of int, optional
        The floors of the running transformations: the stand-ins there are leaves (levels.py).
    stops : set, optional
        Nodes that are leaves to this walk.
    """
    skip = -1 if outside is None else floor
    watched = watching.on and watchers()
    grads = dict(seeds)
    heap = [
        (-node._depth, i, node)
        for i, node in enumerate(seeds)
        if node._depth > floor and (stops is None or node not in stops)
    ]
    heapify(heap)
    pushed = len(heap)
    sums: set[Any] = set()  # whose gradients are arrays of the walk's own, to add to in place
    while heap:
        node = heappop(heap)[2]
        gy = grads.pop(node)
        if between is not None and node not in seeds and gy.__class__ is not list:
            variable = node._variable()
            if variable is not None:
                between.append((variable, gy))
            if node.__class__ is StandIn and node._depth in leaf_depths:
                continue
        if node.__class__ is Output:
            if node.is_cut:
                _reach_cut(node, gy, grads)
                continue
            function = node._function
            if function not in grads:
                grads[function] = [None] * len(function._outputs)
                pushed += 1
                heappush(heap, (-function._depth, pushed, function))
            gys = grads[function]
            known = gys[node.index]  # by another node of the same output, one that was revived
            gys[node.index] = gy if known is None else known + gy
            continue
        edges = node._edges
        if not edges:
            if edges is None:
                raise freed_error(node._name)
            _reach_cut(node, gy, grads)
            continue
        rules, saved = node._rules, node._saved
        of_node = True  # whether rules are methods of the node
        if recording or rules is None or watched:
            if outside is not None:
                outside.update(e for e in edges if is_edge(e) and e._depth < floor)
            of_node, rules = False, _GIVEN
            if watched:
                gxs = pull_watched(_pull, node, gy, recording, skip)
            else:
                gxs = _pull(node, gy, recording, skip)
            saved = [gx if gx is None else (gx,) for gx in gxs]
        elif node._large_rules:  # elementwise: plain functions, others for large arrays
            of_node = False
            if gy.__class__ is np.ndarray and gy.size >= LARGE:
                rules = node._large_rules
        elif gy.__class__ is list:
            gy = node._filled(gy)
        for edge, rule, args in zip(edges, rules, saved):  # noqa: B905
            if args is None:
                continue
            depth = edge._depth
            if depth < skip:
                outside.add(edge)  # type: ignore[union-attr]
                continue
            try:
                gx = rule(node, gy, *args) if of_node else rule(gy, *args)
                if gx.shape != edge._shape or gx.dtype is not edge._dtype:
                    gx = conform(gx, edge, node)
            except Exception as error:
                note_gradient(error, node, gy)
                raise
            if edge._written:
                node._check_unwritten(edge)
            if edge in grads:
                _add(grads, edge, gx, sums)
            else:
                grads[edge] = gx
                if depth > floor and (stops is None or edge not in stops):
                    pushed += 1
                    heappush(heap, (-depth, pushed, edge))
    return grads


def _pull(node: Function, gy: Any, recording: bool, skip: int) -> Any:
    try:
        return node._pull(gy, recording, skip)
    except Exception as error:
        note_gradient(error, node, gy)
        raise


def _add(grads: dict[Any, Any], edge: Any, gx: Any, sums: set[Any]) -> None:
    """Add to the gradient of an edge: into a new array first, then in place."""
    old = grads[edge]
    if old.__class__ is not np.ndarray or gx.__class__ is not np.ndarray:
        grads[edge] = old + gx
    elif edge in sums:
        old += gx
    else:
        grads[edge] = in_blocks(np.add, old, gx) if old.size >= LARGE else old + gx
        sums.add(edge)


def conjugate(gx: Any) -> Any:
    """Return a gradient that enters or leaves the walk: the conjugate, where it is complex.

    Inside, the gradient of a complex number is the plain product of derivatives, so that rules
    read as for real numbers; outside it is ``dL/dRe + i dL/dIm``, the direction of ascent.
    """
    return np.conjugate(gx) if gx.dtype.kind == "c" else gx


_GIVEN = itertools.repeat(lambda gy, gx: gx)
"""Stands for the rules of a node that computed its gradients itself."""


def _reach_cut(node: Any, gy: Any, grads: dict[Any, Any]) -> None:
    """Give the gradient at a cut of the graph to the variable there, if it is a leaf now."""
    variable = None if isinstance(gy, list) else node._variable()
    if variable is not None and variable._node is None and variable.requires_grad:
        grads[variable] = grads[variable] + gy if variable in grads else gy


def freed_error(name: str) -> RuntimeError:
    """Return the error for a graph that ``unchain_backward`` took apart."""
    return RuntimeError(
        f"backward through {name}: its graph was freed by unchain_backward(); run the forward "
        "computation again"
    )


def free(root: Any) -> None:
    """Cut and free the graph behind the node ``root``: variables on the way become leaves.

    The root itself stays a node, without inputs: a loss that goes on being added to (step 59 of
    the book) is a constant from here on.
    """
    stack = [root]
    alive = []
    while stack:
        function = stack.pop()._function
        edges, function._edges, function._saved = function._edges or (), None, None
        if isinstance(function._outputs, tuple):  # its other outputs lead here as well
            alive += [output() for output in function._outputs]
        for edge in edges:
            if isinstance(edge, Function | Output):
                alive.append(edge._variable())
                stack.append(edge)
    kept = root._variable()
    for variable in alive:
        if variable is not None and variable is not kept:
            variable.unchain()
    root._function._cut()


def _nothing_recorded(root: Variable) -> str:
    if root.requires_grad:
        return (
            "backward: this variable is a leaf: no function computed it, so there is nothing to "
            "differentiate; call backward() on a result"
        )
    return (
        "backward: no graph was recorded behind this variable: it was computed under no_grad(), "
        "or from inputs that want no gradient (plain arrays, requires_grad=False), or it is the "
        "gradient of a backward() without create_graph=True"
    )


def _seed(root: Variable) -> Variable:
    """Return the gradient that the walk starts with: ``root.grad``, or ones."""
    if root.grad is None:
        return make(np.ones_like(root.data), None)
    seed = as_variable(root.grad)
    if seed.shape != root.shape:
        raise ValueError(
            f"backward: y.grad was set to an array of shape {seed.shape}, but y has shape "
            f"{root.shape}; a gradient has the shape of its variable"
        )
    return seed if seed.dtype == root.dtype else seed.astype(root.dtype)


def _functions(root: Any) -> dict[Function, None]:
    """Return every function behind the node ``root``, each once."""
    seen: dict[Function, None] = {}
    stack = [root._function]
    while stack:
        function = stack.pop()
        if function is not None and function not in seen:
            seen[function] = None
            stack += [
                e._function for e in function._edges or () if isinstance(e, Function | Output)
            ]
    return seen


def _check_counts(root: Any) -> None:
    """Raise unless the integer graph behind ``root`` has derivatives of 0 and 1 alone.

    Reshaping, summing and adding integers (steps 38 to 41 of the book) only count how often an
    element is used: exact in integers. Any other derivative would be rounded in silence.
    """
    for function in _functions(root):
        if not function._counts:
            raise TypeError(
                f"backward through {function._name} on integer variables: its derivative is not "
                "an integer; make the input float: Variable(x.astype(np.float32))"
            )


def _warn_of_mixed_orders(root: Variable, stored: list[tuple[Variable, Any]]) -> None:
    """Warn when a derivative would be added to the very gradient that is being differentiated."""
    recorded = [v for v, _ in stored if isinstance(v.grad, Variable) and v.grad._node is not None]
    if not recorded:
        return
    behind = _functions(root._node)
    for variable in recorded:
        if variable.grad._node._function in behind:
            name = f" {variable.name!r}" if variable.name else ""
            warnings.warn(
                f"backward: variable{name} {describe(variable)} still holds the gradient that is "
                "being differentiated, so derivatives of two orders are added up; call its "
                "cleargrad() before the second backward()",
                UserWarning,
                stacklevel=4,
            )


def _store(stored: list[tuple[Variable, Any]], seed: Variable) -> None:
    """Add each gradient to its variable; no two variables share an array, and none is a view."""
    taken = {id(seed._data)}
    for variable, gx in stored:
        _check_storable(variable, gx)
    for variable, gx in stored:
        new = _own(gx, taken)
        taken.add(id(new._data))
        variable.grad = new if variable.grad is None else _sum(variable.grad, new)


def _check_storable(variable: Variable, gx: Any) -> None:
    """Raise, before anything is stored, where a gradient cannot be added to a variable's."""
    kept = variable.grad
    if kept is not None and tuple(np.shape(getattr(kept, "_data", kept))) != gx.shape:
        raise ValueError(
            f"backward: grad of a variable of shape {variable.shape} was set to shape "
            f"{tuple(kept.shape)}; a gradient has the shape of its variable: call cleargrad()"
        )


def _own(gx: Any, taken: set[int]) -> Variable:
    """Return the gradient ``gx`` as a Variable with an array of its own.

    A recorded one stays a Variable of its graph, so that it can have a gradient in turn.
    """
    data = gx.data if isinstance(gx, Variable) else as_array(gx)
    shared = data.base is not None or id(data) in taken
    if isinstance(gx, Variable) and gx._node is not None:
        return gx * 1 if shared else gx
    return make(data.copy() if shared else data, None)


def _sum(old: Any, new: Variable) -> Variable:
    total: Variable = as_variable(old) + new
    return total if total._node is not None else make(total.data, None)
