"""Why the graph of a loss does not lead to a parameter: what is known, and what is likely."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dezero.core import Variable
from dezero.core.function import Function
from dezero.core.places import Place
from dezero.debug.explain_causes import kept_arrays
from dezero.debug.explain_run import Call, Hop, Read, Run, Trail, fault
from dezero.debug.paths import shown
from dezero.tracing import origin


@dataclass(frozen=True, slots=True)
class Cut:
    """Where, and why, a gradient ends.

    Attributes
    ----------
    what : str
        What cut it: ``"no_grad"``, ``"unchain"``, ``"frozen"``, ``"float()"``, ``"ReLU"`` ...
    why : str
        A sentence on it.
    advice : str
        What to do.
    place : Place or None
        The line of the program, where it is known.
    layers : tuple of str
        The layers around it, the outermost first.
    certain : bool
        Whether this is known, or only likely.
    """

    what: str
    why: str
    advice: str
    place: Place | None = None
    layers: tuple[str, ...] = ()
    certain: bool = True


def frozen() -> Cut:
    """Return what there is to say of a parameter that wants no gradient."""
    return Cut(
        "frozen",
        "its requires_grad is False: backward and the optimizer leave it alone",
        "set param.requires_grad = True before the forward pass",
    )


def cut_in_run(run: Run, loss: Any, param: Variable) -> Cut:
    """Return where the values of ``param`` left the graph, in a run that was watched."""
    if isinstance(param, Variable) and not param.requires_grad and param._node is None:
        return frozen()
    trail = Trail(run, param)
    hops = trail.hops(loss)
    for i, hop in enumerate(hops):
        kind = fault(hop, param)
        if kind is not None:
            later = hops[i + 1 :]
            return _of_hop(run, hop, kind, later)
    events = [e for e in trail.events() if not (isinstance(e, Read) and e.what == "copy")]
    if not events:
        return _never_used(run, param)
    reads = [e for e in events if isinstance(e, Read) and e.what not in _NO_VALUE]
    return _of_reads(reads) if reads else _not_in_loss(events)


_NO_VALUE = ("unchain()", "unchain_backward()", "backward()")


def _of_hop(run: Run, hop: Hop, kind: str, later: list[Hop]) -> Cut:
    event = hop.event
    if isinstance(event, Read):
        return _of_read(event, later)
    if kind in ("leaf", "unchain", "constant"):
        for read in run.events:
            if isinstance(read, Read) and _concerns(read, hop, kind):
                return _of_read(read, later if kind == "unchain" else [hop, *later])
    what, why, advice = _FAULTS[kind]
    why = why.format(name=event.name, number=hop.index + 1)
    return Cut(what.format(name=event.name), why, advice, event.place, event.layers)


_CUT = (
    "unchain",
    "the graph was cut at {name}: unchain() was called, or a creator set to None",
    "call it only on what must not be differentiated",
)
_FAULTS = {
    "no_grad": (
        "no_grad",
        "{name} ran while nothing was recorded: inside no_grad(), or "
        "using_config('enable_backprop', False)",
        "move what should be differentiated out of the block",
    ),
    "leaf": _CUT,
    "unchain": _CUT,
    "argument": (
        "{name}",
        "{name} has no derivative with respect to its argument number {number}",
        "use the value in another way, or give it a smooth form",
    ),
    "function": (
        "{name}",
        "{name} has no derivative: its result is a constant",
        "use a smooth function in its place",
    ),
    "constant": (
        "constant",
        "{name} got it as a plain array, or a Variable with requires_grad=False: a constant",
        "pass the Variable itself",
    ),
}


def _concerns(read: Read, hop: Hop, kind: str) -> bool:
    """Whether a read is what made the value of ``hop`` a constant, or a leaf."""
    x = hop.source
    if read.what.startswith("unchain"):
        call = hop.event
        made = call.outputs if isinstance(call, Call) else ()
        return any(v is x or any(v is y for y in made) for v in read.variables)
    array = getattr(x, "_data", x)
    return any(
        r is x
        or r is array
        or (_is_array(r) and _is_array(array) and np.may_share_memory(r, array))
        for r in (getattr(result, "_data", result) for result in read.results)
    )


def _is_array(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.size > 0


def _of_read(read: Read, later: list[Hop]) -> Cut:
    used = next((h.event for h in later if isinstance(h.event, Call)), None)
    then = f"; {used.name} at {shown(used.place)} used the result" if used else ""
    why, advice = _lesson(read.what)
    number = any(type(r) in (int, float, complex) for r in read.results)
    return Cut(read.what, why + then, advice, read.place, read.layers, certain=not number)


def _of_reads(reads: list[Read]) -> Cut:
    """Return the likely cut where values were read, and what became of them was not seen."""
    read = reads[-1]
    why, advice = _lesson(read.what)
    others = {r.place for r in reads} - {read.place}
    more = f" (others: {', '.join(sorted(map(shown, others))[:3])})" if others else ""
    why = f"{why}; nothing computed from it by functions of this package reached the loss{more}"
    return Cut(read.what, why, advice, read.place, read.layers, certain=False)


def _lesson(what: str) -> tuple[str, str]:
    if what.startswith("unchain"):
        return f"{what} cut the graph there", "call it after backward(), or on other variables"
    if what == "backward()":
        return (
            "it is a gradient that backward() computed without recording how: a constant",
            "call backward(create_graph=True), or use dezero.grad",
        )
    if what.startswith("stop_gradient"):
        return "stop_gradient() made it a constant", "leave it out where gradients should pass"
    if what == ".data":
        return (
            "its .data was taken: a plain array, which remembers no graph",
            "use the Variable itself: NumPy's functions and operators work on it",
        )
    if what == "copy":
        return (
            "a copy was used: it has the same value, but is another object",
            "compute with the original, or ask for the gradient of the copy",
        )
    whole = what.startswith(("astype", "arg", "np.", "comparison", "int", "use as"))
    if whole:
        return (
            f"{what} gives whole numbers or truth values, which have no derivative",
            "use a smooth form (F.softmax for argmax, a sigmoid for a comparison), or keep it out "
            "of the loss",
        )
    return (
        f"{what} gives a plain number, which remembers no graph",
        "keep the Variable: use float() to print alone",
    )


def _not_in_loss(events: list[Call | Read]) -> Cut:
    last = events[-1]
    name = last.name if isinstance(last, Call) else last.what
    return Cut(
        "not in the loss",
        f"it was used, last by {name}, but what came of that does not go into the loss",
        "see what is done with the result: it may be overwritten, returned beside, or forgotten",
        last.place,
        last.layers,
    )


def _never_used(run: Run, param: Variable) -> Cut:
    used = [x for e in run.events if isinstance(e, Call) for x in e.inputs]
    twin = _twin(param, used)
    if twin:
        return twin
    return Cut(
        "unused",
        "no function was called with it in this run" + _namesake(param, used),
        "call the layer that holds it; if it is called, check that this is its parameter and not "
        "that of another model",
    )


def _like(param: Variable, used: list[Any]) -> list[Variable]:
    """Return the other leaves of the shape and dtype of ``param``."""
    if param._data is None:
        return []
    leaves = (x for x in used if isinstance(x, Variable) and x._node is None and x is not param)
    kind = param._data.shape, param._data.dtype
    return [x for x in leaves if x._data is not None and (x._data.shape, x._data.dtype) == kind]


def _namesake(param: Variable, used: list[Any]) -> str:
    if any(x.name == param.name is not None for x in _like(param, used)):
        return f"; one of the same shape and name {param.name!r} was, perhaps of another model"
    return ""


def _twin(param: Variable, used: list[Any]) -> Cut | None:
    """Return the likely cut where another Variable of the same value is in use."""
    for x in _like(param, used):
        if param._data.any() and np.array_equal(x._data, param._data):
            return Cut(
                "another object",
                "the loss uses another Variable of the same shape and the same values: a copy",
                "ask for the gradient of the model that computed the loss; set the optimizer up "
                "on that one; after deepcopy, use one of the two throughout",
                certain=False,
            )
    return None


def cut_in_graph(loss: Variable, param: Variable, functions: list[Function]) -> Cut:
    """Return why the graph of ``loss`` does not lead to ``param``, from the graph alone."""
    if not param.requires_grad and param._node is None:
        return frozen()
    reader = _constant_reader(param, functions)
    if reader is not None:
        return Cut(
            ".data",
            f"{reader._name} computed with the array of the parameter as a constant: its .data "
            "was passed, a Variable made of that, or it wanted no gradient then",
            "pass the parameter itself",
            *_origin(reader),
        )
    found = [e for f in functions for e in f._edges or () if isinstance(e, Variable)]
    ends = [f for f in functions if not f._edges]
    if ends:
        return Cut(
            "unchain",
            f"the graph ends at {ends[0]._name}, which unchain() or unchain_backward() cut",
            "cut later, or compute the forward pass again",
            *_origin(ends[0]),
            certain=False,
        )
    return _twin(param, found) or _guess(param, functions, _namesake(param, found))


def _guess(param: Variable, functions: list[Function], hint: str) -> Cut:
    shape = None if param._data is None else param._data.shape
    for function in functions:
        for edge in function._edges:
            if isinstance(edge, tuple) and edge[0] == shape and shape:
                place = _origin(function)[0]
                line = f" at {shown(place)}" if place else ""
                hint = f"; {function._name}{line} has a constant of its shape {shape}"
    return Cut(
        "not in the graph",
        "the graph of the loss does not contain it: no function read it, or what did ran under "
        "no_grad(), or its result went through .data, float(), argmax or astype(int)" + hint,
        "ask with the computation itself, to be told the line: dezero.explain(lambda: "
        "compute_the_loss(), param)",
        certain=False,
    )


def _constant_reader(param: Variable, functions: list[Function]) -> Function | None:
    """Return a function that keeps the array of ``param``, as a constant."""
    data = param._data
    if not _is_array(data):
        return None
    for function in functions:
        for array in kept_arrays(function).values():
            if isinstance(array, np.ndarray) and array.size and np.may_share_memory(array, data):
                return function
    return None


def no_graph(loss: Variable, run: Run | None, param: Variable) -> Cut:
    """Return why there is no graph behind ``loss``."""
    if loss is param:
        return Cut("itself", "it is the loss itself: no function computed it", "pass a result")
    if loss._node is not None:
        return Cut(
            "freed",
            "the graph of the loss was freed, or cut at its end: unchain_backward(), unchain()",
            "compute the loss again",
        )
    if run is not None:
        return cut_in_run(run, loss, param)
    if loss.requires_grad:
        why = "the loss is a leaf: no function computed it, or unchain() was called on it"
    else:
        why = (
            "the loss has no graph: it was computed under no_grad(), or from plain arrays and "
            "constants alone (.data, float(), argmax, requires_grad=False)"
        )
    return Cut("no graph", why, "ask with the computation itself, to be told the line: "
               "dezero.explain(lambda: compute_the_loss(), param)")  # fmt: skip


def _origin(function: Function) -> tuple[Place | None, tuple[str, ...]]:
    found = origin(function)
    return (found.place, found.layers) if found else (None, ())
