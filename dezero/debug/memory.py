"""What graph memory is alive: which line made it, and who holds it."""

from __future__ import annotations

import gc
import os
from dataclasses import dataclass
from functools import partial
from types import CellType, FunctionType
from typing import Any
from weakref import WeakKeyDictionary

from dezero.core import Function, Parameter, Variable
from dezero.core.function import Output, describe
from dezero.core.places import Place
from dezero.debug.holders import Names
from dezero.debug.ranges import whole
from dezero.tracing import origin, trace


@dataclass(frozen=True)
class Row:
    """Nodes of one function, called at one line in one layer.

    Attributes
    ----------
    function : str
        The name of the function.
    place : Place or None
        The line of the program that called it; ``None`` if it was not traced.
    layers : tuple of str
        The path of layers around it.
    nodes : int
        How many there are.
    nbytes : int
        The memory of the arrays that they keep, each array counted once.
    generations : tuple of int
        The smallest and the largest.
    largest : str
        Type and shape of the largest array.
    steps : int
        From how many different steps they are: 1 where no steps were marked.
    """

    function: str
    place: Place | None
    layers: tuple[str, ...]
    nodes: int
    nbytes: int
    generations: tuple[int, int]
    largest: str
    steps: int


@dataclass(frozen=True)
class Head:
    """The end of a graph: a node that no other node uses, and who keeps it alive.

    Attributes
    ----------
    function : str
        The name of the function.
    place : Place or None
        The line that called it, if that was traced.
    holder : str
        Who holds its variable: ``variable `total` in train (train.py:12)``.
    nodes : int
        How many nodes lie behind it, itself included.
    generation : int
        Its generation.
    count : int
        How many heads of the same line and holder there are; this is the largest.
    """

    function: str
    place: Place | None
    holder: str
    nodes: int
    generation: int
    count: int


class Report:
    """Nodes of graphs that are alive, by line, function and layer; ``print`` shows a table.

    Attributes
    ----------
    rows : list of Row
        Those that keep the most memory first.
    heads : list of Head
        The ends of graphs, the largest graph first: at most five are looked into.
    nodes : int
        How many nodes there are.
    nbytes : int
        The memory of the arrays that they keep.
    """

    def __init__(self, nodes: list[Any], others: Any = (), steps: Any = None) -> None:
        nodes = sorted(nodes, key=lambda node: node._depth)
        self.rows = _rows(nodes, steps or {})
        self.nodes = len(nodes)
        self.nbytes = sum(row.nbytes for row in self.rows)
        self.heads = _heads(nodes, {*nodes, *others})

    def __str__(self) -> str:
        if not self.nodes:
            return "no graph is alive"
        one = self.nodes == 1
        alive = (
            "1 node is alive; it keeps" if one else f"{self.nodes:,} nodes are alive; they keep"
        )
        lines = [f"{alive} {_size(self.nbytes)}"]
        steps = any(row.steps > 1 for row in self.rows)
        table = [("nodes", "kept", "generations", *(("steps",) if steps else ()), "function",
                  "layer", "line")]  # fmt: skip
        for row in self.rows[:_SHOWN]:
            low, high = row.generations
            table.append(
                (
                    f"{row.nodes:,}",
                    _size(row.nbytes),
                    str(low) if low == high else f"{low}-{high}",
                    *((str(row.steps),) if steps else ()),
                    row.function,
                    " > ".join(row.layers) or "-",
                    _line(row.place) if row.place else "not traced",
                )
            )
        lines += _aligned(table, right=4 if steps else 3)
        if len(self.rows) > _SHOWN:
            lines.append(f"... and {len(self.rows) - _SHOWN} more rows")
        lines += [_head_line(head) for head in self.heads]
        if any(row.place is None for row in self.rows):
            lines.append(
                "lines are known of what runs inside `with dezero.live():` or `dezero.trace()`"
            )
        return "\n".join(lines)

    __repr__ = __str__


class live(trace, Report):
    """What graph memory is alive: called by itself, of the whole process and now.

    A graph lives as long as somebody holds its end: a loss that is added up as a Variable, a list
    of outputs, the state of a recurrent layer. Printed, it shows the nodes by the line that made
    them, and who holds the ends.

    As a context manager it remembers lines, and afterwards shows what was made inside the block
    and is still alive. With :meth:`mark` at the end of each step of a loop, :meth:`growth` shows
    what earlier steps have left.

    Parameters
    ----------
    depth : int, default 1
        How many lines of the program to remember, as in :class:`dezero.trace`.

    Attributes
    ----------
    rows : list of Row
        Nodes by line, function and layer, those that keep the most memory first. In a row are
        ``function``, ``place``, ``layers``, ``nodes``, ``nbytes``, ``generations``, ``largest``
        and ``steps``.
    heads : list of Head
        The ends of graphs and their holders.
    nodes, nbytes : int
        Sums of all rows.

    Notes
    -----
    Nodes are found by Python's garbage collector, which knows all objects; this takes a tenth of a
    second in a large program. An array counts once, in the row of the earliest node that keeps
    it, a view as the array it is a part of; the arrays of Parameters are the model's and do not
    count. Who holds a variable is looked for in local and global variables of the running
    functions and of modules, and in lists, tuples, dicts and objects that these hold.

    Examples
    --------
    >>> import numpy as np, dezero, dezero.functions as F
    >>> model = dezero.models.MLP((8, 1))
    >>> total = 0.0
    >>> with dezero.live() as alive:
    ...     for step in range(3):
    ...         loss = F.sum(model(np.ones((4, 2), np.float32)))
    ...         total += loss  # float(loss) would do
    ...         alive.mark()
    >>> left = alive.growth()
    >>> left.heads[0].holder
    'variable `total` in <module>'
    >>> {row.steps for row in left.rows}
    {2}
    """

    def __init__(self, depth: int = 1) -> None:
        trace.__init__(self, depth)
        self._made: WeakKeyDictionary[Any, int] = WeakKeyDictionary()  # the step of each
        self._step = 0
        Report.__init__(self, _alive())

    def __enter__(self) -> live:
        super().__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        super().__exit__(*exc)
        Report.__init__(self, self._left(), steps=self._made)

    def before(self, function: Any, xs: list[Any]) -> None:
        """Remember where ``function`` is called, and in which step."""
        super().before(function, xs)
        self._made[function] = self._step

    def mark(self) -> None:
        """Say that a step ends here: a batch, an epoch."""
        self._step += 1

    def growth(self) -> Report:
        """Return what was made in the block before the last step, and is still alive.

        A training loop should leave nothing, but for a state that is meant to go on.
        """
        left = self._left()
        last = max(self._made.values(), default=0)
        return Report([node for node in left if self._made[node] < last], left, self._made)

    def _left(self) -> list[Any]:
        """Return the nodes made in the block that are alive and in a graph."""
        return [node for node in list(self._made) if _in_graph(node)]


_SHOWN = 20  # rows of a table


def _alive() -> list[Any]:
    """Return every node of a graph in the process."""
    return [x for x in gc.get_objects() if issubclass(type(x), Function) and _in_graph(x)]


def _in_graph(node: Any) -> bool:
    return bool(getattr(node, "_edges", None)) and getattr(node, "_depth", None) is not None


def _rows(nodes: list[Any], steps: Any) -> list[Row]:
    groups: dict[Any, list[Any]] = {}
    for node in nodes:
        called = origin(node)
        key = (node._name, called and called.place, called.layers if called else ())
        groups.setdefault(key, []).append(node)
    kept = _kept_by(nodes)
    rows = []
    for (name, place, layers), members in groups.items():
        arrays = [array for node in members for array in kept[id(node)]]
        largest = max(arrays, key=lambda a: a.nbytes, default=None)
        generations = [node.generation for node in members]
        rows.append(
            Row(
                name,
                place,
                layers,
                len(members),
                sum(a.nbytes for a in arrays),
                (min(generations), max(generations)),
                "" if largest is None else describe(largest),
                len({steps.get(node, 0) for node in members}),
            )
        )
    return sorted(rows, key=lambda row: (-row.nbytes, -row.nodes, row.function))


def _kept_by(nodes: list[Any]) -> dict[int, list[Any]]:
    """Return the arrays of each node, by its id: whole ones, and each at the first node only."""
    parameters = (e for node in nodes for e in node._edges if isinstance(e, Parameter))
    counted = {id(whole(p._data)) for p in parameters if p._data is not None}
    found: dict[int, list[Any]] = {}
    for node in nodes:
        found[id(node)] = arrays = []
        for array in map(whole, _arrays_of(node)):
            if id(array) not in counted:
                counted.add(id(array))
                arrays.append(array)
    return found


def _arrays_of(node: Any) -> list[Any]:
    """Return the arrays that a node keeps: in what is saved, in attributes and in closures."""
    arrays = []
    seen = {id(node)}
    stack = [getattr(node, "_saved", None), getattr(node, "_read", None), *_attributes(node)]
    stack += [edge for edge in node._edges if isinstance(edge, Variable)]
    while stack:
        x = stack.pop()
        if x is None or id(x) in seen:
            continue
        seen.add(id(x))
        if hasattr(x, "nbytes") and hasattr(x, "shape"):
            arrays.append(x)
        elif isinstance(x, Variable):
            stack.append(None if isinstance(x, Parameter) else x._data)
        elif isinstance(x, FunctionType):
            stack += [*(x.__closure__ or ()), *(x.__defaults__ or ())]
        elif isinstance(x, tuple | list | dict | set | CellType | partial):
            stack += gc.get_referents(x)
    return arrays


def _attributes(node: Any) -> list[Any]:
    return list(getattr(node, "__dict__", {}).values())


def _heads(nodes: list[Any], all_nodes: set[Any]) -> list[Head]:
    """Return the ends of the graphs that ``nodes`` are in, the latest first.

    The ends may be among the others of ``all_nodes``.
    """
    used = {id(e._function) for node in all_nodes for e in node._edges if _leads_on(e)}
    ends = sorted((n for n in all_nodes if id(n) not in used), key=lambda node: -node._depth)
    wanted = {id(node) for node in nodes}
    behind = {}
    for node in ends[:_LOOKED_AT]:
        reached = _behind(node)
        if reached & wanted:
            behind[node] = len(reached)
            wanted -= reached
    found: dict[Any, list[Any]] = {}
    for node, holder in zip(behind, Names().of([_held(node) for node in behind]), strict=True):
        called = origin(node)
        found.setdefault((node._name, called and called.place, holder), []).append(node)
    heads = [
        Head(name, place, holder, behind[same[0]], same[0].generation, len(same))
        for (name, place, holder), same in list(found.items())[:_HEADS]
    ]
    return sorted(heads, key=lambda head: -head.nodes * head.count)


_HEADS = 5  # that are told
_LOOKED_AT = 200


def _leads_on(edge: Any) -> bool:
    return isinstance(edge, Function | Output)


def _held(node: Any) -> Any:
    """Return what somebody must hold for the node to live: its variable, or else itself."""
    outputs = node._outputs if isinstance(node._outputs, tuple) else (node._outputs,)
    return next((y for y in (weak() for weak in outputs) if y is not None), node)


def _behind(node: Any) -> set[int]:
    """Return the ids of the nodes behind a node, and its own."""
    seen = {id(node)}
    stack = [node]
    while stack:
        for edge in stack.pop()._edges or ():
            if _leads_on(edge) and id(edge._function) not in seen:
                seen.add(id(edge._function))
                stack.append(edge._function)
    return seen


def _head_line(head: Head) -> str:
    many = f", and {head.count - 1:,} more like it," if head.count > 1 else ""
    at = f", at {_line(head.place)}," if head.place else ""
    return (
        f"held by {head.holder}: the result of {head.function}{at}{many} with a graph of "
        f"{head.nodes:,} node{'s' if head.nodes > 1 else ''}"
    )


def _line(place: Place) -> str:
    return place.quoted.removeprefix(os.path.dirname(place.file) + os.sep)


def _size(nbytes: float) -> str:
    for unit in ("B", "kB", "MB"):
        if nbytes < 1000:
            return f"{nbytes:.0f} {unit}" if unit == "B" else f"{nbytes:.3g} {unit}"
        nbytes /= 1000
    return f"{nbytes:.3g} GB"


def _aligned(table: list[tuple[str, ...]], right: int) -> list[str]:
    """Return the lines of a table, its first ``right`` columns aligned to the right."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if i < right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in table
    ]
