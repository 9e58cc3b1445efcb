"""The boxes of a page: calls of layers, each folded or open, and parts of long stretches."""

from __future__ import annotations

import math
from typing import Any

from dezero.tracing import Origin
from dezero.viz.graph import clean

_LONG = 80  # boxes and functions in one box, from which on they are put into parts


class Groups:
    """Puts functions and values into a tree of boxes.

    A function is in the box of each layer call around it. What it makes is outside of those that
    do not use it, so that a folded box still shows what it gave; a parameter is inside, with its
    users, and what the program brought in from outside stays outside.
    """

    def __init__(
        self,
        origins: list[Origin | None],
        functions: list[dict[str, Any]],
        values: list[dict[str, Any]],
        users: dict[int, list[int]],
        depths: dict[int, int],
    ) -> None:
        self.rows: list[dict[str, Any]] = []
        self._index: dict[tuple[int, ...], int] = {}
        for function, found in zip(functions, origins, strict=True):
            function["grp"] = -1 if found is None else self._of_call(found)
        self._divide(functions)
        for i, value in enumerate(values):
            value["grp"] = self._of_value(value, functions, users.get(i, []), depths.get(i))

    def _of_call(self, found: Origin) -> int:
        group = -1
        for depth, kind in enumerate(found.kinds):
            key = found.call[: depth + 1]
            if key not in self._index:
                name = found.layers[depth]
                self._index[key] = self._add(name, "" if name == kind else kind, group)
            group = self._index[key]
        return group

    def _add(self, name: str, kind: str, parent: int) -> int:
        self.rows.append({"n": clean(name), "kind": clean(kind), "up": parent})
        return len(self.rows) - 1

    def path(self, group: int) -> list[int]:
        """Return the boxes around ``group`` and itself, the outermost first."""
        path: list[int] = []
        while group >= 0:
            path.append(group)
            group = self.rows[group]["up"]
        return path[::-1]

    def _divide(self, functions: list[dict[str, Any]]) -> None:
        """Put the members of each box that has very many into parts, in the order of the run."""
        members: dict[int, list[tuple[bool, int]]] = {}
        seen: set[int] = set()
        for i, function in enumerate(functions):
            for group in self.path(function["grp"]):
                if group not in seen:
                    seen.add(group)
                    members.setdefault(self.rows[group]["up"], []).append((True, group))
            members.setdefault(function["grp"], []).append((False, i))
        for parent, inside in members.items():
            if len(inside) <= _LONG:
                continue
            size = max(8, min(40, math.isqrt(len(inside))))
            for start in range(0, len(inside), size):
                chunk = inside[start : start + size]
                part = self._add(f"{start + 1} - {start + len(chunk)}", "", parent)
                for is_group, i in chunk:
                    if is_group:
                        self.rows[i]["up"] = part
                    else:
                        functions[i]["grp"] = part

    def _of_value(
        self,
        value: dict[str, Any],
        functions: list[dict[str, Any]],
        users: list[int],
        depth: int | None,
    ) -> int:
        used = [self.path(functions[i]["grp"]) for i in users]
        if value["f"] >= 0:
            return self._of_result(self.path(functions[value["f"]]["grp"]), used)
        if not users or value["role"] == "output" or (value["role"] == "input" and depth is None):
            return -1
        common = -1
        for level in zip(*used, strict=False):
            arrived_outside = depth is not None and self._layers_to(level[0]) > depth
            if len(set(level)) > 1 or arrived_outside:
                break
            common = level[0]
        return common

    @staticmethod
    def _of_result(made: list[int], used: list[list[int]]) -> int:
        """Return the innermost box around a result and one of its users.

        Further out, a box would need what it has made itself: boxes could not be put in order.
        """
        common = -1
        for depth, group in enumerate(made):
            if not any(path[depth : depth + 1] == [group] for path in used):
                break
            common = group
        return common

    def _layers_to(self, group: int) -> int:
        """Return how many layer calls there are down to ``group``; parts do not count."""
        return sum(i in self._calls for i in self.path(group))

    @property
    def _calls(self) -> set[int]:
        if not hasattr(self, "_call_set"):
            self._call_set = set(self._index.values())
        return self._call_set
