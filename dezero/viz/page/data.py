"""The data in a page: the graph of the engine, the run and the walk, as plain lists of numbers.

Values and functions are numbered in the order of the run. A value is one output of one function,
a leaf, or a constant; it does not matter whether a Variable of the program still holds it.
"""

from __future__ import annotations

import ast
import os
from typing import Any

import numpy as np

from dezero.core.config import using_config
from dezero.core.elementwise import Elementwise
from dezero.core.function import Function, Output, is_edge
from dezero.core.primitive import Primitive
from dezero.core.variable import Parameter, Variable
from dezero.core.watch import unwatched
from dezero.tracing import Origin, origin
from dezero.viz.graph import clean
from dezero.viz.page.groups import Groups
from dezero.viz.page.record import Recorder, Walk, leads_on, record_walk
from dezero.viz.page.rules import describe_rule
from dezero.viz.page.values import number, summary

MOST_FUNCTIONS = 20_000
_BRIEF = 400  # functions from which on the page has only the short text of each array


class PageData:
    """Collects what a page of ``outputs`` needs; :meth:`as_dict` gives it.

    Parameters
    ----------
    outputs : list of Variables
        Where the graph ends.
    recorder : Recorder, optional
        Who watched the run: it has all arrays, not just those that the engine keeps.
    names : dict of int to str
        Names of Variables by their ``id``, where they have none of their own.
    """

    def __init__(
        self, outputs: list[Variable], recorder: Recorder | None, names: dict[int, str]
    ) -> None:
        self.outputs = outputs
        self.recorder = recorder
        self.names = names
        self.functions = _in_order(outputs)
        if len(self.functions) > MOST_FUNCTIONS:
            raise ValueError(
                f"show: a graph of {len(self.functions)} functions is too large for a page, which "
                f"takes up to {MOST_FUNCTIONS}; show the result of fewer steps, or "
                "dezero.viz.get_svg_graph(y)"
            )
        self.number = {f: i for i, f in enumerate(self.functions)}
        self.origins: list[Origin | None] = [origin(f) for f in self.functions]
        self.values: list[dict[str, Any]] = []
        self.arrays: list[Any] = []  # of each value, None where nobody has it any more
        self._index: dict[Any, int] = {}
        self._kept: list[Any] = [outputs]  # objects whose id is a key
        self._places: dict[Any, int] = {}
        self._rules: dict[Any, int] = {}
        self.rules: list[dict[str, Any]] = []
        self.users: dict[int, list[int]] = {}
        self.depths: dict[int, int] = {}  # of what came into a layer from outside: how deep it is
        self.rows = [self._function(i, f) for i, f in enumerate(self.functions)]
        for y in outputs:
            self._value_of(y._node if y._node is not None else y)
        self._mark_outputs()
        self._name_by_source()
        self.groups = Groups(self.origins, self.rows, self.values, self.users, self.depths)

    def as_dict(self) -> dict[str, Any]:
        """Return the data, ready for JSON."""
        brief = len(self.functions) > _BRIEF
        walked = record_walk(self.outputs, brief)
        for row, array in zip(self.values, self.arrays, strict=True):
            row["v"] = None if array is None else summary(array, brief)
        return {
            "values": self.values,
            "functions": self.rows,
            "groups": self.groups.rows,
            "places": [_place_row(place) for place in self._places],
            "rules": self.rules,
            "traced": any(self.origins),
            "walk": None if walked is None else self._walk(walked),
        }

    def _function(self, i: int, f: Function) -> dict[str, Any]:
        xs, ys = self._recorded(f)
        inputs = []
        for k, edge in enumerate(f._edges or ()):
            inputs.append(self._input(i, k, f, edge, None if xs is None else xs[k]))
        outputs = []
        count = len(f._outputs) if isinstance(f._outputs, tuple) else 1
        ys = ys if isinstance(ys, tuple) else (ys,) * count
        for k in range(count):
            outputs.append(self._output(i, f, k, ys[k]))
        origin = self.origins[i]
        place = -1
        if origin is not None:
            place = self._places.setdefault(origin.place, len(self._places))
        return {
            "n": clean(f._name),
            "gen": int(f.generation),
            "in": inputs,
            "out": outputs,
            "at": place,
            "rule": self._rule(f),
        }

    def _recorded(self, f: Function) -> tuple[Any, Any]:
        found = self.recorder.values.get(f) if self.recorder is not None else None
        return found if found is not None else (None, None)

    def _rule(self, f: Function) -> int:
        key = (type(f), len(f._edges or ()))
        if key not in self._rules:
            self._rules[key] = len(self.rules)
            self.rules.append(describe_rule(f))
        return self._rules[key]

    def _input(self, i: int, k: int, f: Function, edge: Any, x: Any) -> int:
        if is_edge(edge):
            index = self._value_of(edge)
        else:
            known = edge if x is None and not isinstance(edge, tuple) else x
            index = self._constant(edge, known)
        self.users.setdefault(index, []).append(i)
        if self.recorder is not None and x is not None:
            depth = self.recorder.arrived.get(id(x))
            if depth is not None:
                self.depths.setdefault(index, depth)
        return index

    def _constant(self, edge: Any, x: Any) -> int:
        """Return the number of a constant: an array given to several functions is one value."""
        key = ("constant", id(x)) if isinstance(x, np.ndarray) and x.ndim else None
        if key in self._index:
            return self._index[key]
        shape, dtype = edge if isinstance(edge, tuple) else (np.shape(edge), np.result_type(edge))
        name = self.names.get(id(x), "")
        if not name and x is not None and shape == ():
            name = number(np.asarray(x)[()])
        index = self._add(name, "constant", shape, dtype, x)
        if key is not None:
            self._kept.append(x)
            self._index[key] = index
        return index

    def _key(self, edge: Any) -> Any:
        return (edge._function, edge.index) if isinstance(edge, Output) else (edge, 0)

    def _value_of(self, edge: Any) -> int:
        """Return the number of the value that ``edge`` leads to."""
        key = self._key(edge)
        if key not in self._index:  # a leaf that is new; what functions make is there
            leaf = edge if isinstance(edge, Variable) else edge._variable()  # None: cut, and gone
            role = "parameter" if isinstance(leaf, Parameter) else "input"
            array = None if leaf is None else leaf._data
            index = self._add(self._name_of(leaf), role, edge._shape, edge._dtype, array)
            self._index[key] = self._index[leaf, 0] = index
        return self._index[key]

    def _add(self, name: str, role: str, shape: Any, dtype: Any, array: Any) -> int:
        self.values.append(
            {
                "n": clean(name),
                "role": role,
                "s": [int(n) for n in shape],
                "d": str(np.dtype(dtype)),
                "f": -1,
            }
        )
        self.arrays.append(array)
        return len(self.values) - 1

    def _output(self, i: int, f: Function, k: int, y: Any) -> int:
        several: Any = f._outputs if isinstance(f._outputs, tuple) else None
        shape, dtype = f._output_kinds()[k] if several else (f._shape, f._dtype)
        variable = several[k]() if several else f._variable()
        if y is None:
            y = _kept(f, k) if variable is None else variable._data
        if y is None:
            y = self._recomputed(f)
        index = self._add(self._name_of(variable), "intermediate", shape, dtype, y)
        self.values[index]["f"] = i
        self._index[f, k] = index
        return index

    def _name_of(self, variable: Variable | None) -> str:
        return "" if variable is None else variable.name or self.names.get(id(variable), "")

    def _recomputed(self, f: Function) -> Any:
        """Return the output of an elementwise function, computed again from what is known."""
        if not isinstance(f, Elementwise):
            return None
        xs = []
        for edge in f._edges:
            if not is_edge(edge):
                x = None if isinstance(edge, tuple) else edge
            else:
                x = self.arrays[self._index[self._key(edge)]]
            if x is None:
                return None
            xs.append(x)
        with unwatched(), using_config("enable_backprop", False), np.errstate(all="ignore"):
            return f.forward(*xs)

    def _mark_outputs(self) -> None:
        for y in self.outputs:
            index = self._index[self._key(y._node if y._node is not None else y)]
            self.values[index]["role"] = "output"

    def _name_by_source(self) -> None:
        """Give the name in ``a = ...`` to the last value that this line of the program made."""
        following = [*self.origins, None][1:]
        for row, found, after in zip(self.rows, self.origins, following, strict=True):
            if found is None or (after is not None and after.place == found.place):
                continue
            value = self.values[row["out"][0]]
            if not value["n"] and len(row["out"]) == 1:
                value["n"] = _assigned(found.place.code)

    def _walk(self, walked: Walk) -> dict[str, Any]:
        def at(edge: Any) -> int:
            return self._index[self._key(edge)]

        def known(edge: Any) -> bool:
            return self._key(edge) in self._index

        return {
            "seeds": [[at(node), seed] for node, seed in walked.seeds],
            "woken": [self.number[f] for f in walked.woken],
            "visits": [
                {
                    "f": self.number[visit.function],
                    "gy": visit.arrived,
                    "to": [
                        [share.input, at(share.edge), share.part, share.total or 0]
                        for share in visit.shares
                    ],
                    "woken": [self.number[f] for f in visit.woken],
                }
                for visit in walked.visits
            ],
            "leaves": sorted([at(leaf), gx] for leaf, gx in walked.leaves if known(leaf)),
        }


def _in_order(outputs: list[Variable]) -> list[Function]:
    """Return the functions behind ``outputs`` in the order of the run.

    Where it was not traced, or in pieces, in the order of their generations: one in which it
    could have been. Among equals, the first inputs of a function come first.
    """
    found: dict[Function, int] = {}
    stack = [y._node._function for y in reversed(outputs) if leads_on(y._node)]
    while stack:
        function = stack.pop()
        if function not in found:
            found[function] = len(found)
            stack += _behind(function)
    known = {function: origin(function) for function in found}
    order = {f: -found[f] if at is None else at.order for f, at in known.items()}
    if all(known.values()):
        place = {f: i for i, f in enumerate(sorted(found, key=order.__getitem__))}
        if all(place[before] < place[f] for f in found for before in _behind(f)):
            return list(place)
    return sorted(found, key=lambda f: (f._depth, order[f]))


def _behind(function: Function) -> list[Function]:
    """Return the functions that made the inputs of ``function``."""
    edges = function._edges or ()
    return [edge._function for edge in edges if leads_on(edge)]


def _kept(f: Function, k: int) -> Any:
    """Return the array of output ``k``, if a gradient rule still has it."""
    if isinstance(f, Primitive):
        return None if isinstance(f._outputs, tuple) else f._arrays().get(len(f._edges))
    return f._saved[1][k] if f._saved else None


def _assigned(code: str) -> str:
    """Return the name that a line of Python assigns to, ``''`` if it is no such line."""
    try:
        statement = ast.parse(code).body[0]
    except (SyntaxError, ValueError, IndexError, RecursionError, MemoryError):
        return ""
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id
    return ""


def _place_row(place: Any) -> list[Any]:
    return [os.path.basename(place.file), place.line, place.function, clean(place.code)[:200]]
