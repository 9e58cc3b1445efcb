"""A run watched from outside: what became of each Variable, also where the graph has no edge.

The graph remembers only what has a gradient. To find where one was lost, the functions called,
recorded or not, and the doors through which values leave the graph are listed here as they pass:
``sys.setprofile`` shows the calls of both, so that the engine itself has nothing to do for it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from dezero.autodiff.custom import stop_gradient
from dezero.autodiff.trees import leaves
from dezero.core import Primitive, Variable, protocols
from dezero.core.config import Config
from dezero.core.function import Function, Output
from dezero.core.places import Place, in_package, place
from dezero.debug.paths import leaves_behind
from dezero.debug.ranges import whole
from dezero.functions.shapes import astype
from dezero.tracing import trace


@dataclass(eq=False, slots=True)
class Call:
    """A function that was called: what went in and out, and whether it was recorded."""

    name: str
    inputs: tuple[Any, ...]
    nodes: tuple[Any, ...]  # of the inputs, when it was called
    place: Place
    layers: tuple[str, ...]
    recording: bool
    outputs: tuple[Any, ...] = ()
    made: tuple[Any, ...] = ()  # the nodes of the outputs, when it returned


@dataclass(eq=False, slots=True)
class Read:
    """A value that left the graph: what was done to a Variable, and what came of it."""

    what: str
    variables: tuple[Any, ...]
    results: tuple[Any, ...]
    place: Place
    layers: tuple[str, ...]


class Run(trace):
    """Lists, in a ``with`` block, calls and reads in the order in which they ended."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Call | Read] = []
        self._open: list[tuple[Any, Any]] = []  # frames that are running, with what they are
        self._inside = 0  # how many reads are running: only the outermost counts

    def __enter__(self) -> Any:
        self._profile = sys.getprofile()
        super().__enter__()
        sys.setprofile(self._see)
        return self

    def __exit__(self, *exc: object) -> None:
        sys.setprofile(self._profile)
        super().__exit__(*exc)

    def _see(self, frame: Any, event: str, arg: Any) -> None:
        """Hear from Python that a frame begins or ends."""
        code = frame.f_code
        if event == "call":
            if code in _CALLS:
                self._open.append((frame, self._call(frame)))
            elif code in _READS and (_READS[code][0] != ".data" or _by_user(frame)):
                self._open.append((frame, self._read(frame)))
                self._inside += 1
        elif event == "return" and self._open and self._open[-1][0] is frame:
            _, what = self._open.pop()
            if isinstance(what, Call):
                self._called(what, arg)
            else:
                self._inside -= 1
                if what is not None and not self._inside:
                    what.results = _results(what, arg)
                    self.events.append(what)

    def _call(self, frame: Any) -> Call:
        values = frame.f_locals
        inputs = tuple(values["inputs"])
        nodes = tuple(x._node if isinstance(x, Variable) else None for x in inputs)
        name, recording = values["self"]._name, Config.enable_backprop
        return Call(name, inputs, nodes, place(), self._path[0], recording)

    def _called(self, call: Call, result: Any) -> None:
        call.outputs = result if isinstance(result, tuple) else (result,)
        call.made = tuple(y._node if isinstance(y, Variable) else None for y in call.outputs)
        if result is not None:
            self.events.append(call)

    def _read(self, frame: Any) -> Read | None:
        what, find = _READS[frame.f_code]
        found = find(frame.f_locals)
        if found is None or self._inside:
            return None
        if isinstance(found, tuple) and found and isinstance(found[0], str):
            what, found = found
        variables = tuple(x for x in leaves(found) if isinstance(x, Variable))
        return Read(what, variables, (), place(), self._path[0])


def _results(read: Read, returned: Any) -> tuple[Any, ...]:
    if read.what == "backward()":
        nodes = [x._node for x in read.variables if x._node is not None]
        return tuple(leaf.grad for node in nodes for leaf in leaves_behind(node))
    return tuple(leaves(returned)) if returned is not NotImplemented else ()


def _by_user(frame: Any) -> bool:
    return not in_package(frame.f_back.f_code.co_filename)


def _own(values: dict[str, Any]) -> Any:
    return values["self"]


def _of_backward(values: dict[str, Any]) -> Any:
    return None if values["create_graph"] else values["self"]


def _of_astype(values: dict[str, Any]) -> Any:
    kind = np.dtype(values["dtype"])
    return None if kind.kind in "fc" else (f"astype({kind})", values["x"])


def _of_numpy(values: dict[str, Any]) -> Any:
    function = values["function"]
    if function not in protocols.plain or function in _HARMLESS:
        return None
    return f"np.{function.__name__}()", (values["args"], values["kwargs"])


_HARMLESS = {np.shape, np.ndim, np.size, np.result_type, np.zeros_like, np.ones_like,
             np.empty_like, np.full_like, np.iscomplexobj, np.isrealobj, np.array_repr,
             np.array_str, np.array2string, np.can_cast, np.may_share_memory}  # fmt: skip
_CALLS = {Function.__call__.__code__, Primitive.__call__.__code__}
_READS: dict[Any, tuple[str, Callable[[dict[str, Any]], Any]]] = {
    Variable.data.fget.__code__: (".data", _own),  # type: ignore[attr-defined]
    Variable.__float__.__code__: ("float()", _own),
    Variable.__int__.__code__: ("int()", _own),
    Variable.__complex__.__code__: ("complex()", _own),
    Variable.__index__.__code__: ("use as an index", _own),
    Variable.item.__code__: (".item()", _own),
    Variable.argmax.__code__: ("argmax()", _own),
    Variable.argmin.__code__: ("argmin()", _own),
    Variable.__array__.__code__: ("conversion to an array", _own),
    Variable.__lt__.__code__: ("comparison", lambda v: (v["self"], v["other"])),  # of all six
    Variable.__deepcopy__.__code__: ("copy", _own),
    Variable.unchain.__code__: ("unchain()", _own),
    Variable.unchain_backward.__code__: ("unchain_backward()", _own),
    Variable.backward.__code__: ("backward()", _of_backward),
    stop_gradient.__code__: ("stop_gradient()", lambda v: v["x"]),
    astype.__code__: ("astype", _of_astype),
    protocols._call.__code__: ("NumPy", _of_numpy),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hop:
    """One piece of the way that a value went: into a call or a read, at input ``index``."""

    event: Call | Read
    index: int
    source: Any  # what went in: a Variable, an array or a number


class Trail:
    """Where the values of one Variable went in a run.

    Parameters
    ----------
    run : Run
        The run.
    param : Variable
        The Variable.
    """

    def __init__(self, run: Run, param: Variable) -> None:
        self.run = run
        self.param = param
        self._from: dict[Any, Hop | None] = {}
        self._arrays: dict[int, list[tuple[Any, Any]]] = {}  # by the owner of the memory
        self._mark(param, None)
        if param._node is not None:
            self._from[id(param._node)] = None
        self._mark_earlier()
        for event in run.events:
            self._follow(event)

    def reaches(self, x: Any) -> bool:
        """Whether ``x`` was computed from the Variable, as far as could be seen."""
        return self._key(x) is not None

    def hops(self, x: Any) -> list[Hop]:
        """Return the way from the Variable to ``x``, its first piece first."""
        found: list[Hop] = []
        key = self._key(x)
        hop = self._from.get(key) if key is not None else None
        while hop is not None and len(found) < len(self.run.events):
            found.append(hop)
            key = self._key(hop.source, before=True)
            hop = self._from.get(key) if key is not None else None
        return found[::-1]

    def events(self) -> list[Call | Read]:
        """Return the calls and reads that got something computed from the Variable."""
        return [e for e in self.run.events if any(self.reaches(x) for x in _given(e))]

    def _mark_earlier(self) -> None:
        """Mark what a graph leads from to the Variable though no call in the run made it.

        Layers keep results of earlier calls, and transformations put stand-ins in their place.
        """
        calls = [event for event in self.run.events if isinstance(event, Call)]
        made = {id(node) for call in calls for node in call.made}
        entered = {id(node): node for call in calls for node in call.nodes if node is not None}
        for key, node in entered.items():
            if key not in made and self.param in leaves_behind(node):
                self._from.setdefault(key, None)

    def _follow(self, event: Call | Read) -> None:
        """Note what comes of an event, if something that counts goes in."""
        hop = None
        for i, x in enumerate(_given(event)):
            if self.reaches(x):
                hop = Hop(event, i, x)
                if self._leads_on(hop):  # rather a way that gradients can take
                    break
        if hop is None:
            return
        for y in event.outputs if isinstance(event, Call) else event.results:
            self._mark(y, hop)

    def _leads_on(self, hop: Hop) -> bool:
        return fault(hop, self.param) is None

    def _mark(self, x: Any, hop: Hop | None) -> None:
        if isinstance(x, bool | str | type(None)):
            return
        if isinstance(x, int | float | complex):
            if x not in (0, 1, 2, -1):
                self._from.setdefault(("number", x), hop)
            return
        self._from.setdefault(id(x), hop)
        if isinstance(x, Variable):
            if x._node is not None:
                self._from.setdefault(id(x._node), hop)
            x = x._data
        if isinstance(x, np.ndarray) and x.ndim:
            self._arrays.setdefault(id(whole(x)), []).append((x, hop))
            self._from.setdefault(id(x), hop)

    def _key(self, x: Any, before: bool = False) -> Any:
        """Return the key of ``_from`` under which ``x`` is known, ``None`` if it is not."""
        if isinstance(x, int | float | complex) and not isinstance(x, np.generic):
            return ("number", x) if ("number", x) in self._from else None
        if id(x) in self._from:
            return id(x)
        if isinstance(x, Variable):
            if x._node is not None:
                return id(x._node) if id(x._node) in self._from else None
            x = x._data
            if id(x) in self._from:
                return id(x)
        if isinstance(x, np.ndarray) and x.ndim:
            for known, _ in self._arrays.get(id(whole(x)), ()):
                if np.may_share_memory(known, x):
                    return id(known) if id(known) in self._from else None
        return None


def fault(hop: Hop, param: Any) -> str | None:
    """Return why no gradient comes back along ``hop``; ``None`` if one does.

    ``"no_grad"``, ``"read"``, ``"frozen"``, ``"constant"``, ``"leaf"``, ``"argument"``,
    ``"function"`` or ``"unchain"``.
    """
    call = hop.event
    if isinstance(call, Read):
        return "read"
    if not call.recording:
        return "no_grad"
    x, node = hop.source, call.nodes[hop.index]
    if not isinstance(x, Variable):
        return "constant"
    if node is None and not x.requires_grad:
        return "frozen" if x is param else "constant"
    if node is None and x is not param:
        return "leaf"
    made = call.made[0] if call.made else None
    if made is None:
        return "function"
    if not made._function._edges or (isinstance(made, Output) and made.is_cut):
        return "unchain"
    saved = made._function._saved
    if isinstance(made._function, Primitive) and saved[hop.index] is None:
        return "argument"
    return None


def _given(event: Call | Read) -> tuple[Any, ...]:
    return event.inputs if isinstance(event, Call) else event.variables
